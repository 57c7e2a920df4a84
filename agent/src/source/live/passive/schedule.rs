//! When a loop is looked at next: seldom while nothing can be missed, often while it is stuck.
//!
//! ```text
//! no turn is open          a turn is open                     it is a stall
//! 4/5 of the threshold     when it will be as old as that     a twentieth of its age
//! ```
//!
//! Where somebody else sees turns that last, and calls then, it need not be looked at that often.
//!
//! All within [`PAUSE_NS_MIN`] and [`PAUSE_NS_MAX`]. A turn that becomes a stall is seen before it
//! is one, as the pause is shorter than the threshold; then it is seen again as soon as it is one.

use super::Options;

/// The shortest pause between two looks at a stalled loop: 100 a second.
pub(super) const PAUSE_NS_MIN: u64 = 10_000_000;
/// The longest: 10 a second.
pub(super) const PAUSE_NS_MAX: u64 = 100_000_000;
/// The pause before a turn becomes a stall may be shorter, as there is one such look for a turn.
const LAST_NS_MIN: u64 = 2_000_000;

/// When to look next, after a look at `now_ns` at a loop whose open turn is this old, if it has
/// one.
///
/// Looks that nothing presses fall on the same moments for all loops: one wake-up serves them all.
pub(super) fn due_ns(now_ns: u64, open_ns: Option<u64>, options: Options) -> u64 {
    let slow = options.called_pause_ns.unwrap_or_else(|| slow_ns(options.threshold_ns));
    let pause = match open_ns {
        None => slow,
        Some(_) => pause_ns(open_ns, options.threshold_ns),
    };
    let due_ns = now_ns.saturating_add(pause);
    if pause == slow { due_ns - due_ns % slow } else { due_ns }
}

fn slow_ns(threshold_ns: u64) -> u64 {
    (threshold_ns / 5 * 4).clamp(PAUSE_NS_MIN, PAUSE_NS_MAX)
}

/// How long to pause at most.
fn pause_ns(open_ns: Option<u64>, threshold_ns: u64) -> u64 {
    let slow = slow_ns(threshold_ns);
    match open_ns {
        None => slow,
        Some(age_ns) if age_ns < threshold_ns => (threshold_ns - age_ns).clamp(LAST_NS_MIN, slow),
        Some(age_ns) => (age_ns / 20).clamp(PAUSE_NS_MIN, PAUSE_NS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn of(threshold_ns: u64) -> Options {
        Options { threshold_ns, called_pause_ns: None }
    }

    #[test]
    fn who_is_called_looks_less_often_and_at_a_stuck_loop_as_often() {
        let called = Options { threshold_ns: 50 * MS, called_pause_ns: Some(500 * MS) };
        assert_eq!(due_ns(600 * MS, None, called), 1_000 * MS);
        assert_eq!(due_ns(600 * MS, Some(35 * MS), called), 615 * MS);
    }

    #[test]
    fn a_stuck_loop_is_looked_at_more_often_than_an_idle_one() {
        assert_eq!(pause_ns(None, 50 * MS), 40 * MS);
        assert_eq!(pause_ns(Some(35 * MS), 50 * MS), 15 * MS);
        assert_eq!(pause_ns(Some(50 * MS), 50 * MS), 10 * MS);
        assert_eq!(pause_ns(Some(3_000 * MS), 50 * MS), 100 * MS);
        assert_eq!(pause_ns(None, 1_000 * MS), 100 * MS);
        assert_eq!(pause_ns(None, MS), 10 * MS);
    }

    #[test]
    fn looks_that_nothing_presses_fall_together() {
        let threshold = 50 * MS;
        for now in [400 * MS, 401 * MS, 439 * MS] {
            assert_eq!(due_ns(now, None, of(threshold)), 440 * MS);
            assert_eq!(due_ns(now, Some(MS), of(threshold)), 440 * MS);
            assert_eq!(due_ns(now, Some(35 * MS), of(threshold)), now + 15 * MS);
        }
        assert_eq!(due_ns(440 * MS, None, of(threshold)), 480 * MS);
    }

    proptest! {
        #[test]
        fn a_turn_is_seen_before_it_is_a_stall_and_soon_after(
            threshold_ms in 15u64..2_000, begins_ns in 0u64..1_000_000_000
        ) {
            let threshold = threshold_ms * MS;
            // Looks at an idle loop, in which a turn begins at `begins_ns`.
            let mut at = 0;
            while at < begins_ns {
                at = due_ns(at, None, of(threshold));
            }
            prop_assert!(at - begins_ns < threshold);
            while at - begins_ns < threshold {
                at = due_ns(at, Some(at - begins_ns), of(threshold));
            }
            prop_assert!(at - begins_ns <= threshold + LAST_NS_MIN);
        }
    }
}
