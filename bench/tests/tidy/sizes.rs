//! Small files, short functions, lines that fit.

use crate::tree::{self, File};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 60;
const LINE_COLUMNS_MAX: usize = 100;

fn check(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let path = &file.path;
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            complaints.push(format!("{path}: {lines} lines, at most {FILE_LINES_MAX}"));
        }
        for (line, columns) in file.lines().map(|(line, text)| (line, text.chars().count())) {
            if columns > LINE_COLUMNS_MAX {
                let most = LINE_COLUMNS_MAX;
                complaints.push(format!("{path}:{line}: {columns} columns, at most {most}"));
            }
        }
        for (line, lines) in functions(file) {
            if lines > FUNCTION_LINES_MAX {
                let most = FUNCTION_LINES_MAX;
                complaints
                    .push(format!("{path}:{line}: function of {lines} lines, at most {most}"));
            }
        }
    }
    complaints
}

/// Where functions begin and how many lines they have. Relies on rustfmt: the brace that ends a
/// function stands alone, as far to the right as the function's first line.
fn functions(file: &File) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
        let rest = &lines[index..];
        let indent = &line[..line.len() - line.trim_start().len()];
        let Some(open) = rest.iter().position(|line| line.ends_with(['{', ';', '}'])) else {
            continue;
        };
        if rest[open].ends_with('{') {
            let end = format!("{indent}}}");
            let size = rest.iter().position(|line| **line == end).unwrap_or(rest.len() - 1) + 1;
            found.push((index + 1, size));
        }
    }
    found
}

fn begins_function(line: &str) -> bool {
    const BEFORE: [&str; 8] =
        ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];
    let mut words = line.split_whitespace().skip_while(|word| BEFORE.contains(word));
    words.next() == Some("fn")
}

#[test]
fn files_functions_and_lines_are_short() {
    let files = tree::files(&["rs"]);
    crate::assert_none(check(&files));
    let lines: usize = files.iter().map(|file| file.text.lines().count()).sum();
    println!("{} files of {} lines on average", files.len(), lines / files.len());
}

#[test]
fn what_is_too_long_is_found() {
    let function = |lines: usize| {
        let body = "        a();\n".repeat(lines - 2);
        format!("impl A {{\n    pub(crate) fn f() {{\n{body}    }}\n}}\n")
    };
    let complaints = |text: &str| check(&[File::of("a.rs", text)]);
    assert!(complaints(&function(FUNCTION_LINES_MAX)).is_empty());
    assert_eq!(complaints(&function(61)), ["a.rs:2: function of 61 lines, at most 60"]);
    assert_eq!(complaints(&"é".repeat(101)), ["a.rs:1: 101 columns, at most 100"]);
    assert_eq!(complaints(&"\n".repeat(501)), ["a.rs: 501 lines, at most 500"]);
    assert!(
        functions(&File::of("a.rs", "trait A {\n    fn f(\n    );\n}\nfn g() {}\n")).is_empty()
    );
}
