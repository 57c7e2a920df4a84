//! What looking at stalls costs: the target that stalls, the agent, and a process beside them.
//!
//! The same tier is measured with a stall threshold that no turn reaches, so that of a loop nothing
//! but its pulse is ever taken, and with the usual one. All is told in percent of a core, so that
//! what target and agent pay can be added.

mod work;

use std::path::Path;
use std::time::{Duration, Instant};

use loopscope_bench::Failure;

use super::agent::Agent;
use super::cpus::Cpus;
use super::server::Server;
use super::statistics::{Middle, Random, Verdict};
use super::target::Effort;
use work::{Work, Worker};

/// As `--only` names all of them.
pub(super) const NAME: &str = "stalls";

const TIER: &str = "full";

/// The agent's thread that looks at loops.
const THREAD: &str = "loopscope-stack";

/// The most that looking may cost while a stall runs, in percent of a core.
const GOAL: f64 = 2.0;

/// What can't be told from nothing, in percent of a core.
const NOTHING: f64 = 1.0;

/// From the end of a stall to the next request.
const PAUSE: Duration = Duration::from_millis(10);

/// The part of a measurement that is run before it: what is saved for stalls that come alone is
/// used up by then.
const WARM_UP: usize = 2;

/// How it is observed: the threshold of stalls; `None`: no agent.
const WAYS: [Option<&str>; 4] = [None, None, Some("10h"), Some("50ms")];
const NONE: usize = 0;
const AGAIN: usize = 1;
const BLIND: usize = 2;
const LOOKS: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// As `--only` names it.
    pub(super) name: &'static str,
    title: &'static str,
    kind: &'static str,
    work: Work,
    stalls: bool,
}

pub(super) const CASES: [Case; 6] = [
    Case {
        name: "resting",
        title: "a server that is not asked",
        kind: "hello",
        work: Work::Rest(Duration::from_secs(2)),
        stalls: false,
    },
    Case {
        name: "serving",
        title: "hello, world; one connection, 80 us of think time",
        kind: "hello",
        work: Work::Requests(12_000, Duration::from_micros(80)),
        stalls: false,
    },
    Case {
        name: "beside",
        title: "a process beside a server with a hundred turns a second",
        kind: "turns",
        work: Work::Beside(40),
        stalls: false,
    },
    Case {
        name: "spin500",
        title: "stalls of 500 ms in JavaScript, 25 calls deep; 10 ms between them",
        kind: "spin:500",
        work: Work::Requests(10, PAUSE),
        stalls: true,
    },
    Case {
        name: "spin60",
        title: "the same of 60 ms",
        kind: "spin:60",
        work: Work::Requests(80, PAUSE),
        stalls: true,
    },
    Case {
        name: "wait500",
        title: "stalls of 500 ms that wait for a lock; 10 ms between them",
        kind: "wait:500",
        work: Work::Requests(10, PAUSE),
        stalls: true,
    },
];

/// CPU times since something began, and the time.
#[derive(Clone, Copy, Debug)]
struct Account {
    at: Instant,
    paid_ns: u64,
    agent_ns: u64,
    thread_ns: u64,
}

/// What one measurement took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    wall: f64,
    /// CPU time of who pays: the target's loop, or the process beside it.
    paid: f64,
    agent: f64,
    /// Of that, by the thread that looks.
    thread: f64,
}

/// One of each way.
type Round = [Took; WAYS.len()];

impl Case {
    /// Measures it, and prints it.
    pub(super) fn run(
        &self,
        loopscope: &Path,
        node: &str,
        cpus: Cpus,
        effort: Effort,
    ) -> Result<(), Failure> {
        let server = Server::start(node, self.kind, cpus)?;
        let mut worker = self.work.begin(&server)?;
        worker.work(1)?;
        let mut random = Random(1);
        let mut rounds = Vec::new();
        for _ in 0..effort.rounds {
            let mut round = Round::default();
            let mut order: Vec<usize> = (0..WAYS.len()).collect();
            random.shuffle(&mut order);
            for way in order {
                let agent = WAYS[way].map(|threshold| {
                    let more = ["--stall-threshold", threshold];
                    Agent::attach(loopscope, &[server.pid()], TIER, &more)
                });
                let agent = agent.transpose()?;
                // What the agent does once, as naming what it sees first.
                worker.work(WARM_UP)?;
                let before = account(&worker, &server, agent.as_ref())?;
                worker.work(effort.divisor)?;
                let after = account(&worker, &server, agent.as_ref())?;
                agent.map_or(Ok(()), |agent| agent.end(1))?;
                round[way] = after.since(before);
            }
            rounds.push(round);
        }
        self.print(&rounds, &mut random);
        println!();
        Ok(())
    }

    fn print(&self, rounds: &[Round], random: &mut Random) {
        let mut middle = |of: fn(&Round) -> f64| {
            Middle::of(&rounds.iter().map(of).collect::<Vec<f64>>(), random)
        };
        let wall = middle(|round| round[NONE].wall / 1e9).median;
        println!("{}", self.title);
        println!("  {} rounds of {wall:.1} s, tier {TIER}; percent of a core", rounds.len());
        let control = middle(|round| round[AGAIN].paid_more(round[NONE]));
        row("none again", control, "control");
        row("agent, which never looks", middle(|round| round[BLIND].agent_share()), "");
        row("agent, which looks", middle(|round| round[LOOKS].agent_share()), "");
        row("  its thread that looks", middle(|round| round[LOOKS].thread_share()), "");
        if matches!(self.work, Work::Beside(_)) {
            let pays = middle(|round| round[LOOKS].paid_more(unobserved(round)));
            return row("the process beside pays", pays, &nothing(pays, control));
        }
        row("target, for the tier", middle(|round| round[BLIND].paid_more(unobserved(round))), "");
        let target = middle(|round| round[LOOKS].paid_more(round[BLIND]));
        if !self.stalls {
            return row("target, for looking", target, &nothing(target, control));
        }
        row("target, for looking", target, "");
        let agent = middle(|round| round[LOOKS].agent_share() - round[BLIND].agent_share());
        row("agent, for looking", agent, &judged(agent));
        let both = middle(|round| {
            let agent = round[LOOKS].agent_share() - round[BLIND].agent_share();
            agent + round[LOOKS].paid_more(round[BLIND])
        });
        row("both, for looking", both, &judged(both));
    }
}

impl Account {
    fn since(self, before: Account) -> Took {
        let ns = |now: u64, then: u64| now.saturating_sub(then) as f64;
        Took {
            wall: (self.at - before.at).as_nanos() as f64,
            paid: ns(self.paid_ns, before.paid_ns),
            agent: ns(self.agent_ns, before.agent_ns),
            thread: ns(self.thread_ns, before.thread_ns),
        }
    }
}

impl Took {
    /// What the same work has cost more than elsewhere.
    fn paid_more(self, elsewhere: Took) -> f64 {
        (self.paid - elsewhere.paid) * 100.0 / elsewhere.wall
    }

    fn agent_share(self) -> f64 {
        self.agent * 100.0 / self.wall
    }

    fn thread_share(self) -> f64 {
        self.thread * 100.0 / self.wall
    }
}

/// The mean of the two without an agent.
fn unobserved(round: &Round) -> Took {
    let [one, other] = [round[NONE], round[AGAIN]];
    let (wall, paid) = (one.wall.midpoint(other.wall), one.paid.midpoint(other.paid));
    Took { wall, paid, ..Took::default() }
}

fn account(worker: &Worker, server: &Server, agent: Option<&Agent>) -> Result<Account, Failure> {
    Ok(Account {
        at: Instant::now(),
        paid_ns: worker.paid_ns(server)?,
        agent_ns: agent.map_or(Ok(0), |agent| agent.takes().map(|takes| takes.cpu_ns))?,
        thread_ns: agent.map_or(Ok(0), |agent| agent.thread_cpu_ns(THREAD))?,
    })
}

fn judged(cost: Middle) -> String {
    format!("<= {GOAL:.2}  {}", cost.against(GOAL).word())
}

/// Whether nothing is paid, as far as the machine can tell that.
fn nothing(cost: Middle, control: Middle) -> String {
    let verdict = match () {
        () if cost.low > control.high.max(0.0) => Verdict::Missed,
        () if cost.high <= NOTHING => Verdict::Met,
        () => Verdict::NotResolved,
    };
    format!("nothing  {}", verdict.word())
}

fn row(name: &str, share: Middle, verdict: &str) {
    let Middle { low, median, high } = share;
    println!("  {name:<25} {median:>6.2} [{low:.2}, {high:.2}] %  {verdict}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_that_the_same_work_takes_elsewhere() {
        let took = |wall, paid, agent| Took { wall, paid, agent, thread: agent / 2.0 };
        let (looks, blind) = (took(2_000.0, 1_040.0, 60.0), took(1_000.0, 1_000.0, 10.0));
        assert_eq!(looks.paid_more(blind), 4.0);
        assert_eq!((looks.agent_share(), looks.thread_share()), (3.0, 1.5));
        let round = [took(1_000.0, 800.0, 0.0), took(3_000.0, 1_200.0, 0.0), blind, looks];
        assert_eq!(blind.paid_more(unobserved(&round)), 0.0);
    }

    #[test]
    fn what_is_too_wide_to_tell_is_not_nothing() {
        let middle = |low, high| Middle { low, median: low, high };
        let control = middle(-0.5, 0.5);
        assert_eq!(nothing(middle(-0.2, 0.9), control), "nothing  met");
        assert_eq!(nothing(middle(-4.0, 1.1), control), "nothing  not resolved");
        assert_eq!(nothing(middle(0.6, 0.9), control), "nothing  MISSED");
        assert_eq!(nothing(middle(0.4, 0.9), middle(-9.0, -1.0)), "nothing  MISSED");
    }
}
