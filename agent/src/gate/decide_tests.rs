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
        stall_threshold_ns: 50_000_000,
        from_start: true,
        first_turn: true,
        trace_turns_max: 0,
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
    assert_eq!(verdict(&metrics), Verdict::Inconclusive, "the time of a whole run is there");
}

#[test]
fn a_program_that_has_fewer_turns_than_a_percentile_needs_passes() {
    let with = |mut samples: Vec<Sample>, turns: usize| {
        for sample in &mut samples {
            let turns = Histogram::of(Scale::Time, std::iter::repeat_n(1_000_000, turns));
            sample.figures.timer_lateness_ns = Some(turns.clone());
            sample.figures.turn_ns = Some(turns);
        }
        samples
    };
    let (base, mut head) = (with(runs(1_000, 1.0, 1), 150), with(runs(1_000, 0.8, 2), 60));
    head[3].figures.turn_ns.clone_from(&base[3].figures.turn_ns);
    head[3].figures.timer_lateness_ns.clone_from(&base[3].figures.timer_lateness_ns);
    for (base, head) in [(&base, &head), (&head, &base)] {
        let metrics = compared(base, head);
        for name in ["turn_p90", "timer_lateness_p90"] {
            let metric = named(&metrics, name);
            assert!(matches!(metric.standing, Standing::Untold(_)), "{metric:?}");
            assert!(!metric.decides, "{metric:?}");
        }
        assert_eq!(named(&metrics, "turn_p50").standing, Standing::Same);
    }
    assert_eq!(verdict(&compared(&base, &head)), Verdict::Passed);
    assert_eq!(verdict(&compared(&head, &base)), Verdict::Regressed, "it takes longer");
}

/// The same in each run.
fn each(mut samples: Vec<Sample>, set: impl FnMut(&mut Sample)) -> Vec<Sample> {
    samples.iter_mut().for_each(set);
    samples
}

#[test]
fn a_long_drain_that_is_cut_into_short_ones_is_no_regression() {
    let drains = |lengths: &[u64]| {
        let lengths = Histogram::of(Scale::Length, lengths.iter().copied());
        each(runs(1_000, 1.0, 0), |sample| {
            sample.figures.drain_length = Some(lengths.clone());
            sample.figures.turns = Some(lengths.count());
        })
    };
    let (one, many) = (drains(&[10_000]), drains(&[100; 100]));
    let metrics = compared(&one, &many);
    let grown = |name: &str| {
        let metric = named(&metrics, name);
        (metric.standing == Standing::Worse, metric.decides)
    };
    assert_eq!((grown("drains"), grown("turns")), ((true, false), (true, false)));
    assert_eq!(verdict(&metrics), Verdict::Passed);
    assert_eq!(verdict(&compared(&many, &one)), Verdict::Regressed, "the longest drain grew");
    let more = compared(&many, &drains(&[100; 101]));
    assert_eq!(verdict(&more), Verdict::Regressed, "more drains that are as long");
}

#[test]
fn stalls_are_a_time_and_decide_where_times_do() {
    let stalls = |count| {
        each(runs(1_000, 1.0, count), |sample| {
            sample.figures.stalls = count;
            sample.figures.stalls_ns = vec![200_000_000; count as usize];
        })
    };
    let (base, head) = (stalls(1), stalls(2));
    let metrics = compared(&base, &head);
    assert_eq!(verdict(&metrics), Verdict::Regressed);
    assert_eq!(named(&metrics, "stalls").tier, GateTier::Exact);

    let untold = |metrics: &[Metric], want: &str| {
        let metric = named(metrics, "stalls");
        let Standing::Untold(why) = &metric.standing else { panic!("{metric:?}") };
        assert!(why.contains(want) && !metric.decides, "{metric:?}");
        assert_eq!(verdict(metrics), Verdict::Inconclusive);
    };
    let (here, there) = (here(), Fingerprint { machine: Some("b".to_owned()), ..here() });
    let at = |samples, fingerprint| Runs { samples, fingerprint };
    let rules = Rules::default();
    untold(&super::metrics(at(&base, &here), at(&head, &there), rules), "different machines");
    let why = Some("not by turns".to_owned());
    untold(&metrics_but(at(&base, &here), at(&head, &here), rules, why), "not by turns");
    for (way, want) in
        [((Source::V8Trace, Tier::Full), "v8-trace"), ((Source::Ebpf, Tier::Passive), "passive")]
    {
        let by = |samples| each(samples, |sample| sample.observed = Some(way));
        untold(&compared(&by(base.clone()), &by(head.clone())), want);
    }
}

/// One run takes 49.6 ms for its longest turn and one 50.4 ms: nobody has made anything slower.
#[test]
fn a_turn_near_the_threshold_is_no_regression_and_a_long_one_is() {
    let with = |longest_ns: u64| {
        let is_stall = longest_ns >= 50_000_000;
        each(runs(1_000, 1.0, longest_ns), |sample| {
            sample.figures.turn_ns = Some(Histogram::of(Scale::Time, [longest_ns, 1_000_000]));
            sample.figures.stalls = u64::from(is_stall);
            sample.figures.stalls_ns = vec![longest_ns; usize::from(is_stall)];
        })
    };
    let near = compared(&with(49_600_000), &with(50_400_000));
    assert_eq!(verdict(&near), Verdict::Passed, "{near:?}");
    let long = compared(&with(49_600_000), &with(200_000_000));
    assert_eq!(verdict(&long), Verdict::Regressed, "{long:?}");
    assert_eq!((long[0].name, long[0].tier), ("stalls", GateTier::Exact));
}

/// The last look is some milliseconds before the end, and what comes behind it is not read.
#[test]
fn no_count_is_exact_where_it_is_read_now_and_then() {
    let by = |jobs| {
        each(runs(jobs, 1.0, jobs), |sample| sample.observed = Some((Source::Ebpf, Tier::Passive)))
    };
    let (base, head) = (by(1_000), by(1_050));
    for (base, head) in [(&base, &head), (&head, &base), (&base, &base)] {
        let metrics = compared(base, head);
        assert_eq!(verdict(&metrics), Verdict::Inconclusive);
        assert!(metrics.iter().all(|metric| metric.tier != GateTier::Exact), "{metrics:?}");
        for name in ["longest_drain", "microtasks", "turns"] {
            let metric = named(&metrics, name);
            let Standing::Untold(why) = &metric.standing else { panic!("{metric:?}") };
            assert!(why.contains("passive"), "{why}");
        }
        assert!(!is_undecided(&metrics), "more runs do not help");
    }
    let (here, there) = (here(), Fingerprint { machine: Some("b".to_owned()), ..here() });
    let at = |samples, fingerprint| Runs { samples, fingerprint };
    let elsewhere = super::metrics(at(&base, &here), at(&head, &there), Rules::default());
    assert_eq!(verdict(&elsewhere), Verdict::Inconclusive);
}

#[test]
fn turns_are_not_exact_where_the_trace_adds_some_or_the_first_was_missed() {
    let by = |source, turns| {
        each(runs(1_000, 1.0, turns), |sample| {
            sample.observed = Some((source, Tier::Full));
            sample.figures.turns = Some(turns);
        })
    };
    let probes = compared(&by(Source::Ebpf, 5), &by(Source::Ebpf, 6));
    assert_eq!(verdict(&probes), Verdict::Regressed);
    let traced = compared(&by(Source::V8Trace, 5), &by(Source::V8Trace, 6));
    let turns = named(&traced, "turns");
    assert!(turns.tier == GateTier::Time && !turns.decides, "{turns:?}");
    assert_eq!(verdict(&traced), Verdict::Inconclusive, "nothing is known of times");

    let late = each(by(Source::Ebpf, 5), |sample| sample.from_start = false);
    let by_a_shell = compared(&late, &by(Source::Ebpf, 6));
    let turns = named(&by_a_shell, "turns");
    assert!(turns.tier == GateTier::Time && !turns.decides, "{turns:?}");
    assert_eq!(verdict(&by_a_shell), Verdict::Passed, "it may have had one more before");
}

#[test]
fn counts_that_vary_are_compared_in_pairs_alone() {
    let mut base = runs(1_000, 1.0, 1);
    base[4] = sample(1_001, 1_000_000_000);
    let head = runs(1_300, 1.0, 2);
    let here = here();
    let at = |samples| Runs { samples, fingerprint: &here };
    let why = Some("not by turns".to_owned());
    let metrics = metrics_but(at(&base), at(&head), Rules::default(), why);
    for name in ["longest_drain", "microtasks"] {
        let metric = named(&metrics, name);
        assert_eq!(metric.standing, Standing::Untold("not by turns".to_owned()), "{metric:?}");
        assert_eq!((metric.base.len(), metric.head.len()), (10, 10));
    }
    assert_eq!(named(&metrics, "turns").standing, Standing::Same, "that is exact anywhere");
    assert_eq!(verdict(&metrics), Verdict::Inconclusive);
    let traced = |samples: &[Sample]| {
        each(samples.to_vec(), |sample| sample.observed = Some((Source::V8Trace, Tier::Full)))
    };
    let metrics = compared(&traced(&base), &traced(&head));
    assert_eq!(named(&metrics, "longest_drain").standing, Standing::Worse, "counts are seen");
}

#[test]
fn what_may_grow_may_do_so_where_head_varies() {
    let mut head = runs(1_150, 1.0, 2);
    head[2] = sample(1_201, 1_000_000_000);
    let (base, here) = (runs(1_000, 1.0, 1), here());
    let standing = |exact_tolerance| {
        let at = |samples| Runs { samples, fingerprint: &here };
        let rules = Rules { exact_tolerance, ..Rules::default() };
        named(&super::metrics(at(&base), at(&head), rules), "longest_drain").standing.clone()
    };
    assert_eq!([0.0, 0.2, 0.3].map(standing), [Standing::Worse, Standing::Same, Standing::Same]);
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

/// The same runs with turns that take so many milliseconds, so many times.
fn with_turns(factor: f64, turns: &[(u64, usize)], seed: u64) -> Vec<Sample> {
    let mut random = Random::new(seed);
    each(runs(1_000, factor, seed), |sample| {
        let one = |&(ms, count): &(u64, usize)| std::iter::repeat_n(ms * 1_000_000, count);
        let mut noisy = |ns: u64| ns + random.below(ns as usize / 100) as u64;
        let all: Vec<u64> = turns.iter().flat_map(one).map(&mut noisy).collect();
        sample.figures.turns = Some(all.len() as u64);
        sample.figures.turn_ns = Some(Histogram::of(Scale::Time, all));
    })
}

#[test]
fn percentiles_of_other_turns_decide_nothing() {
    // Half as many turns, half as long again: less is done in all.
    let (base, head) = (with_turns(1.0, &[(2, 200)], 1), with_turns(0.75, &[(3, 100)], 2));
    let metrics = compared(&base, &head);
    let p50 = named(&metrics, "turn_p50");
    assert_eq!((&p50.standing, p50.decides), (&Standing::Worse, false));
    let longest = named(&metrics, "turn_max");
    assert!(longest.decides, "the longest turn does, and is longer: {longest:?}");
    assert_eq!(verdict(&metrics), Verdict::Regressed);
    let note = notes(&metrics).pop().expect("it is said");
    assert!(note.contains("base has 200 turns and one of head 100"), "{note}");

    let cap = [(5, 1)];
    let (base, head) = (
        with_turns(1.0, &[&[(2, 199)], &cap[..]].concat(), 1),
        with_turns(0.75, &[&[(3, 99)], &cap[..]].concat(), 2),
    );
    let metrics = compared(&base, &head);
    assert_eq!(named(&metrics, "turn_p90").standing, Standing::Worse);
    assert_eq!(verdict(&metrics), Verdict::Passed, "no turn is longer than any was: {metrics:?}");
}

#[test]
fn turns_that_are_new_hide_no_long_one() {
    let base = with_turns(1.0, &[(2, 190), (20, 10)], 1);
    let head = with_turns(1.0, &[(1, 800), (2, 190), (30, 10)], 2);
    let vary = |mut samples: Vec<Sample>| {
        for (place, sample) in samples.iter_mut().enumerate() {
            sample.figures.turns = sample.figures.turns.map(|turns| turns + place as u64 % 3);
        }
        samples
    };
    let metrics = compared(&vary(base), &vary(head));
    assert_eq!(named(&metrics, "turn_p90").standing, Standing::Same, "short ones are in its place");
    let longest = named(&metrics, "turn_max");
    assert_eq!((&longest.standing, longest.decides), (&Standing::Worse, true));
    assert_eq!(verdict(&metrics), Verdict::Regressed);
}

#[test]
fn as_many_turns_are_compared_by_their_percentiles() {
    let metrics = compared(&with_turns(1.0, &[(2, 200)], 1), &with_turns(1.0, &[(3, 200)], 2));
    let (p50, longest) = (named(&metrics, "turn_p50"), named(&metrics, "turn_max"));
    assert_eq!((&p50.standing, p50.decides, longest.decides), (&Standing::Worse, true, false));
    assert!(notes(&metrics).is_empty());
}

#[test]
fn what_was_not_timed_is_no_pass() {
    let untimed = |samples| {
        each(samples, |sample| {
            sample.figures.active_ns = None;
            sample.figures.cpu_ns = None;
            sample.from_start = false;
        })
    };
    let little = each(untimed(runs(1_000, 1.0, 2)), |run| run.figures.active_ns = Some(9_000));
    assert_eq!(verdict(&compared(&little, &little)), Verdict::Inconclusive, "as it has ended");
    let started = each(little, |run| run.figures.start_ns = Some(60_000_000));
    assert_eq!(verdict(&compared(&started, &started)), Verdict::Passed, "its start was seen");
    let metrics = compared(&untimed(runs(1_000, 1.0, 1)), &untimed(runs(1_000, 1.0, 2)));
    let told = named(&metrics, "turn_time");
    assert!(matches!(&told.standing, Standing::Untold(why) if why.contains("next to nothing")));
    assert_eq!(verdict(&metrics), Verdict::Inconclusive);
    assert!(!is_undecided(&metrics), "more runs do not help");
    let with_cpu = |seed| each(runs(1_000, 1.0, seed), |sample| sample.figures.active_ns = None);
    assert_eq!(verdict(&compared(&with_cpu(1), &with_cpu(2))), Verdict::Passed, "its CPU time is");
    let mut some = with_cpu(2);
    some[3].figures.active_ns = Some(7);
    assert_eq!(verdict(&compared(&with_cpu(1), &some)), Verdict::Passed, "so it is there");
    let mut late = each(runs(1_000, 1.0, 2), |sample| sample.figures.cpu_ns = None);
    late[3].figures.start_ns = Some(90_000_000);
    let shell = each(runs(1_000, 1.0, 1), |sample| sample.figures.cpu_ns = None);
    assert_eq!(verdict(&compared(&shell, &late)), Verdict::Passed, "its turns were timed");
    let mut unseen = started.clone();
    unseen[3].figures.start_ns = None;
    unseen.iter_mut().for_each(|run| run.figures.active_ns = Some(4_000_000));
    let metrics = compared(&unseen, &unseen);
    assert!(named(&metrics, "start_time").decides, "most of a run is before its first poll");
    assert_eq!(verdict(&metrics), Verdict::Inconclusive);
}

#[test]
fn what_is_seen_before_the_first_poll_decides_behind_a_shell() {
    let started = |ms: u64, seed| {
        let mut random = Random::new(seed);
        each(runs(1_000, 1.0, seed), move |sample| {
            sample.figures.cpu_ns = None;
            let found_late = random.below(5_000_000) as u64;
            sample.figures.start_ns = Some(ms * 1_000_000 - found_late);
        })
    };
    assert_eq!(verdict(&compared(&started(100, 1), &started(100, 2))), Verdict::Passed);
    assert_eq!(verdict(&compared(&started(100, 1), &started(115, 2))), Verdict::Passed);
    let metrics = compared(&started(100, 1), &started(200, 2));
    assert_eq!(verdict(&metrics), Verdict::Regressed);
    assert_eq!(metrics[0].name, "start_time");
}

/// As a shell in front of one side makes it: its first turn is in no figure.
#[test]
fn what_one_side_alone_was_seen_of_is_no_change() {
    let late = |sample: &mut Sample| (sample.from_start, sample.first_turn) = (false, false);
    let (base, head) = (each(runs(1_000, 1.0, 1), late), runs(1_000, 2.0, 2));
    for (base, head) in [(&base, &head), (&head, &base)] {
        let metrics = compared(base, head);
        assert_eq!(verdict(&metrics), Verdict::Inconclusive);
        assert!(!is_undecided(&metrics), "more runs do not help");
        for name in [TURN_TIME, "cpu_time"] {
            let Standing::Untold(why) = &named(&metrics, name).standing else { panic!("{name}") };
            assert!(why.contains("start both in the same way"), "{why}");
        }
        assert_eq!(named(&metrics, LONGEST_DRAIN).standing, Standing::Same, "as on both sides");
    }
    let more = runs(2_000, 1.0, 2);
    assert!(matches!(named(&compared(&base, &more), LONGEST_DRAIN).standing, Standing::Untold(_)));
    let children = each(runs(1_000, 2.0, 2), |sample| sample.from_start = false);
    let metrics = compared(&runs(1_000, 1.0, 1), &children);
    assert_eq!(verdict(&metrics), Verdict::Regressed, "it was seen from its first turn on");
}
