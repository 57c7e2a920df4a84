//! A timer that is armed when the loop has ended.

use std::time::Duration;

use loop_core::{Loop, RunMode};

use crate::job::RunError;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "timeout-at-exit",
    summary: "a timer armed in an exit handler never fires",
    shows: "When nothing keeps the loop alive it ends, and exit handlers run behind it. A timer \
            that one of them arms is armed indeed, and nobody looks at it any more.",
    fixed: None,
    params: &[],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Round(round),
    truth,
};

const LINES: [&str; 4] = [
    "timers: the last one",
    "exit: the loop has ended",
    "exit: a timer of 1 ms armed",
    "exit: 5 ms later it has not fired",
];

fn round(lp: &mut Loop, job: &Job) -> Result<(), RunError> {
    let [last, ended, armed, later] = LINES;
    let story = job.story.clone();
    lp.enter(|lp| {
        lp.set_timeout(1, move |_| story.say(last));
    });
    lp.run(RunMode::Default)?;
    job.story.say(ended);
    let story = job.story.clone();
    let timer = lp.set_timeout(1, move |_| story.say("timers: the one of the exit handler"));
    job.story.say(armed);
    lp.pass(Duration::from_millis(5));
    job.story.say(later);
    // The process ends here; in the next round there is a new one.
    lp.clear_timer(timer);
    Ok(())
}

fn truth(_: &Args, _: Variant) -> Truth {
    Truth::new("healthy", vec![Fact::Timers(1)]).telling(LINES)
}
