//! The clock behind every time: the machine's monotonic one, or a virtual one.
//!
//! [`Clock`] is what everybody may read, from any thread. [`LoopClock`] is the loop's own faster
//! way to the same time: where the kernel itself trusts the CPU's time stamp counter, reading it
//! spares the call of the system's clock.
//!
//! **Invariant**: the loop's clock stays within about a microsecond of the shared one. Where they
//! are brought into line it may step back by what they differed; the loop never lets its own time
//! step back.

mod tsc;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::snapshot::ClockKind;
use tsc::TscClock;

/// A clock that can be shared. All its times are nanoseconds since it was made.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Real { epoch: Instant, epoch_unix_ns: u64 },
    Virtual { now_ns: AtomicU64 },
}

impl Clock {
    /// The machine's monotonic clock.
    pub fn real() -> Clock {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch_unix_ns = u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX);
        Clock(Arc::new(Kind::Real { epoch: Instant::now(), epoch_unix_ns }))
    }

    /// A clock that stands still until a loop waits on it or [`crate::Loop::busy`] moves it.
    pub fn virtual_time() -> Clock {
        Clock(Arc::new(Kind::Virtual { now_ns: AtomicU64::new(0) }))
    }

    /// Which of the two it is.
    pub fn kind(&self) -> ClockKind {
        match *self.0 {
            Kind::Real { .. } => ClockKind::Real,
            Kind::Virtual { .. } => ClockKind::Virtual,
        }
    }

    /// The time now, in nanoseconds since the clock was made.
    pub fn now_ns(&self) -> u64 {
        match &*self.0 {
            Kind::Real { epoch, .. } => epoch.elapsed().as_nanos() as u64,
            Kind::Virtual { now_ns } => now_ns.load(Ordering::Relaxed),
        }
    }

    /// What the wall clock said at `at_ns`: nanoseconds since the Unix epoch, as it was set when
    /// this clock was made. A virtual clock has no wall clock and returns `at_ns`.
    pub fn unix_ns(&self, at_ns: u64) -> u64 {
        match *self.0 {
            Kind::Real { epoch_unix_ns, .. } => epoch_unix_ns.saturating_add(at_ns),
            Kind::Virtual { .. } => at_ns,
        }
    }

    /// Moves a virtual clock forward. Only the loop that owns the clock calls this, so a load and
    /// a store do.
    fn advance(&self, by_ns: u64) {
        if let Kind::Virtual { now_ns } = &*self.0 {
            let now = now_ns.load(Ordering::Relaxed);
            // One below the top, so that a time plus one is a number, too.
            now_ns.store(now.saturating_add(by_ns).min(u64::MAX - 1), Ordering::Relaxed);
        }
    }
}

/// The loop's own view of a [`Clock`].
#[derive(Debug)]
pub(crate) struct LoopClock {
    clock: Clock,
    tsc: TscClock,
    is_virtual: bool,
}

impl LoopClock {
    pub(crate) fn new(clock: Clock) -> LoopClock {
        let is_virtual = clock.kind() == ClockKind::Virtual;
        let tsc = if is_virtual { TscClock::unused() } else { TscClock::new() };
        LoopClock { clock, tsc, is_virtual }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// The time now. May be a little before what it was at the last call; the loop takes care.
    #[inline]
    pub(crate) fn now_ns(&mut self) -> u64 {
        self.tsc.now_ns(&self.clock)
    }

    /// Moves virtual time forward; a real clock moves by itself.
    pub(crate) fn advance(&self, by_ns: u64) {
        self.clock.advance(by_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loops_clock_follows_the_shared_one() {
        let clock = Clock::real();
        let mut fast = LoopClock::new(clock.clone());
        let mut last = 0;
        while clock.now_ns() < 400_000_000 {
            let before = clock.now_ns();
            let now = fast.now_ns().max(last);
            let after = clock.now_ns();
            const SLACK_NS: u64 = 20_000;
            assert!(now + SLACK_NS >= before, "{} ns behind", before - now);
            assert!(now <= after + SLACK_NS, "{} ns ahead", now - after);
            last = now;
        }
    }

    #[test]
    fn virtual_time_moves_only_when_told() {
        let clock = Clock::virtual_time();
        let mut fast = LoopClock::new(clock.clone());
        assert_eq!(fast.now_ns(), 0);
        fast.advance(7);
        assert_eq!((fast.now_ns(), clock.now_ns(), clock.unix_ns(7)), (7, 7, 7));
    }
}
