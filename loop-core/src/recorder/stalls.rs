//! A bounded ring of stalls that one thread writes and any thread reads.
//!
//! ```text
//!  slot: | sequence | start | duration | phase | callbacks | microtasks | ... | counters |
//! ```
//!
//! Each slot is guarded by a sequence number: odd while it is written, even when it is whole. A
//! reader that meets a slot in change leaves it out: it is being overwritten, so it is dropped.
//!
//! Cost: 9 KB; a write is 20 stores and happens once a stall.
//!
//! **Invariant**: neither side waits. `written == kept + dropped`, where a reader keeps what it
//! could read whole.

use super::sync::{AtomicU64, Ordering, fence, get, set};
use crate::counters::{READING_WORDS, Reading};

/// Stalls whose details are kept: the newest so many.
pub(crate) const STALLS_KEPT: usize = 64;

/// Words beside those of the counters.
const OWN_WORDS: usize = 8;

const WORDS: usize = OWN_WORDS + READING_WORDS;

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
    /// Of the drains: what they had of a CPU, where that is known, without collections.
    pub(crate) microtask_ns: u64,
    pub(crate) tick_ns: u64,
    /// Pauses of a garbage collector, where the loop runs JavaScript.
    pub(crate) gc_ns: u64,
    /// What the thread's counters counted in it.
    pub(crate) spent: Reading,
}

impl StallRecord {
    fn to_words(self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        let (own, spent) = words.split_at_mut(OWN_WORDS);
        own.copy_from_slice(&[
            self.start_ns,
            self.duration_ns,
            self.phase,
            self.callbacks,
            self.microtasks,
            self.microtask_ns,
            self.tick_ns,
            self.gc_ns,
        ]);
        spent.copy_from_slice(&self.spent.to_words());
        words
    }

    fn from_words(words: [u64; WORDS]) -> Self {
        StallRecord {
            start_ns: words[0],
            duration_ns: words[1],
            phase: words[2],
            callbacks: words[3],
            microtasks: words[4],
            microtask_ns: words[5],
            tick_ns: words[6],
            gc_ns: words[7],
            spent: Reading::from_words(std::array::from_fn(|i| words[OWN_WORDS + i])),
        }
    }
}

/// Words that one thread writes together and any thread reads together.
#[derive(Debug)]
pub(super) struct Slot<const N: usize> {
    sequence: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Slot<N> {
    pub(super) fn new() -> Self {
        let words = std::array::from_fn(|_| AtomicU64::new(0));
        Slot { sequence: AtomicU64::new(0), words }
    }

    /// Writes the words under a new even number, larger than the last. Called by the one writer
    /// only.
    pub(super) fn write(&self, whole: u64, words: [u64; N]) {
        set(&self.sequence, whole - 1);
        // Pairs with the fence in `read`: who sees one of these words sees the odd number, too.
        fence(Ordering::Release);
        for (cell, word) in self.words.iter().zip(words) {
            set(cell, word);
        }
        self.sequence.store(whole, Ordering::Release);
    }

    /// The number and the words, unless none were written or they are being written.
    pub(super) fn read(&self) -> Option<(u64, [u64; N])> {
        let whole = self.sequence.load(Ordering::Acquire);
        if whole == 0 || !whole.is_multiple_of(2) {
            return None;
        }
        let words = std::array::from_fn(|i| get(&self.words[i]));
        fence(Ordering::Acquire);
        (get(&self.sequence) == whole).then_some((whole, words))
    }
}

/// See the module. `N` is [`STALLS_KEPT`] but for the models that check the memory order.
#[derive(Debug)]
pub(crate) struct StallRing<const N: usize = STALLS_KEPT> {
    written: AtomicU64,
    slots: [Slot<WORDS>; N],
}

impl<const N: usize> StallRing<N> {
    pub(crate) fn new() -> Self {
        StallRing { written: AtomicU64::new(0), slots: std::array::from_fn(|_| Slot::new()) }
    }

    /// Writes one stall over the oldest. Called by the one writer only.
    pub(crate) fn push(&self, stall: StallRecord) {
        let number = get(&self.written);
        let slot = &self.slots[(number % N as u64) as usize];
        slot.write(2 * number + 2, stall.to_words());
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
        let (whole, words) = self.slots[(number % N as u64) as usize].read()?;
        (whole == 2 * number + 2).then(|| StallRecord::from_words(words))
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

    /// Whatever the interleaving (of up to three preemptions), words are read whole or not at all.
    /// The writer is the first thread: loom looks for races with a cell's last store, not with its
    /// last load.
    #[test]
    fn no_torn_words_are_ever_read() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let slot = Arc::new(Slot::<2>::new());
            let reader = {
                let slot = slot.clone();
                thread::spawn(move || {
                    if let Some((whole, words)) = slot.read() {
                        assert_eq!(words, [whole, whole], "torn");
                    }
                })
            };
            for whole in [2, 4] {
                slot.write(whole, [whole, whole]);
            }
            reader.join().unwrap();
            assert_eq!(slot.read(), Some((4, [4, 4])));
        });
    }
}
