//! The list of workloads. One workload, one file.

mod await_all_growing;
mod cpu_bound_callback;
mod cpu_starved;
mod immediate_flood;
mod immediate_vs_timeout;
mod immediate_vs_timeout_in_io;
mod lambda_freeze;
mod main_io_module;
mod next_tick_recursion;
mod next_tick_starvation;
mod next_tick_vs_timers;
mod phase_order;
mod poll_flood;
mod poll_wait;
mod promise_before_timeout;
mod promise_race_pool;
mod slow_close;
mod sync_io;
mod sync_promises;
mod thread_pool_saturation;
mod timeout_at_exit;
mod timer_storm;
mod timers_at_250;

use std::fmt;
use std::time::Duration;

use loop_core::{Loop, Phase};

use crate::truth::{Fact, STALL};
use crate::{Truth, Workload};

/// The shortest timeout there is, in nanoseconds: the delay of the timer that each pathology arms
/// before it blocks.
const TIMER_NS: u64 = 1_000_000;

/// Jobs from which on a drain is a flood.
const FLOOD_JOBS: u64 = 1_000;

/// The longest that single steps of workloads may take where anything longer makes no sense.
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Callbacks of one phase in one turn from which on they are many, and it is their number that
/// stalls the loop.
const MANY_CALLBACKS: u64 = 100;

/// How long a turn of a fixed twin may work.
const SLICE: Duration = Duration::from_millis(2);

/// The most callbacks in a turn of a fixed twin, however little each works.
const PIECES_MAX: u64 = 250;

/// How many callbacks with so much work each a fixed twin runs in a turn.
fn pieces(work: Duration) -> u64 {
    let fit = SLICE.as_nanos().checked_div(work.as_nanos());
    fit.map_or(PIECES_MAX, |fit| (fit as u64).clamp(1, PIECES_MAX))
}

/// So many times this duration.
fn times(duration: Duration, count: u64) -> Duration {
    Duration::from_nanos((duration.as_nanos() as u64).saturating_mul(count))
}

/// The truth of a workload that runs so many callbacks of one phase in one turn. `storm` is what
/// that is called where they are many, and short.
fn held_up_by(
    mut facts: Vec<Fact>,
    phase: Phase,
    count: u64,
    work: Duration,
    storm: &'static str,
) -> Truth {
    let blocked = times(work, count);
    facts.push(Fact::BlockedAtLeast(blocked.as_nanos() as u64));
    if blocked < STALL {
        return Truth::new("healthy", facts);
    }
    facts.extend([Fact::LongestStallIn(phase), Fact::LongestStallCallbacks(count)]);
    let many = count >= MANY_CALLBACKS && work < STALL;
    Truth::new(if many { storm } else { "cpu-bound-callback" }, facts)
}

/// Runs a handler as that of a request: from the poll phase, behind a little work of the pool.
fn request(lp: &mut Loop, handler: impl FnOnce(&mut Loop) + 'static) {
    lp.queue_work(|| (), move |lp, _| handler(lp));
}

static ALL: [Workload; 23] = [
    // What blocks a loop.
    sync_promises::WORKLOAD,
    promise_race_pool::WORKLOAD,
    await_all_growing::WORKLOAD,
    next_tick_recursion::WORKLOAD,
    cpu_bound_callback::WORKLOAD,
    sync_io::WORKLOAD,
    timer_storm::WORKLOAD,
    immediate_flood::WORKLOAD,
    poll_flood::WORKLOAD,
    slow_close::WORKLOAD,
    // What makes it slow without a block.
    thread_pool_saturation::WORKLOAD,
    cpu_starved::WORKLOAD,
    lambda_freeze::WORKLOAD,
    immediate_vs_timeout::WORKLOAD,
    // Stories: in which order things run.
    timers_at_250::WORKLOAD,
    poll_wait::WORKLOAD,
    phase_order::WORKLOAD,
    immediate_vs_timeout_in_io::WORKLOAD,
    next_tick_vs_timers::WORKLOAD,
    next_tick_starvation::WORKLOAD,
    promise_before_timeout::WORKLOAD,
    main_io_module::WORKLOAD,
    timeout_at_exit::WORKLOAD,
];

/// Every workload.
pub fn all() -> &'static [Workload] {
    &ALL
}

/// The workload of this name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Workload, UnknownWorkload> {
    ALL.iter().find(|workload| workload.name == name).ok_or_else(|| {
        let closest = ALL.iter().map(|w| w.name).min_by_key(|known| distance(known, name));
        let near = closest.filter(|known| distance(known, name) <= known.len() / 2);
        UnknownWorkload { name: name.to_owned(), near }
    })
}

/// There is no workload of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownWorkload {
    /// What was asked for.
    pub name: String,
    /// What may have been meant.
    pub near: Option<&'static str>,
}

impl fmt::Display for UnknownWorkload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no workload `{}`; ", self.name)?;
        match self.near {
            Some(near) => write!(f, "did you mean `{near}`? `loopscope workloads` lists them all"),
            None => write!(f, "`loopscope workloads` lists them all"),
        }
    }
}

impl std::error::Error for UnknownWorkload {}

/// The number of letters to add, drop or change to make one name of the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_gets_the_closest_and_the_way_to_the_list() {
        let text = |name| find(name).unwrap_err().to_string();
        assert!(text("sync-promise").contains("did you mean `sync-promises`?"));
        assert!(text("nexttick-recursion").contains("`next-tick-recursion`"));
        assert!(!text("quux").contains("did you mean"));
        assert!(text("quux").contains("loopscope workloads"));
    }

    #[test]
    fn names_are_unique_and_defaults_are_valid() {
        let mut names: Vec<_> = all().iter().map(|workload| workload.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
        for workload in all() {
            crate::Args::parse(workload, []).unwrap();
        }
    }
}
