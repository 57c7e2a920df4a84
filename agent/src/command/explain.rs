//! `explain FILE`: a JavaScript program on the embedded loop, and then its timeline.

use std::path::PathBuf;
use std::sync::mpsc::channel;

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::timeline::Timeline;
use loopscope_workloads::{KnownScript, Script, Trace, Variant, find_script};

use super::cannot_start;
use super::output::Output;
use crate::background::{Background, Tasks};
use crate::cli::{ClockChoice, ExplainArgs, ReportForm};
use crate::exit::{Exit, Failure};
use crate::explain::{self, Explained};
use crate::source;
use crate::supervise::{self, Event, Outcome};

pub(super) fn execute(args: &ExplainArgs) -> Result<Exit, Failure> {
    let program = Program::find(args)?;
    let output = Output::open(args.output.as_deref(), Output::Stdout)?;
    let picture = match &args.html {
        Some(path) => Some(Output::open(Some(path), Output::Stdout)?),
        None => None,
    };
    let (timeline, outcome) = record(args, program.script.clone())?;
    let explained = program.explained(&timeline, &outcome, args);
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
        Outcome::Interrupted => Ok(Exit::Interrupted),
        Outcome::Ended(Err(error)) => Err(Failure::run(format!("{} failed: {error}", args.file))),
    }
}

/// What is explained.
struct Program {
    script: Script,
    known: Option<&'static KnownScript>,
}

impl Program {
    /// A script of the catalogue if it has this name, else a file.
    fn find(args: &ExplainArgs) -> Result<Program, Failure> {
        let variant = if args.fixed { Variant::Fixed } else { Variant::Pathology };
        let arguments = args.script_args.clone();
        match find_script(&args.file, variant) {
            Ok(known) => {
                let file = PathBuf::from("/").join(known.path);
                let script =
                    Script { file, source: Some(known.text), arguments, ..Script::default() };
                Ok(Program { script, known: Some(known) })
            }
            Err(unknown) if unknown.known => Err(Failure::usage(unknown)),
            Err(unknown) => {
                let file = PathBuf::from(&args.file);
                if !file.exists() && unknown.near.is_some() {
                    return Err(Failure::usage(unknown));
                }
                if args.fixed {
                    return Err(Failure::usage(format!(
                        "--fixed is for scripts of the catalogue and {} is a file; leave it out",
                        args.file
                    )));
                }
                let script = Script { file, arguments, ..Script::default() };
                Ok(Program { script, known: None })
            }
        }
    }

    fn explained<'a>(
        &self,
        timeline: &'a Timeline,
        outcome: &Outcome<i32>,
        args: &ExplainArgs,
    ) -> Explained<'a> {
        Explained {
            file: self.script.file.to_string_lossy().into_owned(),
            name: args.file.clone(),
            timeline,
            status: match outcome {
                Outcome::Ended(Ok(status)) => Some(*status),
                _ => None,
            },
            virtual_clock: args.clock == ClockChoice::Virtual,
            stacks: args.stack,
            header: self.known.and_then(|known| known.header().ok()),
            source: self.known.map(|known| known.text.to_owned()),
        }
    }
}

/// Runs the program until it ends, its time is up, or somebody wants it to end.
fn record(args: &ExplainArgs, script: Script) -> Result<(Timeline, Outcome<i32>), Failure> {
    let clock = match args.clock {
        ClockChoice::Real => Clock::real(),
        ClockChoice::Virtual => Clock::virtual_time(),
    };
    let trace = Trace::new(clock.clone(), args.max_events as usize);
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (sender, events) = channel();
    let ended = sender.clone();
    let recorder = trace.clone();
    let body = move |lp: &mut Loop| script.explain(lp, clock, &recorder);
    // A send fails when the run was cut short and nobody listens any more.
    let on_end = move |result| drop(ended.send(Event::Ended(result)));
    source::start(&args.file, options, body, on_end).map_err(cannot_start)?;
    let on_interrupt = Box::new(move || sender.send(Event::Interrupted).is_ok());
    let tasks = Tasks { on_interrupt, site: None, pusher: None };
    let background = Background::start(tasks).map_err(cannot_start)?;
    let outcome = supervise::wait(&events, supervise::deadline(args.timeout_ns), || {});
    background.stop();
    Ok((trace.timeline(), outcome))
}
