//! Every workload does what its truth says, on both clocks, once and over several rounds.

use std::time::{Duration, Instant};

use loop_core::snapshot::LoopSnapshot;
use loop_core::{Clock, Loop, Options};
use loopscope_workloads::{Args, Job, Rounds, Story, TruthRow, Variant, Workload, all};

/// Parameters that keep a run short, and make a stall where the workload is about one.
fn small(workload: &Workload) -> Args {
    let text = match workload.name {
        "cpu-bound-callback" => "count 3 work 60ms",
        "sync-io" => "count 2 delay 60ms",
        "thread-pool-saturation" => "count 9 work 60ms quick 5",
        "cpu-starved" => "count 4 work 4ms neighbours 14",
        "lambda-freeze" => "gap 200ms",
        "immediate-vs-timeout-in-io" => "count 4",
        "next-tick-starvation" => "count 30",
        _ => "count 600 work 100us",
    };
    let has = |name: &str| workload.params.iter().any(|param| param.name == name);
    args(workload, text.split(' ').collect::<Vec<_>>().chunks(2).filter(|pair| has(pair[0])))
}

fn args<'a>(workload: &Workload, pairs: impl Iterator<Item = &'a [&'a str]>) -> Args {
    let given = pairs.map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
    Args::parse(workload, given).unwrap()
}

fn job(workload: &'static Workload, variant: Variant, rounds: u64) -> Job {
    Job {
        workload,
        args: small(workload),
        variant,
        rounds: Rounds::Times(rounds),
        pause_ns: (rounds - 1) * 3_000_000,
        story: Story::default(),
    }
}

/// Runs a job on a new loop, and returns what was seen.
fn observe(job: &Job, clock: Clock) -> LoopSnapshot {
    job.prepare().unwrap();
    let mut lp = Loop::new(Options { clock, ..Options::default() }).unwrap();
    job.run(&mut lp).unwrap();
    lp.reader().snapshot()
}

/// Those facts of a job that did not hold.
fn wrong(job: &Job, clock: Clock) -> Vec<TruthRow> {
    let rows = job.truth().check(&observe(job, clock), &job.story);
    assert!(!rows.is_empty());
    rows.into_iter().filter(|row| !row.holds).collect()
}

fn check(workload: &'static Workload, rounds: u64, clock: &Clock) {
    for &variant in workload.variants() {
        let job = job(workload, variant, rounds);
        assert_eq!(wrong(&job, clock.clone()), [], "{} {variant:?} {rounds}", workload.name);
    }
}

#[test]
fn every_truth_holds_under_a_virtual_clock() {
    for workload in all().iter().filter(|workload| workload.virtual_clock) {
        check(workload, 1, &Clock::virtual_time());
        check(workload, 3, &Clock::virtual_time());
    }
}

#[test]
fn every_truth_holds_under_a_real_clock() {
    for workload in all() {
        check(workload, 1, &Clock::real());
    }
}

#[test]
fn rounds_of_what_needs_real_time_add_up() {
    for workload in all().iter().filter(|workload| !workload.virtual_clock) {
        check(workload, 2, &Clock::real());
    }
}

#[test]
fn a_virtual_run_is_exactly_repeatable() {
    for workload in all().iter().filter(|workload| workload.virtual_clock) {
        for &variant in workload.variants() {
            let run = || {
                let job = job(workload, variant, 2);
                let seen = observe(&job, Clock::virtual_time());
                (LoopSnapshot { tid: 0, ..seen }, job.story.lines())
            };
            assert_eq!(run(), run(), "{} {variant:?}", workload.name);
        }
    }
}

#[test]
fn nothing_is_left_running_behind_a_starved_loop() {
    let workload = loopscope_workloads::find("cpu-starved").unwrap();
    observe(&job(workload, Variant::Pathology, 1), Clock::real());
    // Another test may run the same workload in this process meanwhile; its neighbours go, too. A
    // thread that has been waited for may be listed for a moment longer.
    let spinning = || {
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
        let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm"));
        let names = tasks.flatten().flat_map(name);
        names.filter(|name| name.starts_with("neighbour-")).count()
    };
    let start = Instant::now();
    while spinning() > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{} neighbours left", spinning());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_line_out_of_order_breaks_the_truth() {
    let starvation = loopscope_workloads::find("next-tick-starvation").unwrap();
    let mut job = job(starvation, Variant::Pathology, 1);
    let seen = observe(&job, Clock::virtual_time());
    job.args = args(starvation, [&["count", "29"][..]].into_iter());
    let rows = job.truth().check(&seen, &job.story);
    let row = rows.iter().find(|row| row.what == "transcript").unwrap();
    assert!(!row.holds);
    assert_eq!(row.expected, "line 30: Other setTimeout");
    assert_eq!(row.observed, "line 30: foo 30");
}

#[test]
fn the_diagnosis_follows_from_the_parameters() {
    let check = |text: &str, variant, expect| {
        let words: Vec<&str> = text.split(' ').collect();
        let workload = loopscope_workloads::find(words[0]).unwrap();
        let args = args(workload, words[1..].chunks(2));
        let job = Job { args, ..job(workload, variant, 1) };
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
    check("await-all-growing", Pathology, "microtask-flood");
    check("sync-io", Pathology, "sync-io");
    check("sync-io delay 49ms", Pathology, "healthy");
    check("sync-io", Fixed, "healthy");
    check("timer-storm", Pathology, "timer-storm");
    check("timer-storm count 99 work 10ms", Pathology, "cpu-bound-callback");
    check("timer-storm count 400", Pathology, "healthy");
    check("timer-storm", Fixed, "healthy");
    check("immediate-flood", Pathology, "immediate-flood");
    check("immediate-flood work 50ms", Pathology, "cpu-bound-callback");
    check("immediate-flood", Fixed, "healthy");
    check("poll-flood", Pathology, "poll-flood");
    check("poll-flood", Fixed, "healthy");
    check("slow-close", Pathology, "cpu-bound-callback");
    check("slow-close", Fixed, "healthy");
    check("thread-pool-saturation", Pathology, "thread-pool-saturation");
    check("thread-pool-saturation count 3", Pathology, "healthy");
    check("thread-pool-saturation", Fixed, "healthy");
    check("cpu-starved", Pathology, "cpu-starved");
    check("cpu-starved neighbours 0", Pathology, "healthy");
    check("cpu-starved", Fixed, "healthy");
    check("lambda-freeze", Pathology, "frozen");
    check("lambda-freeze invocations 1", Pathology, "healthy");
    check("lambda-freeze", Fixed, "healthy");
    check("timers-at-250", Pathology, "cpu-bound-callback");
    check("poll-wait", Pathology, "healthy");
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
    let job = job(workload, Variant::Pathology, 1);
    let mut seen = observe(&job, Clock::virtual_time());
    seen.microtasks = seen.microtasks.map(|n| n + 1);
    let rows = job.truth().check(&seen, &job.story);
    let wrong: Vec<_> = rows.iter().filter(|row| !row.holds).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!((wrong[0].expected.as_str(), wrong[0].observed.as_str()), ("1,200", "1,201"));
}
