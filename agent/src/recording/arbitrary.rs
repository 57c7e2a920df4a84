//! Snapshots with anything in them, for tests: each field that may be there is there in half of
//! them.

use std::sync::Arc;

use loop_core::buckets::Scale;
use loop_core::snapshot::{
    CauseTotals, ClockKind, Counters, Culprit, Drain, Events, Histogram, Ledger, LedgerKey, Limit,
    LongestDrain, LoopSnapshot, Observed, OpenTurn, Profile, ProfileFrame, Queue, Reaction,
    Repeated, Runtime, SampleState, Snapshot, Source, Stall, Stopped, StoppedBy, Target, ThreadCpu,
    ThreadPoolSnapshot, Tier, Wait,
};
use loop_core::{Phase, PhaseMap};

/// Numbers that a seed alone decides (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn is(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Of any magnitude; 0 more often than others.
    fn value(&mut self) -> u64 {
        let bits = self.below(57);
        self.below(1 << bits)
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.below(1 << 32)).unwrap()
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 20) as f64 / (1 << 20) as f64
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
        self.is().then(|| make(self))
    }

    fn some<T>(&mut self, most: u64, make: impl Fn(&mut Random) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn text(&mut self) -> String {
        let letters = ['a', 'é', ' ', '/', '\u{1f980}', '\n', '"', '0'];
        self.some(12, |random| random.pick(&letters)).into_iter().collect()
    }
}

fn histogram(random: &mut Random) -> Histogram {
    Histogram::of(Scale::Time, random.some(9, Random::value))
}

fn lengths(random: &mut Random) -> Histogram {
    Histogram::of(Scale::Length, random.some(9, Random::value))
}

fn counters(random: &mut Random) -> Counters {
    Counters {
        task_clock_ns: random.maybe(Random::value),
        context_switches: random.maybe(Random::value),
        page_faults: random.maybe(Random::value),
        cycles: random.maybe(Random::value),
        instructions: random.maybe(Random::value),
    }
}

fn profile(random: &mut Random) -> Profile {
    let mut profile = Profile::new(random.value());
    let files = [None, Some("/a.js"), Some("node:fs"), Some("/srv/é.mjs")];
    for _ in 0..random.below(20) {
        let frames = random.some(5, |random| ProfileFrame {
            name: random.pick(&["", "work", "main"]).to_owned(),
            file: random.pick(&files).map(str::to_owned),
            line: random.maybe(|random| u32::try_from(random.below(3)).unwrap()),
        });
        let state = random.pick(&[SampleState::OnCpu, SampleState::Waiting]);
        profile.add(random.below(1 << 40), random.below(1 << 40), state, frames);
    }
    if random.below(4) == 0 {
        // As where names are hidden: two functions may become one.
        profile.rename(|frame| frame.name.truncate(1));
    }
    profile
}

fn drain(random: &mut Random) -> LongestDrain {
    LongestDrain {
        jobs: random.value(),
        queued: random.maybe(Random::value),
        waiting_max: random.maybe(Random::value),
        is_square: random.is(),
        reactions: random.some(3, |random| Reaction {
            function: random.text(),
            file: random.text(),
            line: random.small(),
            share: random.share(),
        }),
    }
}

fn culprit(random: &mut Random) -> Culprit {
    Culprit {
        function: random.text(),
        file: random.text(),
        line: random.small(),
        share: random.share(),
        samples: random.maybe(Random::value),
        hot_leaf: random.maybe(Random::text),
    }
}

fn ledger(random: &mut Random) -> Ledger {
    LedgerKey::ALL.into_iter().fold(Ledger::default(), |ledger, key| {
        match random.maybe(Random::value) {
            Some(ns) => ledger.with(key, ns),
            None => ledger,
        }
    })
}

pub(super) fn stall(random: &mut Random) -> Stall {
    let repeated = [Repeated::Ticks, Repeated::Timers, Repeated::Events, Repeated::Immediates];
    Stall {
        start_unix_ns: random.below(1 << 62),
        duration_ns: random.value(),
        running: random.is(),
        phase: random.maybe(|random| random.pick(&Phase::ALL)),
        callbacks: random.maybe(Random::value),
        microtasks: random.maybe(Random::value),
        repeated: random.maybe(|random| random.pick(&repeated)),
        ledger_ns: ledger(random),
        counters: counters(random),
        culprit: random.maybe(culprit),
        waits: random.maybe(|random| {
            random.some(3, |random| Wait {
                call: random.text(),
                subject: random.maybe(Random::text),
                duration_ns: random.value(),
            })
        }),
        drain: random.maybe(drain),
        stack: random.maybe(|random| random.some(4, Random::text)),
        profile: random.maybe(|random| Arc::new(profile(random))),
    }
}

fn open(random: &mut Random) -> OpenTurn {
    OpenTurn {
        age_ns: random.value(),
        phase: random.maybe(|random| random.pick(&Phase::ALL)),
        drain: random.maybe(|random| Drain {
            queue: random.pick(&[Queue::NextTick, Queue::Microtask]),
            age_ns: random.value(),
            jobs: random.value(),
        }),
    }
}

fn totals(random: &mut Random) -> CauseTotals {
    let mut totals = CauseTotals::default();
    for key in LedgerKey::ALL {
        if random.is() {
            totals.set(key, random.value(), random.value());
        }
    }
    totals
}

pub(super) fn observed(random: &mut Random) -> LoopSnapshot {
    LoopSnapshot {
        pid: random.small(),
        thread: random.text(),
        tid: random.small(),
        turns: random.maybe(Random::value),
        callbacks: random.maybe(|random| PhaseMap::from_fn(|_| random.value())),
        microtasks: random.maybe(Random::value),
        ticks: random.maybe(Random::value),
        timers: random.maybe(Random::value),
        immediates: random.maybe(Random::value),
        active_ns: random.maybe(Random::value),
        idle_ns: random.maybe(Random::value),
        observed: Observed {
            passive_ns: random.maybe(Random::value),
            turn_ns: random.maybe(Random::value),
            full_ns: random.maybe(Random::value),
        },
        frozen_ns: random.maybe(Random::value),
        stopped: random.maybe(|random| Stopped {
            age_ns: random.value(),
            always: random.is(),
            by: random.pick(&[StoppedBy::Signal, StoppedBy::ControlGroup]),
        }),
        utilization: random.maybe(Random::share),
        ended_ns: random.maybe(Random::value),
        open: random.maybe(open),
        turn_ns: random.maybe(histogram),
        poll_wait_ns: random.maybe(histogram),
        timer_lateness_ns: random.maybe(histogram),
        arrival_delay_ns: random.maybe(histogram),
        callbacks_ns: PhaseMap::from_fn(|_| random.maybe(histogram)),
        phases: PhaseMap::from_fn(|_| random.maybe(histogram)),
        microtask_drain_length: random.maybe(lengths),
        microtask_drain_ns: random.maybe(histogram),
        tick_drain_length: random.maybe(lengths),
        tick_drain_ns: random.maybe(histogram),
        gc_minor_ns: random.maybe(histogram),
        gc_major_ns: random.maybe(histogram),
        thread_pool: ThreadPoolSnapshot {
            queue_ns: random.maybe(histogram),
            run_ns: random.maybe(histogram),
            queue_length_max: random.maybe(Random::value),
            queue_length: random.maybe(Random::value),
            crowded_share: random.maybe(Random::share),
        },
        stalls: random.some(3, stall),
        stall_totals: totals(random),
        cpu: ThreadCpu {
            on_cpu_ns: random.maybe(Random::value),
            run_delay_ns: random.maybe(Random::value),
            throttled_ns: random.maybe(Random::value),
        },
        counters: counters(random),
    }
}

pub(super) fn target(random: &mut Random) -> Target {
    let sources = [Source::Embedded, Source::Ebpf, Source::V8Trace, Source::Inspector];
    Target {
        pid: random.small(),
        name: random.text(),
        runtime: random.pick(&[Runtime::LoopCore, Runtime::NodeJs]),
        runtime_version: random.text(),
        source: random.pick(&sources),
        tier: random.pick(&[Tier::Passive, Tier::Turn, Tier::Full]),
        overhead_ratio: random.maybe(Random::share),
        sampled: random.is(),
        limits: random.some(2, |random| Limit { what: random.text(), why: random.text() }),
    }
}

/// What the seed decides.
pub(super) fn snapshot(random: &mut Random) -> Snapshot {
    Snapshot {
        wall_ns: random.value(),
        clock: random.pick(&[ClockKind::Real, ClockKind::Virtual]),
        events: Events { seen: random.value(), kept: random.value(), dropped: random.value() },
        targets: random.some(3, target),
        loops: random.some(3, observed),
    }
}
