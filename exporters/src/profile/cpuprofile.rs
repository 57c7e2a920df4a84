//! `.cpuprofile`: V8's own format, as Node's `--cpu-prof` writes it.
//!
//! ```text
//! nodes: a tree of functions, each with the lines that ran; samples: a node each; timeDeltas: the
//! microseconds from one to the next
//! ```
//!
//! A sample lasts until the next one. Time without samples is that of the node `(not sampled)`, and
//! a thread that waits is in a node `(waiting)` of its own. The format knows one thread: where
//! several loops were sampled, it is the one that was for longest.
//!
//! Source: `Profiler.Profile` of the DevTools protocol.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use loop_core::snapshot::{ProfileFrame, Snapshot};
use serde_json::{Value, json};

use super::{NOT_SAMPLED, ProfileFormat, Stretch, WAITING, name, sampled};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct CpuProfile;

impl ProfileFormat for CpuProfile {
    fn write(&self, snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
        let time_ns = |stretches: &[Stretch<'_>]| -> u64 {
            stretches.iter().map(|stretch| stretch.end_ns - stretch.begin_ns).sum()
        };
        // Of equals the first.
        let all = sampled(snapshot).map(|(_, stretches)| stretches);
        let longest =
            all.reduce(|best, next| if time_ns(&next) > time_ns(&best) { next } else { best });
        let mut tree = Tree::new();
        let moments = tree.moments(&longest.unwrap_or_default());
        serde_json::to_writer(&mut *out, &tree.document(&moments))?;
        out.write_all(b"\n")
    }
}

/// From then on, in microseconds, a node was on top.
type Moment = (u64, usize);

/// A function that was called by another one.
struct Node {
    name: String,
    file: Option<String>,
    children: Vec<usize>,
    /// How often each line ran, from 1.
    lines: BTreeMap<u32, u64>,
    line_least: Option<u32>,
    hits: u64,
}

/// The nodes by number; the first is the root.
struct Tree {
    nodes: Vec<Node>,
    known: HashMap<(usize, String, Option<String>), usize>,
}

impl Tree {
    fn new() -> Tree {
        let mut tree = Tree { nodes: Vec::new(), known: HashMap::new() };
        tree.push("(root)", None);
        tree
    }

    fn push(&mut self, name: &str, file: Option<String>) -> usize {
        let (children, lines) = (Vec::new(), BTreeMap::new());
        let (name, line_least) = (name.to_owned(), None);
        self.nodes.push(Node { name, file, children, lines, line_least, hits: 0 });
        self.nodes.len() - 1
    }

    fn child(&mut self, of: usize, name: &str, file: Option<&String>) -> usize {
        let key = (of, name.to_owned(), file.cloned());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let child = self.push(name, file.cloned());
        self.nodes[of].children.push(child);
        self.known.insert(key, child);
        child
    }

    /// What was on top when, and that nothing is known behind the last.
    fn moments(&mut self, stretches: &[Stretch<'_>]) -> Vec<Moment> {
        let mut moments: Vec<Moment> = Vec::new();
        let mut last_ns = None;
        for stretch in stretches {
            if let Some(last_ns) = last_ns.filter(|&last_ns| last_ns < stretch.begin_ns) {
                moments.push((last_ns / 1_000, self.child(0, NOT_SAMPLED, None)));
            }
            let node = self.node(stretch);
            self.nodes[node].hits += 1;
            moments.push((stretch.begin_ns / 1_000, node));
            last_ns = Some(stretch.end_ns);
        }
        if let Some(last_ns) = last_ns {
            moments.push((last_ns / 1_000, self.child(0, NOT_SAMPLED, None)));
        }
        moments
    }

    fn node(&mut self, stretch: &Stretch<'_>) -> usize {
        let mut node = 0;
        let mut line = None;
        for frame in stretch.frames() {
            let ProfileFrame { file, line: at, .. } = frame;
            node = self.child(node, name(frame), file.as_ref());
            line = *at;
            let least = &mut self.nodes[node].line_least;
            *least = least.iter().chain(at).min().copied();
        }
        if stretch.waits() {
            return self.child(node, WAITING, None);
        }
        line.into_iter().for_each(|line| *self.nodes[node].lines.entry(line).or_default() += 1);
        node
    }

    fn document(&self, moments: &[Moment]) -> Value {
        let start = moments.first().map_or(0, |(at, _)| *at);
        let end = moments.last().map_or(0, |(at, _)| *at);
        let before = std::iter::once(start).chain(moments.iter().map(|(at, _)| *at));
        let deltas = moments.iter().zip(before).map(|((at, _), before)| at - before);
        let nodes = self.nodes.iter().enumerate().map(|(number, node)| node.document(number));
        json!({
            "nodes": nodes.collect::<Vec<_>>(),
            "startTime": start,
            "endTime": end,
            "samples": moments.iter().map(|(_, node)| node + 1).collect::<Vec<_>>(),
            "timeDeltas": deltas.collect::<Vec<_>>(),
        })
    }
}

impl Node {
    /// Nodes are numbered from 1, and lines from 0.
    fn document(&self, number: usize) -> Value {
        let line = self.line_least.map_or(-1, |line| i64::from(line) - 1);
        let ticks = self.lines.iter().map(|(line, ticks)| json!({ "line": line, "ticks": ticks }));
        json!({
            "id": number + 1,
            "callFrame": {
                "functionName": self.name,
                "scriptId": "0",
                "url": self.file.as_deref().map_or_else(String::new, url),
                "lineNumber": line,
                "columnNumber": if line < 0 { -1 } else { 0 },
            },
            "hitCount": self.hits,
            "children": self.children.iter().map(|child| child + 1).collect::<Vec<_>>(),
            "positionTicks": ticks.collect::<Vec<_>>(),
        })
    }
}

/// A path as a URL; whatever is one stays as it is.
fn url(file: &str) -> String {
    if !file.starts_with('/') {
        return file.to_owned();
    }
    let mut url = "file://".to_owned();
    for c in file.chars() {
        match c {
            '%' | '#' | '?' | ' ' => url.push_str(&format!("%{:02X}", u32::from(c))),
            c => url.push(c),
        }
    }
    url
}
