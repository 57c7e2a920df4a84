//! `gate --lock`: workloads under virtual time against a lock file, and `gate accept`, which writes
//! it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use loop_core::{Clock, Options};
use loopscope_workloads::{Job, Rounds, Story, Variant};

use crate::background::{Background, Tasks};
use crate::cli::{LockArgs, Selection};
use crate::command::{refuse_real_time, unwritable_stdout};
use crate::exit::{Exit, Failure};
use crate::gate::{self, Difference, Lock, Section, StoreError, compare};
use crate::source::{self, Embedded, Observe};
use crate::supervise::{self, Event, Outcome};
use crate::terminal::{print, tell};

/// Compares with the lock.
pub(super) fn check(args: &LockArgs) -> Result<Exit, Failure> {
    let selections = selections(args)?;
    let lock = normal(gate::read(&args.lock).map_err(Failure::usage)?, &args.lock)?;
    let now = match count_all(args, &selections)? {
        Counted::Done(sections) => sections,
        Counted::CutShort(exit) => return Ok(exit),
    };
    let mut page = String::new();
    let mut failed = 0;
    for (name, section) in &now {
        match lock.sections.get(name) {
            None => {
                failed += 1;
                let _ = writeln!(page, "FAIL  {name}: not in {}", args.lock.display());
            }
            Some(locked) => {
                let differences = compare(locked, section);
                failed += usize::from(!differences.is_empty());
                write_section(&mut page, name, section, &differences);
            }
        }
    }
    let verdict = if failed == 0 { "passed" } else { "failed" };
    let _ = writeln!(page, "\ngate {verdict}: {failed} of {} sections differ", now.len());
    if failed > 0 {
        let _ = writeln!(page, "if that is meant: {}", accept_command(args));
    }
    print(page.as_bytes()).map_err(|error| unwritable_stdout(&error))?;
    Ok(if failed == 0 { Exit::Ok } else { Exit::GateFailed })
}

/// Writes the lock. Sections of other workloads stay as they are.
pub(super) fn accept(args: &LockArgs) -> Result<Exit, Failure> {
    let selections = selections(args)?;
    let mut lock = match gate::read(&args.lock) {
        Ok(lock) => normal(lock, &args.lock)?,
        Err(StoreError::Missing(_)) => Lock::default(),
        Err(error) => return Err(Failure::usage(error)),
    };
    let now = match count_all(args, &selections)? {
        Counted::Done(sections) => sections,
        Counted::CutShort(exit) => return Ok(exit),
    };
    let mut page = String::new();
    for (name, section) in now {
        match lock.sections.get(&name) {
            None => {
                let _ = writeln!(page, "new   {name}  {} values", section.values.len());
            }
            Some(locked) => {
                let differences = compare(locked, &section);
                let _ = match differences.len() {
                    0 => writeln!(page, "same  {name}"),
                    count => writeln!(page, "write {name}  {count} values differ"),
                };
                write_differences(&mut page, &differences);
            }
        }
        lock.sections.insert(name, section);
    }
    gate::write(&args.lock, &lock).map_err(Failure::usage)?;
    let sections = lock.sections.len();
    let _ = writeln!(page, "\nwrote {}, {sections} sections", args.lock.display());
    print(page.as_bytes()).map_err(|error| unwritable_stdout(&error))?;
    Ok(Exit::Ok)
}

fn selections(args: &LockArgs) -> Result<Vec<Selection>, Failure> {
    let parse = |text: &String| {
        let selection = Selection::parse(text).map_err(Failure::usage)?;
        let cure = "leave it out here, and run it by itself with `loopscope run`";
        refuse_real_time(selection.workload, cure)?;
        Ok(selection)
    };
    args.names.iter().map(parse).collect()
}

/// The lock as it would be written now: people may have written parameters in another form, as in
/// `[sync-promises --count 30_000 (fixed)]`.
fn normal(lock: Lock, path: &Path) -> Result<Lock, Failure> {
    let mut normal = Lock::default();
    for (name, mut section) in lock.sections {
        let Some((selection, variant)) = Selection::of_section(&name) else {
            normal.sections.insert(name, section);
            continue;
        };
        for (key, value) in &mut section.values {
            let param = key.strip_prefix("param.");
            if let Some(same) = param.and_then(|param| selection.normal_value(param, value)) {
                *value = same;
            }
        }
        let name_now = selection.section_name(variant);
        if normal.sections.insert(name_now.clone(), section).is_some() {
            return Err(Failure::usage(format!(
                "{}: section [{name_now}] is there twice, once as [{name}]; remove one of them",
                path.display()
            )));
        }
    }
    Ok(normal)
}

/// What came of counting.
enum Counted<T> {
    Done(T),
    CutShort(Exit),
}

/// Runs each workload and its fixed twin under virtual time.
fn count_all(
    args: &LockArgs,
    selections: &[Selection],
) -> Result<Counted<BTreeMap<String, Section>>, Failure> {
    let (sender, events) = channel();
    let interrupt = sender.clone();
    let on_interrupt = Box::new(move |by| interrupt.send(Event::Interrupted(by)).is_ok());
    let background =
        Background::start(Tasks { on_interrupt: Some(on_interrupt), ..Tasks::default() })
            .map_err(|error| Failure::run(format!("the gate can't be started ({error})")))?;
    let deadline = supervise::deadline(args.timeout_ns);
    let mut sections = BTreeMap::new();
    for selection in selections {
        for &variant in selection.workload.variants() {
            let name = selection.section_name(variant);
            let story = Story::default();
            let observed = start(selection, variant, story.clone(), &sender)?;
            let outcome = supervise::wait(&events, deadline, || {});
            match count(selection, outcome, &*observed, &story)? {
                Counted::Done(section) => sections.insert(name, section),
                Counted::CutShort(exit) => {
                    tell(&format!("{name} did not end by itself; nothing was compared"));
                    return Ok(Counted::CutShort(exit));
                }
            };
        }
    }
    background.stop();
    Ok(Counted::Done(sections))
}

fn start(
    selection: &Selection,
    variant: Variant,
    story: Story,
    sender: &Sender<Event<()>>,
) -> Result<Arc<Embedded>, Failure> {
    let job = Job {
        workload: selection.workload,
        args: selection.args.clone(),
        variant,
        rounds: Rounds::Times(1),
        pause_ns: 0,
        story,
    };
    let options = Options { clock: Clock::virtual_time(), ..Options::default() };
    let ended = sender.clone();
    let on_end = move |result| drop(ended.send(Event::Ended(result)));
    let name = selection.workload.name;
    source::start(name, options, move |lp| job.run(lp), on_end)
        .map_err(|error| failed(selection, &error))
}

fn count(
    selection: &Selection,
    outcome: Outcome<()>,
    observed: &dyn Observe,
    story: &Story,
) -> Result<Counted<Section>, Failure> {
    match outcome {
        Outcome::Ended(result) => result.map_err(|error| failed(selection, &error))?,
        Outcome::TimedOut => return Ok(Counted::CutShort(Exit::TimedOut)),
        Outcome::Interrupted(by) => return Ok(Counted::CutShort(Exit::Interrupted(by))),
    }
    let snapshot = observed.snapshot();
    let observed = snapshot.loops.first();
    let observed = observed.ok_or_else(|| failed(selection, &io::Error::other("no loop ran")))?;
    Ok(Counted::Done(gate::section(selection.args.iter(), observed, &story.lines())))
}

fn failed(selection: &Selection, error: &io::Error) -> Failure {
    let text = &selection.text;
    Failure::run(format!("{text} failed: {error}; run it by itself with `loopscope run`"))
}

fn write_section(page: &mut String, name: &str, section: &Section, differences: &[Difference]) {
    let mark = if differences.is_empty() { "ok  " } else { "FAIL" };
    let _ = writeln!(page, "{mark}  {name}  {} values", section.values.len());
    write_differences(page, differences);
}

/// A table: what, locked, now, ratio.
fn write_differences(page: &mut String, differences: &[Difference]) {
    if differences.is_empty() {
        return;
    }
    let heads = Difference::HEADS.map(str::to_owned).to_vec();
    let rows = differences.iter().map(|difference| difference.columns().to_vec());
    let rows: Vec<Vec<String>> = [heads].into_iter().chain(rows).collect();
    for line in crate::layout::left_table(&rows) {
        let _ = writeln!(page, "        {line}");
    }
}

/// The command that makes the lock what is counted now, to be copied as it stands.
fn accept_command(args: &LockArgs) -> String {
    let quote = |text: &str| match text.contains(|c: char| !c.is_alphanumeric() && c != '-') {
        true => format!("'{text}'"),
        false => text.to_owned(),
    };
    let names: Vec<_> = args.names.iter().map(|name| quote(name)).collect();
    format!("loopscope gate accept --lock {} -- {}", path(&args.lock), names.join(" "))
}

fn path(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) { format!("'{text}'") } else { text }
}
