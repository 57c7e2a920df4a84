//! Stalls of made-up runs.

use std::collections::BTreeSet;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Source, Tier};

use super::super::measure::MEASURES;
use super::super::sample::Figures;
use super::*;

const MS: f64 = 1e6;
const THRESHOLD_MS: f64 = 50.0;

/// A run of turns that have lasted for so many milliseconds, and many short ones.
fn run(turns_ms: &[f64]) -> Sample {
    let turns: Vec<u64> = turns_ms.iter().map(|ms| (ms * MS) as u64).collect();
    let stalls = turns.iter().copied().filter(|ns| *ns as f64 >= THRESHOLD_MS * MS);
    let stalls_ns: Vec<u64> = stalls.collect();
    let short = std::iter::repeat_n(2_000_000, 30);
    Sample {
        figures: Figures {
            stalls: stalls_ns.len() as u64,
            stalls_ns,
            turn_ns: Some(Histogram::of(Scale::Time, turns.into_iter().chain(short))),
            ..Figures::default()
        },
        observed: Some((Source::Ebpf, Tier::Full)),
        runtimes: BTreeSet::new(),
        stall_threshold_ns: (THRESHOLD_MS * MS) as u64,
        from_start: true,
        first_turn: true,
        trace_turns_max: 0,
        losses: Vec::new(),
        drain_culprit: None,
        stall_culprit: None,
    }
}

fn judged_by(base: &[Sample], head: &[Sample], rules: Rules) -> Metric {
    let measure = MEASURES.iter().find(|of| of.name == "stalls").unwrap();
    judge(measure, base, head, rules).unwrap()
}

fn judged(base: &[Sample], head: &[Sample]) -> Metric {
    judged_by(base, head, Rules::default())
}

fn each(turns_ms: &[f64]) -> Vec<Sample> {
    vec![run(turns_ms); 10]
}

#[track_caller]
fn check(base: &[f64], head: &[f64], decides: bool, want: Standing) {
    let metric = judged(&each(base), &each(head));
    assert_eq!(
        (metric.decides, &metric.standing),
        (decides, &want),
        "{base:?} {head:?} {metric:?}"
    );
    assert_eq!(metric.tier == GateTier::Exact, decides, "{metric:?}");
}

#[test]
fn a_turn_that_crosses_the_threshold_by_a_little_is_no_new_stall() {
    check(&[49.6], &[50.4], false, Standing::Worse);
    check(&[50.4], &[49.6], false, Standing::Better);
    check(&[49.9; 7], &[50.1; 7], false, Standing::Worse);
    check(&[200.0, 49.6], &[200.0, 50.4], false, Standing::Worse);
    let metric = judged(&each(&[49.6]), &each(&[50.4]));
    let change = metric.change.unwrap();
    assert_eq!((change.difference, metric.base[0], metric.head[0]), (1.0, 0.0, 1.0));
}

#[test]
fn a_stall_that_is_new_fails_whatever_was_near_the_threshold() {
    check(&[], &[200.0], true, Standing::Worse);
    check(&[49.6], &[200.0], true, Standing::Worse);
    check(&[49.6], &[60.0], true, Standing::Worse);
    check(&[30.0], &[50.4], true, Standing::Worse);
    check(&[49.6, 49.5, 49.4], &[200.0, 49.5, 49.4], true, Standing::Worse);
    check(&[300.0, 49.6], &[300.0, 200.0], true, Standing::Worse);
    check(&[300.0; 70], &[300.0; 71], true, Standing::Worse);
    check(&[200.0], &[], true, Standing::Better);
    check(&[60.0, 55.0], &[60.0, 55.0], true, Standing::Same);
}

#[test]
fn who_counts_no_turns_needs_a_stall_that_is_clear_of_the_threshold() {
    let bare = |turns_ms: &[f64]| {
        let mut runs = each(turns_ms);
        runs.iter_mut().for_each(|run| run.figures.turn_ns = None);
        runs
    };
    assert!(!judged(&bare(&[]), &bare(&[50.4])).decides);
    let metric = judged(&bare(&[]), &bare(&[200.0]));
    assert_eq!((metric.decides, metric.standing), (true, Standing::Worse));
}

#[test]
fn a_stall_in_most_runs_is_no_pass() {
    let with = |runs: usize, of: usize| {
        let mut head = vec![run(&[]); of - runs];
        head.extend(vec![run(&[200.0]); runs]);
        let metric = judged(&vec![run(&[]); of], &head);
        (metric.decides, metric.standing)
    };
    assert_eq!(with(1, 10), (false, Standing::Same), "one run was held up");
    assert_eq!(with(4, 10), (false, Standing::Same));
    assert_eq!(with(5, 10), (true, Standing::Unclear), "more runs may tell");
    assert_eq!(with(9, 10), (true, Standing::Unclear));
    assert_eq!(with(3, 4), (false, Standing::Worse), "three of four may be chance");
    assert_eq!(with(15, 24), (true, Standing::Unclear));
    assert_eq!(with(16, 24), (true, Standing::Worse));
    assert_eq!(with(10, 10), (true, Standing::Worse), "that is exact");
}

#[test]
fn what_holds_up_some_runs_hides_no_stall_and_is_none() {
    let mut base = each(&[]);
    base[3] = run(&[190.0]);
    let metric = judged(&base, &each(&[200.0]));
    assert_eq!((metric.decides, metric.standing), (true, Standing::Unclear), "nine pairs say so");
    let twice = [base.clone(), base.clone()].concat();
    let metric = judged(&twice, &vec![run(&[200.0]); 20]);
    assert_eq!((metric.decides, metric.standing), (true, Standing::Worse), "so do 18");
    let noisy = |seed: usize| -> Vec<Sample> {
        (0..40).map(|place| run(&[200.0; 3][..(place * seed + seed) % 3])).collect()
    };
    let metric = judged(&noisy(1), &noisy(2));
    assert!(!metric.decides, "both are held up now and then: {metric:?}");
}

#[test]
fn what_may_grow_may_do_so() {
    let rules = Rules { exact_tolerance: 0.2, ..Rules::default() };
    let (base, head) = (each(&[80.0; 10]), each(&[80.0; 12]));
    assert_eq!(judged_by(&base, &head, rules).standing, Standing::Same);
    assert_eq!(judged_by(&base, &each(&[80.0; 13]), rules).standing, Standing::Worse);
    assert!(judge(&MEASURES[0], &base, &[], rules).is_none());
}

#[test]
fn a_stall_that_goes_on_is_one_of_the_base_as_well() {
    let open = |ms: f64| {
        let mut run = run(&[49.6]);
        run.figures.stalls += 1;
        run.figures.stalls_running = 1;
        run.figures.stalls_ns.push((ms * MS) as u64);
        run
    };
    let metric = judged(&vec![open(90.0); 10], &each(&[90.0, 50.4]));
    assert!(!metric.decides, "{metric:?}");
}
