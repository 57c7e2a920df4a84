//! When the thread's counters are read, and how readers on other threads come by them.
//!
//! A reading is taken when a turn begins, or the loop waits or rests, and the last one is a
//! millisecond old, so that a loop which goes round without waiting reads its counters a thousand
//! times a second, not at every turn; with `detail` whenever a turn begins or ends. Inside a turn
//! one is taken before a drain, on the same condition, and after a drain of a millisecond: a
//! stall's drains are told apart from its callbacks by what they had of the CPU.
//!
//! Cost: a comparison where a turn begins and a drain; a reading as in
//! [`crate::counters`], published by 15 stores.
//!
//! **Invariant**: the reading that a stall is measured from is never of a later moment than the
//! stall's begin, and at most [`READING_AGE_NS`] older.

use std::marker::PhantomData;

use super::stalls::Slot;
use crate::clock::Clock;
use crate::counters::{READING_WORDS, Reading, ThreadCounters};
use crate::limits::READING_AGE_NS;
use crate::snapshot::{ClockKind, Counters, ThreadCpu};

/// How old the last reading must be for the next one: never.
const NEVER_NS: u64 = u64::MAX;

const WORDS: usize = READING_WORDS + 4;

/// What readers see of the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// The reading at the begin of the open turn, or the newest between turns.
    reading: Reading,
    at_ns: u64,
    throttled_ns: u64,
    /// The newest reading of the time on a CPU, which may be inside of the turn.
    newest_clock_ns: u64,
    newest_at_ns: u64,
}

impl Told {
    fn to_words(self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        let (reading, rest) = words.split_at_mut(READING_WORDS);
        reading.copy_from_slice(&self.reading.to_words());
        let own = [self.at_ns, self.throttled_ns, self.newest_clock_ns, self.newest_at_ns];
        rest.copy_from_slice(&own);
        words
    }

    fn from_words(words: [u64; WORDS]) -> Told {
        Told {
            reading: Reading::from_words(std::array::from_fn(|i| words[i])),
            at_ns: words[READING_WORDS],
            throttled_ns: words[READING_WORDS + 1],
            newest_clock_ns: words[READING_WORDS + 2],
            newest_at_ns: words[READING_WORDS + 3],
        }
    }
}

/// What writer and readers share of the counters.
#[derive(Debug)]
pub(super) struct Counted {
    sources: Option<ThreadCounters>,
    /// The reading at the begin of the observation.
    first: Reading,
    told: Slot<WORDS>,
}

impl Counted {
    /// Opens the counters of the calling thread. There are none beside a virtual clock.
    pub(super) fn open(clock: &Clock, detail: bool) -> Counted {
        let real = clock.kind() == ClockKind::Real;
        let sources = if real { ThreadCounters::open(detail) } else { None };
        let first = sources.as_ref().map(|sources| sources.read(&Reading::default()));
        Counted { sources, first: first.unwrap_or_default(), told: Slot::new() }
    }

    fn told(&self) -> Option<Told> {
        self.told.read().map(|(_, words)| Told::from_words(words))
    }

    /// Everything since the begin of the observation, as of the newest reading between turns, and
    /// how long the thread was throttled.
    pub(super) fn totals(&self) -> (Counters, ThreadCpu) {
        let told = self.told().unwrap_or(Told { reading: self.first, ..Told::default() });
        let throttled_ns = told.reading.throttled_ns.map(|_| told.throttled_ns);
        let cpu = ThreadCpu { throttled_ns, ..ThreadCpu::default() };
        (counters(&(told.reading - self.first)), cpu)
    }

    /// What a turn that began at `start_ns` and still goes on has spent. Nothing is known where the
    /// turn has ended meanwhile.
    pub(super) fn spent_since(&self, start_ns: u64, thread_id: u64) -> Reading {
        let told = self.told().filter(|told| told.at_ns <= start_ns);
        match (&self.sources, told) {
            (Some(sources), Some(told)) => sources.read_from_outside(thread_id) - told.reading,
            _ => Reading::default(),
        }
    }

    /// How much of the open drain, which began at `since_ns`, was on a CPU, if `spent` is what its
    /// turn has spent until now.
    pub(super) fn drain_on_cpu_ns(&self, since_ns: u64, spent: &Reading) -> Option<u64> {
        let told = self.told().filter(|told| told.newest_at_ns <= since_ns)?;
        let now_ns = told.reading.task_clock_ns? + spent.task_clock_ns?;
        Some(now_ns.saturating_sub(told.newest_clock_ns))
    }
}

/// The writer's side.
#[derive(Debug)]
pub(super) struct Counting {
    /// At the begin of the open turn, or at most [`READING_AGE_NS`] before it.
    turn: Reading,
    turn_at_ns: u64,
    newest: Reading,
    throttled_ns: u64,
    pub(super) next_ns: u64,
    pub(super) next_in_turn_ns: u64,
    age_ns: u64,
    published: u64,
    clock: Clock,
    /// The counters are those of one thread.
    _stays: PhantomData<*const ()>,
}

impl Counting {
    pub(super) fn new(counted: &Counted, clock: Clock, detail: bool) -> Counting {
        let next_ns = if counted.sources.is_some() { 0 } else { NEVER_NS };
        Counting {
            turn: counted.first,
            turn_at_ns: 0,
            newest: counted.first,
            throttled_ns: 0,
            next_ns,
            next_in_turn_ns: next_ns,
            age_ns: if detail { 0 } else { READING_AGE_NS },
            published: 0,
            clock,
            _stays: PhantomData,
        }
    }

    /// A reading between turns.
    #[cold]
    #[inline(never)]
    pub(super) fn read(&mut self, counted: &Counted, now_ns: u64) -> Reading {
        let Some(sources) = &counted.sources else { return Reading::default() };
        let newest = sources.read(&self.newest);
        let late_ns = self.clock.now_ns().saturating_sub(now_ns);
        let reading = as_of(newest, &self.newest, late_ns);
        let spent = reading - self.turn;
        let throttled_ns = spent.throttled_ns.unwrap_or(0).min(spent.run_delay_ns.unwrap_or(0));
        self.throttled_ns += throttled_ns;
        (self.turn, self.turn_at_ns) = (reading, now_ns);
        self.next_ns = now_ns + self.age_ns;
        self.note(counted, newest, now_ns);
        spent
    }

    /// A reading inside of a turn: what was spent since the newest one.
    #[cold]
    #[inline(never)]
    pub(super) fn read_in_turn(&mut self, counted: &Counted, now_ns: u64) -> Reading {
        let Some(sources) = &counted.sources else { return Reading::default() };
        let reading = sources.read(&self.newest);
        let spent = reading - self.newest;
        self.note(counted, reading, now_ns);
        spent
    }

    /// How much of a drain that ends now was on a CPU.
    #[inline]
    pub(super) fn drain_on_cpu_ns(&mut self, counted: &Counted, duration_ns: u64) -> u64 {
        if duration_ns < READING_AGE_NS || self.next_in_turn_ns == NEVER_NS {
            return duration_ns;
        }
        self.read_after_drain(counted, duration_ns)
    }

    #[cold]
    #[inline(never)]
    fn read_after_drain(&mut self, counted: &Counted, duration_ns: u64) -> u64 {
        // The drain began at the last reading, or less than a millisecond after it.
        let begin_ns = self.next_in_turn_ns - READING_AGE_NS;
        let spent = self.read_in_turn(counted, begin_ns + duration_ns);
        spent.task_clock_ns.map_or(duration_ns, |ns| ns.min(duration_ns))
    }

    fn note(&mut self, counted: &Counted, newest: Reading, now_ns: u64) {
        self.newest = newest;
        self.next_in_turn_ns = now_ns + READING_AGE_NS;
        let told = Told {
            reading: self.turn,
            at_ns: self.turn_at_ns,
            throttled_ns: self.throttled_ns,
            newest_clock_ns: newest.task_clock_ns.unwrap_or(0),
            newest_at_ns: now_ns,
        };
        self.published += 1;
        counted.told.write(2 * self.published, told.to_words());
    }
}

/// The reading as it was `late_ns` before it was made. Between the clock and the counters a thread
/// may lose its CPU, for long where many want it: that wait is not the turn's that ended before it,
/// but of the one that begins.
fn as_of(reading: Reading, before: &Reading, late_ns: u64) -> Reading {
    /// What the readings themselves may take.
    const PROMPT_NS: u64 = 50_000;
    if late_ns <= PROMPT_NS {
        return reading;
    }
    // Lateness of another kind, as of a process that was stopped, is no wait for a CPU.
    let least_ns = before.run_delay_ns.unwrap_or(0);
    let run_delay_ns = reading.run_delay_ns.map(|ns| ns.saturating_sub(late_ns).max(least_ns));
    Reading { run_delay_ns, ..reading }
}

/// Counters as readers get them.
pub(super) fn counters(reading: &Reading) -> Counters {
    Counters {
        task_clock_ns: reading.task_clock_ns,
        context_switches: reading.context_switches(),
        page_faults: reading.page_faults,
        cycles: reading.cycles,
        instructions: reading.instructions,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_wait_between_clock_and_counters_is_not_of_the_turn_before() {
        let none = Reading::default();
        let reading = Reading { run_delay_ns: Some(90_000_000), ..none };
        assert_eq!(as_of(reading, &none, 3_000), reading);
        assert_eq!(as_of(reading, &none, 70_000_000).run_delay_ns, Some(20_000_000));
        assert_eq!(as_of(reading, &none, 99_000_000).run_delay_ns, Some(0));
        let before = Reading { run_delay_ns: Some(85_000_000), ..none };
        assert_eq!(as_of(reading, &before, 70_000_000).run_delay_ns, Some(85_000_000));
        assert_eq!(as_of(none, &none, 99_000_000), Reading::default());
    }

    #[test]
    fn what_is_told_is_read_back() {
        let reading = Reading { page_faults: Some(3), ..Reading::default() };
        let told = Told { reading, at_ns: 4, throttled_ns: 5, newest_clock_ns: 6, newest_at_ns: 7 };
        assert_eq!(Told::from_words(told.to_words()), told);
    }
}
