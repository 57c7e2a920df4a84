//! The counters of a thread on Linux.
//!
//! What the kernel's figures mean was tried on Linux 6.18:
//!
//! - Run delay (`schedstat`) grows when the thread gets its CPU, by the time since it became
//!   runnable. A thread whose quota is used up stays runnable, so **run delay contains throttled
//!   time** (`tests/cgroup.rs` fails if it does not).
//! - A thread stopped by a signal (`SIGSTOP`) looks like one that waits: neither on a CPU nor in
//!   the queue, and one voluntary switch. Nothing that it can read afterwards tells the two apart.
//!   A frozen control group looks the same, but Linux 6.18 keeps its time in `cgroup.stat.local`.
//! - The clock of a loop stands still while the machine is suspended, so that no stall contains it.

mod cgroup;
mod pmu;
mod stat;
mod system;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::Reading;
pub use cgroup::Cgroup;
use pmu::Pmu;

/// Longest file that is read: `cpu.stat` has 13 lines of at most 40 bytes.
const FILE_BYTES: usize = 640;

/// Counters of the thread that opened them.
#[derive(Debug)]
pub(crate) struct ThreadCounters {
    schedstat: Option<File>,
    cgroup: Cgroup,
    pmu: Option<Pmu>,
}

impl ThreadCounters {
    /// Opens what there is for the calling thread. Cycles and instructions only if asked for: their
    /// events make every context switch of the thread dearer.
    pub(crate) fn open(cycles: bool) -> Option<Self> {
        Some(ThreadCounters {
            schedstat: File::open("/proc/thread-self/schedstat").ok(),
            cgroup: Cgroup::of_this_thread(),
            pmu: if cycles { Pmu::open() } else { None },
        })
    }

    /// What the counters say now. Called on the thread that opened them; `last` is what they said
    /// before. A thread that has not been switched since then was neither in the queue nor
    /// throttled nor frozen, so those figures are not read again.
    pub(crate) fn read(&self, last: &Reading) -> Reading {
        let usage = system::usage();
        let (cycles, instructions) = self.pmu.as_ref().and_then(Pmu::read).unzip();
        let mut reading = Reading {
            task_clock_ns: system::thread_clock_ns(),
            voluntary_switches: usage.map(|usage| usage.voluntary_switches),
            forced_switches: usage.map(|usage| usage.forced_switches),
            page_faults: usage.map(|usage| usage.page_faults),
            cycles,
            instructions,
            run_delay_ns: last.run_delay_ns,
            throttled_ns: last.throttled_ns,
            frozen_ns: last.frozen_ns,
        };
        let switches = reading.context_switches();
        if switches.is_none() || switches != last.context_switches() {
            reading.run_delay_ns = self.run_delay_ns();
            reading.throttled_ns = self.cgroup.throttled_ns();
            reading.frozen_ns = self.cgroup.frozen_ns();
        }
        reading
    }

    /// What another thread can see of the counters of thread `thread_id`, which opened them. If it
    /// is in the queue for a CPU just now, that wait is not yet a part of its run delay.
    ///
    /// Cost: some 20 µs, and memory for a file.
    pub(crate) fn read_from_outside(&self, thread_id: u64) -> Reading {
        let status = fs::read(format!("/proc/self/task/{thread_id}/status")).unwrap_or_default();
        Reading {
            task_clock_ns: system::clock_ns_of(thread_id),
            voluntary_switches: stat::value_of(&status, b"voluntary_ctxt_switches:"),
            forced_switches: stat::value_of(&status, b"nonvoluntary_ctxt_switches:"),
            run_delay_ns: self.run_delay_ns(),
            throttled_ns: self.cgroup.throttled_ns(),
            frozen_ns: self.cgroup.frozen_ns(),
            ..Reading::default()
        }
    }

    fn run_delay_ns(&self) -> Option<u64> {
        read_with(self.schedstat.as_ref()?, stat::run_delay_ns)
    }
}

/// Reads a small file that is kept open, and finds something in it.
fn read_with<T>(file: &File, find: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    let mut bytes = [0; FILE_BYTES];
    let length = file.read_at(&mut bytes, 0).ok()?;
    find(&bytes[..length])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    fn spin(time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            black_box(());
        }
    }

    #[test]
    fn work_sleep_and_faults_are_counted_apart() {
        let counters = ThreadCounters::open(true).unwrap();
        let start = counters.read(&Reading::default());
        spin(Duration::from_millis(50));
        let worked = counters.read(&start);
        std::thread::sleep(Duration::from_millis(50));
        let slept = counters.read(&worked);
        const PAGES: usize = 256;
        let memory = black_box(vec![1_u8; PAGES * 4_096]);
        let touched = counters.read(&slept);
        drop(memory);

        let (work, sleep, touch) = (worked - start, slept - worked, touched - slept);
        let busy_ns = work.task_clock_ns.unwrap() + work.run_delay_ns.unwrap();
        assert!((45_000_000..500_000_000).contains(&busy_ns), "{work:?}");
        assert_eq!(work.voluntary_switches, Some(0), "{work:?}");
        assert!(sleep.task_clock_ns.unwrap() < 10_000_000, "{sleep:?}");
        assert!(sleep.voluntary_switches.unwrap() >= 1, "{sleep:?}");
        assert!(touch.page_faults.unwrap() >= 1, "{touch:?}");
    }

    #[test]
    fn another_thread_sees_the_time_and_the_switches() {
        let counters = ThreadCounters::open(false).unwrap();
        spin(Duration::from_millis(30));
        let own = counters.read(&Reading::default());
        let link = fs::read_link("/proc/thread-self").unwrap();
        let id = link.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let read = || counters.read_from_outside(id);
        let seen = std::thread::scope(|scope| scope.spawn(read).join().unwrap());
        assert!(seen.task_clock_ns.unwrap() >= own.task_clock_ns.unwrap());
        assert!(seen.context_switches().unwrap() >= own.context_switches().unwrap());
        assert!(seen.run_delay_ns.unwrap() >= own.run_delay_ns.unwrap());
        assert_eq!((seen.page_faults, seen.cycles), (None, None));
        let nobody = counters.read_from_outside(u64::MAX);
        assert_eq!((nobody.task_clock_ns, nobody.context_switches()), (None, None));
    }
}
