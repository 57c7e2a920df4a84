//! Who held up the loop: samples of the engine's stack while a turn is open for too long.
//!
//! ```text
//!  engine ──each 10,000 calls and steps back──> Sampler ──Tally of the open turn──┐
//!    └──behind a long built-in or a wait──────>   │                               ├──> Blame
//!                                                 └──ended stalls, the newest 64──┘
//! ```
//!
//! From a fifth of the stall threshold on, a stack is taken each millisecond. The engine can't be
//! looked at while a built-in runs: one that took milliseconds counts as so many samples of the
//! stack it has returned to, a shorter one as one where a sample was due meanwhile. A regular
//! expression that backtracks can be looked at.
//!
//! Cost: without a stall, a reading of the clock for each 10,000 calls, and two for each call of a
//! built-in that has much to do; in one, a stack each millisecond.
//!
//! **Invariant**: the loop's thread never waits for who reads: it makes up for a
//! sample by the next.

mod frames;
mod limits;
mod sources;

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use loop_core::snapshot::{Profile, ProfileFrame, SampleState};
use loop_core::{Blame, Blamed, Reader};

use super::engine::Watch;
use limits::{OPEN_PARTS, PERIOD_NS, STALLS_KEPT};
use loop_core::stacks::{Frame, Tally};
use sources::Sources;

/// What both sides share.
#[derive(Debug, Default)]
struct Board {
    open: Option<Turn>,
    /// Oldest first.
    ended: VecDeque<Ended>,
}

/// What was seen in one turn.
#[derive(Clone, Debug)]
struct Turn {
    tally: Tally,
    profile: Arc<Profile>,
}

impl Turn {
    fn add(&mut self, frames: &[Frame<'_>], at_ns: u64, times: u64) {
        self.tally.add(frames, times);
        let offset_ns = at_ns.saturating_sub(self.tally.start_ns());
        // It is copied only where somebody still has the one of before.
        let profile = Arc::make_mut(&mut self.profile);
        let weight_ns = times.saturating_mul(PERIOD_NS);
        profile.add(offset_ns, weight_ns, SampleState::OnCpu, frames.iter().map(kept));
    }

    fn blame(&self, sources: &Sources) -> Blamed {
        let profile = Some(Arc::clone(&self.profile));
        Blamed { profile, ..self.tally.blame(sources) }
    }
}

fn kept(frame: &Frame<'_>) -> ProfileFrame {
    let file = frame.place.map(|place| place.file);
    let file = file.map(|file| file.strip_prefix("file://").unwrap_or(file).to_owned());
    let line = frame.place.and_then(|place| place.line.or(place.begins));
    ProfileFrame { name: frame.name.to_owned(), file, line }
}

/// A turn that has ended and was a stall.
#[derive(Debug)]
enum Ended {
    /// Nobody has asked for it yet.
    Counted(Turn),
    /// When it began, and who is to blame.
    Told(u64, Blamed),
}

impl Ended {
    fn start_ns(&self) -> u64 {
        match self {
            Ended::Counted(turn) => turn.tally.start_ns(),
            Ended::Told(start_ns, _) => *start_ns,
        }
    }
}

impl Board {
    /// The tally of the turn that began then. The one before is kept if it was a stall.
    fn turn(&mut self, start_ns: u64, reader: &Reader) -> &mut Turn {
        let ended = self.open.take_if(|open| open.tally.start_ns() != start_ns);
        if let Some(ended) = ended.filter(|ended| reader.has_stall(ended.tally.start_ns())) {
            if self.ended.len() == STALLS_KEPT {
                self.ended.pop_front();
            }
            self.ended.push_back(Ended::Counted(ended));
        }
        self.open.get_or_insert_with(|| Turn {
            tally: Tally::new(start_ns),
            profile: Arc::new(Profile::new(reader.clock().unix_ns(start_ns))),
        })
    }
}

/// What was seen, for any thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    board: Mutex<Board>,
    sources: Sources,
}

impl Samples {
    /// Of a program whose main file has this source, where that is not in the file.
    pub(super) fn new(own: Option<(PathBuf, &'static str)>) -> Samples {
        Samples(Arc::new(Shared { board: Mutex::default(), sources: Sources::new(own) }))
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: somebody reads.
    fn try_lock(&self) -> Option<MutexGuard<'_, Board>> {
        match self.0.board.try_lock() {
            Ok(board) => Some(board),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Blame for Samples {
    fn blame(&self, start_ns: u64) -> Option<Blamed> {
        let (turn, is_open) = {
            let board = self.lock();
            let open = board.open.as_ref().filter(|open| open.tally.start_ns() == start_ns);
            let ended = || board.ended.iter().find(|ended| ended.start_ns() == start_ns);
            match (open, ended) {
                (Some(open), _) => (open.clone(), true),
                (None, ended) => match ended()? {
                    Ended::Counted(turn) => (turn.clone(), false),
                    Ended::Told(_, blamed) => return Some(blamed.clone()),
                },
            }
        };
        // Sources may have to be read: meanwhile samples go on being counted.
        let blamed = turn.blame(&self.0.sources);
        if !is_open {
            let told = || Ended::Told(start_ns, blamed.clone());
            let mut board = self.lock();
            let ended = board.ended.iter_mut().find(|ended| ended.start_ns() == start_ns);
            ended.into_iter().for_each(|ended| *ended = told());
        }
        Some(blamed)
    }
}

/// Takes samples, on the loop's thread.
#[derive(Debug)]
pub(super) struct Sampler {
    samples: Samples,
    reader: Reader,
    /// For how long a turn must be open.
    open_ns: u64,
    /// When to look again.
    next_ns: Cell<u64>,
    /// Up to when is told for.
    told_ns: Cell<u64>,
    /// Samples that could not be counted, as somebody was reading.
    missed: Cell<u64>,
}

impl Sampler {
    pub(super) fn new(samples: Samples, reader: Reader) -> Sampler {
        let open_ns = reader.stall_threshold_ns() / OPEN_PARTS;
        let zero = || Cell::new(0);
        Sampler { samples, reader, open_ns, next_ns: zero(), told_ns: zero(), missed: zero() }
    }

    /// When the open turn began, once it is open for long enough; else when to look again.
    fn open_too_long(&self, now_ns: u64) -> Result<u64, u64> {
        let since_ns = self.reader.turn_since_ns().unwrap_or(now_ns);
        let from_ns = since_ns.saturating_add(self.open_ns);
        if now_ns > from_ns { Ok(since_ns) } else { Err(from_ns) }
    }

    #[cold]
    fn look(&self, now_ns: u64, stack: &mut dyn FnMut() -> String) {
        match self.open_too_long(now_ns) {
            Ok(since_ns) => self.note(since_ns, now_ns, 1, stack),
            Err(next_ns) => self.next_ns.set(next_ns),
        }
    }

    /// A built-in has run, unseen, from then on.
    #[cold]
    fn make_up(&self, from_ns: u64, now_ns: u64, stack: &mut dyn FnMut() -> String) {
        let Ok(since_ns) = self.open_too_long(now_ns) else { return };
        let from_ns = from_ns.max(since_ns + self.open_ns).max(self.told_ns.get());
        let times = now_ns.saturating_sub(from_ns) / PERIOD_NS;
        if times > 0 {
            self.note(since_ns, now_ns, times, stack);
        }
    }

    fn note(&self, since_ns: u64, now_ns: u64, times: u64, stack: &mut dyn FnMut() -> String) {
        self.next_ns.set(now_ns + PERIOD_NS);
        self.told_ns.set(now_ns);
        let stack = stack();
        match self.samples.try_lock() {
            Some(mut board) => {
                let times = times + self.missed.take();
                board.turn(since_ns, &self.reader).add(&frames::parse(&stack), now_ns, times);
            }
            None => self.missed.set(self.missed.get() + times),
        }
    }
}

impl Watch for Sampler {
    fn interrupt(&self, stack: &mut dyn FnMut() -> String) -> bool {
        let now_ns = self.reader.clock().now_ns();
        if now_ns >= self.next_ns.get() {
            self.look(now_ns, stack);
        }
        false
    }

    fn entered(&self) -> u64 {
        self.reader.clock().now_ns()
    }

    fn returned(&self, entered_ns: Option<u64>, stack: &mut dyn FnMut() -> String) {
        let now_ns = self.reader.clock().now_ns();
        // Since the last sample, then: the engine was not looked at meanwhile.
        let entered_ns = entered_ns.unwrap_or(0);
        let due_ns = self.next_ns.get();
        if now_ns.saturating_sub(entered_ns) >= PERIOD_NS {
            self.make_up(entered_ns, now_ns, stack);
        } else if now_ns >= due_ns && (entered_ns <= due_ns || now_ns - due_ns >= PERIOD_NS) {
            // A sample was due while it ran; or long ago, and the engine has not looked since.
            self.look(now_ns, stack);
        }
    }
}
