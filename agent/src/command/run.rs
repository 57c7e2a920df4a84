//! `run`: a workload on the embedded loop, watched while it runs and explained when it ends.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use loop_core::snapshot::Snapshot;
use loop_core::{Clock, Options, SysError};
use loopscope_workloads::{Job, Story, Truth, Variant, Workload};

use super::output::Output;
use crate::background::{Background, Tasks};
use crate::cli::{ClockChoice, ReportForm, RunArgs, Selection};
use crate::diagnosis::{Diagnosis, diagnose};
use crate::exit::{Exit, Failure};
use crate::monitor::Monitor;
use crate::progress::Progress;
use crate::push::{self, Pusher};
use crate::report::{self, Report, TruthRow, WorkloadRun};
use crate::serve::{self, Site};
use crate::source::{self, Embedded, Observe};
use crate::supervise::{self, Event, Outcome};
use crate::terminal::{Terminal, print, tell};

pub(super) fn execute(args: &RunArgs) -> Result<Exit, Failure> {
    let input = Input::check(args)?;
    let job = input.job(args);
    job.prepare().map_err(Failure::refused)?;
    let (truth, story) = (job.truth(), job.story.clone());
    let (sender, events) = channel();
    let ended = sender.clone();
    // A send fails when the run was cut short and nobody listens any more.
    let on_end = move |result| drop(ended.send(Event::Ended(result)));
    let observed = source::start(job, options(args), on_end).map_err(cannot_start)?;
    let background = start_background(&observed, sender, input.listener, input.push)?;

    let outcome = watch(args, &observed, events);
    let snapshot = observed.snapshot();
    let truth = matches!(outcome, Outcome::Ended(Ok(()))).then_some(truth);
    tell_story(args, &story)?;
    let known = Known { selection: &input.selection, truth: truth.as_ref(), story: &story };
    let reported = report(args, &known, &snapshot, input.output);
    background.stop();
    reported?;
    match outcome {
        Outcome::Ended(Ok(())) => Ok(Exit::Ok),
        Outcome::TimedOut => Ok(Exit::TimedOut),
        Outcome::Interrupted => Ok(Exit::Interrupted),
        Outcome::Ended(Err(error)) => Err(Failure::run(format!(
            "{} failed: {error}; what was observed until then is in the report",
            args.name
        ))),
    }
}

/// What the options ask for, found good before anything has begun.
struct Input {
    selection: Selection,
    output: Output,
    push: Option<push::Config>,
    listener: Option<TcpListener>,
}

impl Input {
    fn check(args: &RunArgs) -> Result<Input, Failure> {
        let workload = loopscope_workloads::find(&args.name).map_err(Failure::usage)?;
        let selection = Selection::new(workload, args.params.clone()).map_err(Failure::usage)?;
        if args.clock == ClockChoice::Virtual {
            super::refuse_real_time(workload, "run it with --clock real")?;
        }
        if args.fixed {
            refuse_no_twin(workload)?;
        }
        Ok(Input {
            selection,
            output: Output::open(args.output.as_deref())?,
            push: push::Config::read(|name| std::env::var(name).ok()).map_err(Failure::usage)?,
            listener: args.listen.map(serve::bind).transpose().map_err(Failure::usage)?,
        })
    }

    fn job(&self, args: &RunArgs) -> Job {
        Job {
            workload: self.selection.workload,
            args: self.selection.args.clone(),
            variant: variant(args),
            rounds: args.repeat,
            pause_ns: args.pause_ns,
            story: Story::default(),
        }
    }
}

fn refuse_no_twin(workload: &Workload) -> Result<(), Failure> {
    if workload.fixed.is_some() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} has no fixed twin, because nothing is wrong with it; run it without --fixed",
        workload.name
    )))
}

fn variant(args: &RunArgs) -> Variant {
    if args.fixed { Variant::Fixed } else { Variant::Pathology }
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

fn start_background(
    observed: &Arc<Embedded>,
    sender: Sender<Event>,
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
fn watch(args: &RunArgs, observed: &Arc<Embedded>, events: Receiver<Event>) -> Outcome {
    let deadline = supervise::deadline(args.timeout_ns);
    let mut progress = Progress::new(&args.name, args.stall_threshold_ns, Terminal::stderr());
    let outcome = supervise::wait(&events, deadline, || progress.show(|| observed.snapshot()));
    progress.clear();
    outcome
}

/// The transcript of a workload is what the program itself says, so it goes to standard output
/// whatever becomes of the report; unless that is JSON and goes there, too: then it is in it.
fn tell_story(args: &RunArgs, story: &Story) -> Result<(), Failure> {
    let to_stdout = args.output.as_deref().is_none_or(|path| path == Path::new("-"));
    let lines = story.lines();
    if lines.is_empty() || (args.report == ReportForm::Json && to_stdout) {
        return Ok(());
    }
    let end = if args.report == ReportForm::Text && to_stdout { "\n\n" } else { "\n" };
    let text = lines.join("\n") + end;
    print(text.as_bytes()).map_err(|error| super::unwritable_stdout(&error))
}

/// What is known of a run besides what was observed.
struct Known<'a> {
    selection: &'a Selection,
    /// `None` where the run was cut short.
    truth: Option<&'a Truth>,
    story: &'a Story,
}

fn report(
    args: &RunArgs,
    known: &Known<'_>,
    snapshot: &Snapshot,
    output: Output,
) -> Result<(), Failure> {
    let diagnoses = diagnose(snapshot);
    let observed = snapshot.loops.first();
    let Selection { workload, args: params, .. } = known.selection;
    let lines = known.story.lines();
    let workload = WorkloadRun {
        name: workload.name.to_owned(),
        variant: workload.variant_name(variant(args)),
        params: params.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        story: (!lines.is_empty()).then_some(lines),
        truth: known.truth.zip(observed).map(|(truth, observed)| {
            let checked = truth.check(observed, known.story);
            rows(truth, checked, &diagnoses)
        }),
    };
    tell_what_does_not_hold(&workload);
    let report = Report { snapshot, diagnoses: &diagnoses, workload: Some(&workload) };
    let mut text = Vec::new();
    match args.report {
        ReportForm::None => return Ok(()),
        ReportForm::Text => report::text::write(&report, &output.terminal(), &mut text),
        ReportForm::Json => report::json::write(&report, &mut text),
    }
    .map_err(|error| Failure::run(format!("the report can't be made: {error}")))?;
    output.write(&text)
}

/// The first row that does not hold, and how many others.
fn tell_what_does_not_hold(workload: &WorkloadRun) {
    let rows = workload.truth.as_deref().unwrap_or_default();
    let mut wrong = rows.iter().filter(|row| !row.holds);
    let Some(TruthRow { what, expected, observed, .. }) = wrong.next() else { return };
    let others = match wrong.count() {
        0 => String::new(),
        count => format!(", and {count} more of {} rows", rows.len()),
    };
    tell(&format!(
        "{} did not show what it must: {what} is {observed} and must be {expected}{others}",
        workload.name
    ));
}

/// What the workload knows must be observed, the diagnosis first.
fn rows(
    truth: &Truth,
    checked: Vec<loopscope_workloads::TruthRow>,
    diagnoses: &[Diagnosis],
) -> Vec<TruthRow> {
    let first = diagnoses.first().map_or("", |diagnosis| diagnosis.id);
    let diagnosis = TruthRow {
        what: "diagnosis".to_owned(),
        expected: truth.diagnosis.to_owned(),
        observed: first.to_owned(),
        holds: first == truth.diagnosis,
    };
    let checked = checked.into_iter().map(|row| TruthRow {
        what: row.what,
        expected: row.expected,
        observed: row.observed,
        holds: row.holds,
    });
    [diagnosis].into_iter().chain(checked).collect()
}

fn cannot_start(error: io::Error) -> Failure {
    let errno = error.raw_os_error().map(io::Error::from_raw_os_error);
    match errno.map(|error| SysError::new("open", error).name()) {
        Some("EMFILE" | "ENFILE") => Failure::refused(format!(
            "the run can't be started ({error}); raise the limit of descriptors (`ulimit -n`)"
        )),
        _ => Failure::run(format!(
            "the run can't be started ({error}); see `ulimit -a` for the limits"
        )),
    }
}
