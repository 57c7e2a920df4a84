//! The list of workloads. One workload, one file.

mod cpu_bound_callback;
mod immediate_vs_timeout;
mod next_tick_recursion;
mod promise_race_pool;
mod sync_promises;

use std::fmt;

use loop_core::Loop;

use crate::Workload;

/// The shortest timeout there is, in nanoseconds: the delay of the timer that each pathology arms
/// before it blocks.
const TIMER_NS: u64 = 1_000_000;

/// Jobs from which on a drain is a flood.
const FLOOD_JOBS: u64 = 1_000;

/// Runs a handler as that of a request: from the poll phase, behind a little work of the pool.
fn request(lp: &mut Loop, handler: impl FnOnce(&mut Loop) + 'static) {
    lp.queue_work(|| (), move |lp, _| handler(lp));
}

static ALL: [Workload; 5] = [
    sync_promises::WORKLOAD,
    promise_race_pool::WORKLOAD,
    next_tick_recursion::WORKLOAD,
    cpu_bound_callback::WORKLOAD,
    immediate_vs_timeout::WORKLOAD,
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
fn distance(a: &str, b: &str) -> usize {
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
