//! Recordings of a gate's runs: `--save` keeps them, `--base-from` and `--head-from` compare them.
//!
//! ```text
//! DIR/base/001.loopscope   DIR/base/002.loopscope   ...
//! DIR/head/001.loopscope   DIR/head/002.loopscope   ...
//! ```
//!
//! The n-th ones are a pair. Runs that were recorded otherwise are compared as well; times only
//! where all are of one machine and were made by turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::command_line::CommandLine;
use super::outcome::{self, Judged};
use super::runner::Run;
use crate::cli::GateArgs;
use crate::command::gate_output::Targets;
use crate::exit::{Exit, Failure};
use crate::gate::budget::{self, Budget};
use crate::gate::decide::{self, Rules, Runs};
use crate::gate::order::Which;
use crate::gate::{Fingerprint, Made, PAIRS_MAX, PAIRS_MIN, Sample};
use crate::recording::{self, Head, Place, Recording, Writer};

/// How recordings are named.
const EXTENSION: &str = "loopscope";

/// The most that one run may take of the disk.
const BYTES_MAX: u64 = 64 << 20;

/// A folder that runs are kept in.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    base: usize,
    head: usize,
}

impl Folder {
    /// Makes the folder. One that has runs of another gate is left alone.
    pub(super) fn open(path: &Path) -> Result<Folder, Failure> {
        for side in ["base", "head"] {
            let folder = path.join(side);
            fs::create_dir_all(&folder).map_err(|error| no_folder(path, &error))?;
            if !recordings(&folder).map_err(|error| no_folder(path, &error))?.is_empty() {
                return Err(Failure::usage(format!(
                    "{} has the runs of another gate; choose another --save",
                    path.display()
                )));
            }
        }
        Ok(Folder { path: path.to_owned(), base: 0, head: 0 })
    }

    /// Keeps a run that was made after so many looks.
    pub(super) fn keep(
        &mut self,
        which: Which,
        command: &CommandLine,
        (stall_threshold_ns, looks): (u64, u32),
        run: &Run,
    ) -> Result<(), Failure> {
        let (side, number) = match which {
            Which::Base => ("base", &mut self.base),
            Which::Head => ("head", &mut self.head),
        };
        *number += 1;
        let path = self.path.join(side).join(format!("{number:03}.{EXTENSION}"));
        let words = command.words().iter().map(|word| word.to_string_lossy().into_owned());
        let head = Head {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began_unix_ns: run.began_unix_ns,
            command: words.collect(),
            stall_threshold_ns,
            machine: recording::machine(),
            looks,
            ..Head::default()
        };
        let place = Place::open(&path).map_err(Failure::usage)?;
        Writer::create(place, &head, BYTES_MAX)
            .and_then(|writer| writer.finish(&run.end, &run.snapshot))
            .map(drop)
            .map_err(|error| {
                let (path, cure) = (path.display(), recording::cure(&error));
                Failure::run(format!("{path} can't be written ({error}); {cure}"))
            })
    }
}

fn no_folder(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{} can't be made ({error}); choose another --save", path.display()))
}

/// The recordings in a folder, by name.
fn recordings(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The recorded runs of one side.
struct Side {
    folder: String,
    samples: Vec<Sample>,
    places: Vec<Fingerprint>,
    began_unix_ns: Vec<u64>,
    stall_threshold_ns: u64,
    /// How often the gate that has made them had judged fewer of them.
    looks: u32,
    /// The first recording of processes, which is of a part of their time.
    window: Option<PathBuf>,
}

impl Side {
    fn told(&self) -> outcome::Runs<'_> {
        outcome::Runs { command: &self.folder, samples: &self.samples }
    }

    fn judged(&self) -> Runs<'_> {
        Runs { samples: &self.samples, fingerprint: &self.places[0] }
    }
}

pub(super) fn execute(args: &GateArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    let runs = &args.runs;
    let (Some(head), []) = (&runs.head_from, args.words.as_slice()) else {
        return Err(Failure::usage(
            "--base-from and --head-from compare runs that were made; leave the command out",
        ));
    };
    let budgets = outcome::read_budgets(runs.budget.as_deref())?;
    if runs.base_from.is_none() && runs.budget.is_none() {
        return Err(Failure::usage(
            "nothing to compare with; add --base-from DIR, or --budget FILE",
        ));
    }
    let targets = Targets::open(&args.output)?;
    let head = side(head)?;
    let base = runs.base_from.as_deref().map(side).transpose()?;
    check(base.as_ref(), &head, &budgets)?;
    let rules = rules(base.as_ref(), &head, runs.exact_tolerance / 100.0);
    let judged = judge(base.as_ref(), &head, &budgets, rules);
    let place = head.places.first().cloned().unwrap_or_default();
    let base = base.as_ref().map(Side::told);
    let comparison = outcome::comparison(base, head.told(), judged, place, started);
    let comparison = outcome::asked(comparison, runs.on_inconclusive);
    targets.write(&comparison)?;
    Ok(outcome::exit(&comparison, runs.on_inconclusive))
}

/// Reads the runs of one side.
fn side(folder: &Path) -> Result<Side, Failure> {
    let paths = recordings(folder).map_err(|error| {
        Failure::usage(format!("{} can't be read ({error}); check its name", folder.display()))
    })?;
    if paths.is_empty() || paths.len() > PAIRS_MAX {
        return Err(Failure::usage(format!(
            "{} has {} recordings (*.{EXTENSION}) and should have 1 to {PAIRS_MAX}; \
             `loopscope gate --save DIR` makes them",
            folder.display(),
            paths.len()
        )));
    }
    let mut side = Side {
        folder: folder.display().to_string(),
        samples: Vec::new(),
        places: Vec::new(),
        began_unix_ns: Vec::new(),
        stall_threshold_ns: 0,
        looks: 0,
        window: None,
    };
    for path in paths {
        let recording = recording::read(&path).map_err(Failure::usage)?;
        let threshold_ns = recording.head.stall_threshold_ns;
        if !side.samples.is_empty() && threshold_ns != side.stall_threshold_ns {
            return Err(Failure::usage(format!(
                "{} was recorded with another --stall-threshold than those before; \
                 record all with the same",
                path.display()
            )));
        }
        side.stall_threshold_ns = threshold_ns;
        side.looks = side.looks.max(recording.head.looks);
        if !recording.head.pids.is_empty() {
            side.window.get_or_insert(path);
        }
        side.places.push(place(&recording));
        side.began_unix_ns.push(recording.head.began_unix_ns);
        side.samples.push(sample(&recording));
    }
    Ok(side)
}

fn place(recording: &Recording) -> Fingerprint {
    let loopscope = recording.head.version.clone();
    Fingerprint { loopscope, ..Fingerprint::of(&recording.head.machine) }
}

fn sample(recording: &Recording) -> Sample {
    let end = recording.end.as_ref();
    let mut losses = recording.notes();
    if let Some(end) = end.filter(|_| !recording.head.command.is_empty()) {
        losses.extend(end.notes.iter().cloned());
        if end.timed_out {
            losses.push("its command was ended by --timeout".to_owned());
        } else if end.status != Some(0) {
            losses.push("its command has failed".to_owned());
        }
    }
    let made = Made {
        cpu_ns: end.and_then(|end| end.cpu_ns),
        stall_threshold_ns: recording.head.stall_threshold_ns,
        from_start: end.is_some_and(|end| end.from_start),
        first_turn: end.is_some_and(|end| end.first_turn),
        losses,
    };
    Sample::of(&recording.snapshot, made)
}

/// How it is judged: as sure as the gate had to be that has made these runs, and has judged fewer
/// of them before.
fn rules(base: Option<&Side>, head: &Side, exact_tolerance: f64) -> Rules {
    let look = base.map_or(0, |base| base.looks).max(head.looks);
    Rules { exact_tolerance, look }
}

/// What can't be compared at all.
fn check(base: Option<&Side>, head: &Side, budgets: &[Budget]) -> Result<(), Failure> {
    let recorded_ns = head.stall_threshold_ns;
    if budget::stall_threshold_ns(budgets, recorded_ns) < recorded_ns {
        return Err(Failure::usage(
            "a budget is for shorter stalls than were recorded; record with that --stall-threshold",
        ));
    }
    let Some(base) = base else { return check_window(head, budgets) };
    if let Some(window) = base.window.as_ref().or(head.window.as_ref()) {
        return Err(Failure::usage(format!(
            "{} was recorded of processes: it is of a part of their time, and what they counted in \
             it can't be compared; record the command, with `loopscope record -o FILE -- CMD`",
            window.display()
        )));
    }
    if base.stall_threshold_ns != recorded_ns {
        return Err(Failure::usage(
            "base and head were recorded with different --stall-threshold; use one for both",
        ));
    }
    let (before, after) = (base.samples.len(), head.samples.len());
    if before != after || after < PAIRS_MIN {
        return Err(Failure::usage(format!(
            "{} has {before} runs and {} has {after}; both need the same number, at least \
             {PAIRS_MIN}",
            base.folder, head.folder
        )));
    }
    Ok(())
}

/// Of a part of the time of processes there are percentiles and shares, and stalls. How much of
/// anything there is hangs on how long they were observed.
fn check_window(head: &Side, budgets: &[Budget]) -> Result<(), Failure> {
    let Some(window) = &head.window else { return Ok(()) };
    let of_whole = budgets.iter().find(|budget| budget.quantity.is_of_whole_run());
    of_whole.map_or(Ok(()), |budget| {
        Err(Failure::usage(format!(
            "`{}` is for a whole run, and {} was recorded of processes, for a part of their time; \
             limit a percentile, a share or stalls",
            budget.text,
            window.display()
        )))
    })
}

fn judge(base: Option<&Side>, head: &Side, budgets: &[Budget], rules: Rules) -> Judged {
    let mut why = decide::invalid("head", &head.samples);
    if let Some(base) = base {
        why.extend(decide::invalid("base", &base.samples));
        why.extend(decide::unlike(&base.samples, &head.samples));
    }
    if !why.is_empty() {
        return Err(why);
    }
    let mut metrics = match base {
        Some(base) => {
            let why = incomparable_times(base, head);
            decide::metrics_but(base.judged(), head.judged(), rules, why)
        }
        None => Vec::new(),
    };
    metrics.extend(budgets.iter().map(|budget| budget.judge(&head.samples)));
    decide::order(&mut metrics);
    let window = head.window.as_ref().map(|_| {
        "head was recorded of processes: budgets are held against that time alone".to_owned()
    });
    let notes = window.into_iter().chain(decide::notes(&metrics));
    let notes = notes.chain(outcome::budget_notes(budgets, &head.samples)).collect();
    Ok((metrics, notes))
}

/// Why times are not compared that machine and order have made different; `None` where they are.
fn incomparable_times(base: &Side, head: &Side) -> Option<String> {
    let first = &base.places[0];
    let mut others = base.places.iter().chain(&head.places);
    if let Some(differs) = others.find_map(|other| first.differs(other)) {
        return Some(format!("the runs are of different machines: {differs}"));
    }
    let by_turns = by_turns(&base.began_unix_ns, &head.began_unix_ns);
    (!by_turns).then(|| {
        "the runs were not made by turns, so that the machine may have changed between them; \
         `loopscope gate --save DIR` makes them so"
            .to_owned()
    })
}

/// Whether each pair was made before the next one.
fn by_turns(base: &[u64], head: &[u64]) -> bool {
    let mut until = 0;
    base.iter().zip(head).all(|(&one, &other)| {
        let before = std::mem::replace(&mut until, one.max(other));
        before < one.min(other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(began_unix_ns: &[u64], boot: &str) -> Side {
        let machine = [("boot".to_owned(), boot.to_owned())].into_iter().collect();
        Side {
            folder: boot.to_owned(),
            samples: Vec::new(),
            places: vec![Fingerprint::of(&machine); began_unix_ns.len()],
            began_unix_ns: began_unix_ns.to_vec(),
            stall_threshold_ns: 1,
            looks: 0,
            window: None,
        }
    }

    #[test]
    fn times_of_other_machines_or_moments_are_not_compared() {
        let why = |base: &Side, head: &Side| incomparable_times(base, head);
        assert_eq!(why(&side(&[1, 4], "a"), &side(&[2, 3], "a")), None);
        let elsewhere = why(&side(&[1, 4], "a"), &side(&[2, 3], "b")).unwrap();
        assert!(elsewhere.contains("different machines: machine a and b"), "{elsewhere}");
        let mut mixed = side(&[2, 3], "a");
        mixed.places[1] = side(&[1], "b").places.remove(0);
        assert!(why(&side(&[1, 4], "a"), &mixed).unwrap().contains("different machines"));
        assert!(why(&side(&[1, 2], "a"), &side(&[3, 4], "a")).unwrap().contains("by turns"));
    }

    #[test]
    fn runs_of_a_gate_that_looked_again_are_judged_as_it_did() {
        let after = |looks| Side { looks, ..side(&[1], "a") };
        assert_eq!(rules(Some(&after(2)), &after(1), 0.05).look, 2);
        assert_eq!(rules(Some(&after(0)), &after(3), 0.05).look, 3);
        let alone = Rules { exact_tolerance: 0.05, look: 0 };
        assert_eq!(rules(None, &after(0), 0.05), alone);
    }

    #[test]
    fn a_part_of_the_time_of_processes_is_no_run() {
        let whole = || side(&[1, 4, 5, 8], "a");
        let part = || Side { window: Some("b/7.loopscope".into()), ..whole() };
        for (base, head) in [(whole(), part()), (part(), whole())] {
            let failure = check(Some(&base), &head, &[]).expect_err("it is no run");
            assert!(failure.message.contains("b/7.loopscope was recorded of processes"));
            assert!(failure.message.contains("loopscope record -o FILE -- CMD"));
        }
        let budgets = |text: &str| budget::parse(text).expect("it is a budget");
        let told = "p99 turn < 5ms\nutilization < 80%\ngc time < 5%\nstalls over 1ns = 0";
        assert!(check(None, &part(), &budgets(told)).is_ok());
        for text in ["microtasks < 5", "active time < 1s", "gc time < 5ms", "turns > 7"] {
            let failure = check(None, &part(), &budgets(text)).expect_err("how long was it?");
            assert!(failure.message.contains("is for a whole run"), "{}", failure.message);
            assert!(check(None, &whole(), &budgets(text)).is_ok());
        }
    }

    #[test]
    fn turns_are_pairs_one_behind_the_other() {
        assert!(by_turns(&[1, 4, 6], &[2, 3, 5]));
        assert!(by_turns(&[], &[]));
        assert!(!by_turns(&[1, 2, 3], &[4, 5, 6]), "one side behind the other");
        assert!(!by_turns(&[1, 3], &[4, 2]), "pairs that overlap");
        assert!(!by_turns(&[1, 1], &[2, 2]), "two at once");
    }
}
