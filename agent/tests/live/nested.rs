//! Drains within drains: a context of `vm` may have a queue of its own.

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::kernel::can_attach;
use crate::nodes;
use crate::target::Target;
use crate::truth::{self, number};

/// The outer drain is told whole, as long as it was. That there were others is told.
#[test]
fn a_drain_in_which_another_queue_is_drained() {
    let _alone = alone();
    let test = "a_drain_in_which_another_queue_is_drained";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start(&node, "nested.js");
        check.about(&target);
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let report = attach.stop();
        let pid = target.pid();
        let truth = target.end();
        let Some(main) = report.main(pid, &mut check) else { continue };
        truth::drains(&main, &truth["drains"], &mut check);
        let limits = report.target(pid)["limits"].to_string();
        let told = format!("within the drain of another queue ({})", number(&truth["nested"]));
        check.holds(limits.contains(&told), format!("no `{told}` in {limits}"));
        let unread = "could not be read";
        check.holds(!limits.contains(unread), format!("`{unread}` in {limits}"));
    }
    check.end();
}
