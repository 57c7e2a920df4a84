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

/// Where functions begin and how many lines they have.
fn functions(file: &File) -> Vec<(usize, usize)> {
    if file.path.ends_with(".rs") { functions_of_rust(file) } else { functions_of_script(file) }
}

/// As [`functions`], for JavaScript: the line that ends a function begins with its brace, as far to
/// the right as the function's first line.
fn functions_of_script(file: &File) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let begins = |line: &&str| line.ends_with('{') && begins_script_function(line.trim_start());
    let found = lines.iter().enumerate().filter(|(_, line)| begins(line)).map(|(index, line)| {
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let rest = &lines[index..];
        let size = rest.iter().position(|line| line.starts_with(&end)).unwrap_or(rest.len() - 1);
        (index + 1, size + 1)
    });
    found.collect()
}

fn begins_script_function(line: &str) -> bool {
    const STATEMENTS: [&str; 6] = ["if", "for", "while", "switch", "catch", "with"];
    let word = |char: char| char.is_alphanumeric() || "_$#".contains(char);
    let line = line.trim_start_matches(|char: char| char == '*' || char.is_whitespace());
    let (name, rest) = line.split_at(line.find(|char| !word(char)).unwrap_or(line.len()));
    let is_method = rest.starts_with('(') && !name.is_empty() && !STATEMENTS.contains(&name);
    let named = ["function ", "function*", "function(", "=> {", "async *"];
    named.iter().any(|part| line.contains(part)) || is_method
}

/// As [`functions`], for Rust. Relies on rustfmt: the brace that ends a function stands alone, as
/// far to the right as the function's first line.
fn functions_of_rust(file: &File) -> Vec<(usize, usize)> {
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
    let files = tree::files(&["rs", "js", "mjs", "cjs"]);
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

#[test]
fn what_is_too_long_in_scripts_is_found() {
    let function = |head: &str, tail: &str| format!("{head}\n{}{tail}\n", "    a();\n".repeat(59));
    let check = |head: &str, tail: &str, found: &[&str]| {
        assert_eq!(check(&[File::of("a.js", &function(head, tail))]), found, "{head}");
    };
    let long = ["a.js:1: function of 61 lines, at most 60"];
    check("function f() {", "}", &long);
    check("exports.f = async function* f() {", "};", &long);
    check("  f(a, b) {", "  }", &long);
    check("  *f() {", "  }", &long);
    check("  const f = (a) => {", "  };", &long);
    check("run(() => {", "});", &long);
    check("  for (const a of b) {", "  }", &[]);
    check("class A {", "}", &[]);
}

#[test]
fn files_of_the_library_are_strict_and_say_what_they_are() {
    let is_ours = |file: &File| file.path.starts_with("workloads/src/script/lib/");
    let files: Vec<File> = tree::files(&["js"]).into_iter().filter(is_ours).collect();
    assert!(files.len() > 50, "only {} files of the library", files.len());
    crate::assert_none(files.iter().filter_map(head_of_script).collect());
}

/// What is wrong at the head of a file of the library.
fn head_of_script(file: &File) -> Option<String> {
    let is_comment = |line: &&str| line.starts_with("//");
    let strict = file.text.lines().find(|line| !is_comment(line)) == Some("'use strict';");
    let told = file.text.lines().take(2).any(|line| is_comment(&line));
    let complaint = format!("{}: begins with no comment and 'use strict'", file.path);
    (!strict || !told).then_some(complaint)
}

#[test]
fn a_file_of_the_library_without_a_head_is_found() {
    let found = |text: &str| head_of_script(&File::of("a.js", text)).is_some();
    assert!(!found("// What it is.\n'use strict';\n") && !found("'use strict';\n// It is.\n"));
    assert!(found("'use strict';\n\nf();\n") && found("// What it is.\n\nf();\n"));
}
