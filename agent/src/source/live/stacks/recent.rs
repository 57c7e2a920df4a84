//! What was read and named some milliseconds ago, so that it is not at each sample.
//!
//! Naming a stack asks of each function whether it is still the one that was there, and most of a
//! stack is the same from one sample to the next. A sample is some milliseconds old itself by the
//! time it is named, so that is never sure.
//!
//! Cost: a read that is known takes some 30 ns in place of a system call, a frame that is known the
//! copy of its names.
//!
//! **Invariant**: nothing is kept for longer than [`KEPT_NS`], and what could not be read is never.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::source::live::memory::Memory;
use crate::v8::{Frame, Kind, RawFrame, ReadMemory};

/// For how long, in nanoseconds: a few looks. Much less than from one collection that moves
/// functions and code to the next.
const KEPT_NS: u64 = 25_000_000;

/// Bytes of a read that is kept: those that ask whether something is still the same.
const BYTES_MAX: usize = 32;

/// How many are kept. All are dropped when there are more.
const READS_MAX: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Reads {
    known: RefCell<HashMap<(u64, usize), [u8; BYTES_MAX]>>,
    begun_ns: u64,
}

/// A process' memory as it was a moment ago.
pub(super) struct Recent<'a> {
    memory: &'a Memory,
    reads: &'a Reads,
}

impl Reads {
    /// The memory, from which nothing is told that is too old at `now_ns`.
    pub(super) fn of<'a>(&'a mut self, memory: &'a Memory, now_ns: u64) -> Recent<'a> {
        if now_ns.saturating_sub(self.begun_ns) > KEPT_NS {
            self.known.get_mut().clear();
            self.begun_ns = now_ns;
        }
        Recent { memory, reads: self }
    }
}

impl ReadMemory for Recent<'_> {
    fn refresh(&self) {
        self.reads.known.borrow_mut().clear();
    }

    fn read(&self, address: u64, buf: &mut [u8]) -> bool {
        let key = (address, buf.len());
        if buf.len() > BYTES_MAX {
            return self.memory.read(address, buf).is_ok();
        }
        let mut known = self.reads.known.borrow_mut();
        if let Some(bytes) = known.get(&key) {
            buf.copy_from_slice(&bytes[..buf.len()]);
            return true;
        }
        if self.memory.read(address, buf).is_err() {
            return false;
        }
        if known.len() >= READS_MAX {
            known.clear();
        }
        let mut bytes = [0; BYTES_MAX];
        bytes[..buf.len()].copy_from_slice(buf);
        known.insert(key, bytes);
        true
    }
}

/// The stack that was named last.
#[derive(Debug, Default)]
pub(super) struct Last {
    raw: Vec<RawFrame>,
    frames: Arc<Vec<Frame>>,
    /// When the oldest of its frames was named.
    named_ns: u64,
}

impl Last {
    /// How many frames of another stack are to be named, and the names of the others: of those
    /// outside, that are what they were.
    pub(super) fn known(&self, raw: &[RawFrame], now_ns: u64) -> (usize, &[Frame]) {
        if now_ns.saturating_sub(self.named_ns) > KEPT_NS {
            return (raw.len(), &[]);
        }
        // The innermost is told by what it executes.
        let (ours, theirs) = (self.raw.iter().skip(1).rev(), raw.iter().skip(1).rev());
        let same = ours.zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
        let rest = raw.len() - same;
        let Some(inner) = raw.get(rest) else { return (rest, &[]) };
        let names = &self.frames[self.frames.partition_point(|frame| frame.fp < inner.fp)..];
        // Of what is inside of a collection it is a part.
        if names.iter().any(|frame| frame.kind == Kind::Collector) {
            return (raw.len(), &[]);
        }
        (rest, names)
    }

    /// That was named now, with or without what was known.
    pub(super) fn named(
        &mut self,
        raw: Vec<RawFrame>,
        frames: &Arc<Vec<Frame>>,
        (is_new, now_ns): (bool, u64),
    ) {
        let named_ns = if is_new { now_ns } else { self.named_ns };
        *self = Last { raw, frames: Arc::clone(frames), named_ns };
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::process::Identity;

    #[test]
    fn what_was_read_is_told_again_for_a_while_and_no_longer() {
        let memory = Memory::open(Identity::of(std::process::id()).unwrap()).unwrap();
        let mut reads = Reads::default();
        let word = AtomicU64::new(7);
        let address = black_box(&raw const word) as usize as u64;
        let mut read = |now_ns| {
            let mut bytes = [0; 8];
            assert!(reads.of(&memory, now_ns).read(address, &mut bytes));
            u64::from_le_bytes(bytes)
        };
        assert_eq!(read(KEPT_NS * 3), 7);
        word.store(8, Ordering::Relaxed);
        assert_eq!(read(KEPT_NS * 4), 7);
        assert_eq!(read(KEPT_NS * 4 + 1), 8);
        assert!(!reads.of(&memory, 0).read(8, &mut [0; 8]), "nothing is mapped there");
    }

    #[test]
    fn frames_outside_that_are_what_they_were_are_known() {
        let raw = |pc, fp| RawFrame { pc, fp, ..RawFrame::default() };
        let frame = |name: &str, fp| Frame {
            kind: Kind::JavaScript,
            name: name.to_owned(),
            file: None,
            line: None,
            column: None,
            begins: None,
            begins_column: None,
            fp,
        };
        let mut last = Last::default();
        let main = [raw(7, 70), raw(8, 80)];
        let stack = [&[raw(1, 10), raw(2, 20)], &main[..]].concat();
        let names = ["leaf", "inlined", "work", "main"];
        let fps = [10, 20, 20, 70];
        let frames = names.iter().zip(fps).map(|(name, fp)| frame(name, fp));
        last.named(stack.clone(), &Arc::new(frames.collect()), (true, KEPT_NS));
        let known = |raw: &[RawFrame], now_ns| {
            let (rest, frames) = last.known(raw, now_ns);
            (rest, frames.iter().map(|frame| frame.name.clone()).collect::<Vec<_>>())
        };
        let others = [&[raw(1, 10), raw(3, 20)], &main[..]].concat();
        assert_eq!(known(&others, KEPT_NS), (2, vec!["main".to_owned()]));
        let same = known(&stack, KEPT_NS * 2);
        assert_eq!((same.0, same.1.len()), (1, 3), "the innermost is named anew");
        assert_eq!(known(&stack, KEPT_NS * 2 + 1), (4, vec![]), "too long ago");
        assert_eq!(known(&[raw(1, 10)], KEPT_NS), (1, vec![]));
        assert_eq!(known(&[], KEPT_NS), (0, vec![]));
    }

    #[test]
    fn long_reads_are_made_each_time() {
        let memory = Memory::open(Identity::of(std::process::id()).unwrap()).unwrap();
        let mut reads = Reads::default();
        let words: Vec<AtomicU64> = (0..8).map(AtomicU64::new).collect();
        let address = words.as_ptr() as usize as u64;
        let mut read = || {
            let mut bytes = [0; 64];
            assert!(reads.of(&memory, 1).read(address, &mut bytes));
            bytes[8]
        };
        assert_eq!(read(), 1);
        words[1].store(9, Ordering::Relaxed);
        assert_eq!(read(), 9);
    }
}
