//! V8's drains and collections.
//!
//! Both have an end that is no function: it stands behind the call of the function that did the
//! work. All calls of it are looked for in all of the code, so that none is missed.

use iced_x86::Instruction;

use super::{
    Point, Probe,
    evidence::Evidence,
    pick,
    probe::{Outcome, probe},
};
use crate::elf::{CallSite, Function, SiteKind, Symbol, branch_target};

/// `v8::internal::Execution::TryRunMicrotasks`. What follows are the types of its arguments, which
/// differ between versions.
pub(super) const TRY_RUN: &str = "_ZN2v88internal9Execution16TryRunMicrotasksE";
/// `v8::internal::MicrotaskQueue::RunMicrotasks(Isolate*)`, and its parts: GCC puts all of it but
/// the test for an empty queue into a `.part.N`.
pub(super) const RUN: &str = "_ZN2v88internal14MicrotaskQueue13RunMicrotasksEPNS0_7IsolateE";
/// `v8::internal::Heap::PerformGarbageCollection`.
pub(super) const COLLECT: &str = "_ZN2v88internal4Heap24PerformGarbageCollectionE";

/// `TryRunMicrotasks(isolate, queue)`.
const TRY_RUN_ARGUMENTS: usize = 2;
/// `PerformGarbageCollection(heap, collector, reason)`; the text of the reason isn't read.
const COLLECT_ARGUMENTS: usize = 3;

/// The probes of drains and collections.
pub(super) fn drains_and_collections(v8: &Evidence<'_>, outcome: &mut Outcome) {
    let mut drain = named(v8, TRY_RUN);
    let mut collect = named(v8, COLLECT);
    let targets = [&mut drain, &mut collect].into_iter().flatten().flatten().collect();
    let found = find_callers(v8, targets);
    for (points, targets) in [(DRAIN, drain), (GC, collect)] {
        let [starts, ends] = match targets.and_then(|targets| found.clone().map(|()| targets)) {
            Ok(targets) if points == DRAIN => [drain_start(v8, &targets), drain_end(v8, &targets)],
            Ok(targets) => [gc_start(v8, &targets), gc_end(v8, &targets)],
            Err(reason) => [Err(reason.clone()), Err(reason)],
        };
        outcome.add(points[0], starts);
        outcome.add(points[1], ends);
    }
}

const DRAIN: [Point; 2] = [Point::DrainStart, Point::DrainEnd];
const GC: [Point; 2] = [Point::GcStart, Point::GcEnd];

type Probes = Result<Vec<Probe>, String>;

/// One of the functions looked for.
struct Target {
    symbol: Symbol,
    function: Function,
    callers: Vec<Caller>,
}

/// A place that leads to one.
struct Caller {
    function: Function,
    site: CallSite,
}

/// All functions whose names begin so. Those parts of one that hardly ever run and that the compiler
/// moved out of the way are none.
fn named(v8: &Evidence<'_>, prefix: &str) -> Result<Vec<Target>, String> {
    let mut targets = Vec::new();
    for symbol in v8.all(prefix).iter().filter(|symbol| is_whole(symbol)) {
        let function = v8.function(symbol)?;
        targets.push(Target { symbol: symbol.clone(), function, callers: Vec::new() });
    }
    match targets.is_empty() {
        true => v8.one(prefix).map(|_| targets),
        false => Ok(targets),
    }
}

fn is_whole(symbol: &Symbol) -> bool {
    symbol.function && !symbol.name.split('.').any(|part| part == "cold")
}

/// Fills in who calls each, directly or through the linkage table.
fn find_callers(v8: &Evidence<'_>, mut targets: Vec<&mut Target>) -> Result<(), String> {
    let mut ways: Vec<(u64, usize)> = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        ways.push((target.symbol.address, index));
        let stubs = v8.stubs_of(&target.symbol.name).map_err(|error| error.to_string())?;
        ways.extend(stubs.into_iter().map(|stub| (stub, index)));
    }
    let addresses: Vec<u64> = ways.iter().map(|&(address, _)| address).collect();
    let sites = v8.image.calls_of(&addresses).map_err(|error| error.to_string())?;
    for site in sites {
        let Some(function) = v8.function_around(site.address) else {
            return Err(format!("{:#x} may call it, but can't be disassembled", site.address));
        };
        let leads = |one: &Instruction| branch_target(one) == Some(site.target);
        let index = function.index_of(site.address);
        // Bytes within another instruction may look like a call.
        if !index.is_some_and(|index| leads(&function.instructions[index])) {
            continue;
        }
        for &(_, target) in ways.iter().filter(|&&(address, _)| address == site.target) {
            targets[target].callers.push(Caller { function: function.clone(), site });
        }
    }
    Ok(())
}

fn drain_start(v8: &Evidence<'_>, targets: &[Target]) -> Probes {
    let [target] = targets else { return Err("more than one TryRunMicrotasks".to_owned()) };
    let picked = pick::at_entry(&target.function, TRY_RUN_ARGUMENTS)?;
    Ok(vec![probe(v8, Point::DrainStart, picked)?])
}

/// The end is certain only where `RunMicrotasks` is all that calls it.
fn drain_end(v8: &Evidence<'_>, targets: &[Target]) -> Probes {
    let [Target { callers, .. }] = targets else {
        return Err("more than one TryRunMicrotasks".to_owned());
    };
    let run = named(v8, RUN)?;
    for Caller { function, .. } in callers {
        let start = function.range.start;
        // GCC's `.part.N` has a symbol only where the file isn't stripped.
        let goes_on_in_it = |run: &Target| run.function.jumps_between(start, start);
        let is_run = |run: &Target| run.symbol.address == start || goes_on_in_it(run);
        if !run.iter().any(is_run) {
            return Err(format!("a function at {start:#x}, not RunMicrotasks, calls it"));
        }
    }
    behind_calls(v8, Point::DrainEnd, callers.iter())
}

/// Only what is called: GCC leaves an unused copy of what it has made a special one of.
fn gc_start(v8: &Evidence<'_>, targets: &[Target]) -> Probes {
    let used = targets.iter().filter(|target| !target.callers.is_empty());
    let starts = used.map(|target| {
        let picked = pick::at_entry(&target.function, COLLECT_ARGUMENTS)
            .or_else(|_| pick::at_entry_at_any_cost(&target.function))?;
        probe(v8, Point::GcStart, picked)
    });
    let starts: Vec<Probe> = starts.collect::<Result<_, _>>()?;
    if starts.is_empty() { Err("nothing calls it directly".to_owned()) } else { Ok(starts) }
}

fn gc_end(v8: &Evidence<'_>, targets: &[Target]) -> Probes {
    behind_calls(v8, Point::GcEnd, targets.iter().flat_map(|target| &target.callers))
}

/// A probe behind each call. All of them, or none: with one missing, an end would be.
fn behind_calls<'a>(
    v8: &Evidence<'_>,
    point: Point,
    callers: impl Iterator<Item = &'a Caller>,
) -> Probes {
    let ends = callers.map(|Caller { function, site }| {
        if site.kind == SiteKind::Jump {
            return Err(format!("a jump at {:#x} leads to it", site.address));
        }
        probe(v8, point, pick::behind_call(function, site.address)?)
    });
    let ends: Vec<Probe> = ends.collect::<Result<_, _>>()?;
    if ends.is_empty() { Err("nothing calls it directly".to_owned()) } else { Ok(ends) }
}
