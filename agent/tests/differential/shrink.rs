//! Makes a program that shows something smaller, as long as it shows it.
//!
//! Statements are taken out, first many at once and then fewer, blocks are replaced by what is in
//! them, and in the end single lines go. At most [`TRIES_MAX`] programs are tried, for no longer
//! than
//! [`LIMIT`].

use std::time::{Duration, Instant};

use super::tree::{Node, Part, Program};

/// How many smaller programs are tried.
const TRIES_MAX: usize = 600;

/// For how long.
const LIMIT: Duration = Duration::from_secs(25);

/// The smallest program found that still `shows` it.
pub(crate) fn shrink(program: &Program, shows: impl FnMut(&Program) -> bool) -> Program {
    let mut search =
        Search { best: program.clone(), shows, left: TRIES_MAX, start: Instant::now() };
    loop {
        let before = search.best.own_text().len();
        search.drop_files();
        search.drop_statements();
        search.hoist();
        search.drop_lines();
        if search.is_over() || search.best.own_text().len() == before {
            return search.best;
        }
    }
}

struct Search<S> {
    best: Program,
    shows: S,
    left: usize,
    start: Instant,
}

impl<S: FnMut(&Program) -> bool> Search<S> {
    fn is_over(&self) -> bool {
        self.left == 0 || self.start.elapsed() > LIMIT
    }

    /// Keeps a change if the program still shows it.
    fn try_change(&mut self, change: impl FnOnce(&mut Program)) -> bool {
        let mut changed = self.best.clone();
        change(&mut changed);
        if self.is_over() || changed == self.best {
            return false;
        }
        self.left -= 1;
        let shows = (self.shows)(&changed);
        if shows {
            self.best = changed;
        }
        shows
    }

    fn drop_files(&mut self) {
        for index in (2..self.best.files.len()).rev() {
            self.try_change(|program| drop(program.files.remove(index)));
        }
    }

    /// Block by block, outermost first: runs of statements of half the block's length, then
    /// shorter.
    fn drop_statements(&mut self) {
        let mut block = 0;
        while let Some(count) = with_block(&mut self.best.clone(), block, |body| body.len()) {
            let mut length = count;
            while length > 0 {
                let mut from = 0;
                while with_block(&mut self.best.clone(), block, |body| body.len() > from)
                    == Some(true)
                {
                    let cut = |body: &mut Vec<Node>| {
                        drop(body.drain(from..(from + length).min(body.len())));
                    };
                    if !self.try_change(|program| _ = with_block(program, block, cut)) {
                        from += length;
                    }
                }
                length /= 2;
            }
            block += 1;
        }
    }

    /// Replaces statements by what is in their blocks.
    fn hoist(&mut self) {
        let mut block = 0;
        while let Some(count) = with_block(&mut self.best.clone(), block, |body| body.len()) {
            for index in (0..count).rev() {
                let hoist = |body: &mut Vec<Node>| {
                    let inner = std::mem::take(&mut body[index].parts);
                    let inner = inner.into_iter().filter_map(|part| match part {
                        Part::Block(nodes) => Some(nodes),
                        Part::Text(_) => None,
                    });
                    let inner: Vec<Node> = inner.flatten().collect();
                    body.splice(index..=index, inner);
                };
                self.try_change(|program| _ = with_block(program, block, hoist));
            }
            block += 1;
        }
    }

    /// Takes out lines of statements, and what stands between two of them.
    fn drop_lines(&mut self) {
        let mut text = 0;
        while let Some(lines) = with_text(&mut self.best.clone(), text, |text| text.lines().count())
        {
            for line in (0..lines).rev() {
                let cut = |text: &mut String| {
                    let rest = text.lines().enumerate().filter(|(index, _)| *index != line);
                    *text = rest.map(|(_, line)| line).collect::<Vec<_>>().join("\n");
                };
                self.try_change(|program| _ = with_text(program, text, cut));
            }
            text += 1;
        }
    }
}

/// Does something to the block of a number, counted from outside in; `None` when there are fewer.
fn with_block<T>(
    program: &mut Program,
    number: usize,
    act: impl FnOnce(&mut Vec<Node>) -> T,
) -> Option<T> {
    fn find<'a>(body: &'a mut Vec<Node>, left: &mut usize) -> Option<&'a mut Vec<Node>> {
        match left.checked_sub(1) {
            None => return Some(body),
            Some(rest) => *left = rest,
        }
        let parts = body.iter_mut().flat_map(|node| &mut node.parts);
        parts
            .filter_map(|part| match part {
                Part::Block(body) => Some(body),
                Part::Text(_) => None,
            })
            .find_map(|body| find(body, left))
    }
    let mut left = number;
    program.own_files_mut().find_map(|file| find(&mut file.body, &mut left)).map(act)
}

/// Does something to the text of a number; `None` when there are fewer.
fn with_text<T>(
    program: &mut Program,
    number: usize,
    act: impl FnOnce(&mut String) -> T,
) -> Option<T> {
    fn find<'a>(body: &'a mut [Node], left: &mut usize) -> Option<&'a mut String> {
        body.iter_mut().flat_map(|node| &mut node.parts).find_map(|part| match part {
            Part::Block(body) => find(body, left),
            Part::Text(text) => match left.checked_sub(1) {
                None => Some(text),
                Some(rest) => {
                    *left = rest;
                    None
                }
            },
        })
    }
    let mut left = number;
    program.own_files_mut().find_map(|file| find(&mut file.body, &mut left)).map(act)
}

#[test]
fn only_what_matters_is_left() {
    use super::tree::{HELPERS, Source};
    let tick = |body| Node::block("tick(() => {", body, "});");
    let say = |what: &str| Node::text(what);
    let inner = tick(vec![say("a"), tick(vec![say("b\nwanted\nc")]), say("d")]);
    let other = tick(vec![say("e")]);
    let file = |name: &str, body| Source { name: name.to_owned(), body };
    let files = vec![
        file("main.js", vec![say("f"), inner, other]),
        file(HELPERS, vec![say("g")]),
        file("more.js", vec![say("h")]),
    ];
    let small = shrink(&Program { files }, |program| program.own_text().contains("wanted"));
    assert_eq!(small.own_text(), "// --- main.js\nwanted\n");
}
