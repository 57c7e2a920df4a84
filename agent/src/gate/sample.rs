//! What one run of a command showed: its last snapshot, all loops of all its processes together.
//!
//! **Invariant**: what one loop of the run does not tell, the run does not tell.

use std::collections::BTreeSet;

use loop_core::snapshot::{
    Culprit, Histogram, LoopSnapshot, Reaction, Snapshot, Source, Stall, Tier,
};

/// How often a process is asked for its trace at most: first when so much time has gone by.
pub const TRACE_EVERY_NS: u64 = 1_000_000_000;

/// The thread that a process' own loop runs on.
const MAIN: &str = "main";

/// No Node.js gets to its first poll in less time, in nanoseconds.
const START_MIN_NS: u64 = 5_000_000;

/// The figures of a run. `None`: the source does not see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Completed turns.
    pub turns: Option<u64>,
    /// Microtasks run.
    pub microtasks: Option<u64>,
    /// `process.nextTick` callbacks run.
    pub ticks: Option<u64>,
    /// Timers fired.
    pub timers: Option<u64>,
    /// Immediates run.
    pub immediates: Option<u64>,
    /// Turns that lasted for the stall threshold or longer.
    pub stalls: u64,
    /// How many of those had not ended yet. No histogram has them.
    pub stalls_running: u64,
    /// How long each of those lasted that are listed, in nanoseconds: the newest of each loop.
    pub stalls_ns: Vec<u64>,
    /// Time in turns, in nanoseconds, from the first time on that the loop polled: how much of the
    /// program's start is seen before that differs from run to run. `None` where a process has
    /// had no turn: it was not timed.
    pub active_ns: Option<u64>,
    /// Time before that, in nanoseconds, as far as it was seen, and in polls that did not wait.
    /// `None` where a process was found behind it.
    pub start_ns: Option<u64>,
    /// Time waiting in the poll, in nanoseconds.
    pub idle_ns: Option<u64>,
    /// Time of the command's main thread on a CPU, in nanoseconds, where the command is Node.js
    /// itself.
    pub cpu_ns: Option<u64>,
    /// Active time of each turn.
    pub turn_ns: Option<Histogram>,
    /// Each poll that could wait.
    pub poll_wait_ns: Option<Histogram>,
    /// For each timer, from when it was due to when it ran.
    pub timer_lateness_ns: Option<Histogram>,
    /// What an event at a random instant would have waited.
    pub arrival_delay_ns: Option<Histogram>,
    /// Microtasks in each drain.
    pub drain_length: Option<Histogram>,
    /// Duration of the drains.
    pub drain_ns: Option<Histogram>,
    /// Each pause for a collection of garbage.
    pub gc_pause_ns: Option<Histogram>,
}

/// What one run showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its figures.
    pub figures: Figures,
    /// How it was observed: the least of its processes.
    pub observed: Option<(Source, Tier)>,
    /// The versions of the runtimes that ran, each once.
    pub runtimes: BTreeSet<String>,
    /// From which duration on turns are counted as stalls, in nanoseconds.
    pub stall_threshold_ns: u64,
    /// Whether it was observed from its first turn on: see [`Made`].
    pub from_start: bool,
    /// Whether the command's own process was, whatever it started: see [`Made`].
    pub first_turn: bool,
    /// How many of its turns may be none of the program, but V8's trace being handed over.
    pub trace_turns_max: u64,
    /// Why it can't be compared, a line each; empty where it can.
    pub losses: Vec<String>,
    /// The function that the longest drain spent most of its time in, where that was seen.
    pub drain_culprit: Option<Culprit>,
    /// The function that is to blame for the longest stall, where that was seen.
    pub stall_culprit: Option<Culprit>,
}

/// How a run was made, as far as its snapshot does not tell. Whoever makes a sample says all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Time of the command's main thread on a CPU, in nanoseconds; `None` where that isn't known.
    pub cpu_ns: Option<u64>,
    /// From which duration on turns were counted as stalls, in nanoseconds.
    pub stall_threshold_ns: u64,
    /// Whether the command's own process was all that was observed, and from its first turn on.
    /// What a shell starts, and what `env` becomes, is found some milliseconds later, maybe behind
    /// its first turns.
    pub from_start: bool,
    /// Whether the command's own process was observed from its first turn on, whatever processes
    /// it started.
    pub first_turn: bool,
    /// Why it can't be compared, besides what the snapshot tells, a line each.
    pub losses: Vec<String>,
}

impl Sample {
    /// The run that was made like that, and ended with this snapshot.
    pub fn of(snapshot: &Snapshot, made: Made) -> Sample {
        let Made { cpu_ns, stall_threshold_ns, from_start, first_turn, losses } = made;
        let loops = &snapshot.loops;
        let stalls = || loops.iter().flat_map(|one| &one.stalls);
        let longest = stalls().max_by_key(|stall| stall.duration_ns);
        let figures = Figures { cpu_ns: cpu_ns.filter(|&ns| ns > 0), ..figures(loops) };
        Sample {
            figures,
            observed: observed(snapshot),
            runtimes: snapshot.targets.iter().map(|of| of.runtime_version.clone()).collect(),
            stall_threshold_ns,
            from_start,
            first_turn,
            trace_turns_max: trace_turns_max(snapshot),
            losses: losses_of(snapshot).into_iter().chain(losses).collect(),
            drain_culprit: blamed_for_longest_drain(stalls()),
            stall_culprit: longest.and_then(|stall| stall.culprit.clone()),
        }
    }
}

fn figures(loops: &[LoopSnapshot]) -> Figures {
    let stalls = || loops.iter().flat_map(|one| &one.stalls);
    let running = stalls().filter(|stall| stall.running).count() as u64;
    let ended: u64 = loops.iter().map(|one| one.stall_totals.total_count()).sum();
    Figures {
        turns: total(loops, |one| one.turns),
        microtasks: total(loops, |one| one.microtasks),
        ticks: total(loops, |one| one.ticks),
        timers: total(loops, |one| one.timers),
        immediates: total(loops, |one| one.immediates),
        stalls: ended + running,
        stalls_running: running,
        stalls_ns: stalls().map(|stall| stall.duration_ns).collect(),
        active_ns: total(loops, turns_ns),
        start_ns: total(loops, start_ns),
        idle_ns: total(loops, |one| one.idle_ns),
        cpu_ns: None,
        turn_ns: merged(loops, |one| one.turn_ns.clone()),
        poll_wait_ns: merged(loops, |one| one.poll_wait_ns.clone()),
        timer_lateness_ns: merged(loops, |one| one.timer_lateness_ns.clone()),
        arrival_delay_ns: merged(loops, |one| one.arrival_delay_ns.clone()),
        drain_length: merged(loops, |one| one.microtask_drain_length.clone()),
        drain_ns: merged(loops, |one| one.microtask_drain_ns.clone()),
        gc_pause_ns: merged(loops, LoopSnapshot::gc_pause_ns),
    }
}

/// The time in a loop's turns. A process whose own loop has had none was not timed, though it may
/// have computed all the time; a worker that has had none did nothing that counts.
fn turns_ns(one: &LoopSnapshot) -> Option<u64> {
    let turns = one.turn_ns.as_ref()?;
    let is_timed = one.thread != MAIN || (one.active_ns.is_some() && !turns.is_empty());
    u64::try_from(turns.sum).ok().filter(|_| is_timed)
}

/// The time before a loop's first poll. That of a process that was found behind it was not seen.
fn start_ns(one: &LoopSnapshot) -> Option<u64> {
    let turns_ns = u64::try_from(one.turn_ns.as_ref()?.sum).ok()?;
    let start_ns = one.active_ns.map(|active_ns| active_ns.saturating_sub(turns_ns));
    match one.thread == MAIN {
        true => start_ns.filter(|&ns| ns >= START_MIN_NS),
        false => Some(start_ns.unwrap_or(0)),
    }
}

/// The sum over all loops; `None` where one of them does not tell, or there is none.
fn total(loops: &[LoopSnapshot], of: impl Fn(&LoopSnapshot) -> Option<u64>) -> Option<u64> {
    let sum = loops.iter().try_fold(0_u64, |sum, one| Some(sum + of(one)?));
    sum.filter(|_| !loops.is_empty())
}

/// As [`total`], of histograms.
fn merged(
    loops: &[LoopSnapshot],
    of: impl Fn(&LoopSnapshot) -> Option<Histogram>,
) -> Option<Histogram> {
    let (first, others) = loops.split_first()?;
    others.iter().try_fold(of(first)?, |mut all, one| {
        all.merge(&of(one)?);
        Some(all)
    })
}

/// A process hands its trace over when it is asked to, in a callback that may have its own turn.
fn trace_turns_max(snapshot: &Snapshot) -> u64 {
    let traced = snapshot.targets.iter().filter(|target| target.source == Source::V8Trace);
    traced.count() as u64 * (snapshot.wall_ns / TRACE_EVERY_NS)
}

fn observed(snapshot: &Snapshot) -> Option<(Source, Tier)> {
    let targets = snapshot.targets.iter().map(|target| (target.source, target.tier));
    targets.min_by_key(|(_, tier)| *tier as u8)
}

/// What makes counts of the run too small. Stalls that are no longer listed are counted.
fn losses_of(snapshot: &Snapshot) -> Vec<String> {
    let mut losses = Vec::new();
    if snapshot.loops.is_empty() {
        losses.push("no loop of Node.js was seen in it".to_owned());
    }
    if snapshot.targets.iter().any(|target| target.sampled) {
        losses.push("it was observed for a part of the time only".to_owned());
    }
    let ways: BTreeSet<_> =
        snapshot.targets.iter().map(|of| (of.source.name(), of.tier.name())).collect();
    if ways.len() > 1 {
        losses.push("its processes were observed at different tiers".to_owned());
    }
    losses
}

/// Who is to blame for the longest drain. Of several that are as long the one that held the loop up
/// for longest has most samples.
fn blamed_for_longest_drain<'a>(
    stalls: impl Iterator<Item = &'a Stall> + Clone,
) -> Option<Culprit> {
    let jobs = |stall: &Stall| stall.drain.as_ref().map_or(0, |drain| drain.jobs);
    let most = stalls.clone().map(jobs).max().filter(|jobs| *jobs > 0)?;
    let longest = stalls.filter(|stall| jobs(stall) == most);
    let blamed = longest.filter_map(|stall| Some((stall.duration_ns, blamed_for_drain(stall)?)));
    blamed.max_by_key(|(duration_ns, _)| *duration_ns).map(|(_, culprit)| culprit)
}

/// The reaction that most of the drain's time went to, as a culprit.
fn blamed_for_drain(stall: &Stall) -> Option<Culprit> {
    let reactions = stall.drain.as_ref().map(|drain| drain.reactions.as_slice());
    let named = |reaction: &&Reaction| !reaction.file.is_empty();
    let Some(reaction) = reactions.unwrap_or_default().iter().find(named) else {
        return stall.culprit.clone();
    };
    let name = if reaction.function.is_empty() { "(anonymous)" } else { &reaction.function };
    Some(Culprit {
        function: name.to_owned(),
        file: reaction.file.clone(),
        line: reaction.line,
        share: reaction.share,
        samples: None,
        hot_leaf: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use loop_core::buckets::Scale;
    use loop_core::snapshot::{
        CauseTotals, ClockKind, Events, LedgerKey, LongestDrain, Runtime, Target,
    };

    fn target(source: Source, tier: Tier) -> Target {
        Target {
            pid: 1,
            name: "app.js".to_owned(),
            runtime: Runtime::NodeJs,
            runtime_version: "20.20.2".to_owned(),
            source,
            tier,
            overhead_ratio: None,
            sampled: false,
            limits: Vec::new(),
        }
    }

    /// A run of this snapshot, of which nothing is to be said.
    fn run_of(snapshot: &Snapshot, cpu_ns: Option<u64>) -> Sample {
        let losses = Vec::new();
        let made = Made {
            cpu_ns,
            stall_threshold_ns: 50_000_000,
            from_start: true,
            first_turn: true,
            losses,
        };
        Sample::of(snapshot, made)
    }

    fn snapshot(loops: Vec<LoopSnapshot>) -> Snapshot {
        let targets = vec![target(Source::Ebpf, Tier::Full)];
        Snapshot { targets, loops, ..Snapshot::empty(ClockKind::Real) }
    }

    #[test]
    fn what_one_loop_does_not_tell_the_run_does_not() {
        let lengths = |all: &[u64]| Some(Histogram::of(Scale::Length, all.iter().copied()));
        let one = LoopSnapshot {
            turns: Some(3),
            microtasks: Some(10),
            microtask_drain_length: lengths(&[10]),
            ..LoopSnapshot::default()
        };
        let other = LoopSnapshot {
            turns: Some(4),
            microtask_drain_length: lengths(&[7, 7]),
            ..LoopSnapshot::default()
        };
        let sample = run_of(&snapshot(vec![one, other]), Some(0));
        assert_eq!((sample.figures.turns, sample.figures.microtasks), (Some(7), None));
        assert_eq!(sample.figures.drain_length.map(|all| (all.max, all.count())), Some((10, 3)));
        assert_eq!(sample.figures.cpu_ns, None, "a clock that stands still tells nothing");
        assert!(sample.losses.is_empty(), "{:?}", sample.losses);
        let nothing = run_of(&snapshot(Vec::new()), None);
        assert_eq!(nothing.figures.turns, None);
        assert_eq!(nothing.losses.len(), 1);
    }

    #[test]
    fn a_process_that_has_had_no_turn_was_not_timed() {
        let ms = |ms: u64| ms * 1_000_000;
        let of = |thread: &str, active_ms: Option<u64>, turns_ms: &[u64]| LoopSnapshot {
            thread: thread.to_owned(),
            active_ns: active_ms.map(ms),
            turn_ns: Some(Histogram::of(Scale::Time, turns_ms.iter().copied().map(ms))),
            ..LoopSnapshot::default()
        };
        let times = |loops| {
            let figures = run_of(&snapshot(loops), None).figures;
            let in_ms = |ns: Option<u64>| ns.map(|ns| ns / 1_000_000);
            (in_ms(figures.active_ns), in_ms(figures.start_ns))
        };
        let npm = || of(MAIN, Some(100), &[30, 40]);
        assert_eq!(times(vec![npm()]), (Some(70), Some(30)));
        assert_eq!(times(vec![npm(), of(MAIN, None, &[])]), (None, None), "it is no 0 ns");
        let polled_once = of(MAIN, Some(60), &[]);
        assert_eq!(
            times(vec![npm(), polled_once]),
            (None, Some(90)),
            "as it ended, and in no turn"
        );
        assert_eq!(times(vec![npm(), of("worker-1", None, &[])]), (Some(70), Some(30)));
        assert_eq!(times(vec![npm(), of("worker-1", Some(9), &[4])]), (Some(74), Some(35)));
        let found_late = of(MAIN, Some(50), &[50]);
        assert_eq!(times(vec![npm(), found_late]), (Some(120), None), "its start was not seen");
    }

    #[test]
    fn what_is_lost_or_seen_in_two_ways_makes_it_invalid() {
        let mut snapshot = snapshot(vec![LoopSnapshot::default()]);
        snapshot.targets.push(Target { sampled: true, ..target(Source::Ebpf, Tier::Turn) });
        let sample = run_of(&snapshot, None);
        assert_eq!(sample.losses.len(), 2, "{:?}", sample.losses);
        assert!(sample.losses[0].contains("a part of the time"));
        assert_eq!(sample.observed, Some((Source::Ebpf, Tier::Turn)));
    }

    #[test]
    fn each_second_of_a_trace_may_have_a_turn_of_its_own() {
        let turns = |source, targets: usize, wall_ms: u64| {
            let targets = vec![target(source, Tier::Full); targets];
            let loops = vec![LoopSnapshot::default()];
            let wall_ns = wall_ms * 1_000_000;
            let snapshot = Snapshot { targets, wall_ns, ..snapshot(loops) };
            run_of(&snapshot, None).trace_turns_max
        };
        assert_eq!(turns(Source::V8Trace, 1, 999), 0, "it was not asked for");
        assert_eq!(turns(Source::V8Trace, 1, 3_500), 3);
        assert_eq!(turns(Source::V8Trace, 2, 3_500), 6);
        assert_eq!(turns(Source::Ebpf, 2, 3_500), 0);
    }

    #[test]
    fn what_its_maker_says_of_it_is_told_as_it_was_said() {
        let losses = vec!["its command has failed".to_owned()];
        let made = Made {
            cpu_ns: Some(7),
            stall_threshold_ns: 9,
            from_start: true,
            first_turn: true,
            losses,
        };
        let told = Sample::of(&snapshot(Vec::new()), made.clone());
        assert_eq!((told.figures.cpu_ns, told.stall_threshold_ns), (Some(7), 9));
        assert!(told.from_start && told.losses.len() == 2, "{:?}", told.losses);
        assert_eq!(told.losses[1], "its command has failed");
        let late = Made { from_start: false, ..made };
        assert!(!Sample::of(&snapshot(Vec::new()), late).from_start);
    }

    #[test]
    fn stalls_that_are_no_longer_listed_are_counted_all_the_same() {
        let stall = Stall { duration_ns: 60_000_000, ..Stall::default() };
        let mut stall_totals = CauseTotals::default();
        stall_totals.set(LedgerKey::Javascript, 100, 6_000_000_000);
        let stalls = vec![stall; 64];
        let mut snapshot =
            snapshot(vec![LoopSnapshot { stalls, stall_totals, ..LoopSnapshot::default() }]);
        snapshot.events = Events { seen: 100, kept: 64, dropped: 36 };
        let sample = run_of(&snapshot, None);
        assert!(sample.losses.is_empty(), "{:?}", sample.losses);
        assert_eq!((sample.figures.stalls, sample.figures.stalls_ns.len()), (100, 64));
    }

    #[test]
    fn the_longest_drain_has_its_own_culprit() {
        let reaction = |file: &str, share| Reaction {
            function: "grow".to_owned(),
            file: file.to_owned(),
            line: 7,
            share,
        };
        let stall = |duration_ns, jobs, reactions| Stall {
            duration_ns,
            drain: Some(LongestDrain { jobs, reactions, ..LongestDrain::default() }),
            ..Stall::default()
        };
        let long = vec![reaction("", 0.5), reaction("/app.js", 0.4)];
        // Others were as long, and over before anybody saw them.
        let stalls = [stall(90, 10, Vec::new()), stall(60, 5_000, long)];
        let others = [stall(20, 5_000, vec![reaction("/b.js", 1.0)]), stall(9, 5_000, Vec::new())];
        let stalls = stalls.into_iter().chain(others).collect();
        let one = LoopSnapshot { stalls, ..LoopSnapshot::default() };
        let sample = run_of(&snapshot(vec![one]), None);
        let culprit = sample.drain_culprit.unwrap();
        assert_eq!((culprit.file.as_str(), culprit.line, culprit.share), ("/app.js", 7, 0.4));
        assert_eq!(sample.stall_culprit, None, "nobody is known for the longest stall");
    }
}
