//! The transcript of a workload: the lines it tells as it goes, kept round by round.
//!
//! **Invariant**: memory does not grow with the number of rounds. The first round is kept, and the
//! first one that told anything else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a workload has told. Clones are the same story, so that another thread can read it while
/// the loop's thread is blocked.
#[derive(Clone, Debug, Default)]
pub struct Story(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// Lines of the round that is going on.
    current: Vec<String>,
    first: Option<Vec<String>>,
    /// The first round that told something else than the first of all.
    other: Option<Vec<String>>,
}

impl Story {
    /// Tells one line.
    pub(crate) fn say(&self, line: impl Into<String>) {
        self.lock().current.push(line.into());
    }

    /// The round is over.
    pub(crate) fn end_round(&self) {
        let mut told = self.lock();
        let current = std::mem::take(&mut told.current);
        match &told.first {
            None => told.first = Some(current),
            Some(first) if *first != current => drop(told.other.get_or_insert(current)),
            Some(_) => {}
        }
    }

    /// The lines of the first round, as far as it has come.
    pub fn lines(&self) -> Vec<String> {
        let told = self.lock();
        told.first.as_ref().unwrap_or(&told.current).clone()
    }

    /// The lines of the first round that told something else than the first of all.
    pub(crate) fn other(&self) -> Option<Vec<String>> {
        self.lock().other.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        // A line is pushed or it is not, so a poisoned one is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_is_kept_and_the_first_that_differs() {
        let story = Story::default();
        for round in [["a", "b"], ["a", "b"], ["b", "a"], ["c", "d"]] {
            round.iter().for_each(|line| story.say(*line));
            story.end_round();
        }
        assert_eq!(story.lines(), ["a", "b"]);
        assert_eq!(story.other(), Some(vec!["b".to_owned(), "a".to_owned()]));
    }

    #[test]
    fn a_round_that_is_cut_short_is_told_so_far() {
        let story = Story::default();
        story.say("a");
        assert_eq!(story.clone().lines(), ["a"]);
    }
}
