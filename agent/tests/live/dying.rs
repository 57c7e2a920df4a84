//! What `loopscope agent` tells of loops that have ended: each reader its last values once, by
//! its own interval, and nothing twice.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use crate::agent::Agent;
use crate::alone;
use crate::common::{get_with, until};
use crate::kernel::can_attach;
use crate::nodes;
use crate::target::Target;

const TURNS: &str = "loopscope_eventloop_turns_total";

fn page_for(agent: &Agent, reader: &str) -> String {
    let head = format!("User-Agent: {reader}\r\n");
    let (_, page) = get_with(agent.address(), "/metrics", &head);
    String::from_utf8(page).expect("a text")
}

/// The threads of a process that have a series of turns.
fn threads(page: &str, pid: u32) -> Vec<String> {
    let pid = format!("pid=\"{pid}\"");
    let of = page.lines().filter(|line| line.starts_with(TURNS) && line.contains(&pid));
    let thread = |line: &str| Some(line.split("thread=\"").nth(1)?.split('"').next()?.to_owned());
    of.filter_map(thread).collect()
}

/// One reads each second, and one each six.
#[test]
fn one_that_reads_often_is_told_of_the_dead_no_longer_than_it_asks() {
    let _alone = alone();
    let test = "one_that_reads_often_is_told_of_the_dead_no_longer_than_it_asks";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let target = Target::start(&node, "idle.js");
    let agent = Agent::start(&["--discovery-interval", "200ms"]);
    let (pid, second) = (target.pid(), Duration::from_secs(1));
    let is_in = |page: &str| !threads(page, pid).is_empty();
    until("it is found", || is_in(&page_for(&agent, "often")));
    for reading in 0..=12 {
        page_for(&agent, "often");
        if reading % 6 == 0 {
            page_for(&agent, "seldom");
        }
        sleep(second);
    }
    drop(target);
    let told: Vec<bool> = (0..4)
        .map(|_| {
            sleep(second);
            is_in(&page_for(&agent, "often"))
        })
        .collect();
    assert!(!told[2] && !told[3], "{told:?}: it reads each second");
    sleep(second);
    assert!(is_in(&page_for(&agent, "seldom")), "who has not read of it since is told still");
}

/// A process may start workers for ever: one that is alone is told by a name of its own, and what
/// was told by that name is never told with others.
#[test]
fn workers_by_turns_have_names_of_their_own() {
    let _alone = alone();
    let test = "workers_by_turns_have_names_of_their_own";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let mut target = Target::start(&node, "turns.js");
    let agent = Agent::start(&["--discovery-interval", "200ms"]);
    let pid = target.pid();
    until("it is found", || !threads(&agent.metrics(), pid).is_empty());
    target.go();
    let (mut seen, mut most) = (BTreeSet::new(), 0);
    for _ in 0..24 {
        let threads = threads(&agent.metrics(), pid);
        most = most.max(threads.len());
        seen.extend(threads);
        sleep(Duration::from_secs(1));
    }
    target.done();
    let truth = target.end();
    assert_eq!(truth["workers"], 11);
    assert!(!seen.contains("other"), "{seen:?}");
    assert!(seen.len() > 4 && most <= 5, "{seen:?}, {most} at once");
}
