//! libuv's pool of threads: which jobs wait for one.
//!
//! ```text
//! wq ──next──> job ──> job ──> run_slow_work_message ──> wq        each is inside of its uv__work
//! slow_io_pending_wq ──> job ──> job ──> slow_io_pending_wq
//! ```
//!
//! The lists are read from outside while libuv changes them under its lock, so what does not lead
//! back to its beginning is left out.
//!
//! Cost: one read of memory a look, one more for each job that waits, of [`JOBS_MAX`] at most.
//!
//! **Invariant**: a job that waited for less than a look is not seen; no wait is told to be longer
//! than it was.

use std::collections::BTreeMap;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, ThreadPoolSnapshot};

use crate::plan::PoolData;
use crate::process::MappedFile;
use crate::source::live::memory::Memory;

/// How many jobs are looked at.
const JOBS_MAX: usize = 256;

/// From one look to the next, while jobs wait.
const PAUSE_NS: u64 = 9_000_000;

/// The same while none has waited for a while: shorter than any wait that is told as too long.
const CALM_PAUSE_NS: u64 = 39_000_000;

/// So many looks without a job that waits are calm.
const CALM_LOOKS: u32 = 100;

/// The most bytes in which both queues begin, and their marks: libuv has them side by side.
const HEADS_BYTES: usize = 256;

/// So many that wait are a crowd: as many as the pool has threads by default.
const CROWD: usize = 4;

/// The addresses in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    waiting: u64,
    slow: u64,
    marks: [u64; 2],
}

impl Places {
    /// Where the process has what the plan has found in its files.
    pub(super) fn of(data: PoolData, files: &[MappedFile]) -> Option<Places> {
        let file = files.get(data.module)?;
        let of = |address| file.address_of(address);
        let marks = [of(data.slow_mark)?, of(data.exit_mark)?];
        Some(Places { waiting: of(data.waiting)?, slow: of(data.slow)?, marks })
    }

    /// All of it at one moment, if it lies together, as it does where libuv is not compiled oddly.
    fn heads(&self, memory: &Memory) -> Option<Heads> {
        let all = || self.marks.into_iter().chain([self.waiting, self.slow]);
        let (first, last) = (all().min()?, all().max()?);
        let mut bytes = [0; HEADS_BYTES];
        let length = usize::try_from(last - first).ok()? + size_of::<u64>();
        memory.read(first, bytes.get_mut(..length)?).ok()?;
        Some(Heads { first, length, bytes })
    }
}

/// What lies where the queues begin.
struct Heads {
    first: u64,
    length: usize,
    bytes: [u8; HEADS_BYTES],
}

impl Heads {
    /// The word at an address, if it is in here.
    fn get(&self, address: u64) -> Option<u64> {
        let offset = usize::try_from(address.checked_sub(self.first)?).ok()?;
        let bytes = self.bytes[..self.length].get(offset..)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pool {
    places: Places,
    /// Jobs that wait, and since when they have been seen to.
    waiting: BTreeMap<u64, u64>,
    waits: Histogram,
    longest: usize,
    looked_ns: Option<u64>,
    /// Looks since a job waited last.
    calm: u32,
    observed_ns: u64,
    crowded_ns: u64,
}

impl Pool {
    pub(super) fn new(places: Places) -> Pool {
        Pool {
            places,
            waiting: BTreeMap::new(),
            waits: Histogram::new(Scale::Time),
            longest: 0,
            looked_ns: None,
            calm: 0,
            observed_ns: 0,
            crowded_ns: 0,
        }
    }

    /// Looks at the queues, if it has not just done so.
    pub(super) fn look_if_due(&mut self, memory: &Memory, now_ns: u64) {
        let pause_ns = if self.calm >= CALM_LOOKS { CALM_PAUSE_NS } else { PAUSE_NS };
        if self.looked_ns.is_none_or(|looked_ns| now_ns >= looked_ns + pause_ns) {
            self.look(memory, now_ns);
        }
    }

    fn look(&mut self, memory: &Memory, now_ns: u64) {
        let heads = self.places.heads(memory);
        let read = |address| {
            let of_heads = heads.as_ref().and_then(|heads| heads.get(address));
            of_heads.or_else(|| memory.u64(address).ok())
        };
        let Some(jobs) = jobs(self.places, &read) else { return };
        let lasted_ns = now_ns.saturating_sub(self.looked_ns.replace(now_ns).unwrap_or(now_ns));
        self.observed_ns += lasted_ns;
        if self.waiting.len() >= CROWD && jobs.len() >= CROWD {
            self.crowded_ns += lasted_ns;
        }
        self.calm = if jobs.is_empty() { self.calm.saturating_add(1) } else { 0 };
        self.longest = self.longest.max(jobs.len());
        let waits = &mut self.waits;
        self.waiting.retain(|job, since_ns| {
            let still = jobs.contains(job);
            if !still {
                waits.record(now_ns.saturating_sub(lasted_ns).saturating_sub(*since_ns));
            }
            still
        });
        jobs.into_iter().for_each(|job| {
            self.waiting.entry(job).or_insert(now_ns);
        });
    }

    /// What has been seen, those jobs included that wait still.
    pub(super) fn snapshot(&self) -> ThreadPoolSnapshot {
        let now_ns = self.looked_ns.unwrap_or(0);
        let mut waits = self.waits.clone();
        self.waiting.values().for_each(|since_ns| waits.record(now_ns - since_ns));
        ThreadPoolSnapshot {
            queue_ns: Some(waits),
            run_ns: None,
            queue_length_max: Some(self.longest as u64),
            queue_length: Some(self.waiting.len() as u64),
            crowded_share: (self.observed_ns > 0)
                .then(|| self.crowded_ns as f64 / self.observed_ns as f64),
        }
    }
}

/// The jobs of both queues; `None` where one of them is being changed.
fn jobs(places: Places, read: &dyn Fn(u64) -> Option<u64>) -> Option<Vec<u64>> {
    let mut jobs = Vec::new();
    for queue in [places.waiting, places.slow] {
        let mut entry = read(queue)?;
        // Before the first job is queued, libuv has not made its queues.
        while entry != queue && entry != 0 && jobs.len() < JOBS_MAX {
            if !places.marks.contains(&entry) {
                jobs.push(entry);
            }
            let next = read(entry)?;
            if next == entry || !next.is_multiple_of(8) {
                return None;
            }
            entry = next;
        }
    }
    Some(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Places = Places { waiting: 0x100, slow: 0x200, marks: [0x300, 0x400] };

    fn of(entries: &[(u64, u64)]) -> Option<Vec<u64>> {
        let entries: BTreeMap<u64, u64> = entries.iter().copied().collect();
        jobs(PLACES, &|address| entries.get(&address).copied())
    }

    #[test]
    fn jobs_are_found_in_both_queues_and_marks_are_none() {
        let empty = [(0x100, 0x100), (0x200, 0x200)];
        assert_eq!(of(&empty), Some(vec![]));
        assert_eq!(of(&[(0x100, 0), (0x200, 0)]), Some(vec![]), "not made yet");
        let some = [(0x100, 0x10), (0x10, 0x300), (0x300, 0x100), (0x200, 0x20), (0x20, 0x200)];
        assert_eq!(of(&some), Some(vec![0x10, 0x20]));
    }

    #[test]
    fn what_was_read_together_is_found_by_its_address() {
        let mut bytes = [0; HEADS_BYTES];
        bytes[16..24].copy_from_slice(&7_u64.to_le_bytes());
        let heads = Heads { first: 0x1000, length: 32, bytes };
        assert_eq!((heads.get(0x1010), heads.get(0x1018)), (Some(7), Some(0)));
        for outside in [0xfff, 0x1019, 0x1020, u64::MAX] {
            assert_eq!(heads.get(outside), None, "{outside:x}");
        }
    }

    #[test]
    fn a_queue_that_is_being_changed_is_left_out_and_a_ring_elsewhere_ends() {
        assert_eq!(of(&[(0x100, 0x10), (0x10, 0x10), (0x200, 0x200)]), None);
        assert_eq!(of(&[(0x100, 0x10), (0x10, 0x13), (0x200, 0x200)]), None);
        assert_eq!(of(&[(0x100, 0x10)]), None, "nothing is mapped there");
        let ring = [(0x100, 0x10), (0x10, 0x20), (0x20, 0x10), (0x200, 0x200)];
        assert_eq!(of(&ring).map(|jobs| jobs.len()), Some(JOBS_MAX));
    }
}
