//! A stack as the engine writes it, read into frames.
//!
//! ```text
//!     at parse (native)                    a built-in
//!     at hash (/srv/app.js:12:9)           where it is, or where it has called the next one
//!     at tight (missing)                   the engine does not know where
//! begins 2 3 /srv/app.js                   ...but where the function of line 2 begins
//! module 1                                 line 1 is the code of an ES module
//! ```
//!
//! **Invariant**: names are the program's own and may hold anything; a line that makes no sense is
//! left out.

use loop_core::stacks::{Frame, Place, TOP_LEVEL};

/// What the engine calls functions without a name.
const UNNAMED: &str = "<anonymous>";

/// Where the library's own code is.
const INTERNAL: &str = "node:";

/// What takes stacks.
const SAMPLER: &str = "node:internal/samples";

/// What runs the code of a CommonJS module.
const RUNS_MODULES: &str = "node:internal/cjs";

/// Whether it is what has taken the stack.
fn is_samplers(frame: &Frame<'_>) -> bool {
    frame.place.is_some_and(|place| place.file == SAMPLER)
}

/// The frames of a stack, innermost first.
pub(super) fn parse(stack: &str) -> Vec<Frame<'_>> {
    let lines = || stack.lines();
    let mut numbered: Vec<(usize, Option<Frame<'_>>)> =
        lines().filter_map(|line| line.strip_prefix("    at ")).map(frame).enumerate().collect();
    for begins in lines().filter_map(|line| line.strip_prefix("begins ")) {
        let mut words = begins.splitn(3, ' ');
        let mut number = || words.next()?.parse::<u32>().ok();
        let (Some(index), Some(line)) = (number(), number()) else { continue };
        let Some(file) = words.next() else { continue };
        if let Some((_, Some(frame))) = numbered.get_mut(index as usize) {
            let begins = Some(line.max(1));
            frame.place = Some(Place { file, line: None, column: 0, begins });
        }
    }
    for index in lines().filter_map(|line| line.strip_prefix("module ")?.parse::<usize>().ok()) {
        if let Some((_, Some(frame))) = numbered.get_mut(index) {
            frame.name = TOP_LEVEL;
        }
    }
    let mut frames: Vec<Frame<'_>> = numbered
        .into_iter()
        .filter_map(|(_, frame)| frame)
        .skip_while(|frame| is_samplers(frame))
        .collect();
    // A built-in that is watched calls the engine's own of the same name.
    frames.dedup_by(|a, b| a.place.is_none() && a == b);
    name_modules(&mut frames);
    frames
}

fn frame(line: &str) -> Option<Frame<'_>> {
    let (name, place) = split(line.strip_suffix(')')?)?;
    let name = if name == UNNAMED { "" } else { name };
    let place = match place {
        "native" => None,
        "missing" => Some(Place { file: INTERNAL, line: None, column: 0, begins: None }),
        place => {
            let mut parts = place.rsplitn(3, ':');
            let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
            let column = column.parse().unwrap_or(0);
            Some(Place { file, line: line.parse().ok(), column, begins: None })
        }
    };
    Some(Frame { name, place })
}

/// A name and a place: the place begins with a path or URL, which may hold parentheses, too.
fn split(line: &str) -> Option<(&str, &str)> {
    let starts = [" (/", " (file:", " (node:"].into_iter().filter_map(|start| line.find(start));
    let at = starts.min().or_else(|| line.rfind(" ("))?;
    Some((&line[..at], &line[at + 2..]))
}

/// The code of a CommonJS module is a function without a name that the library calls.
fn name_modules(frames: &mut [Frame<'_>]) {
    for index in 0..frames.len() {
        let called_by = frames[index + 1..].iter().find_map(|frame| frame.place);
        let by_library = called_by.is_some_and(|place| place.file == RUNS_MODULES);
        if by_library && frames[index].name.is_empty() && frames[index].is_programs() {
            frames[index].name = TOP_LEVEL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(name: &'static str, line: u32, column: u32) -> Frame<'static> {
        let place = Place { file: "/a:b (c)/app.js", line: Some(line), column, begins: None };
        Frame { name, place: Some(place) }
    }

    #[test]
    fn names_and_paths_may_hold_parentheses() {
        let stack = "    at current (node:internal/samples:50:1)\n\
            \x20   at parse (native)\n    at parse (native)\n\
            \x20   at a (b) (native) (/a:b (c)/app.js:12:9)\n\
            \x20   at <anonymous> (/a:b (c)/app.js:3:1)\n\
            nonsense\n    at nonsense\n";
        let native = Frame { name: "parse", place: None };
        assert_eq!(parse(stack), [native, script("a (b) (native)", 12, 9), script("", 3, 1)]);
    }

    #[test]
    fn what_is_missing_is_where_its_function_begins() {
        let stack = "    at current (node:internal/samples:50:1)\n    at tight (missing)\n\
            \x20   at main (/x.js:1:1)\nbegins 1 7 /with space.js\nbegins 9 1 /x.js\n";
        let place = Place { file: "/with space.js", line: None, column: 0, begins: Some(7) };
        assert_eq!(parse(stack)[0], Frame { name: "tight", place: Some(place) });
        assert_eq!(parse(stack)[0].told(None), "tight (/with space.js:7)");
    }

    #[test]
    fn code_of_modules_is_named_and_other_code_without_a_name_is_not() {
        let stack = "    at current (node:internal/samples:50:1)\n\
            \x20   at <anonymous> (/a:b (c)/app.js:2:1)\n    at <anonymous> (/a:b (c)/app.js:4:1)\n\
            \x20   at call (native)\n    at execute (node:internal/cjs:96:3)\n\
            \x20   at <anonymous> (file:///m.mjs:1:1)\nmodule 5\n";
        let names: Vec<_> = parse(stack).iter().map(|frame| frame.name).collect();
        assert_eq!(names, ["", TOP_LEVEL, "call", "execute", TOP_LEVEL]);
    }
}
