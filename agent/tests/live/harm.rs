//! That no target is harmed, and that nothing of an agent stays behind, however it ends.

use std::thread::sleep;
use std::time::Duration;

use crate::attach::Attach;
use crate::kernel::{Objects, can_attach};
use crate::load::Load;
use crate::nodes::{self, Node};
use crate::report::Report;
use crate::target::Target;
use crate::text::{probes_in, until_untouched};
use crate::truth::number;
use crate::{alone, times};

/// All of a target's code is read once in so many rounds, as that takes longer than a round.
const CODE_READ_EVERY: usize = 5;

/// A service under load, which must come to no harm.
struct Service {
    target: Target,
    load: Load,
}

impl Service {
    fn start(node: &Node) -> Service {
        let target = Target::start(node, "server.js");
        let load = Load::on(target.told("port "));
        Service { target, load }
    }

    /// Each request was answered, and the target is as it was and ends as it should.
    fn end(self, what: &str) -> u64 {
        let Service { target, load } = self;
        let (answered, failed) = load.end();
        assert!(failed.is_empty(), "{what}: {target}: requests failed: {failed:?}");
        let name = target.to_string();
        let truth = target.end();
        assert_eq!(number(&truth["answered"]), answered as f64, "{what}: {name}");
        answered
    }

    /// It runs or sleeps; it is neither stopped nor traced.
    fn runs(&self) {
        let state = self.target.state();
        assert!(matches!(state, 'R' | 'S' | 'D'), "{} is in state {state}", self.target);
    }
}

/// Numbers that are the same in each run; as good as random for when to kill.
fn varied(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(state >> 33)
    })
}

/// A loop's workers and main thread go on serving while agents come and go.
#[test]
fn agents_that_come_and_go() {
    let _alone = alone();
    let test = "agents_that_come_and_go";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let service = Service::start(&node);
        let mut seen = 0.0;
        for cycle in 0..times(50, 500) {
            let attach = Attach::to(&[&service.target]);
            let objects = Objects::of(attach.pid());
            if cycle == 0 {
                assert!(probes_in(&service.target) > 0, "{}: no probe is seen", service.target);
            }
            let report = attach.stop();
            objects.until_gone();
            if cycle % CODE_READ_EVERY == 0 {
                until_untouched(&service.target);
            }
            service.runs();
            seen += turns(&report, &service.target);
        }
        until_untouched(&service.target);
        assert!(seen > 0.0, "{}: no turn was seen in all cycles", service.target);
        let answered = service.end(test);
        println!("{test}: Node {}: {answered} requests", node.version);
    }
}

fn turns(report: &Report, target: &Target) -> f64 {
    let loops = report.loops(target.pid());
    loops.iter().map(|seen| seen.number("turns")).sum()
}

/// Nothing can be cleaned up by an agent that is killed: the kernel must do it.
#[test]
fn agents_that_are_killed() {
    let _alone = alone();
    let test = "agents_that_are_killed";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let service = Service::start(&node);
        let mut had = 0;
        for (turn, ms) in varied(7).take(times(20, 200)).enumerate() {
            let attach = Attach::start(&[service.target.pid()], &[]);
            sleep(Duration::from_millis(ms % if turn % 2 == 0 { 60 } else { 600 }));
            let objects = Objects::of(attach.pid());
            had += usize::from(!objects.is_empty());
            attach.kill();
            objects.until_gone();
            if turn % CODE_READ_EVERY == 0 {
                until_untouched(&service.target);
            }
            service.runs();
        }
        until_untouched(&service.target);
        assert!(had > 0, "{test}: no agent was killed while it had anything in the kernel");
        service.end(test);
    }
}

/// The agent itself is stopped for a while: what it watches does not wait for it.
#[test]
fn an_agent_that_is_stopped() {
    let _alone = alone();
    let test = "an_agent_that_is_stopped";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let service = Service::start(&node);
        let attach = Attach::to(&[&service.target]);
        attach.send("STOP");
        let before = service.load.answered();
        sleep(Duration::from_millis(times(1_000, 10_000) as u64));
        let meanwhile = service.load.answered() - before;
        assert!(
            meanwhile > 50,
            "{}: {meanwhile} requests while the agent was stopped",
            service.target
        );
        service.runs();
        attach.send("CONT");
        let report = attach.stop();
        assert!(turns(&report, &service.target) > meanwhile as f64 / 8.0);
        service.end(test);
    }
}

/// Workers end and begin while probes are set and taken away.
#[test]
fn agents_on_workers_that_come_and_go() {
    let _alone = alone();
    let test = "agents_on_workers_that_come_and_go";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        for ms in varied(11).take(times(4, 40)) {
            let mut target = Target::start(&node, "passing.js");
            target.go();
            sleep(Duration::from_millis(ms % 400));
            let first = Attach::to(&[&target]);
            sleep(Duration::from_millis(ms % 300));
            let second = Attach::start(&[target.pid()], &[]);
            first.kill();
            target.done();
            drop(second.interrupt());
            let truth = target.end();
            assert_eq!(truth["workers"].as_array().map(Vec::len), Some(3), "{truth}");
        }
    }
}
