//! One observed process: its probes, its loops as they come and go, and what they did.
//!
//! **Invariant**: a loop that has ended keeps its last figures, and its room in the kernel is free
//! for another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_core::snapshot::{
    Events, Limit, LoopSnapshot, Runtime, Source, Target as Described, ThreadCpu, Tier,
};

use super::candidate::Candidate;
use super::clock::monotonic_ns;
use super::convert::{self, Now, Parts, Points};
use super::ebpf::{Head, Kernel, Link, Losses, SLOTS};
use super::governor::Governor;
use super::layout::UvLayout;
use super::loops::{self, FoundLoop};
use super::memory::Memory;
use super::probes::Probes;
use super::stalls::Stalls;
use crate::plan::Plan;
use crate::process::Process;
use crate::source::schedstat;

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

/// An observed process.
#[derive(Debug)]
pub(super) struct Target {
    process: Process,
    plan: Arc<Plan>,
    layout: &'static UvLayout,
    memory: Memory,
    common: Common,
    index: u32,
    since_ns: u64,
    /// The probes that are set, or were.
    points: Points,
    probes: Probes,
    governor: Governor,
    /// How the tier became what it is, if it isn't what it was.
    fallen: Vec<Limit>,
    links: Vec<Link>,
    loops: BTreeMap<u32, Track>,
    ended: Vec<Ended>,
    workers: u32,
    until_ns: Option<u64>,
    /// Whether it was looked at what came after it.
    renewed: bool,
}

/// A loop that is there.
#[derive(Debug)]
struct Track {
    tid: u32,
    thread: String,
    stalls: Stalls,
    /// What its thread had used of the CPU when it was seen first, and by now.
    cpu_first: ThreadCpu,
    cpu: ThreadCpu,
}

/// A loop that is not there any more.
#[derive(Debug)]
struct Ended {
    snapshot: LoopSnapshot,
    events: Events,
    hits: u64,
}

impl Target {
    /// A process into which these probes are set.
    pub(super) fn new(
        index: u32,
        candidate: Candidate,
        probes: Probes,
        links: Vec<Link>,
        common: Common,
    ) -> Target {
        let Candidate { process, memory, plan, layout, .. } = candidate;
        let now_ns = monotonic_ns();
        Target {
            process,
            plan,
            layout,
            memory,
            common,
            index,
            since_ns: now_ns,
            points: probes.points(),
            probes,
            governor: Governor::new(common.budget_ratio, common.hit_ns, now_ns),
            fallen: Vec::new(),
            links,
            loops: BTreeMap::new(),
            ended: Vec::new(),
            workers: 0,
            until_ns: None,
            renewed: false,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.identity().pid
    }

    pub(super) fn has_ended(&self) -> bool {
        self.until_ns.is_some()
    }

    /// Its number, once, if it executes another program by now.
    pub(super) fn take_renewed(&mut self) -> Option<u32> {
        let renewed = self.has_ended() && !self.renewed && self.process.identity().is_alive();
        self.renewed |= self.has_ended();
        renewed.then(|| self.pid())
    }

    /// Looks who has come and gone, and takes the stalls that the kernel has kept. Called ten times
    /// a second.
    pub(super) fn tick(&mut self, kernel: &Kernel) {
        if self.has_ended() {
            return;
        }
        let is_there = self.process.is_same_image() && self.process.identity().is_alive();
        if !is_there {
            // First of all: a process that executes another program still hits what is set, and
            // the room of its loops is about to be given away.
            self.links.clear();
            self.until_ns = Some(monotonic_ns());
        }
        let mut heads = self.heads(kernel);
        // Workers are numbered as they were started.
        heads.sort_by_key(|(_, head)| head.thread_start_ns);
        heads.iter().for_each(|(slot, head)| self.track(*slot, head));
        let slots: Vec<u32> = self.loops.keys().copied().collect();
        for slot in slots {
            self.refresh(kernel, slot, is_there);
        }
        if is_there {
            self.govern(kernel);
        }
    }

    /// Takes probes away where they cost more than they may.
    fn govern(&mut self, kernel: &Kernel) {
        let now_ns = monotonic_ns();
        let Some(ratio) = self.governor.over(now_ns, self.most_hits(kernel)) else { return };
        let tier = match self.probes.tier {
            Tier::Full => Tier::Turn,
            Tier::Turn => Tier::Passive,
            Tier::Passive => return,
        };
        let after_s = now_ns.saturating_sub(self.since_ns) as f64 / 1e9;
        let (cost, budget) = (ratio * 100.0, self.common.budget_ratio * 100.0);
        self.fallen.push(Limit {
            what: format!("what tier {} shows, from {after_s:.1} s on", self.probes.tier.name()),
            why: format!("it cost {cost:.0} % of the loop's time, and may cost {budget:.0} %"),
        });
        self.set_tier(kernel, tier);
    }

    /// Sets the probes of a lower tier instead of those that are set.
    fn set_tier(&mut self, kernel: &Kernel, tier: Tier) {
        self.links.clear();
        self.probes.reduce(tier);
        let set = kernel
            .set_target(self.index, &self.probes.layout)
            .and_then(|()| self.probes.link(kernel, self.index, self.pid()));
        match set {
            Ok(links) => self.links = links,
            Err(error) => {
                let why = format!("its probes could not be set ({error})");
                self.fallen.push(Limit { what: format!("tier {}", tier.name()), why });
                self.probes.reduce(Tier::Passive);
            }
        }
        if self.links.is_empty() {
            self.end_loops(kernel);
        }
    }

    /// No probe is set any more: what was counted is kept.
    fn end_loops(&mut self, kernel: &Kernel) {
        for slot in self.loops.keys().copied().collect::<Vec<_>>() {
            self.end_loop(kernel, slot);
        }
    }

    fn heads(&self, kernel: &Kernel) -> Vec<(u32, Head)> {
        kernel.heads().filter(|(_, head)| head.target == self.index).collect()
    }

    fn track(&mut self, slot: u32, head: &Head) {
        if self.loops.contains_key(&slot) {
            return;
        }
        let thread = if head.tid == self.pid() {
            "main".to_owned()
        } else {
            self.workers += 1;
            format!("worker-{}", self.workers)
        };
        let cpu = schedstat::read_of(self.pid(), head.tid);
        let stalls = Stalls::new(self.points, self.common.unix_offset_ns);
        self.loops.insert(slot, Track { tid: head.tid, thread, stalls, cpu_first: cpu, cpu });
    }

    /// Takes what is new of one loop; lets go of it if its thread has ended.
    fn refresh(&mut self, kernel: &Kernel, slot: u32, process_is_there: bool) {
        let pid = self.pid();
        let Some(track) = self.loops.get_mut(&slot) else { return };
        let cpu = schedstat::read_of(pid, track.tid);
        let is_there = process_is_there && cpu.on_cpu_ns.is_some();
        if is_there {
            track.cpu = cpu;
        }
        let head = kernel.head(slot);
        if head.totals.stalls > track.stalls.newest() {
            track.stalls.take(&kernel.read(slot));
        }
        if is_there {
            return;
        }
        self.end_loop(kernel, slot);
    }

    fn end_loop(&mut self, kernel: &Kernel, slot: u32) {
        let Some(track) = self.loops.remove(&slot) else { return };
        let events = track.stalls.events();
        let snapshot = self.snapshot_of(kernel, slot, &track, None);
        let hits = kernel.head(slot).totals.hits;
        self.ended.push(Ended { snapshot, events, hits });
        // A slot that can't be given back is lost to others, and that they have none is counted.
        let _ = kernel.release(slot);
    }

    /// All of its loops.
    pub(super) fn loops(&self, kernel: &Kernel) -> Vec<LoopSnapshot> {
        let ended = self.ended.iter().map(|ended| ended.snapshot.clone());
        let there = self.loops.iter().map(|(&slot, track)| {
            let now = self.now(kernel, slot);
            self.snapshot_of(kernel, slot, track, now)
        });
        ended.chain(there).collect()
    }

    fn snapshot_of(
        &self,
        kernel: &Kernel,
        slot: u32,
        track: &Track,
        now: Option<Now>,
    ) -> LoopSnapshot {
        let mut stalls = track.stalls.clone();
        let reading = kernel.read(slot);
        stalls.take(&reading);
        convert::loop_snapshot(Parts {
            pid: self.pid(),
            thread: track.thread.clone(),
            points: self.points,
            points_now: self.probes.points(),
            reading,
            now,
            stalls: &stalls,
            cpu: since(track.cpu, track.cpu_first),
            stall_threshold_ns: self.common.stall_threshold_ns,
        })
    }

    /// What the target's memory says, if it fits to what the kernel counted last.
    fn now(&self, kernel: &Kernel, slot: u32) -> Option<Now> {
        for _ in 0..READINGS_MAX {
            let head = kernel.head(slot);
            let now = self.read(&head)?;
            if kernel.head(slot).boundary_ns == head.boundary_ns {
                return Some(now);
            }
        }
        None
    }

    fn read(&self, head: &Head) -> Option<Now> {
        let offset = self.plan.data.finished_count_offset;
        let queue = (head.queue != 0).then_some(head.queue);
        let found = FoundLoop {
            tid: head.tid,
            // Not looked at: the slot is this thread's.
            start_ticks: 0,
            address: head.address,
            internal_fields: head.fields,
            main: head.tid == self.pid(),
            queue,
            finished_count: queue.zip(offset).map(|(queue, offset)| queue + offset),
        };
        let seen = loops::read_loop(&self.memory, &found, self.layout).ok()?;
        let at_ns = monotonic_ns();
        let waited_ns = seen.waiting_since_ns.map_or(0, |since| at_ns.saturating_sub(since));
        Some(Now {
            at_ns,
            idle_ns: seen.idle_ns + waited_ns,
            waits: seen.waiting_since_ns.is_some(),
            finished: seen.finished_microtasks,
        })
    }

    /// Completed stalls.
    pub(super) fn events(&self) -> Events {
        let mut all = Events::default();
        self.ended.iter().for_each(|ended| all.merge(ended.events));
        self.loops.values().for_each(|track| all.merge(track.stalls.events()));
        all
    }

    /// The hits of the loop that has most.
    fn most_hits(&self, kernel: &Kernel) -> u64 {
        let there = self.loops.keys().map(|&slot| kernel.head(slot).totals.hits);
        there.chain(self.ended.iter().map(|ended| ended.hits)).max().unwrap_or(0)
    }

    /// The share of its time that this loop has spent in probes.
    fn overhead(&self, kernel: &Kernel) -> f64 {
        let until_ns = self.until_ns.unwrap_or_else(monotonic_ns);
        let wall_ns = until_ns.saturating_sub(self.since_ns).max(1);
        (self.most_hits(kernel) * self.common.hit_ns) as f64 / wall_ns as f64
    }

    fn limits(&self, kernel: &Kernel) -> Vec<Limit> {
        let all = self.probes.limits.iter().chain(&self.fallen).cloned();
        all.chain(lost(kernel.losses())).collect()
    }

    /// Who it is, and how it is observed.
    pub(super) fn describe(&self, kernel: &Kernel) -> Described {
        Described {
            pid: self.pid(),
            name: self.process.name().to_owned(),
            runtime: Runtime::NodeJs,
            runtime_version: self.plan.versions.node.clone().unwrap_or_else(|| "unknown".into()),
            source: Source::Ebpf,
            tier: self.probes.tier,
            overhead_ratio: Some(self.overhead(kernel)),
            sampled: !self.fallen.is_empty(),
            limits: self.limits(kernel),
        }
    }
}

/// What the kernel side had no room for.
fn lost(losses: Losses) -> Option<Limit> {
    let hits = losses.no_slot + losses.no_thread;
    (hits > 0).then(|| Limit {
        what: format!("loops beyond the {SLOTS}th of all targets"),
        why: format!("there is no room in the kernel for more ({hits} hits were left out)"),
    })
}

fn since(now: ThreadCpu, then: ThreadCpu) -> ThreadCpu {
    let sub = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
    ThreadCpu {
        on_cpu_ns: sub(now.on_cpu_ns, then.on_cpu_ns),
        run_delay_ns: sub(now.run_delay_ns, then.run_delay_ns),
        throttled_ns: None,
    }
}
