//! Arrival delay: what an event that arrives at a random instant would have waited.
//!
//! A histogram of turn durations counts turns, so one block of 30 s weighs as much as one turn of
//! 30 µs (coordinated omission). An event does not arrive by the turn, it arrives by the clock.
//! If turns of active time `d_1 ... d_n` and polls that wait `idle` in all fill the time `T`, an
//! event at a uniformly random instant meets an idle loop with probability `idle / T` and waits
//! nothing; else it falls into turn `i` with probability `d_i / T` and waits what is left of it,
//! which is uniform over `[0, d_i]`. So
//!
//! ```text
//!   P(wait > w) = sum over i of max(0, d_i - w) / T          (1)
//!   mean wait   = sum over i of d_i^2 / 2 / T                (2)
//! ```
//!
//! The histogram here holds one arrival for every microsecond of `T`, spread by (1): bucket
//! `[a, b)` gets the integral of `N(w)` over it, `N(w)` being the number of turns longer than `w`.
//! It is computed when a snapshot is taken, from the turn histogram alone, and costs the loop
//! nothing.
//!
//! Cost: one pass over the buckets. Error: that of the turn histogram, 1.6 %, plus less than one
//! arrival a bucket; of several turns above 137 s only the longest counts in full.
//!
//! **Invariant**: as turns and idle time grow, no bucket ever falls, so it can be exported as a
//! cumulative histogram.

use super::Histogram;
use crate::buckets::{BUCKETS, Scale};

/// One arrival for every so many nanoseconds of observed time.
const ARRIVAL_NS: u128 = 1_000;

/// The distribution of the wait of events that arrive evenly over the observed time.
///
/// `turns` holds the active time of every turn, `idle_ns` is the time spent waiting in the poll.
pub fn arrival_delay(turns: &Histogram, idle_ns: u64) -> Histogram {
    let scale = Scale::Time;
    let mut arrivals = Histogram::new(scale);
    let mut longer: u128 = 0;
    let mut squares: u128 = 0;
    for index in (0..=scale.index(turns.max)).rev() {
        let count = u128::from(turns.counts[index]);
        let duration = scale.midpoint(index).min(turns.max);
        let lower = scale.lower(index);
        let width = scale.upper(index).min(turns.max.max(lower)) - lower;
        let mut own = count * u128::from(duration.saturating_sub(lower));
        squares += count * square(duration);
        if index + 1 == BUCKETS && count > 0 {
            // This bucket has no end. The longest of its turns is known; the others count for as
            // long as they must have lasted, 137 s.
            own = u128::from(turns.max - lower);
            squares += square(turns.max) - square(lower);
        }
        let mut mass = longer * u128::from(width) + own;
        if index == 0 {
            mass += u128::from(idle_ns);
        }
        arrivals.counts[index] = arrivals_in(mass);
        longer += count;
    }
    // Buckets hold whole arrivals: of a few microseconds in all, fewer than their waits belong to.
    let most = u128::from(arrivals.count()) * u128::from(turns.max);
    arrivals.sum = (squares / 2 / ARRIVAL_NS).min(most);
    arrivals.max = if arrivals.is_empty() { 0 } else { turns.max };
    arrivals.min = if arrivals.is_empty() { u64::MAX } else { 0 };
    arrivals
}

fn square(ns: u64) -> u128 {
    u128::from(ns) * u128::from(ns)
}

/// The arrivals in so many nanoseconds of all turns together. The division is of 64 bits where it
/// can be, which is much faster than one of 128.
fn arrivals_in(mass: u128) -> u64 {
    match u64::try_from(mass) {
        Ok(mass) => mass / ARRIVAL_NS as u64,
        Err(_) => u64::try_from(mass / ARRIVAL_NS).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets events arrive every `step` ns on a timeline of turns and gaps, and notes their waits.
    fn simulate(turns: &[u64], idle_ns: u64, step: u64) -> Vec<u64> {
        let gap = idle_ns / turns.len() as u64;
        let mut waits = Vec::new();
        let (mut start, mut arrival) = (0, 0);
        for &turn in turns {
            while arrival < start + turn {
                waits.push(start + turn - arrival);
                arrival += step;
            }
            while arrival < start + turn + gap {
                waits.push(0);
                arrival += step;
            }
            start += turn + gap;
        }
        waits.sort_unstable();
        waits
    }

    fn near(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() <= want * 0.02 + 1_500.0, "{what}: {got} for {want}");
    }

    fn check(turns: &[u64], idle_ns: u64) {
        let waits = simulate(turns, idle_ns, 997);
        let turns = Histogram::of(Scale::Time, turns.iter().copied());
        let derived = arrival_delay(&turns, idle_ns);
        let summary = derived.summary();
        let at = |q: f64| waits[((waits.len() - 1) as f64 * q) as usize] as f64;
        near(summary.mean.unwrap(), waits.iter().sum::<u64>() as f64 / waits.len() as f64, "mean");
        for (q, got) in [(0.5, summary.p50), (0.9, summary.p90), (0.99, summary.p99)] {
            near(got.unwrap() as f64, at(q), &format!("p{q}"));
        }
        let total = turns.sum as f64 + idle_ns as f64;
        near(derived.count() as f64 * 1_000.0, total, "observed time");
    }

    #[test]
    fn a_simulation_agrees() {
        check(&[1_500_000_000], 0);
        check(&[1_000_000; 500], 500_000_000);
        let mixed: Vec<u64> = (0..2_000).map(|i| 20_000 + (i * 7_919) % 900_000).collect();
        check(&mixed, 300_000_000);
        let mut rare = vec![50_000; 1_000];
        rare.push(200_000_000);
        check(&rare, 100_000_000);
    }

    #[test]
    fn a_block_beyond_the_last_bucket_counts_in_full() {
        let five_minutes = arrival_delay(&Histogram::of(Scale::Time, [300_000_000_000]), 0);
        near(five_minutes.count() as f64, 300_000_000.0, "arrivals");
        near(five_minutes.summary().mean.unwrap(), 150e9, "mean");
    }

    #[test]
    fn no_mean_lies_above_the_longest_turn() {
        let turns = Histogram::of(Scale::Time, [38_698, 8_040]);
        let summary = arrival_delay(&turns, 0).summary();
        assert!(summary.mean.unwrap() <= 38_698.0, "{summary:?}");
        assert_eq!(arrival_delay(&Histogram::of(Scale::Time, [400]), 0).sum, 0);
    }

    #[test]
    fn one_long_block_outweighs_a_thousand_short_turns() {
        let mut turns = Histogram::of(Scale::Time, std::iter::repeat_n(30_000, 1_000));
        turns.record(30_000_000_000);
        assert!(turns.summary().p99.unwrap() < 31_000);
        assert!(arrival_delay(&turns, 0).summary().p50.unwrap() > 14_000_000_000);
    }

    #[test]
    fn no_bucket_falls_as_time_goes_on() {
        let mut turns = Histogram::new(Scale::Time);
        let mut before = arrival_delay(&turns, 0);
        for step in 1..400u64 {
            turns.record(step * step * 1_237);
            let now = arrival_delay(&turns, step * 10_000);
            assert!(now.counts.iter().zip(&before.counts).all(|(now, then)| now >= then));
            assert!(now.sum >= before.sum);
            before = now;
        }
    }
}
