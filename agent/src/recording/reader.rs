//! Reads recordings: bytes in, value or error out.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use loop_core::snapshot::{ClockKind, Snapshot, Stall};

use super::block::{self, Kind, Piece, Pieces};
use super::details::Details;
use super::error::{NotRead, ReadError};
use super::limits::{DETAILS_BYTES_MAX, READ_BYTES_MAX, TIMELINE_LOOPS_MAX};
use super::wire::{self, Odd};
use super::{Dropped, End, Head, LoopTick, Lost, RecordedStall, Recording, Tick, Whose};

/// Reads a file.
///
/// Cost: its bytes, and what it tells, in memory; some ms a MB.
///
/// # Errors
/// [`ReadError`]; a recording that was cut or damaged is none, and says so.
pub fn read(path: &Path) -> Result<Recording, ReadError> {
    let io = |error| ReadError::Io(path.to_owned(), error);
    // Opening a pipe would wait for somebody to write into it.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(ReadError::NoFile(path.to_owned()));
    }
    let mut file = File::open(path).map_err(io)?;
    let not_read = |why| ReadError::NotRead(path.to_owned(), why);
    let mut bytes = Vec::new();
    (&mut file).take(block::START_BYTES as u64).read_to_end(&mut bytes).map_err(io)?;
    // Whether it is one is known before it is read whole.
    block::behind_start(&bytes).map_err(not_read)?;
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > READ_BYTES_MAX {
        return Err(ReadError::TooLong(path.to_owned()));
    }
    parse(&bytes).map_err(not_read)
}

/// Reads the bytes of a recording.
///
/// # Errors
/// [`NotRead`]; a recording that was cut or damaged is none, and says so.
pub fn parse(bytes: &[u8]) -> Result<Recording, NotRead> {
    parse_within(DETAILS_BYTES_MAX, bytes)
}

/// The same, with so much memory for the details of stalls.
pub(super) fn parse_within(details_bytes_max: u64, bytes: &[u8]) -> Result<Recording, NotRead> {
    let mut found = Found::within(details_bytes_max);
    for piece in Pieces::new(block::behind_start(bytes)?) {
        match piece {
            Piece::Block { kind: Some(kind), payload } => {
                if found.add(kind, &payload).is_err() {
                    found.lost.damaged_blocks += 1;
                    found.lost.damaged_bytes += payload.len() as u64;
                }
            }
            Piece::Block { kind: None, .. } => found.lost.unknown_blocks += 1,
            Piece::Damaged(bytes) => {
                found.lost.damaged_blocks += 1;
                found.lost.damaged_bytes += bytes as u64;
            }
            Piece::Cut(bytes) => found.lost.cut_bytes += bytes as u64,
        }
    }
    Ok(found.recording())
}

/// What was found so far.
struct Found {
    head: Option<Head>,
    /// The newest snapshot, and the one before it, with their bytes.
    snapshots: [Option<(wire::Snapshot, usize)>; 2],
    timeline: Vec<Tick>,
    /// Loops in the timeline.
    loops: usize,
    details: Details,
    end: Option<End>,
    dropped: Dropped,
    lost: Lost,
}

impl Found {
    fn within(details_bytes_max: u64) -> Found {
        Found {
            head: None,
            snapshots: [None, None],
            timeline: Vec::new(),
            loops: 0,
            details: Details::within(details_bytes_max),
            end: None,
            dropped: Dropped::default(),
            lost: Lost::default(),
        }
    }

    fn add(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Odd> {
        match kind {
            Kind::Head => self.head = Some(wire::Head::read(payload)?.into()),
            Kind::Dropped => self.dropped = wire::Dropped::read(payload)?.into(),
            Kind::End => self.end = Some(wire::End::read(payload)?.into()),
            Kind::Snapshot => {
                let snapshot = wire::Snapshot::read(payload)?;
                // What can't be told is found out here, not when it has become the newest.
                self.tick(snapshot.tick()?);
                self.snapshots = [Some((snapshot, payload.len())), self.snapshots[0].take()];
            }
            Kind::Stall => {
                let stall = wire::Stall::read(payload)?;
                let (number, has_samples) = (stall.number, stall.has_samples);
                let bytes = (payload.len() + stall.memory_bytes()) as u64;
                let stall = stall.stall()?;
                self.details.add_stall(number, stall, has_samples, bytes, &mut self.lost);
            }
            Kind::Samples => {
                let samples = wire::Samples::read(payload)?;
                // Names are there twice: once as what they are looked up by.
                let bytes = (2 * payload.len() + samples.memory_bytes()) as u64;
                let (number, profile) = (samples.stall, samples.profile()?);
                self.details.add_samples(number, profile, bytes, &mut self.lost);
            }
        }
        Ok(())
    }

    fn tick(&mut self, tick: Tick) {
        // One without loops takes room, too.
        self.loops += tick.loops.len() + 1;
        self.timeline.push(tick);
        if self.loops > TIMELINE_LOOPS_MAX {
            let before = self.timeline.len();
            let mut number = 0;
            self.timeline.retain(|_| {
                number += 1;
                number % 2 == 1 || number == before
            });
            self.lost.ticks += (before - self.timeline.len()) as u64;
            self.loops = self.timeline.iter().map(|tick| tick.loops.len() + 1).sum();
        }
    }

    fn recording(mut self) -> Recording {
        self.details.join();
        let newest = self.newest();
        let mut timeline = self.timeline;
        utilization(&mut timeline);
        Recording {
            head: self.head.unwrap_or_default(),
            snapshot: newest.unwrap_or_else(|| Snapshot::empty(ClockKind::Real)),
            timeline,
            stalls: completed(self.details.into_stalls()),
            end: self.end,
            dropped: self.dropped,
            lost: self.lost,
        }
    }

    /// The newest snapshot that says nothing that can't be, with its stalls.
    fn newest(&mut self) -> Option<Snapshot> {
        let snapshots = std::mem::take(&mut self.snapshots);
        for (snapshot, bytes) in snapshots.into_iter().flatten() {
            let (details, mut lost) = (&self.details, self.lost);
            // A stall is of one loop, and there once.
            let mut taken = HashSet::new();
            let whole = snapshot.snapshot(|numbers| {
                let new = numbers.iter().filter(|number| taken.insert(**number));
                let found = new.filter_map(|number| details.find(*number, &mut lost));
                found.map(|of| of.stall.stall.clone()).collect::<Vec<Stall>>()
            });
            if let Ok(whole) = whole {
                self.lost = lost;
                return Some(whole);
            }
            self.lost.damaged_blocks += 1;
            self.lost.damaged_bytes += bytes as u64;
        }
        None
    }
}

/// Those that are over, each as it was written last, oldest first.
fn completed(all: impl DoubleEndedIterator<Item = RecordedStall>) -> Vec<RecordedStall> {
    let mut seen: HashSet<(Whose, u64)> = HashSet::new();
    let over = all.rev().filter(|of| !of.stall.running);
    let mut newest: Vec<RecordedStall> =
        over.filter(|of| seen.insert((of.whose.clone(), of.stall.start_unix_ns))).collect();
    newest
        .sort_by(|a, b| (a.stall.start_unix_ns, &a.whose).cmp(&(b.stall.start_unix_ns, &b.whose)));
    newest
}

/// Tells how busy each loop was between two ticks.
fn utilization(timeline: &mut [Tick]) {
    let mut before: HashMap<Whose, (u64, u64)> = HashMap::new();
    for of in timeline.iter_mut().flat_map(|tick| &mut tick.loops) {
        let LoopTick { active_ns: Some(active), idle_ns: Some(idle), .. } = *of else { continue };
        let then = before.insert(of.whose.clone(), (active, idle)).unwrap_or_default();
        let (active, idle) = (active.saturating_sub(then.0), idle.saturating_sub(then.1));
        let all = active + idle;
        of.utilization = (all > 0).then(|| active as f64 / all as f64);
    }
}
