//! A whole host: every Node on it as it comes and goes, watched by its memory, and in short windows
//! by probes.
//!
//! ```text
//!  all processes, once a second ──> may be a Node ──> chosen, by its rules? ──> target
//!                                                 └─> not: until it executes another program
//! ```
//!
//! Cost: one `stat` for each process of the host at each look; where that takes longer than usual,
//! looks are further apart, so that they take a two-hundredth of a core at most.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, PoisonError};

use loop_core::snapshot::{Events, Tier};

use super::{Calls, Live, Options, Shared, State};
use crate::exit::Failure;
use crate::process::{Discovery, Found, Kind, ProcFs, Process};
use crate::source::Census;
use crate::source::census::PROC_UNLISTED;
use crate::source::live::candidate::Plans;
use crate::source::live::clock::monotonic_ns;
use crate::source::live::ebpf::Kernel;
use crate::source::live::family::Newcomer;
use crate::source::live::past::Told;
use crate::source::live::stacks::Held;
use crate::source::live::target::Target;

/// How many times as long as a look took it is until the next.
const COST_SHARE: u64 = 200;

/// For how long, in nanoseconds, those that have ended are told, until it is known how often
/// somebody looks.
pub const LINGER_NS: u64 = 30_000_000_000;

/// Those that have ended and are told still; more have ended too fast for anybody to look.
const DEAD_MAX: usize = 256;

/// Says which processes are wanted, and what they are called.
pub trait Choose: Send + Sync + Debug {
    /// What a Node is called. `None`: it is not to be observed.
    fn name(&self, process: &Process) -> Option<String>;
}

/// What is special about watching a host.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// How often Nodes are looked for.
    pub every_ns: u64,
    /// Who is wanted.
    pub choose: Arc<dyn Choose>,
    /// How many workers of a process are told each by itself, where they come and go without end.
    pub workers_alone: usize,
}

/// The rules of one moment.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// How often they had changed before.
    number: u64,
    pub(super) choose: Arc<dyn Choose>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Host {
    discovery: Discovery,
    options: HostOptions,
    /// How often the rules have changed.
    changes: u64,
    /// By which of them those that are observed were judged, as such a number.
    judged: u64,
    due_ns: u64,
    /// The Nodes that the last look has found, until they were looked at.
    found: BTreeSet<u32>,
    linger_ns: u64,
    /// How many more loops may have all the series that probes show.
    room: usize,
    /// Those that have ended, and since when.
    dead: VecDeque<(u64, Told)>,
    census: Census,
    /// How many of those that were found are not looked into yet.
    pending: u64,
    /// Who is a Node and can't be observed now, and why.
    failed: BTreeMap<u32, &'static str>,
}

/// A look at all processes, which goes on.
#[derive(Debug)]
pub(super) struct Look {
    discovery: Discovery,
    begun_ns: u64,
}

impl Look {
    /// Looks, without anything that others wait for.
    pub(super) fn at_all(&mut self) -> io::Result<Found> {
        self.discovery.look(&ProcFs::default())
    }
}

/// Watches every Node of the host that is wanted.
///
/// # Errors
/// No thread can be made, or the kernel does not let us do what `options` ask for.
pub fn watch_host(options: Options, host: HostOptions) -> Result<Arc<Live>, Failure> {
    let live = Live::new(options, Plans::default())?;
    let mut state = live.shared.state();
    state.goes_on = true;
    state.host = Some(Host::new(host));
    drop(state);
    live.start(|| {})?;
    Ok(Arc::new(live))
}

impl Live {
    /// For how long those that have ended are told.
    pub fn linger(&self, linger_ns: u64) {
        let mut state = self.shared.state();
        if let Some(host) = &mut state.host {
            host.linger_ns = linger_ns;
            let alone_max = host.options.workers_alone;
            state.targets.iter_mut().for_each(|target| target.linger(linger_ns, alone_max));
        }
    }

    /// For how many more loops there is room for all that probes show.
    pub fn set_room(&self, loops: usize) {
        if let Some(host) = &mut self.shared.state().host {
            host.room = loops;
        }
    }
}

impl Host {
    pub(super) fn new(options: HostOptions) -> Host {
        Host {
            discovery: Discovery::default(),
            options,
            changes: 0,
            judged: 0,
            due_ns: 0,
            found: BTreeSet::new(),
            linger_ns: LINGER_NS,
            room: usize::MAX,
            dead: VecDeque::new(),
            census: Census::none_yet(),
            pending: 0,
            failed: BTreeMap::new(),
        }
    }

    /// Takes other rules. All processes are looked at anew.
    pub(super) fn take_rules(&mut self, options: HostOptions) {
        self.options = options;
        self.changes += 1;
        self.due_ns = 0;
    }

    /// The rules that hold now.
    pub(super) fn rules(&self) -> Rules {
        Rules { number: self.changes, choose: Arc::clone(&self.options.choose) }
    }

    /// The rules that hold now, where they have not been asked for here since they changed.
    pub(super) fn new_rules(&mut self) -> Option<Rules> {
        let is_new = self.judged != self.changes;
        self.judged = self.changes;
        is_new.then(|| self.rules())
    }

    /// Whether these rules hold still.
    pub(super) fn judges_by(&self, rules: &Rules) -> bool {
        self.changes == rules.number
    }

    /// When to look next, by the monotonic clock.
    pub(super) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// What looks for processes, if it is time. It may take long, where a file system does not
    /// answer: so it is done while nobody waits, and its end is told by [`Host::end_look`].
    pub(super) fn begin_look(&mut self) -> Option<Look> {
        let begun_ns = monotonic_ns();
        (begun_ns >= self.due_ns).then(|| {
            self.due_ns = u64::MAX;
            Look { discovery: std::mem::take(&mut self.discovery), begun_ns }
        })
    }

    /// Takes what was found.
    pub(super) fn end_look(&mut self, look: Look, found: io::Result<Found>) {
        let took_ns = monotonic_ns() - look.begun_ns;
        self.discovery = look.discovery;
        if self.due_ns == u64::MAX {
            // Else somebody has asked for another look meanwhile.
            let pause_ns = self.options.every_ns.max(took_ns.saturating_mul(COST_SHARE));
            self.due_ns = look.begun_ns + pause_ns;
        }
        let Ok(found) = found else {
            // Nobody was looked at: those that are known stay, and it is not ready by this.
            *self.census.errors.entry(PROC_UNLISTED).or_default() += 1;
            return;
        };
        self.census.looks += 1;
        self.census.unseen = found.unseen as u64;
        let is_there: BTreeSet<u32> = found.nodes.iter().copied().collect();
        self.failed.retain(|pid, _| is_there.contains(pid));
        self.found = is_there;
    }

    /// Nodes that were found and are not known.
    pub(super) fn take_new(&mut self, known: &BTreeSet<u32>) -> Vec<Newcomer> {
        let found = std::mem::take(&mut self.found);
        found.into_iter().filter(|pid| !known.contains(pid)).map(Newcomer::new).collect()
    }

    /// So many that were found are still to be looked into.
    pub(super) fn set_pending(&mut self, nodes: usize) {
        self.pending = nodes as u64;
    }

    /// What is told of those that have ended.
    pub(super) fn dead(&self) -> impl Iterator<Item = &Told> {
        self.dead.iter().map(|(_, told)| told)
    }

    /// The same, each with how long ago that is.
    pub(super) fn told(&self, now_ns: u64) -> impl Iterator<Item = Told> {
        self.dead.iter().map(move |(since_ns, told)| {
            let mut told = told.clone();
            let ended_ns = Some(now_ns.saturating_sub(*since_ns));
            told.loops.iter_mut().for_each(|of| of.ended_ns = ended_ns);
            told
        })
    }

    /// Stalls of those that are told no longer.
    pub(super) fn gone(&self) -> Events {
        self.census.gone
    }

    /// One that has ended is told for some time yet.
    pub(super) fn bury(&mut self, told: Told, now_ns: u64) {
        self.dead.push_back((now_ns, told));
    }

    /// Lets go of those that were told for long enough.
    pub(super) fn forget(&mut self, now_ns: u64) {
        let is_old = |since_ns: u64| now_ns.saturating_sub(since_ns) > self.linger_ns;
        while self.dead.front().is_some_and(|(since_ns, _)| is_old(*since_ns))
            || self.dead.len() > DEAD_MAX
        {
            if let Some((_, told)) = self.dead.pop_front() {
                self.census.gone.merge(told.events);
            }
        }
    }

    /// A process is observed. One of its number that has ended, as what it executed
    /// before, is told no longer: both have the same name, and what was counted begins anew.
    pub(super) fn settle(&mut self, pid: u32) {
        self.failed.remove(&pid);
        let gone = &mut self.census.gone;
        self.dead.retain(|(_, told)| {
            let stays = told.target.pid != pid;
            if !stays {
                gone.merge(told.events);
            }
            stays
        });
    }

    /// Whether there is room for all that probes show of so many loops more.
    fn has_room(&self, loops: usize) -> bool {
        loops <= self.room
    }

    /// So many loops have it from now on.
    fn take_room(&mut self, loops: usize) {
        self.room = self.room.saturating_sub(loops);
    }

    /// A process can't be observed.
    fn note_failed(&mut self, pid: u32, kind: Kind) {
        let reason = match kind {
            Kind::NotNode | Kind::KernelThread => return,
            Kind::NotFound | Kind::Ended => "ended",
            Kind::NoRights => "no_rights",
            Kind::Unreadable => "unreadable",
        };
        // It may be looked at several times.
        if self.failed.insert(pid, reason) != Some(reason) {
            *self.census.errors.entry(reason).or_default() += 1;
        }
    }

    /// What is known of all processes.
    fn census(&self) -> Census {
        let (failed, ended) = (self.failed.len() as u64, self.dead.len() as u64);
        Census { failed, ended, pending: self.pending, ..self.census.clone() }
    }
}

impl Shared {
    /// Has those looked at that are held up, or were.
    pub(super) fn hurry(&self, state: &mut State) {
        let held =
            std::mem::take(&mut *self.calls.held.lock().unwrap_or_else(PoisonError::into_inner));
        for Held { pid, ended } in held {
            let of = state.targets.iter_mut().find(|target| target.pid() == pid);
            of.into_iter().for_each(|target| target.hurry(ended));
        }
    }

    /// Closes windows whose time is over, and opens some where a loop has stalled.
    pub(super) fn see_windows(&self, state: &mut State) {
        let (Ok(kernel), Some(_)) = (&self.kernel, self.options.windows_ratio) else { return };
        state.targets.iter_mut().for_each(Target::close_window_if_over);
        for position in 0..state.targets.len() {
            let target = &mut state.targets[position];
            let (wanted, pid) = (target.wants_window(), target.pid());
            let refused = match wanted {
                Ok(false) => continue,
                Err(()) => Some("budget"),
                Ok(true) => self.open_window(kernel, state, position, pid).err(),
            };
            if let (Some(reason), Some(host)) = (refused, &mut state.host) {
                *host.census.windows_refused.entry(reason).or_default() += 1;
            }
        }
    }

    fn open_window(
        &self,
        kernel: &Arc<Kernel>,
        state: &mut State,
        position: usize,
        pid: u32,
    ) -> Result<(), &'static str> {
        let loops = state.targets[position].loops_there();
        let is_first = state.targets[position].windows_opened() == 0;
        if is_first && state.host.as_ref().is_some_and(|host| !host.has_room(loops)) {
            return Err("room");
        }
        let index = state.free_index().ok_or("room")?;
        let candidate = self.find(pid).map_err(|_| "process")?;
        let set = self.set(kernel, index, Tier::Full, &candidate).map_err(|_| "kernel")?;
        if !state.targets[position].is_process(&candidate.process) {
            return Err("process");
        }
        state.targets[position].open_window(set);
        if let Some(host) = &mut state.host {
            host.census.windows += 1;
            host.take_room(if is_first { loops } else { 0 });
        }
        Ok(())
    }

    /// A process that was looked at can't be observed.
    pub(super) fn note_left_out(&self, pid: u32, kind: Kind) {
        if let Some(host) = &mut self.state().host {
            host.note_failed(pid, kind);
        }
    }
}

impl Calls {
    /// A loop is held up, or was. Called by a thread that waits for nobody.
    pub(super) fn note_held(&self, held: Held) {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&held) {
            all.push(held);
            self.stopped.notify_all();
        }
    }
}

impl State {
    /// A process is not wanted, for as long as it executes what it does.
    pub(super) fn leave_out(&mut self, process: Process) {
        let pid = process.identity().pid;
        if let Some(host) = &mut self.host {
            host.failed.remove(&pid);
        }
        self.others.leave_out(process, monotonic_ns());
    }

    /// What is known of all processes, where a host is watched.
    pub(super) fn census(&self) -> Option<Census> {
        self.host.as_ref().map(Host::census)
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{Runtime, Source};

    use super::*;

    #[derive(Debug)]
    struct All;

    impl Choose for All {
        fn name(&self, process: &Process) -> Option<String> {
            Some(process.name().to_owned())
        }
    }

    fn host() -> Host {
        Host::new(HostOptions { every_ns: 1_000_000_000, choose: Arc::new(All), workers_alone: 8 })
    }

    #[test]
    fn why_a_process_is_not_observed_is_counted_once() {
        let mut host = host();
        for kind in [Kind::NotNode, Kind::NoRights, Kind::NoRights, Kind::Unreadable] {
            host.note_failed(7, kind);
        }
        host.note_failed(8, Kind::NoRights);
        let census = host.census();
        assert_eq!(census.failed, 2);
        let errors = [("ended", 0), ("no_rights", 2), ("proc_unlisted", 0), ("unreadable", 1)];
        assert_eq!(census.errors, BTreeMap::from(errors), "each from the start");
    }

    fn told(pid: u32, seen: u64) -> Told {
        let target = loop_core::snapshot::Target {
            pid,
            name: String::new(),
            runtime: Runtime::NodeJs,
            runtime_version: String::new(),
            source: Source::Ebpf,
            tier: Tier::Passive,
            overhead_ratio: None,
            sampled: false,
            limits: Vec::new(),
        };
        let events = Events { seen, kept: seen, dropped: 0 };
        Told { target, loops: Vec::new(), events, unread: 0 }
    }

    #[test]
    fn of_two_of_one_number_the_one_that_is_there_is_told() {
        let mut host = host();
        for (pid, seen) in [(7, 3), (8, 4), (7, 5)] {
            host.bury(told(pid, seen), 0);
        }
        host.note_failed(7, Kind::NoRights);
        host.settle(7);
        let dead: Vec<u32> = host.dead().map(|told| told.target.pid).collect();
        assert_eq!((dead, host.gone().seen), (vec![8], 8), "no event is lost");
        assert_eq!(host.census().failed, 0, "it can be observed now");
    }

    #[test]
    fn windows_that_open_at_once_share_the_room() {
        let mut host = host();
        host.room = 3;
        let opened = [2, 2, 1, 1].map(|loops| {
            let fits = host.has_room(loops);
            host.take_room(if fits { loops } else { 0 });
            fits
        });
        assert_eq!(opened, [true, false, true, false]);
    }

    #[test]
    fn looks_are_as_far_apart_as_was_asked_for_or_cost_little() {
        let mut host = host();
        let before_ns = monotonic_ns();
        let mut look = host.begin_look().unwrap();
        let found = look.at_all();
        assert!(host.begin_look().is_none(), "one goes on");
        host.end_look(look, found);
        assert!(host.due_ns() >= before_ns + 1_000_000_000);
        assert_eq!((host.census.looks, host.begin_look().is_none()), (1, true), "not yet");
    }

    #[test]
    fn who_was_found_is_told_once_and_other_rules_are_looked_by_at_once() {
        let mut host = host();
        let look = host.begin_look().unwrap();
        host.due_ns = 0;
        host.end_look(look, Ok(Found { nodes: vec![7, 8], unseen: 1 }));
        let new = |host: &mut Host| host.take_new(&BTreeSet::from([8]));
        assert_eq!((new(&mut host), new(&mut host)), (vec![Newcomer::new(7)], vec![]));
        host.set_pending(1);
        assert_eq!((host.census().pending, host.census().unseen), (1, 1));
        let look = host.begin_look().expect("other rules have come meanwhile");
        host.end_look(look, Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!((host.census.looks, host.census.errors["proc_unlisted"]), (1, 1));
    }
}
