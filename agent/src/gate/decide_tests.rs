//! Whole comparisons of made-up runs.

use loop_core::buckets::Scale;
use loop_core::snapshot::Histogram;

use super::super::sample::Figures;
use super::super::statistics::Random;
use super::*;

fn culprit_at(line: u32, share: f64) -> Culprit {
    let (function, file) = ("grow".to_owned(), "/app.js".to_owned());
    Culprit { function, file, line, share, samples: None, hot_leaf: None }
}

fn sample(jobs: u64, active_ns: u64) -> Sample {
    Sample {
        figures: Figures {
            turns: Some(5),
            microtasks: Some(jobs + 3),
            drain_length: Some(Histogram::of(Scale::Length, [jobs, 3])),
            active_ns: Some(active_ns),
            cpu_ns: Some(active_ns),
            ..Figures::default()
        },
        observed: Some((Source::Ebpf, Tier::Full)),
        runtimes: BTreeSet::from(["20.20.2".to_owned()]),
        stall_threshold_ns: None,
        losses: Vec::new(),
        drain_culprit: Some(culprit_at(7, 0.5)),
        stall_culprit: Some(culprit_at(9, 0.5)),
    }
}

/// Runs of this many microtasks, of about a second times `factor`.
fn runs(jobs: u64, factor: f64, seed: u64) -> Vec<Sample> {
    let mut random = Random::new(seed);
    let mut active = || (1e9 * factor * (1.0 + 0.04 * (random.unit() - 0.5))) as u64;
    (0..10).map(|_| sample(jobs, active())).collect()
}

fn here() -> Fingerprint {
    Fingerprint { machine: Some("a".to_owned()), cpus: 2, ..Fingerprint::default() }
}

fn compared(base: &[Sample], head: &[Sample]) -> Vec<Metric> {
    let here = here();
    let side = |samples| Runs { samples, fingerprint: &here };
    super::metrics(side(base), side(head), Rules::default())
}

fn named<'a>(metrics: &'a [Metric], name: &str) -> &'a Metric {
    metrics.iter().find(|metric| metric.name == name).unwrap()
}

#[test]
fn identical_commands_pass() {
    let metrics = compared(&runs(1_000, 1.0, 1), &runs(1_000, 1.0, 2));
    assert_eq!(verdict(&metrics), Verdict::Passed, "{metrics:?}");
    assert!(!is_undecided(&metrics));
    let drain = named(&metrics, "longest_drain");
    assert_eq!((drain.tier, &drain.standing), (GateTier::Exact, &Standing::Same));
    assert_eq!(named(&metrics, "turn_time").tier, GateTier::Time);
    assert!(metrics.iter().all(|metric| metric.name != "timers"), "nobody has counted timers");
}

#[test]
fn a_drain_that_grows_fails_with_its_culprit() {
    let mut head = runs(1_050, 1.0, 2);
    head[3].drain_culprit = Some(culprit_at(8, 0.9));
    head[4].drain_culprit = None;
    let metrics = compared(&runs(1_000, 1.0, 1), &head);
    assert_eq!(verdict(&metrics), Verdict::Regressed);
    let worst = &metrics[0];
    assert_eq!((worst.name, &worst.standing), ("longest_drain", &Standing::Worse));
    assert_eq!(worst.change.unwrap().ratio, 1.05);
    assert_eq!(worst.culprit.as_ref().unwrap().line, 7, "as most runs have it");
}

#[test]
fn what_is_slower_fails_and_what_is_faster_is_told() {
    let (base, head) = (runs(1_000, 1.0, 1), runs(1_000, 1.2, 2));
    let metrics = compared(&base, &head);
    assert_eq!(verdict(&metrics), Verdict::Regressed);
    assert_eq!(metrics[0].tier, GateTier::Time);
    assert_eq!(metrics[0].culprit.as_ref().unwrap().line, 9);
    let metrics = compared(&head, &base);
    assert_eq!(verdict(&metrics), Verdict::Passed);
    assert_eq!(named(&metrics, "turn_time").standing, Standing::Better);
}

#[test]
fn a_count_that_varies_is_for_statistics() {
    let mut base = runs(1_000, 1.0, 1);
    base[4] = sample(1_001, 1_000_000_000);
    let metrics = compared(&base, &runs(1_000, 1.0, 2));
    let drain = named(&metrics, "longest_drain");
    assert_eq!((drain.tier, &drain.standing), (GateTier::Time, &Standing::Same));
    assert_eq!(verdict(&metrics), Verdict::Passed);
    let metrics = compared(&base, &runs(1_300, 1.0, 2));
    assert_eq!(named(&metrics, "longest_drain").standing, Standing::Worse);
}

#[test]
fn turns_that_vary_decide_nothing() {
    let mut random = Random::new(3);
    let mut vary = |mut samples: Vec<Sample>, most: usize| {
        for sample in &mut samples {
            sample.figures.turns = Some(100 + random.below(most) as u64);
        }
        samples
    };
    let (base, head) = (vary(runs(1_000, 1.0, 1), 20), vary(runs(1_000, 1.0, 2), 900));
    let metrics = compared(&base, &head);
    let turns = named(&metrics, "turns");
    assert_ne!(turns.standing, Standing::Same);
    assert!(!turns.decides && !is_undecided(&metrics));
    assert_eq!(verdict(&metrics), Verdict::Passed);
}

#[test]
fn times_of_two_machines_and_of_traces_are_not_compared_but_counts_are() {
    let (base, head) = (runs(1_000, 1.0, 1), runs(1_050, 1.2, 2));
    let there = Fingerprint { machine: Some("b".to_owned()), ..here() };
    let here = here();
    let at = |samples, fingerprint| Runs { samples, fingerprint };
    let metrics = super::metrics(at(&base, &here), at(&head, &there), Rules::default());
    let active = named(&metrics, "turn_time");
    let Standing::Untold(why) = &active.standing else { panic!("{active:?}") };
    assert!(why.contains("different machines"), "{why}");
    assert_eq!(verdict(&metrics), Verdict::Regressed, "the drain has grown on any machine");

    let same = super::metrics(at(&base, &here), at(&base, &there), Rules::default());
    assert_eq!(verdict(&same), Verdict::Inconclusive);
    assert!(!is_undecided(&same), "more runs do not help");

    let traced = |mut samples: Vec<Sample>| {
        for sample in &mut samples {
            sample.observed = Some((Source::V8Trace, Tier::Full));
            sample.figures.active_ns = None;
        }
        samples
    };
    let metrics = compared(&traced(base.clone()), &traced(base));
    let active = named(&metrics, "turn_time");
    assert!(matches!(&active.standing, Standing::Untold(why) if why.contains("v8-trace")));
    assert_eq!(named(&metrics, "longest_drain").standing, Standing::Same);
    assert_eq!(verdict(&metrics), Verdict::Inconclusive);
}

#[test]
fn what_some_runs_lack_is_not_told() {
    let mut head = runs(1_000, 1.0, 2);
    head[2].figures.cpu_ns = None;
    let metrics = compared(&runs(1_000, 1.0, 1), &head);
    let cpu = named(&metrics, "cpu_time");
    let Standing::Untold(why) = &cpu.standing else { panic!("{cpu:?}") };
    assert_eq!(why, "0 runs of base and 1 of head have too few to tell");
}

#[test]
fn runs_that_are_unlike_are_told() {
    let mut samples = runs(1_000, 1.0, 1);
    assert!(invalid("base", &samples).is_empty());
    assert_eq!(unlike(&samples, &samples), None);
    let plain = samples.clone();
    samples[1].observed = Some((Source::Ebpf, Tier::Turn));
    samples[2].losses.push("lost".to_owned());
    samples[3].losses.push("lost".to_owned());
    samples[4].runtimes.insert("18.0.0".to_owned());
    let why = invalid("head", &samples);
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(why.iter().any(|line| line.contains("ebpf full, ebpf turn")), "{why:?}");
    assert!(unlike(&plain, &samples).is_some());
}
