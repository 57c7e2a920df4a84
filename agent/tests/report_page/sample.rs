//! A service with everything wrong with it, as a snapshot made by hand.

use std::sync::Arc;

use loop_core::buckets::Scale;
use loop_core::snapshot::{
    CauseTotals, ClockKind, Counters, Culprit, Events, Histogram, Ledger, LedgerKey, Limit,
    LongestDrain, LoopSnapshot, Profile, ProfileFrame, Reaction, Runtime, SampleState, Snapshot,
    Source, Stall, Target, ThreadPoolSnapshot, Tier, Wait, arrival_delay,
};
use loop_core::{Phase, PhaseMap};
use loopscope::report::CommandRun;
use loopscope::report::html::{LoopTick, Tick, Timeline};

const MS: u64 = 1_000_000;
const WALL_NS: u64 = 30_000 * MS;
/// 2026-11-21 08:00:00 UTC.
const BEGAN_NS: u64 = 1_795_248_000_000_000_000;

pub(crate) fn command() -> CommandRun {
    let words = ["node", "/srv/shop/server.js", "--port=8080"];
    CommandRun {
        arguments: words.map(str::to_owned).to_vec(),
        status: Some(0),
        signal: None,
        timed_out: false,
        notes: Vec::new(),
    }
}

/// A frame as `name (file:line)`; without a file it is native.
fn frame(text: &str) -> ProfileFrame {
    let (name, place) = text.split_once(" (").unwrap_or((text, ""));
    let (file, line) = place.trim_end_matches(')').rsplit_once(':').unwrap_or(("", ""));
    ProfileFrame {
        name: name.to_owned(),
        file: (!file.is_empty()).then(|| file.to_owned()),
        line: line.parse().ok(),
    }
}

const SERVE: &str = "onRequest (/srv/shop/server.js:41)";
const TICKS: &str = "processTicksAndRejections (node:internal/process/task_queues:105)";

/// What a stall was seen in: stacks, outermost first, and their parts of a hundred.
type Seen = &'static [(&'static [&'static str], u64)];

const PRICES: Seen = &[
    (&[SERVE, "priceAll (/srv/shop/price.js:12)", "discount (/srv/shop/price.js:77)"], 34),
    (&[SERVE, "priceAll (/srv/shop/price.js:12)", "round (/srv/shop/price.js:91)", "toFixed"], 21),
    (&[SERVE, "priceAll (/srv/shop/price.js:14)"], 11),
    (&[SERVE, "render (/srv/shop/views/basket.js:30)", "JSON.stringify"], 19),
    (&[SERVE, "emit (node:events:519)", "finish (node:_http_outgoing:860)"], 9),
    (&[SERVE], 6),
];

const FLOOD: Seen = &[
    (&[TICKS, "next (/srv/shop/queue.js:18)", "take (/srv/shop/queue.js:22)", "ArrayShift"], 46),
    (&[TICKS, "next (/srv/shop/queue.js:18)", "audit (/srv/shop/audit.js:9)", "sha256"], 24),
    (&[TICKS, "then (/srv/shop/queue.js:31)"], 21),
    (&[TICKS, "RunMicrotasks"], 9),
];

const IMPORT: Seen = &[
    (&["load (/srv/shop/import.js:5)", "readFileSync (node:fs:441)", "read"], 8),
    (&["load (/srv/shop/import.js:9)", "parseLine (/srv/shop/import.js:28)", "RegExpExec"], 52),
    (&["load (/srv/shop/import.js:9)", "parseLine (/srv/shop/import.js:31)"], 28),
    (&["load (/srv/shop/import.js:12)", "(garbage collector)"], 12),
];

const DISK: Seen = &[
    (&[SERVE, "save (/srv/shop/basket.js:52)", "writeFileSync (node:fs:2430)", "fsync"], 97),
    (&[SERVE, "save (/srv/shop/basket.js:50)"], 3),
];

fn profile(start_ns: u64, duration_ns: u64, seen: Seen) -> Profile {
    let mut profile = Profile::new(start_ns);
    let waits = |stack: &[&str]| matches!(stack.last(), Some(&"fsync" | &"read"));
    let mut at_ns = 10 * MS;
    for (stack, part) in seen {
        let ends_ns = at_ns + (duration_ns - 10 * MS) / 100 * part;
        while at_ns < ends_ns {
            at_ns += MS;
            let state = if waits(stack) { SampleState::Waiting } else { SampleState::OnCpu };
            profile.add(at_ns, MS, state, stack.iter().rev().map(|text| frame(text)));
        }
    }
    profile
}

fn stack(seen: Seen) -> Vec<String> {
    let told = |text: &&str| match text.contains('(') {
        true => (*text).to_owned(),
        false => format!("{text} (native)"),
    };
    seen.iter()
        .max_by_key(|(_, part)| *part)
        .map_or(Vec::new(), |(stack, _)| stack.iter().rev().map(told).collect())
}

/// A stall that began so many milliseconds into the observation. The parts are of a hundred.
fn stall(at_ms: u64, ms: u64, seen: Seen, parts: &[(LedgerKey, u64)]) -> Stall {
    let (start_ns, duration_ns) = (BEGAN_NS + at_ms * MS, ms * MS);
    let ledger = parts
        .iter()
        .fold(Ledger::default(), |ledger, (key, part)| ledger.with(*key, duration_ns / 100 * part));
    Stall {
        start_unix_ns: start_ns,
        duration_ns,
        phase: Some(Phase::Poll),
        callbacks: Some(1),
        microtasks: Some(12),
        ledger_ns: ledger,
        counters: Counters {
            task_clock_ns: Some(duration_ns * 9 / 10),
            context_switches: Some(ms / 9),
            page_faults: Some(ms / 4),
            ..Counters::default()
        },
        profile: Some(Arc::new(profile(start_ns, duration_ns, seen))),
        waits: Some(Vec::new()),
        stack: Some(stack(seen)),
        ..Stall::default()
    }
}

fn culprit(
    function: &str,
    file: &str,
    line: u32,
    share: f64,
    leaf: Option<&str>,
) -> Option<Culprit> {
    let hot_leaf = leaf.map(str::to_owned);
    let (function, file) = (function.to_owned(), file.to_owned());
    Some(Culprit { function, file, line, share, samples: Some(900), hot_leaf })
}

fn flood(at_ms: u64, ms: u64) -> Stall {
    use LedgerKey::{Gc, Microtasks, RunQueue, SyncIo};
    let parts = [(Microtasks, 88), (Gc, 9), (RunQueue, 3), (SyncIo, 0)];
    let reaction = |function: &str, file: &str, line, share| Reaction {
        function: function.into(),
        file: file.into(),
        line,
        share,
    };
    Stall {
        microtasks: Some(40 * ms),
        culprit: culprit("next", "/srv/shop/queue.js", 18, 0.7, Some("ArrayShift (native)")),
        drain: Some(LongestDrain {
            jobs: 40 * ms,
            queued: Some(2),
            waiting_max: Some(1_200),
            is_square: false,
            reactions: vec![
                reaction("next", "/srv/shop/queue.js", 18, 0.7),
                reaction("then", "/srv/shop/queue.js", 31, 0.21),
                reaction("", "/srv/shop/audit.js", 3, 0.09),
            ],
        }),
        ..stall(at_ms, ms, FLOOD, &parts)
    }
}

fn of_main() -> Vec<Stall> {
    use LedgerKey::{Frozen, Gc, Javascript, Native, RunQueue, SyncIo, Throttled, Unknown};
    let prices = |at_ms, ms| Stall {
        culprit: culprit("priceAll", "/srv/shop/price.js", 12, 0.66, None),
        ..stall(at_ms, ms, PRICES, &[(Javascript, 72), (Native, 21), (Gc, 5), (RunQueue, 2)])
    };
    let disk = |at_ms, ms| Stall {
        culprit: culprit("save", "/srv/shop/basket.js", 52, 1.0, Some("fsync (native)")),
        waits: Some(vec![
            Wait {
                call: "fsync".into(),
                subject: Some("/srv/shop/data/basket.json".into()),
                duration_ns: ms * MS / 100 * 94,
            },
            Wait { call: "write".into(), subject: None, duration_ns: 2 * MS },
        ]),
        ..stall(at_ms, ms, DISK, &[(SyncIo, 96), (Javascript, 4)])
    };
    let starved = [(RunQueue, 64), (Throttled, 22), (Javascript, 14)];
    vec![
        prices(1_210, 96),
        disk(2_950, 310),
        flood(4_400, 1_830),
        prices(8_030, 142),
        stall(9_870, 190, PRICES, &starved),
        flood(11_500, 960),
        Stall { phase: None, ..stall(14_100, 120, PRICES, &[(Gc, 71), (Javascript, 29)]) },
        disk(15_900, 88),
        prices(17_440, 77),
        flood(19_010, 2_410),
        stall(23_500, 400, PRICES, &[(Frozen, 97), (Unknown, 3)]),
        prices(26_800, 118),
        Stall { running: true, callbacks: None, ..flood(29_300, 700) },
    ]
}

fn times(values: impl IntoIterator<Item = u64>) -> Option<Histogram> {
    Some(Histogram::of(Scale::Time, values))
}

/// Values that lie as those of a service do: most near `middle_ns`, some far above.
fn spread(count: u64, middle_ns: u64, top: f64) -> impl Iterator<Item = u64> {
    (1..=count).map(move |number| {
        let rank = number as f64 / (count as f64 + 1.0);
        let normal = (rank / (1.0 - rank)).ln() / 1.7;
        (middle_ns as f64 * (normal * top).exp()) as u64
    })
}

fn totals(stalls: &[Stall]) -> CauseTotals {
    let mut totals = CauseTotals::default();
    for stall in stalls.iter().filter(|stall| !stall.running) {
        totals.add(stall.ledger_ns.cause(), stall.duration_ns);
    }
    totals
}

fn main_loop() -> LoopSnapshot {
    let stalls = of_main();
    let long = || stalls.iter().filter(|stall| !stall.running).map(|stall| stall.duration_ns);
    let turns = times(spread(9_000, 310_000, 0.9).chain(long()));
    let mut stall_totals = totals(&stalls);
    stall_totals.add(LedgerKey::Javascript, 210 * MS);
    let active_ns = stalls.iter().map(|stall| stall.duration_ns).sum::<u64>() + 6_300 * MS;
    let mut phases = PhaseMap::from_fn(|_| times([]));
    phases[Phase::Poll] = times(spread(8_200, 280_000, 0.9).chain(long()));
    phases[Phase::Timers] = times(spread(600, 45_000, 0.6));
    phases[Phase::Check] = times(spread(2_400, 18_000, 0.5));
    phases[Phase::Pending] = None;
    phases[Phase::Close] = None;
    LoopSnapshot {
        pid: 4711,
        thread: "main".into(),
        tid: 4711,
        turns: Some(9_012),
        microtasks: Some(231_040),
        active_ns: Some(active_ns),
        idle_ns: Some(WALL_NS - active_ns - 90 * MS),
        utilization: Some(active_ns as f64 / WALL_NS as f64),
        arrival_delay_ns: turns.as_ref().map(|turns| arrival_delay(turns, WALL_NS - active_ns)),
        turn_ns: turns,
        poll_wait_ns: times(spread(9_000, 1_900_000, 0.8)),
        timer_lateness_ns: times(spread(600, 900_000, 1.4)),
        phases,
        microtask_drain_length: Some(Histogram::of(
            Scale::Length,
            spread(7_000, 2, 0.9).map(|n| n.max(1)).chain([73_200, 38_400, 96_400]),
        )),
        microtask_drain_ns: times(spread(7_000, 9_000, 0.9).chain([1_800 * MS, 940 * MS])),
        tick_drain_length: None,
        tick_drain_ns: None,
        gc_minor_ns: times(spread(300, 900_000, 0.5)),
        gc_major_ns: times(spread(9, 14 * MS, 0.6)),
        thread_pool: ThreadPoolSnapshot {
            queue_ns: times([]),
            run_ns: times([]),
            queue_length_max: Some(0),
            queue_length: Some(0),
            crowded_share: None,
        },
        stalls,
        stall_totals,
        ..LoopSnapshot::default()
    }
}

fn worker() -> LoopSnapshot {
    use LedgerKey::{Gc, Javascript, Native};
    let import = |at_ms, ms| Stall {
        phase: None,
        culprit: culprit("parseLine", "/srv/shop/import.js", 28, 0.8, Some("RegExpExec (native)")),
        ..stall(at_ms, ms, IMPORT, &[(Native, 54), (Javascript, 34), (Gc, 12)])
    };
    let stalls = vec![import(3_100, 620), import(12_900, 540), import(22_100, 780)];
    LoopSnapshot {
        pid: 4711,
        thread: "worker-1".into(),
        tid: 4722,
        turns: Some(410),
        active_ns: Some(4_100 * MS),
        idle_ns: Some(22_000 * MS),
        utilization: Some(0.157),
        turn_ns: times(spread(400, 2_000_000, 1.0)),
        stall_totals: totals(&stalls),
        stalls,
        ..LoopSnapshot::default()
    }
}

fn mailer() -> LoopSnapshot {
    let dark = Stall {
        profile: None,
        stack: None,
        waits: None,
        counters: Counters::default(),
        phase: None,
        callbacks: None,
        microtasks: None,
        ..stall(20_300, 260, PRICES, &[(LedgerKey::Unknown, 100)])
    };
    LoopSnapshot {
        pid: 4790,
        thread: "main".into(),
        tid: 4790,
        utilization: None,
        stall_totals: totals(std::slice::from_ref(&dark)),
        stalls: vec![dark],
        ..LoopSnapshot::default()
    }
}

fn target(pid: u32, name: &str, tier: Tier, limits: Vec<Limit>) -> Target {
    Target {
        pid,
        name: name.into(),
        runtime: Runtime::NodeJs,
        runtime_version: "24.11.1".into(),
        source: Source::Ebpf,
        tier,
        overhead_ratio: (tier == Tier::Full).then_some(0.012),
        sampled: false,
        limits,
    }
}

pub(crate) fn snapshot() -> Snapshot {
    let limit = Limit {
        what: "what the tiers turn and full show".into(),
        why: "its libuv is linked from a library without symbols".into(),
    };
    Snapshot {
        wall_ns: WALL_NS,
        clock: ClockKind::Real,
        events: Events { seen: 17, kept: 16, dropped: 1 },
        targets: vec![
            target(4711, "shop", Tier::Full, Vec::new()),
            target(4790, "mailer", Tier::Passive, vec![limit]),
        ],
        loops: vec![main_loop(), worker(), mailer()],
    }
}

/// What the two loops that are seen did, ten times a second.
pub(crate) fn timeline() -> Timeline {
    let (main, worker) = (main_loop(), worker());
    let busy = |of: &LoopSnapshot, at_ns: u64, base: f64| {
        let covered = of.stalls.iter().map(|stall| {
            let ends_ns = stall.start_unix_ns + stall.duration_ns;
            ends_ns.min(at_ns).saturating_sub(stall.start_unix_ns.max(at_ns - 100 * MS))
        });
        let stall_ns: u64 = covered.sum();
        let noise = (at_ns / MS / 100 * 7 % 11) as f64 / 70.0;
        let share = stall_ns as f64 / (100 * MS) as f64;
        let utilization = Some((share + (1.0 - share) * (base + noise)).min(1.0));
        let (pid, thread) = (of.pid, of.thread.clone());
        LoopTick { pid, thread, utilization, turns: Some(30), stall_ns }
    };
    let ticks = (1..=WALL_NS / MS / 100).map(|number| {
        let at_unix_ns = BEGAN_NS + number * 100 * MS;
        let mut loops = vec![busy(&main, at_unix_ns, 0.22), busy(&worker, at_unix_ns, 0.05)];
        if number == 5 {
            loops[0].stall_ns = 90 * MS;
            loops[0].utilization = Some(0.97);
        }
        Tick { at_unix_ns, loops }
    });
    Timeline {
        began_unix_ns: Some(BEGAN_NS),
        stall_threshold_ns: Some(50 * MS),
        ticks: ticks.collect(),
    }
}

/// How long all samples of the snapshot are, those with anything of `price.js` on the stack, and
/// those with `parseLine`.
pub(crate) fn searched_ns() -> (u64, u64, u64) {
    let snapshot = snapshot();
    let profiles = snapshot.loops.iter().flat_map(|of| &of.stalls);
    let (mut all, mut price, mut line) = (0, 0, 0);
    for profile in profiles.filter_map(|stall| stall.profile.as_ref()) {
        for sample in profile.samples() {
            let has = |part: &str| {
                profile.stack_of(sample).any(|frame| {
                    frame.name.contains(part)
                        || frame.file.as_ref().is_some_and(|file| file.contains(part))
                })
            };
            all += sample.weight_ns;
            price += if has("price.js") { sample.weight_ns } else { 0 };
            line += if has("parseLine") { sample.weight_ns } else { 0 };
        }
    }
    (all, price, line)
}

/// Names as somebody would choose them who wants to do harm.
pub(crate) fn hostile() -> Snapshot {
    let evil = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>\
        \"'`${1}\u{202e}\u{1b}[2J\u{2028}<!--";
    let mut profile = Profile::new(BEGAN_NS);
    let named = || ProfileFrame { name: evil.into(), file: Some(evil.into()), line: Some(1) };
    profile.add(60 * MS, 60 * MS, SampleState::OnCpu, [named()]);
    let stall = Stall {
        culprit: culprit(evil, evil, 1, 1.0, Some(evil)),
        waits: Some(vec![Wait { call: evil.into(), subject: Some(evil.into()), duration_ns: MS }]),
        stack: Some(vec![evil.into()]),
        profile: Some(Arc::new(profile)),
        drain: Some(LongestDrain {
            jobs: 3,
            reactions: vec![Reaction {
                function: evil.into(),
                file: evil.into(),
                line: 1,
                share: 1.0,
            }],
            ..LongestDrain::default()
        }),
        ..stall(0, 60, PRICES, &[(LedgerKey::Javascript, 100)])
    };
    let limit = Limit { what: evil.into(), why: evil.into() };
    Snapshot {
        wall_ns: 60 * MS,
        clock: ClockKind::Real,
        events: Events { seen: 1, kept: 1, dropped: 0 },
        targets: vec![target(1, evil, Tier::Full, vec![limit])],
        loops: vec![LoopSnapshot {
            pid: 1,
            thread: evil.into(),
            stall_totals: totals(std::slice::from_ref(&stall)),
            stalls: vec![stall],
            ..LoopSnapshot::default()
        }],
    }
}

/// A service that was never held up.
pub(crate) fn quiet() -> Snapshot {
    let quiet = LoopSnapshot {
        stalls: Vec::new(),
        stall_totals: CauseTotals::default(),
        turn_ns: times(spread(9_000, 310_000, 0.9)),
        microtask_drain_length: Some(Histogram::of(Scale::Length, [1, 2, 3])),
        microtask_drain_ns: times([9_000]),
        gc_major_ns: times([]),
        timer_lateness_ns: times([900_000]),
        utilization: Some(0.21),
        active_ns: Some(6_300 * MS),
        idle_ns: Some(WALL_NS - 6_300 * MS),
        ..main_loop()
    };
    let events = Events::default();
    let targets = vec![target(4711, "shop", Tier::Full, Vec::new())];
    Snapshot { events, targets, loops: vec![quiet], ..snapshot() }
}

/// What a source saw that takes no stacks.
pub(crate) fn without_samples() -> Snapshot {
    Snapshot { loops: vec![mailer()], ..snapshot() }
}
