//! `run NAME`: a workload of the catalogue.

use std::path::Path;

use loop_core::Loop;
use loop_core::snapshot::Snapshot;
use loopscope_workloads::{Job, Story, Truth, UnknownWorkload, Variant, Workload, find_script};

use super::script::is_program;
use super::{options, truth};
use crate::cli::{ClockChoice, ReportForm, RunArgs, Selection};
use crate::command::output::Output;
use crate::command::ways::{Told, Ways};
use crate::command::{refuse_real_time, unwritable_stdout};
use crate::diagnosis::{Diagnosis, diagnose};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::report::{Report, TruthRow, WorkloadRun};
use crate::supervise::Outcome;
use crate::terminal::{Terminal, print};

pub(super) fn execute(args: &RunArgs) -> Result<Exit, Failure> {
    let input = Input::check(args)?;
    let job = input.job(args);
    job.prepare().map_err(Failure::refused)?;
    let (truth, story) = (job.truth(), job.story.clone());
    let name = job.workload.name;
    let progress = Progress::new(name, args.observe.stall_threshold_ns, Terminal::stderr());
    let body = move |lp: &mut Loop| job.run(lp);
    let run = super::run(args, name, options(args), body, input.ways, Some(progress))?;
    let truth = matches!(run.outcome, Outcome::Ended(Ok(()))).then_some(truth);
    tell_story(args, &story)?;
    let known = Known { selection: &input.selection, truth: truth.as_ref(), story: &story };
    let reported = report(args, &known, &run.snapshot, run.told);
    run.background.stop();
    reported?;
    match run.outcome {
        Outcome::Ended(Ok(())) => Ok(Exit::Ok),
        Outcome::TimedOut => Ok(Exit::TimedOut),
        Outcome::Interrupted(by) => Ok(Exit::Interrupted(by)),
        Outcome::Ended(Err(error)) => Err(Failure::run(format!(
            "{} failed: {error}; what was observed until then is in the report",
            args.name
        ))),
    }
}

/// What the options ask for, found good before anything has begun.
struct Input {
    selection: Selection,
    ways: Ways,
}

impl Input {
    fn check(args: &RunArgs) -> Result<Input, Failure> {
        refuse_options_of_scripts(args)?;
        let workload = loopscope_workloads::find(&args.name)
            .map_err(|error| Failure::usage(or_a_script(&args.name, &error)))?;
        let selection = Selection::new(workload, args.params.clone()).map_err(Failure::usage)?;
        if args.clock == ClockChoice::Virtual {
            refuse_real_time(workload, "run it with --clock real")?;
        }
        if args.fixed {
            refuse_no_twin(workload)?;
        }
        Ok(Input { selection, ways: Ways::open(&args.observe, Output::Stdout)? })
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

fn refuse_options_of_scripts(args: &RunArgs) -> Result<(), Failure> {
    let wrong = match args.script_args.first() {
        Some(first) => format!("`-- {first}`"),
        None if args.lambda.lambda => "--lambda".to_owned(),
        None if args.max_memory_bytes.is_some() => "--max-memory".to_owned(),
        None => return Ok(()),
    };
    Err(Failure::usage(format!(
        "{wrong} is for scripts and {} is a workload in Rust; leave it out",
        args.name
    )))
}

/// A script or a file may have been meant, of which a part of the name was given.
fn or_a_script(name: &str, error: &UnknownWorkload) -> String {
    let shelves = ["js", "promises", "seeds"].map(|shelf| format!("{shelf}/{name}"));
    let mut scripts = shelves.iter().filter(|name| find_script(name, Variant::Pathology).is_ok());
    if let Some(script) = scripts.next() {
        return format!("there is no workload `{name}`; the script of this name is `{script}`");
    }
    match is_program(Path::new(name)) {
        true => format!("there is no workload `{name}`; for the file write `./{name}`"),
        false => error.to_string(),
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

/// The transcript of a workload is what the program itself says, so it goes to standard output
/// whatever becomes of the report; unless that is JSON and goes there, too: then it is in it.
fn tell_story(args: &RunArgs, story: &Story) -> Result<(), Failure> {
    let to_stdout = args.observe.output.as_deref().is_none_or(|path| path == Path::new("-"));
    let lines = story.lines();
    if lines.is_empty() || (args.observe.report == ReportForm::Json && to_stdout) {
        return Ok(());
    }
    let end = if args.observe.report == ReportForm::Text && to_stdout { "\n\n" } else { "\n" };
    let text = lines.join("\n") + end;
    print(text.as_bytes()).map_err(|error| unwritable_stdout(&error))
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
    told: Told,
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
    truth::tell_what_does_not_hold(&workload.name, workload.truth.as_deref());
    let workload = Some(&workload);
    let report = Report { snapshot, diagnoses: &diagnoses, workload, script: None, command: None };
    told.write(&report)
}

/// What the workload knows must be observed, the diagnosis first.
fn rows(
    known: &Truth,
    checked: Vec<loopscope_workloads::TruthRow>,
    diagnoses: &[Diagnosis],
) -> Vec<TruthRow> {
    let diagnosis = truth::diagnosis(known.diagnosis, diagnoses);
    let checked = checked.into_iter().map(|row| TruthRow {
        what: row.what,
        expected: row.expected,
        observed: row.observed,
        holds: row.holds,
    });
    [diagnosis].into_iter().chain(checked).collect()
}
