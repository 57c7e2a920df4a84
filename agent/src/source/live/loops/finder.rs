//! The search: which threads are looked at, and when again.

use super::super::clock::{Shift, boot_ticks};
use super::super::layout::UvLayout;
use super::super::memory::Memory;
use super::search::{Look, Search};
use super::{FoundLoop, Places};
use crate::process::{Process, Thread};

/// When a thread is looked at again for the first time; then after twice as long, and so on.
const AGAIN_NS_MIN: u64 = 10_000_000;
/// How long it takes at most until a thread is looked at again, once it was seen to have no loop,
const AGAIN_NS_MAX: u64 = 10_000_000_000;
/// and while it could not be looked at.
const UNSEEN_NS_MAX: u64 = 1_000_000_000;
/// The age at which a thread has made its loop if it ever will, in ticks of 10 ms.
const GROWN_TICKS: u64 = 200;

/// Searches a process, and keeps in mind when to look at which thread again.
#[derive(Debug)]
pub struct Finder {
    layout: &'static UvLayout,
    places: Places,
    threads: Vec<Known>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The loops that weren't known before, and those known whose queue of microtasks has been
    /// found by now; by the start of their threads.
    pub loops: Vec<FoundLoop>,
    /// How many threads could not be looked at yet: they compute, and their stack wasn't found.
    pub unseen: usize,
    /// Why the main thread's loop was not found, while it isn't.
    pub no_main: Option<&'static str>,
}

/// A thread, and what is known about it.
#[derive(Debug)]
struct Known {
    tid: u32,
    start_ticks: u64,
    found: Option<FoundLoop>,
    unseen: bool,
    no_main: Option<&'static str>,
    looks: u32,
    /// `None`: never again.
    again_ns: Option<u64>,
}

impl Finder {
    /// A search by these offsets and addresses.
    pub fn new(layout: &'static UvLayout, places: Places) -> Finder {
        Finder { layout, places, threads: Vec::new() }
    }

    /// When [`Finder::find`] is worth calling again although no thread has come.
    pub fn due_ns(&self) -> Option<u64> {
        self.threads.iter().filter_map(|known| known.again_ns).min()
    }

    /// Looks at the threads that have come, and at those that it is time to look at again.
    /// `now_ns` is our `CLOCK_MONOTONIC`.
    ///
    /// A process that has ended has no loops.
    pub fn find(&mut self, process: &Process, memory: &Memory, now_ns: u64) -> Found {
        let threads = process.threads().unwrap_or_default();
        self.threads.retain(|known| threads.iter().any(|thread| known.is(thread)));
        for thread in &threads {
            if !self.threads.iter().any(|known| known.is(thread)) {
                self.threads.push(Known::new(thread));
            }
        }
        Found {
            loops: self.look(process, memory, now_ns),
            unseen: self.threads.iter().filter(|known| known.unseen).count(),
            no_main: self.threads.iter().find_map(|known| known.no_main),
        }
    }

    /// Looks at those whose time has come.
    fn look(&mut self, process: &Process, memory: &Memory, now_ns: u64) -> Vec<FoundLoop> {
        let due = self.threads.iter_mut();
        let due = due.filter(|known| known.again_ns.is_some_and(|at| at <= now_ns));
        let due: Vec<&mut Known> = due.collect();
        if due.is_empty() {
            return Vec::new();
        }
        let Ok(maps) = process.maps() else { return Vec::new() };
        let pid = process.identity().pid;
        let target_ns = Shift::to(process).to_target_ns(now_ns);
        let search = Search::new(self.layout, self.places, memory, &maps, pid, target_ns);
        let tids: Vec<u32> = due.iter().map(|known| known.tid).collect();
        let wants_queue = self.places.queue.is_some();
        let looks = due.into_iter().zip(search.look_at(&tids));
        looks.filter_map(|(known, look)| known.note(look, now_ns, wants_queue)).collect()
    }
}

impl Known {
    fn new(thread: &Thread) -> Known {
        Known {
            tid: thread.tid,
            start_ticks: thread.start_ticks,
            found: None,
            unseen: false,
            no_main: None,
            looks: 0,
            again_ns: Some(0),
        }
    }

    fn is(&self, thread: &Thread) -> bool {
        self.tid == thread.tid && self.start_ticks == thread.start_ticks
    }

    /// Keeps in mind what was seen; the loop, if that is news.
    fn note(&mut self, look: Look, now_ns: u64, wants_queue: bool) -> Option<FoundLoop> {
        self.unseen = look == Look::Unseen;
        self.no_main = None;
        let before = self.found;
        match look {
            Look::Loop(found) => {
                self.found = Some(FoundLoop { start_ticks: self.start_ticks, ..found });
            }
            Look::NoMain(reason) => self.no_main = Some(reason),
            Look::Nothing | Look::Unseen => {}
        }
        let complete = self.found.is_some_and(|found| found.queue.is_some() || !wants_queue);
        self.again_ns = (!complete).then(|| now_ns.saturating_add(self.pause_ns()));
        self.looks += 1;
        self.found.filter(|_| self.found != before)
    }

    fn pause_ns(&self) -> u64 {
        let is_grown = boot_ticks().saturating_sub(self.start_ticks) > GROWN_TICKS;
        let doubled = AGAIN_NS_MIN.checked_shl(self.looks.min(20)).unwrap_or(AGAIN_NS_MAX);
        match (self.unseen, is_grown && self.no_main.is_none()) {
            (true, _) => doubled.min(UNSEEN_NS_MAX),
            (false, true) => AGAIN_NS_MAX,
            (false, false) => doubled.min(AGAIN_NS_MAX),
        }
    }
}
