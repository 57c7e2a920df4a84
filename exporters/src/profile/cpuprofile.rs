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

use std::io::{self, Write};

use loop_core::snapshot::Snapshot;
use serde_json::{Value, json};

use super::{NOT_SAMPLED, Node, ProfileFormat, Stretch, Tree, sampled};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct CpuProfile;

impl ProfileFormat for CpuProfile {
    fn write(&self, snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
        let time_ns =
            |stretches: &[Stretch<'_>]| -> u64 { stretches.iter().map(Stretch::ns).sum() };
        // Of equals the first.
        let all = sampled(snapshot).map(|(_, stretches)| stretches);
        let longest =
            all.reduce(|best, next| if time_ns(&next) > time_ns(&best) { next } else { best });
        let mut tree = Tree::new("(root)");
        let moments = moments(&mut tree, &longest.unwrap_or_default());
        serde_json::to_writer(&mut *out, &document(&tree, &moments))?;
        out.write_all(b"\n")
    }
}

/// From then on, in microseconds, a node was on top.
type Moment = (u64, usize);

/// What was on top when, and that nothing is known behind the last.
fn moments(tree: &mut Tree, stretches: &[Stretch<'_>]) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    let mut last_ns = None;
    for of_profile in stretches.chunk_by(|one, next| std::ptr::eq(one.profile, next.profile)) {
        let functions = tree.functions(of_profile[0].profile);
        for stretch in of_profile {
            if let Some(last_ns) = last_ns.filter(|&last_ns| last_ns < stretch.begin_ns) {
                moments.push((last_ns / 1_000, tree.child(0, NOT_SAMPLED, None)));
            }
            moments.push((stretch.begin_ns / 1_000, tree.sample(&functions, stretch)));
            last_ns = Some(stretch.end_ns);
        }
    }
    if let Some(last_ns) = last_ns {
        moments.push((last_ns / 1_000, tree.child(0, NOT_SAMPLED, None)));
    }
    moments
}

fn document(tree: &Tree, moments: &[Moment]) -> Value {
    let start = moments.first().map_or(0, |(at, _)| *at);
    let end = moments.last().map_or(0, |(at, _)| *at);
    let before = std::iter::once(start).chain(moments.iter().map(|(at, _)| *at));
    let deltas = moments.iter().zip(before).map(|((at, _), before)| at - before);
    let nodes = tree.nodes().iter().enumerate().map(|(number, node)| of_node(node, number));
    json!({
        "nodes": nodes.collect::<Vec<_>>(),
        "startTime": start,
        "endTime": end,
        "samples": moments.iter().map(|(_, node)| node + 1).collect::<Vec<_>>(),
        "timeDeltas": deltas.collect::<Vec<_>>(),
    })
}

/// Nodes are numbered from 1, and lines from 0. The line of a function is the first that was seen.
fn of_node(node: &Node, number: usize) -> Value {
    let line = node.lines_ns.keys().next().map_or(-1, |line| i64::from(*line) - 1);
    let ticks = node.ticks.iter().map(|(line, ticks)| json!({ "line": line, "ticks": ticks }));
    json!({
        "id": number + 1,
        "callFrame": {
            "functionName": node.name,
            "scriptId": "0",
            "url": node.file.as_deref().map_or_else(String::new, url),
            "lineNumber": line,
            "columnNumber": if line < 0 { -1 } else { 0 },
        },
        "hitCount": node.samples,
        "children": node.children.iter().map(|child| child + 1).collect::<Vec<_>>(),
        "positionTicks": ticks.collect::<Vec<_>>(),
    })
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
