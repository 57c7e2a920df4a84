//! What the target pays: CPU time of its loop's thread, a request, at each tier.

use std::path::Path;
use std::time::Duration;

use loopscope_bench::Failure;

use super::agent::Agent;
use super::cpus::Cpus;
use super::load::Load;
use super::server::Server;
use super::statistics::{Middle, Random, Verdict, median};

/// How the target is observed. The first two are the same, so that their ratio shows what the
/// measurement itself can't tell apart.
const WAYS: [Way; 5] = [
    Way { name: "none", tier: None },
    Way { name: "none again", tier: None },
    Way { name: "passive", tier: Some("passive") },
    Way { name: "turn", tier: Some("turn") },
    Way { name: "full", tier: Some("full") },
];

/// How many of the ways are without an agent.
const CONTROLS: usize = 2;

/// What part of a measurement is run before it, so that code and caches are warm.
const WARM_UP: usize = 20;

/// How long the client thinks where it does. Node is back in its poll by then.
const THINK: Duration = Duration::from_micros(80);

#[derive(Clone, Copy, Debug)]
struct Way {
    name: &'static str,
    tier: Option<&'static str>,
}

/// A server and a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// As `--only` names it.
    pub(super) name: &'static str,
    title: &'static str,
    kind: &'static str,
    connections: usize,
    think: Duration,
    requests: usize,
    /// Limits of passive, turn and full.
    goals: [Option<f64>; WAYS.len() - CONTROLS],
}

/// What is measured.
pub(super) const CASES: [Case; 3] = [
    Case {
        name: "c1",
        title: "hello, world; one connection, 80 us of think time",
        kind: "hello",
        connections: 1,
        think: THINK,
        requests: 4_000,
        goals: [None, None, Some(1.20)],
    },
    Case {
        name: "c32",
        title: "hello, world; 32 connections",
        kind: "hello",
        connections: 32,
        think: Duration::ZERO,
        requests: 16_000,
        goals: [None; 3],
    },
    Case {
        name: "handler",
        title: "a handler with real work; one connection, 80 us of think time",
        kind: "handler",
        connections: 1,
        think: THINK,
        requests: 1_500,
        goals: [Some(1.00), Some(1.02), Some(1.06)],
    },
];

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    pub(super) rounds: usize,
    /// The requests of a case are divided by this.
    pub(super) divisor: usize,
}

/// Figures of all rounds; those of a way stand together.
#[derive(Debug, Default)]
struct Figures {
    ns: [Vec<f64>; WAYS.len()],
    sleeps: Vec<f64>,
}

impl Case {
    /// Measures it, and prints it.
    pub(super) fn run(
        &self,
        loopscope: &Path,
        node: &str,
        cpus: Cpus,
        effort: Effort,
    ) -> Result<(), Failure> {
        let requests = self.requests / effort.divisor;
        let server = Server::start(node, self.kind, cpus)?;
        let body = self.kind == "handler";
        let mut load = Load::open(server.port, self.connections, body, self.think)?;
        load.run(self.requests)?;
        let mut random = Random(1);
        let mut figures = Figures::default();
        for _ in 0..effort.rounds {
            let mut order: Vec<usize> = (0..WAYS.len()).collect();
            random.shuffle(&mut order);
            for way in order {
                let agent =
                    WAYS[way].tier.map(|tier| Agent::attach(loopscope, &[server.pid()], tier, &[]));
                let agent = agent.transpose()?;
                load.run(requests / WARM_UP)?;
                let before = server.account()?;
                load.run(requests)?;
                let after = server.account()?;
                agent.map_or(Ok(()), |agent| agent.end(1))?;
                let each = |now: u64, then: u64| (now - then) as f64 / requests as f64;
                figures.ns[way].push(each(after.cpu_ns, before.cpu_ns));
                figures.sleeps.push(each(after.sleeps, before.sleeps));
            }
        }
        self.print(&figures, requests, &mut random);
        Ok(())
    }

    fn print(&self, figures: &Figures, requests: usize, random: &mut Random) {
        let Figures { ns, sleeps } = figures;
        println!("{}", self.title);
        println!(
            "  {} rounds of {requests} requests; without an agent {:.1} us a request; \
             the loop slept {:.2} times a request",
            ns[0].len(),
            median(ns[0].clone()) / 1e3,
            median(sleeps.clone()),
        );
        let again = pairs(&ns[1], &ns[0], |ours, base| ours / base);
        let more = pairs(&ns[1], &ns[0], |ours, base| (ours - base) / 1e3);
        let control = Middle::of(&again, random);
        let word = if control.holds(1.0) { "control" } else { "control: the machine was busy" };
        row(WAYS[1].name, control, Middle::of(&more, random), None, word);
        let base: Vec<f64> = pairs(&ns[0], &ns[1], f64::midpoint);
        for ((way, ns), goal) in WAYS.iter().zip(ns).skip(CONTROLS).zip(self.goals) {
            let ratio = Middle::of(&pairs(ns, &base, |ours, base| ours / base), random);
            let more = pairs(ns, &base, |ours, base| (ours - base) / 1e3);
            let verdict = goal.map_or("", |goal| Verdict::word(ratio.against(goal)));
            row(way.name, ratio, Middle::of(&more, random), goal, verdict);
        }
        println!();
    }
}

fn pairs(ours: &[f64], base: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    ours.iter().zip(base).map(|(&ours, &base)| of(ours, base)).collect()
}

fn row(name: &str, ratio: Middle, more_us: Middle, goal: Option<f64>, verdict: &str) {
    let goal = goal.map_or_else(String::new, |goal| format!("<= {goal:.2}"));
    println!(
        "  {name:<11} {:>6.3} [{:.3}, {:.3}]  {:>+6.2} [{:+.2}, {:+.2}] us  {goal:<8} {verdict}",
        ratio.median, ratio.low, ratio.high, more_us.median, more_us.low, more_us.high,
    );
}
