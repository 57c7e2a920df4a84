//! libuv's phases.

use super::{
    Point,
    evidence::Evidence,
    pick,
    probe::{Outcome, probe},
    recover,
};
use crate::elf::Function;

/// The phases that are functions of their own, with how many arguments each has. The pending and
/// the closing phase are inlined into `uv_run` by every compiler so far.
pub(super) const PHASES: [(Point, &str, usize); 5] = [
    (Point::RunTimers, "uv__run_timers", 1),
    (Point::RunIdle, "uv__run_idle", 1),
    (Point::RunPrepare, "uv__run_prepare", 1),
    (Point::IoPoll, "uv__io_poll", 2),
    (Point::RunCheck, "uv__run_check", 1),
];

/// The loop itself, exported by every libuv.
pub(super) const RUN: &str = "uv_run";

/// The probes of the phases.
pub(super) fn phases(uv: &Evidence<'_>, outcome: &mut Outcome) {
    let run = uv.function_named(RUN);
    for (point, name, arguments) in PHASES {
        let found = run.as_ref().map_err(Clone::clone).and_then(|run| {
            let function = phase(uv, run, (point, name))?;
            let picked = pick::at_entry(&function, arguments)?;
            probe(uv, point, picked)
        });
        outcome.add(point, found.map(|probe| vec![probe]));
    }
}

/// The function of a phase: by its symbol, or where all symbols are gone by what it does. That
/// `uv_run` calls it makes sure that the symbol is the right one.
fn phase(
    uv: &Evidence<'_>,
    run: &Function,
    (point, name): (Point, &str),
) -> Result<Function, String> {
    if !uv.has(name) && !uv.image.has_all_symbols() {
        return recover::phase(uv, run, point);
    }
    let symbol = uv.one(name)?;
    let function = uv.function(symbol)?;
    if run.callees().any(|(_, callee)| callee == symbol.address) {
        Ok(function)
    } else {
        Err(format!("{RUN} does not call {name}"))
    }
}
