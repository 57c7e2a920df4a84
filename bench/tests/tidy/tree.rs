//! The files of the tree.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders that hold what we write; of the root only its own files are read.
const FOLDERS: [&str; 6] = ["loop-core", "exporters", "workloads", "agent", "bench", "dashboards"];

/// A text file.
pub(crate) struct File {
    /// From the root of the tree, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// A file that isn't there, to try a check on.
    pub(crate) fn of(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    /// Lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The root of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files with one of these extensions, in order of their paths.
pub(crate) fn files(extensions: &[&str]) -> Vec<File> {
    let root = root();
    let mut paths = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut paths);
    }
    paths.extend(entries(&root).into_iter().filter(|path| path.is_file()));
    paths.sort();
    let wanted = |path: &PathBuf| {
        path.extension().is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
    };
    let read = |path: PathBuf| {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        File { path: relative, text: fs::read_to_string(&path).unwrap() }
    };
    paths.into_iter().filter(wanted).map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// What is in a folder, without build output and hidden files.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let ours = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_str().unwrap_or(".");
        !name.starts_with('.') && name != "target" && name != "node_modules"
    });
    ours.map(|entry| entry.path()).collect()
}

/// A line of Rust without its comment and without what is in its strings.
pub(crate) fn code(line: &str) -> String {
    let (mut out, mut quoted) = (String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if quoted => drop(chars.next()),
            '\'' if !quoted && chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' => quoted = !quoted,
            '/' if !quoted && chars.peek() == Some(&'/') => break,
            _ if !quoted => out.push(char),
            _ => {}
        }
    }
    out
}

/// Whether `text` holds `word` with no letter, digit or underscore next to it.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !part(before.chars().next_back()) && !part(after.chars().next())
    })
}

#[test]
fn the_tree_is_found() {
    let files = files(&["rs"]);
    let has = |path: &str| files.iter().any(|file| file.path == path);
    assert!(has("bench/tests/tidy/tree.rs") && has("loop-core/src/lib.rs"));
    assert!(!files.iter().any(|file| file.path.contains("target/")));
}

#[test]
fn comments_and_strings_are_no_code() {
    assert_eq!(code(r#"let a = "un\"safe // no"; // unsafe"#), "let a = ; ");
    assert_eq!(code(r#"if char == '"' { x() }"#), "if char == ' { x() }");
    assert!(has_word("an unsafe block", "unsafe") && !has_word("unsafe_code", "unsafe"));
}
