use super::*;

/// Takes the lines as they are.
struct Plain;

impl Lines for Plain {
    fn line(&self, _: &str, (line, _): (u32, u32), _: &str) -> u32 {
        line
    }
}

/// `work /a.js:5, forEach`: a function of a file, and one that is built in.
fn frames(stack: &str) -> Vec<Frame<'_>> {
    stack.split(", ").map(parse).collect()
}

fn parse(text: &str) -> Frame<'_> {
    let Some((name, place)) = text.rsplit_once(' ') else {
        return Frame { name: text, place: None };
    };
    let (file, line) = place.rsplit_once(':').expect("a file and a line");
    let place = Place { file, line: line.parse().ok(), column: 1, begins: None };
    Frame { name, place: Some(place) }
}

fn tally(stacks: &[(&str, u64)]) -> Tally {
    let mut tally = Tally::new(0);
    stacks.iter().for_each(|(stack, times)| tally.add(&frames(stack), *times));
    tally
}

fn culprit(stacks: &[(&str, u64)]) -> Option<(String, u32, f64, Option<String>)> {
    let culprit = tally(stacks).culprit(&Plain)?;
    Some((culprit.function, culprit.line, culprit.share, culprit.hot_leaf))
}

#[test]
fn the_deepest_function_in_half_of_the_samples_is_the_culprit() {
    let stacks = [
        ("leaf /a.js:9, work /a.js:5, main /a.js:1", 4),
        ("work /a.js:6, main /a.js:1", 5),
        ("main /a.js:2", 1),
    ];
    assert_eq!(culprit(&stacks), Some(("work".into(), 6, 0.9, None)));
    assert_eq!(tally(&stacks).blame(&Plain).stack.unwrap()[0], "work (/a.js:6)");
}

#[test]
fn a_leaf_without_a_name_or_of_the_engine_is_told_beside_it() {
    let anonymous = [(" /a.js:7, forEach, work /a.js:5", 3)];
    let told = Some(("work".into(), 5, 1.0, Some("(anonymous) (/a.js:7)".into())));
    assert_eq!(culprit(&anonymous), told);
    let library = [("read, readFileSync node:fs:9, load /a.js:5", 3)];
    let told = Some(("load".into(), 5, 1.0, Some("readFileSync (node:fs:9)".into())));
    assert_eq!(culprit(&library), told);
}

#[test]
fn where_nothing_has_a_name_a_line_is_told_all_the_same() {
    let stacks = [(" /a.js:7, runTimer node:internal/timers:9", 3)];
    let told = Some(("(anonymous)".into(), 7, 1.0, Some("(anonymous) (/a.js:7)".into())));
    assert_eq!(culprit(&stacks), told);
    let module = [("(top level) /a.js:7, call, execute node:internal/cjs:9", 3)];
    assert_eq!(culprit(&module), Some(("(top level)".into(), 7, 1.0, None)));
}

#[test]
fn samples_of_nothing_are_no_part_of_the_share_and_too_many_of_them_blame_nobody() {
    let nothing = ("runTick node:internal/task_queues:9", 4);
    let step = ("step /a.js:2", 6);
    assert_eq!(culprit(&[nothing, step]), Some(("step".into(), 2, 1.0, None)));
    assert_eq!(culprit(&[nothing]), None);
    assert_eq!(culprit(&[(nothing.0, 91), ("step /a.js:2", 9)]), None);
    assert_eq!(culprit(&[]), None);
}

#[test]
fn recursion_counts_once_a_sample() {
    let stacks = [("down /a.js:2, down /a.js:2, main /a.js:8", 10)];
    assert_eq!(culprit(&stacks), Some(("down".into(), 2, 1.0, None)));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut tally = Tally::new(0);
    for number in 0..2 * FUNCTIONS_MAX {
        tally.add(&frames(&format!("f{number} /a.js:1")), 1);
    }
    assert_eq!((tally.functions.len(), tally.stacks.len()), (FUNCTIONS_MAX, STACKS_MAX));
    assert_eq!(tally.seen, 2 * FUNCTIONS_MAX as u64);
}
