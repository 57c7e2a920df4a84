//! Every workload does what its truth says, on both clocks, once and over several rounds.

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::{Args, Job, Rounds, Variant, Workload, all};

/// Parameters that keep a run short.
fn small(workload: &Workload) -> Args {
    let given = workload.params.iter().filter_map(|param| match param.name {
        "count" if workload.name == "cpu-bound-callback" => Some(("count", "3")),
        "count" => Some(("count", "600")),
        "work" if workload.name == "cpu-bound-callback" => Some(("work", "60ms")),
        "work" => Some(("work", "100us")),
        _ => None,
    });
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Args::parse(workload, given).unwrap()
}

fn check(workload: &'static Workload, variant: Variant, rounds: u64, clock: Clock) {
    let args = small(workload);
    let pause_ns = (rounds - 1) * 3_000_000;
    let rounds = Rounds::Times(rounds);
    let job = Job { workload, args, variant, rounds, pause_ns };
    let mut lp = Loop::new(Options { clock, ..Options::default() }).unwrap();
    job.run(&mut lp).unwrap();
    let rows = job.truth().check(&lp.reader().snapshot());
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row.holds, "{} {variant:?} {rounds:?}: {row:?}", workload.name);
    }
}

#[test]
fn every_truth_holds_under_a_virtual_clock() {
    for workload in all() {
        for variant in [Variant::Pathology, Variant::Fixed] {
            check(workload, variant, 1, Clock::virtual_time());
            check(workload, variant, 3, Clock::virtual_time());
        }
    }
}

#[test]
fn every_truth_holds_under_a_real_clock() {
    for workload in all() {
        for variant in [Variant::Pathology, Variant::Fixed] {
            check(workload, variant, 1, Clock::real());
        }
    }
}

#[test]
fn a_virtual_run_is_exactly_repeatable() {
    let run = |workload: &'static Workload| {
        let args = small(workload);
        let rounds = Rounds::Times(2);
        let job = Job { workload, args, variant: Variant::Pathology, rounds, pause_ns: 5_000_000 };
        let options = Options { clock: Clock::virtual_time(), ..Options::default() };
        let mut lp = Loop::new(options).unwrap();
        job.run(&mut lp).unwrap();
        lp.reader().snapshot()
    };
    for workload in all() {
        let (mut first, mut second) = (run(workload), run(workload));
        (first.tid, second.tid) = (0, 0);
        assert_eq!(first, second, "{}", workload.name);
    }
}

#[test]
fn the_diagnosis_follows_from_the_parameters() {
    let check = |text: &str, variant, expect| {
        let mut words = text.split(' ');
        let workload = loopscope_workloads::find(words.next().unwrap()).unwrap();
        let mut given = Vec::new();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            given.push((name.to_owned(), value.to_owned()));
        }
        let args = Args::parse(workload, given).unwrap();
        let job = Job { workload, args, variant, rounds: Rounds::Times(1), pause_ns: 0 };
        assert_eq!(job.truth().diagnosis, expect, "{text} {variant:?}");
    };
    use Variant::{Fixed, Pathology};
    check("sync-promises", Pathology, "microtask-flood");
    check("sync-promises", Fixed, "healthy");
    check("sync-promises count 300 work 1ms", Pathology, "cpu-bound-callback");
    check("sync-promises count 300 work 0", Pathology, "healthy");
    check("sync-promises count 10 work 30ms", Fixed, "cpu-bound-callback");
    check("next-tick-recursion count 999 work 1ms", Pathology, "cpu-bound-callback");
    check("next-tick-recursion work 60ms count 5", Fixed, "cpu-bound-callback");
    check("cpu-bound-callback work 1ms", Pathology, "healthy");
    check("promise-race-pool count 40", Pathology, "healthy");
}

#[test]
fn more_work_than_a_clock_can_count_is_refused() {
    let workload = loopscope_workloads::find("cpu-bound-callback").unwrap();
    let given = [("count", "1000000"), ("work", "100h")];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let error = Args::parse(workload, given).unwrap_err().to_string();
    assert!(error.contains("ten years"), "{error}");
}

#[test]
fn a_wrong_figure_breaks_the_truth() {
    let workload = loopscope_workloads::find("sync-promises").unwrap();
    let rounds = Rounds::Times(1);
    let args = small(workload);
    let job = Job { workload, args, variant: Variant::Pathology, rounds, pause_ns: 0 };
    let options = Options { clock: Clock::virtual_time(), ..Options::default() };
    let mut lp = Loop::new(options).unwrap();
    job.run(&mut lp).unwrap();
    let mut seen = lp.reader().snapshot();
    seen.microtasks = seen.microtasks.map(|n| n + 1);
    let rows = job.truth().check(&seen);
    let wrong: Vec<_> = rows.iter().filter(|row| !row.holds).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!((wrong[0].expected.as_str(), wrong[0].observed.as_str()), ("1,200", "1,201"));
}
