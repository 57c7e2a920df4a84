//! What a CPU quota takes from a live Node.js, in its metrics.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::agent::Agent;
use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::common::until;
use crate::dashboards::agent_of;
use crate::groups::Group;
use crate::kernel::can_attach;
use crate::nodes::{self, Node};
use crate::serving::value;
use crate::target::Target;

const THROTTLED: &str = "loopscope_thread_throttled_seconds_total";
const RUN_DELAY: &str = "loopscope_thread_run_delay_seconds_total";

/// What a group loses until it is looked whether all of it is told.
const LOST_S: f64 = 2.0;

/// Wants three quarters of a CPU, in turns that are no stalls.
fn busy(node: &Node, name: &str) -> Target {
    let mut command = Command::new(&node.program);
    let script = "setInterval(() => { const end = Date.now() + 30; while (Date.now() < end); }, \
                  40); console.log('ready')";
    command.args(["-e", script]).env("OTEL_SERVICE_NAME", name);
    Target::spawn(name, command)
}

/// What is told of a target that is held back and of one that is not.
fn look(check: &mut Check, group: &Group, held: &Target, free: &Target, page: &dyn Fn() -> String) {
    let of = |page: &str, metric: &str, target: &Target| {
        let labels = [format!("pid=\"{}\"", target.pid()), "thread=\"main\"".to_owned()];
        value(page, metric, &labels)
    };
    until("it was held back", || group.throttled_s() > LOST_S);
    // It is looked at once a second.
    until("that is told", || of(&page(), THROTTLED, held) > LOST_S / 2.0);
    let page = page();
    let told = of(&page, THROTTLED, held);
    check.between("no more than its group lost", 0.0, told, group.throttled_s() + 0.001);
    check.between("no more than it waited", 0.0, told, of(&page, RUN_DELAY, held) + 0.001);
    let free = of(&page, THROTTLED, free);
    let is_held = free > 0.0;
    check.holds(!is_held, format!("{free} s of one that is not held back"));
}

#[test]
fn time_that_a_quota_takes_is_told_of_its_loops() {
    let _alone = alone();
    let test = "time_that_a_quota_takes_is_told_of_its_loops";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        for tier in ["full", "passive"] {
            let Some(group) = Group::with_quota(20, test) else { return };
            let (held, free) = (busy(&node, "held"), busy(&node, "free"));
            check.about(format!("{tier} {held}"));
            let attach = Attach::with(&[&held, &free], &["--tier", tier]);
            // It was looked at where it was before.
            sleep(Duration::from_millis(500));
            group.take(held.pid());
            look(&mut check, &group, &held, &free, &|| attach.metrics());
            attach.stop();
        }
        let Some(group) = Group::with_quota(20, test) else { return };
        let (held, free) = (busy(&node, "held"), busy(&node, "free"));
        check.about(format!("agent {held}"));
        group.take(held.pid());
        let agent: Agent = agent_of(&crate::common::folder(test), &["held", "free"], &[]);
        look(&mut check, &group, &held, &free, &|| agent.metrics());
        agent.stop();
    }
    check.end();
}
