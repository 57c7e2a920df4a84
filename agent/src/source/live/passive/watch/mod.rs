//! What the readings of one loop, one after the other, tell of its turns.
//!
//! ```text
//!  reading:      1         2                 3                 4
//!  loop:    ~~~~~~~~~~~|================================|~~~~~~~~~~~~~~
//!           waits      ^ 2 sees the turn, and that the  ^ 4 sees since when it
//!                        wait ended here, exactly         waits: here, exactly
//! ```
//!
//! libuv tells how long the loop has waited in all and since when it waits; so a turn between two
//! waits that were seen has an exact begin and end. Else both are bounds: a turn has been going on
//! for as long as it was seen to, and since the loop's clock was last set, which the loop does
//! when a poll returns and may do again later.
//!
//! libuv before 1.45 does not count turns. There a turn is told from the next one by the loop's
//! clock, so a callback that sets timers is seen from the last timer on.
//!
//! A signal that interrupts a wait makes libuv forget how long it was until then. Where that is
//! seen, the time is given back to the loop.
//!
//! No clock, no I/O: the times come with the readings. Cost: 50 ns a reading.
//!
//! **Invariant**: no turn is told to be longer than it was, but by a wait that libuv forgot.

use loop_core::snapshot::{Ledger, LedgerKey};

use crate::source::live::loops::LoopReading;
use crate::source::schedstat::Account;

const NS_IN_MS: u64 = 1_000_000;

/// A reading of a loop, and of what the kernel accounts to its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// When it was begun, by the clock of the target.
    pub(super) at_ns: u64,
    pub(super) reading: LoopReading,
    pub(super) account: Option<Account>,
}

/// A turn that was seen, or is known to have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// When it began, or by when it had, by the clock of the target.
    pub(super) start_ns: u64,
    /// How long it lasted at least, or has lasted.
    pub(super) duration_ns: u64,
    /// Microtasks that it ran at least.
    pub(super) microtasks: Option<u64>,
    /// Where the time went, as far as it is known.
    pub(super) ledger_ns: Ledger,
}

/// One loop.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    first: Sample,
    last: Sample,
    /// Time waited until the last reading. It never falls.
    waited_ns: u64,
    /// What of it libuv does not know.
    forgotten_ns: u64,
    open: Option<Open>,
}

/// What two readings have in common between which no turn began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Same {
    loop_count: Option<u64>,
    idle_ns: u64,
    /// Where turns aren't counted: the loop's clock is set when a poll returns.
    loop_time_ms: Option<u64>,
}

/// A turn that goes on.
#[derive(Clone, Copy, Debug)]
struct Open {
    same: Same,
    start_ns: u64,
    /// The counter when it began, or later in it.
    finished: Option<u64>,
    first: Sample,
}

impl Watch {
    /// A loop by its first reading. It may be in a turn that began long ago.
    pub(super) fn new(first: Sample) -> Watch {
        let open = Open::of(None, &first);
        let waited_ns = first.waited_ns();
        Watch { first, last: first, waited_ns, forgotten_ns: 0, open }
    }

    /// Takes the next reading. What it returns is a turn that has ended since the last one, where
    /// something is known of it.
    pub(super) fn note(&mut self, sample: Sample) -> Option<Turn> {
        let before = std::mem::replace(&mut self.last, sample);
        self.note_waited(&before);
        let same = Same::of(&sample.reading);
        let waits = sample.reading.waiting_since_ns.is_some();
        if !waits && self.open.is_some_and(|open| open.same == same) {
            return None;
        }
        let ended = match self.open.take() {
            Some(open) => Some(open.ended(&before, &sample)),
            None => unseen(&before, &sample),
        };
        self.open = Open::of(Some(&before), &sample);
        ended
    }

    /// Sums up what the loop has waited, with what libuv forgot of it.
    fn note_waited(&mut self, before: &Sample) {
        let (then, now) = (&before.reading, &self.last.reading);
        if let (Some(began), Some(begins)) = (then.waiting_since_ns, now.waiting_since_ns)
            && (then.loop_count, then.idle_ns) == (now.loop_count, now.idle_ns)
        {
            self.forgotten_ns += begins.saturating_sub(began);
        }
        let waited_ns = self.last.waited_ns() + self.forgotten_ns;
        self.forgotten_ns += self.waited_ns.saturating_sub(waited_ns);
        self.waited_ns = self.waited_ns.max(waited_ns);
    }

    /// The turn that went on at the last reading.
    pub(super) fn open(&self) -> Option<Turn> {
        self.open.map(|open| open.until(self.last.at_ns, &self.last))
    }

    /// When the first reading was, by the clock of the target, and how long the loop had waited.
    pub(super) fn baseline(&self) -> (u64, u64) {
        (self.first.at_ns, self.first.waited_ns())
    }

    /// When the last reading was, by the clock of the target.
    pub(super) fn looked_ns(&self) -> u64 {
        self.last.at_ns
    }

    /// From the first reading to the last, by the clock of the target.
    pub(super) fn wall_ns(&self) -> u64 {
        self.last.at_ns.saturating_sub(self.first.at_ns)
    }

    /// What of it the loop waited.
    pub(super) fn idle_ns(&self) -> u64 {
        self.waited_ns.saturating_sub(self.first.waited_ns()).min(self.wall_ns())
    }

    /// Turns that have ended since the first reading.
    pub(super) fn turns(&self) -> Option<u64> {
        since(self.first.reading.loop_count, self.last.reading.loop_count)
    }

    /// Microtasks that have run since the first reading.
    pub(super) fn microtasks(&self) -> Option<u64> {
        since(self.first.reading.finished_microtasks, self.last.reading.finished_microtasks)
    }

    /// What was accounted to the thread since the first reading.
    pub(super) fn account(&self) -> Option<Account> {
        let (first, last) = (self.first.account?, self.last.account?);
        Some(Account {
            on_cpu_ns: last.on_cpu_ns.saturating_sub(first.on_cpu_ns),
            run_delay_ns: last.run_delay_ns.saturating_sub(first.run_delay_ns),
        })
    }
}

impl Same {
    fn of(reading: &LoopReading) -> Same {
        let loop_time_ms = reading.loop_count.is_none().then_some(reading.loop_time_ms);
        Same { loop_count: reading.loop_count, idle_ns: reading.idle_ns, loop_time_ms }
    }
}

impl Sample {
    /// What the loop has waited until then, the wait that goes on included.
    fn waited_ns(&self) -> u64 {
        let goes_on = self.reading.waiting_since_ns.map_or(0, |since| {
            // A wait that began after the reading did.
            self.at_ns.saturating_sub(since)
        });
        self.reading.idle_ns + goes_on
    }

    /// When the loop had set its clock at the latest: it cuts off what is less than 1 ms.
    fn clock_set_by_ns(&self) -> u64 {
        (self.reading.loop_time_ms + 1).saturating_mul(NS_IN_MS)
    }

    /// When the wait ended that went on here, if `now` has seen the turn that came after it, or
    /// the end of that turn, and no other wait ended between. With it the counter of microtasks.
    fn wait_ended_ns(&self, now: &Sample) -> Option<u64> {
        let begun_ns = self.reading.waiting_since_ns?;
        let waited_ns = now.reading.idle_ns.checked_sub(self.reading.idle_ns)?;
        let ended_ns = begun_ns + waited_ns;
        // It was still going on at this reading. If not, libuv has forgotten a part of it.
        (waited_ns > 0 && ended_ns >= self.at_ns).then_some(ended_ns)
    }

    /// When the wait began that goes on here, if it is the first one since a turn of this count,
    /// when the loop had waited for so long: the end of that turn.
    fn wait_began_ns(&self, loop_count: Option<u64>, idle_ns: u64) -> Option<u64> {
        let is_next = self.reading.loop_count? == loop_count? + 1;
        self.reading.waiting_since_ns.filter(|_| is_next && self.reading.idle_ns == idle_ns)
    }
}

impl Open {
    /// The turn that goes on at `now`, and did not at `before`.
    fn of(before: Option<&Sample>, now: &Sample) -> Option<Open> {
        if now.reading.waiting_since_ns.is_some() {
            return None;
        }
        let same_poll = |before: &&Sample| {
            before.reading.loop_count.is_some()
                && before.reading.loop_count == now.reading.loop_count
        };
        let exact = before.filter(same_poll).and_then(|before| {
            before.wait_ended_ns(now).map(|start_ns| (start_ns, before.reading.finished_microtasks))
        });
        let (start_ns, finished) = exact.unwrap_or_else(|| {
            // A clock set before the last reading is that of another turn, which is ending.
            let set_by_ns = now.clock_set_by_ns();
            let of_this = before.is_none_or(|before| set_by_ns >= before.at_ns);
            (if of_this { set_by_ns } else { now.at_ns }, now.reading.finished_microtasks)
        });
        let start_ns = start_ns.min(now.at_ns);
        Some(Open { same: Same::of(&now.reading), start_ns, finished, first: *now })
    }

    /// What is known of it when `before` has seen it going on, and `now` has not.
    fn ended(&self, before: &Sample, now: &Sample) -> Turn {
        match now.wait_began_ns(self.same.loop_count, self.same.idle_ns) {
            Some(end_ns) => Turn {
                microtasks: since(self.finished, now.reading.finished_microtasks),
                ..self.until(end_ns, before)
            },
            None => self.until(before.at_ns, before),
        }
    }

    /// It as of `end_ns`, when `last` was the last to see it.
    fn until(&self, end_ns: u64, last: &Sample) -> Turn {
        let duration_ns = end_ns.saturating_sub(self.start_ns);
        let accounts = self.first.account.zip(last.account);
        let accounts = accounts.filter(|_| last.at_ns > self.first.at_ns);
        let run_queue_ns =
            accounts.map(|(first, last)| last.run_delay_ns.saturating_sub(first.run_delay_ns));
        Turn {
            start_ns: self.start_ns,
            duration_ns,
            microtasks: since(self.finished, last.reading.finished_microtasks),
            ledger_ns: ledger_ns(duration_ns, run_queue_ns),
        }
    }
}

/// A turn that began and ended between two readings that both saw the loop wait, if it was the
/// only one.
fn unseen(before: &Sample, now: &Sample) -> Option<Turn> {
    let end_ns = now.wait_began_ns(before.reading.loop_count, now.reading.idle_ns)?;
    let start_ns = before.wait_ended_ns(now)?;
    let duration_ns = end_ns.checked_sub(start_ns)?;
    let (then, now) = (before.reading.finished_microtasks, now.reading.finished_microtasks);
    let microtasks = since(then, now);
    Some(Turn { start_ns, duration_ns, microtasks, ledger_ns: ledger_ns(duration_ns, None) })
}

/// What was seen of the turn's time is exact; what was not is unknown.
fn ledger_ns(duration_ns: u64, run_queue_ns: Option<u64>) -> Ledger {
    let run_queue_ns = run_queue_ns.map(|ns| ns.min(duration_ns));
    let unknown_ns = duration_ns - run_queue_ns.unwrap_or(0);
    let ledger = Ledger::default().with(LedgerKey::Unknown, unknown_ns);
    match run_queue_ns {
        Some(ns) => ledger.with(LedgerKey::RunQueue, ns),
        None => ledger,
    }
}

/// How much a counter has grown. One that has fallen is another one.
fn since(then: Option<u64>, now: Option<u64>) -> Option<u64> {
    now?.checked_sub(then?)
}

#[cfg(test)]
mod tests;
