//! Nominal times, kept apart so that the order of timers does not hang on how fast a program runs.

use super::super::random::Random;

/// How far two moments must be apart, unless one list of timers holds both.
const GAP_MS: i64 = 9;

/// No timer is due later.
const LAST_MS: i64 = 170;

/// From, to, and for a timer when it was made and its duration.
type Taken = (i64, i64, Option<(i64, i64)>);

/// What is taken.
#[derive(Debug, Default)]
pub(super) struct Times {
    taken: Vec<Taken>,
}

impl Times {
    /// Forgets all: another stretch of time begins.
    pub(super) fn clear(&mut self) {
        self.taken.clear();
    }

    /// A duration for a timer made at `now`, and takes its moment; or none.
    pub(super) fn timer(&mut self, random: &mut Random, now: i64) -> Option<i64> {
        let same: Vec<i64> = self.made_at(now).collect();
        if !same.is_empty() && random.percent(35) {
            let duration = random.pick(&same);
            self.taken.push((now + duration, now + duration, Some((now, duration))));
            return Some(duration);
        }
        (0..8).find_map(|_| {
            let duration = random.between(GAP_MS as usize, 45) as i64;
            self.take(now + duration, now + duration, Some((now, duration))).then_some(duration)
        })
    }

    /// A duration after which something runs so many times, each after the one before; or none.
    pub(super) fn repeated(&mut self, random: &mut Random, now: i64, times: i64) -> Option<i64> {
        (0..8).find_map(|_| {
            let duration = random.between(10, 24) as i64;
            // Each may be a millisecond late, and the next counts from there.
            let moments =
                (1..=times).map(|time| (now + time * duration, now + time * duration + time));
            let free = moments.clone().all(|(from, to)| self.is_free(from, to));
            free.then(|| {
                self.taken.extend(moments.map(|(from, to)| (from, to, None)));
                duration
            })
        })
    }

    /// Takes a stretch of time; false if something is in it.
    pub(super) fn stretch(&mut self, from: i64, to: i64) -> bool {
        self.take(from, to, None)
    }

    fn made_at(&self, now: i64) -> impl Iterator<Item = i64> {
        let timers = self.taken.iter().filter_map(|taken| taken.2);
        timers.filter(move |(made, _)| *made == now).map(|(_, duration)| duration)
    }

    fn take(&mut self, from: i64, to: i64, timer: Option<(i64, i64)>) -> bool {
        let free = self.is_free(from, to);
        if free {
            self.taken.push((from, to, timer));
        }
        free
    }

    fn is_free(&self, from: i64, to: i64) -> bool {
        let apart = |taken: &(i64, i64, _)| from >= taken.1 + GAP_MS || to + GAP_MS <= taken.0;
        to <= LAST_MS && self.taken.iter().all(apart)
    }
}

#[test]
fn moments_are_apart() {
    let mut random = Random::new(1);
    let mut times = Times::default();
    let mut due = Vec::new();
    for _ in 0..20 {
        due.extend(times.timer(&mut random, 0));
    }
    due.sort_unstable();
    due.dedup();
    assert!(due.len() > 1 && due.windows(2).all(|pair| pair[1] - pair[0] >= GAP_MS), "{due:?}");
    assert!(!times.stretch(due[0] - 1, due[0]));
    times.clear();
    assert!(times.stretch(due[0] - 1, due[0]));
}
