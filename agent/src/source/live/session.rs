//! Several targets observed at once, for as long as somebody holds the session.
//!
//! A thread of its own looks ten times a second who has come and gone. Snapshots are taken by
//! whoever asks, at any time; they wait for that thread for a millisecond at most.
//!
//! **Invariant**: the session never waits for a target. A target that is blocked, stopped or dead
//! is read as readily as an idle one.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::{ClockKind, Events, Snapshot, Tier};

use super::clock::monotonic_ns;
use super::ebpf::{Kernel, TARGETS};
use super::layout::uv_layout;
use super::memory::Memory;
use super::probes::{self, Probes};
use super::target::{Common, Found, Target};
use crate::elf::Image;
use crate::exit::{Cause, Failure};
use crate::plan;
use crate::process::{Kind, MappedFile, Process, Refusal};
use crate::source::Observe;

/// How often loops are looked for and stalls taken.
const TICK: Duration = Duration::from_millis(100);

/// How often new children are looked for, in ticks.
const CHILDREN_EVERY: u64 = 5;

/// The name of the thread, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-watch";

/// How to observe.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A turn that lasts this long is a stall.
    pub stall_threshold_ns: u64,
    /// The most that is wanted to be seen.
    pub tier: Tier,
    /// Whether the Node processes that a target starts, or has started, are observed too.
    pub children: bool,
    /// The most that probes may cost a loop's thread, as a share of its time.
    pub budget_ratio: f64,
}

/// Running processes under observation. Dropping it ends it, and leaves nothing in the kernel.
#[derive(Debug)]
pub struct Live {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kernel: Kernel,
    options: Options,
    common: Common,
    started_ns: u64,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    targets: Vec<Target>,
    /// Children that are no Node, or can't be observed. What they execute may change.
    others: Vec<Process>,
    ticks: u64,
    stop: bool,
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
    let found: Result<Vec<_>, Refusal> = pids.iter().map(|&pid| find(pid)).collect();
    let found = found?;
    let kernel = Kernel::load().map_err(|error| {
        let cure = "`loopscope doctor` says what this machine allows";
        Failure::refused(Cause::new(error.to_string(), cure))
    })?;
    let now_ns = monotonic_ns();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ns = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
    let common = Common {
        stall_threshold_ns: options.stall_threshold_ns,
        unix_offset_ns: unix_ns.saturating_sub(now_ns),
        hit_ns: kernel.hit_ns(),
        budget_ratio: options.budget_ratio,
    };
    let shared = Shared {
        kernel,
        options,
        common,
        started_ns: now_ns,
        state: Mutex::default(),
        stopped: Condvar::new(),
    };
    for found in found {
        shared.add(found)?;
    }
    let live = Live { shared: Arc::new(shared) };
    let shared = Arc::clone(&live.shared);
    thread::Builder::new()
        .name(THREAD_NAME.to_owned())
        .spawn(move || shared.watch(on_end))
        .map_err(|error| {
            Failure::run(format!("no thread can be made ({error}); see `ulimit -u`"))
        })?;
    Ok(Arc::new(live))
}

/// What was found out about a process before anything is set in the kernel.
struct Candidate {
    found: Found,
    files: Vec<MappedFile>,
}

fn find(pid: u32) -> Result<Candidate, Refusal> {
    let process = Process::open(pid)?;
    let unreadable = |what: String| {
        let cure = "`loopscope doctor` says what can be seen of it";
        Refusal::new(Kind::Unreadable, format!("process {pid}: {what}"), cure)
    };
    let files = process.modules().map_err(|error| unreadable(error.to_string()))?;
    let images = images(&files).map_err(unreadable)?;
    let plan = plan::plan(&images).map_err(|_| Refusal::not_node(pid, process.name()))?;
    let layout = plan.versions.uv.and_then(uv_layout);
    let layout = layout.ok_or_else(|| unreadable("its version of libuv isn't known".to_owned()))?;
    let memory = Memory::open(process.identity())
        .map_err(|error| unreadable(format!("its memory can't be read ({error})")))?;
    Ok(Candidate { found: Found { process, memory, plan, layout }, files })
}

fn images(files: &[MappedFile]) -> Result<Vec<Image>, String> {
    let read = |file: &MappedFile| {
        let name = file.path.display();
        let opened = file.open().map_err(|error| format!("{name}: {error}"))?;
        Image::read(opened).map_err(|error| format!("{name}: {error}"))
    };
    files.iter().map(read).collect()
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, candidate: Candidate) -> Result<(), Failure> {
        let Candidate { found, files } = candidate;
        let layout = probes::layout(self.options.stall_threshold_ns, found.layout, &found.plan);
        let probes = Probes::of(self.options.tier, &found.plan, &files, &found.memory, layout);
        let pid = found.process.identity().pid;
        let mut state = self.state();
        let index = u32::try_from(state.targets.len()).unwrap_or(u32::MAX);
        if index >= TARGETS {
            return Err(Failure::refused(format!(
                "{TARGETS} processes are observed already; observe the others from another loopscope"
            )));
        }
        let target = Target::attach(&self.kernel, index, found, probes, self.common);
        let target = target.map_err(|error| {
            let cure = "`loopscope doctor` says what this machine allows";
            let what = format!("the probes can't be set into process {pid} ({error})");
            Failure::refused(Cause::new(what, cure))
        })?;
        state.targets.push(target);
        Ok(())
    }

    /// The body of the thread.
    fn watch(&self, on_end: impl FnOnce()) {
        let mut on_end = Some(on_end);
        let mut state = self.state();
        while !state.stop {
            state.ticks += 1;
            for target in &mut state.targets {
                target.tick(&self.kernel);
            }
            let mut new = state.renewed();
            if self.options.children && state.ticks % CHILDREN_EVERY == 1 {
                new.extend(state.new_children());
            }
            if !new.is_empty() {
                drop(state);
                self.look_at(&new);
                state = self.state();
            }
            if state.targets.iter().all(Target::has_ended)
                && let Some(on_end) = on_end.take()
            {
                on_end();
            }
            let waited = self.stopped.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Observes those of these processes that can be.
    fn look_at(&self, pids: &[u32]) {
        for &pid in pids {
            if find(pid).is_ok_and(|candidate| self.add(candidate).is_ok()) {
                continue;
            }
            if let Ok(process) = Process::open(pid) {
                self.state().others.push(process);
            }
        }
    }
}

impl State {
    /// Targets that execute another program now.
    fn renewed(&mut self) -> Vec<u32> {
        self.targets.iter_mut().filter_map(Target::take_renewed).collect()
    }

    /// Children of the targets that were not looked at yet.
    fn new_children(&mut self) -> Vec<u32> {
        self.others.retain(Process::is_same_image);
        let others = self.others.iter().map(|process| process.identity().pid);
        let known: BTreeSet<u32> = self.targets.iter().map(Target::pid).chain(others).collect();
        let there = self.targets.iter().filter(|target| !target.has_ended());
        let children = there.filter_map(|target| target.process.children().ok()).flatten();
        children.filter(|pid| !known.contains(pid)).collect()
    }
}

impl Live {
    /// Whether all targets have ended.
    pub fn has_ended(&self) -> bool {
        self.shared.state().targets.iter().all(Target::has_ended)
    }
}

impl Observe for Live {
    fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        let state = shared.state();
        let mut events = Events::default();
        state.targets.iter().for_each(|target| events.merge(target.events()));
        Snapshot {
            wall_ns: monotonic_ns().saturating_sub(shared.started_ns),
            clock: ClockKind::Real,
            events,
            targets: state.targets.iter().map(|target| target.describe(&shared.kernel)).collect(),
            loops: state.targets.iter().flat_map(|target| target.loops(&shared.kernel)).collect(),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.stopped.notify_all();
    }
}
