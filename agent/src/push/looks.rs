//! When to look for new stalls: a snapshot costs more than to ask whether any has ended.
//!
//! ```text
//!  once a second: how many have ended? ──another number──> look, and once more at the next tick
//!                                     └─the same────────> look if it is long ago
//! ```
//!
//! **Invariant**: a stall that has ended is looked for at the next tick, as without this.

use std::time::Duration;

use tokio::time::Instant;

/// It is looked so often in any case: a number that stands still proves nothing where loops come
/// and go.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Looks {
    ended: Option<u64>,
    looked: Option<Instant>,
    is_settling: bool,
}

impl Looks {
    /// Whether to look now, where so many stalls have ended; `None`: nobody knows how many. The
    /// look must come behind the count.
    pub(super) fn is_due(&mut self, ended: Option<u64>, now: Instant) -> bool {
        let is_news = ended.is_none() || ended != self.ended;
        let is_long_ago = self.looked.is_none_or(|at| now.duration_since(at) >= LOOK_EVERY);
        let is_due = is_news || self.is_settling || is_long_ago;
        // One that is counted may not be listed yet, and what was lost is told by the next look.
        self.is_settling = is_news;
        self.ended = ended;
        if is_due {
            self.looked = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_where_some_have_ended_and_once_more() {
        let (mut looks, start) = (Looks::default(), Instant::now());
        let mut due = |second: u64, ended| looks.is_due(ended, start + Duration::from_secs(second));
        let counts = [0, 0, 0, 2, 3, 3, 3, 3];
        let told: Vec<bool> =
            counts.iter().zip(1..).map(|(&ended, second)| due(second, Some(ended))).collect();
        assert_eq!(told, [true, true, false, true, true, true, false, false]);
        assert!(!due(15, Some(3)) && due(16, Some(3)) && !due(17, Some(3)), "once in ten seconds");
        assert!(due(18, Some(1)) && due(19, Some(1)) && !due(20, Some(1)), "another observation");
        assert!(due(21, None) && due(22, None), "nobody counts");
    }
}
