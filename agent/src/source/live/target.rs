//! One observed process: what its probes count, and what its memory shows besides.
//!
//! ```text
//! probed (kernel) ──────┐
//!                       ├──> one LoopSnapshot a loop, with its thread's name
//! passive (memory) ─────┘
//! ```
//!
//! Probes see what happens from the moment they are set. Memory shows what was already going on: a
//! loop that has been stuck for an hour hits no probe. So a loop is told by its probes from its
//! first poll on, and by its memory before that, and where it has no probes.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_core::snapshot::{
    Events, Limit, LoopSnapshot, Runtime, Source, Target as Described, Tier,
};

use super::candidate::Candidate;
use super::clock::{Shift, monotonic_ns};
use super::loops::Places;
use super::passive::{self, Passive};
use super::probed::{Common, Known, Probed, Seen, Set};
use crate::process::Process;

/// How often a target is looked at that has probes.
const TICK_NS: u64 = 100_000_000;

/// How often the kernel is asked for the state of a target whose memory is there.
const STATE_NS: u64 = 1_000_000_000;

/// An observed process.
#[derive(Debug)]
pub(super) struct Target {
    process: Arc<Process>,
    version: Option<String>,
    passive: Passive,
    probed: Option<Probed>,
    /// Why it has no probes.
    unprobed: Vec<Limit>,
    names: Names,
    since_unix_ns: u64,
    until_ns: Option<u64>,
    /// When to look next, and when to ask for its state next.
    due_ns: u64,
    state_ns: u64,
    /// Whether it was looked at what came after it.
    renewed: bool,
}

/// The names of the threads that run loops: workers are numbered as they were seen.
#[derive(Debug, Default)]
struct Names(BTreeMap<u32, usize>);

impl Names {
    fn add(&mut self, mut tids: Vec<u32>) {
        tids.retain(|tid| !self.0.contains_key(tid));
        tids.sort_unstable();
        tids.dedup();
        for tid in tids {
            self.0.insert(tid, self.0.len() + 1);
        }
    }

    fn of(&self, pid: u32, tid: u32) -> String {
        match self.0.get(&tid) {
            _ if tid == pid => "main".to_owned(),
            Some(number) => format!("worker-{number}"),
            None => format!("worker-{}", self.0.len() + 1),
        }
    }
}

impl Target {
    /// A process, with the probes that are set into it; without, `unprobed` says why.
    pub(super) fn new(
        candidate: Candidate,
        set: Option<Set>,
        unprobed: Vec<Limit>,
        common: Common,
    ) -> Target {
        let Candidate { process, memory, plan, layout, files } = candidate;
        let (process, memory) = (Arc::new(process), Arc::new(memory));
        let version = plan.versions.node.clone();
        let passive = Passive::new(
            Arc::clone(&process),
            Arc::clone(&memory),
            layout,
            Places::of(&plan, &files),
            passive::Options { threshold_ns: common.stall_threshold_ns },
        );
        let shift = Shift::to(&process);
        let known = Known { pid: process.identity().pid, plan, layout, memory, shift };
        Target {
            process,
            version,
            passive,
            probed: set.map(|set| Probed::new(known, set, common)),
            unprobed,
            names: Names::default(),
            since_unix_ns: monotonic_ns() + common.unix_offset_ns,
            until_ns: None,
            due_ns: 0,
            state_ns: 0,
            renewed: false,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.identity().pid
    }

    /// Its number in the kernel, if it has probes.
    pub(super) fn index(&self) -> Option<u32> {
        self.probed.as_ref().map(Probed::index)
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

    /// When to look at its loops next, by the monotonic clock.
    pub(super) fn due_ns(&self) -> u64 {
        if self.has_ended() { u64::MAX } else { self.due_ns }
    }

    /// Looks at its loops.
    pub(super) fn tick(&mut self) {
        if self.has_ended() {
            return;
        }
        let now_ns = monotonic_ns();
        let is_there = self.is_there(now_ns);
        // At the same moments for all targets, so that one wake-up serves them all.
        self.due_ns = (now_ns / TICK_NS + 1) * TICK_NS;
        if !is_there {
            self.until_ns = Some(now_ns);
        }
        if let Some(probed) = &mut self.probed {
            probed.tick(is_there);
        }
        if !is_there || self.needs_memory() {
            self.due_ns = self.passive.tick(now_ns).min(self.due_ns);
        }
        let pid = self.pid();
        let probed = self.probed.iter().flat_map(Probed::tids);
        let tids: Vec<u32> = probed.chain(self.passive.tids()).filter(|&tid| tid != pid).collect();
        self.names.add(tids);
    }

    /// Whether it executes what it did. A process that has ended has no memory, unless another
    /// shares it; its state tells in any case, and costs more to ask for.
    fn is_there(&mut self, now_ns: u64) -> bool {
        if !self.process.is_same_image() {
            return false;
        }
        if now_ns < self.state_ns {
            return true;
        }
        self.state_ns = now_ns + STATE_NS;
        self.process.identity().is_alive()
    }

    /// Whether there is a loop that no probe has shown yet.
    fn needs_memory(&self) -> bool {
        let Some(probed) = self.probed.as_ref().filter(|of| of.tier() != Tier::Passive) else {
            return true;
        };
        let seen = probed.turning();
        let loops = self.passive.loops();
        self.passive.state().no_main.is_some()
            || loops.iter().any(|of| !seen.contains(&of.tid))
            || loops.iter().any(|of| of.stalls.iter().any(|stall| stall.running))
    }

    fn seen(&self) -> Vec<Seen> {
        self.probed.as_ref().map(Probed::loops).unwrap_or_default()
    }

    /// All of its loops.
    pub(super) fn loops(&self) -> Vec<LoopSnapshot> {
        let mut seen = self.seen();
        let tier = self.tier();
        for of in self.passive.loops() {
            match seen.iter_mut().rev().find(|known| known.snapshot.tid == of.tid) {
                None => seen.push(Seen { snapshot: self.unhit(of), turns: false }),
                Some(known) if tier == Tier::Passive || !known.turns => {
                    complete(&mut known.snapshot, of);
                }
                Some(known) => add_earlier(&mut known.snapshot, &of, self.since_unix_ns),
            }
        }
        let pid = self.pid();
        let mut loops: Vec<LoopSnapshot> = seen.into_iter().map(|seen| seen.snapshot).collect();
        for of in &mut loops {
            of.thread = self.names.of(pid, of.tid);
        }
        loops.sort_by_key(|of| (of.tid != pid, of.tid));
        loops
    }

    /// A loop that no probe has shown.
    fn unhit(&self, memory: LoopSnapshot) -> LoopSnapshot {
        let Some(probed) = &self.probed else { return memory };
        let mut snapshot = probed.unhit(memory.tid);
        snapshot.cpu = memory.cpu;
        complete(&mut snapshot, memory);
        snapshot
    }

    /// Completed stalls.
    pub(super) fn events(&self) -> Events {
        match &self.probed {
            Some(probed) if probed.tier() != Tier::Passive => {
                let mut events = probed.events();
                let began_before = |stall: &&loop_core::snapshot::Stall| {
                    !stall.running && stall.start_unix_ns < self.since_unix_ns
                };
                let loops = self.passive.loops();
                let earlier = loops.iter().flat_map(|of| &of.stalls).filter(began_before).count();
                events.merge(Events { seen: earlier as u64, kept: earlier as u64, dropped: 0 });
                events
            }
            _ => self.passive.events(),
        }
    }

    fn tier(&self) -> Tier {
        self.probed.as_ref().map_or(Tier::Passive, Probed::tier)
    }

    fn limits(&self) -> Vec<Limit> {
        let mut limits = match &self.probed {
            Some(probed) => probed.limits(),
            None => self.unprobed.clone(),
        };
        let state = self.passive.state();
        let limit = |what: &str, why: String| Limit { what: what.to_owned(), why };
        limits.extend(
            state
                .no_main
                .filter(|_| self.probed.as_ref().is_none_or(|probed| probed.turning().is_empty()))
                .map(|why| limit("the main thread's loop", why.to_owned())),
        );
        if !self.has_ended() && self.process.identity().is_stopped() {
            let why = format!("it is stopped; `kill -CONT {}` lets it go on", self.pid());
            limits.push(limit("what the process would do now", why));
        }
        if self.tier() == Tier::Passive {
            let why = "memory is read 10 to 100 times a second, so they are lower bounds";
            limits.push(limit("how long stalls lasted, exactly", why.to_owned()));
        }
        if state.unseen_threads > 0 && self.tier() == Tier::Passive {
            let why = format!("{} threads compute all the time", state.unseen_threads);
            limits.push(limit("loops of workers that were busy from the start", why));
        }
        limits
    }

    /// Who it is, and how it is observed.
    pub(super) fn describe(&self) -> Described {
        let until_ns = self.until_ns.unwrap_or_else(monotonic_ns);
        Described {
            pid: self.pid(),
            name: self.process.name().to_owned(),
            runtime: Runtime::NodeJs,
            runtime_version: self.version.clone().unwrap_or_else(|| "unknown".into()),
            source: Source::Ebpf,
            tier: self.tier(),
            overhead_ratio: Some(self.probed.as_ref().map_or(0.0, |of| of.overhead(until_ns))),
            sampled: self.probed.as_ref().is_some_and(Probed::has_fallen),
            limits: self.limits(),
        }
    }
}

/// What the memory shows of a loop whose probes were not hit since it polled last, or are gone.
fn complete(known: &mut LoopSnapshot, memory: LoopSnapshot) {
    known.turns = memory.turns;
    known.active_ns = memory.active_ns;
    known.idle_ns = memory.idle_ns;
    known.utilization = memory.utilization;
    known.open = memory.open;
    known.microtasks = known.microtasks.max(memory.microtasks);
    known.stalls = memory.stalls;
    known.stall_totals = memory.stall_totals;
}

/// Stalls that began before there were probes, and ended after.
fn add_earlier(known: &mut LoopSnapshot, memory: &LoopSnapshot, since_unix_ns: u64) {
    let earlier =
        memory.stalls.iter().filter(|stall| !stall.running && stall.start_unix_ns < since_unix_ns);
    for stall in earlier {
        known.stall_totals.add(stall.ledger_ns.cause(), stall.duration_ns);
        known.stalls.insert(0, stall.clone());
    }
}
