//! `run --lambda`: the invocations of a handler, as they end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loop_core::{Clock, Loop};
use loopscope_workloads::{Invocation, Lambda, Script, ScriptError};

use crate::cli::{LambdaArgs, ReportForm, RunArgs};
use crate::report::InvocationRun;
use crate::terminal::tell;

/// The invocations that have ended. A run that is cut short tells of those.
#[derive(Clone, Debug, Default)]
pub(super) struct Invocations(Arc<Mutex<Vec<Invocation>>>);

impl Invocations {
    /// What the report says of them.
    pub(super) fn told(&self) -> Vec<InvocationRun> {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().cloned().map(InvocationRun::from).collect()
    }

    /// Runs the script as a handler.
    pub(super) fn run(
        &self,
        script: &Script,
        lp: &mut Loop,
        clock: Clock,
        lambda: &Lambda,
        warns: bool,
    ) -> Result<i32, ScriptError> {
        script.run_lambda(lp, clock, lambda, |invocation| {
            if warns {
                warn(&invocation);
            }
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(invocation);
        })
    }
}

/// What the options say of how to invoke; `None` where the script is no handler.
pub(super) fn lambda(args: &LambdaArgs) -> Option<Lambda> {
    args.lambda.then(|| Lambda {
        invocations: args.invoke,
        gap: Duration::from_nanos(args.gap_ns),
        event: args.event.clone(),
    })
}

/// Whether what is left pending is told at once: not where the report for people says it anyway,
/// nor where names are not to be told.
pub(super) fn warns(args: &RunArgs) -> bool {
    let elsewhere = args.observe.report != ReportForm::Text || args.observe.output.is_some();
    elsewhere && !args.observe.redact
}

fn warn(invocation: &Invocation) {
    for left in &invocation.pending {
        tell(&format!(
            "invocation {} has left a {} pending, made by {}; it runs in a later invocation, if \
             there is one: await it before the handler returns",
            invocation.number, left.what, left.made_at
        ));
    }
}
