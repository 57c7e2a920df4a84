//! Loops that have ended: the newest each for itself, those before them together.

use std::collections::VecDeque;

use loop_core::snapshot::{Events, LoopSnapshot};

use super::super::thread_names::OTHER;
use super::watched::Watched;
use super::{Clock, Options};

/// Loops that are kept each for itself after their end. A process may start workers for ever.
const KEPT: usize = 32;
/// What was seen of loops that have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    newest: VecDeque<LoopSnapshot>,
    other: Option<LoopSnapshot>,
    events: Events,
}

impl Ended {
    /// Adds one that has ended.
    pub(super) fn add(&mut self, watched: &Watched, pid: u32, clock: Clock, options: Options) {
        self.events.merge(watched.events());
        self.newest.push_back(watched.snapshot(pid, clock, options));
        if self.newest.len() > KEPT
            && let Some(oldest) = self.newest.pop_front()
        {
            self.fold(oldest);
        }
    }

    /// Of the stalls of the others there are sums only.
    fn fold(&mut self, oldest: LoopSnapshot) {
        let told = oldest.stalls.len() as u64;
        self.events.kept -= told;
        self.events.dropped += told;
        let oldest =
            LoopSnapshot { thread: OTHER.to_owned(), tid: 0, stalls: Vec::new(), ..oldest };
        match &mut self.other {
            Some(other) => other.merge(&oldest),
            other => *other = Some(oldest),
        }
    }

    /// All of them.
    pub(super) fn loops(&self) -> impl Iterator<Item = &LoopSnapshot> {
        self.newest.iter().chain(&self.other)
    }

    /// Their stalls.
    pub(super) fn events(&self) -> Events {
        self.events
    }
}
