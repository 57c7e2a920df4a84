//! A tree of functions, merged from samples: who called whom, at which lines, and for how long.
//!
//! Cost: a look at a table for each frame of each stack that differs, not of each sample.

use std::collections::{BTreeMap, HashMap};

use loop_core::snapshot::{Profile, ProfileFrame, Stall};

use super::{Stretch, WAITING, name, stretches};

/// The functions by number; the first is the root.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    functions: HashMap<(String, Option<String>), usize>,
    known: HashMap<(usize, usize), usize>,
}

/// A function that was called by another one. Callers have lower numbers.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, or what stands for one.
    pub name: String,
    /// Path or URL; `None`: built in, or native.
    pub file: Option<String>,
    /// What it called, by number.
    pub children: Vec<usize>,
    /// How long it was seen at each line, from 1, whatever it had called.
    pub lines_ns: BTreeMap<u32, u64>,
    /// How many samples had it on top.
    pub samples: u64,
    /// How many of those had each line.
    pub ticks: BTreeMap<u32, u64>,
    /// The time that those stand for, in nanoseconds.
    pub self_ns: u64,
}

/// Which function each frame of a profile is, by the frame's number.
pub(super) struct Functions<'a>(&'a Profile, Vec<usize>);

impl Tree {
    /// One that has a root of this name.
    pub fn new(root: &str) -> Tree {
        let mut tree = Tree { nodes: Vec::new(), functions: HashMap::new(), known: HashMap::new() };
        tree.push(root, None);
        tree
    }

    /// The functions; whoever calls stands before what is called.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What is called so by a node: its number.
    pub fn child(&mut self, of: usize, name: &str, file: Option<&String>) -> usize {
        let function = self.function(name, file);
        self.called(of, function, name, file)
    }

    /// Adds the samples of these stalls below a node. Where samples overlap, a moment counts once.
    pub fn add<'a>(&mut self, below: usize, stalls: impl IntoIterator<Item = &'a Stall>) {
        let profiles = stalls.into_iter().filter_map(|stall| stall.profile.as_deref());
        let all = stretches(profiles.collect());
        for of_profile in all.chunk_by(|one, next| std::ptr::eq(one.profile, next.profile)) {
            let functions = self.functions(of_profile[0].profile);
            let mut alike: BTreeMap<(u32, bool), (u64, u64)> = BTreeMap::new();
            for stretch in of_profile {
                let (samples, ns) =
                    alike.entry((stretch.sample.stack, stretch.waits())).or_default();
                (*samples, *ns) = (*samples + 1, *ns + stretch.ns());
            }
            for ((stack, waits), weight) in alike {
                self.stack(below, &functions, (stack, waits), weight);
            }
        }
    }

    /// The functions of a profile's frames.
    pub(super) fn functions<'a>(&mut self, profile: &'a Profile) -> Functions<'a> {
        let frames = profile.frames().iter();
        let numbers = frames.map(|frame| self.function(name(frame), frame.file.as_ref()));
        Functions(profile, numbers.collect())
    }

    /// Adds one sample below the root: the number of what was on top.
    pub(super) fn sample(&mut self, functions: &Functions<'_>, stretch: &Stretch<'_>) -> usize {
        let (stack, waits) = (stretch.sample.stack, stretch.waits());
        self.stack(0, functions, (stack, waits), (1, stretch.ns()))
    }

    fn stack(
        &mut self,
        below: usize,
        Functions(profile, functions): &Functions<'_>,
        (stack, waits): (u32, bool),
        (samples, ns): (u64, u64),
    ) -> usize {
        let frames = profile.stacks().get(stack as usize).map_or(&[][..], Vec::as_slice);
        let (mut node, mut line) = (below, None);
        for &number in frames.iter().rev() {
            let Some(frame) = profile.frames().get(number as usize) else { continue };
            let ProfileFrame { file, line: at, .. } = frame;
            node = self.called(node, functions[number as usize], name(frame), file.as_ref());
            line = *at;
            at.iter().for_each(|at| *self.nodes[node].lines_ns.entry(*at).or_default() += ns);
        }
        if waits {
            node = self.child(node, WAITING, None);
        } else if let Some(line) = line {
            *self.nodes[node].ticks.entry(line).or_default() += samples;
        }
        self.nodes[node].samples += samples;
        self.nodes[node].self_ns += ns;
        node
    }

    fn function(&mut self, name: &str, file: Option<&String>) -> usize {
        let next = self.functions.len();
        *self.functions.entry((name.to_owned(), file.cloned())).or_insert(next)
    }

    fn called(&mut self, by: usize, function: usize, name: &str, file: Option<&String>) -> usize {
        if let Some(known) = self.known.get(&(by, function)) {
            return *known;
        }
        let child = self.push(name, file.cloned());
        self.nodes[by].children.push(child);
        self.known.insert((by, function), child);
        child
    }

    fn push(&mut self, name: &str, file: Option<String>) -> usize {
        self.nodes.push(Node {
            name: name.to_owned(),
            file,
            children: Vec::new(),
            lines_ns: BTreeMap::new(),
            samples: 0,
            ticks: BTreeMap::new(),
            self_ns: 0,
        });
        self.nodes.len() - 1
    }
}

impl Node {
    /// The line at which it was seen for longest; of equals the first.
    pub fn line(&self) -> Option<u32> {
        let longest =
            self.lines_ns.iter().max_by_key(|(line, ns)| (**ns, std::cmp::Reverse(**line)));
        longest.map(|(line, _)| *line)
    }
}
