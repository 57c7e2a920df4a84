//! What tests of ledgers share: work counted by the CPU it gets, and how parts are compared.

use std::hint::black_box;
use std::time::Duration;

use loop_core::snapshot::{LedgerKey, Stall};
use loop_core::{Loop, Options, RunMode};
use rustix::time::{ClockId, clock_gettime};

pub(crate) const MS: u64 = 1_000_000;

/// Computes until this thread has had so much of a CPU, however long that takes.
pub(crate) fn compute(work: Duration) {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let end = now() + work;
    while now() < end {
        black_box(());
    }
}

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The one stall of a new loop whose first immediate runs `callback`.
pub(crate) fn stall_of(detail: bool, callback: impl FnOnce(&mut Loop) + 'static) -> Stall {
    let mut lp = Loop::new(Options { detail, ..Options::default() }).unwrap();
    lp.set_immediate(callback);
    lp.run(RunMode::Default).unwrap();
    let mut seen = lp.reader().snapshot();
    assert_eq!(seen.stalls.len(), 1, "{:?}", seen.stalls);
    let stall = seen.stalls.remove(0);
    println!("{:?} {:?}", told(&stall), stall.counters);
    assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
    assert_eq!(seen.stall_totals.count(stall.ledger_ns.cause()), 1);
    stall
}

/// The parts that are not nothing, in milliseconds.
pub(crate) fn told(stall: &Stall) -> Vec<(&'static str, f64)> {
    let parts = stall.ledger_ns.iter().filter_map(|(key, ns)| Some((key.name(), ns? as f64 / 1e6)));
    parts.filter(|(_, ms)| *ms > 0.0).collect()
}

/// Fails unless the part is as long as it should be, within 15 % or 15 ms.
pub(crate) fn assert_part(stall: &Stall, key: LedgerKey, expected_ns: u64) {
    let ns = stall.ledger_ns.get(key).unwrap_or_else(|| panic!("{key:?} is not told"));
    let slack_ns = (expected_ns * 15 / 100).max(15 * MS);
    assert!(ns.abs_diff(expected_ns) <= slack_ns, "{key:?}: {expected_ns} in {:?}", told(stall));
}
