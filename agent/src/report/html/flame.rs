//! Who called whom in stalls, as a tree that is small enough for a page.
//!
//! A tree is a list of functions in the order of a walk, callers before what they call, the
//! longest first: `[depth, frame, total_ns, self_ns]`. What is left out of it is what took least;
//! its time stays in its callers'.

use std::cmp::Reverse;
use std::collections::HashMap;

use loopscope_exporters::profile::{Node, Tree};
use serde::Serialize;

/// Functions at a line, each once.
#[derive(Debug, Default)]
pub(super) struct Frames {
    known: HashMap<Frame, usize>,
    list: Vec<Frame>,
}

/// A function, and the line of it that was seen most.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Frame(String, Option<String>, Option<u32>);

/// A tree as the page has it.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Flame {
    /// Depth, number of the frame, nanoseconds with and without what it called.
    nodes: Vec<(u32, usize, u64, u64)>,
    /// Functions that are left out, and how long the longest of them was.
    left_out: usize,
    left_out_ns_max: u64,
    /// How many samples it is made of.
    samples: u64,
}

impl Frames {
    /// All of them, by number.
    pub(super) fn into_list(self) -> Vec<Frame> {
        self.list
    }

    fn number(&mut self, node: &Node) -> usize {
        let frame = Frame(node.name.clone(), node.file.clone(), node.line());
        if let Some(number) = self.known.get(&frame) {
            return *number;
        }
        self.list.push(frame.clone());
        self.known.insert(frame, self.list.len() - 1);
        self.list.len() - 1
    }
}

impl Flame {
    /// The functions of a tree that took most; `None`: nothing was sampled.
    pub(super) fn of(tree: &Tree, nodes_max: usize, frames: &mut Frames) -> Option<Flame> {
        let totals_ns = totals_ns(tree);
        if totals_ns.first().is_none_or(|total_ns| *total_ns == 0) {
            return None;
        }
        // Callers have lower numbers and at least the time of what they call, so none is left out
        // above one that is kept.
        let mut order: Vec<usize> = (0..totals_ns.len()).collect();
        order.sort_by_key(|&node| (Reverse(totals_ns[node]), node));
        let left_out = order.split_off(nodes_max.max(1).min(order.len()));
        let mut kept = vec![false; totals_ns.len()];
        order.iter().for_each(|&node| kept[node] = true);
        let nodes = walk(tree, &totals_ns, &kept, frames);
        let samples = tree.nodes().iter().map(|node| node.samples).sum();
        let left_out_ns_max = left_out.first().map_or(0, |&node| totals_ns[node]);
        Some(Flame { nodes, left_out: left_out.len(), left_out_ns_max, samples })
    }

    /// How many functions it has.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

/// The time of each function with what it called.
fn totals_ns(tree: &Tree) -> Vec<u64> {
    let nodes = tree.nodes();
    let mut totals_ns: Vec<u64> = nodes.iter().map(|node| node.self_ns).collect();
    for (number, node) in nodes.iter().enumerate().rev() {
        let called_ns = node.children.iter().map(|&child| totals_ns[child]);
        totals_ns[number] = called_ns.fold(totals_ns[number], u64::saturating_add);
    }
    totals_ns
}

fn walk(
    tree: &Tree,
    totals_ns: &[u64],
    kept: &[bool],
    frames: &mut Frames,
) -> Vec<(u32, usize, u64, u64)> {
    let mut walked = Vec::new();
    let mut left = vec![(0, 0)];
    while let Some((number, depth)) = left.pop() {
        let node = &tree.nodes()[number];
        walked.push((depth, frames.number(node), totals_ns[number], node.self_ns));
        let mut called: Vec<usize> =
            node.children.iter().copied().filter(|&child| kept[child]).collect();
        called.sort_by(|&a, &b| {
            let by_name = || tree.nodes()[b].name.cmp(&tree.nodes()[a].name);
            totals_ns[a].cmp(&totals_ns[b]).then_with(by_name)
        });
        left.extend(called.into_iter().map(|child| (child, depth + 1)));
    }
    walked
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use loop_core::snapshot::{Profile, ProfileFrame, SampleState, Stall};
    use proptest::prelude::*;

    use super::*;

    fn stall(stacks: &[(Vec<u8>, u64)]) -> Stall {
        let mut profile = Profile::new(1_000);
        let mut at_ns = 0;
        for (stack, ns) in stacks {
            at_ns += ns;
            let frames = stack.iter().rev().map(|name| ProfileFrame {
                name: format!("f{name}"),
                file: Some("/a.js".into()),
                line: Some(u32::from(*name) + 1),
            });
            profile.add(at_ns, *ns, SampleState::OnCpu, frames);
        }
        Stall { profile: Some(Arc::new(profile)), ..Stall::default() }
    }

    fn flame(stall: &Stall, nodes_max: usize) -> (Option<Flame>, Vec<Frame>) {
        let (mut tree, mut frames) = (Tree::new("all"), Frames::default());
        tree.add(0, [stall]);
        (Flame::of(&tree, nodes_max, &mut frames), frames.into_list())
    }

    #[test]
    fn the_longest_is_first_and_the_shortest_is_left_out() {
        let stall = stall(&[(vec![1, 2], 10), (vec![1, 3], 30), (vec![4], 5), (vec![1], 1)]);
        let (whole, frames) = flame(&stall, 100);
        let whole = whole.expect("it was sampled");
        let named =
            whole.nodes.iter().map(|node| (node.0, frames[node.1].0.as_str(), node.2, node.3));
        let expected = [
            (0, "all", 46, 0),
            (1, "f1", 41, 1),
            (2, "f3", 30, 30),
            (2, "f2", 10, 10),
            (1, "f4", 5, 5),
        ];
        assert_eq!(named.collect::<Vec<_>>(), expected);
        assert_eq!((whole.samples, whole.left_out), (4, 0));
        let (part, _) = flame(&stall, 3);
        let part = part.expect("it was sampled");
        assert_eq!((part.nodes.len(), part.left_out, part.left_out_ns_max), (3, 2, 10));
        assert_eq!(part.nodes[0].2, 46);
        assert_eq!(flame(&Stall::default(), 3).0, None);
    }

    proptest! {
        #[test]
        fn no_time_is_lost_and_the_tree_hangs_together(
            stacks in prop::collection::vec((prop::collection::vec(0u8..4, 0..6), 1u64..50), 1..60),
            nodes_max in 1usize..40,
        ) {
            let (flame, _) = flame(&stall(&stacks), nodes_max);
            let flame = flame.expect("it was sampled");
            let sum: u64 = stacks.iter().map(|(_, ns)| ns).sum();
            prop_assert_eq!(flame.nodes[0].2, sum);
            prop_assert!(flame.nodes.len() <= nodes_max);
            let mut open: Vec<u64> = Vec::new();
            for &(depth, _, total_ns, self_ns) in &flame.nodes {
                prop_assert!(depth as usize <= open.len(), "a caller is missing");
                open.truncate(depth as usize);
                if let Some(caller_ns) = open.last_mut() {
                    prop_assert!(*caller_ns >= total_ns, "it took longer than its caller");
                    *caller_ns -= total_ns;
                }
                prop_assert!(self_ns <= total_ns);
                open.push(total_ns - self_ns);
            }
        }
    }
}
