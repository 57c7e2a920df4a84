//! One observed process: what its probes count, and what its memory shows besides.
//!
//! ```text
//! probed (kernel) ──────┐
//!                       ├──> one LoopSnapshot a loop, with its thread's name
//! passive (memory) ─────┘
//! ```
//!
//! Probes see what happens from the moment they are set. Memory shows what was already going on: a
//! loop that has been stuck for an hour hits no probe, nor does one that waits and then is held up
//! until it polls. So a loop is told by its probes from its first poll on, and by its memory before
//! that, and where it has no probes. It is looked at once more when it has polled, so that the turn
//! before is told, too.

mod fallen;
mod limits;
mod throttled;
mod windowed;

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_core::snapshot::{
    Events, Limit, LoopSnapshot, Runtime, Source, Stall, StoppedBy, Target as Described,
    ThreadPoolSnapshot, Tier,
};
use loop_core::units::format_ns;

use super::candidate::Candidate;
use super::clock::{Ahead, Shift, monotonic_ns};
use super::earlier::{earlier, until_first_poll};
use super::family::Newcomer;
use super::loops::Places;
use super::passive::{self, Passive};
use super::past::Told;
use super::probed::{Common, Known, Probed, Seen};
use super::set::Set;
use super::sleep::Sleep;
use super::stacks::{LoopAt, Observed, Stacks};
use super::stops::{self, Stops};
use super::thread_names::Names;
use super::windows::Windows;
use crate::process::{Life, Process};
use crate::source::quota::Group;
use fallen::Fallen;

/// How often a target is looked at that has probes.
const TICK_NS: u64 = 100_000_000;

/// The same while it has not made the loop of its main thread.
const START_TICK_NS: u64 = 10_000_000;

/// How often it is looked for the name of a process that has no command line: most likely it is
/// about to get one.
const NAME_LOOKS: u32 = 20;

/// How often the kernel is asked for the state of a target whose memory is there, unless it is
/// stopped.
const STATE_NS: u64 = 1_000_000_000;

/// Whether it is told when a loop of a process is held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    /// It is not.
    No,
    /// It will be once the symbols of the process have been read.
    Soon,
    Yes,
}

/// An observed process.
#[derive(Debug)]
pub(super) struct Target {
    process: Arc<Process>,
    name: String,
    /// How often it is still looked for its name: it had just begun to execute its program.
    name_looks: u32,
    version: Option<String>,
    passive: Passive,
    probed: Option<Probed>,
    /// What they had told when they were taken away, as they cost too much.
    fallen: Option<Fallen>,
    /// Where probes are set for a short time only.
    windows: Option<Windows>,
    /// Whether its loops are looked at by who tells when they are held up.
    called: Called,
    known: Known,
    common: Common,
    stacks: Arc<Stacks>,
    /// Why it has no probes.
    unprobed: Vec<Limit>,
    /// What it did before it was found.
    missed: Option<Limit>,
    names: Names,
    /// For how long loops that have ended are told, where they are not told for ever.
    linger_ns: Option<u64>,
    group: Group,
    stops: Stops,
    sleep: Sleep,
    /// As of the clocks of its loops' times.
    unix_offset_ns: u64,
    /// When it was seen last to execute what it does.
    there_ns: u64,
    until_ns: Option<u64>,
    /// Whether it is observed from its first instruction on.
    from_start: bool,
    /// Its pool of threads, once it has ended.
    pool: Option<ThreadPoolSnapshot>,
    /// What its stacks did not show, once it has ended.
    unseen: Vec<Limit>,
    /// When to look next, and when to ask for its state next.
    due_ns: u64,
    state_ns: u64,
    /// Whether it was looked at what came after it.
    renewed: bool,
}

impl Target {
    /// A process, with the probes that are set into it; without, `unprobed` says why.
    pub(super) fn new(
        candidate: Candidate,
        set: Option<Set>,
        unprobed: Vec<Limit>,
        common: Common,
        stacks: &Arc<Stacks>,
    ) -> Target {
        let Candidate { process, memory, plan, layout, files } = candidate;
        let (process, memory) = (Arc::new(process), Arc::new(memory));
        // Then nothing has begun before there were probes.
        let from_start = set.as_ref().is_some_and(|set| set.probes.layout.from_start);
        let shift = Shift::to(&process);
        let places = Places::of(&plan, &files);
        let threshold_ns = common.stall_threshold_ns;
        let options = passive::Options { threshold_ns, called_pause_ns: None };
        let (of, its) = (Arc::clone(&process), Arc::clone(&memory));
        let passive = Passive::new(of, its, layout, places, options);
        let passive = passive.with(Arc::clone(stacks), common.unix_offset_ns);
        let stacks = Arc::clone(stacks);
        // Reads its symbols, which takes a while: what turns meanwhile is told without its stack.
        let (of, its, made) = (Arc::clone(&process), Arc::clone(&memory), Arc::clone(&plan));
        stacks.observe(Observed { process: of, memory: its, layout, files, plan: made });
        let pid = process.identity().pid;
        let known = Known { pid, plan, layout, memory, shift, stacks: Arc::clone(&stacks) };
        let probed = set.map(|set| Probed::new(known.clone(), set, common));
        stacks.set_loops(pid, &passive.places().collect::<Vec<_>>());
        let group = stops::group_of(&process);
        let stops =
            Stops::new(stops::by(process.identity().life(), group.cgroup()), monotonic_ns());
        Target {
            name: process.name().to_owned(),
            name_looks: if process.has_command() { 0 } else { NAME_LOOKS },
            process,
            version: known.plan.versions.node.clone(),
            passive,
            stacks,
            probed,
            fallen: None,
            windows: None,
            called: Called::No,
            known,
            common,
            unprobed,
            missed: None,
            names: Names::default(),
            linger_ns: None,
            group,
            stops,
            sleep: Sleep::since(Ahead::now()),
            unix_offset_ns: common.unix_offset_ns,
            there_ns: monotonic_ns(),
            until_ns: None,
            from_start,
            pool: None,
            unseen: Vec::new(),
            due_ns: 0,
            state_ns: 0,
            renewed: false,
        }
    }

    /// It began so long before it was observed, at most. Also one whose loop was not found yet may
    /// have run by then.
    pub(super) fn came_late(&mut self, late_ns: u64) {
        let what = format!("its first {}, at most", format_ns(late_ns));
        let why = "it was found among the processes that others start, and may have run by then";
        self.missed = Some(Limit { what, why: why.to_owned() });
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.identity().pid
    }

    /// Its number in the kernel, if it has probes.
    pub(super) fn index(&self) -> Option<u32> {
        self.probed.as_ref().map(Probed::index)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn has_ended(&self) -> bool {
        self.until_ns.is_some()
    }

    /// What it has become, once, if it executes another program by now.
    pub(super) fn take_renewed(&mut self) -> Option<Newcomer> {
        let renewed = self.has_ended() && !self.renewed && self.process.identity().is_alive();
        self.renewed |= self.has_ended();
        renewed.then(|| Newcomer { pid: self.pid(), another_ns: Some(self.there_ns) })
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
        self.sleep.note(Ahead::now());
        let looked = now_ns >= self.state_ns;
        let is_there = self.is_there(now_ns);
        // At the same moments for all targets, so that one wake-up serves them all.
        self.see_who_calls();
        let tick_ns = self.tick_ns();
        self.due_ns = (now_ns / tick_ns + 1) * tick_ns;
        match is_there {
            true => self.there_ns = now_ns,
            false => self.until_ns = Some(now_ns),
        }
        if let Some(probed) = &mut self.probed {
            probed.tick(is_there);
        }
        self.take_exact();
        if is_there {
            self.govern(now_ns);
        }
        if !is_there || self.needs_memory() {
            self.due_ns = self.passive.tick(now_ns).min(self.due_ns);
        }
        if self.from_start && self.passive.state().no_main.is_some() {
            // A Node that has just been started has no loop yet, and runs its program soon.
            self.due_ns = self.due_ns.min(now_ns + START_TICK_NS);
        }
        if is_there && self.name_looks > 0 {
            self.look_for_name();
            self.due_ns = self.due_ns.min(now_ns + START_TICK_NS);
        }
        if is_there {
            self.note_throttled(looked);
            self.note_exposure(now_ns);
        }
        self.tell_stacks(is_there);
        if let Some(probed) = &mut self.probed {
            probed.note_baselines(self.passive.baselines());
            if is_there {
                // Those that end with it are each told by itself.
                probed.fold_ended(|tid| self.passive.tells(tid));
            }
        }
        let pid = self.pid();
        let probed = self.probed.iter().flat_map(Probed::tids);
        let tids: Vec<u32> = probed.chain(self.passive.tids()).filter(|&tid| tid != pid).collect();
        self.names.add(tids);
        self.let_go(now_ns);
    }

    fn look_for_name(&mut self) {
        self.name_looks -= 1;
        if let Some(name) = self.process.later_name() {
            (self.name, self.name_looks) = (name, 0);
        }
    }

    /// Says which loops there are. Those of a process that has ended are known until then.
    fn tell_stacks(&mut self, is_there: bool) {
        let pid = self.pid();
        if !is_there {
            self.pool = Some(self.stacks.pool(pid));
            self.unseen.extend(self.stacks.limits(pid));
            self.stacks.forget(pid);
            return;
        }
        let mut places: Vec<LoopAt> = self.probed.iter().flat_map(Probed::places).collect();
        for place in self.passive.places() {
            if places.iter().all(|known| known.tid != place.tid) {
                places.push(place);
            }
        }
        self.stacks.set_loops(pid, &places);
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
        let life = self.process.identity().life();
        self.look_at_group();
        self.stops.note(stops::by(life, self.group.cgroup()), now_ns);
        self.state_ns = now_ns + if self.stops.is_stopped() { TICK_NS } else { STATE_NS };
        life != Life::Ended
    }

    /// Whether there is a loop that no probe has shown yet.
    fn needs_memory(&self) -> bool {
        if self.windows.is_some() {
            return true;
        }
        let Some(probed) = self.probed.as_ref().filter(|of| of.tier() != Tier::Passive) else {
            return true;
        };
        let polled: BTreeMap<u32, u64> = probed.first_polls().collect();
        self.passive.state().no_main.is_some()
            || self.passive.all_tids().any(|tid| !polled.contains_key(&tid))
            || self.passive.looked().any(|(tid, at_ns)| polled.get(&tid) > Some(&at_ns))
            || self.passive.is_held_up()
    }

    fn seen(&self) -> Vec<Seen> {
        self.probed.as_ref().map(Probed::loops).unwrap_or_default()
    }

    /// All that is known of it.
    pub(super) fn told(&self) -> Told {
        let stopped_by = self.stopped_by();
        let (loops, events) = (self.loops(stopped_by), self.events());
        Told { target: self.describe(stopped_by), loops, events, unread: self.unread() }
    }

    /// All of its loops.
    fn loops(&self, stopped_by: Option<StoppedBy>) -> Vec<LoopSnapshot> {
        let loops = match (&self.windows, &self.fallen) {
            (Some(windows), _) => self.in_windows(windows),
            (None, Some(fallen)) => fallen.with(&self.passive.loops()),
            (None, None) => self.with_probes(),
        };
        self.described(loops, stopped_by)
    }

    /// Those that its probes have shown, with what its memory shows besides.
    fn with_probes(&self) -> Vec<LoopSnapshot> {
        let mut seen = self.seen();
        for of in self.passive.loops() {
            match seen.iter_mut().rev().find(|known| known.snapshot.tid == of.tid) {
                None => seen.push(Seen { snapshot: self.unhit(of), first_poll_ns: None }),
                // Others that have ended.
                Some(known) if of.tid == 0 => known.snapshot.merge(&self.unhit(of)),
                Some(known) => match known.first_poll_ns {
                    Some(first_ns) => self.add_earlier(&mut known.snapshot, &of, first_ns),
                    None => complete(&mut known.snapshot, of),
                },
            }
        }
        seen.into_iter().map(|seen| seen.snapshot).collect()
    }

    /// What is the same for all of them, and their names.
    fn described(
        &self,
        mut loops: Vec<LoopSnapshot>,
        stopped_by: Option<StoppedBy>,
    ) -> Vec<LoopSnapshot> {
        let pid = self.pid();
        let now_ns = monotonic_ns();
        let stopped = self.stops.stopped(stopped_by, now_ns);
        let ended_ns = self.until_ns.map(|until_ns| now_ns.saturating_sub(until_ns));
        for of in &mut loops {
            of.stopped = stopped;
            of.ended_ns = ended_ns.or(of.ended_ns);
            of.thread = self.names.of(pid, of.tid);
            if of.tid == pid {
                // All loops of a process share one pool.
                of.thread_pool = self.pool.clone().unwrap_or_else(|| self.stacks.pool(pid));
            }
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
        match (&self.windows, &self.fallen, &self.probed) {
            (None, Some(fallen), _) => fallen.events(self.passive.events(), &self.passive.loops()),
            (None, None, Some(probed)) if probed.tier() != Tier::Passive => {
                self.events_with_probes(probed)
            }
            _ => self.passive.events(),
        }
    }

    fn events_with_probes(&self, probed: &Probed) -> Events {
        let mut events = probed.events();
        let polled: BTreeMap<u32, u64> = probed.first_polls().collect();
        let loops = self.passive.loops();
        let earlier = loops.iter().map(|of| {
            let first_ns = polled.get(&of.tid).copied().unwrap_or(u64::MAX);
            earlier(of, self.unix_ns(first_ns)).count() as u64
        });
        let earlier = earlier.sum();
        events.merge(Events { seen: earlier, kept: earlier, dropped: 0 });
        events
    }

    fn unix_ns(&self, monotonic_ns: u64) -> u64 {
        monotonic_ns.saturating_add(self.unix_offset_ns)
    }

    /// Stalls that ended with its first poll, or before. Its account began with the look at its
    /// memory, and none may fall when probes tell of it from now on.
    fn add_earlier(&self, known: &mut LoopSnapshot, memory: &LoopSnapshot, first_ns: u64) {
        known.cpu.on_cpu_ns = known.cpu.on_cpu_ns.max(memory.cpu.on_cpu_ns);
        known.cpu.run_delay_ns = known.cpu.run_delay_ns.max(memory.cpu.run_delay_ns);
        known.cpu.throttled_ns = known.cpu.throttled_ns.max(memory.cpu.throttled_ns);
        known.observed.passive_ns = memory.observed.passive_ns;
        let first_ns = self.unix_ns(first_ns);
        let earlier = earlier(memory, first_ns).map(|stall| until_first_poll(stall, first_ns));
        let earlier: Vec<Stall> = earlier.collect();
        for stall in &earlier {
            known.stall_totals.add(stall.ledger_ns.cause(), stall.duration_ns);
        }
        known.stalls.splice(0..0, earlier);
    }

    fn stopped_by(&self) -> Option<StoppedBy> {
        let life = || self.process.identity().life();
        if self.has_ended() { None } else { stops::by(life(), self.group.cgroup()) }
    }

    fn tier(&self) -> Tier {
        self.probed.as_ref().map_or(Tier::Passive, Probed::tier)
    }

    /// Who it is, and how it is observed.
    fn describe(&self, stopped_by: Option<StoppedBy>) -> Described {
        let until_ns = self.until_ns.unwrap_or_else(monotonic_ns);
        Described {
            pid: self.pid(),
            name: self.name.clone(),
            runtime: Runtime::NodeJs,
            runtime_version: self.version.clone().unwrap_or_else(|| "unknown".into()),
            source: Source::Ebpf,
            tier: self.tier(),
            overhead_ratio: Some(self.probed.as_ref().map_or(0.0, |of| of.overhead(until_ns))),
            sampled: self.has_had_windows() || self.probed.as_ref().is_some_and(Probed::has_fallen),
            limits: self.limits(stopped_by),
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
    known.observed.passive_ns = memory.observed.passive_ns;
    known.microtasks = known.microtasks.max(memory.microtasks);
    known.stalls = memory.stalls;
    known.stall_totals = memory.stall_totals;
}
