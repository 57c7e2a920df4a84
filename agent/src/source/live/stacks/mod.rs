//! What the threads of loops do while a turn is open for too long: stacks, and what is waited for.
//!
//! ```text
//! a loop's pulse, 10 to 20 ms ─open for a fifth of the threshold──> Episode
//!                     samples of the thread on a CPU (kernel side) ──┤
//!                     what it waits for (/proc), its stack (memory) ─┴──> Seen: culprit, shares
//! ```
//!
//! A thread of its own looks at each loop: one read of 160 bytes of memory. Where nothing has moved
//! for a fifth of the stall threshold, it has the thread sampled, and looks at it each few
//! milliseconds, the longer it lasts the less often. A stall is told by whoever knows when it began
//! and ended; here is asked what was seen meanwhile.
//!
//! Cost: a wake-up, a read of `/proc`, and one read for each loop a hundred times a second, 67
//! times where a whole host is watched, 50 times where there are many loops, and more often for a
//! threshold below 50 ms; while one is
//! held up, naming its samples, four reads of `/proc` a look, and once for each socket that it
//! waits for, a copy of that. Nothing in the target but the samples.
//! `attach_cost -- --only stalls` in `bench` measures it. Where stalls follow one another, it is
//! halved (`allowance.rs`).
//!
//! **Invariant**: while no loop is held up, nothing is set into the target or other processes:
//! there is no tracepoint, and no event but one of this thread that never comes. Where a whole host
//! is watched, that one isn't there, either, unless a loop was held up a minute ago.

mod allowance;
mod calls;
mod episode;
mod group;
mod growth;
mod limits;
mod names;
mod originals;
mod passes;
mod peers;
mod pool;
mod reactions;
mod readiness;
mod recent;
mod silence;
mod waiting;
mod waits;
mod watched;
mod written;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(super) use episode::Seen;
pub(super) use watched::LoopAt;

use allowance::{Allowance, thread_cpu_ns};
use group::Group;
use limits::idle_pause_ns;
use loop_core::snapshot::{Limit, ThreadPoolSnapshot};
use names::{Files, Names};
use pool::{Places, Pool};
use readiness::Readiness;
use rustix::process::{getpriority_process, setpriority_process};
use silence::{Beat, Gap};
use watched::{Around, Watched};

use super::clock::Shift;
use super::clock::monotonic_ns;
use super::ebpf::{Ended, Kernel};
use super::layout::UvLayout;
use super::memory::Memory;
use crate::plan::{Plan, Versions};
use crate::process::{MappedFile, Process};

/// The name of the thread, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-stack";

/// The priority of the thread: above that of usual programs.
const NICE: i32 = -10;

/// A process whose loops are looked at.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) process: Arc<Process>,
    pub(super) memory: Arc<Memory>,
    pub(super) layout: &'static UvLayout,
    pub(super) files: Vec<MappedFile>,
    pub(super) plan: Arc<Plan>,
}

/// How it is looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Whether compiled scripts are told by their sources.
    pub(super) source_maps: bool,
    /// Whether processes are watched that nobody has named, for as long as they run.
    pub(super) whole_host: bool,
}

/// A loop of this process is held up; or it was, and its turn has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) pid: u32,
    pub(super) ended: bool,
}

/// Is told of loops that are held up, and waits for nobody.
type Call = Box<dyn Fn(Held) + Send + Sync>;

/// See the module. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Stacks {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    kernel: Option<Arc<Kernel>>,
    threshold_ns: u64,
    asked: Asked,
    state: Mutex<State>,
    inbox: Mutex<Inbox>,
    wake: Condvar,
    call: OnceLock<Call>,
    /// Whether a loop may be held up: one is, or it was not looked yet.
    may_be_held: AtomicBool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("threshold_ns", &self.threshold_ns).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    files: Arc<Files>,
    processes: BTreeMap<u32, Watching>,
    stop: bool,
}

/// What the thread is told, by others that never wait for it.
#[derive(Debug, Default)]
struct Inbox {
    /// Whether the thread reads symbols, so that nobody waits for that, either.
    in_thread: bool,
    /// Those whose symbols are still to be read.
    new: VecDeque<Observed>,
    /// The loops that there are now, by process.
    places: BTreeMap<u32, Vec<LoopAt>>,
    ended: Vec<u32>,
}

/// How all loops are looked at once.
#[derive(Clone, Copy, Debug)]
struct Looks {
    /// The time before it in which that was to be done and was not.
    gap: Option<Gap>,
    /// How many times less often than usual a stall is looked at that begins now.
    slower: u64,
    /// From this look to the next where no loop is held up.
    idle_ns: u64,
}

/// The loops of one process.
#[derive(Debug)]
struct Watching {
    process: Arc<Process>,
    around: Around,
    pool: Option<Pool>,
    loops: Vec<Watched>,
}

impl Stacks {
    /// Starts the thread. `kernel` is `None` where threads can't be sampled.
    ///
    /// # Errors
    /// No thread can be made.
    pub(super) fn start(
        kernel: Option<Arc<Kernel>>,
        threshold_ns: u64,
        asked: Asked,
    ) -> std::io::Result<Arc<Stacks>> {
        let (state, inbox, wake) = (Mutex::default(), Mutex::default(), Condvar::new());
        let (call, may_be_held) = (OnceLock::new(), AtomicBool::new(true));
        let shared = Shared { kernel, threshold_ns, asked, state, inbox, wake, call, may_be_held };
        let shared = Arc::new(shared);
        let body = Arc::clone(&shared);
        let thread = thread::Builder::new().name(THREAD_NAME.to_owned());
        let thread = thread.spawn(move || body.watch())?;
        Ok(Arc::new(Stacks { shared, thread: Mutex::new(Some(thread)) }))
    }

    /// Calls this, from now on, when a loop is held up, and when its turn has ended. The first one
    /// is called, no other.
    pub(super) fn call(&self, call: Call) {
        let _ = self.shared.call.set(call);
    }

    /// Whether a loop may be held up, as of the last look. Nobody waits.
    pub(super) fn may_be_held(&self) -> bool {
        self.shared.may_be_held.load(Ordering::Relaxed)
    }

    /// A Node that is about to be executed. Its symbols are read now: that takes longer than the
    /// first stall may last.
    pub(super) fn prepare(&self, program: &File, versions: &Versions) {
        let files = Arc::clone(&self.shared.state().files);
        files.prepare(program, versions);
    }

    /// From now on nobody waits until the symbols of a process have been read: others may come and
    /// go meanwhile.
    pub(super) fn read_in_thread(&self) {
        self.shared.inbox().in_thread = true;
    }

    /// Looks at the loops of this process from now on, once it is told which they are.
    pub(super) fn observe(&self, observed: Observed) {
        let mut inbox = self.shared.inbox();
        if inbox.in_thread {
            inbox.new.push_back(observed);
            return;
        }
        drop(inbox);
        let files = Arc::clone(&self.shared.state().files);
        let watching = self.shared.watching(observed, files);
        self.shared.state().add(watching);
    }

    /// Those are the loops of the process now. What was seen of others is forgotten.
    pub(super) fn set_loops(&self, pid: u32, loops: &[LoopAt]) {
        self.shared.inbox().places.insert(pid, loops.to_vec());
    }

    /// The process has ended.
    pub(super) fn forget(&self, pid: u32) {
        let mut inbox = self.shared.inbox();
        inbox.places.remove(&pid);
        inbox.new.retain(|new| new.process.identity().pid != pid);
        inbox.ended.push(pid);
    }

    /// Whether the loops of this process are looked at already.
    pub(super) fn looks_at(&self, pid: u32) -> bool {
        let state = self.shared.state();
        state.processes.get(&pid).is_some_and(|watching| !watching.loops.is_empty())
    }

    /// The pool of threads of a process; nothing where its place isn't known.
    pub(super) fn pool(&self, pid: u32) -> ThreadPoolSnapshot {
        let state = self.shared.state();
        let pool = state.processes.get(&pid).and_then(|watching| watching.pool.as_ref());
        pool.map(Pool::snapshot).unwrap_or_default()
    }

    /// What is not seen of a process.
    pub(super) fn limits(&self, pid: u32) -> Vec<Limit> {
        let state = self.shared.state();
        state.processes.get(&pid).map(Watching::limits).unwrap_or_default()
    }

    /// Until when a thread waited for events in what was taken for one of its turns, as far as it
    /// was seen.
    pub(super) fn waited_until(&self, (pid, tid): (u32, u32), turn: &Ended) -> Option<u64> {
        let state = self.shared.state();
        let loops = &state.processes.get(&pid)?.loops;
        let of = loops.iter().find(|of| of.at.tid == tid)?;
        of.waits.until(turn)
    }

    /// What was seen of a thread between two moments of the monotonic clock; `None`: nothing.
    pub(super) fn seen(&self, pid: u32, tid: u32, start_ns: u64, end_ns: u64) -> Option<Seen> {
        let mut state = self.shared.state();
        let loops = &mut state.processes.get_mut(&pid)?.loops;
        let mut of = loops.iter_mut().filter(|of| of.at.tid == tid);
        of.find_map(|of| of.seen(start_ns, end_ns))
    }
}

impl Drop for Stacks {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.wake.notify_all();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has panicked: that was told already.
            let _ = thread.join();
        }
    }
}

impl Watching {
    fn set_loops(&mut self, loops: &[LoopAt]) {
        let is_of = |of: &Watched, at: &LoopAt| (of.at.tid, of.at.fields) == (at.tid, at.fields);
        self.loops.retain(|of| loops.iter().any(|at| is_of(of, at)));
        for at in loops {
            if let Some(known) = self.loops.iter_mut().find(|of| is_of(of, at)) {
                known.at = *at;
            } else {
                let folder = self.process.path(&format!("task/{}", at.tid));
                self.loops.push(Watched::new(*at, folder));
            }
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let limit = |what: String, why: &str| Limit { what, why: why.to_owned() };
        let functions = "the functions that hold up the loop".to_owned();
        let unnamed = self.around.names.missing().map(|why| limit(functions, why));
        let lost: u64 = self.loops.iter().map(Watched::lost).sum();
        let lost = (lost > 0).then(|| {
            let why = "loopscope had no CPU to look at them in time";
            limit(format!("{lost} samples of stacks"), why)
        });
        let sparse: u64 = self.loops.iter().map(Watched::sparse).sum();
        let sparse = (sparse > 0).then(|| {
            let why = "they followed one another, and were looked at half as often to cost less";
            limit(format!("short parts of {sparse} of the times that a loop was held up"), why)
        });
        let (unsampled, unmapped) = (self.unsampled(), self.around.names.unmapped());
        let few = lost.into_iter().chain(sparse).chain(unsampled);
        unnamed.into_iter().chain(few).chain(unmapped).collect()
    }

    /// What no samples tell.
    fn unsampled(&self) -> Option<Limit> {
        if self.around.kernel.is_none() {
            let what = "which function computes while it holds up the loop".to_owned();
            let why = "no thread is sampled without the kernel side; where it waits is seen";
            return Some(Limit { what, why: why.to_owned() });
        }
        let all = || self.loops.iter().map(Watched::unsampled);
        let count: u64 = all().map(|(count, _)| count).sum();
        let why = all().find_map(|(_, why)| why).unwrap_or("its thread had ended");
        let what =
            format!("which function computed in {count} of the times that a loop was held up");
        (count > 0).then(|| Limit { what, why: why.to_owned() })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what has to be known to look at a process.
    fn watching(&self, observed: Observed, files: Arc<Files>) -> Watching {
        let Observed { process, memory, layout, files: modules, plan } = observed;
        let mut names = Names::new(Arc::clone(&process), &modules, &plan.versions, files);
        if self.asked.source_maps {
            names.tell_originals();
        }
        let around = Around {
            kernel: self.kernel.clone(),
            memory,
            layout,
            shift: Shift::to(&process),
            pid: process.identity().pid,
            gap: None,
            slower: 1,
            threshold_ns: self.threshold_ns,
            queue: plan.data.finished_count_offset.zip(plan.data.size_offset),
            process: Arc::clone(&process),
            group: Group::default(),
            names,
        };
        let pool = plan.data.pool.and_then(|data| Places::of(data, &modules)).map(Pool::new);
        Watching { process, around, pool, loops: Vec::new() }
    }

    /// The body of the thread.
    fn watch(&self) {
        // Where others take all CPUs is where stalls are. Without the right to it, it goes as well
        // as it can; and it may have been given more than that.
        let nice = getpriority_process(None).map_or(NICE, |given| given.min(NICE));
        let _ = setpriority_process(None, nice);
        let (mut beat, mut gap) = (Beat::new(), None);
        let mut readiness = Readiness::default();
        let mut allowance = Allowance::new(monotonic_ns(), thread_cpu_ns());
        let mut state = self.state();
        while !state.stop {
            let new = state.take(&mut self.inbox());
            if let Some(new) = new {
                self.may_be_held.store(true, Ordering::Relaxed);
                let files = Arc::clone(&state.files);
                drop(state);
                // Others come first: nothing is held up yet that is known of.
                let _ = setpriority_process(None, 0);
                let watching = self.watching(new, files);
                let _ = setpriority_process(None, nice);
                allowance.pass_over(thread_cpu_ns());
                state = self.state();
                // It may have ended meanwhile.
                if watching.process.is_same_image() {
                    state.add(watching);
                }
                continue;
            }
            let whole_host = self.asked.whole_host;
            let idle_ns = idle_pause_ns(self.threshold_ns, whole_host, state.loops().count());
            let looks = Looks { gap, slower: allowance.slower(), idle_ns };
            let pause_ns = state.look(looks, self.call.get());
            let held = state.held();
            allowance.count(held, monotonic_ns(), thread_cpu_ns());
            let is_held = held > 0;
            self.may_be_held.store(is_held, Ordering::Relaxed);
            if self.kernel.is_some() {
                readiness.keep(!whole_host, is_held, monotonic_ns());
            }
            beat.waits_until(monotonic_ns() + pause_ns);
            let pause = Duration::from_nanos(pause_ns);
            let waited = self.wake.wait_timeout(state, pause);
            gap = beat.goes_on(monotonic_ns());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn add(&mut self, watching: Watching) {
        self.processes.insert(watching.process.identity().pid, watching);
    }

    /// Takes what was told. Returns who is new.
    fn take(&mut self, inbox: &mut Inbox) -> Option<Observed> {
        for pid in inbox.ended.drain(..) {
            self.processes.remove(&pid);
        }
        for (pid, watching) in &mut self.processes {
            let places = inbox.places.remove(pid);
            places.into_iter().for_each(|places| watching.set_loops(&places));
        }
        inbox.new.pop_front()
    }

    /// How many loops are held up.
    fn held(&self) -> usize {
        self.loops().filter(|of| of.is_held()).count()
    }

    fn loops(&self) -> impl Iterator<Item = &Watched> {
        self.processes.values().flat_map(|watching| &watching.loops)
    }

    /// Looks at all loops. Returns how long to wait.
    fn look(&mut self, looks: Looks, call: Option<&Call>) -> u64 {
        let Looks { gap, slower, idle_ns } = looks;
        let mut pause_ns = idle_ns;
        for watching in self.processes.values_mut() {
            if let Some(pool) = &mut watching.pool {
                let now_ns = monotonic_ns();
                pool.look_if_due(&watching.around.memory, now_ns);
            }
            (watching.around.gap, watching.around.slower) = (gap, slower);
            for of in &mut watching.loops {
                let was_held = of.is_held();
                let wanted_ns = of.look(&mut watching.around, monotonic_ns());
                let held = Held { pid: watching.around.pid, ended: was_held };
                call.filter(|_| was_held != of.is_held()).into_iter().for_each(|call| call(held));
                pause_ns = pause_ns.min(wanted_ns.unwrap_or(idle_ns));
            }
            watching.around.group.release(monotonic_ns);
        }
        pause_ns
    }
}
