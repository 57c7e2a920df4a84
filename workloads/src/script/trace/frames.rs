//! Stacks as the engine writes them: `    at NAME (FILE:LINE:COLUMN)`, innermost first.

use super::timeline::{Frame, Function, Place};

/// The most frames that the engine writes.
const FRAMES_MAX: usize = 64;

/// A stack.
#[derive(Debug, Default)]
pub(super) struct Stack {
    /// The program's own frames, innermost first.
    pub(super) frames: Vec<Frame>,
    /// The function of Node's API through which the innermost has gone.
    pub(super) via: Option<String>,
    /// Whether there may be more.
    pub(super) is_cut: bool,
}

pub(super) fn read(stack: &str) -> Stack {
    let mut read = Stack { is_cut: stack.lines().count() >= FRAMES_MAX, ..Stack::default() };
    for frame in stack.lines().filter_map(frame) {
        if !frame.place.file.starts_with("node:") {
            read.frames.push(frame);
        } else if read.frames.is_empty() {
            read.via = api_name(&frame).or(read.via);
        }
    }
    read
}

/// A stack whose columns are what `column` makes of file, line and column.
pub(super) fn with_columns(stack: &str, column: impl Fn(&str, u64, u64) -> u64) -> String {
    let line = |text: &str| {
        let (place, end) = match text.strip_suffix(')') {
            Some(place) => (place, ")"),
            None => (text, ""),
        };
        let mut parts = place.rsplitn(3, ':');
        let (given, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let before = parts.next()?;
        let start = [" (/", " (file:", " at /", " at file:"]
            .into_iter()
            .filter_map(|start| Some(before.find(start)? + start.find(['/', 'f'])?))
            .min()?;
        Some(format!("{before}:{line}:{}{end}", column(&before[start..], line, given)))
    };
    let lines = stack.lines().map(|text| line(text).unwrap_or_else(|| text.to_owned()));
    lines.fold(String::new(), |all, line| all + &line + "\n")
}

/// The public functions that the library's file about timelines stands in front of.
const API: [&str; 3] = ["nextTick", "queueMicrotask", "then"];

/// A public function of the library, as a reader knows it.
fn api_name(frame: &Frame) -> Option<String> {
    let module = frame.place.file.strip_prefix("node:")?;
    if frame.name.is_empty() {
        return None;
    }
    Some(match module {
        "internal/trace" if !API.contains(&frame.name.as_str()) => return None,
        "timers" | "console" | "internal/trace" => frame.name.clone(),
        _ if module.starts_with("internal/") => return None,
        _ => format!("{module}.{}", frame.name),
    })
}

fn frame(line: &str) -> Option<Frame> {
    let line = line.trim().strip_prefix("at ")?;
    let (name, place) = match line.strip_suffix(')').and_then(|line| line.split_once(" (")) {
        Some((name, place)) => (name, place),
        None => ("", line),
    };
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let file = parts.next()?.strip_prefix("file://").unwrap_or_else(|| file_of(place)).to_owned();
    let name = if matches!(name, "<anonymous>" | "<eval>") { "" } else { name };
    Some(Frame { name: name.to_owned(), place: Place { file, line, column } })
}

/// A place without its line and column.
fn file_of(place: &str) -> &str {
    place.rsplitn(3, ':').nth(2).unwrap_or(place)
}

impl Function {
    /// A function by its name, file and line; a line of 0 stands for none.
    pub(crate) fn new(name: &str, file: &str, line: u64) -> Function {
        let file = file.strip_prefix("file://").unwrap_or(file);
        let known = line > 0 && !file.is_empty() && !file.starts_with("node:");
        let place = known.then(|| Place { file: file.to_owned(), line, column: 0 });
        Function { name: name.to_owned(), place }
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAMES_MAX, Stack, read};

    #[test]
    fn frames_of_the_program_are_kept_and_the_api_is_named() {
        let stack = "    at stack (node:internal/trace:20:9)\n    at setTimeout (node:timers:9:3)\n\
                     \x20   at work (/a b/c (d).js:3:11)\n    at <anonymous> (file:///e.mjs:7:1)\n\
                     \x20   at /f.js:9:2\n    at run (native)\n";
        let Stack { frames, via, is_cut } = read(stack);
        let shown: Vec<_> = frames
            .iter()
            .map(|f| format!("{}|{}:{}:{}", f.name, f.place.file, f.place.line, f.place.column))
            .collect();
        assert_eq!(shown, ["work|/a b/c (d).js:3:11", "|/e.mjs:7:1", "|/f.js:9:2"]);
        assert_eq!(via.as_deref(), Some("setTimeout"));
        assert!(read("").frames.is_empty() && !is_cut);
        assert!(read(&"    at f (/x.js:1:1)\n".repeat(FRAMES_MAX)).is_cut);
    }
}
