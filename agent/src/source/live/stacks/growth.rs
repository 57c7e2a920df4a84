//! How a queue of microtasks grew while it was drained.
//!
//! Where each round of a drain queues one job more than the round before, as a `Promise.all` over
//! an array that grows, the queue grows with the rounds, and what has run with half of its square:
//! `ran = waiting * waiting / 2`. Within a round the queue empties and fills, so it is the most
//! that has waited until then which counts.

/// Looks that are kept of one drain.
const KEPT_MAX: usize = 64;

/// From so many waiting on a square is told from anything else.
const WAITING_MIN: u64 = 20;

/// So many looks must fit.
const LOOKS_MIN: usize = 5;

/// How far what has run may be off. Looks seldom come when most wait, so it may well be more.
const FIT: std::ops::RangeInclusive<f64> = 0.8..=6.0;

/// What was seen of the drain that ran longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source::live) struct Growth {
    pub(in crate::source::live) waiting_max: u64,
    pub(in crate::source::live) is_square: bool,
}

/// The looks at one drain, and what the longest before it came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    drain_ns: u64,
    looks: Vec<(u64, u64)>,
    waiting_max: u64,
    ran: u64,
    longest: Option<(u64, Growth)>,
}

impl Queues {
    /// In the drain that began at `drain_ns` so many have run, and so many wait.
    pub(super) fn add(&mut self, drain_ns: u64, ran: u64, waiting: u64) {
        if drain_ns != self.drain_ns {
            self.longest = self.longest();
            let longest = self.longest;
            *self = Queues { drain_ns, longest, ..Queues::default() };
        }
        (self.ran, self.waiting_max) = (ran, self.waiting_max.max(waiting));
        if self.looks.len() == KEPT_MAX {
            // Every second one will do, for a drain that lasts twice as long.
            let mut index = 0;
            self.looks.retain(|_| {
                index += 1;
                index % 2 == 0
            });
        }
        self.looks.push((ran, self.waiting_max));
    }

    /// What is known of the longest drain; `None`: none was looked at.
    pub(super) fn told(&self) -> Option<Growth> {
        self.longest().map(|(_, growth)| growth)
    }

    fn longest(&self) -> Option<(u64, Growth)> {
        let growth = Growth { waiting_max: self.waiting_max, is_square: self.is_square() };
        let this = (!self.looks.is_empty()).then_some((self.ran, growth));
        self.longest.into_iter().chain(this).max_by_key(|(ran, _)| *ran)
    }

    fn is_square(&self) -> bool {
        let grown = self.looks.iter().filter(|(_, waiting)| *waiting >= WAITING_MIN);
        let ratio = |ran: u64, waiting: u64| 2.0 * ran as f64 / (waiting as f64 * waiting as f64);
        let fit = grown.clone().all(|&(ran, waiting)| FIT.contains(&ratio(ran, waiting)));
        let rises = self.looks.first().zip(self.looks.last()).is_some_and(|(a, b)| b.1 > a.1);
        fit && grown.count() >= LOOKS_MIN && rises
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(looks: &[(u64, u64)]) -> Option<Growth> {
        let mut queues = Queues::default();
        looks.iter().for_each(|&(ran, waiting)| queues.add(7, ran, waiting));
        queues.told()
    }

    #[test]
    fn rounds_that_grow_are_a_square_and_a_long_queue_is_not() {
        let rounds: Vec<_> = (1..=10).map(|n| (5_000 * n * n, 100 * n)).collect();
        assert_eq!(of(&rounds), Some(Growth { waiting_max: 1_000, is_square: true }));
        let drained: Vec<_> = (1..=10).map(|n| (1_000 * n, 20_000 - 1_000 * n)).collect();
        assert_eq!(of(&drained).map(|growth| growth.is_square), Some(false));
        let waves: Vec<_> = (1..=10).map(|n| (50_000 * n, 100 + n)).collect();
        assert_eq!(of(&waves).map(|growth| growth.is_square), Some(false));
        let chain: Vec<_> = (1..=10).map(|n| (1_000 * n, 1)).collect();
        assert_eq!(of(&chain), Some(Growth { waiting_max: 1, is_square: false }));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_longest_drain_is_told() {
        let mut queues = Queues::default();
        queues.add(1, 5_000, 90);
        queues.add(2, 10, 3);
        assert_eq!(queues.told().map(|growth| growth.waiting_max), Some(90));
    }
}
