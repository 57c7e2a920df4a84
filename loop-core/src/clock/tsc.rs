//! Nanoseconds from the CPU's time stamp counter, kept in line with the system's clock.
//!
//! The rate is not guessed in a busy loop at the start: for the first [`SETTLE_NS`] the system's
//! clock is read, then the counter, with the rate that this stretch has shown. Every
//! [`ALIGN_TICKS`] the two are compared again over the whole time since the start, which corrects
//! rate and offset. A counter that disagrees by more than [`TRUST_NS`] (a migrated or resumed
//! virtual machine) is calibrated anew.
//!
//! Cost: one `rdtsc` and one multiplication; an alignment costs one reading of the clock, about ten
//! times a second.
#![allow(unsafe_code)] // `_rdtsc` is an unsafe function; it reads a register and touches no memory.

use super::Clock;

/// How long the system's clock is read before the counter is trusted: an error of 50 ns at either
/// end of 50 ms is a rate right to 2e-6.
const SETTLE_NS: u64 = 50_000_000;

/// Ticks between two alignments: about 0.1 s at 2 to 4 GHz.
const ALIGN_TICKS: u64 = 1 << 28;

/// Ticks within which clock and counter must have been read to be compared: about 20 µs. Where a
/// preemption came between, the alignment is put off.
const TOGETHER_TICKS: u64 = 1 << 16;

/// How far counter and clock may differ at an alignment before the counter is not believed.
const TRUST_NS: u64 = 1_000_000;

/// The counter, calibrated.
#[derive(Debug)]
pub(super) struct TscClock {
    start: Option<Pair>,
    anchor: Pair,
    /// Nanoseconds a tick, as a fixed-point number of 32 fractional bits; 0 until settled.
    rate: u64,
    /// Ticks from the anchor at which the two clocks are compared again; 0 while each reading is
    /// the other clock's.
    align_after_ticks: u64,
    usable: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    ticks: u64,
    ns: u64,
}

impl TscClock {
    /// The counter, where the kernel keeps its own time by it.
    pub(super) fn new() -> TscClock {
        const CLOCKSOURCE: &str =
            "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        let trusted = std::fs::read_to_string(CLOCKSOURCE).is_ok_and(|name| name.trim() == "tsc");
        // miri interprets no instructions.
        let usable = cfg!(all(target_arch = "x86_64", not(miri))) && trusted;
        if usable { TscClock::unsettled() } else { TscClock::unused() }
    }

    /// A counter that is not believed: every reading is one of the other clock.
    pub(super) fn unused() -> TscClock {
        TscClock { usable: false, ..TscClock::unsettled() }
    }

    fn unsettled() -> TscClock {
        TscClock {
            usable: true,
            start: None,
            anchor: Pair::default(),
            rate: 0,
            align_after_ticks: 0,
        }
    }

    #[inline]
    pub(super) fn now_ns(&mut self, clock: &Clock) -> u64 {
        let ticks = ticks();
        let passed = ticks.wrapping_sub(self.anchor.ticks);
        if passed >= self.align_after_ticks {
            return self.align(clock, ticks);
        }
        self.anchor.ns + scale(passed, self.rate)
    }

    #[cold]
    fn align(&mut self, clock: &Clock, ticks: u64) -> u64 {
        let ns = clock.now_ns();
        if !self.usable {
            return ns;
        }
        let together = self::ticks().wrapping_sub(ticks) <= TOGETHER_TICKS;
        let expected = self.anchor.ns + scale(ticks.wrapping_sub(self.anchor.ticks), self.rate);
        match (self.rate, together) {
            (0, true) => self.settle(Pair { ticks, ns }),
            (0, false) => ns,
            (_, true) if expected.abs_diff(ns) <= TRUST_NS => self.settle(Pair { ticks, ns }),
            (_, true) => {
                *self = TscClock::unsettled();
                ns
            }
            (_, false) => {
                self.align_after_ticks += ALIGN_TICKS / 16;
                expected
            }
        }
    }

    /// Takes the rate from the time since the start, once that is long enough. Until then each
    /// reading comes here and is the system's.
    fn settle(&mut self, now: Pair) -> u64 {
        let start = *self.start.get_or_insert(now);
        let (ticks, ns) = (now.ticks.wrapping_sub(start.ticks), now.ns - start.ns);
        if ns >= SETTLE_NS {
            self.rate = ((u128::from(ns) << 32) / u128::from(ticks.max(1))) as u64;
            self.anchor = now;
            self.align_after_ticks = ALIGN_TICKS;
        }
        now.ns
    }
}

#[inline]
fn scale(ticks: u64, rate: u64) -> u64 {
    ((u128::from(ticks) * u128::from(rate)) >> 32) as u64
}

#[inline]
#[cfg(target_arch = "x86_64")]
fn ticks() -> u64 {
    // SAFETY: every x86-64 CPU has the instruction, and Linux lets user space run it unless the
    // process asked for a fault (`PR_SET_TSC`), which nothing in this project does.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[inline]
#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> u64 {
    0
}
