//! One turn with something to do in every phase.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use loop_core::{HandleId, Loop, Phase};

use crate::truth::Fact;
use crate::{Args, Job, Needs, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "phase-order",
    summary: "one turn with something in every phase, and in which order they run",
    shows: "The phases in which a loop runs callbacks: timers, pending (results that an operation \
            could not tell at once), idle, prepare, poll (events), check (immediates), close. \
            Whatever was started first, this is the order; then it begins again with the timers.",
    fixed: None,
    params: &[],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

const LINES: [&str; 9] = [
    "main",
    "timers: a timer of 1 ms",
    "pending: writing to a handle that is no stream has failed",
    "idle: an idle handle",
    "prepare: a prepare handle",
    "poll: a waker",
    "check: an immediate",
    "close: a handle that was closed",
    "timers: a timer armed in the close phase",
];

/// How long the program goes on, so that its timer is due when the loop begins.
const REST: Duration = Duration::from_millis(2);

fn start(lp: &mut Loop, job: &Job) {
    // From the last phase to the first: the order is the loop's, and not that of the program.
    let say = |line: usize| {
        let story = job.story.clone();
        move || story.say(LINES[line])
    };
    let (closed, again) = (say(7), say(8));
    let handle = lp.timer_start(1, 0, |_| {});
    lp.close_with(handle, move |lp| {
        closed();
        lp.set_timeout(1, move |_| again());
    });
    let immediate = say(6);
    lp.set_immediate(move |_| immediate());
    wake(lp, say(5));
    once(lp, Loop::prepare_start, say(4));
    once(lp, Loop::idle_start, say(3));
    let failed = say(2);
    lp.write(handle, "?", move |_, _| failed());
    let timer = say(1);
    lp.set_timeout(1, move |_| timer());
    say(0)();
    lp.busy(REST);
}

/// A callback as those of idle and prepare handles.
type Watch = Box<dyn FnMut(&mut Loop)>;

/// Starts a handle that closes itself when it has run.
fn once(lp: &mut Loop, start: fn(&mut Loop, Watch) -> HandleId, told: impl Fn() + 'static) {
    let own: Rc<Cell<Option<HandleId>>> = Rc::default();
    let known = own.clone();
    let run = move |lp: &mut Loop| {
        told();
        if let Some(id) = known.get() {
            lp.close(id);
        }
    };
    own.set(Some(start(lp, Box::new(run))));
}

/// Wakes the loop as another thread would.
fn wake(lp: &mut Loop, told: impl Fn() + 'static) {
    let own: Rc<Cell<Option<HandleId>>> = Rc::default();
    let known = own.clone();
    let waker = lp.waker(move |lp| {
        told();
        if let Some(id) = known.get() {
            lp.close(id);
        }
    });
    own.set(Some(waker.handle()));
    waker.wake();
}

fn truth(_: &Args, _: Variant) -> Truth {
    let once = [Phase::Pending, Phase::Idle, Phase::Prepare, Phase::Poll, Phase::Check];
    let mut facts = vec![Fact::Timers(2)];
    facts.extend(once.map(|phase| Fact::Callbacks(phase, 1)));
    Truth::new("healthy", facts).telling(LINES)
}
