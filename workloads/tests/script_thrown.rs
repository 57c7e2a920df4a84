//! What is thrown and is no error is shown with the line that threw it, as in Node.

mod child;

use std::fs;

#[test]
fn runs_the_script_of_a_test() {
    child::run();
}

/// What the script prints to both outputs when it throws in this way.
fn thrown(name: &str, way: &str) -> (String, String) {
    let output = child::of(name, way).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    (out, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_line_that_threw_is_shown() {
    let file = child::file("thrown.js");
    let source = fs::read_to_string(&file).unwrap();
    let ways = [
        ("text", "x"),
        ("object", "{ a: 1, b: 'two' }"),
        ("function", "[Function (anonymous)]"),
        ("again", "first"),
        ("list", "3"),
        ("promise", "null"),
        ("tick", "undefined"),
        ("timer", "42"),
        ("immediate", "true"),
        ("request", "1"),
    ];
    for (way, shown) in ways {
        let mark = format!("// {way}");
        let (at, line) = source.lines().enumerate().find(|(_, l)| l.ends_with(&mark)).unwrap();
        let indent = " ".repeat(line.find("throw").unwrap());
        let wanted = format!("\n{}:{}\n{line}\n{indent}^\n{shown}\n\n", file.display(), at + 1);
        let (_, errors) = thrown("thrown.js", way);
        assert!(errors.starts_with(&wanted), "{way}: {errors}\nfor {wanted}");
    }
}

#[test]
fn a_line_that_is_not_known_is_not_shown() {
    let (_, errors) = thrown("thrown_finally.js", "");
    assert!(errors.starts_with("Uncaught:\n'lost'\n\nNode.js"), "{errors}");
}

#[test]
fn a_program_that_handles_what_was_thrown_goes_on() {
    let (out, _) = thrown("thrown.js", "handled");
    let wanted = "handled in the program\nthe next tick\nhandled swallowed\n\
        handled in a timer\nhandled swallowed\n";
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let after = child::printed(&out);
    // A timer and an immediate race for the first turn.
    assert_eq!(sorted(after), sorted(wanted), "{out}");
    assert!(
        after.starts_with("handled in the program\nthe next tick\nhandled swallowed\n"),
        "{out}"
    );
}
