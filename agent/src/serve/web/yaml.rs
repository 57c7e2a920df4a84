//! The little of YAML that a configuration needs: mappings, lists and words, with their lines.
//!
//! Made of the events of a parser, and not of a tree that it builds: aliases and tags are refused,
//! so a file can't unfold to more than it is, and errors hold nothing of its text but keys.
//!
//! **Invariant**: at most [`BYTES_MAX`] bytes and [`DEPTH_MAX`] levels are read.

use saphyr_parser::{Event, Parser};

/// Some thousand users.
const BYTES_MAX: usize = 1 << 20;

/// Levels within one another.
const DEPTH_MAX: usize = 8;

/// Something in the file, and the line where it begins, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Text; an empty one where nothing is written.
    Word(String),
    /// Things in a row.
    List(Vec<Node>),
    /// Names and what stands behind them.
    Map(Vec<(String, Node)>),
}

/// What can't be read, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) why: &'static str,
}

/// Something that is not complete yet.
struct Open {
    node: Node,
    /// The name that waits for what stands behind it.
    key: Option<String>,
}

/// Reads the one document in `text`; `None` where there is nothing in it.
pub(super) fn parse(text: &str) -> Result<Option<Node>, Unreadable> {
    if text.len() > BYTES_MAX {
        return Err(Unreadable { line: 1, why: "the file is larger than 1 MiB" });
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| Unreadable { line: error.marker().line(), why: "this is no YAML" })?;
        builder.add(event, span.start.line())?;
    }
    Ok(builder.root)
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
}

impl Builder {
    fn add(&mut self, event: Event<'_>, line: usize) -> Result<(), Unreadable> {
        let refuse = |why| Err(Unreadable { line, why });
        let value = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => return refuse("tags are not understood here"),
            Event::Alias(_) => return refuse("aliases are not understood here"),
            Event::Scalar(text, ..) => {
                return self.put(Node { line, value: Value::Word(text.into()) });
            }
            Event::SequenceStart(..) => Value::List(Vec::new()),
            Event::MappingStart(..) => Value::Map(Vec::new()),
            Event::SequenceEnd | Event::MappingEnd => return self.close(),
            Event::DocumentStart(_) if self.root.is_some() => {
                return refuse("there is more than one document");
            }
            _ => return Ok(()),
        };
        if self.open.len() == DEPTH_MAX {
            return refuse("it is nested too deeply");
        }
        self.open.push(Open { node: Node { line, value }, key: None });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        match self.open.pop() {
            Some(open) => self.put(open.node),
            None => Ok(()),
        }
    }

    /// Puts a complete node where it belongs.
    fn put(&mut self, node: Node) -> Result<(), Unreadable> {
        let Some(open) = self.open.last_mut() else {
            // A document of nothing is an empty word.
            let is_empty = node.value == Value::Word(String::new());
            self.root = (!is_empty).then_some(node);
            return Ok(());
        };
        let line = node.line;
        match (&mut open.node.value, open.key.take(), node.value) {
            (Value::List(list), _, value) => list.push(Node { line, value }),
            (Value::Map(map), Some(key), value) => map.push((key, Node { line, value })),
            (Value::Map(map), None, Value::Word(key)) => {
                if map.iter().any(|(known, _)| *known == key) {
                    return Err(Unreadable { line, why: "this name stands there twice" });
                }
                open.key = Some(key);
            }
            _ => return Err(Unreadable { line, why: "a name must be a word" }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(line: usize, text: &str) -> Node {
        Node { line, value: Value::Word(text.to_owned()) }
    }

    #[test]
    fn what_is_written_is_read_with_its_line() {
        let text = "# top\na: 1\nb:\n  c: 'x y' # c\n  d: [e, \"f\"]\ng:\n";
        let Some(Node { value: Value::Map(map), .. }) = parse(text).unwrap() else { panic!() };
        assert_eq!(map[0], ("a".to_owned(), word(2, "1")));
        let Value::Map(inner) = &map[1].1.value else { panic!() };
        assert_eq!(inner[0], ("c".to_owned(), word(4, "x y")));
        assert_eq!(inner[1].1.value, Value::List(vec![word(5, "e"), word(5, "f")]));
        assert!(matches!(&map[2].1.value, Value::Word(text) if text.is_empty() || text == "~"));
        assert_eq!(parse("# nothing\n"), Ok(None));
    }

    #[test]
    fn what_can_not_be_read_is_refused_with_its_line() {
        let line = |text: &str| parse(text).unwrap_err().line;
        assert_eq!(line("a: 1\nb: [1\n"), 3);
        assert_eq!(line("a: 1\na: 2\n"), 2);
        assert_eq!(line("a: &x 1\nb: *x\n"), 2);
        assert_eq!(line("a: !!binary x\n"), 1);
        assert_eq!(line("a: 1\n---\nb: 2\n"), 2);
        assert_eq!(line(&"[".repeat(1_000)), 1);
        assert_eq!(line(&" ".repeat(BYTES_MAX + 1)), 1);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[a-z:\\[\\]{}&*!'\"\\n #|>%@,?-]{0,200}") {
            let _ = parse(&text);
        }
    }
}
