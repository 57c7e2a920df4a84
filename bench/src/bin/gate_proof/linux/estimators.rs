//! Which middle, and which interval about it: how often each holds the truth, and how soon it sees
//! a change, for as few pairs as a gate has.

use loopscope::gate::statistics::{Random, interval, median, middle};

use super::models::normal;

/// The true ratio, as a logarithm.
const TRUTH: f64 = 0.10;

/// What the interval must lie above for the change to be seen.
const EFFECT: f64 = 0.05;

const DRAWS: usize = 1_000;

/// Draws a value.
type Draw = fn(&mut Random) -> f64;

/// How the ratios of pairs are spread.
const SPREADS: [(&str, Draw); 3] = [
    ("normal", normal),
    ("heavy tails", |random| {
        let wide = random.unit() < 0.2;
        normal(random) * if wide { 5.0 } else { 1.0 }
    }),
    ("skewed", |random| (-random.unit().max(1e-12).ln()) - 1.0),
];

/// A way to an interval: its name, what it is of, and itself.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    middle: fn(&mut [f64]) -> f64,
    interval: fn(&[f64]) -> (f64, f64),
}

const WAYS: [Way; 4] = [
    Way { name: "mean, percentiles", middle: mean, interval: |of| percentiles(of, mean) },
    Way { name: "median, percentiles", middle: median, interval: |of| percentiles(of, median) },
    Way {
        name: "Hodges and Lehmann, ranks",
        middle: hodges_lehmann_of_many,
        interval: signed_ranks,
    },
    Way { name: "trimmed mean (the gate's)", middle, interval },
];

pub(crate) fn print(series: usize) {
    println!("# Intervals of 95 %, {series} series of each kind, runs that differ by 4 %\n");
    println!("| interval | spread | pairs | holds the truth | sees 10 % |\n|---|---|---|---|---|");
    for way in WAYS {
        for (spread, draw) in SPREADS {
            for pairs in [10, 24] {
                let (held, seen) = held_and_seen(way, draw, pairs, series);
                println!("| {} | {spread} | {pairs} | {held:.1} % | {seen:.1} % |", way.name);
            }
        }
    }
}

fn held_and_seen(way: Way, draw: Draw, pairs: usize, series: usize) -> (f64, f64) {
    const NOISE: f64 = 0.057;
    let mut random = Random::new(pairs as u64);
    // The middle of a skewed spread is not its mean, and each way has its own.
    let mut many: Vec<f64> = (0..20_001).map(|_| draw(&mut random)).collect();
    let center = (way.middle)(&mut many);
    let (mut held, mut seen) = (0, 0);
    for _ in 0..series {
        let values: Vec<f64> =
            (0..pairs).map(|_| TRUTH + NOISE * (draw(&mut random) - center)).collect();
        let (low, high) = (way.interval)(&values);
        held += usize::from(low <= TRUTH && TRUTH <= high);
        seen += usize::from(low > EFFECT);
    }
    let share = |count: usize| 100.0 * count as f64 / series as f64;
    (share(held), share(seen))
}

fn percentiles(values: &[f64], middle: fn(&mut [f64]) -> f64) -> (f64, f64) {
    let mut random = Random::of(values);
    let mut middles: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut drawn: Vec<f64> =
                values.iter().map(|_| values[random.below(values.len())]).collect();
            middle(&mut drawn)
        })
        .collect();
    middles.sort_by(f64::total_cmp);
    (middles[DRAWS / 40], middles[DRAWS - 1 - DRAWS / 40])
}

fn mean(values: &mut [f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The median of the means of two values each, of values that are too many for all such means.
fn hodges_lehmann_of_many(values: &mut [f64]) -> f64 {
    let mut means: Vec<f64> =
        values.iter().zip(&values[1..]).map(|(a, b)| a.midpoint(*b)).collect();
    median(&mut means)
}

fn walsh(values: &[f64]) -> Vec<f64> {
    let first = values.iter().enumerate();
    first.flat_map(|(at, a)| values[at..].iter().map(move |b| a.midpoint(*b))).collect()
}

/// Those shifts that the signed-rank test does not refuse.
fn signed_ranks(values: &[f64]) -> (f64, f64) {
    let mut means = walsh(values);
    means.sort_by(f64::total_cmp);
    // The critical values of the tables, two-sided 0.05: 8 for 10 pairs, 81 for 24.
    let out = match values.len() {
        10 => 8,
        24 => 81,
        _ => 0,
    };
    (means[out], means[means.len() - 1 - out])
}
