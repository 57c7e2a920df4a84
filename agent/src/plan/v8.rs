//! V8's drains and collections.
//!
//! Both have an end that is no function: it stands behind the call of the function that did the
//! work. All calls of it are looked for in all of the code, so that none is missed.

use iced_x86::{Instruction, Mnemonic, Register};

use super::{
    Point, Probe,
    evidence::Evidence,
    pick,
    probe::{Outcome, probe},
};
use crate::elf::{CallSite, Function, SiteKind, Symbol, branch_target, field};

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

const NOT_CALLED: &str = "nothing calls it directly";

/// Those functions in one image, and who calls them.
pub(super) struct V8<'a> {
    evidence: &'a Evidence<'a>,
    drain: Result<Vec<Target>, String>,
    collect: Result<Vec<Target>, String>,
    run: Result<Vec<Target>, String>,
}

impl<'a> V8<'a> {
    pub(super) fn of(evidence: &'a Evidence<'a>) -> Self {
        let [mut drain, mut collect, run] =
            [TRY_RUN, COLLECT, RUN].map(|prefix| named(evidence, prefix));
        let targets = [&mut drain, &mut collect].into_iter().flatten().flatten().collect();
        if let Err(reason) = find_callers(evidence, targets) {
            drain = drain.and(Err(reason.clone()));
            collect = collect.and(Err(reason));
        }
        Self { evidence, drain, collect, run }
    }

    pub(super) fn evidence(&self) -> &'a Evidence<'a> {
        self.evidence
    }

    /// The probes of drains and collections.
    pub(super) fn probes(&self, outcome: &mut Outcome) {
        outcome.add(Point::DrainStart, self.drain_start());
        outcome.add(Point::DrainEnd, self.drain_end());
        outcome.add(Point::GcStart, self.gc_start());
        outcome.add(Point::GcEnd, self.gc_end());
    }

    /// Whether a field of the queue that lies there is the first that is used behind a drain: the
    /// count of finished microtasks is.
    pub(super) fn is_read_behind_drain(&self, offset: u64) -> bool {
        let callers = self.drain().map_or(&[][..], |drain| &drain.callers);
        let first_field = |Caller { function, site }: &Caller| {
            let call = function.index_of(site.address)?;
            function.instructions[call + 1..].iter().find_map(field)
        };
        !callers.is_empty() && callers.iter().all(|caller| first_field(caller) == Some(offset))
    }

    /// Whether a field of the queue that lies there is what says that nothing waits in it.
    pub(super) fn is_tested_for_empty(&self, offset: u64) -> bool {
        let tests = |one: &Instruction| {
            one.mnemonic() == Mnemonic::Cmp
                && field(one) == Some(offset)
                && one.try_immediate(1).is_ok_and(|number| number == 0)
        };
        let run = self.run.iter().flatten();
        run.into_iter().any(|run| run.function.instructions.iter().any(tests))
    }

    /// `TryRunMicrotasks`, certain only where `RunMicrotasks` is all that calls it.
    fn drain(&self) -> Result<&Target, String> {
        let [drain] = self.drain.as_deref().map_err(Clone::clone)? else {
            return Err("more than one TryRunMicrotasks".to_owned());
        };
        let run = self.run.as_ref().map_err(Clone::clone)?;
        for Caller { function, .. } in &drain.callers {
            let start = function.range.start;
            // GCC's `.part.N` has a symbol only where the file isn't stripped.
            let goes_on_in_it = |run: &Target| run.function.jumps_between(start, start);
            let is_run = |run: &Target| run.symbol.address == start || goes_on_in_it(run);
            if !run.iter().any(is_run) {
                return Err(format!("a function at {start:#x}, not RunMicrotasks, calls it"));
            }
        }
        if drain.callers.is_empty() { Err(NOT_CALLED.to_owned()) } else { Ok(drain) }
    }

    fn drain_start(&self) -> Probes {
        let picked = pick::at_entry(&self.drain()?.function, TRY_RUN_ARGUMENTS)?;
        Ok(vec![probe(self.evidence, Point::DrainStart, picked)?])
    }

    fn drain_end(&self) -> Probes {
        self.behind_calls(Point::DrainEnd, self.drain()?.callers.iter())
    }

    /// Those that are called: GCC leaves an unused copy of what it has made a special one of.
    fn collections(&self) -> Result<Vec<&Target>, String> {
        let targets = self.collect.as_ref().map_err(Clone::clone)?;
        let used = targets.iter().filter(|target| !target.callers.is_empty());
        let used: Vec<&Target> = used.collect();
        if used.is_empty() {
            return Err(NOT_CALLED.to_owned());
        }
        match used.iter().find(|target| !tells_young_from_full(&target.function)) {
            Some(other) => Err(format!("{} does not test its collector", other.symbol.name)),
            None => Ok(used),
        }
    }

    fn gc_start(&self) -> Probes {
        let starts = self.collections()?.into_iter().map(|target| {
            let picked = pick::at_entry(&target.function, COLLECT_ARGUMENTS)
                .or_else(|_| pick::at_entry_at_any_cost(&target.function))?;
            probe(self.evidence, Point::GcStart, picked)
        });
        starts.collect()
    }

    fn gc_end(&self) -> Probes {
        let callers = self.collections()?.into_iter().flat_map(|target| &target.callers);
        self.behind_calls(Point::GcEnd, callers)
    }

    /// A probe behind each call. All of them, or none: with one missing, an end would be.
    fn behind_calls<'c>(&self, point: Point, callers: impl Iterator<Item = &'c Caller>) -> Probes {
        let ends = callers.map(|Caller { function, site }| {
            if site.kind == SiteKind::Jump {
                return Err(format!("a jump at {:#x} leads to it", site.address));
            }
            probe(self.evidence, point, pick::behind_call(function, site.address)?)
        });
        ends.collect()
    }
}

/// `collector & 0xfffffffd` is zero for the young collections, 0 and 2. A compiler that takes an
/// argument away may move those behind it, so the collector must be seen to come in `esi`.
fn tells_young_from_full(function: &Function) -> bool {
    let mut code = function.instructions.iter();
    let masks = code.clone().any(|one| {
        matches!(one.mnemonic(), Mnemonic::And | Mnemonic::Test)
            && one.try_immediate(1).is_ok_and(|mask| mask as u32 == 0xffff_fffd)
    });
    let registers = |one: &Instruction| {
        [one.op0_register(), one.op1_register(), one.memory_base(), one.memory_index()]
    };
    let names_it = |one: &&Instruction| {
        registers(one).iter().any(|register| register.full_register() == Register::RSI)
    };
    let comes_in_it = code.find(names_it).is_some_and(|first| match first.mnemonic() {
        Mnemonic::Mov => first.op1_register() == Register::ESI,
        Mnemonic::Test | Mnemonic::Cmp => first.op0_register() == Register::ESI,
        _ => false,
    });
    masks && comes_in_it
}

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

/// All functions whose names begin so. Those parts of one that hardly ever run and that the
/// compiler moved out of the way are none.
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
    let names: Vec<&str> = targets.iter().map(|target| target.symbol.name.as_str()).collect();
    let mut ways = v8.stubs_of(&names).map_err(|error| error.to_string())?;
    let addresses = targets.iter().map(|target| target.symbol.address);
    ways.extend(addresses.zip(0..));
    let addresses: Vec<u64> = ways.iter().map(|&(address, _)| address).collect();
    let sites = v8.image.calls_of(&addresses).map_err(|error| error.to_string())?;
    for site in sites {
        // What looks like a call may be a part of data or of another instruction. Then nobody can
        // tell whether it is one.
        let function = v8.function_around(site.address).filter(|function| {
            let index = function.index_of(site.address);
            index.is_some_and(|index| {
                branch_target(&function.instructions[index]) == Some(site.target)
            })
        });
        let Some(function) = function else {
            return Err(format!("{:#x} may be a call of it", site.address));
        };
        for &(_, target) in ways.iter().filter(|&&(address, _)| address == site.target) {
            targets[target].callers.push(Caller { function: function.clone(), site });
        }
    }
    Ok(())
}
