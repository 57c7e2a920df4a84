//! Samples of a thread's stack, taken by the kernel side each time that the thread has been on a
//! CPU for so long.
//!
//! ```text
//! thread's CPU clock ──event──> program ──walks the frame pointers──> ring of 32 ──> take()
//! ```
//!
//! Cost: to the thread two reads of its own memory a frame, and where frame pointers lead nowhere
//! one of 3 KiB; taking a sample copies up to 4 KB of shared memory without a system call. Nothing
//! while there is no [`Sampler`].
//!
//! **Invariant**: samples that were overwritten before they were taken are counted.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use super::{Kernel, system};
use crate::v8::RawFrame;

/// How many threads can be sampled at once.
pub(crate) const SAMPLERS: usize = 8;

/// How many samples are kept for each. A power of two.
const SAMPLES: u64 = 32;

/// How many frames a sample has at most.
const FRAMES: usize = 48;

const COPIED_WORDS: usize = 7;
const FRAME_WORDS: usize = 2 + COPIED_WORDS + 1;
const SAMPLE_HEAD_WORDS: usize = 7;
const SAMPLE_WORDS: usize = SAMPLE_HEAD_WORDS + FRAMES * FRAME_WORDS;

/// Behind so many frames the stack is kept where there are fewer.
const CHAIN_MIN: usize = 8;
const STACK_WORD: usize = SAMPLE_HEAD_WORDS + CHAIN_MIN * FRAME_WORDS;
const STACK_WORDS: usize = SAMPLE_WORDS - STACK_WORD;

/// The size of a sampler in words of eight bytes.
pub(super) const SAMPLER_WORDS: usize = 1 + SAMPLES as usize * SAMPLE_WORDS;

/// As in `shared.h`.
const COOKIE_SAMPLER_BITS: u32 = 8;

/// A stack as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// By the monotonic clock.
    pub(crate) at_ns: u64,
    /// What the thread executed, in user space.
    pub(crate) pc: u64,
    /// Its stack pointer.
    pub(crate) sp: u64,
    /// The register of its frame pointer, whatever was in it.
    pub(crate) fp: u64,
    /// By frame pointers, innermost first.
    pub(crate) frames: Vec<RawFrame>,
    /// What lay from the stack pointer on, where these are few; else, and where that could not be
    /// read, nothing.
    pub(crate) stack: Vec<u8>,
}

/// The sampling of one thread. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Sampler {
    kernel: Arc<Kernel>,
    index: usize,
    taken: u64,
    lost: u64,
    _link: OwnedFd,
    _event: OwnedFd,
}

impl Sampler {
    /// Samples the thread `tid` from now on. `shared_offset` is where a `JSFunction` has its
    /// `SharedFunctionInfo`; `None` where that isn't known.
    ///
    /// # Errors
    /// The thread has ended, the kernel does not let us, or as many as can be are sampled already,
    /// which is [`io::ErrorKind::ResourceBusy`].
    pub(crate) fn start(
        kernel: &Arc<Kernel>,
        tid: u32,
        period_ns: u64,
        shared_offset: Option<u32>,
    ) -> io::Result<Sampler> {
        let busy = || {
            let why = format!("{SAMPLERS} threads are sampled already");
            io::Error::new(io::ErrorKind::ResourceBusy, why)
        };
        let index = kernel.samplers_free.take().ok_or_else(busy)?;
        let cookie = u64::from(shared_offset.unwrap_or(0)) << COOKIE_SAMPLER_BITS | index as u64;
        let started = system::open_sampling(tid, period_ns).and_then(|event| {
            let program = kernel.loaded.sample();
            let link = system::link_sampling(program, event.as_fd(), cookie)?;
            Ok((link, event))
        });
        let (link, event) = started.inspect_err(|_| kernel.samplers_free.give(index))?;
        let taken = kernel.sampler(index)[0].load(Ordering::Acquire);
        let kernel = Arc::clone(kernel);
        Ok(Sampler { kernel, index, taken, lost: 0, _link: link, _event: event })
    }

    /// The samples since the last time, oldest first.
    pub(crate) fn take(&mut self) -> Vec<Sample> {
        let words = self.kernel.sampler(self.index);
        let now = words[0].load(Ordering::Acquire);
        let first = self.taken.max(now.saturating_sub(SAMPLES));
        let samples: Vec<Sample> = (first..now).filter_map(|number| read(words, number)).collect();
        self.lost += now - self.taken - samples.len() as u64;
        self.taken = now;
        samples
    }

    /// Samples that were not taken in time.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.kernel.samplers_free.give(self.index);
    }
}

/// Keeps the kernel ready for samplers, for as long as there is one of these.
///
/// The first event of any thread lets the kernel look for events at each switch of threads, on all
/// CPUs, and it waits until each has noticed: some milliseconds, on a busy machine most of a stall.
/// This is an event that never comes, of our own thread.
#[derive(Debug)]
pub(crate) struct Ready {
    _event: OwnedFd,
}

impl Ready {
    /// Waits until the kernel is ready.
    ///
    /// # Errors
    /// The kernel does not let us.
    pub(crate) fn get() -> io::Result<Ready> {
        Ok(Ready { _event: system::open_nothing()? })
    }
}

/// Which of the samplers nobody has: a bit for each.
#[derive(Debug)]
pub(super) struct Free(AtomicU64);

impl Free {
    pub(super) fn all() -> Free {
        Free(AtomicU64::new((1 << SAMPLERS) - 1))
    }

    fn take(&self) -> Option<usize> {
        let lowest = |free: u64| (free != 0).then(|| free & (free - 1));
        let had = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lowest).ok()?;
        Some(had.trailing_zeros() as usize)
    }

    fn give(&self, index: usize) {
        self.0.fetch_or(1 << index, Ordering::Relaxed);
    }
}

/// The sample of this number, from 0; `None` if it is overwritten or being so.
fn read(sampler: &[AtomicU64], number: u64) -> Option<Sample> {
    let start = 1 + (number % SAMPLES) as usize * SAMPLE_WORDS;
    let words = &sampler[start..start + SAMPLE_WORDS];
    let word = |index: usize| words[index].load(Ordering::Relaxed);
    if words[0].load(Ordering::Acquire) != number + 1 {
        return None;
    }
    let frames = (word(5) as u32 as usize).min(FRAMES);
    let frame = |index: usize| {
        let first = SAMPLE_HEAD_WORDS + index * FRAME_WORDS;
        RawFrame {
            pc: word(first),
            fp: word(first + 1),
            words: std::array::from_fn(|at| word(first + 2 + at)),
            shared: word(first + 2 + COPIED_WORDS),
            top: if index == 0 { word(4) } else { 0 },
        }
    };
    let frames = (0..frames).map(frame).collect();
    let stacked = ((word(5) >> 32) as usize / size_of::<u64>()).min(STACK_WORDS);
    let stack = (STACK_WORD..STACK_WORD + stacked).flat_map(|at| word(at).to_le_bytes()).collect();
    let sample = Sample { at_ns: word(1), pc: word(2), sp: word(3), fp: word(6), frames, stack };
    fence(Ordering::Acquire);
    (words[0].load(Ordering::Relaxed) == number + 1).then_some(sample)
}

/// The sizes and offsets that the kernel side must have, in bytes.
#[cfg(test)]
pub(super) fn layout() -> [usize; 6] {
    [SAMPLER_WORDS, SAMPLE_WORDS, FRAME_WORDS, SAMPLE_HEAD_WORDS, 2, 2 + COPIED_WORDS]
        .map(|words| words * 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_given_once() {
        let free = Free::all();
        let taken: Vec<_> = (0..SAMPLERS).filter_map(|_| free.take()).collect();
        assert_eq!(taken, (0..SAMPLERS).collect::<Vec<_>>());
        assert_eq!(free.take(), None);
        free.give(3);
        assert_eq!((free.take(), free.take()), (Some(3), None));
    }

    #[test]
    fn a_sample_that_is_overwritten_is_none() {
        let sampler: Vec<AtomicU64> = (0..SAMPLER_WORDS).map(|_| AtomicU64::new(0)).collect();
        let second = 1 + SAMPLE_WORDS;
        for (word, value) in [(0, 34), (1, 5), (2, 6), (3, 7), (4, 4), (5, 8 << 32 | 1), (6, 3)] {
            sampler[second + word].store(value, Ordering::Relaxed);
        }
        let first = second + SAMPLE_HEAD_WORDS;
        for (word, value) in [(first, 8), (first + 9, 9), (second + STACK_WORD, 0x0201)] {
            sampler[word].store(value, Ordering::Relaxed);
        }
        let sample = read(&sampler, 33).expect("it is whole");
        assert_eq!((sample.at_ns, sample.pc, sample.sp, sample.fp), (5, 6, 7, 3));
        assert_eq!(sample.stack, [1, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!((sample.frames[0].pc, sample.frames[0].shared), (8, 9));
        assert_eq!(sample.frames[0].top, 4);
        assert_eq!(read(&sampler, 1), None, "an older one had its place");
        assert_eq!(read(&sampler, 2), None, "not there yet");
    }
}
