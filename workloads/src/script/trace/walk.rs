//! A source whose functions say when they begin, for the walk of the call stack; and where in the
//! source a place of the engine's is then.
//!
//! ```text
//!  function f() { g(); }    ──>   function f() {_loopscope(); g(); }
//!  x => x + 1               ──>   x =>_loopscope()?0: x + 1
//! ```
//!
//! The call stands behind directives, so that they stay directives, and moves no line. It returns
//! nothing (at the top level of a file it is given 1), so of the conditional it is the other branch
//! that counts, and that may be all that the body of an arrow function may be. When a function ends
//! need not be said: the stack tells.
//!
//! Default values of parameters are evaluated before a function says that it begins. Code that is
//! made from text as the program runs says nothing.
//!
//! **Invariant**: what a program does is as before, but for the text of its functions.

use crate::script::imports::{Body, bodies};

/// What functions call when they begin.
pub(crate) const CALLED: &str = "_loopscope";

/// What was put into a source.
#[derive(Debug, Default)]
pub(super) struct Insertions(Vec<Insertion>);

#[derive(Debug)]
struct Insertion {
    /// The line, and the column in the source as it was, from 1.
    line: u64,
    column: u64,
    length: u64,
}

/// A source with calls in it, and where they are.
pub(super) fn instrument(source: &str) -> (String, Insertions) {
    let mut at: Vec<(usize, String)> = bodies(source)
        .into_iter()
        .filter_map(|body| match body {
            Body::Block(brace) => statement(source, brace + 1),
            Body::Expression(start) => Some((start, format!("{CALLED}()?0:"))),
        })
        .collect();
    at.extend(statement(source, 0).map(|(offset, call)| (offset, call.replace("()", "(1)"))));
    at.sort_by_key(|(offset, _)| *offset);
    let mut text = String::with_capacity(source.len() + 20 * at.len());
    let (mut insertions, mut copied, mut line, mut line_start) = (Vec::new(), 0, 1, 0);
    for (offset, call) in at {
        let between = &source[copied..offset];
        line += between.matches('\n').count() as u64;
        line_start = between.rfind('\n').map_or(line_start, |newline| copied + newline + 1);
        text.push_str(between);
        text.push_str(&call);
        copied = offset;
        let column = (offset - line_start + 1) as u64;
        insertions.push(Insertion { line, column, length: call.len() as u64 });
    }
    text.push_str(&source[copied..]);
    (text, Insertions(insertions))
}

/// Where a call is to stand in statements that begin there: behind their directives.
fn statement(source: &str, start: usize) -> Option<(usize, String)> {
    let mut at = start;
    if source[start..].starts_with("//") && start == 0 {
        // What has been `#!`.
        at = source.find('\n').map_or(source.len(), |end| end + 1);
    }
    let mut call = format!("{CALLED}();");
    loop {
        let directive = skip_blank(source, at);
        let Some(end) = string_end(source, directive) else { return Some((at, call)) };
        let next = skip_blank(source, end);
        match source.as_bytes().get(next) {
            Some(b';') => at = next + 1,
            Some(b'}') | None => return Some((end, format!(";{call}"))),
            // A line that goes on with a word, or another string, is a statement of its own.
            Some(byte)
                if source[end..next].contains('\n')
                    && (byte.is_ascii_alphanumeric()
                        || matches!(byte, b'_' | b'$' | b'\'' | b'"' | b'{')) =>
            {
                at = end;
                call = format!(";{CALLED}();");
            }
            _ => return Some((at, call)),
        }
    }
}

/// The end of a text in quotes that begins there.
fn string_end(source: &str, start: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let quote = bytes.get(start).copied().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Where the next token is: behind blanks and comments.
fn skip_blank(source: &str, mut at: usize) -> usize {
    loop {
        let rest = &source[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        let comment = if trimmed.starts_with("//") {
            trimmed.find('\n').unwrap_or(trimmed.len())
        } else if trimmed.starts_with("/*") {
            trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
        } else {
            return at;
        };
        at += comment;
    }
}

impl Insertions {
    /// The column that a place of the engine's has in the source as it was.
    pub(super) fn column(&self, line: u64, column: u64) -> u64 {
        let first = self.0.partition_point(|insertion| insertion.line < line);
        let mut shift = 0;
        for insertion in self.0[first..].iter().take_while(|insertion| insertion.line == line) {
            if column < insertion.column + shift {
                break;
            }
            if column < insertion.column + shift + insertion.length {
                return insertion.column;
            }
            shift += insertion.length;
        }
        column - shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        let (text, _) = instrument(source);
        assert_eq!(text.replace(CALLED, "!"), expected);
    }

    #[test]
    fn functions_say_when_they_begin() {
        check("f()", "!(1);f()");
        check("function f() { g(); }", "!(1);function f() {!(); g(); }");
        check("x =>\n x, y => {}", "!(1);x =>!()?0:\n x, y => {!();}");
        check("//!/bin/node\nf()", "//!/bin/node\n!(1);f()");
    }

    #[test]
    fn directives_stay_what_they_are() {
        check("'use strict';\nf()", "'use strict';!(1);\nf()");
        check("// a\n'use strict' // b\nf()", "// a\n'use strict';!(1); // b\nf()");
        check("function f() { 'a'; \"b\" }", "!(1);function f() { 'a'; \"b\";!(); }");
        check("'a'\n'b'\n'c'.length", "'a'\n'b';!(1);\n'c'.length");
        check("'a' + b", "!(1);'a' + b");
        check("'a'\n+ b", "!(1);'a'\n+ b");
    }

    #[test]
    fn columns_are_those_of_the_source() {
        let source = "f();\nconst a = () => b(() => c);\nfunction g() { h(); }";
        let (text, insertions) = instrument(source);
        for (line, (before, after)) in (1..).zip(source.lines().zip(text.lines())) {
            for name in ["f()", "b(", "c)", "h("] {
                let (Some(before), Some(after)) = (before.find(name), after.rfind(name)) else {
                    continue;
                };
                let told = insertions.column(line, after as u64 + 1);
                assert_eq!(told, before as u64 + 1, "{name} in {text}");
            }
        }
    }
}
