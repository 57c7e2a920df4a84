//! From what the kernel counted to the figures of a loop.
//!
//! ```text
//! Reading (kernel) ─┐
//! Now (memory) ─────┼──> LoopSnapshot
//! Stalls (kept) ────┘
//! ```
//!
//! **Invariant**: what has no probe in the plan, or can have none, is `None`.

use loop_core::snapshot::{
    Drain, Histogram, LoopSnapshot, OpenTurn, Queue, Stall, ThreadCpu, ThreadPoolSnapshot,
    arrival_delay,
};
use loop_core::{Phase, PhaseMap};

use super::baseline::Before;
use super::ebpf::{COLLECTIONS, Head, MARK_COMPACT, PHASES, Reading};
use super::stalls::Stalls;
use crate::plan::Point;

/// The phases that have a probe, in the order of the kernel side.
pub(super) const SEEN_PHASES: [(Phase, Point); PHASES] = [
    (Phase::Timers, Point::RunTimers),
    (Phase::Idle, Point::RunIdle),
    (Phase::Prepare, Point::RunPrepare),
    (Phase::Poll, Point::IoPoll),
    (Phase::Check, Point::RunCheck),
];

/// Which probes are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Points(u16);

impl Points {
    pub(super) fn of(points: impl IntoIterator<Item = Point>) -> Points {
        Points(points.into_iter().fold(0, |set, point| set | 1 << point as u16))
    }

    pub(super) fn has(self, point: Point) -> bool {
        self.0 & 1 << point as u16 != 0
    }

    /// A phase ends where the next probe is hit, so one alone tells nothing.
    pub(super) fn phases(self) -> bool {
        SEEN_PHASES.iter().all(|&(_, point)| self.has(point))
    }

    pub(super) fn drains(self) -> bool {
        self.has(Point::DrainStart) && self.has(Point::DrainEnd)
    }

    pub(super) fn collections(self) -> bool {
        self.has(Point::GcStart) && self.has(Point::GcEnd)
    }
}

/// What the memory of the target says at this moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// By the monotonic clock.
    pub(super) at_ns: u64,
    /// All time that the loop has waited, the wait that goes on included.
    pub(super) idle_ns: u64,
    /// Whether it waits.
    pub(super) waits: bool,
    /// V8's count of finished microtasks in the queue that is drained.
    pub(super) finished: Option<u64>,
    /// For how long its thread has waited for a CPU, ever; of a loop that waits not asked for.
    pub(super) run_delay_ns: Option<u64>,
}

/// Of what a loop's figures are made.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) pid: u32,
    /// The probes that are set, or were.
    pub(super) points: Points,
    /// Those that are set.
    pub(super) points_now: Points,
    pub(super) reading: Reading,
    /// What no probe has counted.
    pub(super) before: Before,
    /// `None` where the memory can't be read, or the loop has ended.
    pub(super) now: Option<Now>,
    pub(super) stalls: &'a Stalls,
    pub(super) cpu: ThreadCpu,
    pub(super) stall_threshold_ns: u64,
}

/// The figures of a loop.
pub(super) fn loop_snapshot(parts: Parts<'_>) -> LoopSnapshot {
    let Parts { pid, points, points_now, reading, before, now, stalls, cpu, .. } = parts;
    let stall_threshold_ns = parts.stall_threshold_ns;
    let reading = stalls.put_right(reading);
    let head = reading.head;
    let since = now.and_then(|now| since_boundary(&head, now));
    let open = now.zip(since).and_then(|(now, since)| open_turn(&head, points_now, now, since));
    // One that has not polled yet was not timed.
    let times = (head.boundary_ns != 0).then(|| {
        let since = since.unwrap_or_default();
        let active_ns = before.active_ns + head.totals.active_ns + since.active_ns;
        (active_ns, before.idle_ns + head.totals.idle_ns + since.idle_ns)
    });
    let drained = |histogram: Histogram| points.drains().then_some(histogram);
    let running = open.filter(|open| open.age_ns >= stall_threshold_ns).zip(now);
    let mut listed: Vec<Stall> = stalls.listed().cloned().collect();
    listed.extend(running.map(|(open, now)| stalls.running(&head, open, now)));
    LoopSnapshot {
        pid,
        tid: head.tid,
        turns: Some(head.totals.turns),
        microtasks: points.drains().then_some(head.totals.microtasks),
        active_ns: times.map(|(active_ns, _)| active_ns),
        idle_ns: times.map(|(_, idle_ns)| idle_ns),
        utilization: times.and_then(|(active_ns, idle_ns)| ratio(active_ns, idle_ns)),
        open,
        arrival_delay_ns: Some(arrival_delay(
            &reading.turn_ns,
            before.idle_ns + head.totals.idle_ns,
        )),
        turn_ns: Some(reading.turn_ns),
        poll_wait_ns: Some(reading.poll_wait_ns),
        timer_lateness_ns: points.has(Point::RunTimers).then_some(reading.lateness_ns),
        phases: phases(points, reading.phase_ns),
        microtask_drain_length: drained(reading.drain_length),
        microtask_drain_ns: drained(reading.drain_ns),
        gc_minor_ns: points.collections().then(|| minor(&reading.gc_ns)),
        gc_major_ns: points.collections().then(|| reading.gc_ns[MARK_COMPACT].clone()),
        thread_pool: ThreadPoolSnapshot::default(),
        stalls: listed,
        stall_totals: stalls.totals(),
        cpu,
        ..LoopSnapshot::default()
    }
}

/// What the loop did since it entered the poll last.
#[derive(Clone, Copy, Debug, Default)]
struct Since {
    active_ns: u64,
    idle_ns: u64,
}

fn since_boundary(head: &Head, now: Now) -> Option<Since> {
    let wall_ns = (head.boundary_ns != 0).then(|| now.at_ns.saturating_sub(head.boundary_ns))?;
    let idle_ns = now.idle_ns.saturating_sub(head.boundary_idle_ns).min(wall_ns);
    Some(Since { active_ns: wall_ns - idle_ns, idle_ns })
}

fn open_turn(head: &Head, points: Points, now: Now, since: Since) -> Option<OpenTurn> {
    let drain = || {
        let age_ns = now.at_ns.saturating_sub(head.drain_start_ns);
        let jobs = now.finished.map_or(0, |finished| finished.saturating_sub(head.drain_base));
        Drain { queue: Queue::Microtask, age_ns, jobs }
    };
    (!now.waits && !head.is_void).then(|| OpenTurn {
        age_ns: since.active_ns,
        phase: phase(head, points),
        drain: (points.drains() && head.drain_start_ns != 0).then(drain),
    })
}

fn phase(head: &Head, points: Points) -> Option<Phase> {
    let (phase, _) = SEEN_PHASES.get(head.phase as usize)?;
    points.phases().then_some(*phase)
}

fn phases(points: Points, seen: [Histogram; PHASES]) -> PhaseMap<Option<Histogram>> {
    let mut phases = PhaseMap::from_fn(|_| None);
    if points.phases() {
        for ((phase, _), histogram) in SEEN_PHASES.into_iter().zip(seen) {
            phases[phase] = Some(histogram);
        }
    }
    phases
}

/// Scavenges, and minor mark-sweeps.
fn minor(kinds: &[Histogram; COLLECTIONS]) -> Histogram {
    let mut all = Histogram::new(loop_core::buckets::Scale::Time);
    let minor = kinds.iter().enumerate().filter(|(kind, _)| *kind != MARK_COMPACT);
    minor.for_each(|(_, kind)| all.merge(kind));
    all
}

fn ratio(active_ns: u64, idle_ns: u64) -> Option<f64> {
    let all_ns = active_ns + idle_ns;
    (all_ns > 0).then(|| active_ns as f64 / all_ns as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn parts(stalls: &Stalls, points: Points, now: Option<Now>) -> Parts<'_> {
        let mut reading = Reading::empty();
        reading.head.boundary_ns = 1_000 * MS;
        reading.head.boundary_idle_ns = 400 * MS;
        reading.head.totals.turns = 3;
        reading.head.totals.active_ns = 30 * MS;
        reading.head.totals.idle_ns = 70 * MS;
        reading.head.drain_start_ns = 1_060 * MS;
        reading.head.drain_base = 7;
        Parts {
            pid: 1,
            points,
            points_now: points,
            reading,
            before: Before::default(),
            now,
            stalls,
            cpu: ThreadCpu::default(),
            stall_threshold_ns: 50 * MS,
        }
    }

    fn full() -> Points {
        let phases = SEEN_PHASES.map(|(_, point)| point);
        Points::of(phases.into_iter().chain([Point::DrainStart, Point::DrainEnd]))
    }

    /// 100 ms behind the boundary, of which the loop has waited 20.
    fn now(waits: bool) -> Now {
        Now {
            at_ns: 1_100 * MS,
            idle_ns: 420 * MS,
            waits,
            finished: Some(1_007),
            run_delay_ns: Some(0),
        }
    }

    #[test]
    fn an_open_turn_is_told_with_its_age_its_drain_and_as_a_running_stall() {
        let stalls = Stalls::new(full(), true, 0);
        let seen = loop_snapshot(parts(&stalls, full(), Some(now(false))));
        let open = seen.open.unwrap();
        assert_eq!(open.age_ns, 80 * MS);
        let drain = Drain { queue: Queue::Microtask, age_ns: 40 * MS, jobs: 1_000 };
        assert_eq!(open.drain, Some(drain));
        assert_eq!((seen.active_ns, seen.idle_ns), (Some(110 * MS), Some(90 * MS)));
        assert_eq!(seen.utilization, Some(0.55));
        let [running] = seen.stalls.as_slice() else { panic!("{:?}", seen.stalls) };
        assert!(running.running);
        assert_eq!((running.duration_ns, running.microtasks), (80 * MS, Some(1_000)));
        assert_eq!(running.ledger_ns.total_ns(), 80 * MS);
    }

    #[test]
    fn times_go_on_behind_a_poll_that_could_not_be_read_and_no_stall_is_invented() {
        let stalls = Stalls::new(full(), true, 0);
        let mut parts = parts(&stalls, full(), Some(now(false)));
        parts.reading.head.is_void = true;
        let seen = loop_snapshot(parts);
        assert_eq!((seen.active_ns, seen.idle_ns), (Some(110 * MS), Some(90 * MS)));
        assert_eq!(seen.open, None);
        assert!(seen.stalls.is_empty());
    }

    #[test]
    fn a_loop_that_waits_has_no_open_turn() {
        let stalls = Stalls::new(full(), true, 0);
        let seen = loop_snapshot(parts(&stalls, full(), Some(now(true))));
        assert_eq!(seen.open, None);
        assert!(seen.stalls.is_empty());
    }

    #[test]
    fn what_has_no_probe_is_none() {
        let points = Points::of([Point::IoPoll]);
        let stalls = Stalls::new(points, true, 0);
        let seen = loop_snapshot(parts(&stalls, points, None));
        assert_eq!(seen.turns, Some(3));
        assert!(seen.turn_ns.is_some() && seen.poll_wait_ns.is_some());
        assert!(seen.timer_lateness_ns.is_none() && seen.microtask_drain_length.is_none());
        assert!(seen.microtasks.is_none() && seen.gc_pause_ns().is_none());
        assert!(seen.phases.0.iter().all(Option::is_none));
        let all = loop_snapshot(parts(&stalls, full(), None));
        assert!(all.phases[Phase::Pending].is_none() && all.phases[Phase::Close].is_none());
        assert!(all.phases[Phase::Poll].is_some() && all.tick_drain_length.is_none());
    }
}
