//! AWS Lambda's freeze and thaw: a function returns with work pending, its context is frozen, and
//! the next invocation finds that work first.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use loop_core::{Loop, RunMode, TimerId};

use super::{request, times};
use crate::job::RunError;
use crate::truth::{Fact, STALL};
use crate::{Args, Job, Needs, Param, ParamKind, Start, Story, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "lambda-freeze",
    summary: "an invocation returns with a timer pending; the next one runs it, late",
    shows: "A function on AWS Lambda arms a timer of 100 ms and does not wait for it. Lambda \
            freezes the process when the function returns and thaws it for the next invocation: \
            the timer fires there, before anything else, and late by the whole gap. Nothing blocks \
            the loop: the gap is frozen time, no stall. When no invocation follows, it never \
            fires.",
    fixed: Some("awaits the timer before it returns, so that nothing is pending when it freezes"),
    params: &[
        Param {
            name: "invocations",
            kind: ParamKind::Count(1, 1_000),
            default: "3",
            help: "how often the function is invoked in the same context",
        },
        Param {
            name: "gap",
            kind: ParamKind::Duration(Duration::from_millis(200), super::HOUR),
            default: "1s",
            help: "time between two invocations, in which the context is frozen",
        },
    ],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Round(round),
    truth,
};

/// The delay of the function's timer: always less than the gap.
const DELAY: Duration = Duration::from_millis(100);

const START: &str = "main start";
const ARMED: &str = "timeout start";
const FIRED: &str = "timeout cb fired after 100 ms";
const END: &str = "main end";

/// The timer of the newest invocation.
type Pending = Rc<Cell<Option<TimerId>>>;

fn round(lp: &mut Loop, job: &Job) -> Result<(), RunError> {
    let invocations = job.args.count("invocations");
    let pending = Pending::default();
    for invocation in 1..=invocations {
        job.story.say(format!("invocation {invocation}"));
        let (story, timer) = (job.story.clone(), pending.clone());
        match job.variant {
            Variant::Pathology => request(lp, move |lp| returns_at_once(lp, &story, &timer)),
            Variant::Fixed => request(lp, move |lp| awaits(lp, story)),
        }
        lp.run(RunMode::Default)?;
        if invocation < invocations {
            lp.pass(job.args.duration("gap"));
        }
    }
    // No invocation follows: the context goes, with whatever is pending.
    lp.thaw();
    if let Some(timer) = pending.take() {
        lp.clear_timer(timer);
    }
    Ok(())
}

fn returns_at_once(lp: &mut Loop, story: &Story, timer: &Pending) {
    story.say(START);
    story.say(ARMED);
    let told = story.clone();
    timer.set(Some(lp.set_timeout(DELAY.as_millis() as u64, move |_| told.say(FIRED))));
    story.say(END);
    lp.freeze();
}

fn awaits(lp: &mut Loop, story: Story) {
    story.say(START);
    story.say(ARMED);
    lp.set_timeout(DELAY.as_millis() as u64, move |lp| {
        story.say(FIRED);
        story.say(END);
        lp.freeze();
    });
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (invocations, gap) = (args.count("invocations"), args.duration("gap"));
    let thaws = invocations - 1;
    let fired = if variant == Variant::Fixed { invocations } else { thaws };
    let frozen_ns = times(gap, thaws).as_nanos() as u64;
    let mut facts = vec![Fact::Timers(fired), Fact::FrozenAtLeast(frozen_ns)];
    let late = gap.saturating_sub(DELAY);
    let harmed = variant == Variant::Pathology && thaws > 0 && late >= STALL;
    if harmed {
        let late_ns = late.as_nanos() as u64;
        facts.push(Fact::LateAtLeast(late_ns.saturating_sub(super::TIMER_NS)));
    }
    let id = if harmed { "frozen" } else { "healthy" };
    Truth::new(id, facts).telling(transcript(invocations, variant))
}

fn transcript(invocations: u64, variant: Variant) -> Vec<String> {
    let mut lines = Vec::new();
    for invocation in 1..=invocations {
        lines.push(format!("invocation {invocation}"));
        match variant {
            Variant::Pathology => {
                // What the last invocation has left.
                lines.extend((invocation > 1).then(|| FIRED.to_owned()));
                lines.extend([START, ARMED, END].map(str::to_owned));
            }
            Variant::Fixed => lines.extend([START, ARMED, FIRED, END].map(str::to_owned)),
        }
    }
    lines
}
