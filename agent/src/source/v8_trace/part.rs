//! What is known of a stretch of a thread's time, as a sum over the events in it.
//!
//! Between two events the thread has run or has waited. What it ran is known from its CPU time.
//! How long it was held up beyond that is known only inside of something that is traced.

use super::event::Moment;

/// Sums over a stretch, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// How long the loop was held up at least.
    pub(super) held_ns: u64,
    /// Of it, in pauses for garbage collection.
    pub(super) gc_ns: u64,
    /// Of those pauses, not on a CPU: they wait for V8's other threads, too.
    pub(super) gc_off_cpu_ns: u64,
    /// Of it, on a CPU in drains, pauses in them left out.
    pub(super) microtasks_ns: u64,
    /// Of it, in anything else on a CPU.
    pub(super) running_ns: u64,
    /// The thread's CPU time.
    pub(super) cpu_ns: u64,
    /// Microtasks that ran.
    pub(super) jobs: u64,
    /// Those of the longest drain.
    pub(super) drain_jobs: u64,
}

/// What the thread is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// Nothing that is traced: it may have waited.
    Nothing,
    /// A phase or the main script: it was held up all the time.
    Callbacks,
    Drain,
    Gc,
}

impl Part {
    /// Adds the time between two moments. Out of order, they are no time.
    pub(super) fn add(&mut self, from: Moment, to: Moment, inside: Inside) {
        let wall_ns = to.wall_ns.saturating_sub(from.wall_ns);
        let cpu_ns = to.cpu_ns.saturating_sub(from.cpu_ns).min(wall_ns);
        self.cpu_ns += cpu_ns;
        match inside {
            Inside::Nothing => {
                self.held_ns += cpu_ns;
                self.running_ns += cpu_ns;
            }
            Inside::Callbacks => {
                self.held_ns += wall_ns;
                self.running_ns += cpu_ns;
            }
            Inside::Drain => {
                self.held_ns += wall_ns;
                self.microtasks_ns += cpu_ns;
            }
            Inside::Gc => {
                self.held_ns += wall_ns;
                self.gc_ns += wall_ns;
                self.gc_off_cpu_ns += wall_ns - cpu_ns;
            }
        }
    }

    /// Both together.
    pub(super) fn and(self, other: Part) -> Part {
        Part {
            held_ns: self.held_ns + other.held_ns,
            gc_ns: self.gc_ns + other.gc_ns,
            gc_off_cpu_ns: self.gc_off_cpu_ns + other.gc_off_cpu_ns,
            microtasks_ns: self.microtasks_ns + other.microtasks_ns,
            running_ns: self.running_ns + other.running_ns,
            cpu_ns: self.cpu_ns + other.cpu_ns,
            jobs: self.jobs + other.jobs,
            drain_jobs: self.drain_jobs.max(other.drain_jobs),
        }
    }

    /// What was neither on a CPU nor a pause: the thread waited, for a CPU or for anything else. An
    /// `async` function waits within a drain.
    pub(super) fn waited_ns(&self) -> u64 {
        self.held_ns.saturating_sub(self.gc_ns + self.microtasks_ns + self.running_ns)
    }
}
