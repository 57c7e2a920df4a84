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
            let most = LEDGER_MS.max(so * LEDGER_SHARE);
            let told = told.map_or_else(|| "nothing".to_owned(), |ms| format!("{ms:.1}"));
            let why = format!("{so:.1} ms {key} were told as {told}, of {}", parts(stall));
            self.points.push(Point {
                criterion: Criterion::Ledger,
                error_ms: Some(off),
                miss: (off > most).then_some(why),
                noise: off > most && off <= most + block.stolen_ms.unwrap_or(0.0),
            });
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
#[path = "judge_tests.rs"]
mod tests;
