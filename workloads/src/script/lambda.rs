//! AWS Lambda's execution model: a handler is invoked, its context is frozen when the invocation
//! has its result, and thawed for the next one, which finds what is pending.
//!
//! ```text
//!  init: the file is loaded ──> invocation 1 ──> frozen for the gap ──> invocation 2 ──> ...
//!                                 └─ ends when the handler's promise settles, or its callback is
//!                                    called and (by default) the loop is empty
//! ```
//!
//! After a thaw, timers that came due run before the new invocation begins: the poll in which the
//! process was frozen ends by its timeout, and the invocation is an event of the next one.

use std::time::Duration;

use loop_core::{Clock, Loop, RunMode, RunStatus};

use super::engine::Entry;
use super::host::Host;
use super::value::Value;
use super::{Script, ScriptError};

/// How a handler is invoked.
#[derive(Clone, Debug)]
pub struct Lambda {
    /// How many times.
    pub invocations: u64,
    /// How long the context is frozen between two.
    pub gap: Duration,
    /// The event, as JSON.
    pub event: String,
}

/// What became of one invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Its number, from 1.
    pub number: u64,
    /// Its result as JSON, or its error; `None`: it never had one.
    pub result: Option<Result<String, String>>,
    /// How long it took, in nanoseconds of the loop's clock.
    pub duration_ns: u64,
    /// What it has left pending, which runs in a later invocation, if there is one.
    pub pending: Vec<Pending>,
}

/// Something that an invocation has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What, as `setTimeout of 5000 ms`.
    pub what: String,
    /// The function and line that made it, as in a stack.
    pub made_at: String,
    /// In which invocation.
    pub made_in: u64,
}

/// What the library says when an invocation has a result.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) failed: bool,
    pub(crate) text: String,
}

impl Script {
    /// Loads the script, and invokes its `exports.handler` as AWS Lambda does. `told` gets each
    /// invocation as it ends. Returns the exit status: the script's own where it has ended itself,
    /// 1 where an invocation has failed, else 0.
    ///
    /// # Errors
    /// As for [`Script::run`].
    pub fn run_lambda(
        &self,
        lp: &mut Loop,
        clock: Clock,
        lambda: &Lambda,
        mut told: impl FnMut(Invocation),
    ) -> Result<i32, ScriptError> {
        let host = self.host(lp, clock.clone(), true, None)?;
        lp.enter(|lp| host.callback(lp, Entry::Main, []));
        let mut failed = false;
        for number in 1..=lambda.invocations {
            if host.status().is_some() {
                break;
            }
            let invocation = invoke(&host, lp, &clock, number, &lambda.event)?;
            failed |= !matches!(invocation.result, Some(Ok(_)));
            told(invocation);
            if number < lambda.invocations {
                lp.pass(lambda.gap);
            }
        }
        lp.thaw();
        Ok(host.status().unwrap_or(i32::from(failed)))
    }
}

fn invoke(
    host: &Host,
    lp: &mut Loop,
    clock: &Clock,
    number: u64,
    event: &str,
) -> Result<Invocation, ScriptError> {
    let start_ns = clock.now_ns();
    let caller = host.shared.caller();
    let arguments = [Value::Number(number as f64), Value::from(event)];
    lp.queue_work(|| (), move |lp, _| caller.call(lp, Entry::Invoke, arguments));
    if lp.run(RunMode::Default)? == RunStatus::Done {
        // The loop is empty, which is what ends this invocation.
        lp.queue_work(|| (), |lp, _| lp.freeze());
        lp.run(RunMode::Default)?;
    }
    let duration_ns = clock.now_ns() - start_ns;
    let answer = host.shared.answer.take();
    let result =
        answer.map(|answer| if answer.failed { Err(answer.text) } else { Ok(answer.text) });
    Ok(Invocation { number, result, duration_ns, pending: pending(host, lp) })
}

fn pending(host: &Host, lp: &mut Loop) -> Vec<Pending> {
    let Some(Value::List(left)) = host.ask(lp, Entry::Pending, []) else { return Vec::new() };
    left.into_iter().filter_map(one).collect()
}

fn one(value: Value) -> Option<Pending> {
    let Value::List(parts) = value else { return None };
    let [Value::Text(what), Value::Text(made_at), Value::Number(made_in)] = &parts[..] else {
        return None;
    };
    Some(Pending { what: what.clone(), made_at: made_at.clone(), made_in: *made_in as u64 })
}
