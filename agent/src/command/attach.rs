//! `attach PID...`: running Node.js processes, observed from outside for a while.

use std::sync::Arc;
use std::sync::mpsc::channel;

use loop_core::snapshot::{Snapshot, Tier};

use super::output::Output;
use super::ways::Ways;
use crate::cli::{AttachArgs, SourceChoice, TierChoice};
use crate::diagnosis::diagnose;
use crate::doctor;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::report::Report;
use crate::source::{self, LiveOptions, Observe};
use crate::supervise::{self, Event, Outcome};
use crate::terminal::{Terminal, tell};

pub(super) fn execute(args: &AttachArgs) -> Result<Exit, Failure> {
    refuse_sources(args.source.source)?;
    let ways = Ways::open(&args.observe, Output::Stdout)?;
    let (sender, events) = channel::<Event<()>>();
    let ended = sender.clone();
    let options = LiveOptions {
        stall_threshold_ns: args.observe.stall_threshold_ns,
        tier: args.tier.into(),
        least: least(args),
        children: args.children,
        budget_ratio: args.source.overhead_budget / 100.0,
        windows_ratio: None,
        source_maps: args.source.source_maps,
    };
    // A send fails when the observation is over and nobody listens any more.
    let on_end = move || drop(ended.send(Event::Ended(Ok(()))));
    let live = source::attach(&args.pids, options, on_end)
        .map_err(|failure| doctor::refusal(&args.pids, least(args)).unwrap_or(failure))?;
    let observed: Arc<dyn Observe> = ways.observed(live);
    let on_interrupt = Box::new(move |by| sender.send(Event::Interrupted(by)).is_ok());
    let (told, background) = ways.start(&observed, Some(on_interrupt))?;
    let until_ns =
        args.observe.timeout_ns.map_or(args.duration_ns, |limit| limit.min(args.duration_ns));
    let name = name(&observed.snapshot());
    let mut progress = Progress::new(&name, args.observe.stall_threshold_ns, Terminal::stderr());
    let outcome = supervise::wait(&events, supervise::deadline(Some(until_ns)), || {
        progress.show(|| observed.snapshot());
    });
    progress.clear();
    let snapshot = observed.snapshot();
    let diagnoses = diagnose(&snapshot);
    let report = Report {
        snapshot: &snapshot,
        diagnoses: &diagnoses,
        workload: None,
        script: None,
        command: None,
    };
    let reported = told.write(&report);
    background.stop();
    reported?;
    Ok(match outcome {
        Outcome::Ended(_) => {
            tell(&format!("{name} has ended; the report is of the time until then"));
            Exit::Ok
        }
        Outcome::TimedOut if until_ns < args.duration_ns => Exit::TimedOut,
        Outcome::TimedOut => Exit::Ok,
        Outcome::Interrupted(by) => Exit::Interrupted(by),
    })
}

/// The least to be content with: what was asked for by name must be had.
fn least(args: &AttachArgs) -> Tier {
    match (args.source.source, args.tier) {
        (SourceChoice::Ebpf, TierChoice::Turn | TierChoice::Full) => Tier::Turn,
        _ => Tier::Passive,
    }
}

/// What `attach` can't do, because the process runs already.
fn refuse_sources(source: SourceChoice) -> Result<(), Failure> {
    match source {
        SourceChoice::Auto | SourceChoice::Ebpf => Ok(()),
        SourceChoice::V8Trace => Err(Failure::usage(
            "V8's trace events have to be on from the start; \
             use `loopscope exec --source v8-trace -- node ...`",
        )),
    }
}

/// What the progress is of.
fn name(snapshot: &Snapshot) -> String {
    match snapshot.targets.as_slice() {
        [target] => target.name.clone(),
        targets => format!("{} processes", targets.len()),
    }
}
