//! Which pathology each stall belongs to: one stall, one name.
//!
//! ```text
//! stall ──> was the thread kept from running, and would it have been no stall else?
//!           frozen | cpu-starved
//!       ──> is a flood of one of Node's queues in it?   microtask-flood | next-tick-starvation
//!       ──> what did the loop itself do most of the time?
//!           waited: sync-io | collected garbage: gc-pressure | ran callbacks:
//!             many short ones: timer-storm | poll-flood | immediate-flood, by the phase
//!             else: cpu-bound-callback
//! ```
//!
//! Only the newest stalls are listed with their details. Older ones are known by cause alone, and
//! go where most of the listed time of their cause went.
//!
//! **Invariant**: the groups together hold every stall once.

use loop_core::Phase;
use loop_core::snapshot::{
    Culprit, Drain, Histogram, Ledger, LedgerKey, LoopSnapshot, Queue, Repeated, Stall,
};

use super::Id;
use super::id::COUNT;
use super::thresholds::{FLOOD_JOBS, LONGEST_SHARE, MANY_CALLBACKS, STALL_NS};

/// Causes by which a thread that could run is kept from it.
const TAKEN: [LedgerKey; 3] = [LedgerKey::Frozen, LedgerKey::Throttled, LedgerKey::RunQueue];

/// The stalls of one loop that belong to one pathology.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub(super) count: u64,
    pub(super) duration_ns: u64,
    /// Those of which the details are known.
    pub(super) listed: Vec<&'a Stall>,
}

impl<'a> Group<'a> {
    pub(super) fn longest(&self) -> Option<&'a Stall> {
        self.listed.iter().copied().max_by_key(|stall| stall.duration_ns)
    }

    /// How many are known by cause alone.
    pub(super) fn unlisted(&self) -> u64 {
        self.count.saturating_sub(self.listed.len() as u64)
    }

    /// That of the longest stall that has one.
    pub(super) fn culprit(&self) -> Option<Culprit> {
        let known = self.listed.iter().filter(|stall| stall.culprit.is_some());
        known.max_by_key(|stall| stall.duration_ns)?.culprit.clone()
    }

    fn add(&mut self, count: u64, duration_ns: u64) {
        self.count = self.count.saturating_add(count);
        self.duration_ns = self.duration_ns.saturating_add(duration_ns);
    }
}

/// All stalls of one loop, by pathology.
#[derive(Debug)]
pub(super) struct Groups<'a>([Group<'a>; COUNT]);

impl<'a> Groups<'a> {
    pub(super) fn of(seen: &'a LoopSnapshot) -> Groups<'a> {
        let mut groups = Groups(std::array::from_fn(|_| Group::default()));
        let listed: Vec<(Id, &Stall)> =
            seen.stalls.iter().map(|stall| (of_stall(stall, seen), stall)).collect();
        for (id, stall) in &listed {
            let group = &mut groups.0[*id as usize];
            group.add(1, stall.duration_ns);
            group.listed.push(stall);
        }
        for cause in LedgerKey::ALL {
            let same = |stall: &Stall| !stall.running && stall.ledger_ns.cause() == cause;
            let ended = || listed.iter().filter(|(_, stall)| same(stall));
            let known_ns = ended().map(|(_, stall)| stall.duration_ns).fold(0, u64::saturating_add);
            let totals = &seen.stall_totals;
            let count = totals.count(cause).saturating_sub(ended().count() as u64);
            if count > 0 {
                let rest_ns = totals.duration_ns(cause).saturating_sub(known_ns);
                let alike = ended().map(|(id, stall)| (*id, stall.duration_ns));
                groups.0[most(alike).unwrap_or_else(|| of_cause(cause, seen)) as usize]
                    .add(count, rest_ns);
            }
        }
        groups
    }

    pub(super) fn get(&self, id: Id) -> &Group<'a> {
        &self.0[id as usize]
    }

    /// All of them: how many, and how long.
    pub(super) fn all(&self) -> (u64, u64) {
        let sum = |total: u64, part: u64| total.saturating_add(part);
        self.0.iter().fold((0, 0), |(count, ns), group| {
            (sum(count, group.count), sum(ns, group.duration_ns))
        })
    }
}

/// The id with the most time; the first of equals.
fn most(listed: impl Iterator<Item = (Id, u64)>) -> Option<Id> {
    let mut times = [0_u64; COUNT];
    listed.for_each(|(id, ns)| times[id as usize] = times[id as usize].saturating_add(ns));
    Id::ALL
        .into_iter()
        .filter(|&id| times[id as usize] > 0)
        .reduce(|best, id| if times[id as usize] > times[best as usize] { id } else { best })
}

fn of_stall(stall: &Stall, seen: &LoopSnapshot) -> Id {
    let (taken_ns, own_ns) = (taken_ns(&stall.ledger_ns), own_ns(stall));
    if own_ns < STALL_NS && taken_ns > own_ns {
        let frozen_ns = stall.ledger_ns.get(LedgerKey::Frozen).unwrap_or(0);
        return if frozen_ns > taken_ns - frozen_ns { Id::Frozen } else { Id::CpuStarved };
    }
    let cause = own_cause(&stall.ledger_ns);
    match cause {
        LedgerKey::SyncIo | LedgerKey::LockWait => Id::SyncIo,
        LedgerKey::Ticks if flood(seen, Queue::NextTick).is_some() => Id::NextTickStarvation,
        LedgerKey::Ticks if stall.repeated == Some(Repeated::Ticks) => Id::NextTickStarvation,
        _ if is_flooded(stall, seen) => Id::MicrotaskFlood,
        _ if is_ping_pong(stall, seen) => Id::NextTickStarvation,
        LedgerKey::Gc => Id::GcPressure,
        _ => of_callbacks(stall, seen),
    }
}

/// Where a stall goes of which the cause alone is known, and none like it is listed.
fn of_cause(cause: LedgerKey, seen: &LoopSnapshot) -> Id {
    match cause {
        LedgerKey::Frozen => Id::Frozen,
        LedgerKey::Throttled | LedgerKey::RunQueue => Id::CpuStarved,
        LedgerKey::SyncIo | LedgerKey::LockWait => Id::SyncIo,
        LedgerKey::Gc => Id::GcPressure,
        LedgerKey::Microtasks if flood(seen, Queue::Microtask).is_some() => Id::MicrotaskFlood,
        LedgerKey::Ticks if flood(seen, Queue::NextTick).is_some() => Id::NextTickStarvation,
        _ => Id::CpuBoundCallback,
    }
}

/// The time in which the thread could have run and was kept from it.
pub(super) fn taken_ns(ledger: &Ledger) -> u64 {
    TAKEN.iter().filter_map(|&key| ledger.get(key)).fold(0, u64::saturating_add)
}

/// The rest of the stall: the loop's own work and waits.
pub(super) fn own_ns(stall: &Stall) -> u64 {
    stall.duration_ns.saturating_sub(taken_ns(&stall.ledger_ns))
}

/// What the loop itself did most of the time.
pub(super) fn own_cause(ledger: &Ledger) -> LedgerKey {
    let own = ledger.iter().filter(|(key, _)| !TAKEN.contains(key));
    own.fold(Ledger::default(), |own, (key, ns)| ns.map_or(own, |ns| own.with(key, ns))).cause()
}

/// Whether one drain of many microtasks explains the stall. To make the promises of a flood may
/// take longer than their reactions do, so the cause does not decide.
fn is_flooded(stall: &Stall, seen: &LoopSnapshot) -> bool {
    let Some(jobs) = stall.microtasks.filter(|&jobs| jobs >= FLOOD_JOBS) else {
        // Where microtasks of single stalls aren't counted, the cause must do.
        return stall.microtasks.is_none()
            && own_cause(&stall.ledger_ns) == LedgerKey::Microtasks
            && flood(seen, Queue::Microtask).is_some();
    };
    // A flood of another turn makes none of the short drains of this one.
    let has_none = stall.drain.as_ref().is_some_and(|longest| longest.jobs < FLOOD_JOBS);
    if has_none || flood(seen, Queue::Microtask).is_none() {
        return false;
    }
    let callbacks = stall.callbacks.unwrap_or(0);
    let longest_ns = seen.microtask_drain_ns.as_ref().map_or(0, |drains| drains.max);
    callbacks < MANY_CALLBACKS
        || jobs / callbacks >= FLOOD_JOBS
        || explains(longest_ns, stall.duration_ns)
}

/// Whether nextTicks and microtasks queued each other: behind one callback, the microtasks fall
/// into several drains only if nextTicks ran between them. Where ticks can't be counted, callbacks
/// can't either: one event of a live Node.js may call hundreds, each with drains of its own. There
/// it takes samples that saw one tick after the other, behind a single event.
fn is_ping_pong(stall: &Stall, seen: &LoopSnapshot) -> bool {
    let in_queues = matches!(own_cause(&stall.ledger_ns), LedgerKey::Microtasks | LedgerKey::Ticks);
    let behind = match seen.tick_drain_length {
        Some(_) => stall.callbacks,
        None => stall.callbacks.is_none().then_some(1),
    };
    let in_ticks = seen.tick_drain_length.is_some() || stall.repeated == Some(Repeated::Ticks);
    let many = stall
        .microtasks
        .zip(behind)
        .is_some_and(|(jobs, callbacks)| in_ticks && jobs / callbacks.max(1) >= FLOOD_JOBS);
    let counted = seen.microtask_drain_length.is_some();
    let is_flood = match &stall.drain {
        Some(longest) => longest.jobs >= FLOOD_JOBS,
        None => flood(seen, Queue::Microtask).is_some(),
    };
    in_queues && many && counted && !is_flood
}

/// A stall of callbacks: one long one, or very many.
fn of_callbacks(stall: &Stall, seen: &LoopSnapshot) -> Id {
    match stall.repeated {
        Some(Repeated::Timers) => return Id::TimerStorm,
        Some(Repeated::Events) => return Id::PollFlood,
        Some(Repeated::Immediates) => return Id::ImmediateFlood,
        Some(Repeated::Ticks) | None => {}
    }
    let Some(callbacks) = stall.callbacks.filter(|&callbacks| callbacks >= MANY_CALLBACKS) else {
        return Id::CpuBoundCallback;
    };
    let each_is_long = own_ns(stall) / callbacks >= STALL_NS;
    if each_is_long || longest_callback_ns(stall, seen).is_some_and(|longest| longest.explains) {
        return Id::CpuBoundCallback;
    }
    match stall.phase {
        Some(Phase::Timers) => Id::TimerStorm,
        Some(Phase::Poll) => Id::PollFlood,
        Some(Phase::Check) if seen.immediates != Some(0) => Id::ImmediateFlood,
        _ => Id::CpuBoundCallback,
    }
}

/// The longest callback that a stall can hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Longest {
    pub(super) ns: u64,
    /// Whether it explains the stall alone.
    pub(super) explains: bool,
}

/// The longest callback of the stall's phase that is not longer than the stall; `None` where
/// callbacks are not timed.
pub(super) fn longest_callback_ns(stall: &Stall, seen: &LoopSnapshot) -> Option<Longest> {
    let timed = seen.callbacks_ns[stall.phase?].as_ref()?;
    // A bucket's midpoint may lie above what was counted into it.
    let most_ns = stall.duration_ns.saturating_add(stall.duration_ns / 32);
    let exact = (!timed.is_empty() && timed.max <= stall.duration_ns).then_some(timed.max);
    let fits = || timed.values().map(|(ns, _)| ns).filter(|&ns| ns <= most_ns).max();
    let ns = exact.or_else(fits)?;
    Some(Longest { ns, explains: explains(ns, stall.duration_ns) })
}

fn explains(part_ns: u64, stall_ns: u64) -> bool {
    part_ns as f64 >= stall_ns as f64 * LONGEST_SHARE
}

/// The longest drain of a queue, where it is a flood.
#[derive(Clone, Copy, Debug)]
pub(super) struct LongestDrain {
    pub(super) jobs: u64,
    /// Whether it still runs.
    pub(super) open: bool,
}

/// The longest drain of the queue, if it is a flood.
pub(super) fn flood(seen: &LoopSnapshot, queue: Queue) -> Option<LongestDrain> {
    let ended = lengths(seen, queue).map_or(0, |lengths| lengths.max);
    let open = open_drain(seen, queue).map_or(0, |drain| drain.jobs);
    let longest = LongestDrain { jobs: ended.max(open), open: open > ended };
    (longest.jobs >= FLOOD_JOBS).then_some(longest)
}

pub(super) fn lengths(seen: &LoopSnapshot, queue: Queue) -> Option<&Histogram> {
    match queue {
        Queue::Microtask => seen.microtask_drain_length.as_ref(),
        Queue::NextTick => seen.tick_drain_length.as_ref(),
    }
}

pub(super) fn open_drain(seen: &LoopSnapshot, queue: Queue) -> Option<Drain> {
    seen.open.and_then(|open| open.drain).filter(|drain| drain.queue == queue)
}
