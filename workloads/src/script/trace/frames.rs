//! Stacks as the engine writes them: `    at NAME (FILE:LINE:COLUMN)`, innermost first.

use super::timeline::{Frame, Function, Place};

/// The most frames of a stack that are kept.
const FRAMES_MAX: usize = 64;

/// The program's own frames, and the function of Node's API through which the innermost has gone.
pub(super) fn read(stack: &str) -> (Vec<Frame>, Option<String>) {
    let mut frames = Vec::new();
    let mut via = None;
    for frame in stack.lines().filter_map(frame) {
        if !frame.place.file.starts_with("node:") {
            frames.push(frame);
            if frames.len() == FRAMES_MAX {
                break;
            }
        } else if frames.is_empty() {
            via = api_name(&frame).or(via);
        }
    }
    (frames, via)
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
    use super::read;

    #[test]
    fn frames_of_the_program_are_kept_and_the_api_is_named() {
        let stack = "    at stack (node:internal/trace:20:9)\n    at setTimeout (node:timers:9:3)\n\
                     \x20   at work (/a b/c (d).js:3:11)\n    at <anonymous> (file:///e.mjs:7:1)\n\
                     \x20   at /f.js:9:2\n    at run (native)\n";
        let (frames, via) = read(stack);
        let shown: Vec<_> = frames
            .iter()
            .map(|f| format!("{}|{}:{}:{}", f.name, f.place.file, f.place.line, f.place.column))
            .collect();
        assert_eq!(shown, ["work|/a b/c (d).js:3:11", "|/e.mjs:7:1", "|/f.js:9:2"]);
        assert_eq!(via.as_deref(), Some("setTimeout"));
        assert_eq!(read(""), (vec![], None));
    }
}
