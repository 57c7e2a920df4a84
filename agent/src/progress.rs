//! What goes on right now, on standard error: above all a turn that does not end.
//!
//! On a terminal one line is written over ten times a second, twice while it is known that no loop
//! is held up. Elsewhere (a CI log) a line is written every half second, and only while a turn is
//! open past the stall threshold.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use loop_core::snapshot::{LoopSnapshot, OpenTurn, Queue, Snapshot};
use loop_core::units::{format_count, format_ns};

use crate::source::Observe;
use crate::terminal::{Ink, Terminal, tell};

/// How often it is looked where no line can be written over.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Shows the progress of a run.
#[derive(Debug)]
pub struct Progress {
    name: String,
    stall_threshold_ns: u64,
    terminal: Terminal,
    last_look: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Progress of the run called `name`.
    pub fn new(name: &str, stall_threshold_ns: u64, terminal: Terminal) -> Self {
        let name = name.to_owned();
        Progress { name, stall_threshold_ns, terminal, last_look: None, shown: false }
    }

    /// Shows how things are. A snapshot is taken only if it may be shown.
    pub fn show(&mut self, observed: &dyn Observe) {
        let is_due = self.last_look.is_none_or(|last| last.elapsed() >= LOOK_EVERY);
        let may_be_held = observed.may_be_held_up();
        let rewrites = self.terminal.rewrites;
        let wants = if rewrites { is_due || may_be_held } else { is_due && may_be_held };
        if !wants {
            return;
        }
        self.last_look = Some(Instant::now());
        let snapshot = observed.snapshot();
        if rewrites {
            if let Some(observed) = worst(&snapshot) {
                let line = self.line(observed);
                let _ = write!(io::stderr(), "\r\x1b[2K{line}");
                self.shown = true;
            }
            return;
        }
        let open = worst(&snapshot).and_then(|observed| observed.open);
        if let Some(open) = open.filter(|open| open.age_ns >= self.stall_threshold_ns) {
            tell(&format!("{}: blocked for {}", self.name, describe(&open)));
        }
    }

    /// Takes the line away, so that other output starts on a clean one.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }

    /// The line for a terminal, cut to its width.
    fn line(&self, observed: &LoopSnapshot) -> String {
        let turns = observed.turns.map(|turns| format!("{} turns, ", format_count(turns)));
        let turns = turns.unwrap_or_default();
        let (ink, state) = match observed.open {
            Some(open) if open.age_ns >= self.stall_threshold_ns => {
                (Ink::Bad, format!("BLOCKED for {}", describe(&open)))
            }
            Some(open) => (Ink::Good, format!("busy for {}", describe(&open))),
            None => (Ink::Good, "waiting".to_owned()),
        };
        let rest = format!("  {turns}{} stalls", observed.stall_totals.total_count());
        let room = self.terminal.width.saturating_sub(self.name.chars().count() + 2);
        let state: String = state.chars().take(room).collect();
        let room = room.saturating_sub(state.chars().count());
        let rest: String = rest.chars().take(room).collect();
        format!("{}  {}{rest}", self.name, self.terminal.paint(ink, &state))
    }
}

/// The loop whose turn has been open for longest; the first, if none is.
fn worst(snapshot: &Snapshot) -> Option<&LoopSnapshot> {
    let loops = snapshot.loops.iter();
    loops.reduce(
        |worst, next| {
            if next.current_turn_ns() > worst.current_turn_ns() { next } else { worst }
        },
    )
}

/// `1.23 s in poll, 41,000 microtasks drained so far`.
fn describe(open: &OpenTurn) -> String {
    let phase = open.phase.map_or(String::new(), |phase| format!(" in {}", phase.name()));
    let drain = open.drain.map_or(String::new(), |drain| {
        let queue = match drain.queue {
            Queue::Microtask => "microtasks",
            Queue::NextTick => "nextTicks",
        };
        format!(", {} {queue} drained so far", format_count(drain.jobs))
    });
    format!("{}{phase}{drain}", format_ns(open.age_ns))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use loop_core::Phase;
    use loop_core::snapshot::{ClockKind, Drain};

    use super::*;

    fn blocked() -> LoopSnapshot {
        let drain = Drain { queue: Queue::Microtask, age_ns: 1_230_000_000, jobs: 41_000 };
        let open = OpenTurn { age_ns: 1_230_000_000, phase: Some(Phase::Poll), drain: Some(drain) };
        LoopSnapshot { turns: Some(2), open: Some(open), ..LoopSnapshot::default() }
    }

    #[test]
    fn a_block_is_shown_with_its_age_and_drain() {
        let progress = Progress::new("demo", 50_000_000, Terminal::PLAIN);
        let line = progress.line(&blocked());
        assert_eq!(
            line,
            "demo  BLOCKED for 1.23 s in poll, 41,000 microtasks drained so far  2 turns, 0 stalls"
        );
    }

    /// Counts how often it is asked for a snapshot.
    struct Asked {
        held: bool,
        count: AtomicU32,
    }

    impl Observe for Asked {
        fn snapshot(&self) -> Snapshot {
            self.count.fetch_add(1, Ordering::Relaxed);
            Snapshot::empty(ClockKind::Real)
        }

        fn may_be_held_up(&self) -> bool {
            self.held
        }
    }

    #[test]
    fn nothing_is_asked_for_that_is_not_shown() {
        let asked = |rewrites, held| {
            let asked = Asked { held, count: AtomicU32::new(0) };
            let mut progress = Progress::new("demo", 1, Terminal { rewrites, ..Terminal::PLAIN });
            (0..5).for_each(|_| progress.show(&asked));
            asked.count.into_inner()
        };
        assert_eq!(asked(true, true), 5, "each time, on a terminal");
        assert_eq!(asked(true, false), 1, "once each half second");
        assert_eq!(asked(false, true), 1);
        assert_eq!(asked(false, false), 0, "no line would be written");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let narrow = Terminal { width: 60, ..Terminal::PLAIN };
        let line = Progress::new("demo", 1, narrow).line(&blocked());
        assert_eq!(line.chars().count(), 60, "{line}");
    }

    #[test]
    fn an_idle_loop_waits() {
        let line = |turns| {
            let seen = LoopSnapshot { turns, ..LoopSnapshot::default() };
            Progress::new("demo", 1, Terminal::PLAIN).line(&seen)
        };
        assert_eq!(line(Some(0)), "demo  waiting  0 turns, 0 stalls");
        assert_eq!(line(None), "demo  waiting  0 stalls");
    }
}
