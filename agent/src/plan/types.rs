//! What a plan is made of.

use std::fmt;

/// A place in Node where something begins or ends.
///
/// All are met on the thread whose loop it is. In which registers the arguments lie is x86-64's
/// calling convention: the instruction under the probe is the first of the function or one behind
/// it that all of them have reached untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// `uv__run_timers(loop)`: the timers phase begins. `rdi` is the `uv_loop_t`.
    RunTimers,
    /// `uv__run_idle(loop)`: pending callbacks are done, the idle handles begin.
    RunIdle,
    /// `uv__run_prepare(loop)`: the prepare handles begin.
    RunPrepare,
    /// `uv__io_poll(loop, timeout)`: the poll phase begins. `esi` is the time that it may wait, in
    /// milliseconds, -1 for ever.
    IoPoll,
    /// `uv__run_check(loop)`: the poll phase is over, the check handles begin.
    RunCheck,
    /// `v8::internal::Execution::TryRunMicrotasks(isolate, queue)`: a drain begins. `rsi` is the
    /// `MicrotaskQueue`. It is only called for one that isn't empty.
    DrainStart,
    /// Behind the call of that in `MicrotaskQueue::RunMicrotasks`: the drain has ended, also where
    /// it was terminated. No argument is left.
    DrainEnd,
    /// `v8::internal::Heap::PerformGarbageCollection(heap, collector, reason, reason_text)`: a
    /// collection that holds the thread up begins. `esi` is V8's `GarbageCollector`: 0 scavenge, 1
    /// mark-compact, 2 minor mark-sweep (minor mark-compact in V8 10).
    ///
    /// In the binaries of Node 18 to 26 it is `esi` that the function masks with `0xfffffffd` to
    /// tell the young collections (0 and 2) from the full one. A function that doesn't is not
    /// probed.
    GcStart,
    /// Behind a call of that: the collection is over. No argument is left. There is one for each
    /// caller.
    GcEnd,
    /// `node::performance::MarkBootstrapComplete(arguments)`: Node is ready, its program begins.
    /// Its own JavaScript calls it once, on the main thread.
    Begin,
}

impl Point {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::RunTimers,
        Self::RunIdle,
        Self::RunPrepare,
        Self::IoPoll,
        Self::RunCheck,
        Self::DrainStart,
        Self::DrainEnd,
        Self::GcStart,
        Self::GcEnd,
        Self::Begin,
    ];
}

/// Where a probe goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What it tells.
    pub point: Point,
    /// Which of [`Plan::modules`] it lies in.
    pub module: usize,
    /// Where in the file: what the kernel wants to know.
    pub file_offset: u64,
    /// Where, as the file counts addresses.
    pub address: u64,
    /// What stands there. The process must have the same in its memory.
    pub bytes: [u8; 16],
    /// The instruction under the probe, for people.
    pub instruction: String,
    /// Whether the kernel has to step through it, which costs about 9 us a hit instead of 0.6.
    /// Only at the start of a collection.
    pub stepped: bool,
}

/// A point that can't be probed, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub point: Point,
    /// Why: one line.
    pub reason: String,
}

/// One of the images that the plan was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Which build it is.
    pub build_id: Option<Vec<u8>>,
    /// Whether it has libuv's loop.
    pub uv: bool,
    /// Whether it has V8's heap and microtasks.
    pub v8: bool,
}

/// Where data lies and how it is laid out, as far as the file tells. What it doesn't is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// Module and address of libuv's `default_loop_struct`, 848 bytes: the main thread's loop.
    pub default_loop: Option<(usize, u64)>,
    /// Module and address of the virtual table of `v8::internal::MicrotaskQueue`. What points to
    /// 16 bytes behind it is such a queue.
    pub microtask_queue_vtable: Option<(usize, u64)>,
    /// Where in a `MicrotaskQueue` its count of finished microtasks lies, of 8 bytes.
    pub finished_count_offset: Option<u64>,
    /// Where in a `MicrotaskQueue` the number of those that wait lies, of 8 bytes.
    pub size_offset: Option<u64>,
    /// libuv's queues of jobs for its pool of threads.
    pub pool: Option<PoolData>,
    /// Where in an `Isolate` the address of its own `MicrotaskQueue` lies.
    pub queue_in_isolate: Option<u64>,
}

/// Module and addresses of libuv's queues of jobs for its pool of threads: two words each, the
/// first and the last entry of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolData {
    /// Which of [`Plan::modules`] they lie in.
    pub module: usize,
    /// `wq`: jobs that wait for a thread.
    pub waiting: u64,
    /// `slow_io_pending_wq`: those of them that may take only half of the threads, as
    /// `dns.lookup`.
    pub slow: u64,
    /// `run_slow_work_message`: an entry of the first queue that stands for the second.
    pub slow_mark: u64,
    /// `exit_message`: an entry that is no job.
    pub exit_mark: u64,
}

/// Which versions they are, by what the code itself says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Node's, such as `20.20.2`, from `napi_get_node_version`.
    pub node: Option<String>,
    /// libuv's, from `uv_version`, where `uv_version_string` says the same.
    pub uv: Option<(u8, u8, u8)>,
    /// V8's, such as `11.3.244.8`, from the data of `v8::internal::Version`.
    pub v8: Option<String>,
}

/// All that is known about a Node from its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The images, in the order in which they were given.
    pub modules: Vec<Module>,
    /// The probes, by point. The collections may have several.
    pub probes: Vec<Probe>,
    /// The points without a probe, by point.
    pub missing: Vec<Missing>,
    /// Where data lies.
    pub data: Data,
    /// Which versions they are.
    pub versions: Versions,
}

impl Plan {
    /// The probes of a point: one or none, but for [`Point::GcStart`] and [`Point::GcEnd`].
    pub fn probes_of(&self, point: Point) -> impl Iterator<Item = &Probe> {
        self.probes.iter().filter(move |probe| probe.point == point)
    }

    /// Why a point has no probe.
    pub fn why_missing(&self, point: Point) -> Option<&str> {
        let missing = self.missing.iter().find(|missing| missing.point == point);
        missing.map(|missing| missing.reason.as_str())
    }
}

/// The images are no Node's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNode {
    /// What was looked for and not found: one line.
    pub reason: String,
}

impl fmt::Display for NotNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not Node.js: {}", self.reason)
    }
}

impl std::error::Error for NotNode {}
