//! What the kernel counted for a loop's thread.

use serde::Serialize;

/// Counters of a loop's thread. `None`: not counted there.
///
/// An embedded loop on Linux has them from system calls of its own thread: at most once in a
/// millisecond of turns, and with `--detail` at both ends of every turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Time on a CPU in nanoseconds, user mode and kernel (`CLOCK_THREAD_CPUTIME_ID`).
    pub task_clock_ns: Option<u64>,
    /// Times the thread lost its CPU: because it waited, or to another (`getrusage`).
    pub context_switches: Option<u64>,
    /// Page faults, minor and major (`getrusage`). `None` for a stall that still goes on.
    pub page_faults: Option<u64>,
    /// CPU cycles in user mode (`perf_event_open`). They need `--detail` and a CPU that counts
    /// them; virtual machines mostly have none.
    pub cycles: Option<u64>,
    /// Instructions retired in user mode; as the cycles.
    pub instructions: Option<u64>,
}

impl Counters {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Counters::default()
    }

    pub(super) fn all(&self) -> [Option<u64>; 5] {
        let Counters { task_clock_ns, context_switches, page_faults, cycles, instructions } = *self;
        [task_clock_ns, context_switches, page_faults, cycles, instructions]
    }

    pub(super) fn all_mut(&mut self) -> [&mut Option<u64>; 5] {
        [
            &mut self.task_clock_ns,
            &mut self.context_switches,
            &mut self.page_faults,
            &mut self.cycles,
            &mut self.instructions,
        ]
    }
}
