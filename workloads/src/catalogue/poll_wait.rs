//! How long the poll waits: one turn for each thing that it depends on.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use loop_core::{HandleId, Loop, RunMode};

use crate::job::RunError;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "poll-wait",
    summary: "how long the poll waits: not at all, until the next timer, or as long as it takes",
    shows: "Before it asks the kernel the loop looks what else it has to do. While an immediate is \
            queued, a handle is closing or an idle handle is active it must not wait. Else it \
            waits until the next timer is due, and without timers for as long as it takes.",
    fixed: None,
    params: &[],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Round(round),
    truth,
};

/// The timer that each case but the last has, and how long the last one's job takes.
const DELAY: Duration = Duration::from_millis(20);

/// What a loop has to do, by name, and what the poll then does.
struct Case {
    has: &'static str,
    start: fn(&mut Loop),
    waits: Waits,
}

/// How long a poll waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Not,
    UntilTheTimer,
    ForAsLongAsItTakes,
}

const CASES: [Case; 6] = [
    Case { has: "a timer and an immediate", start: with_immediate, waits: Waits::Not },
    Case { has: "a timer and a closing handle", start: with_closing, waits: Waits::Not },
    Case { has: "a timer and an idle handle", start: with_idle, waits: Waits::Not },
    Case { has: "a timer that is due", start: with_due_timer, waits: Waits::Not },
    Case { has: "a timer in 20 ms", start: with_timer, waits: Waits::UntilTheTimer },
    Case { has: "a job in the pool", start: with_job, waits: Waits::ForAsLongAsItTakes },
];

fn round(lp: &mut Loop, job: &Job) -> Result<(), RunError> {
    for case in &CASES {
        let before = waits(lp);
        lp.enter(|lp| (case.start)(lp));
        // One turn, and then whatever is left.
        lp.run(RunMode::Once)?;
        let after = waits(lp);
        let timer = case.waits != Waits::ForAsLongAsItTakes;
        let waited = match after.0 - before.0 {
            0 => Waits::Not,
            _ if timer && after.1 - before.1 > DELAY.as_nanos() / 2 => Waits::UntilTheTimer,
            _ => Waits::ForAsLongAsItTakes,
        };
        job.story.say(line(case.has, waited));
        lp.run(RunMode::Default)?;
    }
    Ok(())
}

/// How many polls could wait, and how long they did together, in nanoseconds.
fn waits(lp: &Loop) -> (u64, u128) {
    let waits = lp.reader().snapshot().poll_wait_ns;
    waits.map_or((0, 0), |waits| (waits.count(), waits.sum))
}

fn line(has: &str, waits: Waits) -> String {
    let does = match waits {
        Waits::Not => "does not wait",
        Waits::UntilTheTimer => "waits until the timer is due",
        Waits::ForAsLongAsItTakes => "waits for as long as it takes",
    };
    format!("{has}: the poll {does}")
}

fn with_timer(lp: &mut Loop) {
    lp.set_timeout(DELAY.as_millis() as u64, |_| {});
}

fn with_immediate(lp: &mut Loop) {
    with_timer(lp);
    lp.set_immediate(|_| {});
}

fn with_closing(lp: &mut Loop) {
    with_timer(lp);
    let handle = lp.timer_start(1, 0, |_| {});
    lp.close(handle);
}

fn with_idle(lp: &mut Loop) {
    with_timer(lp);
    let idle = lp.idle_start(|_| {});
    // Closes both behind the poll that was kept from waiting.
    let own: Rc<Cell<Option<HandleId>>> = Rc::default();
    let known = own.clone();
    let check = lp.check_start(move |lp| {
        let handles = [Some(idle), known.take()];
        handles.into_iter().flatten().for_each(|handle| lp.close(handle));
    });
    own.set(Some(check));
}

fn with_due_timer(lp: &mut Loop) {
    lp.set_timeout(1, |_| {});
    lp.busy(Duration::from_millis(2));
}

fn with_job(lp: &mut Loop) {
    lp.queue_work(|| thread::sleep(DELAY), |_, _| {});
}

fn truth(_: &Args, _: Variant) -> Truth {
    let lines = CASES.iter().map(|case| line(case.has, case.waits));
    Truth::new("healthy", vec![Fact::Timers(5)]).telling(lines)
}
