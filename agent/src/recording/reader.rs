//! Reads recordings: bytes in, value or error out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use loop_core::snapshot::{ClockKind, Profile, Snapshot, Stall};
use prost::Message;

use super::block::{self, Kind, Piece, Pieces};
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
    let mut found = Found::default();
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
#[derive(Default)]
struct Found {
    head: Option<Head>,
    snapshot: Option<wire::Snapshot>,
    timeline: Vec<Tick>,
    /// Loops in the timeline.
    loops: usize,
    stalls: BTreeMap<u64, Numbered>,
    samples: HashMap<u64, Arc<Profile>>,
    /// Bytes of stalls and samples.
    details_bytes: u64,
    end: Option<End>,
    dropped: Dropped,
    lost: Lost,
}

/// A stall, and whether samples of it were recorded.
struct Numbered {
    stall: RecordedStall,
    has_samples: bool,
}

impl Found {
    fn add(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Odd> {
        match kind {
            Kind::Head => self.head = Some(message::<wire::Head>(payload)?.into()),
            Kind::Dropped => self.dropped = message::<wire::Dropped>(payload)?.into(),
            Kind::End => self.end = Some(message::<wire::End>(payload)?.into()),
            Kind::Snapshot => {
                let snapshot = message::<wire::Snapshot>(payload)?;
                // What can't be told is found out here, not when it has become the newest.
                self.tick(snapshot.tick()?);
                self.snapshot = Some(snapshot);
            }
            Kind::Stall => {
                self.has_room_for(payload)?;
                let stall = message::<wire::Stall>(payload)?;
                let (number, has_samples) = (stall.number, stall.has_samples);
                self.stalls.insert(number, Numbered { stall: stall.stall()?, has_samples });
            }
            Kind::Samples => {
                self.has_room_for(payload)?;
                let samples = message::<wire::Samples>(payload)?;
                self.samples.insert(samples.stall, Arc::new(samples.profile()?));
            }
        }
        Ok(())
    }

    fn has_room_for(&mut self, payload: &[u8]) -> Result<(), Odd> {
        self.details_bytes += payload.len() as u64;
        if self.details_bytes > DETAILS_BYTES_MAX { Err(Odd) } else { Ok(()) }
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
        self.add_samples();
        let snapshot = self.snapshot.take().and_then(|newest| self.newest(&newest));
        let mut timeline = self.timeline;
        utilization(&mut timeline);
        Recording {
            head: self.head.unwrap_or_default(),
            snapshot: snapshot.unwrap_or_else(|| Snapshot::empty(ClockKind::Real)),
            timeline,
            stalls: completed(self.stalls.into_values().map(|of| of.stall)),
            end: self.end,
            dropped: self.dropped,
            lost: self.lost,
        }
    }

    fn add_samples(&mut self) {
        for (number, of) in &mut self.stalls {
            of.stall.stall.profile = self.samples.remove(number);
        }
    }

    /// The newest snapshot, with its stalls; `None`: it says what can't be.
    fn newest(&mut self, newest: &wire::Snapshot) -> Option<Snapshot> {
        let (all, lost) = (&self.stalls, &mut self.lost);
        let snapshot = newest.snapshot(|numbers| {
            let found: Vec<&Numbered> =
                numbers.iter().filter_map(|number| all.get(number)).collect();
            lost.stalls += (numbers.len() - found.len()) as u64;
            let bare = found.iter().filter(|of| of.has_samples && of.stall.stall.profile.is_none());
            lost.samples += bare.count() as u64;
            found.into_iter().map(|of| of.stall.stall.clone()).collect::<Vec<Stall>>()
        });
        if snapshot.is_err() {
            lost.damaged_blocks += 1;
        }
        snapshot.ok()
    }
}

fn message<M: Message + Default>(payload: &[u8]) -> Result<M, Odd> {
    M::decode(payload).map_err(|_| Odd)
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
