//! `attach PID...`: running Node.js processes, observed from outside for a while.

use std::sync::Arc;
use std::sync::mpsc::channel;

use loop_core::snapshot::{Snapshot, Tier};

use super::output::Output;
use super::tape::{self, Blank};
use super::ways::Ways;
use crate::cli::{AttachArgs, SourceChoice, TierChoice};
use crate::doctor;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::recording::{End, Head};
use crate::source::{self, LiveOptions, Observe};
use crate::supervise::{self, Event, Outcome};
use crate::terminal::{Terminal, tell};

/// Observes, and records onto `blank`.
pub(super) fn execute(args: &AttachArgs, blank: Option<Blank>) -> Result<Exit, Failure> {
    refuse_sources(args.source.source)?;
    let output = tape::output(&args.observe, blank.as_ref(), Output::Stdout)?;
    let ways = Ways::open_to(&args.observe, output)?;
    let (sender, events) = channel::<Event<()>>();
    let ended = sender.clone();
    // A send fails when the observation is over and nobody listens any more.
    let on_end = move || drop(ended.send(Event::Ended(Ok(()))));
    let live = source::attach(&args.pids, live_options(args), on_end)
        .map_err(|failure| doctor::refusal(&args.pids, least(args)).unwrap_or(failure))?;
    let observed: Arc<dyn Observe> = ways.observed(Arc::clone(&live) as Arc<dyn Observe>);
    let on_interrupt = Box::new(move |by| sender.send(Event::Interrupted(by)).is_ok());
    let (told, background) = ways.start(&observed, Some(on_interrupt))?;
    let tape = blank.map(|blank| blank.start(head(args), &observed)).transpose()?;
    let until_ns =
        args.observe.timeout_ns.map_or(args.duration_ns, |limit| limit.min(args.duration_ns));
    let name = name(&observed.snapshot());
    let mut progress = Progress::new(&name, args.observe.stall_threshold_ns, Terminal::stderr());
    let outcome = supervise::wait(&events, supervise::deadline(Some(until_ns)), || {
        progress.show(&*observed);
    });
    progress.clear();
    let snapshot = observed.snapshot();
    let (exit, note) = match outcome {
        Outcome::Ended(_) => {
            (Exit::Ok, Some(format!("{name} has ended; the report is of the time until then")))
        }
        Outcome::TimedOut if until_ns < args.duration_ns => (Exit::TimedOut, None),
        Outcome::TimedOut => (Exit::Ok, None),
        Outcome::Interrupted(by) => (Exit::Interrupted(by), None),
    };
    let notes: Vec<String> = note.into_iter().chain(live.unseen()).collect();
    let end = End { exit_code: exit.code(), notes: notes.clone(), ..End::default() };
    let recorded = tape.map_or(Ok(()), |tape| tape.finish(end, &snapshot));
    let reported = told.tell(&snapshot, None);
    background.stop();
    reported.and(recorded)?;
    notes.iter().for_each(|note| tell(note));
    Ok(exit)
}

fn live_options(args: &AttachArgs) -> LiveOptions {
    LiveOptions {
        stall_threshold_ns: args.observe.stall_threshold_ns,
        tier: args.tier.into(),
        least: least(args),
        children: args.children,
        budget_ratio: args.source.overhead_budget / 100.0,
        windows_ratio: None,
        source_maps: args.source.source_maps,
    }
}

/// What a recording of it begins with.
fn head(args: &AttachArgs) -> Head {
    Head {
        pids: args.pids.clone(),
        stall_threshold_ns: args.observe.stall_threshold_ns,
        redacted: args.observe.redact,
        ..Head::default()
    }
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
