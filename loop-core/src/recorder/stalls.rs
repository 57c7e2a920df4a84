//! A bounded ring of stalls that one thread writes and any thread reads.
//!
//! ```text
//!  slot: | sequence | start | duration | phase | callbacks | microtasks | ... |
//! ```
//!
//! Each slot is guarded by a sequence number: odd while it is written, even when it is whole. A
//! reader that meets a slot in change leaves it out: it is being overwritten, so it is dropped.
//!
//! Cost: 4 KB; a write is eleven stores and happens once a stall.
//!
//! **Invariant**: neither side waits. `written == kept + dropped`, where a reader keeps what it
//! could read whole.

use super::sync::{AtomicU64, Ordering, fence, get, set};

/// Stalls whose details are kept: the newest so many.
pub(crate) const STALLS_KEPT: usize = 64;

const FIELDS: usize = 8;

/// The details of one completed stall. Times are the loop clock's, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StallRecord {
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    /// Number of the phase; [`crate::PHASES`] for none.
    pub(crate) phase: u64,
    /// Callbacks of that phase.
    pub(crate) callbacks: u64,
    pub(crate) microtasks: u64,
    pub(crate) microtask_ns: u64,
    pub(crate) tick_ns: u64,
    pub(crate) frozen_ns: u64,
}

impl StallRecord {
    fn to_words(self) -> [u64; FIELDS] {
        [
            self.start_ns,
            self.duration_ns,
            self.phase,
            self.callbacks,
            self.microtasks,
            self.microtask_ns,
            self.tick_ns,
            self.frozen_ns,
        ]
    }

    fn from_words(words: [u64; FIELDS]) -> Self {
        let [start_ns, duration_ns, phase, callbacks, ..] = words;
        let [.., microtasks, microtask_ns, tick_ns, frozen_ns] = words;
        StallRecord {
            start_ns,
            duration_ns,
            phase,
            callbacks,
            microtasks,
            microtask_ns,
            tick_ns,
            frozen_ns,
        }
    }
}

#[derive(Debug)]
struct Slot {
    sequence: AtomicU64,
    words: [AtomicU64; FIELDS],
}

/// See the module. `N` is [`STALLS_KEPT`] but for the models that check the memory order.
#[derive(Debug)]
pub(crate) struct StallRing<const N: usize = STALLS_KEPT> {
    written: AtomicU64,
    slots: [Slot; N],
}

impl<const N: usize> StallRing<N> {
    pub(crate) fn new() -> Self {
        let slot = || Slot {
            sequence: AtomicU64::new(0),
            words: std::array::from_fn(|_| AtomicU64::new(0)),
        };
        StallRing { written: AtomicU64::new(0), slots: std::array::from_fn(|_| slot()) }
    }

    /// Writes one stall over the oldest. Called by the one writer only.
    pub(crate) fn push(&self, stall: StallRecord) {
        let number = get(&self.written);
        let slot = &self.slots[(number % N as u64) as usize];
        set(&slot.sequence, 2 * number + 1);
        // Pairs with the fence in `read`: who sees a word of this stall sees the odd number, too.
        fence(Ordering::Release);
        for (cell, word) in slot.words.iter().zip(stall.to_words()) {
            set(cell, word);
        }
        set(&slot.sequence, 2 * number + 2);
        self.written.store(number + 1, Ordering::Release);
    }

    /// The stalls that could be read whole, oldest first, and how many were written in all.
    pub(crate) fn read(&self) -> (Vec<StallRecord>, u64) {
        let written = self.written.load(Ordering::Acquire);
        let first = written.saturating_sub(N as u64);
        let stalls = (first..written).filter_map(|number| self.read_one(number)).collect();
        (stalls, written)
    }

    /// The caller has acquired `written` past this number, so this stall, or a newer one, is here.
    fn read_one(&self, number: u64) -> Option<StallRecord> {
        let slot = &self.slots[(number % N as u64) as usize];
        let whole = 2 * number + 2;
        if get(&slot.sequence) != whole {
            return None;
        }
        let words = std::array::from_fn(|i| get(&slot.words[i]));
        fence(Ordering::Acquire);
        (get(&slot.sequence) == whole).then(|| StallRecord::from_words(words))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_all_are_counted() {
        let ring = StallRing::<4>::new();
        for n in 0..10 {
            ring.push(StallRecord { start_ns: n, ..StallRecord::default() });
        }
        let (stalls, written) = ring.read();
        assert_eq!(written, 10);
        assert_eq!(stalls.iter().map(|s| s.start_ns).collect::<Vec<_>>(), [6, 7, 8, 9]);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// Whatever the interleaving (of up to three preemptions), a stall is read whole or not at
    /// all. The writer is the first thread: loom looks for races with a cell's last store, not
    /// with its last load.
    #[test]
    fn no_torn_stall_is_ever_read() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let ring = Arc::new(StallRing::<1>::new());
            let reader = {
                let ring = ring.clone();
                thread::spawn(move || {
                    let (stalls, written) = ring.read();
                    assert!(stalls.len() as u64 <= written);
                    for stall in stalls {
                        assert_eq!(stall.start_ns, stall.frozen_ns, "torn");
                    }
                })
            };
            for n in 1..3 {
                let (start_ns, frozen_ns) = (n, n);
                ring.push(StallRecord { start_ns, frozen_ns, ..StallRecord::default() });
            }
            reader.join().unwrap();
            assert_eq!(ring.read().0.len(), 1);
        });
    }
}
