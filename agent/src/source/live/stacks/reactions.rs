//! Which functions a drain of microtasks was made of.
//!
//! The outermost function of the program above V8's `RunMicrotasks` is the one that was queued.

use std::collections::HashMap;

use loop_core::snapshot::Reaction;

use crate::v8::{Frame, Kind};

/// Functions that are told apart, and that are told.
const KEPT_MAX: usize = 256;
const TOLD_MAX: usize = 5;

/// A function by its name, file and line.
type Key = (String, String, u32);

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Reactions {
    all_ns: u64,
    by_function: HashMap<Key, u64>,
}

impl Reactions {
    /// For so long this was executed.
    pub(super) fn add(&mut self, frames: &[Frame], ns: u64) {
        let Some(drain) = frames.iter().position(is_drain) else { return };
        self.all_ns += ns;
        let queued = frames[..drain].iter().rev().find_map(key);
        let Some(key) = queued else { return };
        if self.by_function.len() < KEPT_MAX || self.by_function.contains_key(&key) {
            *self.by_function.entry(key).or_default() += ns;
        }
    }

    /// Those with the most time, most first.
    pub(super) fn told(&self) -> Vec<Reaction> {
        let mut all: Vec<_> = self.by_function.iter().collect();
        all.sort_by(|(a, a_ns), (b, b_ns)| b_ns.cmp(a_ns).then_with(|| a.cmp(b)));
        let told = all.into_iter().take(TOLD_MAX).map(|((function, file, line), ns)| Reaction {
            function: function.clone(),
            file: file.clone(),
            line: *line,
            share: *ns as f64 / self.all_ns as f64,
        });
        told.collect()
    }
}

fn is_drain(frame: &Frame) -> bool {
    frame.kind != Kind::JavaScript && frame.name.contains("RunMicrotasks")
}

fn key(frame: &Frame) -> Option<Key> {
    let file = frame.file.as_deref().filter(|file| !file.starts_with("node:"))?;
    let line = frame.begins.or(frame.line)?;
    (frame.kind == Kind::JavaScript).then(|| (frame.name.clone(), file.to_owned(), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, name: &str, begins: u32) -> Frame {
        let file = (kind == Kind::JavaScript).then(|| "/a.js".to_owned());
        Frame {
            kind,
            name: name.to_owned(),
            file,
            line: None,
            column: None,
            begins: Some(begins),
            begins_column: None,
            fp: 0,
        }
    }

    #[test]
    fn the_function_that_was_queued_is_told_and_not_what_it_calls() {
        let mut reactions = Reactions::default();
        let stack = |inner: &str, outer: &str| {
            [
                frame(Kind::JavaScript, inner, 9),
                frame(Kind::JavaScript, outer, 3),
                frame(Kind::Builtin, "RunMicrotasks", 0),
                frame(Kind::JavaScript, "main", 1),
            ]
        };
        reactions.add(&stack("parse", "handle"), 30);
        reactions.add(&stack("format", "handle"), 30);
        reactions.add(&stack("format", "write"), 20);
        reactions.add(&stack("x", "y")[2..], 20);
        reactions.add(&stack("x", "y")[3..], 1_000);
        let told = reactions.told();
        let told: Vec<_> =
            told.iter().map(|of| (of.function.as_str(), of.line, of.share)).collect();
        assert_eq!(told, [("handle", 3, 0.6), ("write", 3, 0.2)]);
    }
}
