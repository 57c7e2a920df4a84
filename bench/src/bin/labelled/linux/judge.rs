//! Truth against report: what is right, what is missed, and by how much.

use std::path::Path;

use super::report::{Seen, Stall};
use super::truth::{Block, Function, Truth};

/// A duration may be off by this, or by [`DURATION_SHARE`] of it.
const DURATION_MS: f64 = 1.0;
const DURATION_SHARE: f64 = 0.01;

/// A key of the ledger may be off by this, or by [`LEDGER_SHARE`] of it.
const LEDGER_MS: f64 = 5.0;
const LEDGER_SHARE: f64 = 0.05;

/// So much of a stall may be unknown.
const UNKNOWN_SHARE: f64 = 0.05;

/// A ledger's sum may be off by 1 % or so much.
const SUM_MS: f64 = 1.0;

/// A turn is a stall from here on.
pub(super) const STALL_MS: f64 = 50.0;

/// What may make any turn long: others that want the CPU, a quota that is used up, and V8, which
/// collects when it likes.
const RUN_QUEUE: &str = "run_queue";
const THROTTLED: &str = "throttled";
const GC: &str = "gc";

/// The diagnosis of a loop that others keep from running.
const STARVED: &str = "cpu-starved";

/// What is judged; a miss belongs to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Criterion {
    /// The first diagnosis, and that healthy programs have no other.
    Verdict,
    /// Stalls are found, and none is invented.
    Stalls,
    Duration,
    Function,
    Ledger,
    /// The exact number of jobs.
    Drain,
}

impl Criterion {
    pub(super) const ALL: [Criterion; 6] = [
        Criterion::Verdict,
        Criterion::Stalls,
        Criterion::Duration,
        Criterion::Function,
        Criterion::Ledger,
        Criterion::Drain,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Criterion::Verdict => "verdict",
            Criterion::Stalls => "stalls",
            Criterion::Duration => "duration",
            Criterion::Function => "function",
            Criterion::Ledger => "ledger",
            Criterion::Drain => "drain",
        }
    }
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) criterion: Criterion,
    /// How far it is off, in ms, where it is a time.
    pub(super) error_ms: Option<f64>,
    /// What is wrong; `None`: it is right.
    pub(super) miss: Option<String>,
    /// Whether that may be because others wanted the CPU.
    pub(super) noise: bool,
}

/// All comparisons of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Judged {
    pub(super) points: Vec<Point>,
    /// Truth and first diagnosis, where the truth names one.
    pub(super) verdict: Option<(String, String)>,
}

impl Judged {
    /// Compares what was seen with what was so.
    pub(super) fn of(truth: &Truth, seen: &Seen) -> Judged {
        let mut judged = Judged::default();
        judged.verdict(truth, seen);
        let matched = matched(&truth.stalls, &seen.stalls);
        for (block, found) in truth.stalls.iter().zip(&matched) {
            match found {
                Some(at) => judged.stall(block, &seen.stalls[*at]),
                None if block.duration_ms < STALL_MS + tolerance(block.duration_ms) => {}
                None => {
                    let why = format!("a stall of {:.1} ms was not seen", block.duration_ms);
                    judged.add(Criterion::Stalls, None, Some(why));
                }
            }
        }
        let others = (0..seen.stalls.len()).filter(|at| !matched.contains(&Some(*at)));
        for stall in others.map(|at| &seen.stalls[at]) {
            judged.invented(stall);
        }
        if let Some(jobs) = truth.longest_drain.filter(|&jobs| jobs > 0) {
            let told = seen.longest_drain.unwrap_or(0);
            let wrong = (told != jobs).then(|| format!("a drain of {jobs} jobs has {told}"));
            judged.add(Criterion::Drain, None, wrong);
        }
        judged
    }

    /// Whether something is wrong for which other programs that want the CPU may be the reason.
    pub(super) fn may_be_noise(&self) -> bool {
        self.points.iter().any(|point| point.noise)
    }

    /// Takes out what may be wrong because of that, and returns it.
    pub(super) fn take_noise(&mut self) -> Vec<String> {
        let noise = self.points.extract_if(.., |point| point.noise);
        let misses = noise.filter_map(|point| {
            if point.criterion == Criterion::Verdict {
                self.verdict = None;
            }
            point.miss
        });
        misses.collect()
    }

    /// What is wrong.
    pub(super) fn misses(&self) -> impl Iterator<Item = (Criterion, &str)> {
        self.points.iter().filter_map(|point| Some((point.criterion, point.miss.as_deref()?)))
    }

    fn add(&mut self, criterion: Criterion, error_ms: Option<f64>, miss: Option<String>) {
        self.points.push(Point { criterion, error_ms, miss, noise: false });
    }

    fn verdict(&mut self, truth: &Truth, seen: &Seen) {
        let Some(cause) = &truth.cause else { return };
        let told = seen.told();
        let wrong = || format!("{cause} was told {}", seen.diagnoses.join(", "));
        let miss = (cause != told).then(wrong);
        let noise = miss.is_some() && told == STARVED;
        self.points.push(Point { criterion: Criterion::Verdict, error_ms: None, miss, noise });
        self.verdict = Some((cause.clone(), told.to_owned()));
    }

    fn stall(&mut self, block: &Block, stall: &Stall) {
        self.add(Criterion::Stalls, None, None);
        let off = stall.duration_ms - block.duration_ms;
        let wrong = off.abs() > tolerance(block.duration_ms);
        let why = format!("{:.2} ms were told as {:.2}", block.duration_ms, stall.duration_ms);
        // What is neither in both nor in none: before the callback begins, and behind its end.
        let waited = stall.duration_ms - own_ms(stall);
        let of_block = block.run_delay_ms.unwrap_or(0.0);
        let beside = (waited - of_block).max(0.0);
        let is_explained = (off - beside).abs() <= tolerance(block.duration_ms);
        self.points.push(Point {
            criterion: Criterion::Duration,
            error_ms: Some(off.abs()),
            miss: wrong.then_some(why),
            noise: wrong && (off.abs() <= waited.max(of_block) || is_explained),
        });
        // What others have made a stall is not the function's fault.
        if let Some(function) = block.function.as_ref().filter(|_| own_ms(stall) >= STALL_MS) {
            self.add(Criterion::Function, None, wrong_function(function, stall));
        }
        self.ledger(block, stall);
    }

    fn ledger(&mut self, block: &Block, stall: &Stall) {
        let sum: f64 = stall.ledger_ms.values().sum();
        let off = (sum - stall.duration_ms).abs();
        let wrong = off > SUM_MS.max(stall.duration_ms * 0.01);
        let why = format!("the ledger of {:.1} ms has {sum:.1}", stall.duration_ms);
        self.add(Criterion::Ledger, Some(off), wrong.then_some(why));
        for (key, &so) in &block.ledger_ms {
            let told = stall.ledger_ms.get(key);
            let more = told.unwrap_or(&0.0) - so;
            let off = (more - more.clamp(0.0, beside_ms(key, block, stall))).abs();
            let wrong = off > LEDGER_MS.max(so * LEDGER_SHARE);
            let told = told.map_or_else(|| "nothing".to_owned(), |ms| format!("{ms:.1}"));
            let why = format!("{so:.1} ms {key} were told as {told}, of {}", parts(stall));
            self.add(Criterion::Ledger, Some(off), wrong.then_some(why));
        }
        let unknown = stall.ledger_ms.get("unknown").copied().unwrap_or(0.0);
        let wrong = unknown > stall.duration_ms * UNKNOWN_SHARE;
        let why = format!("{unknown:.1} ms of {:.1} are unknown", stall.duration_ms);
        self.add(Criterion::Ledger, None, wrong.then_some(why));
    }

    /// A stall that the program does not tell of. It is invented if it would have been one by what
    /// the program itself did.
    fn invented(&mut self, stall: &Stall) {
        let gc = stall.ledger_ms.get(GC).copied().unwrap_or(0.0);
        let why = format!("a stall of {:.1} ms is none of the program's", stall.duration_ms);
        self.add(Criterion::Stalls, None, (own_ms(stall) - gc >= STALL_MS).then_some(why));
    }
}

/// What a ledger has, largest first.
fn parts(stall: &Stall) -> String {
    let mut parts: Vec<(&String, f64)> =
        stall.ledger_ms.iter().map(|(key, ms)| (key, *ms)).collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let told = parts.iter().filter(|(_, ms)| *ms >= 0.1);
    told.map(|(key, ms)| format!("{key} {ms:.1}")).collect::<Vec<_>>().join(", ")
}

/// How much of a stall would have been on a machine with nobody else, and without a quota.
fn own_ms(stall: &Stall) -> f64 {
    let taken = [RUN_QUEUE, THROTTLED].map(|key| stall.ledger_ms.get(key).copied().unwrap_or(0.0));
    stall.duration_ms - taken.iter().sum::<f64>()
}

/// What a key may have of a turn before and behind the callback that the program has timed: there
/// it is kept waiting without knowing it.
fn beside_ms(key: &str, block: &Block, stall: &Stall) -> f64 {
    let is_wait = [RUN_QUEUE, THROTTLED].contains(&key);
    if is_wait { (stall.duration_ms - block.duration_ms).max(0.0) } else { 0.0 }
}

fn tolerance(ms: f64) -> f64 {
    DURATION_MS.max(ms * DURATION_SHARE)
}

/// Which stall each block is: that which has most of its time in common; where the program does not
/// tell when, that whose duration is nearest.
fn matched(blocks: &[Block], stalls: &[Stall]) -> Vec<Option<usize>> {
    let mut free: Vec<usize> = (0..stalls.len()).collect();
    let mut of = |block: &Block| -> Option<usize> {
        let fit = |at: usize| match block.start_unix_ms {
            Some(start) => common_ms(start, block.duration_ms, &stalls[at]),
            None => -(stalls[at].duration_ms - block.duration_ms).abs(),
        };
        let place = (0..free.len()).max_by(|&a, &b| fit(free[a]).total_cmp(&fit(free[b])))?;
        let least = match block.start_unix_ms {
            Some(_) => block.duration_ms / 2.0,
            None => -block.duration_ms / 2.0,
        };
        (fit(free[place]) >= least).then(|| free.remove(place))
    };
    blocks.iter().map(&mut of).collect()
}

fn common_ms(start: f64, duration: f64, stall: &Stall) -> f64 {
    (start + duration).min(stall.end_unix_ms()) - start.max(stall.start_unix_ms)
}

/// Why the function that is told is not the one at fault. A method may have its class before it.
fn wrong_function(truth: &Function, stall: &Stall) -> Option<String> {
    let Some(told) = &stall.function else {
        return Some(format!("{} was not told", truth.name));
    };
    if told.rsplit('.').next() != Some(&truth.name) {
        return Some(format!("{} was told as {told}", truth.name));
    }
    let name = |path: &str| Path::new(path).file_name().map(|name| name.to_owned());
    let file = stall.file.as_deref().unwrap_or("no file");
    if truth.file.as_deref().is_some_and(|truth| name(truth) != name(file)) {
        return Some(format!("{} was told to be in {file}", truth.name));
    }
    let (first, last) = truth.lines?;
    match stall.line {
        Some(line) if (first..=last).contains(&line) => None,
        Some(line) => Some(format!("{} is on {first} to {last}, not on {line}", truth.name)),
        None => Some(format!("{} has no line", truth.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        let lines = Some((3, 9));
        let file = Some("/x/a.js".to_owned());
        Block {
            start_unix_ms: Some(1_000.0),
            duration_ms: 300.0,
            run_delay_ms: Some(0.5),
            function: Some(Function { name: "load".to_owned(), file, lines }),
            ledger_ms: [("sync_io".to_owned(), 100.0), ("javascript".to_owned(), 200.0)].into(),
        }
    }

    fn stall() -> Stall {
        let parts = [("sync_io", 104.5), ("javascript", 190.5), ("unknown", 6.0)];
        Stall {
            start_unix_ms: 999.0,
            duration_ms: 301.5,
            function: Some("Cache.load".to_owned()),
            file: Some("file:///y/a.js".to_owned()),
            line: Some(5),
            ledger_ms: parts.map(|(key, ms)| (key.to_owned(), ms)).into(),
        }
    }

    fn judged(blocks: Vec<Block>, stalls: Vec<Stall>) -> Vec<(Criterion, String)> {
        let cause = Some("sync-io".to_owned());
        let truth = Truth { cause, stalls: blocks, ..Truth::default() };
        let seen = Seen { diagnoses: vec!["sync-io".to_owned()], stalls, ..Seen::default() };
        let judged = Judged::of(&truth, &seen);
        judged.misses().map(|(criterion, why)| (criterion, why.to_owned())).collect()
    }

    /// The one miss when the stall is told a little otherwise.
    fn miss(change: impl FnOnce(&mut Stall)) -> (Criterion, String) {
        let mut stall = stall();
        change(&mut stall);
        let misses = judged(vec![block()], vec![stall]);
        assert_eq!(misses.len(), 1, "{misses:?}");
        misses[0].clone()
    }

    #[test]
    fn what_waits_beside_the_callback_is_run_queue_and_no_more_than_that() {
        let mut told = stall();
        told.duration_ms += 40.0;
        told.ledger_ms.insert(RUN_QUEUE.to_owned(), 48.0);
        let mut block = block();
        block.ledger_ms.insert(RUN_QUEUE.to_owned(), 2.0);
        let wrong = |told: &Stall| {
            let misses = judged(vec![block.clone()], vec![told.clone()]);
            misses.iter().any(|(_, why)| why.contains("2.0 ms run_queue"))
        };
        assert!(!wrong(&told), "41.5 ms lie beside it");
        told.ledger_ms.insert(RUN_QUEUE.to_owned(), 49.0);
        assert!(wrong(&told));
    }

    #[test]
    fn what_is_within_the_bar_is_right() {
        assert_eq!(judged(vec![block()], vec![stall()]), []);
    }

    #[test]
    fn a_duration_may_be_off_by_a_percent_and_a_short_one_by_a_millisecond() {
        let (criterion, why) = miss(|stall| {
            stall.duration_ms = 303.5;
            stall.ledger_ms.insert("native".to_owned(), 2.0);
        });
        assert_eq!((criterion, &*why), (Criterion::Duration, "300.00 ms were told as 303.50"));
        assert!((tolerance(60.0) - 1.0).abs() < 1e-9 && (tolerance(300.0) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_function_has_a_name_a_file_and_a_line() {
        for (change, why) in [
            (
                Box::new(|stall: &mut Stall| stall.function = None) as Box<dyn Fn(&mut Stall)>,
                "load was not told",
            ),
            (
                Box::new(|stall| stall.function = Some("reload".to_owned())),
                "load was told as reload",
            ),
            (Box::new(|stall| stall.file = Some("b.js".to_owned())), "load was told to be in b.js"),
            (Box::new(|stall| stall.line = Some(10)), "load is on 3 to 9, not on 10"),
            (Box::new(|stall| stall.line = None), "load has no line"),
        ] {
            assert_eq!(miss(change), (Criterion::Function, why.to_owned()));
        }
    }

    #[test]
    fn each_key_of_a_ledger_is_compared_and_little_is_unknown() {
        let ledger = |key: &'static str, ms: f64| {
            miss(move |stall| {
                let old = stall.ledger_ms.insert(key.to_owned(), ms).unwrap_or(0.0);
                *stall.ledger_ms.entry("gc".to_owned()).or_default() += old - ms;
            })
        };
        let told = |why: &str| (Criterion::Ledger, why.to_owned());
        let of = "of javascript 190.5, sync_io 105.5, unknown 6.0";
        let wrong = format!("100.0 ms sync_io were told as 105.5, {of}");
        assert_eq!(ledger("sync_io", 105.5), told(&wrong));
        let of = "of javascript 189.0, sync_io 104.5, unknown 6.0, gc 1.5";
        let wrong = format!("200.0 ms javascript were told as 189.0, {of}");
        assert_eq!(ledger("javascript", 189.0), told(&wrong));
        assert_eq!(ledger("unknown", 16.0), told("16.0 ms of 301.5 are unknown"));
        let lost = miss(|stall| assert_eq!(stall.ledger_ms.remove("unknown"), Some(6.0)));
        assert_eq!(lost, told("the ledger of 301.5 ms has 295.0"));
        let null = miss(|stall| {
            let javascript = stall.ledger_ms.remove("javascript").unwrap();
            stall.ledger_ms.insert("native".to_owned(), javascript);
        });
        let of = "of native 190.5, sync_io 104.5, unknown 6.0";
        let wrong = format!("200.0 ms javascript were told as nothing, {of}");
        assert_eq!(null, told(&wrong));
    }

    #[test]
    fn stalls_are_found_by_when_they_were_and_none_is_invented() {
        let other = Stall { start_unix_ms: 5_000.0, ..stall() };
        let misses = judged(vec![block()], vec![other.clone()]);
        let whys: Vec<&str> = misses.iter().map(|(_, why)| why.as_str()).collect();
        let invented = "a stall of 301.5 ms is none of the program's";
        assert_eq!(whys, ["a stall of 300.0 ms was not seen", invented]);
        assert_eq!(judged(vec![block()], vec![other, stall()])[0].1, invented);
    }

    #[test]
    fn a_turn_that_others_made_long_is_none_of_the_programs() {
        let waited = |ms: f64| {
            let ledger_ms = [("run_queue".to_owned(), ms)].into();
            Stall { start_unix_ms: 5_000.0, duration_ms: 90.0, ledger_ms, ..Stall::default() }
        };
        assert_eq!(judged(vec![block()], vec![stall(), waited(41.0)]), []);
        assert_eq!(judged(vec![block()], vec![stall(), waited(39.0)]).len(), 1);
        let mut others = stall();
        others.function = None;
        others.ledger_ms.insert("run_queue".to_owned(), 252.0);
        let misses = judged(vec![block()], vec![others]);
        assert!(
            misses.iter().all(|(criterion, _)| *criterion != Criterion::Function),
            "{misses:?}"
        );
    }

    #[test]
    fn without_a_time_the_nearest_duration_is_meant() {
        let block = |duration_ms| Block { duration_ms, ..Block::default() };
        let stall = |duration_ms| Stall { duration_ms, ..Stall::default() };
        let at = matched(&[block(100.0), block(300.0)], &[stall(299.0), stall(101.0), stall(7.0)]);
        assert_eq!(at, [Some(1), Some(0)]);
        assert_eq!(matched(&[block(100.0)], &[stall(300.0)]), [None]);
    }

    #[test]
    fn what_waiting_for_a_cpu_explains_is_left_out_and_nothing_else() {
        let told = |run_queue: f64, diagnosis: &str| {
            let mut late = Stall { duration_ms: 320.0, function: None, ..stall() };
            late.ledger_ms.insert("run_queue".to_owned(), run_queue);
            let cause = Some("sync-io".to_owned());
            let truth = Truth { cause, stalls: vec![block()], ..Truth::default() };
            let diagnoses = vec![diagnosis.to_owned()];
            Judged::of(&truth, &Seen { diagnoses, stalls: vec![late], ..Seen::default() })
        };
        assert!(!told(16.0, "gc-pressure").may_be_noise(), "4 ms of 20 are left");
        assert!(told(18.0, "gc-pressure").may_be_noise());
        let mut judged = told(21.0, "cpu-starved");
        assert!(judged.may_be_noise());
        assert_eq!(
            judged.take_noise(),
            ["sync-io was told cpu-starved", "300.00 ms were told as 320.00"]
        );
        assert!(!judged.may_be_noise() && judged.verdict.is_none());
        let left: Vec<Criterion> = judged.misses().map(|(criterion, _)| criterion).collect();
        assert_eq!(left, [Criterion::Function], "{judged:?}");
    }

    #[test]
    fn verdicts_and_drains_are_compared() {
        let truth = Truth {
            cause: Some("microtask-flood".to_owned()),
            longest_drain: Some(60_000),
            ..Truth::default()
        };
        let seen = |told: &str, jobs| Seen {
            diagnoses: vec![told.to_owned(), "gc-pressure".to_owned()],
            longest_drain: jobs,
            ..Seen::default()
        };
        let right = Judged::of(&truth, &seen("microtask-flood", Some(60_000)));
        assert_eq!(right.misses().count(), 0);
        let wrong = Judged::of(&truth, &seen("healthy", Some(59_999)));
        let pair = ("microtask-flood".to_owned(), "healthy".to_owned());
        assert_eq!(wrong.verdict, Some(pair));
        let whys: Vec<&str> = wrong.misses().map(|(_, why)| why).collect();
        assert_eq!(
            whys,
            ["microtask-flood was told healthy, gc-pressure", "a drain of 60000 jobs has 59999",]
        );
        let open = Truth { cause: None, ..truth };
        assert_eq!(Judged::of(&open, &seen("healthy", Some(60_000))).verdict, None);
    }
}
