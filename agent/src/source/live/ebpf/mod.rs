//! Probes in the kernel: loads them, sets them into targets, and reads what they count.
//!
//! ```text
//! target's thread ──hits──> program ──> slot (an array map, mapped here) ──> Reading
//! ```
//!
//! Cost: nothing while nobody reads. Reading a loop copies 120 KB of shared memory without a system
//! call. The kernel holds 110 KB for each loop there is room for, whether there is a loop or not.
//!
//! **Invariant**: entry probes only, on instructions that the plan has found good. Everything in
//! the kernel goes when the agent does, also when it is killed.

mod calibrate;
mod executed;
mod object;
mod samples;
mod scheduler;
mod slots;
mod system;
mod trial;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub(super) use executed::Executed;
pub(super) use object::LoadError;
pub(super) use samples::{Ready, Sample, Sampler};
#[cfg(test)]
pub(super) use slots::{Account, Turn};
pub(super) use slots::{COLLECTIONS, Ended, Head, MARK_COMPACT, PHASES, Reading};
pub use trial::{Refused, Tried, try_probes};

use object::Loaded;
use samples::{SAMPLER_WORDS, SAMPLERS};
use scheduler::Scheduler;
use slots::SLOT_WORDS;
use system::{Uprobes, Words};

use crate::plan::Point;

/// How many loops there is room for.
pub(super) const SLOTS: u32 = 64;

const _: () = {
    let words = SLOTS as usize * SLOT_WORDS + SAMPLERS * SAMPLER_WORDS;
    assert!(words * size_of::<u64>() < 8 << 20, "what the kernel keeps for us is below 8 MiB");
};

/// How many targets.
pub(super) const TARGETS: u32 = 64;

/// As in `shared.h`.
const COOKIE_POINT_BITS: u32 = 8;

/// How long a loop's turn is a stall, and where things lie in the memory of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) stall_threshold_ns: u64,
    /// How far its clock is ahead of the machine's.
    pub(super) clock_ahead_ns: i64,
    pub(super) time: u32,
    pub(super) heap_min: u32,
    pub(super) internal_fields: u32,
    pub(super) idle_handles: u32,
    pub(super) prepare_handles: u32,
    pub(super) timeout: u32,
    pub(super) flags: u32,
    /// `None` where this libuv doesn't count them.
    pub(super) events: Option<u32>,
    pub(super) idle_time: u32,
    pub(super) finished_count: u32,
    /// `None` where it isn't known how many wait.
    pub(super) queue_size: Option<u32>,
    /// Whether every phase has its probe, so that each ends where the next begins.
    pub(super) phases: bool,
    /// Whether it is observed from its first instruction on, so that a thread's first turn begins
    /// with the first that is seen of it.
    pub(super) from_start: bool,
}

/// As in `shared.h`.
const KNOWS_EVENTS: u32 = 1;
const KNOWS_PHASES: u32 = 2;
const KNOWS_START: u32 = 4;
const KNOWS_SIZE: u32 = 8;

impl Layout {
    fn bytes(&self) -> Vec<u8> {
        let events = if self.events.is_some() { KNOWS_EVENTS } else { 0 };
        let phases = if self.phases { KNOWS_PHASES } else { 0 };
        let start = if self.from_start { KNOWS_START } else { 0 };
        let size = if self.queue_size.is_some() { KNOWS_SIZE } else { 0 };
        let mut bytes = self.stall_threshold_ns.to_ne_bytes().to_vec();
        bytes.extend(self.clock_ahead_ns.to_ne_bytes());
        let words = [
            self.time,
            self.heap_min,
            self.internal_fields,
            self.idle_handles,
            self.prepare_handles,
            self.timeout,
            self.flags,
            self.events.unwrap_or(0),
            self.idle_time,
            self.finished_count,
            self.queue_size.unwrap_or(0),
            events | phases | start | size,
        ];
        words.iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
        bytes
    }
}

/// What the kernel side could not place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Hits for which there was no slot.
    pub(super) no_slot: u64,
    /// Hits of threads that there was no room to remember.
    pub(super) no_thread: u64,
    /// Hits of a target that has gone.
    pub(super) no_target: u64,
    /// Hits of loops that aren't Node's own. They are no loss.
    pub(super) foreign: u64,
    /// Programs that were executed faster than we have looked.
    pub(super) executed: u64,
}

/// The kernel side.
#[derive(Debug)]
pub(super) struct Kernel {
    loaded: Loaded,
    slots: Words,
    losses: Words,
    samplers: Words,
    samplers_free: samples::Free,
    scheduler_words: Words,
    scheduler: Mutex<Scheduler>,
}

/// What is set in the kernel. It goes when this is dropped.
#[derive(Debug)]
pub(super) struct Link(#[expect(dead_code, reason = "held for its drop")] OwnedFd);

impl Kernel {
    /// Loads the program and makes its maps.
    ///
    /// # Errors
    /// What this kernel does not have, or does not allow us.
    pub(super) fn load() -> Result<Kernel, LoadError> {
        let loaded = object::load(SLOTS)?;
        let map = |name, bytes| {
            Words::map(loaded.map(name), bytes).map_err(|error| LoadError::Map(name, error))
        };
        let slots = map("slots", SLOTS as usize * SLOT_WORDS * size_of::<u64>())?;
        let losses = map("losses", size_of::<Losses>())?;
        let samplers = map("samplers", SAMPLERS * SAMPLER_WORDS * size_of::<u64>())?;
        let scheduler_words = map("scheduler", scheduler::WORDS * size_of::<u64>())?;
        let mut scheduler = Scheduler::default();
        scheduler.begin(loaded.clock(), &scheduler_words);
        let kernel = Kernel {
            loaded,
            slots,
            losses,
            samplers,
            samplers_free: samples::Free::all(),
            scheduler_words,
            scheduler: Mutex::new(scheduler),
        };
        for slot in 0..SLOTS {
            kernel.free(slot).map_err(|error| LoadError::Map("free_slots", error))?;
        }
        Ok(kernel)
    }

    /// What a hit of a probe costs the thread that is probed, in nanoseconds.
    pub(super) fn hit_ns(&self) -> u64 {
        calibrate::hit_ns(self)
    }

    /// Follows the scheduler's clock. To be called now and then, by a thread that has just slept.
    pub(super) fn follow_clock(&self) {
        let mut scheduler = self.scheduler.lock().unwrap_or_else(PoisonError::into_inner);
        scheduler.ask(self.loaded.clock(), &self.scheduler_words);
    }

    /// Whether a thread's time on a CPU is known up to now.
    pub(super) fn is_exact(&self) -> bool {
        self.scheduler_words[scheduler::AHEAD].load(Ordering::Relaxed) != 0
    }

    /// Tells the program about a target, before its probes are set.
    pub(super) fn set_target(&self, target: u32, layout: &Layout) -> io::Result<()> {
        let targets = self.loaded.map("targets").as_fd();
        system::update(targets, &target.to_ne_bytes(), &layout.bytes())
    }

    /// Sets probes at offsets in a file that the process `pid` maps.
    pub(super) fn link(
        &self,
        target: u32,
        pid: u32,
        file: &Path,
        points: &[(Point, u64)],
    ) -> io::Result<Link> {
        let path = CString::new(file.as_os_str().as_bytes())?;
        let offsets: Vec<u64> = points.iter().map(|(_, offset)| *offset).collect();
        let cookies: Vec<u64> = points.iter().map(|(point, _)| cookie(target, *point)).collect();
        let uprobes = Uprobes { path: &path, offsets: &offsets, cookies: &cookies, pid };
        system::link_uprobes(self.loaded.hit(), &uprobes).map(Link)
    }

    /// Who has which slot, and what runs there.
    pub(super) fn heads(&self) -> impl Iterator<Item = (u32, Head)> {
        let given = (0..SLOTS).filter(|&slot| slots::is_given(self.slot(slot)));
        given.map(|slot| (slot, self.head(slot)))
    }

    /// Who has this slot, and what runs there.
    pub(super) fn head(&self, slot: u32) -> Head {
        slots::head(self.slot(slot))
    }

    /// All that was counted for one loop.
    pub(super) fn read(&self, slot: u32) -> Reading {
        slots::read(self.slot(slot))
    }

    /// Tells a slot that turns may come and go unseen, from the one that goes on to the next poll
    /// that is seen. Only while no probe can reach it.
    pub(super) fn void_turn(&self, slot: u32) {
        slots::void_turn(self.slot(slot));
    }

    /// Takes a slot back from a loop that no probe can reach any more.
    pub(super) fn release(&self, slot: u32) -> io::Result<()> {
        let head = self.head(slot);
        let thread = head.thread.to_ne_bytes();
        let further = [thread, head.address.to_ne_bytes()].concat();
        self.forget("threads", &thread, slot);
        self.forget("further_loops", &further, slot);
        self.free(slot)
    }

    /// Takes a key out of a map, unless another slot has it by now.
    fn forget(&self, map: &'static str, key: &[u8], slot: u32) {
        let map = self.loaded.map(map).as_fd();
        let mut of = [0; size_of::<u32>()];
        if system::lookup(map, key, &mut of).is_ok() && u32::from_ne_bytes(of) == slot {
            // It may be gone meanwhile, which is as well.
            let _ = system::delete(map, key);
        }
    }

    fn free(&self, slot: u32) -> io::Result<()> {
        slots::clear(self.slot(slot));
        system::update(self.loaded.map("free_slots").as_fd(), &[], &slot.to_ne_bytes())
    }

    fn slot(&self, slot: u32) -> &[AtomicU64] {
        let start = slot as usize * SLOT_WORDS;
        &self.slots[start..start + SLOT_WORDS]
    }

    fn sampler(&self, index: usize) -> &[AtomicU64] {
        let start = index * SAMPLER_WORDS;
        &self.samplers[start..start + SAMPLER_WORDS]
    }

    /// What could not be placed.
    pub(super) fn losses(&self) -> Losses {
        let word = |index: usize| self.losses[index].load(Ordering::Relaxed);
        Losses {
            no_slot: word(0),
            no_thread: word(1),
            no_target: word(2),
            foreign: word(3),
            executed: word(4),
        }
    }
}

fn cookie(target: u32, point: Point) -> u64 {
    u64::from(target) << COOKIE_POINT_BITS | point as u64
}
