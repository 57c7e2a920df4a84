//! Several targets observed at once, for as long as somebody holds the session.
//!
//! A thread of its own looks ten times a second who has come and gone. Snapshots are taken by
//! whoever asks, at any time; they wait for that thread for some milliseconds at most.
//!
//! **Invariant**: the session never waits for a target. A target that is blocked, stopped or dead
//! is read as readily as an idle one.

mod host;
mod looks;
mod probing;
mod rules;
mod telling;
mod unseen;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::{Limit, Tier};

use super::candidate::{Candidate, Plans};
use super::clock::monotonic_ns;
use super::command::{self, Prepared};
use super::ebpf::{Kernel, Link, TARGETS};
use super::executions::Executions;
use super::family::{Newcomer, Others, Pace, once};
use super::orphans::Orphans;
use super::past::Past;
use super::probed::Common;
use super::probes::OpenFiles;
use super::stacks::{Asked, Held, Stacks};
use super::target::Target;
use crate::exit::{Cause, Failure};
use crate::process::{Process, Refusal};
use host::Host;
use unseen::{Refused, Unseen};

pub use host::{Choose, HostOptions, LINGER_NS, watch_host};

/// How often loops are looked for and stalls taken.
const TICK: Duration = Duration::from_millis(100);

/// The same while nothing is observed yet: a command has just been started.
const FIRST_TICKS_NS: u64 = 5_000_000;

/// The shortest pause between two looks.
const SHORTEST: Duration = Duration::from_millis(1);

/// How long it is waited for a look, which takes some milliseconds.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What a process without probes does not show.
const UNPROBED: &str = "what the tiers turn and full show";

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
    /// At tier *passive*, what probes may cost that are set for a short time where a loop has
    /// stalled: on the average, as a share of its time. `None`: there are none.
    pub windows_ratio: Option<f64>,
    /// Whether functions of compiled scripts are told by their sources.
    pub source_maps: bool,
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
    pub(super) stacks: Arc<Stacks>,
    common: Common,
    started_ns: u64,
    /// Lets the kernel tell of executions; `None`: it does not, or nobody asks for children.
    executions_told: Option<Link>,
    plans: Mutex<Plans>,
    files: Mutex<OpenFiles>,
    state: Mutex<State>,
    calls: Arc<Calls>,
}

/// What wakes the thread that watches.
#[derive(Debug, Default)]
struct Calls {
    /// Whose loops are held up, or were: told by the thread that looks at stacks.
    held: Mutex<Vec<Held>>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Those that are there.
    targets: Vec<Target>,
    /// Those that have ended.
    past: Past,
    /// Whether more may come for as long as nobody says that it is over.
    goes_on: bool,
    others: Others,
    executions: Executions,
    pace: Pace,
    /// Where everybody is looked for.
    host: Option<Host>,
    /// Where a command may leave processes behind.
    orphans: Option<Orphans>,
    /// Nodes that had ended before they could be observed.
    missed: u64,
    /// Those that are there and can't be observed, and why.
    refused: Refused,
    /// Probes in a program that a process is about to execute.
    prepared: Option<Prepared>,
    /// Whether it is just being found out what somebody is.
    looking: bool,
    ended_ns: Option<u64>,
    stop: bool,
}

/// What is to be known when a command has ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Whether there was a Node.
    pub(super) was_node: bool,
    pub(super) unseen: Unseen,
    /// Those that go on: number, name, and whether it was observed.
    pub(super) left: Vec<(u32, String, bool)>,
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
        live.shared.add(&mut live.shared.state(), candidate, None, None)?;
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
        let sampled_by = kernel.as_ref().ok().cloned();
        let asked =
            Asked { source_maps: options.source_maps, whole_host: options.windows_ratio.is_some() };
        let stacks = Stacks::start(sampled_by, options.stall_threshold_ns, asked);
        let stacks = stacks.map_err(|error| no_thread(&error))?;
        let told = kernel.as_ref().ok().filter(|_| options.children);
        let executions_told = told.and_then(|kernel| kernel.watch_executions().ok());
        let shared = Shared {
            kernel,
            options,
            stacks,
            common,
            started_ns: now_ns,
            executions_told,
            plans: Mutex::new(plans),
            files: Mutex::default(),
            state: Mutex::default(),
            calls: Arc::default(),
        };
        if options.tier == Tier::Passive {
            // Not the whole, which would be dropped by that thread, and wait for it.
            let calls = Arc::clone(&shared.calls);
            shared.stacks.call(Box::new(move |held| calls.note_held(held)));
        }
        Ok(Live { shared: Arc::new(shared), watcher: Mutex::default() })
    }

    /// Starts the thread.
    pub(super) fn start(&self, on_end: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
        self.shared.stacks.read_in_thread();
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(THREAD_NAME.to_owned());
        let thread =
            thread.spawn(move || shared.watch(on_end)).map_err(|error| no_thread(&error))?;
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// A process that is about to execute a program. It is the root of what is observed.
    pub(super) fn expect(&self, process: Process, prepared: Option<Prepared>) {
        let mut state = self.shared.state();
        state.prepared = prepared;
        state.goes_on = true;
        state.orphans = Some(Orphans::of(&process));
        state.others.add(process, monotonic_ns());
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What was not seen of what the observed processes have started, so far, each in a line.
    pub fn unseen(&self) -> Vec<String> {
        self.unseen_of(&self.shared.state()).notes()
    }

    fn unseen_of(&self, state: &State) -> Unseen {
        let kernel = self.shared.kernel.as_ref();
        let losses = kernel.map(|kernel| kernel.losses()).unwrap_or_default();
        let there: u64 = state.targets.iter().map(Target::unread).sum();
        let gone: u64 = state.past.told().map(|told| told.unread).sum();
        Unseen {
            missed: state.missed,
            too_fast: losses.executed,
            no_room: losses.no_slot + losses.no_thread,
            unread: there + gone,
            refused: state.refused.clone(),
        }
    }

    /// Nodes that had ended before they could be observed, so far.
    pub(super) fn missed(&self) -> u64 {
        self.shared.state().missed
    }

    /// Nothing more is to come: what is observed stands still.
    pub(super) fn end(&self) -> Ended {
        let mut state = self.shared.state_once_looked();
        self.shared.take_executed(&mut state);
        if state.ended_ns.is_none() {
            state.targets.iter_mut().for_each(Target::tick);
        }
        state.ended_ns.get_or_insert_with(monotonic_ns);
        let was_node = !state.targets.is_empty() || !state.past.is_empty();
        let (unseen, (mut left, unlooked)) = (self.unseen_of(&state), state.left_behind());
        drop(state);
        let nodes = unlooked.into_iter().filter_map(|pid| self.shared.find(pid).ok());
        left.extend(
            nodes.map(|of| (of.process.identity().pid, of.process.name().to_owned(), false)),
        );
        Ended { was_node, unseen, left }
    }
}

/// The kernel side, if it is wanted and allowed; else why there is none.
fn kernel(options: Options) -> Result<Result<Arc<Kernel>, String>, Failure> {
    if options.tier == Tier::Passive && options.windows_ratio.is_none() {
        return Ok(Err("the tier passive was asked for".to_owned()));
    }
    match Kernel::load() {
        Ok(kernel) => Ok(Ok(Arc::new(kernel))),
        Err(error) if options.least == Tier::Passive => Ok(Err(error.to_string())),
        Err(error) => Err(not_allowed(error.to_string())),
    }
}

fn no_thread(error: &io::Error) -> Failure {
    Failure::run(format!("no thread can be made ({error}); see `ulimit -u`"))
}

/// The kernel does not let us.
pub(super) fn not_allowed(what: String) -> Failure {
    Failure::refused(Cause::new(what, "`loopscope doctor` says what this machine allows"))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Shared::state`], but not in the middle of a look.
    fn state_once_looked(&self) -> MutexGuard<'_, State> {
        let waited =
            self.calls.stopped.wait_timeout_while(self.state(), LOOK_MAX, |state| state.looking);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Observes it. One that has come by itself, and not been named, may have missed its beginning.
    fn add(
        &self,
        state: &mut State,
        candidate: Candidate,
        newcomer: Option<Newcomer>,
        name: Option<String>,
    ) -> Result<(), Failure> {
        let is_there = |of: &Target| !of.has_ended() && of.is_process(&candidate.process);
        if state.targets.iter().any(is_there) {
            return Ok(());
        }
        let prepared = state.prepared.take_if(|prepared| prepared.is_of(&candidate));
        let began_ns = newcomer
            .filter(|_| prepared.is_none() && state.host.is_none())
            .map(|newcomer| newcomer.began_ns(candidate.process.identity(), monotonic_ns()));
        let set = match prepared {
            Some(prepared) => Ok(prepared.set()),
            None => self.set_always(state, &candidate, newcomer.is_some())?,
        };
        let (set, why) = match set {
            Ok(set) => (Some(set), None),
            Err(why) if self.options.least == Tier::Passive => (None, Some(why)),
            Err(why) => return Err(not_allowed(why)),
        };
        let limits = why.into_iter().map(|why| Limit { what: UNPROBED.to_owned(), why });
        let pid = candidate.process.identity().pid;
        let mut target = Target::new(candidate, set, limits.collect(), self.common, &self.stacks);
        if let Some(began_ns) = began_ns {
            target.came_late(monotonic_ns().saturating_sub(began_ns));
        }
        if self.options.tier == Tier::Passive {
            target.allow_calls();
        }
        if let (Some(ratio), Ok(_)) = (self.options.windows_ratio, &self.kernel) {
            target.allow_windows(ratio);
        }
        name.into_iter().for_each(|name| target.call(name));
        state.targets.push(target);
        state.host.iter_mut().for_each(|host| host.settle(pid));
        Ok(())
    }

    /// The body of the thread.
    fn watch(&self, on_end: impl FnOnce()) {
        let mut on_end = Some(on_end);
        let mut state = self.state();
        while !state.stop {
            if let Ok(kernel) = &self.kernel {
                kernel.follow_clock();
            }
            self.hurry(&mut state);
            state = self.rejudge(state);
            let mut due_ns = state.tick();
            self.see_windows(&mut state);
            self.take_executed(&mut state);
            state = self.look_for_nodes(state);
            let new = state.candidates(self.options.children);
            if !new.is_empty() {
                state.looking = true;
                drop(state);
                for (left, newcomer) in (0..new.len()).rev().zip(new) {
                    self.set_pending(left + 1);
                    self.look_at(newcomer);
                }
                self.set_pending(0);
                state = self.state();
                state.looking = false;
                self.calls.stopped.notify_all();
            }
            if state.have_all_ended()
                && let Some(on_end) = on_end.take()
            {
                on_end();
            }
            if self.options.children && state.ended_ns.is_none() {
                due_ns = due_ns.min(state.pace.due_ns());
            }
            due_ns = state.host.as_ref().map_or(due_ns, |host| due_ns.min(host.due_ns()));
            let pause = Duration::from_nanos(due_ns.saturating_sub(monotonic_ns()));
            let waited = self.calls.stopped.wait_timeout(state, pause.clamp(SHORTEST, TICK));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
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
    fn candidates(&mut self, children: bool) -> Vec<Newcomer> {
        let mut new = self.others.due(monotonic_ns());
        let renewed = self.targets.iter_mut().filter_map(Target::take_renewed);
        new.extend(renewed);
        // What an observed process executes is for `take_renewed` to find.
        let there = self.targets.iter().filter(|target| !target.has_ended()).map(Target::pid);
        let known: BTreeSet<u32> = new.iter().map(|newcomer| newcomer.pid).chain(there).collect();
        let executed = self.executions.newcomers();
        new.extend(executed.filter(|newcomer| !known.contains(&newcomer.pid)));
        if children && self.ended_ns.is_none() {
            let (now_ns, family) = (monotonic_ns(), self.family());
            let children = self.pace.new_children(&family, now_ns);
            let orphans = self.orphans.iter_mut().flat_map(|of| of.look(&family, now_ns));
            new.extend(children.into_iter().chain(orphans).map(Newcomer::new));
        }
        let known = self.family();
        new.extend(self.host.iter_mut().flat_map(|host| host.take_new(&known)));
        self.retire();
        once(new)
    }

    /// The processes that are there, observed or not.
    fn family(&self) -> BTreeSet<u32> {
        let targets = self.targets.iter().filter(|target| !target.has_ended());
        targets.map(Target::pid).chain(self.others.pids()).collect()
    }

    /// What of a command goes on without it: Nodes, and processes that were not looked at yet.
    fn left_behind(&self) -> (Vec<(u32, String, bool)>, Vec<u32>) {
        let family = self.family();
        let there = self.targets.iter().filter(|target| !target.has_ended());
        let observed = there.map(|target| (target.pid(), target.name().to_owned(), true));
        let unseen = self.orphans.iter().flat_map(|orphans| orphans.look_now(&family));
        (observed.collect(), unseen.collect())
    }

    /// Lets go of those that have ended, once it was looked at what came after them.
    fn retire(&mut self) {
        let now_ns = monotonic_ns();
        for target in self.targets.extract_if(.., |target| target.has_ended()) {
            match &mut self.host {
                Some(host) => host.bury(target.told(), now_ns),
                None => self.past.add(target.told()),
            }
        }
        self.host.iter_mut().for_each(|host| host.forget(now_ns));
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

impl Drop for Live {
    /// Waits for the thread. If the process ended while that takes the probes away, it would be
    /// killed meanwhile, and the kernel leaves a probe where it is that it takes away for a thread
    /// that is being killed.
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.calls.stopped.notify_all();
        let watcher = self.watcher.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watcher) = watcher {
            // It has panicked: that was told already, and the kernel side is dropped.
            let _ = watcher.join();
        }
    }
}
