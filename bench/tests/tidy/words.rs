//! Words that don't belong: marks of unfinished work, and paths of one machine.

use crate::tree::{self, File, has_word};

/// Whole words. Written in two parts, so that this file does not hold them.
const MARKS: [&str; 7] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("db", "g!"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

/// Beginnings of absolute paths.
const PLACES: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/tmp/", "target"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

fn check(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            let marks = MARKS.iter().filter(|mark| has_word(line, mark));
            let places = PLACES.iter().filter(|place| line.contains(*place));
            for word in marks.chain(places) {
                complaints.push(format!("{}:{number}: `{word}`", file.path));
            }
        }
    }
    complaints
}

#[test]
fn nothing_is_left_that_does_not_belong() {
    const TEXT: [&str; 10] =
        ["rs", "md", "toml", "yml", "yaml", "sh", "json", "js", "mjs", "service"];
    crate::assert_none(check(&tree::files(&TEXT)));
}

#[test]
fn what_does_not_belong_is_found() {
    let line = format!("// {}: later", MARKS[0]);
    assert_eq!(check(&[File::of("a.rs", &line)]).len(), 1);
    assert_eq!(check(&[File::of("a.md", &format!("see {}x", PLACES[0]))]).len(), 1);
    assert!(check(&[File::of("a.sh", &format!("mktemp {0}{0}", MARKS[2]))]).is_empty());
}
