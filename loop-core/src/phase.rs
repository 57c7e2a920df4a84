//! The phases of a turn under libuv's names, and a small map keyed by them.

use std::ops::{Index, IndexMut};

use serde::ser::{Serialize, SerializeMap, Serializer};

/// How many phases a turn has.
pub const PHASES: usize = 7;

/// A phase of a turn. Declared in the order in which metrics and reports list them; a turn runs
/// `pending, idle, prepare, poll, check, close, timers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Due timers.
    Timers = 0,
    /// Callbacks that an earlier turn put off.
    Pending,
    /// Idle handles.
    Idle,
    /// Prepare handles, right before the poll.
    Prepare,
    /// Callbacks of what the poll found ready.
    Poll,
    /// Check handles and immediates, right after the poll.
    Check,
    /// Close callbacks.
    Close,
}

impl Phase {
    /// Every phase, in the order of the enum.
    pub const ALL: [Phase; PHASES] = [
        Phase::Timers,
        Phase::Pending,
        Phase::Idle,
        Phase::Prepare,
        Phase::Poll,
        Phase::Check,
        Phase::Close,
    ];

    /// The name in metrics, reports and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Timers => "timers",
            Phase::Pending => "pending",
            Phase::Idle => "idle",
            Phase::Prepare => "prepare",
            Phase::Poll => "poll",
            Phase::Check => "check",
            Phase::Close => "close",
        }
    }

    /// The phase with this number, if there is one.
    pub const fn from_index(index: usize) -> Option<Phase> {
        if index < PHASES { Some(Phase::ALL[index]) } else { None }
    }
}

impl Serialize for Phase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One value for each phase; serializes as a map from the phases' names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseMap<T>(pub [T; PHASES]);

impl<T> PhaseMap<T> {
    /// Builds a map by asking `value` for each phase.
    pub fn from_fn(mut value: impl FnMut(Phase) -> T) -> Self {
        PhaseMap(std::array::from_fn(|i| value(Phase::ALL[i])))
    }

    /// Each phase with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, &T)> {
        Phase::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Phase> for PhaseMap<T> {
    type Output = T;
    fn index(&self, phase: Phase) -> &T {
        &self.0[phase as usize]
    }
}

impl<T> IndexMut<Phase> for PhaseMap<T> {
    fn index_mut(&mut self, phase: Phase) -> &mut T {
        &mut self.0[phase as usize]
    }
}

impl<T: Serialize> Serialize for PhaseMap<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(PHASES))?;
        for (phase, value) in self.iter() {
            map.serialize_entry(phase.name(), value)?;
        }
        map.end()
    }
}
