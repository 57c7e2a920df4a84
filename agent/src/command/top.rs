//! `top`: every loop, live, on a terminal; lines in a pipe.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::Tier;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{cannot_start, unwritable_stdout};
use crate::background::{Background, Tasks};
use crate::cli::{TierChoice, TopArgs};
use crate::daemon;
use crate::doctor;
use crate::exit::{Exit, Failure, Interrupt};
use crate::now::{Look, Now};
use crate::redact::Redactor;
use crate::source::{self, LiveOptions, Observe};
use crate::terminal::{Terminal, print};
use crate::top::{Key, Top, draw, lines};

/// How long a key is waited for before it is looked whether something else is due.
const KEYS: Duration = Duration::from_millis(50);

/// What a window may cost while it is open, as a share of the loop's time.
const WINDOW_RATIO: f64 = 0.15;

pub(super) fn execute(args: &TopArgs) -> Result<Exit, Failure> {
    let observed = observe(args)?;
    let (sender, interrupts) = channel();
    let on_interrupt = Box::new(move |by| sender.send(by).is_ok());
    let tasks = Tasks { on_interrupt: Some(on_interrupt), ..Tasks::default() };
    let _background = Background::start(tasks).map_err(cannot_start)?;
    let until = args.duration_ns.map(Duration::from_nanos);
    let until = until.and_then(|after| Instant::now().checked_add(after));
    let stall_threshold_ns = args.stall_threshold_ns;
    let interval = Duration::from_nanos(args.interval_ns);
    let run = Run { observed, stall_threshold_ns, interrupts, interval, until };
    if !(io::stdout().is_terminal() && io::stdin().is_terminal()) {
        return run.in_pipe();
    }
    let terminal = ratatui::try_init().map_err(cannot_start)?;
    let ended = run.on_terminal(terminal);
    ratatui::restore();
    ended
}

fn observe(args: &TopArgs) -> Result<Arc<dyn Observe>, Failure> {
    let by_windows = args.tier == TierChoice::Passive;
    let budget_ratio = args.overhead_budget / 100.0;
    let options = LiveOptions {
        stall_threshold_ns: args.stall_threshold_ns,
        tier: args.tier.into(),
        least: Tier::Passive,
        children: false,
        budget_ratio: if by_windows { WINDOW_RATIO } else { budget_ratio },
        windows_ratio: by_windows.then_some(budget_ratio),
        source_maps: args.source_maps,
    };
    let live = match args.pids.as_slice() {
        [] => source::watch_host(options, daemon::everybody())?,
        pids => source::attach(pids, options, || {})
            .map_err(|failure| doctor::refusal(pids, Tier::Passive).unwrap_or(failure))?,
    };
    let live = live as Arc<dyn Observe>;
    Ok(if args.redact { Redactor::default().hide(live) } else { live })
}

/// What it goes on with until somebody ends it.
struct Run {
    observed: Arc<dyn Observe>,
    stall_threshold_ns: u64,
    interrupts: Receiver<Interrupt>,
    interval: Duration,
    until: Option<Instant>,
}

impl Run {
    fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let look = Look { unix_ns, stall_threshold_ns: self.stall_threshold_ns };
        Now::of(&self.observed.snapshot(), look)
    }

    /// Waits for so long at most. Returns how it ends, if it does.
    fn wait(&self, pause: Duration) -> Result<Option<Exit>, Failure> {
        match self.interrupts.recv_timeout(pause) {
            Ok(by) => Ok(Some(Exit::Interrupted(by))),
            Err(RecvTimeoutError::Timeout) => {
                let is_over = self.until.is_some_and(|until| Instant::now() >= until);
                Ok(is_over.then_some(Exit::Ok))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::run("the thread that hears signals is gone"))
            }
        }
    }

    fn in_pipe(&self) -> Result<Exit, Failure> {
        let (mut top, mut headed) = (Top::default(), false);
        loop {
            let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
            if let Some(exit) = self.wait(left.unwrap_or(self.interval).min(self.interval))? {
                return Ok(exit);
            }
            top.take(self.now());
            let text = lines(&mut top, headed);
            headed = true;
            print(text.as_bytes()).map_err(|error| unwritable_stdout(&error))?;
        }
    }

    fn on_terminal(&self, mut terminal: DefaultTerminal) -> Result<Exit, Failure> {
        let (mut top, mut due) = (Top::default(), Instant::now());
        let colour = Terminal::stdout().colour;
        loop {
            if Instant::now() >= due {
                top.take(self.now());
                due = Instant::now() + self.interval;
            }
            let drawn = terminal.draw(|frame| draw(&top, colour, frame));
            drawn.map_err(|error| unwritable_stdout(&error))?;
            let wait = due.saturating_duration_since(Instant::now()).min(KEYS);
            if event::poll(wait).map_err(cannot_start)?
                && let Event::Key(pressed) = event::read().map_err(cannot_start)?
            {
                if is_ctrl_c(pressed) {
                    return Ok(Exit::Interrupted(Interrupt::CtrlC));
                }
                if key(pressed).is_some_and(|key| top.press(key)) {
                    return Ok(Exit::Ok);
                }
            }
            if let Some(exit) = self.wait(Duration::ZERO)? {
                return Ok(exit);
            }
        }
    }
}

/// A terminal that tells keys one by one sends no signal.
fn is_ctrl_c(pressed: KeyEvent) -> bool {
    pressed.code == KeyCode::Char('c') && pressed.modifiers.contains(KeyModifiers::CONTROL)
}

fn key(pressed: KeyEvent) -> Option<Key> {
    if pressed.kind == KeyEventKind::Release {
        return None;
    }
    Some(match pressed.code {
        KeyCode::Down => Key::Down,
        KeyCode::Up => Key::Up,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Char('/') => Key::Slash,
        KeyCode::Char('p') => Key::Pause,
        KeyCode::Char(char) => Key::Char(char),
        _ => return None,
    })
}
