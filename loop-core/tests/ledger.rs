//! Where the time of a stall went, on a real clock: what computed, what waited, and for what.
#![cfg(target_os = "linux")]

mod support;

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use loop_core::snapshot::LedgerKey::{LockWait, Microtasks, Native, RunQueue, SyncIo, Ticks};
use loop_core::snapshot::{Counters, Stall};
use loop_core::{Clock, Loop, Options, Reader, RunMode};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use support::{MS, assert_part, compute, ms, stall_of, told};

/// Queues microtasks that compute for so many milliseconds together.
fn queue_work(lp: &mut Loop, jobs: u64) {
    (0..jobs).for_each(|_| lp.queue_microtask(|_| compute(ms(1))));
}

#[test]
fn a_callback_that_computes_and_waits_and_a_drain_are_told_apart() {
    let stall = stall_of(false, |lp| {
        compute(ms(100));
        // The kernel ends a sleep in time, however busy the machine; another thread might not.
        thread::sleep(ms(100));
        queue_work(lp, 100);
    });
    assert_part(&stall, Native, 100 * MS);
    assert_part(&stall, SyncIo, 100 * MS);
    assert_part(&stall, Microtasks, 100 * MS);
    assert_eq!(stall.ledger_ns.get(LockWait), None);
    let counters = stall.counters;
    assert!(counters.task_clock_ns >= Some(199 * MS), "{counters:?}");
    assert!(counters.context_switches >= Some(1), "{counters:?}");
}

#[test]
fn a_wait_inside_of_a_drain_is_not_the_drains() {
    let stall = stall_of(false, |lp| {
        compute(ms(100));
        lp.queue_microtask(|_| thread::sleep(ms(100)));
        lp.next_tick(|_| compute(ms(60)));
    });
    assert_part(&stall, Native, 100 * MS);
    assert_part(&stall, SyncIo, 100 * MS);
    assert_part(&stall, Microtasks, 0);
    assert_part(&stall, Ticks, 60 * MS);
}

#[test]
fn a_sleep_is_sync_io_and_so_is_it_with_detail() {
    for detail in [false, true] {
        let stall = stall_of(detail, |_| thread::sleep(ms(120)));
        assert_part(&stall, SyncIo, 120 * MS);
        assert_eq!(stall.ledger_ns.cause(), SyncIo);
    }
}

#[test]
fn a_busy_neighbour_on_the_same_cpu_is_run_queue() {
    let own = sched_getaffinity(None).unwrap();
    let cpu = (0..CpuSet::MAX_CPU).rfind(|&cpu| own.is_set(cpu)).unwrap();
    let mut one = CpuSet::new();
    one.set(cpu);
    let done = Arc::new(AtomicBool::new(false));
    let neighbour = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            sched_setaffinity(None, &one).unwrap();
            while !done.load(Ordering::Relaxed) {}
        }
    });
    sched_setaffinity(None, &one).unwrap();
    let stall = stall_of(false, |_| compute(ms(150)));
    done.store(true, Ordering::Relaxed);
    neighbour.join().unwrap();
    assert_part(&stall, Native, 150 * MS);
    assert_part(&stall, RunQueue, stall.duration_ns.saturating_sub(150 * MS));
    assert!(stall.ledger_ns.get(RunQueue) >= Some(75 * MS), "half of the CPU was the neighbour's");
}

#[test]
fn page_faults_are_counted_where_they_happen() {
    const BYTES: usize = 64 << 20;
    let faults = |stall: Stall| stall.counters.page_faults.unwrap();
    let quiet = faults(stall_of(false, |_| compute(ms(80))));
    let touching = faults(stall_of(false, |_| {
        let memory = std::hint::black_box(vec![1_u8; BYTES]);
        compute(ms(60));
        drop(memory);
    }));
    // Of 4 KiB, or of 2 MiB where the kernel gives memory in huge pages.
    assert!(touching >= quiet + BYTES as u64 / (2 << 20), "{touching} after {quiet}");
}

/// Snapshots while a loop on another thread is blocked in `block`, until one holds a stall of
/// 80 ms with so many microtasks, which is returned.
fn running(
    microtasks: u64,
    block: impl FnOnce(&mut Loop) + Send + 'static,
) -> (Stall, Reader, impl FnOnce()) {
    let (readers, reader) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        let mut lp = Loop::new(Options::default()).unwrap();
        readers.send(lp.reader()).unwrap();
        lp.set_immediate(block);
        lp.run(RunMode::Default).unwrap();
    });
    let reader: Reader = reader.recv().unwrap();
    let wanted =
        |stall: &Stall| stall.duration_ns >= 80 * MS && stall.microtasks == Some(microtasks);
    for _ in 0..10_000 {
        thread::sleep(ms(1));
        if let Some(stall) = reader.snapshot().stalls.into_iter().find(wanted) {
            println!("{:?} {:?}", told(&stall), stall.counters);
            assert!(stall.running);
            assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
            return (stall, reader, move || thread.join().unwrap());
        }
    }
    panic!("no stall seen in 10 s");
}

#[test]
fn a_loop_stuck_in_a_read_is_told_as_sync_io_while_it_is_stuck() {
    let (mut from, mut to) = std::io::pipe().unwrap();
    let (stall, reader, join) = running(0, move |_| from.read_exact(&mut [0]).unwrap());
    assert_part(&stall, SyncIo, stall.duration_ns);
    assert_eq!(stall.ledger_ns.cause(), SyncIo);
    assert!(stall.counters.context_switches >= Some(1));
    assert_eq!(stall.counters.page_faults, None);
    to.write_all(b"x").unwrap();
    join();
    assert_eq!(reader.snapshot().stall_totals.count(SyncIo), 1);
}

#[test]
fn a_running_drain_is_told_by_what_it_had_of_the_cpu() {
    let (mut from, mut to) = std::io::pipe().unwrap();
    let (stall, _, join) = running(40, move |lp| {
        queue_work(lp, 40);
        lp.queue_microtask(move |_| from.read_exact(&mut [0]).unwrap());
    });
    assert_part(&stall, Microtasks, 40 * MS);
    assert_part(&stall, Native, 0);
    to.write_all(b"x").unwrap();
    join();
}

#[test]
fn a_running_stall_that_computes_waits_for_nothing() {
    let (stall, _, join) = running(0, |_| compute(ms(300)));
    assert_part(&stall, SyncIo, 0);
    assert!(stall.ledger_ns.get(Native) > Some(MS));
    join();
}

#[test]
fn a_loop_counts_what_its_thread_did_and_under_virtual_time_nothing() {
    let mut lp = Loop::new(Options::default()).unwrap();
    let start = lp.reader().snapshot().counters;
    assert_eq!(start.task_clock_ns, Some(0));
    lp.enter(|_| compute(ms(30)));
    lp.run(RunMode::Default).unwrap();
    let seen = lp.reader().snapshot();
    let counters = seen.counters;
    assert!(counters.task_clock_ns >= Some(30 * MS), "{counters:?}");
    assert!(counters.page_faults.is_some() && counters.context_switches.is_some());
    assert_eq!((counters.cycles, counters.instructions), (None, None), "they need detail");

    let clock = Clock::virtual_time();
    let mut lp = Loop::new(Options { clock, ..Options::default() }).unwrap();
    lp.enter(|lp| lp.busy(ms(60)));
    lp.run(RunMode::Default).unwrap();
    let seen = lp.reader().snapshot();
    assert_eq!(seen.counters, Counters::default());
    assert_eq!(seen.stalls[0].counters, Counters::default());
    assert_eq!(seen.stalls[0].ledger_ns.get(SyncIo), None);
    assert_eq!(seen.stalls[0].ledger_ns.get(Native), Some(60 * MS));
}
