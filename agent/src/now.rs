//! What people want to see at a glance: who is held up now, every loop, the newest stalls, and what
//! is wrong. The page and `top` show it.
//!
//! ```text
//!  Snapshot ──> Now: loops, worst first ── stalls, newest first ── diagnoses, worst first
//! ```
//!
//! Cost: one pass over the snapshot and its stalls, and the diagnosis.

use loop_core::snapshot::{
    Culprit, Histogram, Ledger, LedgerKey, LoopSnapshot, Snapshot, Source, Stall, Target, Tier,
};
use serde::Serialize;

use crate::diagnosis::{Diagnosis, diagnose};

/// How many stalls are listed, and how many frames of each.
const STALLS_MAX: usize = 50;
const FRAMES_MAX: usize = 40;

/// How many loops are listed; the worst come first.
const LOOPS_MAX: usize = 200;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Now {
    /// When this was so, in nanoseconds since the Unix epoch.
    pub unix_ns: u64,
    /// How long it has been observed.
    pub wall_ns: u64,
    /// How many processes there are, those that have ended not included.
    pub targets: usize,
    /// How many loops there are, those that are not listed included.
    pub loops_count: usize,
    /// The loops: held up now before others, then those with the most time in stalls.
    pub loops: Vec<Row>,
    /// The newest stalls of all loops, newest first; those that go on before others.
    pub stalls: Vec<Listed>,
    /// What is wrong, worst first; never empty.
    pub diagnoses: Vec<Diagnosis>,
}

/// How it is looked.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// When, in nanoseconds since the Unix epoch.
    pub unix_ns: u64,
    /// A turn that lasts this long is a stall to who observes.
    pub stall_threshold_ns: u64,
}

/// One loop.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What its process is called; empty where that isn't known.
    pub target: String,
    /// The process.
    pub pid: u32,
    /// The thread, as `main`.
    pub thread: String,
    /// Who sees it; `None`: its process isn't known.
    pub source: Option<Source>,
    /// What is seen of it.
    pub tier: Option<Tier>,
    /// Whether part of the figures is of a part of the time.
    pub sampled: bool,
    /// How long the turn that goes on has lasted; 0: it waits.
    pub current_turn_ns: u64,
    /// Whether that is a stall by now.
    pub held_up: bool,
    /// Whether it has ended, and is told for a while yet.
    pub ended: bool,
    /// The share of its time in which it did not wait.
    pub utilization: Option<f64>,
    /// Turns since the observation began.
    pub turns: Option<u64>,
    /// Time of the turn of which one in a hundred is longer, in nanoseconds.
    pub turn_p99_ns: Option<u64>,
    /// The same for how late timers are.
    pub lateness_p99_ns: Option<u64>,
    /// The longest drain of microtasks.
    pub drain_max: Option<u64>,
    /// Stalls that have ended.
    pub stalls: u64,
    /// How long they were together, in nanoseconds.
    pub stalled_ns: u64,
}

/// One stall.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// What its process is called.
    pub target: String,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub thread: String,
    /// When it began, in nanoseconds since the Unix epoch.
    pub start_unix_ns: u64,
    /// How long it lasted, or has lasted so far.
    pub duration_ns: u64,
    /// Whether it goes on.
    pub running: bool,
    /// The key of the ledger with the most time.
    pub cause: &'static str,
    /// Where the time went.
    pub ledger_ns: Ledger,
    /// Microtasks that ran in it.
    pub microtasks: Option<u64>,
    /// The function to look at.
    pub culprit: Option<Culprit>,
    /// The stack most often seen, outermost caller last.
    pub stack: Vec<String>,
    /// What was waited for, longest first.
    pub waits: Vec<String>,
}

impl Now {
    /// What a snapshot says.
    pub fn of(snapshot: &Snapshot, look: Look) -> Now {
        let target = |pid: u32| snapshot.targets.iter().find(|target| target.pid == pid);
        let mut loops: Vec<Row> =
            snapshot.loops.iter().map(|of| Row::of(of, target(of.pid), look)).collect();
        loops.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
        let loops_count = loops.len();
        loops.truncate(LOOPS_MAX);
        let all = snapshot.loops.iter().flat_map(|of| of.stalls.iter().map(move |one| (of, one)));
        let mut all: Vec<(&LoopSnapshot, &Stall)> = all.collect();
        all.sort_by_key(|(_, one)| (!one.running, u64::MAX - one.start_unix_ns));
        all.truncate(STALLS_MAX);
        let listed = |(of, one): (&LoopSnapshot, &Stall)| Listed::of(of, one, target(of.pid));
        Now {
            unix_ns: look.unix_ns,
            wall_ns: snapshot.wall_ns,
            targets: snapshot.targets.iter().filter(|of| !has_ended(snapshot, of.pid)).count(),
            loops_count,
            loops,
            stalls: all.into_iter().map(listed).collect(),
            diagnoses: diagnose(snapshot),
        }
    }
}

/// Whether all loops of a process have ended.
fn has_ended(snapshot: &Snapshot, pid: u32) -> bool {
    let mut loops = snapshot.loops.iter().filter(|of| of.pid == pid).peekable();
    loops.peek().is_some() && loops.all(|of| of.ended_ns.is_some())
}

impl Row {
    fn of(of: &LoopSnapshot, target: Option<&Target>, look: Look) -> Row {
        let p99 = |histogram: &Option<Histogram>| histogram.as_ref()?.summary().p99;
        let drains = of.microtask_drain_length.as_ref().filter(|drains| !drains.is_empty());
        Row {
            target: target.map_or_else(String::new, |target| target.name.clone()),
            pid: of.pid,
            thread: of.thread.clone(),
            source: target.map(|target| target.source),
            tier: target.map(|target| target.tier),
            sampled: target.is_some_and(|target| target.sampled),
            current_turn_ns: of.current_turn_ns(),
            held_up: of.open.is_some() && of.current_turn_ns() >= look.stall_threshold_ns,
            ended: of.ended_ns.is_some(),
            utilization: of.utilization,
            turns: of.turns,
            turn_p99_ns: p99(&of.turn_ns),
            lateness_p99_ns: p99(&of.timer_lateness_ns),
            drain_max: drains.map(|drains| drains.max),
            stalls: of.stall_totals.total_count(),
            stalled_ns: LedgerKey::ALL.iter().map(|&key| of.stall_totals.duration_ns(key)).sum(),
        }
    }

    /// The larger, the more it is to be looked at.
    fn rank(&self) -> f64 {
        // A turn that goes on and is no stall yet says nothing.
        if self.ended {
            // Behind all that can be helped.
            return -1.0 / (1.0 + self.stalled_ns as f64);
        }
        let running_ns = if self.held_up { self.current_turn_ns as f64 } else { 0.0 };
        running_ns * 1e6 + self.stalled_ns as f64 + self.utilization.unwrap_or(0.0)
    }
}

impl Listed {
    fn of(of: &LoopSnapshot, one: &Stall, target: Option<&Target>) -> Listed {
        let stack = one.stack.iter().flatten().take(FRAMES_MAX).cloned().collect();
        let waits = one.waits.iter().flatten().map(|wait| match &wait.subject {
            Some(subject) => format!("{} {subject}", wait.call),
            None => wait.call.clone(),
        });
        Listed {
            target: target.map_or_else(String::new, |target| target.name.clone()),
            pid: of.pid,
            thread: of.thread.clone(),
            start_unix_ns: one.start_unix_ns,
            duration_ns: one.duration_ns,
            running: one.running,
            cause: one.ledger_ns.cause().name(),
            ledger_ns: one.ledger_ns,
            microtasks: one.microtasks,
            culprit: one.culprit.clone(),
            stack,
            waits: waits.take(FRAMES_MAX).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{CauseTotals, ClockKind, LedgerKey, OpenTurn, Runtime};

    use super::*;

    const LOOK: Look = Look { unix_ns: 100, stall_threshold_ns: 50_000_000 };

    fn stall(start_unix_ns: u64, running: bool) -> Stall {
        let ledger_ns = Ledger::default().with(LedgerKey::Javascript, 60);
        Stall { start_unix_ns, duration_ns: 60, running, ledger_ns, ..Stall::default() }
    }

    fn of(pid: u32, stalled_ns: u64, open_ns: Option<u64>, stalls: Vec<Stall>) -> LoopSnapshot {
        let mut stall_totals = CauseTotals::default();
        if stalled_ns > 0 {
            stall_totals.add(LedgerKey::Javascript, stalled_ns);
        }
        let open = open_ns.map(|age_ns| OpenTurn { age_ns, phase: None, drain: None });
        LoopSnapshot { pid, stall_totals, open, stalls, ..LoopSnapshot::default() }
    }

    #[test]
    fn who_is_held_up_now_comes_first() {
        let loops = vec![
            of(1, 0, Some(20_000_000), vec![stall(5, false)]),
            of(2, 9_000_000_000, None, vec![stall(7, false), stall(9, false)]),
            of(3, 0, Some(60_000_000), vec![stall(6, true)]),
            of(4, 8_000_000_000, None, vec![]),
        ];
        let snapshot = Snapshot { loops, ..Snapshot::empty(ClockKind::Real) };
        let now = Now::of(&snapshot, LOOK);
        let pids = |now: &Now| now.loops.iter().map(|row| row.pid).collect::<Vec<_>>();
        assert_eq!(pids(&now), [3, 2, 4, 1]);
        let starts: Vec<u64> = now.stalls.iter().map(|one| one.start_unix_ns).collect();
        assert_eq!(starts, [6, 9, 7, 5]);
        assert_eq!(now.stalls[0].cause, "javascript");
        assert!(!now.diagnoses.is_empty());
        for (threshold_ms, held, order) in [
            (10, vec![3, 1], [3, 1, 2, 4]),
            (60, vec![3], [3, 2, 4, 1]),
            (61, vec![], [2, 4, 1, 3]),
        ] {
            let look = Look { stall_threshold_ns: threshold_ms * 1_000_000, ..LOOK };
            let now = Now::of(&snapshot, look);
            let of = now.loops.iter().filter(|row| row.held_up).map(|row| row.pid);
            assert_eq!((of.collect(), pids(&now)), (held, order.to_vec()), "{threshold_ms} ms");
        }
    }

    #[test]
    fn who_has_ended_comes_last_and_is_no_process() {
        let ended = |of: LoopSnapshot| LoopSnapshot { ended_ns: Some(5), ..of };
        let loops = vec![
            ended(of(1, 3_000_000_000, None, vec![stall(7, false)])),
            ended(of(2, 9_000_000_000, None, vec![])),
            of(3, 0, None, vec![]),
        ];
        let names = [1, 2, 3].map(|pid| Target {
            pid,
            name: String::new(),
            runtime: Runtime::NodeJs,
            runtime_version: String::new(),
            source: Source::Ebpf,
            tier: Tier::Passive,
            overhead_ratio: None,
            sampled: false,
            limits: Vec::new(),
        });
        let targets = names.into();
        let now = Now::of(&Snapshot { loops, targets, ..Snapshot::empty(ClockKind::Real) }, LOOK);
        let rows: Vec<_> = now.loops.iter().map(|row| (row.pid, row.ended)).collect();
        assert_eq!(rows, [(3, false), (2, true), (1, true)]);
        assert_eq!((now.targets, now.loops_count, now.stalls.len()), (1, 3, 1));
    }

    #[test]
    fn what_is_listed_is_bounded() {
        let stalls = |pid: u64| (0..64).map(|one| stall(pid * 64 + one, false)).collect();
        let loops = (0..300).map(|pid| of(pid, 0, None, stalls(u64::from(pid)))).collect();
        let now = Now::of(&Snapshot { loops, ..Snapshot::empty(ClockKind::Real) }, LOOK);
        assert_eq!((now.loops.len(), now.loops_count, now.stalls.len()), (200, 300, 50));
        assert_eq!(now.stalls[0].start_unix_ns, 300 * 64 - 1);
    }
}
