//! An immediate and a timer of 0 ms, both set in an I/O callback.

use loop_core::Loop;

use super::request;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Story, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "immediate-vs-timeout-in-io",
    summary: "in an I/O callback an immediate always runs before a setTimeout(0)",
    shows: "From a main program it is a race: the timer is made 1 ms long, and whether that has \
            passed when the loop looks is chance. From a callback of the poll phase it is none: \
            the check phase follows the poll, and the timers come after it.",
    fixed: None,
    params: &[Param {
        name: "count",
        kind: ParamKind::Count(1, 1_000),
        default: "3",
        help: "I/O callbacks, one after the other",
    }],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

const LINES: [&str; 3] = ["poll: callback of a read", "check: setImmediate", "timers: setTimeout"];

fn start(lp: &mut Loop, job: &Job) {
    let (story, count) = (job.story.clone(), job.args.count("count"));
    request(lp, move |lp| on_read(lp, story, count));
}

fn on_read(lp: &mut Loop, story: Story, left: u64) {
    story.say(LINES[0]);
    let told = story.clone();
    lp.set_timeout(0, move |lp| {
        told.say(LINES[2]);
        if left > 1 {
            request(lp, move |lp| on_read(lp, told, left - 1));
        }
    });
    lp.set_immediate(move |_| story.say(LINES[1]));
}

fn truth(args: &Args, _: Variant) -> Truth {
    let count = args.count("count");
    let facts = vec![Fact::Timers(count), Fact::Immediates(count)];
    let lines = (0..count).flat_map(|_| LINES);
    Truth::new("healthy", facts).telling(lines)
}
