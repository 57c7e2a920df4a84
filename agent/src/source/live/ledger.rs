//! Where the time of a stall on a live Node went: what the kernel accounts, divided by what was
//! seen meanwhile.
//!
//! In the order of precedence, each part at most what those before it have left of the duration:
//!
//! | key | is |
//! |---|---|
//! | `frozen`, `sync_io`, `lock_wait` | neither on a CPU nor waiting for one, by what was seen |
//! | `frozen` | too: what nothing ran in on the machine, which is accounted as time on a CPU |
//! | `throttled` | time the control group was throttled, at most the run delay, which contains it |
//! | `run_queue` | the rest of the run delay |
//! | `gc` | collections, by their probes; what they wait for V8's own threads is a part of them |
//! | `microtasks` | time on a CPU in drains, without collections |
//! | `ticks`, `native`, `javascript` | the rest, by the shares of the samples that saw it |
//! | `unknown` | what nothing was seen of |

use loop_core::snapshot::{Ledger, LedgerKey};

/// How far the time on a CPU of a thread that runs may be behind where it isn't exact: the kernel
/// counts it at ticks, of which a slow one is 10 ms, and when the thread stops running.
const CPU_STALE_NS: u64 = 20_000_000;

/// What is accounted of a stall. `None`: not seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accounted {
    pub(super) duration_ns: u64,
    pub(super) cpu_ns: Option<u64>,
    pub(super) run_delay_ns: Option<u64>,
    /// How often it waited. A thread that never did was kept from its CPU by whoever has that: a
    /// hypervisor.
    pub(super) waits: Option<u64>,
    /// Whether the time on a CPU is as of now, and not as of the last tick.
    pub(super) exact: bool,
    /// Collections: the time in them but run delay, and of that the time on a CPU.
    pub(super) gc_ns: Option<(u64, u64)>,
    /// Time on a CPU in drains, without collections.
    pub(super) drains_ns: Option<u64>,
}

/// What was seen of a thread while its turn was open, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) off: OffCpu,
    pub(super) on: OnCpu,
    /// For how long its control group was throttled.
    pub(super) throttled_ns: Option<u64>,
    /// For how long nothing ran on the machine, though it was accounted time on a CPU.
    pub(super) silent_ns: u64,
}

/// What it was waiting for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OffCpu {
    pub(super) frozen_ns: u64,
    pub(super) lock_ns: u64,
    pub(super) io_ns: u64,
}

/// What it executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OnCpu {
    pub(super) collector_ns: u64,
    pub(super) microtasks_ns: u64,
    pub(super) ticks_ns: u64,
    pub(super) native_ns: u64,
    pub(super) javascript_ns: u64,
    pub(super) unknown_ns: u64,
}

/// Divides a stall by what is accounted.
pub(super) fn divide(accounted: &Accounted) -> Ledger {
    let mut left_ns = accounted.duration_ns;
    let mut ledger = Ledger::default();
    let mut add = |key: LedgerKey, ns: Option<u64>| {
        let Some(ns) = ns else { return };
        let part_ns = ns.min(left_ns);
        left_ns -= part_ns;
        ledger = ledger.with(key, part_ns);
    };
    let accounted = &Accounted { run_delay_ns: run_delay_ns(accounted), ..*accounted };
    let waited_ns = waited_ns(accounted);
    if accounted.waits == Some(0) {
        let taken_ns = accounted.run_delay_ns.map(|ns| ns + waited_ns.unwrap_or(0));
        add(LedgerKey::RunQueue, taken_ns);
        add(LedgerKey::SyncIo, waited_ns.and(Some(0)));
    } else {
        add(LedgerKey::RunQueue, accounted.run_delay_ns);
        add(LedgerKey::SyncIo, waited_ns);
    }
    add(LedgerKey::Gc, accounted.gc_ns.map(|(all_ns, _)| all_ns));
    add(LedgerKey::Microtasks, accounted.drains_ns);
    add(LedgerKey::Unknown, Some(u64::MAX));
    ledger
}

/// For how long it could have run within the turn. The kernel's figure has that of the wait before
/// it, too: a thread whose wait has ended may yet have no CPU.
fn run_delay_ns(accounted: &Accounted) -> Option<u64> {
    let off_ns = accounted.cpu_ns.map(|cpu_ns| accounted.duration_ns.saturating_sub(cpu_ns));
    let most_ns = off_ns.filter(|_| accounted.exact).unwrap_or(u64::MAX);
    accounted.run_delay_ns.map(|run_delay_ns| run_delay_ns.min(most_ns))
}

/// For how long the thread neither ran nor could have run, outside of collections. `None` where the
/// kernel's figures aren't there, and where it is less than what they may be wrong by.
fn waited_ns(accounted: &Accounted) -> Option<u64> {
    let (cpu_ns, run_delay_ns) = (accounted.cpu_ns?, accounted.run_delay_ns?);
    let in_gc_ns = accounted.gc_ns.map_or(0, |(all_ns, cpu_ns)| all_ns.saturating_sub(cpu_ns));
    let known_ns = cpu_ns + run_delay_ns + in_gc_ns;
    let off_ns = accounted.duration_ns.saturating_sub(known_ns);
    (accounted.exact || off_ns > CPU_STALE_NS).then_some(off_ns)
}

/// Divides it further by what was seen meanwhile.
pub(super) fn refine(ledger: Ledger, seen: &Shares) -> Ledger {
    let ledger = throttled(ledger, seen.throttled_ns);
    let (off, on) = (seen.off, seen.on);
    match ledger.get(LedgerKey::SyncIo) {
        Some(waited_ns) => {
            let ledger = silent(off_cpu(ledger, waited_ns, off), seen.silent_ns);
            divide_unknown(ledger, OffCpu::default(), on)
        }
        None => divide_unknown(silent(ledger, seen.silent_ns), off, on),
    }
}

/// A machine that stood still is accounted to whatever was on its CPUs.
fn silent(ledger: Ledger, silent_ns: u64) -> Ledger {
    let on_cpu = [LedgerKey::Unknown, LedgerKey::Microtasks, LedgerKey::Gc];
    on_cpu
        .into_iter()
        .fold((ledger, silent_ns), |(ledger, left_ns), key| {
            let taken_ns = get(ledger, key).min(left_ns);
            if taken_ns == 0 {
                return (ledger, left_ns);
            }
            let frozen_ns = get(ledger, LedgerKey::Frozen) + taken_ns;
            let rest_ns = get(ledger, key) - taken_ns;
            (ledger.with(key, rest_ns).with(LedgerKey::Frozen, frozen_ns), left_ns - taken_ns)
        })
        .0
}

fn throttled(ledger: Ledger, throttled_ns: Option<u64>) -> Ledger {
    let known = ledger.get(LedgerKey::RunQueue).zip(throttled_ns);
    known.map_or(ledger, |(run_delay_ns, throttled_ns)| {
        let throttled_ns = throttled_ns.min(run_delay_ns);
        let ledger = ledger.with(LedgerKey::Throttled, throttled_ns);
        ledger.with(LedgerKey::RunQueue, run_delay_ns - throttled_ns)
    })
}

/// The wait is accounted as `sync_io` so far. What nobody saw stays that.
fn off_cpu(ledger: Ledger, waited_ns: u64, off: OffCpu) -> Ledger {
    let keys = [LedgerKey::SyncIo, LedgerKey::Frozen, LedgerKey::LockWait];
    let parts = match [off.io_ns, off.frozen_ns, off.lock_ns] {
        [0, 0, 0] => [waited_ns, 0, 0],
        shares => split(waited_ns, shares),
    };
    keys.into_iter().zip(parts).fold(ledger, |ledger, (key, ns)| ledger.with(key, ns))
}

/// What is not accounted is divided by all that was seen.
fn divide_unknown(ledger: Ledger, off: OffCpu, on: OnCpu) -> Ledger {
    let parts = [
        (LedgerKey::Frozen, off.frozen_ns),
        (LedgerKey::SyncIo, off.io_ns),
        (LedgerKey::LockWait, off.lock_ns),
        (LedgerKey::Gc, on.collector_ns),
        (LedgerKey::Microtasks, on.microtasks_ns),
        (LedgerKey::Ticks, on.ticks_ns),
        (LedgerKey::Native, on.native_ns),
        (LedgerKey::Javascript, on.javascript_ns),
        (LedgerKey::Unknown, on.unknown_ns),
    ];
    // What is accounted, or told by a probe, is that and no more.
    let is_known = |key| key != LedgerKey::Unknown && ledger.get(key).is_some();
    let shares = parts.map(|(key, ns)| if is_known(key) { 0 } else { ns });
    if shares == [0; 9] {
        return ledger;
    }
    let divided = split(get(ledger, LedgerKey::Unknown), shares);
    let told = parts.into_iter().zip(divided).filter(|((key, _), _)| !is_known(*key));
    told.fold(ledger, |ledger, ((key, _), ns)| ledger.with(key, ns))
}

fn get(ledger: Ledger, key: LedgerKey) -> u64 {
    ledger.get(key).unwrap_or(0)
}

/// Divides by shares. The parts sum to the whole, or are all 0 where the shares are.
fn split<const N: usize>(whole_ns: u64, shares: [u64; N]) -> [u64; N] {
    let all = u128::from(shares.iter().sum::<u64>());
    let mut parts = [0; N];
    let (mut share_before, mut part_before) = (0, 0);
    for (part, share) in parts.iter_mut().zip(shares) {
        share_before += u128::from(share);
        let upto = (u128::from(whole_ns) * share_before).checked_div(all).unwrap_or(0) as u64;
        *part = upto - part_before;
        part_before = upto;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use LedgerKey::{
        Frozen, Gc, Javascript, LockWait, Microtasks, Native, RunQueue, SyncIo, Throttled, Ticks,
        Unknown,
    };

    fn accounted() -> Accounted {
        Accounted {
            duration_ns: 1_000,
            cpu_ns: Some(600),
            run_delay_ns: Some(100),
            waits: Some(3),
            exact: true,
            gc_ns: Some((150, 100)),
            drains_ns: Some(200),
        }
    }

    fn seen() -> Shares {
        Shares {
            off: OffCpu { frozen_ns: 1, lock_ns: 1, io_ns: 3 },
            on: OnCpu {
                collector_ns: 900,
                microtasks_ns: 900,
                ticks_ns: 1,
                native_ns: 2,
                javascript_ns: 7,
                unknown_ns: 0,
            },
            throttled_ns: Some(40),
            silent_ns: 0,
        }
    }

    #[test]
    fn what_is_accounted_is_divided_by_what_was_seen() {
        let told = refine(divide(&accounted()), &seen());
        let keys = [Frozen, Throttled, RunQueue, SyncIo, LockWait, Gc, Microtasks];
        assert_eq!(keys.map(|key| told.get(key)), [50, 40, 60, 150, 50, 150, 200].map(Some));
        assert_eq!([Ticks, Native, Javascript].map(|key| told.get(key)), [30, 60, 210].map(Some));
        assert_eq!((told.get(Unknown), told.total_ns()), (Some(0), 1_000));
    }

    #[test]
    fn a_machine_that_stood_still_is_frozen_and_was_accounted_as_computing() {
        let told = refine(divide(&accounted()), &Shares { silent_ns: 350, ..seen() });
        // All that nobody accounts, 300, and 50 of the drains, beside the 50 of a stop.
        let keys = [Frozen, RunQueue, SyncIo, Gc, Microtasks, Javascript, Unknown];
        assert_eq!(keys.map(|key| told.get(key)), [400, 60, 150, 150, 150, 0, 0].map(Some));
        assert_eq!(told.total_ns(), 1_000);
    }

    #[test]
    fn where_nothing_was_seen_a_wait_is_io_and_the_rest_unknown() {
        let told = divide(&accounted());
        assert_eq!([SyncIo, RunQueue, Unknown].map(|key| told.get(key)), [250, 100, 300].map(Some));
        assert_eq!([Frozen, LockWait, Throttled, Javascript].map(|key| told.get(key)), [None; 4]);
    }

    #[test]
    fn who_never_waited_was_kept_from_its_cpu() {
        let told = divide(&Accounted { waits: Some(0), ..accounted() });
        assert_eq!([RunQueue, SyncIo].map(|key| told.get(key)), [350, 0].map(Some));
        assert_eq!(told.total_ns(), 1_000);
    }

    #[test]
    fn waiting_for_a_cpu_before_the_turn_is_none_of_it() {
        let accounted = Accounted { run_delay_ns: Some(900), gc_ns: None, ..accounted() };
        let told = divide(&accounted);
        assert_eq!(
            [RunQueue, SyncIo, Microtasks].map(|key| told.get(key)),
            [400, 0, 200].map(Some)
        );
        assert_eq!(told.get(Unknown), Some(400));
        let stale = divide(&Accounted { exact: false, ..accounted });
        assert_eq!(stale.get(RunQueue), Some(900), "it may have run for longer than was counted");
    }

    #[test]
    fn without_probes_samples_tell_collections_and_drains_too() {
        let none = Accounted { duration_ns: 2_000, ..Accounted::default() };
        let on = OnCpu { collector_ns: 1, microtasks_ns: 1, javascript_ns: 2, ..OnCpu::default() };
        let told = refine(divide(&none), &Shares { on, ..Shares::default() });
        assert_eq!(
            [Gc, Microtasks, Javascript].map(|key| told.get(key)),
            [500, 500, 1_000].map(Some)
        );
        assert_eq!(told.get(RunQueue), None, "the kernel did not say");
    }

    #[test]
    fn what_may_be_a_tick_that_was_missed_is_divided_by_what_was_seen() {
        let stale = Accounted {
            duration_ns: 2 * CPU_STALE_NS,
            cpu_ns: Some(CPU_STALE_NS),
            run_delay_ns: Some(0),
            ..Accounted::default()
        };
        assert_eq!(divide(&stale).get(SyncIo), None);
        let seen = Shares { off: OffCpu { io_ns: 7, ..OffCpu::default() }, ..Shares::default() };
        assert_eq!(refine(divide(&stale), &seen).get(SyncIo), Some(2 * CPU_STALE_NS));
    }

    #[test]
    fn the_parts_sum_to_the_duration_whatever_was_seen() {
        let huge = Shares { throttled_ns: Some(u64::MAX), silent_ns: 1 << 41, ..seen() };
        for duration_ns in [0, 1, 7, 99, 1_000, 1 << 40] {
            let divided = divide(&Accounted { duration_ns, ..accounted() });
            assert_eq!(divided.total_ns(), duration_ns);
            for seen in [Shares::default(), seen(), huge] {
                assert_eq!(refine(divided, &seen).total_ns(), duration_ns);
            }
        }
    }
}
