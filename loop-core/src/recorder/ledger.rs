//! Where the time of a stall on the embedded loop went.
//!
//! In the order of precedence, each part at most what those before it have left of the duration:
//!
//! | key | is |
//! |---|---|
//! | `frozen` | time in which the control group was frozen |
//! | `throttled` | time the control group was throttled, at most the run delay, which contains it |
//! | `run_queue` | the rest of the run delay |
//! | `sync_io` | neither on a CPU nor waiting for one: the thread waited, or a signal stopped it |
//! | `gc` | pauses of a script's garbage collector, by the clock |
//! | `microtasks`, `ticks` | the drains without those, by the time they were on a CPU |
//! | `native` or `javascript` | the rest: callbacks that computed, in Rust or in a script |
//!
//! A thread that never gave its CPU away waited for nothing. What it has lost beside its run delay
//! was taken from the whole CPU (by a hypervisor), and is `run_queue`, too.
//!
//! A drain of at least a millisecond counts by its time on a CPU, between readings of the counters
//! at both ends; a shorter one by the clock, which is as good as its share of a stall is small.
//!
//! Where the counters are missing, drains count by the clock, the rest is as above, and what
//! only the counters tell is `None`.

use super::stalls::StallRecord;
use crate::snapshot::{Ledger, LedgerKey};

/// The ledger of a completed or running stall. What callbacks compute with is `code`.
pub(super) fn ledger(stall: &StallRecord, code: LedgerKey) -> Ledger {
    // A running turn is read while it goes on, so that its parts may be of a later moment than its
    // age. Readings of counters may begin a millisecond before the turn.
    let mut left_ns = stall.duration_ns;
    let mut part = |ns: u64| {
        let part_ns = ns.min(left_ns);
        left_ns -= part_ns;
        part_ns
    };
    let mut ledger = Ledger::default();
    let mut add = |key: LedgerKey, ns: u64| ledger = ledger.with(key, part(ns));
    if let Some(off_cpu) = OffCpu::of(stall) {
        off_cpu.frozen_ns.into_iter().for_each(|ns| add(LedgerKey::Frozen, ns));
        off_cpu.throttled_ns.into_iter().for_each(|ns| add(LedgerKey::Throttled, ns));
        add(LedgerKey::RunQueue, off_cpu.run_queue_ns);
        add(LedgerKey::SyncIo, off_cpu.sync_io_ns);
    }
    if code == LedgerKey::Javascript {
        add(LedgerKey::Gc, stall.gc_ns);
    }
    add(LedgerKey::Microtasks, stall.microtask_ns);
    add(LedgerKey::Ticks, stall.tick_ns);
    add(code, u64::MAX);
    ledger
}

/// The parts in which the thread was not on a CPU.
struct OffCpu {
    frozen_ns: Option<u64>,
    throttled_ns: Option<u64>,
    run_queue_ns: u64,
    sync_io_ns: u64,
}

impl OffCpu {
    /// `None` where the counters don't tell time on a CPU and in the queue apart from the rest.
    fn of(stall: &StallRecord) -> Option<OffCpu> {
        let spent = &stall.spent;
        let (on_cpu_ns, run_delay_ns) = (spent.task_clock_ns?, spent.run_delay_ns?);
        let throttled_ns = spent.throttled_ns.map(|ns| ns.min(run_delay_ns));
        let frozen_ns = spent.frozen_ns;
        let known_ns = on_cpu_ns + run_delay_ns + frozen_ns.unwrap_or(0);
        let rest_ns = stall.duration_ns.saturating_sub(known_ns);
        let run_queue_ns = run_delay_ns - throttled_ns.unwrap_or(0);
        let (run_queue_ns, sync_io_ns) = match spent.voluntary_switches {
            Some(0) => (run_queue_ns + rest_ns, 0),
            _ => (run_queue_ns, rest_ns),
        };
        Some(OffCpu { frozen_ns, throttled_ns, run_queue_ns, sync_io_ns })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::counters::Reading;
    use LedgerKey::{Frozen, LockWait, Microtasks, Native, RunQueue, SyncIo, Throttled, Ticks};

    fn ledger(stall: &StallRecord) -> Ledger {
        super::ledger(stall, Native)
    }

    fn stall(duration_ns: u64, spent: Reading) -> StallRecord {
        StallRecord { duration_ns, spent, ..StallRecord::default() }
    }

    fn spent(on_cpu_ns: u64, run_delay_ns: u64) -> Reading {
        Reading {
            task_clock_ns: Some(on_cpu_ns),
            run_delay_ns: Some(run_delay_ns),
            voluntary_switches: Some(1),
            ..Reading::default()
        }
    }

    #[test]
    fn without_counters_only_drains_are_told_apart() {
        let ledger = ledger(&StallRecord {
            microtask_ns: 30,
            tick_ns: 20,
            ..stall(100, Reading::default())
        });
        assert_eq!([Microtasks, Ticks, Native].map(|key| ledger.get(key)), [30, 20, 50].map(Some));
        assert_eq!([Frozen, Throttled, RunQueue, SyncIo].map(|key| ledger.get(key)), [None; 4]);
    }

    #[test]
    fn what_scripts_compute_is_javascript() {
        let told = super::ledger(&stall(100, Reading::default()), LedgerKey::Javascript);
        assert_eq!((told.get(LedgerKey::Javascript), told.get(Native)), (Some(100), None));
    }

    #[test]
    fn collections_come_before_drains_and_are_of_scripts_alone() {
        let stall = StallRecord { microtask_ns: 50, gc_ns: 30, ..stall(100, spent(90, 10)) };
        let told = super::ledger(&stall, LedgerKey::Javascript);
        let parts = [RunQueue, LedgerKey::Gc, Microtasks, LedgerKey::Javascript];
        assert_eq!(parts.map(|key| told.get(key)), [10, 30, 50, 10].map(Some));
        assert_eq!(ledger(&stall).get(LedgerKey::Gc), None);
    }

    #[test]
    fn time_off_the_cpu_is_divided_before_time_on_it() {
        let spent = Reading { throttled_ns: Some(20), frozen_ns: Some(5), ..spent(40, 30) };
        let ledger = ledger(&StallRecord { microtask_ns: 30, ..stall(100, spent) });
        let parts = [Frozen, Throttled, RunQueue, SyncIo, Microtasks, Ticks, Native];
        assert_eq!(parts.map(|key| ledger.get(key)), [5, 20, 10, 25, 30, 0, 10].map(Some));
        assert_eq!((ledger.total_ns(), ledger.get(LockWait)), (100, None));
    }

    #[test]
    fn a_group_throttled_on_many_cpus_takes_no_more_than_the_run_delay() {
        let told = ledger(&stall(100, Reading { throttled_ns: Some(900), ..spent(40, 60) }));
        assert_eq!((told.get(Throttled), told.get(RunQueue)), (Some(60), Some(0)));
    }

    #[test]
    fn who_never_gave_the_cpu_away_waited_for_nothing() {
        let stolen = Reading { voluntary_switches: Some(0), ..spent(70, 10) };
        let told = ledger(&stall(100, stolen));
        assert_eq!((told.get(RunQueue), told.get(SyncIo)), (Some(30), Some(0)));
        let told = ledger(&stall(100, spent(70, 10)));
        assert_eq!((told.get(RunQueue), told.get(SyncIo)), (Some(10), Some(20)));
    }

    #[test]
    fn whatever_the_counters_say_the_parts_sum_to_the_duration() {
        for on_cpu_ns in [0, 50, 500] {
            for run_delay_ns in [0, 70, 700] {
                for frozen_ns in [None, Some(0), Some(60), Some(600)] {
                    let spent = Reading { frozen_ns, ..spent(on_cpu_ns, run_delay_ns) };
                    let stall = StallRecord { microtask_ns: 40, tick_ns: 90, ..stall(100, spent) };
                    assert_eq!(ledger(&stall).total_ns(), 100, "{stall:?}");
                }
            }
        }
    }
}
