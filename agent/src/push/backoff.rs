//! How long to wait before a request is tried again.
//!
//! **Invariant**: whoever comes back is served within [`LONGEST`], unless it has asked for more
//! time itself; and many agents whose receiver restarts don't come back all at once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Before the second try.
const FIRST: Duration = Duration::from_millis(500);

/// Before any try, of ourselves: each doubles the one before until then.
pub(super) const LONGEST: Duration = Duration::from_secs(20);

/// The longest time that a receiver may send us away for.
pub(super) const ASKED_MAX: Duration = Duration::from_secs(3_600);

/// The waits of one endpoint.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    tries: u64,
    /// A random number of this process, another one in each.
    random: RandomState,
}

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff { next: FIRST, tries: 0, random: RandomState::new() }
    }

    /// Begins anew, after a success.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// How long to wait now: a random time of at least a half of what is due, and never less than
    /// the receiver has asked for.
    pub(super) fn wait(&mut self, asked: Option<Duration>) -> Duration {
        self.tries += 1;
        let due = self.next;
        self.next = (2 * due).min(LONGEST);
        let share = self.random.hash_one(self.tries) as f64 / u64::MAX as f64;
        let wait = due / 2 + (due / 2).mul_f64(share);
        match asked.map(|asked| asked.min(ASKED_MAX)) {
            // Those that were sent away together come back one after the other.
            Some(asked) => wait.max(asked + asked.mul_f64(share / 10.0)),
            None => wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new();
        for due_ms in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000] {
            let due = Duration::from_millis(due_ms);
            let wait = backoff.wait(None);
            assert!(due / 2 <= wait && wait <= due, "{wait:?} of {due:?}");
        }
        backoff.reset();
        assert!(backoff.wait(None) <= FIRST);
    }

    #[test]
    fn two_agents_do_not_wait_equally_long() {
        let waits = || {
            let mut backoff = Backoff::new();
            std::array::from_fn::<_, 8, _>(|_| backoff.wait(None))
        };
        assert_ne!(waits(), waits());
    }

    #[test]
    fn what_the_receiver_asks_for_is_kept_to() {
        let mut backoff = Backoff::new();
        for asked_s in [1, 7, 300] {
            let asked = Duration::from_secs(asked_s);
            let wait = backoff.wait(Some(asked));
            assert!(asked <= wait && wait <= 2 * asked, "{wait:?} of {asked:?}");
        }
        let wait = backoff.wait(Some(Duration::from_secs(1 << 40)));
        assert!(wait <= 2 * ASKED_MAX, "{wait:?}");
        let wait = Backoff::new().wait(Some(Duration::ZERO));
        assert!(wait >= FIRST / 2, "nobody is called without a pause: {wait:?}");
    }
}
