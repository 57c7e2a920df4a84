//! `explain FILE`: a JavaScript program on the embedded loop, and then its timeline.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::channel;

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::timeline::Timeline;
use loopscope_workloads::{Script, Trace};

use super::cannot_start;
use super::output::Output;
use super::run::script::Chosen;
use crate::background::{Background, Tasks};
use crate::cli::{ClockChoice, ExplainArgs, ReportForm};
use crate::exit::{Exit, Failure};
use crate::explain::{self, Explained};
use crate::source;
use crate::supervise::{self, Event, Outcome};

/// The most files whose source is shown.
const SOURCES_MAX: usize = 32;

pub(super) fn execute(args: &ExplainArgs) -> Result<Exit, Failure> {
    let chosen = Chosen::of(&args.file, args.fixed)?;
    let script = chosen.script(&args.script_args, args.max_memory_bytes);
    let output = Output::open(args.output.as_deref(), Output::Stdout)?;
    let picture = match &args.html {
        Some(path) => Some(Output::open(Some(path), Output::Stdout)?),
        None => None,
    };
    let (timeline, outcome) = record(args, script.clone())?;
    let status = match &outcome {
        Outcome::Ended(Ok(status)) => Some(*status),
        _ => None,
    };
    let explained = explained(args, &chosen, &script, &timeline, status);
    let text = match args.report {
        ReportForm::None => None,
        ReportForm::Text => Some(explain::text(&explained, &output.terminal())),
        ReportForm::Json => Some(explain::json(&explained).map_err(|error| {
            Failure::run(format!("the timeline can't be written as JSON: {error}"))
        })?),
    };
    if let Some(picture) = picture {
        picture.write(explain::html(&explained).as_bytes())?;
    }
    if let Some(text) = text {
        output.write(text.as_bytes())?;
    }
    match outcome {
        Outcome::Ended(Ok(status)) => Ok(Exit::Program(status.to_le_bytes()[0])),
        Outcome::TimedOut => Ok(Exit::TimedOut),
        Outcome::Interrupted(by) => Ok(Exit::Interrupted(by)),
        Outcome::Ended(Err(error)) => Err(Failure::run(format!("{} failed: {error}", args.file))),
    }
}

fn explained<'a>(
    args: &ExplainArgs,
    chosen: &Chosen,
    script: &Script,
    timeline: &'a Timeline,
    status: Option<i32>,
) -> Explained<'a> {
    let header = match chosen {
        Chosen::Known(known) => known.header().ok(),
        Chosen::File(_) => None,
    };
    Explained {
        name: args.file.clone(),
        sources: sources(script, timeline),
        timeline,
        status,
        virtual_clock: args.clock == ClockChoice::Virtual,
        header,
    }
}

/// The sources that the timeline names, by file: as they are now, as far as they can be read.
fn sources(script: &Script, timeline: &Timeline) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    for place in timeline.places() {
        if sources.len() == SOURCES_MAX {
            break;
        }
        if sources.contains_key(&place.file) {
            continue;
        }
        let own = script.source.filter(|_| Path::new(&place.file) == script.file);
        let text = own.map(str::to_owned).or_else(|| std::fs::read_to_string(&place.file).ok());
        sources.insert(place.file.clone(), text.unwrap_or_default());
    }
    sources
}

/// Runs the program until it ends, its time is up, or somebody wants it to end.
fn record(args: &ExplainArgs, script: Script) -> Result<(Timeline, Outcome<i32>), Failure> {
    let clock = match args.clock {
        ClockChoice::Real => Clock::real(),
        ClockChoice::Virtual => Clock::virtual_time(),
    };
    let mut trace = Trace::new(clock.clone(), args.max_events as usize);
    if args.stack {
        trace = trace.with_calls();
    }
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (sender, events) = channel();
    let ended = sender.clone();
    let recorder = trace.clone();
    let body = move |lp: &mut Loop| script.explain(lp, clock, &recorder);
    // A send fails when the run was cut short and nobody listens any more.
    let on_end = move |result| drop(ended.send(Event::Ended(result)));
    source::start(&args.file, options, body, on_end).map_err(cannot_start)?;
    let on_interrupt = Box::new(move |by| sender.send(Event::Interrupted(by)).is_ok());
    let tasks = Tasks { on_interrupt: Some(on_interrupt), ..Tasks::default() };
    let background = Background::start(tasks).map_err(cannot_start)?;
    let outcome = supervise::wait(&events, supervise::deadline(args.timeout_ns), || {});
    background.stop();
    Ok((trace.timeline(), outcome))
}
