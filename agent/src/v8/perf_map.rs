//! The file in which V8 writes where its code lies, if it is told to (`--perf-basic-prof`).
//!
//! ```text
//! 7f31a0c04a80 1c8 JS:*work /app/a.js:12:7     address, bytes, what; the newest entry holds
//! ```
//!
//! **Invariant**: any bytes are entries or none; what is kept is bounded.

use super::types::{Frame, Kind};
use crate::url;

/// Entries that are kept, the newest. A Node that has just been started has some 2,500.
const ENTRIES_MAX: usize = 1 << 20;

/// Bytes of what an entry says.
const TEXT_BYTES_MAX: usize = 4_096;

/// Entries that are looked at before an address, as code may lie where other code was.
const BEFORE_MAX: usize = 256;

/// Before the names of what V8 compiled; behind some of them a sign for how.
const SCRIPTS: [&str; 5] = ["JS:", "LazyCompile:", "Function:", "Script:", "Eval:"];

/// What is written.
#[derive(Debug, Default)]
pub struct PerfMap {
    /// By address; of one address the oldest first.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    start: u64,
    end: u64,
    /// Which line it is.
    line: usize,
    text: Box<str>,
}

impl PerfMap {
    /// Reads the file's bytes, or its last ones.
    pub fn parse(bytes: &[u8]) -> PerfMap {
        let lines = bytes.rsplit(|&byte| byte == b'\n').enumerate();
        let entries = lines.filter_map(|(back, line)| entry(line, usize::MAX - back));
        let mut entries: Vec<Entry> = entries.take(ENTRIES_MAX).collect();
        entries.sort_by_key(|entry| (entry.start, entry.line));
        PerfMap { entries }
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The function at an address, as a frame of which nothing more is known.
    pub fn frame(&self, pc: u64) -> Option<Frame> {
        let end = self.entries.partition_point(|entry| entry.start <= pc);
        let near = self.entries[..end].iter().rev().take(BEFORE_MAX);
        let holds = near.filter(|entry| pc < entry.end);
        holds.max_by_key(|entry| entry.line).map(|entry| frame(&entry.text))
    }
}

fn entry(line: &[u8], number: usize) -> Option<Entry> {
    let line = std::str::from_utf8(line).ok()?;
    let (start, rest) = line.split_once(' ')?;
    let (bytes, text) = rest.split_once(' ')?;
    let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let start = hex(start)?;
    let end = start.checked_add(hex(bytes)?)?;
    let text = text.get(..TEXT_BYTES_MAX).unwrap_or(text).trim_end();
    (text.len() <= TEXT_BYTES_MAX).then(|| Entry { start, end, line: number, text: text.into() })
}

/// `JS:*name file:line:column`, or the name of something of V8's own.
fn frame(text: &str) -> Frame {
    let Some(of) = SCRIPTS.iter().find_map(|kind| text.strip_prefix(kind)) else {
        // What a regular expression looks for says less than that it is one.
        let name = match text.split_once(':') {
            Some((kind @ "RegExp", _)) => kind,
            Some((_, name)) => name,
            None => text,
        };
        return Frame::of(Kind::Builtin, name);
    };
    // A name has no space, a path may have some.
    let (name, place) = plain(of).split_once(' ').unwrap_or((plain(of), ""));
    let mut frame = Frame::of(Kind::JavaScript, name);
    // Until V8 10 no column is written.
    let (file, number) = numbered(place);
    let (file, line, column) = match numbered(file) {
        (file, Some(line)) => (file, Some(line), number),
        (file, None) => (file, number, None),
    };
    frame.file = Some(url::path(file)).filter(|file| !file.is_empty());
    (frame.begins, frame.begins_column) = (line, column);
    frame
}

/// A name without the sign for how it was compiled: `~`, `^`, `+`, `*`, `*'`, `o*`.
fn plain(name: &str) -> &str {
    const SIGNS: [char; 5] = ['~', '^', '+', '*', '\''];
    let replaced = name.strip_prefix('o').filter(|rest| rest.starts_with(['+', '*']));
    replaced.unwrap_or(name).trim_start_matches(SIGNS)
}

/// A place, and the number at its end.
fn numbered(place: &str) -> (&str, Option<u32>) {
    let found = place.rsplit_once(':').and_then(|(rest, end)| Some((rest, end.parse().ok()?)));
    found.map_or((place, None), |(rest, number)| (rest, Some(number)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WRITTEN: &str = "\
7f0000001000 100 JS:~work /app/a b.js:12:7
7f0000001100 40 RegExp:a+b
7f0000001040 20 LazyCompile:*hot file:///app/c.mjs:3:14
7f0000001000 80 JS:* /app/a.js:1:1
not an entry
ffffffffffffffff 2 JS:~wraps /a.js:1:1
7f0000002000 10 Builtin:ArraySort
5285240 4ec LazyCompile:*bar /app/p.js:1
7f17f0041980 8fc JS:o+bar /app/p.js:1:16
7f17f0003300 6e0 JS:+'offer /app/p.js:1:16
2885ff041198 5 Eval:~ node:internal/main/run_main_module:1:1
";

    fn told(map: &PerfMap, pc: u64) -> Option<(Kind, String, Option<String>, Option<u32>)> {
        let frame = map.frame(pc)?;
        Some((frame.kind, frame.name, frame.file, frame.begins))
    }

    #[test]
    fn the_newest_entry_of_an_address_holds() {
        let map = PerfMap::parse(WRITTEN.as_bytes());
        let script = |name: &str, file: &str, line| {
            Some((Kind::JavaScript, name.to_owned(), Some(file.to_owned()), Some(line)))
        };
        let builtin = |name: &str| Some((Kind::Builtin, name.to_owned(), None, None));
        assert_eq!(told(&map, 0x7f00_0000_1000), script("", "/app/a.js", 1));
        assert_eq!(told(&map, 0x7f00_0000_1045), script("", "/app/a.js", 1));
        assert_eq!(told(&map, 0x7f00_0000_1080), script("work", "/app/a b.js", 12));
        assert_eq!(told(&map, 0x7f00_0000_1100), builtin("RegExp"));
        assert_eq!(told(&map, 0x7f00_0000_2000), builtin("ArraySort"));
        assert_eq!(told(&map, 0x7f00_0000_2010), None);
        assert_eq!(told(&map, 0), None);
        assert_eq!(told(&map, 0x528_5240), script("bar", "/app/p.js", 1));
        assert_eq!(told(&map, 0x7f17_f004_1980), script("bar", "/app/p.js", 1));
        assert_eq!(told(&map, 0x7f17_f000_3300), script("offer", "/app/p.js", 1));
        let internal = "node:internal/main/run_main_module";
        assert_eq!(told(&map, 0x2885_ff04_1198), script("", internal, 1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_entries_or_none(bytes: Vec<u8>, pc: u64) {
            let _ = PerfMap::parse(&bytes).frame(pc);
        }

        #[test]
        fn any_text_is_a_frame(text in "(JS:|Script:|)[~*]?[a-z ]{0,9}[:0-9/]{0,9}") {
            let map = PerfMap::parse(format!("10 10 {text}\n").as_bytes());
            prop_assert!(map.frame(0x18).is_some());
        }
    }
}
