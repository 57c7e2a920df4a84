//! The facts about one process that decide how it is observed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

use loop_core::snapshot::Tier;

use super::verdict::Verdict;
use crate::elf::Image;
use crate::exit::{Cause, Failure};
use crate::plan::{self, Plan, Point};
use crate::process::{FileState, Kind, MappedFile, Process, Refusal};
use crate::source::live::layout::uv_layout;
use crate::source::live::memory::Memory;

/// What can be told of a process, and what can't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its number.
    pub pid: u32,
    /// What people call it; empty if it could not be looked at.
    pub name: String,
    /// Its own number, where it is in a PID namespace of its own.
    pub own_pid: Option<u32>,
    /// What could be found in its files.
    pub plan: Option<Plan>,
    /// Its files still have all their symbols.
    pub all_symbols: bool,
    /// Why it can't be looked at, or is no Node.
    pub refusal: Option<Refusal>,
    /// Why its memory can't be read, or not be understood.
    pub memory_missing: Option<Cause>,
    /// The best tier that its probes make.
    pub best: Tier,
    /// What can't be seen by probes, what decides the tier first.
    pub unseen: Vec<Cause>,
}

/// Which points make a tier, the most important first.
const OF_TIERS: [(Point, Tier); 3] = [
    (Point::IoPoll, Tier::Passive),
    (Point::DrainStart, Tier::Turn),
    (Point::DrainEnd, Tier::Turn),
];

impl Target {
    /// Looks at a process: its files and the right to read its memory. What its plan costs, where
    /// `plans` does not have it yet.
    pub fn look(pid: u32, plans: &mut Plans) -> Target {
        match Process::open(pid) {
            Ok(process) => Target::of(&process, plans),
            Err(refusal) => Target::refused(pid, Process::kernels_name(pid), refusal),
        }
    }

    /// As [`Target::look`], at a process that is open.
    pub fn of(process: &Process, plans: &mut Plans) -> Target {
        let pid = process.identity().pid;
        let name = process.name().to_owned();
        match plans.of(process) {
            Ok((plan, all_symbols)) => {
                let own_pid = process.own_pid();
                Target {
                    own_pid: (own_pid != pid).then_some(own_pid),
                    memory_missing: memory_missing(process, &plan),
                    ..Target::planned(pid, name, plan, all_symbols)
                }
            }
            Err(refusal) => Target::refused(pid, name, refusal),
        }
    }

    /// One whose memory can be read.
    pub(super) fn planned(pid: u32, name: String, plan: Plan, all_symbols: bool) -> Target {
        let cure = if all_symbols { OTHER_BUILD } else { OTHER_FILE };
        let cause = |(why, subjects): (&str, Vec<&str>)| {
            Cause::new(format!("{} can't be seen: {why}", list(&subjects)), cure)
        };
        let below = OF_TIERS.iter().find(|(point, _)| plan.why_missing(*point).is_some());
        Target {
            pid,
            name,
            own_pid: None,
            all_symbols,
            refusal: None,
            memory_missing: None,
            best: below.map_or(Tier::Full, |(_, tier)| *tier),
            unseen: without_probe(&plan).into_iter().map(cause).collect(),
            plan: Some(plan),
        }
    }

    pub(super) fn refused(pid: u32, name: String, refusal: Refusal) -> Target {
        Target {
            pid,
            name,
            own_pid: None,
            plan: None,
            all_symbols: false,
            refusal: Some(refusal),
            memory_missing: None,
            best: Tier::Passive,
            unseen: Vec::new(),
        }
    }

    /// Whether it turned out to be no Node, or has ended.
    pub fn is_of_no_interest(&self) -> bool {
        let kind = self.refusal.as_ref().map(|refusal| refusal.kind);
        matches!(kind, Some(Kind::NotNode | Kind::NotFound | Kind::Ended))
    }

    /// What a command says that was to observe it and can't: the line and the exit code.
    pub fn failure(&self, verdict: &Verdict) -> Option<Failure> {
        match &self.refusal {
            Some(refusal) => Some(refusal.clone().into()),
            None => verdict.refusal().map(Failure::refused),
        }
    }
}

const OTHER_BUILD: &str = "use a Node.js of nodejs.org, whose builds are known";
const OTHER_FILE: &str = "use a Node.js that was not stripped, as those of nodejs.org";

/// What has no probe, by reason: each with what can't be seen for it.
fn without_probe(plan: &Plan) -> Vec<(&str, Vec<&'static str>)> {
    let mut reasons: Vec<(&str, Vec<&'static str>)> = Vec::new();
    let first = OF_TIERS.iter().map(|(point, _)| *point);
    for point in first.chain(Point::ALL) {
        let Some(why) = plan.why_missing(point) else { continue };
        let subject = subject(point);
        match reasons.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, subjects)) if subjects.contains(&subject) => {}
            Some((_, subjects)) => subjects.push(subject),
            None => reasons.push((why, vec![subject])),
        }
    }
    reasons
}

fn subject(point: Point) -> &'static str {
    match point {
        Point::RunTimers => "the timers phase",
        Point::RunIdle => "the idle phase",
        Point::RunPrepare => "the prepare phase",
        Point::IoPoll => "turns",
        Point::RunCheck => "the check phase",
        Point::DrainStart | Point::DrainEnd => "microtask drains",
        Point::GcStart | Point::GcEnd => "pauses of garbage collection",
        Point::Begin => "when a program begins that `exec` starts",
    }
}

/// `a, b and c`.
fn list(subjects: &[&str]) -> String {
    match subjects {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The plans that were made, by the files that they were made from: the processes of a cluster have
/// one plan.
#[derive(Debug, Default)]
pub struct Plans {
    known: BTreeMap<Vec<FileState>, Option<(Plan, bool)>>,
}

impl Plans {
    /// The plan of a process, and whether the files that it comes from have all their symbols.
    fn of(&mut self, process: &Process) -> Result<(Plan, bool), Refusal> {
        let pid = process.identity().pid;
        let unreadable = |error: &dyn Display| {
            let name = process.name();
            let what = format!("what process {pid} ({name}) executes can't be read ({error})");
            Refusal::new(Kind::Unreadable, what, "see that it still runs, and try again as root")
        };
        let modules = process.modules().map_err(|error| unreadable(&error))?;
        let states = modules.iter().map(|module| module.state).collect();
        let known = match self.known.entry(states) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let made = made(&modules).map_err(|error| unreadable(&error))?;
                free.insert(made)
            }
        };
        known.clone().ok_or_else(|| Refusal::not_node(pid, process.name()))
    }
}

/// `None`: the files are no Node.
fn made(modules: &[MappedFile]) -> std::io::Result<Option<(Plan, bool)>> {
    let mut images = Vec::new();
    for module in modules {
        // What is no image for this machine is none that could be probed.
        images.extend(Image::read(module.open()?));
    }
    let Ok(plan) = plan::plan(&images) else { return Ok(None) };
    let concerned = images.iter().zip(&plan.modules).filter(|(_, module)| module.uv || module.v8);
    let all_symbols = concerned.map(|(image, _)| image).all(Image::has_all_symbols);
    Ok(Some((plan, all_symbols)))
}

fn memory_missing(process: &Process, plan: &Plan) -> Option<Cause> {
    if let Err(error) = Memory::open(process.identity()) {
        return Some(process.memory_refusal(&error).cause);
    }
    layout_missing(plan.versions.uv)
}

/// Memory is read by offsets, which depend on libuv's version.
pub(super) fn layout_missing(uv: Option<(u8, u8, u8)>) -> Option<Cause> {
    const CURE: &str = "use Node.js 18 or newer";
    let Some(version) = uv else {
        return Some(Cause::new("the version of its libuv can't be told", CURE));
    };
    uv_layout(version).is_none().then(|| {
        let (major, minor, patch) = version;
        Cause::new(format!("its libuv {major}.{minor}.{patch} is not known"), CURE)
    })
}
