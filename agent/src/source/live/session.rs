//! Several targets observed at once, for as long as somebody holds the session.
//!
//! A thread of its own looks ten times a second who has come and gone. Snapshots are taken by
//! whoever asks, at any time; they wait for that thread for some milliseconds at most.
//!
//! **Invariant**: the session never waits for a target. A target that is blocked, stopped or dead
//! is read as readily as an idle one.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::{
    ClockKind, Events, Limit, LoopSnapshot, Snapshot, Target as Described, Tier,
};

use super::candidate::{Candidate, Plans};
use super::clock::{Shift, monotonic_ns};
use super::command::{self, Prepared};
use super::ebpf::{Kernel, TARGETS};
use super::family::{Others, new_children};
use super::probed::{Common, Set};
use super::probes::{self, OpenFiles, Probes};
use super::target::Target;
use crate::exit::{Cause, Failure};
use crate::process::{Process, Refusal};
use crate::source::Observe;

/// How often loops are looked for and stalls taken.
const TICK: Duration = Duration::from_millis(100);

/// The same while nothing is observed yet: a command has just been started.
const FIRST_TICKS_NS: u64 = 5_000_000;

/// The shortest pause between two looks.
const SHORTEST: Duration = Duration::from_millis(1);

/// What a process without probes does not show.
const UNPROBED: &str = "what the tiers turn and full show";

/// How often new children are looked for.
const CHILDREN_NS: u64 = 200_000_000;

/// The name of the thread, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-watch";

/// How to observe.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A turn that lasts this long is a stall.
    pub stall_threshold_ns: u64,
    /// The most that is wanted to be seen.
    pub tier: Tier,
    /// The least. Below it nothing is observed.
    pub least: Tier,
    /// Whether the Node processes that a target starts, or has started, are observed too.
    pub children: bool,
    /// The most that probes may cost a loop's thread, as a share of its time.
    pub budget_ratio: f64,
}

/// Running processes under observation. Dropping it ends it, and leaves nothing in the kernel.
#[derive(Debug)]
pub struct Live {
    shared: Arc<Shared>,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    /// The kernel side, or why there is none.
    pub(super) kernel: Result<Arc<Kernel>, String>,
    pub(super) options: Options,
    common: Common,
    started_ns: u64,
    plans: Mutex<Plans>,
    files: Mutex<OpenFiles>,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Those that are there.
    targets: Vec<Target>,
    /// Those that have ended.
    past: Vec<Past>,
    /// Whether more may come for as long as nobody says that it is over.
    goes_on: bool,
    others: Others,
    /// Probes in a program that a process is about to execute.
    prepared: Option<Prepared>,
    /// When children are looked for next.
    children_ns: u64,
    ended_ns: Option<u64>,
    stop: bool,
}

/// A process that has ended, as it was told last.
#[derive(Debug)]
struct Past {
    target: Described,
    loops: Vec<LoopSnapshot>,
    events: Events,
}

/// Observes these processes. `on_end` is called when all of them have ended.
///
/// # Errors
/// One of them can't be observed, or the kernel does not let us: in one line, with the cure.
pub fn attach(
    pids: &[u32],
    options: Options,
    on_end: impl FnOnce() + Send + 'static,
) -> Result<Arc<Live>, Failure> {
    let pids: BTreeSet<u32> = pids.iter().copied().collect();
    let mut plans = Plans::default();
    let found: Result<Vec<_>, Refusal> = pids.into_iter().map(|pid| plans.find(pid)).collect();
    let found = found?;
    let live = Live::new(options, plans)?;
    for candidate in found {
        live.shared.add(candidate)?;
    }
    live.start(on_end)?;
    Ok(Arc::new(live))
}

/// Whether this kernel lets us set probes: by loading what would be set.
pub fn probes_can_be_set() -> bool {
    Kernel::load().is_ok()
}

impl Live {
    /// An observation of nothing yet.
    pub(super) fn new(options: Options, plans: Plans) -> Result<Live, Failure> {
        let kernel = kernel(options)?;
        let hit_ns = kernel.as_ref().map_or(0, |kernel| kernel.hit_ns());
        let now_ns = monotonic_ns();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ns = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let common = Common {
            stall_threshold_ns: options.stall_threshold_ns,
            unix_offset_ns: unix_ns.saturating_sub(now_ns),
            hit_ns,
            budget_ratio: options.budget_ratio,
        };
        let shared = Shared {
            kernel,
            options,
            common,
            started_ns: now_ns,
            plans: Mutex::new(plans),
            files: Mutex::default(),
            state: Mutex::default(),
            stopped: Condvar::new(),
        };
        Ok(Live { shared: Arc::new(shared), watcher: Mutex::default() })
    }

    /// Starts the thread.
    pub(super) fn start(&self, on_end: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(THREAD_NAME.to_owned());
        let thread = thread.spawn(move || shared.watch(on_end)).map_err(|error| {
            Failure::run(format!("no thread can be made ({error}); see `ulimit -u`"))
        })?;
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// A process that is about to execute a program. It is the root of what is observed.
    pub(super) fn expect(&self, process: Process, prepared: Option<Prepared>) {
        let mut state = self.shared.state();
        state.prepared = prepared;
        state.goes_on = true;
        state.others.add(process, monotonic_ns());
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Nothing more is to come: what is observed stands still. Returns whether there was a Node.
    pub(super) fn end(&self) -> bool {
        let mut state = self.shared.state();
        if state.ended_ns.is_none() {
            state.targets.iter_mut().for_each(Target::tick);
        }
        state.ended_ns.get_or_insert_with(monotonic_ns);
        !state.targets.is_empty() || !state.past.is_empty()
    }
}

/// The kernel side, if it is wanted and allowed; else why there is none.
fn kernel(options: Options) -> Result<Result<Arc<Kernel>, String>, Failure> {
    if options.tier == Tier::Passive {
        return Ok(Err("the tier passive was asked for".to_owned()));
    }
    match Kernel::load() {
        Ok(kernel) => Ok(Ok(Arc::new(kernel))),
        Err(error) if options.least == Tier::Passive => Ok(Err(error.to_string())),
        Err(error) => Err(not_allowed(error.to_string())),
    }
}

/// The kernel does not let us.
pub(super) fn not_allowed(what: String) -> Failure {
    Failure::refused(Cause::new(what, "`loopscope doctor` says what this machine allows"))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, pid: u32) -> Result<Candidate, Refusal> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).find(pid)
    }

    fn add(&self, candidate: Candidate) -> Result<(), Failure> {
        let mut state = self.state();
        let index = state.free_index().ok_or_else(|| {
            Failure::refused(format!(
                "{TARGETS} processes are observed already; observe others from another loopscope"
            ))
        })?;
        let pid = candidate.process.identity().pid;
        let prepared = state.prepared.take_if(|prepared| prepared.is_of(&candidate));
        let set = match (&self.kernel, prepared) {
            (_, Some(prepared)) => Ok(prepared.set()),
            (Ok(kernel), None) => self
                .set(kernel, index, &candidate)
                .map_err(|error| format!("the probes can't be set into process {pid} ({error})")),
            (Err(why), None) => Err(why.clone()),
        };
        let (set, why) = match set {
            Ok(set) => (Some(set), None),
            Err(why) if self.options.least == Tier::Passive => (None, Some(why)),
            Err(why) => return Err(not_allowed(why)),
        };
        let limits = why.into_iter().map(|why| Limit { what: UNPROBED.to_owned(), why });
        let target = Target::new(candidate, set, limits.collect(), self.common);
        state.targets.push(target);
        Ok(())
    }

    fn set(&self, kernel: &Arc<Kernel>, index: u32, candidate: &Candidate) -> io::Result<Set> {
        let Candidate { plan, layout, files, memory, .. } = candidate;
        let shift = Shift::to(&candidate.process);
        let layout = probes::layout(self.options.stall_threshold_ns, shift, layout, plan);
        let mut open = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let probes = Probes::of(self.options.tier, plan, files, &mut open, memory, layout);
        drop(open);
        let pid = candidate.process.identity().pid;
        kernel.set_target(index, &probes.layout)?;
        let links = probes.link(kernel, index, pid)?;
        Ok(Set { kernel: Arc::clone(kernel), index, probes, links })
    }

    /// The body of the thread.
    fn watch(&self, on_end: impl FnOnce()) {
        let mut on_end = Some(on_end);
        let mut state = self.state();
        while !state.stop {
            let due_ns = state.tick();
            let new = state.candidates(self.options.children);
            if !new.is_empty() {
                drop(state);
                new.into_iter().for_each(|pid| self.look_at(pid));
                state = self.state();
            }
            if state.have_all_ended()
                && let Some(on_end) = on_end.take()
            {
                on_end();
            }
            let pause = Duration::from_nanos(due_ns.saturating_sub(monotonic_ns()));
            let waited = self.stopped.wait_timeout(state, pause.clamp(SHORTEST, TICK));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Observes this process, if it can be.
    fn look_at(&self, pid: u32) {
        if self.find(pid).is_ok_and(|candidate| self.add(candidate).is_ok()) {
            self.state().others.remove(pid);
            return;
        }
        let Ok(process) = Process::open(pid) else { return };
        let mut state = self.state();
        if state.others.pids().all(|known| known != pid) {
            state.others.add(process, monotonic_ns());
        }
    }
}

impl State {
    /// Looks at the targets for which it is time. Returns when to call it again, by the monotonic
    /// clock.
    fn tick(&mut self) -> u64 {
        if self.ended_ns.is_some() {
            return u64::MAX;
        }
        let now_ns = monotonic_ns();
        let due = self.targets.iter_mut().filter(|target| target.due_ns() <= now_ns);
        due.for_each(Target::tick);
        let due_ns = self.targets.iter().map(Target::due_ns).min();
        due_ns.unwrap_or(now_ns + FIRST_TICKS_NS)
    }

    /// Processes that may be Nodes: those that execute another program by now, and new children.
    fn candidates(&mut self, children: bool) -> Vec<u32> {
        let mut pids = self.others.due(monotonic_ns());
        pids.extend(self.targets.iter_mut().filter_map(Target::take_renewed));
        let now_ns = monotonic_ns();
        if children && now_ns >= self.children_ns {
            let pause_ns = if self.targets.is_empty() { FIRST_TICKS_NS } else { CHILDREN_NS };
            self.children_ns = now_ns + pause_ns;
            let targets = self.targets.iter().filter(|target| !target.has_ended());
            let family = targets.map(Target::pid).chain(self.others.pids()).collect();
            pids.extend(new_children(&family));
        }
        self.retire();
        pids
    }

    /// Lets go of those that have ended, once it was looked at what came after them.
    fn retire(&mut self) {
        for target in self.targets.extract_if(.., |target| target.has_ended()) {
            let (loops, events) = (target.loops(), target.events());
            self.past.push(Past { target: target.describe(), loops, events });
        }
    }

    /// A number in the kernel that no target has.
    fn free_index(&self) -> Option<u32> {
        let first = if self.prepared.is_some() { command::FIRST + 1 } else { 0 };
        (first..TARGETS).find(|index| self.targets.iter().all(|of| of.index() != Some(*index)))
    }

    fn have_all_ended(&mut self) -> bool {
        let ended = !self.goes_on && self.targets.is_empty() && !self.past.is_empty();
        if ended {
            self.ended_ns.get_or_insert_with(monotonic_ns);
        }
        ended
    }
}

impl Observe for Live {
    fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        let state = shared.state();
        let mut events = Events::default();
        state.past.iter().for_each(|past| events.merge(past.events));
        state.targets.iter().for_each(|target| events.merge(target.events()));
        let past = state.past.iter();
        let now_ns = state.ended_ns.unwrap_or_else(monotonic_ns);
        Snapshot {
            wall_ns: now_ns.saturating_sub(shared.started_ns),
            clock: ClockKind::Real,
            events,
            targets: past
                .clone()
                .map(|past| past.target.clone())
                .chain(state.targets.iter().map(Target::describe))
                .collect(),
            loops: past
                .flat_map(|past| past.loops.iter().cloned())
                .chain(state.targets.iter().flat_map(Target::loops))
                .collect(),
        }
    }
}

impl Drop for Live {
    /// Waits for the thread. If the process ended while that takes the probes away, it would be
    /// killed meanwhile, and the kernel leaves a probe where it is that it takes away for a thread
    /// that is being killed.
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.stopped.notify_all();
        let watcher = self.watcher.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watcher) = watcher {
            // It has panicked: that was told already, and the kernel side is dropped.
            let _ = watcher.join();
        }
    }
}
