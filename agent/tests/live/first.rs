//! The first turn that a loop makes after it was attached to. Its probes tell from its first poll
//! on, and that turn ends with it.

use crate::alone;
use crate::attach::Attach;
use crate::check::{Check, Tolerance};
use crate::kernel::can_attach;
use crate::nodes;
use crate::target::Target;

/// What a turn has beside its callback: to read a line, and to write one.
const TURN: Tolerance = Tolerance { share: 0.01, below_ns: 1e6, above_ns: 10e6 };

#[test]
fn a_stall_in_the_first_turn() {
    let _alone = alone();
    let test = "a_stall_in_the_first_turn";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start(&node, "first.js");
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let report = attach.stop();
        check.about(&target);
        let Some(main) = report.main(target.pid(), &mut check) else { continue };
        let stalls = main.value()["stalls"].as_array().cloned().unwrap_or_default();
        let events = &report.value()["events"];
        let truth = target.end();
        check.equal("stalls", 1, stalls.len());
        check.equal("events.seen", Some(1), events["seen"].as_u64());
        let Some(stall) = stalls.first() else { continue };
        let (lasted, told) = (truth["duration_ns"].as_f64(), stall["duration_ns"].as_f64());
        check.near("duration_ns", lasted.unwrap_or(0.0), told.unwrap_or(0.0), TURN);
        let ledger = stall["ledger_ns"].as_object().expect("a ledger");
        let all: f64 = ledger.values().filter_map(serde_json::Value::as_f64).sum();
        check.equal("sum of the ledger", told, Some(all));
        check.equal("function", Some("firstOfAll"), stall["culprit"]["function"].as_str());
    }
    check.end();
}
