//! What a loop did over time, in so many columns as can be told apart.

use std::collections::HashMap;

use serde::Serialize;

use super::Timeline;
use super::limits::COLUMNS_MAX;

/// What a loop did for a while. Times are since the page's timeline begins.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Column {
    from_ns: u64,
    to_ns: u64,
    /// `None`: not seen.
    utilization: Option<f64>,
    turns: Option<u64>,
    stall_ns: u64,
}

/// The columns of each loop, by process and thread. Ticks that become one column are one tick.
pub(super) fn columns(timeline: &Timeline, begin_ns: u64) -> HashMap<(u32, &str), Vec<Column>> {
    let mut columns: HashMap<(u32, &str), Vec<Column>> = HashMap::new();
    let ticks = &timeline.ticks;
    let together = ticks.len().div_ceil(COLUMNS_MAX).max(1);
    let mut before_ns = first_ns(timeline);
    for chunk in ticks.chunks(together) {
        let mut joined: HashMap<(u32, &str), Sum> = HashMap::new();
        let from_ns = before_ns;
        for tick in chunk {
            let lasted_ns = tick.at_unix_ns.saturating_sub(before_ns);
            before_ns = tick.at_unix_ns.max(before_ns);
            for of in &tick.loops {
                let sum = joined.entry((of.pid, of.thread.as_str())).or_default();
                sum.add(of.utilization, of.turns, of.stall_ns, lasted_ns);
            }
        }
        for (name, sum) in joined {
            let since = |ns: u64| ns.saturating_sub(begin_ns);
            let column = sum.column(since(from_ns), since(before_ns));
            columns.entry(name).or_default().push(column);
        }
    }
    columns
}

/// When the first tick began: as long before its end as the next one took, if nobody knows.
fn first_ns(timeline: &Timeline) -> u64 {
    let at = |number: usize| timeline.ticks.get(number).map(|tick| tick.at_unix_ns);
    let first_ns = at(0).unwrap_or(0);
    let next_ns = at(1).unwrap_or(first_ns);
    let guess_ns = first_ns.saturating_sub(next_ns.saturating_sub(first_ns));
    timeline.began_unix_ns.map_or(guess_ns, |began_ns| began_ns.min(first_ns))
}

/// Ticks of a loop, joined.
#[derive(Default)]
struct Sum {
    busy_ns: f64,
    seen_ns: f64,
    turns: Option<u64>,
    stall_ns: u64,
}

impl Sum {
    fn add(&mut self, busy: Option<f64>, turns: Option<u64>, stall_ns: u64, lasted_ns: u64) {
        if let Some(busy) = busy.filter(|busy| busy.is_finite()) {
            // A tick that took no time counts for a nanosecond, so that it is not lost.
            let lasted_ns = lasted_ns.max(1) as f64;
            self.busy_ns += busy.clamp(0.0, 1.0) * lasted_ns;
            self.seen_ns += lasted_ns;
        }
        if let Some(turns) = turns {
            self.turns = Some(self.turns.unwrap_or(0).saturating_add(turns));
        }
        self.stall_ns = self.stall_ns.saturating_add(stall_ns);
    }

    fn column(&self, from_ns: u64, to_ns: u64) -> Column {
        let utilization = (self.seen_ns > 0.0).then(|| self.busy_ns / self.seen_ns);
        Column { from_ns, to_ns, utilization, turns: self.turns, stall_ns: self.stall_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::html::{LoopTick, Tick};

    fn tick(at_unix_ns: u64, utilization: Option<f64>) -> Tick {
        let of =
            LoopTick { pid: 7, thread: "main".into(), utilization, turns: Some(2), stall_ns: 1 };
        Tick { at_unix_ns, loops: vec![of] }
    }

    #[test]
    fn a_tick_is_what_was_since_the_one_before() {
        let ticks = vec![
            tick(1_100, Some(0.5)),
            tick(1_300, None),
            Tick { at_unix_ns: 1_400, ..Tick::default() },
        ];
        let timeline = Timeline { began_unix_ns: Some(1_000), ticks, ..Timeline::default() };
        let columns = &columns(&timeline, 1_000)[&(7, "main")];
        let one = |from_ns, to_ns, utilization| Column {
            from_ns,
            to_ns,
            utilization,
            turns: Some(2),
            stall_ns: 1,
        };
        assert_eq!(*columns, [one(0, 100, Some(0.5)), one(100, 300, None)]);
    }

    #[test]
    fn many_ticks_are_joined_by_their_time() {
        let many = 10 * COLUMNS_MAX as u64;
        let ticks = (1..=many).map(|at| tick(at * 10, Some(if at % 10 == 0 { 1.0 } else { 0.0 })));
        let timeline = Timeline { ticks: ticks.collect(), ..Timeline::default() };
        let columns = &columns(&timeline, 0)[&(7, "main")];
        assert_eq!(columns.len(), COLUMNS_MAX);
        assert!(columns.iter().all(|column| (column.utilization.unwrap() - 0.1).abs() < 1e-9));
        assert_eq!(columns.iter().filter_map(|column| column.turns).sum::<u64>(), 2 * many);
        assert_eq!(columns.iter().map(|column| column.stall_ns).sum::<u64>(), many);
        assert!(columns.windows(2).all(|two| two[0].to_ns == two[1].from_ns));
    }
}
