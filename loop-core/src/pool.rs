//! The thread pool for blocking work, its queueing and running times measured.
//!
//! Threads start with the first job, as libuv's. Under a virtual clock there are none: a job is
//! done where it is queued, in order, and completes in the next poll phase like any other.
//!
//! **Invariant**: at most half of the threads, rounded up, do slow jobs (look-ups of names), as in
//! libuv: names that nobody answers for keep no file waiting.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::{About, ErrorCode, SysError};
use crate::event_loop::Loop;
use crate::io::Inbox;
use crate::limits::{POOL_THREADS, POOL_THREADS_MAX};
use crate::recorder::{PoolGauge, Record};
use crate::task::Task;

/// The name of a job, to cancel it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobId(u64);

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// It was cancelled before it started.
    Cancelled,
    /// It panicked. The pool goes on.
    Panicked,
    /// The system grants no thread for it. Another job may fare better later.
    NoThread,
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JobError::Cancelled => "the job was cancelled before it started",
            JobError::Panicked => "the job panicked; its message is on standard error",
            JobError::NoThread => "no thread can be started for the job; see `ulimit -u`",
        })
    }
}

impl std::error::Error for JobError {}

impl JobError {
    fn of_call(self, call: &'static str, about: About) -> SysError {
        let code = match self {
            JobError::Cancelled => ErrorCode::Errno(libc::ECANCELED),
            JobError::NoThread => ErrorCode::Errno(libc::EAGAIN),
            JobError::Panicked => ErrorCode::Unknown(std::io::ErrorKind::Other),
        };
        SysError::of(call, code, about)
    }
}

type Output = Result<Box<dyn Any + Send>, JobError>;
type Work = Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>;

/// What a job mostly does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// It works, or waits for a device.
    Quick,
    /// It waits for another computer.
    Slow,
}

struct Job {
    id: u64,
    kind: JobKind,
    work: Work,
    queued: Instant,
}

/// A job that is done, as the loop hears of it.
pub(crate) struct Completion {
    id: u64,
    output: Output,
    /// Waiting and running time in nanoseconds; `None` for a job that never ran.
    times_ns: Option<(u64, u64)>,
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What the threads of a pool share.
struct Shared {
    queue: Mutex<Jobs>,
    available: Condvar,
    /// How many threads may do slow jobs at the same time.
    slow_max: usize,
    inbox: Arc<Inbox>,
    gauge: Arc<PoolGauge>,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// How many of those that wait are slow.
    slow_waiting: usize,
    slow_running: usize,
    /// Threads without a job, those included that have yet to begin. A thread may have begun before
    /// it is counted, so the number may be below zero for a moment.
    idle_threads: isize,
    closed: bool,
}

/// See the module.
pub(crate) struct Pool<R: Record> {
    shared: Arc<Shared>,
    size: usize,
    started: bool,
    inline: bool,
    next_id: u64,
    /// What to run on the loop when a job is done.
    after: HashMap<u64, After<R>>,
}

type After<R> = Box<dyn FnOnce(&mut Loop<R>, Output)>;

impl<R: Record> Pool<R> {
    pub(crate) fn new(size: Option<usize>, inbox: Arc<Inbox>, inline: bool) -> Self {
        let size = size.unwrap_or_else(thread_pool_size).clamp(1, POOL_THREADS_MAX);
        let shared = Shared {
            queue: Mutex::default(),
            available: Condvar::new(),
            slow_max: size.div_ceil(2),
            inbox,
            gauge: Arc::default(),
        };
        Pool {
            shared: Arc::new(shared),
            size,
            started: false,
            inline,
            next_id: 0,
            after: HashMap::new(),
        }
    }

    pub(crate) fn gauge(&self) -> Arc<PoolGauge> {
        self.shared.gauge.clone()
    }

    /// How many jobs the loop waits for.
    #[inline]
    pub(crate) fn outstanding(&self) -> usize {
        self.after.len()
    }

    fn submit(&mut self, kind: JobKind, work: Work, after: After<R>) -> JobId {
        let id = self.next_id;
        self.next_id += 1;
        self.after.insert(id, after);
        let job = Job { id, kind, work, queued: Instant::now() };
        let done = if self.inline {
            Completion { times_ns: None, ..job.run() }
        } else if self.start_threads() {
            self.shared.push(job);
            return JobId(id);
        } else {
            Completion { id, output: Err(JobError::NoThread), times_ns: None }
        };
        self.shared.inbox.post(|letters| letters.done.push_back(done));
        JobId(id)
    }

    /// Starts the threads, if they aren't. Returns whether there are any: with one the pool works,
    /// if slowly.
    fn start_threads(&mut self) -> bool {
        if self.started {
            return true;
        }
        for number in 0..self.size {
            let shared = self.shared.clone();
            let name = format!("loop-worker-{number}");
            if std::thread::Builder::new().name(name).spawn(move || shared.work()).is_err() {
                break;
            }
            self.shared.lock().idle_threads += 1;
            self.started = true;
        }
        self.started
    }
}

impl<R: Record> Drop for Pool<R> {
    fn drop(&mut self) {
        let mut jobs = self.shared.lock();
        jobs.closed = true;
        // What the jobs hold is dropped without the lock: it is not ours.
        let waiting = std::mem::take(&mut jobs.waiting);
        jobs.slow_waiting = 0;
        drop(jobs);
        drop(waiting);
        self.shared.available.notify_all();
    }
}

impl<R: Record> fmt::Debug for Pool<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Job {
    fn run(self) -> Completion {
        let started = Instant::now();
        // What the closure holds is gone after a panic, so nobody can see it half changed. Nor may
        // the panic's message, as it is dropped, end the thread.
        let output = catch_unwind(AssertUnwindSafe(self.work)).map_err(|message| {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(message)));
            JobError::Panicked
        });
        let run_ns = started.elapsed().as_nanos() as u64;
        let queue_ns = started.duration_since(self.queued).as_nanos() as u64;
        Completion { id: self.id, output, times_ns: Some((queue_ns, run_ns)) }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        // Jobs run outside of the lock, so a poisoned one is whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) {
        let mut jobs = self.lock();
        jobs.slow_waiting += usize::from(job.kind == JobKind::Slow);
        jobs.waiting.push_back(job);
        self.tell(&jobs);
        self.available.notify_one();
    }

    /// Jobs wait when there are more of them than threads that may take them.
    fn tell(&self, jobs: &Jobs) {
        let idle_threads = usize::try_from(jobs.idle_threads).unwrap_or(0);
        let slow_free = self.slow_max.saturating_sub(jobs.slow_running);
        let held_back = jobs.slow_waiting.saturating_sub(slow_free);
        let wanted = jobs.waiting.len() - held_back;
        self.gauge.set_waiting((held_back + wanted.saturating_sub(idle_threads)) as u64);
    }

    /// Takes a waiting job out.
    fn cancel(&self, id: u64) -> Option<Job> {
        let mut jobs = self.lock();
        let at = jobs.waiting.iter().position(|job| job.id == id)?;
        let job = jobs.remove(at)?;
        self.tell(&jobs);
        Some(job)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            let kind = job.kind;
            let completion = job.run();
            let mut jobs = self.lock();
            jobs.idle_threads += 1;
            jobs.slow_running -= usize::from(kind == JobKind::Slow);
            drop(jobs);
            self.inbox.post(|letters| letters.done.push_back(completion));
        }
    }

    /// The next job that may run. A slow one that may not is taken by the thread that ends another.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            let slow = jobs.slow_running < self.slow_max;
            let may_run = |job: &Job| slow || job.kind == JobKind::Quick;
            if let Some(at) = jobs.waiting.iter().position(may_run) {
                let job = jobs.remove(at)?;
                jobs.idle_threads -= 1;
                jobs.slow_running += usize::from(job.kind == JobKind::Slow);
                self.tell(&jobs);
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            jobs = self.available.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Jobs {
    fn remove(&mut self, at: usize) -> Option<Job> {
        let job = self.waiting.remove(at)?;
        self.slow_waiting -= usize::from(job.kind == JobKind::Slow);
        Some(job)
    }
}

/// How many threads the pool of a loop has whose options don't say: 4, or what the variable
/// `UV_THREADPOOL_SIZE` says, from 1 to 1024.
///
/// It is read as libuv reads it, by C's `atoi`: blanks, a sign, digits, and whatever follows is
/// ignored. 0 or no number is 1 thread, a number below zero is as many as there may be, and a text
/// of 16 bytes or more is as if it were not there. Source: `src/threadpool.c` of libuv.
pub fn thread_pool_size() -> usize {
    let text = std::env::var_os("UV_THREADPOOL_SIZE");
    text.and_then(|text| pool_size(text.as_encoded_bytes())).unwrap_or(POOL_THREADS)
}

/// What a value of `UV_THREADPOOL_SIZE` means; `None` where libuv ignores it.
fn pool_size(text: &[u8]) -> Option<usize> {
    /// With the zero at its end, the text must fit into libuv's buffer.
    const BUFFER: usize = 16;
    if text.len() >= BUFFER {
        return None;
    }
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let blanks = text.iter().take_while(|byte| is_blank(byte)).count();
    let (negative, digits) = match &text[blanks..] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    // At most 15 digits, so it can't overflow.
    let number = digits.fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    // As in C: cut to an `int`, and then taken for an `unsigned int`.
    let size = (if negative { -number } else { number }) as i32 as u32;
    Some((size as usize).clamp(1, POOL_THREADS_MAX))
}

impl<R: Record> Loop<R> {
    /// Does blocking work on a thread of the pool, then runs `after` in the poll phase. The loop
    /// stays alive until then.
    pub fn queue_work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
        after: impl FnOnce(&mut Self, Result<T, JobError>) + 'static,
    ) -> JobId {
        self.queue_job(JobKind::Quick, work, after)
    }

    /// Makes a call of the system on a thread of the pool. A job that can't be done is an error of
    /// that call.
    pub(crate) fn queue_call<T: Send + 'static>(
        &mut self,
        kind: JobKind,
        call: &'static str,
        about: About,
        work: impl FnOnce() -> Result<T, SysError> + Send + 'static,
        after: impl FnOnce(&mut Self, Result<T, SysError>) + 'static,
    ) -> JobId {
        self.queue_job(kind, work, move |lp, result| {
            after(lp, result.unwrap_or_else(|refused| Err(refused.of_call(call, about))));
        })
    }

    fn queue_job<T: Send + 'static>(
        &mut self,
        kind: JobKind,
        work: impl FnOnce() -> T + Send + 'static,
        after: impl FnOnce(&mut Self, Result<T, JobError>) + 'static,
    ) -> JobId {
        let work: Work = Box::new(move || Box::new(work()));
        self.pool.submit(
            kind,
            work,
            Box::new(move |lp, output| {
                let output = output.map(|output| {
                    *output.downcast::<T>().expect("the work of this job returns a `T`")
                });
                after(lp, output);
            }),
        )
    }

    /// Cancels a job that has not started: its callback gets [`JobError::Cancelled`], or
    /// `ECANCELED` where it is a call on a file or a look-up. Returns whether that was so.
    pub fn cancel_work(&mut self, id: JobId) -> bool {
        let Some(job) = self.pool.shared.cancel(id.0) else { return false };
        let completion =
            Completion { id: job.id, output: Err(JobError::Cancelled), times_ns: None };
        self.io.inbox().post(|letters| letters.done.push_back(completion));
        true
    }

    pub(crate) fn run_completion(&mut self, completion: Completion) {
        let Some(after) = self.pool.after.remove(&completion.id) else { return };
        if let Some((queue_ns, run_ns)) = completion.times_ns {
            self.record.pool_job(queue_ns, run_ns);
        }
        self.callback(|lp| after(lp, completion.output));
    }

    /// Puts a callback off to the pending phase.
    pub(crate) fn put_off(&mut self, callback: impl FnOnce(&mut Self) + 'static) {
        self.pending.push_back(Task::new(callback));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::event_loop::{Options, RunMode};

    #[test]
    fn the_size_is_read_as_c_reads_numbers() {
        let check = |text: &str, size| assert_eq!(pool_size(text.as_bytes()), size, "{text}");
        for (text, size) in [("8", 8), ("+8", 8), (" \t\x0b8", 8), ("8x", 8), ("8 9", 8)] {
            check(text, Some(size));
        }
        for text in ["", "0", "-0", "many", "- 8", "+-8", "4294967297", "1.9"] {
            check(text, Some(1));
        }
        for text in ["1024", "1025", "-1", "-8", "2147483648"] {
            check(text, Some(POOL_THREADS_MAX));
        }
        check("000000000000008", Some(8));
        check("0000000000000008", None);
    }

    #[test]
    fn slow_jobs_leave_half_of_the_threads_to_others() {
        const SLOW: usize = 6;
        let options = Options { thread_pool_size: Some(4), ..Options::default() };
        let mut lp = Loop::new(options).unwrap();
        let guard = lp.timer_start(60_000, 0, |_| panic!("the loop hangs"));
        lp.handle_unref(guard);
        let (release, hold) = mpsc::channel::<()>();
        let hold = Arc::new(Mutex::new(hold));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ended = Rc::new(Cell::new(0));
        for _ in 0..SLOW {
            let (hold, running, most) = (hold.clone(), running.clone(), most.clone());
            let wait = move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let _ = hold.lock().unwrap().recv();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            };
            let ended = ended.clone();
            lp.queue_call(JobKind::Slow, "getaddrinfo", About::Socket, wait, move |_, result| {
                assert_eq!(result, Ok(()));
                ended.set(ended.get() + 1);
            });
        }
        let waited = Rc::new(Cell::new(None));
        let w = waited.clone();
        lp.queue_work(
            || (),
            move |lp, _| {
                w.set(lp.reader().snapshot().thread_pool.queue_length);
                drop(release);
            },
        );
        lp.run(RunMode::Default).unwrap();
        assert_eq!((ended.get(), most.load(Ordering::SeqCst)), (SLOW, 2));
        assert_eq!(waited.get(), Some(4), "those held back wait, though threads are idle");
    }
}
