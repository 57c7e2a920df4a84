//! Why something ran when it did: one sentence for each phase, callback, drain and task.
//!
//! The rules are those of Node 20 and libuv 1.45, and later.

use loopscope_workloads::timeline::{Callback, Event, Made, Place, Queue, Stage, What};

use super::Explained;
use super::tree::phase_name;

/// A line of a file, as short as it is clear.
pub(super) fn at(place: &Place) -> String {
    let file = place.file.rsplit('/').next().unwrap_or(&place.file);
    format!("{file}:{}", place.line)
}

/// Whether the program is an ES module: nothing of it runs in the main callback.
pub(super) fn is_module(explained: &Explained<'_>) -> bool {
    let first = explained.timeline.events.iter().find(|event| !event.stack.is_empty());
    first.is_some_and(|event| event.phase != Stage::Main)
}

/// Why this phase is where it is.
pub(super) fn phase(explained: &Explained<'_>, at: usize, event: &Event) -> String {
    match event.phase {
        Stage::Main if is_module(explained) => {
            "A module is read by the thread pool, so it runs in a job of a later turn.".to_owned()
        }
        Stage::Main => {
            "A script runs to its end before the loop begins. Then come the ticks, then \
                        the microtasks."
                .to_owned()
        }
        Stage::Timers if event.turn == 0 => {
            "Timers that are due when the loop begins run before its first turn.".to_owned()
        }
        Stage::Timers => format!(
            "Timers come last in a turn, behind poll, check and close (libuv 1.45, Node 20).{}",
            waited(explained, at)
        ),
        Stage::Pending => "Callbacks that an earlier turn has put off.".to_owned(),
        Stage::Poll => {
            format!("What the poll has found ready runs in it.{}", waited(explained, at))
        }
        Stage::Check => {
            "Immediates follow the poll: those that were there when this phase began.".to_owned()
        }
        Stage::Close => "Close callbacks follow the immediates.".to_owned(),
        Stage::BeforeExit => {
            "Nothing keeps the loop alive. What a handler begins here runs in another turn."
                .to_owned()
        }
        Stage::Exit => {
            "The program ends. The loop doesn't go on, so timers, immediates and ticks that are \
             set here never run."
                .to_owned()
        }
    }
}

/// How long the poll of this turn has waited, if this is the first that ran behind it.
fn waited(explained: &Explained<'_>, at: usize) -> String {
    let events = &explained.timeline.events;
    let (Some(before), Some(now)) = (at.checked_sub(1).map(|at| &events[at]), events.get(at))
    else {
        return String::new();
    };
    if before.what != What::Turn {
        return String::new();
    }
    match now.at_ns.saturating_sub(before.at_ns) / 1_000_000 {
        0 => " The poll did not wait.".to_owned(),
        ms => format!(" The poll waited {ms} ms."),
    }
}

/// Why the loop calls the program here.
pub(super) fn callback(explained: &Explained<'_>, at: usize, event: &Event) -> String {
    let What::Callback { callback, made, loop_ms, .. } = &event.what else { return String::new() };
    let asked = made.and_then(|made| explained.timeline.events.get(made));
    let Some(asked) = asked else { return String::new() };
    let What::Made { asked_ms, ms, due_ms, made, via, .. } = &asked.what else {
        return String::new();
    };
    let line = asked.stack.first().map(|frame| format!(" at {}", self::at(&frame.place)));
    let line = line.unwrap_or_default();
    match callback {
        Callback::Timer => {
            let duration = duration(*asked_ms, *ms);
            let late = match due_ms {
                Some(due) if *made == Made::Timeout => {
                    lateness(explained, at, event, loop_ms.saturating_sub(*due))
                }
                _ => String::new(),
            };
            format!("Set{line} in {}{duration}{late}.", place_in_turn(asked))
        }
        Callback::Immediate => {
            format!("Set{line} in {}{}.", place_in_turn(asked), immediate_rule(asked, event))
        }
        Callback::Event => {
            let via = via.as_deref().map_or("The request", |via| via);
            format!("{via}{line} was asked for in {} and is ready.", place_in_turn(asked))
        }
        Callback::Main | Callback::BeforeExit | Callback::Exit => String::new(),
    }
}

fn place_in_turn(event: &Event) -> String {
    match (event.turn, event.phase) {
        (_, phase @ (Stage::Main | Stage::BeforeExit | Stage::Exit)) => {
            phase_name(phase).to_owned()
        }
        (0, phase) => phase_name(phase).to_owned(),
        (turn, phase) => format!("{} of turn {turn}", phase_name(phase)),
    }
}

fn duration(asked: Option<f64>, ms: Option<u64>) -> String {
    match (asked, ms) {
        (Some(asked), Some(ms)) if asked == ms as f64 => format!(" for {ms} ms"),
        (Some(asked), Some(ms)) => format!(" for {asked} ms, which became {ms} ms"),
        (None, Some(ms)) => format!(" without a duration, which became {ms} ms"),
        (_, None) => String::new(),
    }
}

/// How late a timer is, and what has held up the loop when it was due.
fn lateness(explained: &Explained<'_>, at: usize, event: &Event, late_ms: u64) -> String {
    if late_ms == 0 {
        return "; on time".to_owned();
    }
    let due_ns = event.at_ns.saturating_sub(late_ms * 1_000_000);
    let earlier = explained.timeline.events[..at].iter().rev();
    let mut until_ns = event.at_ns;
    for before in earlier {
        if before.at_ns <= due_ns && matches!(before.what, What::Callback { .. } | What::Turn) {
            let held_ms = until_ns.saturating_sub(before.at_ns) / 1_000_000;
            let what = match before.what {
                What::Callback { .. } if held_ms > 0 => place_in_turn(before),
                _ => return format!("; {late_ms} ms late"),
            };
            return format!("; {late_ms} ms late, for {what} held the loop for {held_ms} ms");
        }
        if matches!(before.what, What::Callback { .. } | What::Turn) {
            until_ns = before.at_ns;
        }
    }
    format!("; {late_ms} ms late")
}

fn immediate_rule(asked: &Event, ran: &Event) -> &'static str {
    match asked.phase {
        Stage::Check if asked.turn < ran.turn => {
            ": an immediate that an immediate sets waits for the next turn"
        }
        Stage::Poll if asked.turn == ran.turn => ": check is the phase behind that poll",
        Stage::Timers => ": the next check is in the turn behind those timers",
        _ => "",
    }
}

/// Why the queue is drained here.
pub(super) fn drain(explained: &Explained<'_>, at: usize, queue: Queue) -> String {
    let events = &explained.timeline.events;
    let behind = events[..at].iter().rev().find_map(|event| match &event.what {
        What::Callback { .. } => Some(None),
        What::Drain { queue, .. } => Some(Some(*queue)),
        _ => None,
    });
    match (queue, behind.flatten()) {
        (Queue::NextTick, None) => "Ticks come first, behind every callback.",
        (Queue::NextTick, Some(_)) => {
            "The microtasks have asked for them; a drain of microtasks isn't cut short by ticks."
        }
        (Queue::Microtask, Some(_)) => "The ticks are done, so it is the microtasks' turn.",
        (Queue::Microtask, None) if runs_module(explained, at) => {
            "The module runs in a job: all microtasks are done before its first tick."
        }
        (Queue::Microtask, None) => "No ticks wait, so the microtasks follow the callback at once.",
    }
    .to_owned()
}

/// Whether the module itself runs in this drain.
fn runs_module(explained: &Explained<'_>, at: usize) -> bool {
    let events = &explained.timeline.events;
    let first = events.iter().position(|event| !event.stack.is_empty());
    let next = events[at + 1..].iter().position(|event| {
        matches!(event.what, What::Callback { .. } | What::Drain { .. } | What::Turn)
    });
    let end = next.map_or(events.len(), |next| at + 1 + next);
    is_module(explained) && first.is_some_and(|first| (at..end).contains(&first))
}

/// Why this task is in the queue.
pub(super) fn task(
    explained: &Explained<'_>,
    task: Option<Made>,
    made: Option<usize>,
    queue: Queue,
) -> String {
    let asked = made.and_then(|made| explained.timeline.events.get(made));
    let line = asked
        .and_then(|asked| asked.stack.first())
        .map(|frame| format!(" at {}", at(&frame.place)))
        .unwrap_or_default();
    match (task, queue) {
        (Some(Made::Tick), _) => format!("process.nextTick{line}."),
        (Some(Made::Microtask), _) => format!("queueMicrotask{line}."),
        (Some(Made::Reaction), _) => format!("The promise of then{line} is settled."),
        (_, Queue::Microtask) => {
            "What goes on here has waited for a promise: behind an await, or as a promise that \
             takes on another's result."
                .to_owned()
        }
        (_, Queue::NextTick) => String::new(),
    }
}

/// What is asked for, in words.
pub(super) fn asked(what: &What) -> String {
    let What::Made { made, id, function, via, asked_ms, ms, .. } = what else {
        return String::new();
    };
    let name = match function.name.as_str() {
        "" => String::new(),
        name => format!(" {name}"),
    };
    match made {
        Made::Timeout => format!("timeout #{id}{name}{}", duration(*asked_ms, *ms)),
        Made::Interval => format!("interval #{id}{name}{}", duration(*asked_ms, *ms)),
        Made::Immediate => format!("immediate #{id}{name}"),
        Made::Tick => format!("tick{name}"),
        Made::Microtask => format!("microtask{name}"),
        Made::Reaction => format!("then{name}"),
        Made::Request => via.clone().unwrap_or_else(|| "a request".to_owned()),
    }
}
