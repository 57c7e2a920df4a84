//! The counts of a loop as lines of the lock.

use std::collections::BTreeMap;

use loop_core::snapshot::{Histogram, LoopSnapshot};

use super::Section;

/// The section of a workload: its resolved parameters, what the loop counted, and the lines of its
/// transcript.
///
/// A drain's length is exact below 64 jobs, and for the longest drain; else it stands for its
/// bucket (`~1008`, at most 1.6 % off). The sums (`microtasks`, `ticks`) are always exact.
pub fn section<'a>(
    params: impl IntoIterator<Item = (&'static str, &'a str)>,
    observed: &LoopSnapshot,
    story: &[String],
) -> Section {
    let mut values = BTreeMap::new();
    for (number, line) in (1..).zip(story) {
        values.insert(format!("story.{number:03}"), line.clone());
    }
    for (name, value) in params {
        values.insert(format!("param.{name}"), value.to_owned());
    }
    for (phase, count) in observed.callbacks.iter().flat_map(|callbacks| callbacks.iter()) {
        values.insert(format!("callbacks.{}", phase.name()), count.to_string());
    }
    let totals = [
        ("turns", observed.turns),
        ("timers", observed.timers),
        ("immediates", observed.immediates),
        ("microtasks", observed.microtasks),
        ("ticks", observed.ticks),
    ];
    for (name, total) in totals {
        values.extend(total.map(|total| (name.to_owned(), total.to_string())));
    }
    let drains = [
        ("drains.microtask", &observed.microtask_drain_length),
        ("drains.tick", &observed.tick_drain_length),
    ];
    for (name, lengths) in drains {
        values.extend(lengths.as_ref().map(|lengths| (name.to_owned(), multiset(lengths))));
    }
    Section { values }
}

/// `2 x 1 + 3 x ~1008 + 1 x 60000`, shortest drains first; `none`.
fn multiset(lengths: &Histogram) -> String {
    let mut parts = Vec::new();
    let scale = lengths.scale;
    for (index, &count) in lengths.counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
        let width = scale.upper(index) - scale.lower(index);
        let longest = if lengths.min == lengths.max { count } else { 1 };
        if width == 1 {
            parts.push(format!("{count} x {}", scale.lower(index)));
        } else if scale.index(lengths.max) != index {
            parts.push(format!("{count} x ~{}", scale.midpoint(index)));
        } else {
            let others = count - longest;
            if others > 0 {
                parts.push(format!("{others} x ~{}", scale.midpoint(index)));
            }
            parts.push(format!("{longest} x {}", lengths.max));
        }
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join(" + ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loop_core::PhaseMap;
    use loop_core::buckets::Scale;

    #[test]
    fn counts_become_lines_and_what_is_not_counted_has_none() {
        let observed = LoopSnapshot {
            turns: Some(4),
            callbacks: Some(PhaseMap([1, 0, 0, 0, 2, 3, 0])),
            microtasks: Some(60_003),
            microtask_drain_length: Some(Histogram::of(Scale::Length, [60_000, 1, 1])),
            tick_drain_length: Some(Histogram::new(Scale::Length)),
            ..LoopSnapshot::default()
        };
        let story = ["first".to_owned(), "second = 2".to_owned()];
        let section = section([("count", "3")], &observed, &story);
        let get = |key: &str| section.values.get(key).map(String::as_str);
        assert_eq!(get("param.count"), Some("3"));
        assert_eq!(get("turns"), Some("4"));
        assert_eq!(get("callbacks.poll"), Some("2"));
        assert_eq!(get("drains.microtask"), Some("2 x 1 + 1 x 60000"));
        assert_eq!(get("drains.tick"), Some("none"));
        assert_eq!(get("ticks"), None);
        assert_eq!(get("story.001"), Some("first"));
        assert_eq!(get("story.002"), Some("second = 2"));
    }

    #[test]
    fn lengths_are_exact_where_the_buckets_are_and_marked_where_not() {
        let check = |lengths: &[u64], want: &str| {
            let lengths = Histogram::of(Scale::Length, lengths.iter().copied());
            assert_eq!(multiset(&lengths), want);
        };
        check(&[], "none");
        check(&[63, 63, 5], "1 x 5 + 2 x 63");
        check(&[60_000], "1 x 60000");
        check(&[60_000; 3], "3 x 60000");
        check(&[1_000, 1_001, 60_000], "2 x ~1000 + 1 x 60000");
        check(&[1_000, 1_001, 1_002], "2 x ~1000 + 1 x 1002");
    }
}
