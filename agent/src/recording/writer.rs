//! Writes recordings: one write a snapshot, with the stalls that are new in it.
//!
//! **Invariant**: all that was added is in the file when the call returns, so that whoever is
//! killed behind it loses nothing of it. Nothing is forced to the disk.
//!
//! **Invariant**: the file is no longer than its bound, unless the newest snapshot alone is.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use loop_core::snapshot::{LoopSnapshot, Snapshot, Stall};
use prost::Message;

use super::block::{self, Kind, START_BYTES};
use super::limits::{LIMITS_MAX, LOOPS_MAX, TARGETS_MAX};
use super::place::Place;
use super::store::{FileStore, Store};
use super::thin::{self, Entry, Goal};
use super::wire::{self, Told};
use super::{Dropped, End, Head, Whose};

/// Room for the end of a recording.
const END_BYTES: u64 = 64 << 10;

/// Writes one recording.
#[derive(Debug)]
pub struct Writer<S: Store = FileStore> {
    store: S,
    max_bytes: u64,
    bytes: u64,
    entries: Vec<Entry>,
    /// The stalls of the newest snapshot, by their loops.
    known: HashMap<Whose, Vec<Known>>,
    next_stall: u64,
    next_snapshot: u64,
    interval: u64,
    dropped: Dropped,
    /// What of it the recording says.
    told: Dropped,
}

/// A stall that was written.
#[derive(Clone, Debug)]
struct Known {
    number: u64,
    stall: Stall,
}

/// What became of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The length of the file.
    pub bytes: u64,
    /// Snapshots that it has.
    pub snapshots: u64,
    /// What was left out.
    pub dropped: Dropped,
}

/// Blocks that are to be written together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// They begin at the beginning of these bytes.
    entries: Vec<Entry>,
    known: HashMap<Whose, Vec<Known>>,
    /// Stalls that have changed, by the numbers that they had.
    replaced: HashSet<u64>,
    dropped: Dropped,
}

impl Writer {
    /// Begins a recording of at most `max_bytes`, in the place of one that may be there.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn create(place: Place, head: &Head, max_bytes: u64) -> io::Result<Writer> {
        Writer::new(place.begin()?, head, max_bytes)
    }
}

impl<S: Store> Writer<S> {
    /// Begins a recording in an empty store.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn new(mut store: S, head: &Head, max_bytes: u64) -> io::Result<Writer<S>> {
        let mut batch = Batch::default();
        batch.add(Kind::Head, 0, 0, &wire::Head::from(head))?;
        let mut bytes = block::start().to_vec();
        bytes.extend_from_slice(&batch.bytes);
        store.append(&bytes)?;
        Ok(Writer {
            store,
            max_bytes,
            bytes: bytes.len() as u64,
            entries: moved(batch.entries, START_BYTES as u64).collect(),
            known: HashMap::new(),
            next_stall: 0,
            next_snapshot: 0,
            interval: 1,
            dropped: Dropped::default(),
            told: Dropped::default(),
        })
    }

    /// Adds a snapshot that was taken then, and the stalls that are new in it.
    ///
    /// Cost: one system call, and deflating some 15 KB a loop.
    ///
    /// # Errors
    /// When it can't be written. It is counted, and what was written before stays.
    pub fn add(&mut self, unix_ns: u64, snapshot: &Snapshot) -> io::Result<()> {
        let added = self.try_add(unix_ns, snapshot);
        self.dropped.failed += u64::from(added.is_err());
        added
    }

    fn try_add(&mut self, unix_ns: u64, snapshot: &Snapshot) -> io::Result<()> {
        let mut batch = Batch { dropped: self.dropped, ..Batch::default() };
        let mut numbers = Vec::new();
        for of in snapshot.loops.iter().take(LOOPS_MAX) {
            numbers.push(self.add_stalls(of, &mut batch)?);
        }
        batch.leave_out(snapshot);
        let told = Told { number: self.next_snapshot, unix_ns };
        let snapshot = wire::Snapshot::of(told, snapshot, numbers);
        batch.add(Kind::Snapshot, told.number, 0, &snapshot)?;
        if batch.dropped != self.told {
            batch.add(Kind::Dropped, 0, 0, &wire::Dropped::from(batch.dropped))?;
        }
        for entry in &mut self.entries {
            entry.is_old |= entry.kind.is_of_stall() && batch.replaced.contains(&entry.number);
        }
        let end = END_BYTES.min(self.max_bytes / 16);
        if self.bytes + batch.bytes.len() as u64 + end > self.max_bytes {
            self.thin(&mut batch)?;
        } else {
            self.append(&mut batch)?;
        }
        self.known = batch.known;
        (self.dropped, self.told) = (batch.dropped, batch.dropped);
        self.next_snapshot += 1;
        Ok(())
    }

    /// Adds those of a loop that are new, or have changed. Returns the numbers of all.
    fn add_stalls(&mut self, of: &LoopSnapshot, batch: &mut Batch) -> io::Result<Vec<u64>> {
        let whose = Whose::of(of);
        let before = self.known.get(&whose).map_or(&[][..], Vec::as_slice);
        let mut now = Vec::with_capacity(of.stalls.len());
        for stall in &of.stalls {
            if let Some(known) = before.iter().find(|known| known.stall == *stall) {
                now.push(known.clone());
                continue;
            }
            let is_it = |known: &&Known| known.stall.start_unix_ns == stall.start_unix_ns;
            batch.replaced.extend(before.iter().filter(is_it).map(|known| known.number));
            let number = self.next_stall;
            self.next_stall += 1;
            batch.add_stall(number, &whose, stall)?;
            now.push(Known { number, stall: stall.clone() });
        }
        let numbers = now.iter().map(|known| known.number).collect();
        batch.known.entry(whose).or_default().extend(now);
        Ok(numbers)
    }

    fn append(&mut self, batch: &mut Batch) -> io::Result<()> {
        self.store.append(&batch.bytes)?;
        self.entries.extend(moved(std::mem::take(&mut batch.entries), self.bytes));
        self.bytes += batch.bytes.len() as u64;
        Ok(())
    }

    /// Makes room, and adds what is to be added of it.
    fn thin(&mut self, batch: &mut Batch) -> io::Result<()> {
        let mut all = self.entries.clone();
        all.extend(moved(std::mem::take(&mut batch.entries), self.bytes));
        let needed = batch.known.values().flatten().map(|known| known.number).collect();
        let goal = Goal { easy_bytes: self.max_bytes / 2, hard_bytes: self.max_bytes / 4 * 3 };
        let plan = thin::plan(&all, &needed, self.interval, goal);
        batch.dropped.snapshots += plan.dropped.snapshots;
        batch.dropped.stalls += plan.dropped.stalls;
        batch.dropped.samples += plan.dropped.samples;
        let stays = all.into_iter().zip(plan.stays).filter(|(_, stays)| *stays);
        let (old, new): (Vec<Entry>, Vec<Entry>) =
            stays.map(|(entry, _)| entry).partition(|entry| entry.begin < self.bytes);
        let mut tail = Batch::default();
        for entry in new {
            tail.take(entry, &batch.bytes, self.bytes);
        }
        tail.add(Kind::Dropped, 0, 0, &wire::Dropped::from(batch.dropped))?;
        self.store.keep(&parts(&old), &tail.bytes)?;
        let mut bytes = START_BYTES as u64;
        self.entries = old.into_iter().chain(tail.entries).collect();
        for entry in &mut self.entries {
            entry.begin = bytes;
            bytes += entry.bytes;
        }
        self.bytes = bytes;
        self.interval = plan.interval;
        Ok(())
    }

    /// Adds the last snapshot, and how it has ended.
    ///
    /// # Errors
    /// When that can't be written. What was written before stays.
    pub fn finish(mut self, end: &End, snapshot: &Snapshot) -> io::Result<(Size, S)> {
        let added = self.add(end.unix_ns, snapshot);
        let mut batch = Batch::default();
        if self.dropped != self.told {
            batch.add(Kind::Dropped, 0, 0, &wire::Dropped::from(self.dropped))?;
        }
        batch.add(Kind::End, 0, 0, &wire::End::from(end))?;
        self.append(&mut batch)?;
        added?;
        let snapshots = self.entries.iter().filter(|of| of.kind == Kind::Snapshot).count() as u64;
        Ok((Size { bytes: self.bytes, snapshots, dropped: self.dropped }, self.store))
    }
}

impl Batch {
    fn add(
        &mut self,
        kind: Kind,
        number: u64,
        duration_ns: u64,
        message: &impl Message,
    ) -> io::Result<()> {
        let begin = self.bytes.len() as u64;
        let added = block::add(&mut self.bytes, kind, &message.encode_to_vec());
        let bytes = added.ok_or_else(|| io::Error::other("it is too much for one block"))? as u64;
        self.entries.push(Entry { kind, number, begin, bytes, duration_ns, is_old: false });
        Ok(())
    }

    fn add_stall(&mut self, number: u64, whose: &Whose, stall: &Stall) -> io::Result<()> {
        let mut message = wire::Stall::of(number, whose, stall);
        if let Some(profile) = &stall.profile {
            let samples = wire::Samples::of(number, profile);
            let added = self.add(Kind::Samples, number, stall.duration_ns, &samples);
            message.has_samples = added.is_ok();
            self.dropped.samples += u64::from(added.is_err());
        }
        self.add(Kind::Stall, number, stall.duration_ns, &message)?;
        // Once it no longer runs, it has another number.
        let ours = self.entries.iter_mut().rev().take_while(|entry| entry.number == number);
        ours.for_each(|entry| entry.is_old = stall.running);
        Ok(())
    }

    /// Counts what a snapshot has more of than is written.
    fn leave_out(&mut self, of: &Snapshot) {
        let beyond = |count: usize, most: usize| count.saturating_sub(most) as u64;
        let kept = of.targets.iter().take(TARGETS_MAX);
        let limits = kept.map(|target| beyond(target.limits.len(), LIMITS_MAX)).sum();
        let most = &mut self.dropped;
        most.loops = most.loops.max(beyond(of.loops.len(), LOOPS_MAX));
        most.targets = most.targets.max(beyond(of.targets.len(), TARGETS_MAX));
        most.limits = most.limits.max(limits);
    }

    /// Takes a block of another batch, whose bytes begin there.
    fn take(&mut self, entry: Entry, bytes: &[u8], begin: u64) {
        let at = |at: u64| usize::try_from(at - begin).unwrap_or(usize::MAX);
        let block = bytes.get(at(entry.begin)..at(entry.begin + entry.bytes)).unwrap_or_default();
        self.entries.push(Entry { begin: self.bytes.len() as u64, ..entry });
        self.bytes.extend_from_slice(block);
    }
}

/// The blocks, if what they are in begins there.
fn moved(entries: Vec<Entry>, begin: u64) -> impl Iterator<Item = Entry> {
    entries.into_iter().map(move |entry| Entry { begin: entry.begin + begin, ..entry })
}

/// The parts of a recording that have its start and these blocks, neighbours joined.
fn parts(entries: &[Entry]) -> Vec<Range<u64>> {
    let start = 0..START_BYTES as u64;
    let mut parts = vec![start];
    for entry in entries {
        let end = entry.begin + entry.bytes;
        match parts.last_mut().filter(|last| last.end == entry.begin) {
            Some(last) => last.end = end,
            None => parts.push(entry.begin..end),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use loop_core::snapshot::ClockKind;

    use super::super::{Recording, parse};
    use super::*;

    /// Bytes, and how many there is room for.
    #[derive(Clone, Debug, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Disk {
        fn set_room(&self, bytes: usize) {
            self.0.lock().expect("nobody has panicked").1 = bytes;
        }

        fn bytes(&self) -> usize {
            self.0.lock().expect("nobody has panicked").0.len()
        }

        fn read(&self) -> Recording {
            parse(&self.0.lock().expect("nobody has panicked").0).expect("it is a recording")
        }
    }

    impl Store for Disk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let disk = &mut *self.0.lock().expect("nobody has panicked");
            if disk.0.len() + bytes.len() > disk.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Store::append(&mut disk.0, bytes)
        }

        fn keep(&mut self, parts: &[Range<u64>], tail: &[u8]) -> io::Result<()> {
            Store::keep(&mut self.0.lock().expect("nobody has panicked").0, parts, tail)
        }
    }

    fn second(number: u64) -> Snapshot {
        Snapshot { wall_ns: number * 1_000_000_000, ..Snapshot::empty(ClockKind::Real) }
    }

    #[test]
    fn a_disk_that_is_full_keeps_what_was_there_and_is_told_when_it_has_room_again() {
        let disk = Disk::default();
        let refused = Writer::new(disk.clone(), &Head::default(), 1 << 20);
        assert_eq!(refused.expect_err("no room").kind(), io::ErrorKind::StorageFull);
        disk.set_room(1 << 20);
        let mut writer = Writer::new(disk.clone(), &Head::default(), 1 << 20).expect("room");
        writer.add(1, &second(1)).expect("there is room");
        disk.set_room(disk.bytes() + 5);
        for number in 2..5 {
            let refused = writer.add(number, &second(number)).expect_err("there is no room");
            assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
            let found = disk.read();
            assert_eq!((found.snapshot, found.timeline.len()), (second(1), 1));
            assert_eq!(found.lost, super::super::Lost::default());
        }
        disk.set_room(1 << 20);
        writer.add(5, &second(5)).expect("there is room again");
        let found = disk.read();
        assert_eq!((found.snapshot, found.timeline.len()), (second(5), 2));
        assert_eq!(found.dropped, Dropped { failed: 3, ..Dropped::default() });
        disk.set_room(disk.bytes());
        let refused = writer.finish(&End::default(), &second(6)).expect_err("there is no room");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        let found = disk.read();
        assert_eq!((found.snapshot, found.end), (second(5), None));
    }

    #[test]
    fn what_is_dropped_may_be_any_number() {
        let most = Dropped { stalls: u64::MAX, samples: u64::MAX, ..Dropped::default() };
        assert!(!most.is_whole());
        assert!(Dropped { snapshots: 7, ..Dropped::default() }.is_whole());
    }
}
