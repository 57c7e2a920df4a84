//! Programs as trees of statements, so that parts can be taken out, and their text.

/// A statement: text with blocks of statements in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Whole lines.
    Text(String),
    /// What stands between two lines, one level deeper.
    Block(Vec<Node>),
}

impl Node {
    pub(crate) fn text(text: impl Into<String>) -> Node {
        Node { parts: vec![Part::Text(text.into())] }
    }

    pub(crate) fn block(head: impl Into<String>, body: Vec<Node>, tail: impl Into<String>) -> Node {
        Node::text(head).with(body, tail)
    }

    /// One more block and the line behind it.
    pub(crate) fn with(mut self, body: Vec<Node>, tail: impl Into<String>) -> Node {
        self.parts.push(Part::Block(body));
        self.parts.push(Part::Text(tail.into()));
        self
    }

    fn render(&self, depth: usize, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Block(body) => render(body, depth + 1, out),
                Part::Text(text) => {
                    for line in text.lines() {
                        out.push_str(&"  ".repeat(depth));
                        out.push_str(line);
                        out.push('\n');
                    }
                }
            }
        }
    }
}

fn render(body: &[Node], depth: usize, out: &mut String) {
    body.iter().for_each(|node| node.render(depth, out));
}

/// A file of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) body: Vec<Node>,
}

impl Source {
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        render(&self.body, 0, &mut text);
        text
    }
}

/// The file that all programs have, with what they call.
pub(crate) const HELPERS: &str = "helpers.js";

/// A program: its files, the main one first, then [`HELPERS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) files: Vec<Source>,
}

impl Program {
    pub(crate) fn main(&self) -> &str {
        &self.files[0].name
    }

    /// All files but [`HELPERS`].
    fn own_files(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().filter(|file| file.name != HELPERS)
    }

    pub(crate) fn own_files_mut(&mut self) -> impl Iterator<Item = &mut Source> {
        self.files.iter_mut().filter(|file| file.name != HELPERS)
    }

    /// Its own files, each under its name.
    pub(crate) fn own_text(&self) -> String {
        let file = |file: &Source| format!("// --- {}\n{}", file.name, file.text());
        self.own_files().map(file).collect()
    }
}

#[test]
fn a_tree_reads_as_a_program() {
    let inner = Node::text("log('b');");
    let node = Node::block("process.nextTick(() => {", vec![inner], "});");
    let file = Source { name: "main.js".to_owned(), body: vec![node] };
    let program = Program { files: vec![file] };
    let text = "// --- main.js\nprocess.nextTick(() => {\n  log('b');\n});\n";
    assert_eq!(program.own_text(), text);
}
