//! What a loop tells of itself at one moment.
//!
//! Cost: three to five reads of memory, about 5 µs. No allocation.
//!
//! **Invariant**: a time that is too new is never taken for an old one. Whether the loop waits is
//! read before its clock, and the loop sets its clock before it says that it waits no longer.

use std::io::{self, ErrorKind};

use super::super::layout::UvLayout;
use super::super::memory::{Memory, u32_at, u64_at};
use super::FoundLoop;

/// How often the times are read again until two readings agree. The loop changes them about twice
/// in a turn, a reading takes 1 µs.
const READINGS_MAX: usize = 16;

/// What libuv and V8 have counted, and whether the loop waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopReading {
    /// The loop's clock, in ms, as of its last update: when the last poll returned, or later.
    pub loop_time_ms: u64,
    /// Polls begun; `None` where this version does not count them.
    pub loop_count: Option<u64>,
    /// Events handled; `None` as above.
    pub events: Option<u64>,
    /// Time waited since the loop was made, without the wait that goes on.
    pub idle_ns: u64,
    /// Since when the loop waits, by the target's `CLOCK_MONOTONIC`; `None`: it does not wait.
    pub waiting_since_ns: Option<u64>,
    /// libuv's configuration of the loop.
    pub flags: u32,
    /// Microtasks that the thread has run since it began; `None` where the queue isn't known.
    pub finished_microtasks: Option<u64>,
}

/// What the loop tells now.
///
/// # Errors
/// The process or the loop is gone, or the memory can't be read: see
/// [`trouble`](super::super::memory::trouble).
pub fn read_loop(memory: &Memory, found: &FoundLoop, layout: &UvLayout) -> io::Result<LoopReading> {
    let mut bytes = [0; UvLayout::LOOP_BYTES];
    let fields = Fields::read(memory, found.internal_fields, layout)?;
    memory.read(found.address, &mut bytes)?;
    // When a loop is closed, libuv frees the fields and clears the pointer.
    if u64_at(&bytes, layout.internal_fields) != Some(found.internal_fields) {
        return Err(ErrorKind::NotFound.into());
    }
    let finished_microtasks = match found.finished_count {
        Some(address) => Some(memory.u64(address)?),
        None => None,
    };
    Ok(LoopReading {
        loop_time_ms: u64_at(&bytes, layout.time).unwrap_or_default(),
        loop_count: fields.loop_count,
        events: fields.events,
        idle_ns: fields.idle_ns,
        waiting_since_ns: (fields.entry_ns != 0).then_some(fields.entry_ns),
        flags: fields.flags,
        finished_microtasks,
    })
}

/// What changes from one turn of a loop to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// As in [`LoopReading`].
    pub loop_count: Option<u64>,
    /// As in [`LoopReading`].
    pub idle_ns: u64,
    /// Since when it waits, by the clock of its process; `None`: it doesn't.
    pub waits_since_ns: Option<u64>,
}

/// What a loop with these internal fields does now: one read of memory, about 1 µs.
///
/// # Errors
/// As [`read_loop`].
pub fn pulse(memory: &Memory, fields: u64, layout: &UvLayout) -> io::Result<Pulse> {
    let fields = Fields::once(memory, fields, layout)?;
    let Fields { loop_count, idle_ns, entry_ns, .. } = fields;
    let waits_since_ns = Some(entry_ns).filter(|&entry_ns| entry_ns != 0);
    Ok(Pulse { loop_count, idle_ns, waits_since_ns })
}

/// libuv's internal fields of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) flags: u32,
    pub(super) loop_count: Option<u64>,
    pub(super) events: Option<u64>,
    pub(super) events_waiting: Option<u64>,
    pub(super) entry_ns: u64,
    pub(super) idle_ns: u64,
    locked: bool,
}

impl Fields {
    /// The fields at one moment. The loop moves its times while they are read; two readings that
    /// agree, with the lock free, are those of one moment.
    pub(super) fn read(memory: &Memory, address: u64, layout: &UvLayout) -> io::Result<Fields> {
        let mut before = Fields::once(memory, address, layout)?;
        for _ in 0..READINGS_MAX {
            let now = Fields::once(memory, address, layout)?;
            if now.times() == before.times() && !now.locked {
                return Ok(now);
            }
            before = now;
        }
        Ok(before)
    }

    fn once(memory: &Memory, address: u64, layout: &UvLayout) -> io::Result<Fields> {
        let bytes: [u8; UvLayout::FIELDS_BYTES] = memory.bytes(address)?;
        let word = |offset| u64_at(&bytes, offset).unwrap_or_default();
        Ok(Fields {
            flags: u32_at(&bytes, layout.flags).unwrap_or_default(),
            loop_count: layout.loop_count.map(word),
            events: layout.events.map(word),
            events_waiting: layout.events_waiting.map(word),
            entry_ns: word(layout.entry_time),
            idle_ns: word(layout.idle_time),
            locked: word(layout.lock) != 0,
        })
    }

    fn times(&self) -> (u64, u64) {
        (self.entry_ns, self.idle_ns)
    }
}
