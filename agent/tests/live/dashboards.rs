//! Every query of the dashboards, on a real Prometheus that scrapes an agent which observes a
//! Node.js under load, with everything wrong with it: attached to it, and as the daemon of a host,
//! which looks closer only where something stalls. The alerts are loaded, too.

use std::fs;
use std::path::Path;

use crate::agent::Agent;
use crate::alerts::{rules, watch};
use crate::alone;
use crate::common::folder;
use crate::groups::Group;
use crate::kernel::can_attach;
use crate::nodes::{self, Node};
use crate::support::PROMETHEUS;
use crate::support::board::{CLASSIC, Expected, NATIVE, assert_all_shown};
use crate::support::prometheus::Prometheus;
use crate::target::Target;

/// More than there are CPUs: what such a quota takes is known, and nothing.
const PLENTY_PERCENT: u64 = 100_000;

const ATTACHED: Expected = Expected {
    histograms: CLASSIC,
    never: &[
        ("loopscope_eventloop_callbacks_total", "single callbacks have no probe"),
        ("loopscope_eventloop_callback_duration_seconds", "single callbacks have no probe"),
        ("loopscope_attach_errors_total", "the only process was attached to"),
        ("loopscope_processes_unseen", "the daemon alone looks for processes"),
        ("loopscope_windows_total", "the daemon alone opens windows"),
        ("loopscope_windows_refused_total", "the daemon alone opens windows"),
        ("loopscope_folded_targets", "the daemon alone watches so many"),
    ],
    perhaps: &[],
    // Of causes, what is certain whoever else wants the CPU is in the tests of ledgers.
    shown: &[
        ("phase", &["timers", "poll", "check"]),
        ("queue", &["microtask"]),
        ("kind", &["minor", "major"]),
        ("state", &["attached"]),
        ("runtime", &["nodejs"]),
    ],
};

#[test]
fn every_query_shows_something_of_a_live_node() {
    let _alone = alone();
    let test = "every_query_shows_something_of_a_live_node";
    if !can_attach(test) {
        return;
    }
    let Some(program) = PROMETHEUS.find(test) else { return };
    for node in nodes::some(test) {
        let folder = folder(test);
        let Some(group) = Group::with_quota(PLENTY_PERCENT, test) else { return };
        let mut target = Target::start(&node, "pathology.js");
        group.take(target.pid());
        let (_agent, address) = watch(&target, &folder);
        target.go_and_be_done();
        // Two servers scrape the same figures: one keeps bounds of buckets, one native histograms.
        let start = |kind: &str, features: &[&str]| {
            let own = folder.join(kind);
            fs::create_dir_all(&own).expect("a folder can be made");
            Prometheus::with_config(&program, &own, &[address], &rules(), features)
        };
        let classic = (start("classic", &[]), CLASSIC, "loopscope_eventloop_drain_length_count");
        let native = "histogram_count(loopscope_eventloop_drain_length)";
        let native = (start("native", &["native-histograms"]), NATIVE, native);
        for (mut prometheus, histograms, drains) in [classic, native] {
            let drains = format!("sum({drains})");
            prometheus.until("its drains are scraped", |api| api.value(&drains) > Some(0.0));
            assert_all_shown(&prometheus.api, Expected { histograms, ..ATTACHED });
        }
    }
}

const OF_DAEMON: Expected = Expected {
    histograms: CLASSIC,
    never: &[
        ("loopscope_eventloop_callbacks_total", "single callbacks have no probe"),
        ("loopscope_eventloop_callback_duration_seconds", "single callbacks have no probe"),
        ("loopscope_attach_errors_total", "the only process was attached to"),
        ("loopscope_export_failures_total", "nothing is pushed"),
        ("loopscope_export_dropped_total", "nothing is pushed"),
    ],
    perhaps: &[("loopscope_windows_refused_total", "there may be room for each window")],
    shown: &[
        ("phase", &["timers", "poll", "check"]),
        ("queue", &["microtask"]),
        ("state", &["attached"]),
        ("tier", &["passive", "turn", "full"]),
    ],
};

#[test]
fn every_query_shows_something_of_what_the_daemon_watches() {
    let _alone = alone();
    let test = "every_query_shows_something_of_what_the_daemon_watches";
    if !can_attach(test) {
        return;
    }
    let Some(program) = PROMETHEUS.find(test) else { return };
    for node in nodes::some(test) {
        let folder = folder(test);
        let Some(group) = Group::with_quota(PLENTY_PERCENT, test) else { return };
        let mut target = named(&node, "pathology.js", "checkout");
        group.take(target.pid());
        let agent = agent_of(&folder, &["checkout"], &["--overhead-budget", "15"]);
        let address = agent.address();
        let mut prometheus = Prometheus::with_config(&program, &folder, &[address], &rules(), &[]);
        target.go_and_be_done();
        let drains = "sum(loopscope_eventloop_drain_length_count)";
        prometheus.until("a window is scraped", |api| api.value(drains) > Some(0.0));
        assert_all_shown(&prometheus.api, OF_DAEMON);
    }
}

/// A target that calls itself so.
pub(crate) fn named(node: &Node, script: &str, name: &str) -> Target {
    let mut command = node.command(script);
    command.env("OTEL_SERVICE_NAME", name);
    Target::spawn(name, command)
}

/// A daemon that watches the services of these names and nobody else.
pub(crate) fn agent_of(folder: &Path, names: &[&str], options: &[&str]) -> Agent {
    let config = folder.join("agent.toml");
    let include = names.iter().map(|name| format!("[[include]]\nname = \"{name}\"\n"));
    fs::write(&config, include.collect::<String>()).expect("the file can be written");
    let config = config.to_str().expect("a path in UTF-8");
    Agent::start(&[&["--config", config], options].concat())
}
