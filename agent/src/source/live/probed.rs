//! The probes of one process: its loops as they come and go, and what they did.
//!
//! **Invariant**: a loop that has ended keeps its last figures, and its room in the kernel is free
//! for another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_core::snapshot::{Events, Limit, LoopSnapshot, Stall, ThreadCpu, Tier};

use super::baseline::{Baseline, Before};
use super::clock::{Shift, boot_to_monotonic_ns, monotonic_ns};
use super::convert::{self, Now, Parts, Points};
use super::ebpf::{Head, Losses, Reading, SLOTS};
use super::exposure::Exposure;
use super::eye::Eye;
use super::governor::Governor;
use super::layout::UvLayout;
use super::loops::{self, FoundLoop};
use super::memory::Memory;
use super::missed::Missed;
use super::probed_past::{Ended, Past};
use super::set::Set;
use super::stacks::{LoopAt, Stacks};
use super::stalls::Stalls;
use crate::plan::Plan;
use crate::source::quota::Throttled;
use crate::source::schedstat::{self, Account, Accounts};

/// How often the kernel's and the target's memory are read again until they fit together.
const READINGS_MAX: usize = 4;

/// What is the same for all targets of one observation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub(super) stall_threshold_ns: u64,
    /// What to add to the monotonic clock to have the time since the Unix epoch.
    pub(super) unix_offset_ns: u64,
    /// What a hit of a probe costs the target's thread.
    pub(super) hit_ns: u64,
    /// The most that probes may cost it, as a share of its time.
    pub(super) budget_ratio: f64,
}

/// What has to be known of a process to read what its probes mean.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) pid: u32,
    pub(super) plan: Arc<Plan>,
    pub(super) layout: &'static UvLayout,
    pub(super) memory: Arc<Memory>,
    pub(super) shift: Shift,
    pub(super) stacks: Arc<Stacks>,
}

/// A process with probes.
#[derive(Debug)]
pub(super) struct Probed {
    known: Known,
    common: Common,
    set: Set,
    since_ns: u64,
    governor: Governor,
    /// How the tier became what it is, if it isn't what it was.
    fallen: Vec<Limit>,
    loops: BTreeMap<u32, Track>,
    ended: Past,
}

/// A loop that is there.
#[derive(Debug)]
struct Track {
    tid: u32,
    /// The probes that were set when it was seen first.
    points: Points,
    stalls: Stalls,
    /// What it had waited when it was found in memory.
    baseline: Option<Baseline>,
    /// As in [`Seen`].
    first_poll_ns: Option<u64>,
    /// What is accounted to its thread; `None`: it had ended before that could be asked.
    accounts: Option<Accounts>,
    /// What it had used of the CPU when it was seen first, and by now.
    cpu_first: Account,
    cpu: Option<Account>,
    throttled: Throttled,
    exposure: Exposure,
}

/// A loop, as its probes show it. Its thread has no name yet.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) snapshot: LoopSnapshot,
    /// When it entered its poll first that it was seen to, by our monotonic clock: turns are
    /// counted from there on.
    pub(super) first_poll_ns: Option<u64>,
}

impl Probed {
    pub(super) fn new(known: Known, set: Set, common: Common) -> Probed {
        let now_ns = monotonic_ns();
        Probed {
            known,
            set,
            governor: Governor::new(common.budget_ratio, common.hit_ns, now_ns),
            common,
            since_ns: now_ns,
            fallen: Vec::new(),
            loops: BTreeMap::new(),
            ended: Past::default(),
        }
    }

    /// The number of the target in the kernel.
    pub(super) fn index(&self) -> u32 {
        self.set.index
    }

    /// Looks who has come and gone, and takes the stalls that the kernel has kept.
    pub(super) fn tick(&mut self, process_is_there: bool) {
        self.note_exposure();
        if !process_is_there {
            // First of all: a process that executes another program still hits what is set, and
            // the room of its loops is about to be given away.
            self.set.unlink();
        }
        for (slot, head) in self.heads() {
            self.track(slot, &head);
        }
        for slot in self.loops.keys().copied().collect::<Vec<_>>() {
            self.refresh(slot, process_is_there);
        }
    }

    fn heads(&self) -> Vec<(u32, Head)> {
        self.set.kernel.heads().filter(|(_, head)| head.target == self.set.index).collect()
    }

    fn track(&mut self, slot: u32, head: &Head) {
        let (points, unix_offset_ns) = (self.set.probes.points(), self.common.unix_offset_ns);
        let stall_threshold_ns = self.common.stall_threshold_ns;
        let exact = self.set.kernel.is_exact();
        let Known { pid, stacks, .. } = &self.known;
        // What the memory shows is later.
        let baseline = Some(Baseline::of_thread(boot_to_monotonic_ns(head.thread_start_ns)))
            .filter(|baseline| baseline.at_ns >= self.since_ns);
        self.loops.entry(slot).or_insert_with(|| {
            let (pid, tid) = (*pid, head.tid);
            let accounts = Accounts::of(pid, tid).ok();
            let cpu = accounts.as_ref().and_then(|accounts| accounts.read().ok()).flatten();
            let cpu = cpu.and_then(Account::counted);
            let eye = Eye { stacks: Arc::clone(stacks), pid, tid, unix_offset_ns };
            let stalls =
                Stalls::new(points, exact, unix_offset_ns).with(Some(eye), stall_threshold_ns);
            let now_ns = monotonic_ns();
            let exposure = Exposure::since(first_poll_ns(head).unwrap_or(now_ns).min(now_ns));
            Track {
                tid,
                points,
                stalls,
                baseline,
                first_poll_ns: None,
                accounts,
                cpu_first: cpu.unwrap_or_default(),
                cpu,
                throttled: Throttled::default(),
                exposure,
            }
        });
    }

    /// Takes what the loops of these threads had waited when they were found.
    pub(super) fn note_baselines(&mut self, found: impl Iterator<Item = (u32, Baseline)>) {
        for (tid, baseline) in found {
            let is_new = |track: &&mut Track| track.tid == tid && track.baseline.is_none();
            self.loops.values_mut().filter(is_new).for_each(|track| {
                track.baseline = Some(baseline);
            });
        }
    }

    /// Sums up for how long each loop was observed at the tier that was, until now.
    fn note_exposure(&mut self) {
        let (tier, now_ns) = (self.tier(), monotonic_ns());
        self.loops.values_mut().for_each(|track| track.exposure.note(Some(tier), now_ns));
    }

    /// The threads of the loops that are there.
    pub(super) fn tids_there(&self) -> impl Iterator<Item = u32> {
        self.loops.values().map(|track| track.tid)
    }

    /// For how long the control group of the process was throttled by now. Each loop is asked that
    /// has not been asked before, or all of them.
    pub(super) fn note_throttled(&mut self, group_ns: Option<u64>, all: bool) {
        for track in self.loops.values_mut().filter(|track| all || !track.throttled.has_begun()) {
            track.throttled.note(group_ns, track.cpu.map(|cpu| cpu.run_delay_ns));
        }
    }

    /// Takes what is new of one loop; lets go of it if its thread has ended.
    fn refresh(&mut self, slot: u32, process_is_there: bool) {
        let Some(track) = self.loops.get_mut(&slot) else { return };
        let accounts = track.accounts.as_ref().filter(|_| process_is_there);
        let cpu = accounts.and_then(|accounts| accounts.read().ok());
        let is_there = cpu.is_some();
        track.cpu = cpu.flatten().and_then(Account::counted).or(track.cpu);
        let head = self.set.kernel.head(slot);
        if track.first_poll_ns.is_none() {
            // It never changes, so two that agree were not read while the loop wrote.
            let again = first_poll_ns(&self.set.kernel.head(slot));
            track.first_poll_ns = first_poll_ns(&head).filter(|first| Some(*first) == again);
        }
        if head.totals.stalls > track.stalls.newest() {
            track.stalls.take(&self.set.kernel.read(slot));
        }
        if !is_there {
            self.end_loop(slot, None);
        }
    }

    /// It is told by its probes no longer; `now` is what its memory says, if it is there.
    fn end_loop(&mut self, slot: u32, now: Option<Now>) {
        let Some(mut track) = self.loops.remove(&slot) else { return };
        track.stalls.take(&self.set.kernel.read(slot));
        let events = track.stalls.events();
        let seen = self.seen(slot, &track, now);
        let head = self.set.kernel.head(slot);
        let (hits, missed) = (head.totals.hits, Missed::of(&head));
        self.governor.ended(slot, hits);
        self.ended.add(Ended { seen, events, hits, missed });
        // A slot that can't be given back is lost to others, and that they have none is counted.
        let _ = self.set.kernel.release(slot);
    }

    /// Puts together those that have ended, but the newest and those that are told by others, too.
    pub(super) fn fold_ended(&mut self, is_told: impl Fn(u32) -> bool) {
        self.ended.fold(is_told);
    }

    /// The tier to fall to, where the probes cost more than they may.
    pub(super) fn falls_to(&mut self) -> Option<Tier> {
        let now_ns = monotonic_ns();
        let heads = self.loops.keys().map(|&slot| (slot, self.set.kernel.head(slot)));
        let hits = || heads.map(|(slot, head)| (slot, head.totals.hits)).collect();
        let ratio = self.governor.over(now_ns, hits)?;
        let tier = match self.tier() {
            Tier::Full => Tier::Turn,
            Tier::Turn => Tier::Passive,
            Tier::Passive => return None,
        };
        let after_s = now_ns.saturating_sub(self.since_ns) as f64 / 1e9;
        let (cost, budget) = (ratio * 100.0, self.common.budget_ratio * 100.0);
        self.fallen.push(Limit {
            what: format!("what tier {} shows, from {after_s:.1} s on", self.tier().name()),
            why: format!("it cost {cost:.0} % of the loop's time, and may cost {budget:.0} %"),
        });
        Some(tier)
    }

    /// Leaves the probes of a lower tier only. What those that go have counted stays.
    pub(super) fn fall(&mut self, tier: Tier) {
        self.note_exposure();
        // Those that have come meanwhile have been seen by all of them.
        for (slot, head) in self.heads() {
            self.track(slot, &head);
        }
        let now_ns = monotonic_ns();
        if let Err(error) = self.set.reduce(tier) {
            let why = format!("the kernel can't be told of it ({error})");
            self.fallen.push(Limit { what: format!("tier {}", tier.name()), why });
        }
        let points = self.set.probes.points();
        self.loops.values_mut().for_each(|track| track.stalls.reduce(points, now_ns));
        if self.tier() == Tier::Passive {
            for slot in self.loops.keys().copied().collect::<Vec<_>>() {
                self.end_loop(slot, self.now(slot));
            }
        }
    }

    /// Keeps nothing more of what its loops have shown: it is told by others from now on.
    pub(super) fn forget(&mut self) {
        self.ended.forget();
    }

    /// All of its loops.
    pub(super) fn loops(&self) -> Vec<Seen> {
        let ended = self.ended.all().cloned();
        let there = self.loops.iter().map(|(&slot, track)| self.seen(slot, track, self.now(slot)));
        ended.chain(there).collect()
    }

    /// The threads of loops that have entered their poll since, and when they did first.
    pub(super) fn first_polls(&self) -> impl Iterator<Item = (u32, u64)> {
        let there = self.loops.iter().filter_map(|(&slot, track)| {
            let head = || first_poll_ns(&self.set.kernel.head(slot));
            Some((track.tid, track.first_poll_ns.or_else(head)?))
        });
        let of_seen = |seen: &Seen| Some((seen.snapshot.tid, seen.first_poll_ns?));
        // Of two threads of one number the one that is there comes last.
        self.ended.each().filter_map(of_seen).chain(there)
    }

    /// The threads of all loops.
    pub(super) fn tids(&self) -> impl Iterator<Item = u32> {
        let ended = self.ended.each().map(|seen| seen.snapshot.tid);
        self.loops.values().map(|track| track.tid).chain(ended)
    }

    /// Where its loops are that have a slot.
    pub(super) fn places(&self) -> impl Iterator<Item = LoopAt> {
        self.loops.iter().filter_map(|(&slot, track)| {
            let head = self.set.kernel.head(slot);
            let at = LoopAt { tid: track.tid, fields: head.fields, slot: Some(slot) };
            (head.fields != 0).then_some(at)
        })
    }

    /// A loop that has hit no probe yet. That nothing was counted is known.
    pub(super) fn unhit(&self, tid: u32) -> LoopSnapshot {
        let points = self.set.probes.points();
        let snapshot = convert::loop_snapshot(Parts {
            pid: self.known.pid,
            points,
            points_now: points,
            reading: Reading::empty(),
            before: Before::default(),
            now: None,
            stalls: &Stalls::new(points, false, self.common.unix_offset_ns),
            cpu: ThreadCpu::default(),
            stall_threshold_ns: self.common.stall_threshold_ns,
        });
        LoopSnapshot { tid, ..snapshot }
    }

    fn seen(&self, slot: u32, track: &Track, now: Option<Now>) -> Seen {
        let mut stalls = track.stalls.clone();
        let reading = self.set.kernel.read(slot);
        stalls.take(&reading);
        let first_poll_ns = track.first_poll_ns.or_else(|| first_poll_ns(&reading.head));
        let before = track.baseline.map(|baseline| baseline.until_first(&reading.head));
        let snapshot = convert::loop_snapshot(Parts {
            pid: self.known.pid,
            points: track.points,
            points_now: self.set.probes.points(),
            reading,
            before: before.unwrap_or_default(),
            now,
            stalls: &stalls,
            cpu: track.used(),
            stall_threshold_ns: self.common.stall_threshold_ns,
        });
        let snapshot = LoopSnapshot { observed: track.exposure.told(), ..snapshot };
        Seen { snapshot, first_poll_ns }
    }

    /// What the target's memory says, if it fits to what the kernel counted last.
    fn now(&self, slot: u32) -> Option<Now> {
        for _ in 0..READINGS_MAX {
            let head = self.set.kernel.head(slot);
            let now = self.read(&head)?;
            if self.set.kernel.head(slot).boundary_ns == head.boundary_ns {
                return Some(now);
            }
        }
        None
    }

    fn read(&self, head: &Head) -> Option<Now> {
        let Known { pid, plan, layout, memory, shift, .. } = &self.known;
        let offset = plan.data.finished_count_offset;
        let queue = (head.queue != 0).then_some(head.queue);
        let found = FoundLoop {
            tid: head.tid,
            // Not looked at: the slot is this thread's.
            start_ticks: 0,
            address: head.address,
            internal_fields: head.fields,
            main: head.tid == *pid,
            queue,
            finished_count: queue.zip(offset).map(|(queue, offset)| queue + offset),
        };
        let seen = loops::read_loop(memory, &found, layout).ok()?;
        let at_ns = monotonic_ns();
        let since_ns = seen.waiting_since_ns.map(|since_ns| shift.from_target_ns(since_ns));
        let waited_ns = since_ns.map_or(0, |since_ns| at_ns.saturating_sub(since_ns));
        let runs = since_ns.is_none();
        let run_delay_ns = runs.then(|| schedstat::read_of(*pid, head.tid).run_delay_ns).flatten();
        Some(Now {
            at_ns,
            idle_ns: seen.idle_ns + waited_ns,
            waits: since_ns.is_some(),
            finished: seen.finished_microtasks,
            run_delay_ns,
        })
    }

    /// Completed stalls.
    pub(super) fn events(&self) -> Events {
        let mut all = self.ended.events();
        self.loops.values().for_each(|track| all.merge(track.stalls.events()));
        all
    }

    /// The newest of those that are listed, with the threads of their loops.
    pub(super) fn newest_stalls(&self) -> impl Iterator<Item = (u32, &Stall)> {
        self.loops.values().flat_map(|track| track.stalls.listed().map(|stall| (track.tid, stall)))
    }

    /// Ends it: there is no probe any more, and what they have shown stands still until it is
    /// dropped.
    pub(super) fn close(&mut self) {
        self.note_exposure();
        self.set.unlink();
        for (slot, head) in self.heads() {
            self.track(slot, &head);
        }
        for slot in self.loops.keys().copied().collect::<Vec<_>>() {
            self.refresh(slot, true);
        }
    }

    /// The time of the loop's thread that was spent in probes.
    pub(super) fn cost_ns(&self) -> u64 {
        self.most_hits() * self.common.hit_ns
    }

    /// The hits of the loop that has most.
    fn most_hits(&self) -> u64 {
        let there = self.loops.keys().map(|&slot| self.set.kernel.head(slot).totals.hits);
        there.max().unwrap_or(0).max(self.ended.most_hits())
    }

    /// The share of its time that this loop has spent in probes, until then.
    pub(super) fn overhead(&self, until_ns: u64) -> f64 {
        let wall_ns = until_ns.saturating_sub(self.since_ns).max(1);
        self.cost_ns() as f64 / wall_ns as f64
    }

    /// The tier that is observed now.
    pub(super) fn tier(&self) -> Tier {
        self.set.probes.tier
    }

    /// Whether a part of the probes was set for a part of the time only.
    pub(super) fn has_fallen(&self) -> bool {
        !self.fallen.is_empty()
    }

    /// What was seen of all of its loops and could not be counted.
    pub(super) fn missed(&self) -> Missed {
        let mut missed = self.ended.missed();
        let heads = self.loops.keys().map(|&slot| self.set.kernel.head(slot));
        heads.for_each(|head| missed.add(Missed::of(&head)));
        missed
    }

    /// What is not seen.
    pub(super) fn limits(&self) -> Vec<Limit> {
        let missed = self.missed();
        let all = self.set.probes.limits.iter().chain(&self.fallen).cloned();
        all.chain(lost(self.set.kernel.losses())).chain(missed.limits()).collect()
    }
}

fn first_poll_ns(head: &Head) -> Option<u64> {
    Baseline::first(head).map(|first| first.at_ns)
}

/// What the kernel side had no room for.
fn lost(losses: Losses) -> Option<Limit> {
    let hits = losses.no_slot + losses.no_thread;
    (hits > 0).then(|| Limit {
        what: format!("loops beyond the {SLOTS}th of all targets"),
        why: format!("there is no room in the kernel for more ({hits} hits were left out)"),
    })
}

impl Track {
    /// What its thread has used of the CPU, and waited for it, since it was seen first.
    fn used(&self) -> ThreadCpu {
        let Some(now) = self.cpu else { return ThreadCpu::default() };
        let run_delay_ns = Some(now.run_delay_ns.saturating_sub(self.cpu_first.run_delay_ns));
        ThreadCpu {
            on_cpu_ns: Some(now.on_cpu_ns.saturating_sub(self.cpu_first.on_cpu_ns)),
            run_delay_ns,
            throttled_ns: self.throttled.of(run_delay_ns),
        }
    }
}
