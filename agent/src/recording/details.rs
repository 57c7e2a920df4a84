//! The stalls of a recording and their samples while it is read, as many as memory is meant for.
//!
//! **Invariant**: what finds no room is the oldest: of all samples first, then of the stalls. It
//! is counted, and is no damage.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_core::snapshot::Profile;

use super::{Lost, RecordedStall};

/// See the module.
pub(super) struct Details {
    stalls: BTreeMap<u64, Kept<Numbered>>,
    samples: BTreeMap<u64, Kept<Arc<Profile>>>,
    bytes: u64,
    bytes_max: u64,
    /// Those of stalls with smaller numbers were left out.
    first_stall: u64,
    first_samples: u64,
}

/// A stall, and whether samples of it were recorded.
pub(super) struct Numbered {
    pub(super) stall: RecordedStall,
    has_samples: bool,
}

/// Something, and what it takes of the memory.
struct Kept<T> {
    what: T,
    bytes: u64,
}

impl Details {
    /// None, of which no more than this is kept.
    pub(super) fn within(bytes_max: u64) -> Details {
        Details {
            stalls: BTreeMap::new(),
            samples: BTreeMap::new(),
            bytes: 0,
            bytes_max,
            first_stall: 0,
            first_samples: 0,
        }
    }

    /// Takes a stall that has so many bytes in memory.
    pub(super) fn add_stall(
        &mut self,
        number: u64,
        stall: RecordedStall,
        has_samples: bool,
        bytes: u64,
        lost: &mut Lost,
    ) {
        if number < self.first_stall {
            lost.old_stalls += 1;
            return;
        }
        let kept = Kept { what: Numbered { stall, has_samples }, bytes };
        let before = self.stalls.insert(number, kept);
        self.make_room(bytes, before.map_or(0, |before| before.bytes), lost);
    }

    /// Takes the samples of a stall that have so many bytes in memory.
    pub(super) fn add_samples(
        &mut self,
        number: u64,
        profile: Profile,
        bytes: u64,
        lost: &mut Lost,
    ) {
        if number < self.first_samples {
            lost.old_samples += 1;
            return;
        }
        let before = self.samples.insert(number, Kept { what: Arc::new(profile), bytes });
        self.make_room(bytes, before.map_or(0, |before| before.bytes), lost);
    }

    fn make_room(&mut self, added: u64, replaced: u64, lost: &mut Lost) {
        self.bytes = self.bytes + added - replaced;
        while self.bytes > self.bytes_max {
            if let Some((number, gone)) = self.samples.pop_first() {
                (self.first_samples, self.bytes) = (number + 1, self.bytes - gone.bytes);
                lost.old_samples += 1;
            } else if let Some((number, gone)) = self.stalls.pop_first() {
                (self.first_stall, self.bytes) = (number + 1, self.bytes - gone.bytes);
                lost.old_stalls += 1;
            } else {
                return;
            }
        }
    }

    /// Gives each stall its samples.
    pub(super) fn join(&mut self) {
        for (number, of) in &mut self.stalls {
            of.what.stall.stall.profile = self.samples.remove(number).map(|kept| kept.what);
        }
    }

    /// The stall with this number; what is not there and was not left out is counted.
    pub(super) fn find(&self, number: u64, lost: &mut Lost) -> Option<&Numbered> {
        let Some(Kept { what: found, .. }) = self.stalls.get(&number) else {
            lost.stalls += u64::from(number >= self.first_stall);
            return None;
        };
        let is_bare = found.has_samples && found.stall.stall.profile.is_none();
        lost.samples += u64::from(is_bare && number >= self.first_samples);
        Some(found)
    }

    /// All that are left, by their numbers.
    pub(super) fn into_stalls(self) -> impl DoubleEndedIterator<Item = RecordedStall> {
        self.stalls.into_values().map(|kept| kept.what.stall)
    }
}
