//! `run`: a workload or a script on the embedded loop, watched while it runs and explained when it
//! ends.

mod lambda;
pub(super) mod script;
mod truth;
mod workload;

use std::fmt::Display;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use loop_core::snapshot::Snapshot;
use loop_core::{Clock, Loop, Options};

use super::cannot_start;
use super::output::Output;
use crate::background::{Background, Tasks};
use crate::cli::{self, ClockChoice, ReportForm, RunArgs};
use crate::exit::{Exit, Failure};
use crate::monitor::Monitor;
use crate::progress::Progress;
use crate::push::{self, Pusher};
use crate::report::{self, Report};
use crate::serve::{self, Site};
use crate::source::{self, Embedded, Observe};
use crate::supervise::{self, Event, Outcome};
use crate::terminal::tell;

pub(super) fn execute(args: &RunArgs) -> Result<Exit, Failure> {
    if cli::names_script(&args.name) { script::execute(args) } else { workload::execute(args) }
}

/// Where to tell what is observed, found good before anything has begun.
struct Ways {
    output: Output,
    push: Option<push::Config>,
    listener: Option<TcpListener>,
}

impl Ways {
    /// Opens what the options name. The report goes to `default` where they name nothing.
    fn open(args: &RunArgs, default: Output) -> Result<Ways, Failure> {
        Ok(Ways {
            output: Output::open(args.output.as_deref(), default)?,
            push: push::Config::read(|name| std::env::var(name).ok()).map_err(Failure::usage)?,
            listener: args.listen.map(serve::bind).transpose().map_err(Failure::usage)?,
        })
    }
}

/// A run that is over, as far as it is waited for.
struct Run<T> {
    outcome: Outcome<T>,
    snapshot: Snapshot,
    output: Output,
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
    let background = start_background(&observed, sender, ways.listener, ways.push)?;
    let outcome = watch(args, &observed, events, progress);
    Ok(Run { outcome, snapshot: observed.snapshot(), output: ways.output, background })
}

fn options(args: &RunArgs) -> Options {
    Options {
        clock: match args.clock {
            ClockChoice::Real => Clock::real(),
            ClockChoice::Virtual => Clock::virtual_time(),
        },
        stall_threshold_ns: args.stall_threshold_ns,
        detail: args.detail,
        ..Options::default()
    }
}

fn start_background<T: Send + 'static>(
    observed: &Arc<Embedded>,
    sender: Sender<Event<T>>,
    listener: Option<TcpListener>,
    push: Option<push::Config>,
) -> Result<Background, Failure> {
    let monitor = Arc::new(Monitor::default());
    let site = listener.map(|listener| {
        if let Ok(address) = listener.local_addr() {
            tell(&format!("serving http://{address}/metrics"));
        }
        (listener, Arc::new(Site::new(Arc::clone(observed) as _, Arc::clone(&monitor))))
    });
    let pusher = push.map(|config| {
        config.warnings.iter().for_each(|warning| tell(warning));
        tell(&format!("pushing OTLP to {}", config.place()));
        Pusher::new(config, Arc::clone(observed) as _, Arc::clone(&monitor))
    });
    let on_interrupt = Box::new(move || sender.send(Event::Interrupted).is_ok());
    Background::start(Tasks { on_interrupt, site, pusher }).map_err(cannot_start)
}

/// Shows progress until the run ends. The receiver goes with it, so that a later Ctrl-C is not
/// waited for.
fn watch<T>(
    args: &RunArgs,
    observed: &Arc<Embedded>,
    events: Receiver<Event<T>>,
    mut progress: Option<Progress>,
) -> Outcome<T> {
    let deadline = supervise::deadline(args.timeout_ns);
    let outcome = supervise::wait(&events, deadline, || {
        if let Some(progress) = &mut progress {
            progress.show(|| observed.snapshot());
        }
    });
    if let Some(mut progress) = progress {
        progress.clear();
    }
    outcome
}

/// Writes the report in the form that was asked for.
fn write_report(args: &RunArgs, report: &Report<'_>, output: Output) -> Result<(), Failure> {
    let mut text = Vec::new();
    match args.report {
        ReportForm::None => return Ok(()),
        ReportForm::Text => report::text::write(report, &output.terminal(), &mut text),
        ReportForm::Json => report::json::write(report, &mut text),
    }
    .map_err(|error| Failure::run(format!("the report can't be made: {error}")))?;
    output.write(&text)
}
