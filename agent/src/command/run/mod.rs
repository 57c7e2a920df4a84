//! `run`: a workload or a script on the embedded loop, watched while it runs and explained when it
//! ends.

mod lambda;
pub(super) mod script;
mod truth;
mod workload;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use loop_core::snapshot::Snapshot;
use loop_core::{Clock, Loop, Options};

use super::cannot_start;
use super::ways::{Told, Ways};
use crate::background::Background;
use crate::cli::{self, ClockChoice, RunArgs};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::source::{self, Observe};
use crate::supervise::{self, Event, Outcome};

pub(super) fn execute(args: &RunArgs) -> Result<Exit, Failure> {
    if cli::names_script(&args.name) { script::execute(args) } else { workload::execute(args) }
}

/// A run that is over, as far as it is waited for.
struct Run<T> {
    outcome: Outcome<T>,
    snapshot: Snapshot,
    told: Told,
    /// Serves and pushes until it is stopped.
    background: Background,
}

/// Runs `body` on a loop until it ends, its time is up, or somebody wants it to end.
fn run<T: Send + 'static, E: Display>(
    args: &RunArgs,
    name: &str,
    options: Options,
    body: impl FnOnce(&mut Loop) -> Result<T, E> + Send + 'static,
    ways: Ways,
    progress: Option<Progress>,
) -> Result<Run<T>, Failure> {
    let (sender, events) = channel();
    let ended = sender.clone();
    // A send fails when the run was cut short and nobody listens any more.
    let on_end = move |result| drop(ended.send(Event::Ended(result)));
    let observed = source::start(name, options, body, on_end).map_err(cannot_start)?;
    let observed = ways.observed(observed);
    let on_interrupt = Box::new(move |by| sender.send(Event::Interrupted(by)).is_ok());
    let (told, background) = ways.start(&observed, Some(on_interrupt))?;
    let outcome = watch(args, &observed, events, progress);
    Ok(Run { outcome, snapshot: observed.snapshot(), told, background })
}

fn options(args: &RunArgs) -> Options {
    Options {
        clock: match args.clock {
            ClockChoice::Real => Clock::real(),
            ClockChoice::Virtual => Clock::virtual_time(),
        },
        stall_threshold_ns: args.observe.stall_threshold_ns,
        detail: args.detail,
        ..Options::default()
    }
}

/// Shows progress until the run ends. The receiver goes with it, so that a later Ctrl-C is not
/// waited for.
fn watch<T>(
    args: &RunArgs,
    observed: &Arc<dyn Observe>,
    events: Receiver<Event<T>>,
    mut progress: Option<Progress>,
) -> Outcome<T> {
    let deadline = supervise::deadline(args.observe.timeout_ns);
    let outcome = supervise::wait(&events, deadline, || {
        if let Some(progress) = &mut progress {
            progress.show(&**observed);
        }
    });
    if let Some(mut progress) = progress {
        progress.clear();
    }
    outcome
}
