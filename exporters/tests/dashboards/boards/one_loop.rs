//! *Loop*: one event loop, for the person on call.

use crate::board::{Board, Row, Several, Variable};
use crate::look::{
    BUSY, CAUSES, COLLECTIONS, NONE, PHASES, QUANTILES, QUEUES, STATES, THREAD, TIERS, TIMES,
};
use crate::panel::{Panel, Unit};
use crate::query::{Scope, max, sum};

/// The loop that was chosen.
const L: Scope =
    Scope("instance=~\"$instance\",target=\"$target\",pid=\"$pid\",thread=\"$thread\"");

/// The whole host of it.
const H: Scope = Scope("instance=~\"$instance\"");

const ARRIVAL: &str = "loopscope_eventloop_arrival_delay_seconds";
const TURN: &str = "loopscope_eventloop_turn_duration_seconds";
const OPEN: &str = "loopscope_eventloop_current_turn_seconds";
const PHASE: &str = "loopscope_eventloop_phase_duration_seconds";

pub(crate) fn board() -> Board {
    let of_agent = "instance=~\"$instance\"";
    let of_target = "instance=~\"$instance\",target=\"$target\"";
    let of_process = "instance=~\"$instance\",target=\"$target\",pid=\"$pid\"";
    Board {
        file: "loop.json",
        title: "Loop",
        uid: "loopscope-loop",
        about: "One event loop: whether it is blocked, where its turns go, what its stalls were \
                made of, and how far to trust the figures.",
        range: "now-30m",
        variables: vec![
            Variable::of_loops("instance", "Agent", "", Several::OneOrAll),
            Variable::of_loops("target", "Target", of_agent, Several::One),
            Variable::of_loops("pid", "Process", of_target, Several::One),
            Variable::of_loops("thread", "Thread", of_process, Several::One),
            // The others seldom run anything, and Node has them inlined where nothing sees them.
            Variable::Fixed {
                name: "phase",
                title: "Phases",
                values: &[
                    ("timers", true),
                    ("pending", false),
                    ("idle", false),
                    ("prepare", false),
                    ("poll", true),
                    ("check", true),
                    ("close", false),
                ],
            },
        ],
        rows: vec![
            now(),
            blocked(),
            phases(),
            heat(),
            work(),
            drains(),
            causes(),
            below(),
            trust(),
        ],
    }
}

/// The median and the 99th percentile of a histogram.
fn quantiles(title: &'static str, about: &'static str, metric: &str) -> Panel {
    Panel::lines(title, about, Unit::Seconds)
        .query(L.quantile(0.5, metric, ""), "p50")
        .query(L.quantile(0.99, metric, ""), "p99")
        .coloured(QUANTILES)
        .steps(TIMES)
}

fn now() -> Row {
    Row {
        title: "Now",
        panels: vec![
            Panel::stat(
                "Running turn",
                "Age of the turn that has not ended. It rises while the loop is blocked and is 0 \
                 while the loop waits; from a passive source it is a lower bound. Orange: past the \
                 stall threshold of 50 ms. Red: past 1 s.",
                Unit::Seconds,
            )
            .query(max(&L.of(OPEN), ""), "running turn")
            .steps(TIMES),
            Panel::stat(
                "Utilisation",
                "Share of the time in which the loop was busy. Near 100 % there is no slack left: \
                 whatever arrives waits.",
                Unit::Share,
            )
            .query(L.utilization(""), "utilisation")
            .steps(BUSY),
            Panel::stat(
                "Turn p99",
                "99 of 100 turns were shorter. Each turn counts once, however long it took: \
                 compare it with the arrival delay.",
                Unit::Seconds,
            )
            .query(L.quantile(0.99, TURN, ""), "turn p99")
            .steps(TIMES),
            Panel::stat(
                "Arrival delay p99",
                "99 of 100 events that arrive at random instants wait less than this for the loop. \
                 This is what users feel.",
                Unit::Seconds,
            )
            .query(L.quantile(0.99, ARRIVAL, ""), "arrival p99")
            .steps(TIMES),
            Panel::stat(
                "Stalls",
                "Turns past the stall threshold that ended within the time range. One that still \
                 runs is in Running turn.",
                Unit::Count,
            )
            .query(sum(&L.rise("loopscope_eventloop_stalls_total"), ""), "stalls")
            .steps(&[("orange", 1.0), ("red", 10.0)]),
            Panel::stat(
                "Events dropped",
                "Stalls within the time range whose details were overwritten by newer ones, on \
                 the whole host: of each loop the newest 64 are kept. Counters and histograms hold \
                 all.",
                Unit::Count,
            )
            .query(sum(&H.rise("loopscope_events_dropped_total"), ""), "dropped"),
        ],
    }
}

fn blocked() -> Row {
    Row {
        title: "Is it blocked?",
        panels: vec![
            Panel::lines(
                "Running turn over time",
                "Age of the unfinished turn at each scrape. A ramp is a block, and it shows while \
                 the block lasts. Blocks shorter than the scrape interval may fall between two \
                 scrapes: see the stalls.",
                Unit::Seconds,
            )
            .query(max(&L.of(OPEN), ""), "running turn")
            .steps(TIMES),
            Panel::lines(
                "Turns against arrivals",
                "The same loop counted in two ways. By turns, a block of 30 s is one turn among \
                 thousands and p99 does not move. By arrivals, each instant of it counts. Where \
                 the two part, percentiles of turns hide the pain (coordinated omission).",
                Unit::Seconds,
            )
            .query(L.quantile(0.5, TURN, ""), "turn p50")
            .query(L.quantile(0.99, TURN, ""), "turn p99")
            .query(L.quantile(0.5, ARRIVAL, ""), "arrival p50")
            .query(L.quantile(0.99, ARRIVAL, ""), "arrival p99")
            .coloured(QUANTILES)
            .steps(TIMES),
        ],
    }
}

fn phases() -> Row {
    Row {
        title: "Where does a turn go?",
        panels: vec![
            Panel::areas(
                "Time by phase",
                "Seconds in each phase for each second in which they were timed. The sum is the \
                 busy part of the loop.",
                Unit::Share,
            )
            .either(L.share(PHASE, "phase"), "{{phase}}")
            .coloured(PHASES),
            Panel::lines(
                "Phase p99",
                "99 of 100 passes through a phase were shorter. The phase that rises with the \
                 trouble holds the culprit.",
                Unit::Seconds,
            )
            .query(L.quantile(0.99, PHASE, "phase"), "{{phase}}")
            .coloured(PHASES)
            .steps(TIMES),
            Panel::lines(
                "Utilisation over time",
                "Busy share of the loop: over the last minutes, and since the observation began.",
                Unit::Share,
            )
            .query(L.utilization(""), "now")
            .query(max(&L.of("loopscope_eventloop_utilization_ratio"), ""), "since the start")
            .steps(BUSY)
            .max(1.0),
        ],
    }
}

fn heat() -> Row {
    Row {
        title: "Distributions over time",
        panels: vec![
            Panel::heatmap(
                "Turn durations",
                "How often a turn took how long. A second band far above the first is work that \
                 belongs elsewhere.",
                L.heat(TURN, ""),
            )
            .wide(12),
            Panel::heatmap(
                "Arrival delays",
                "How long events would have waited, had they come at every instant. What is high \
                 here and empty in the turns beside it is one long block.",
                L.heat(ARRIVAL, ""),
            )
            .wide(12),
            Panel::heatmap(
                "Phase $phase",
                "How often this phase took how long, one panel for each phase chosen above. A \
                 phase in which nothing ran is empty.",
                L.heat(PHASE, "phase=~\"$phase\""),
            )
            .repeat("phase")
            .wide(24)
            .high(7),
        ],
    }
}

fn work() -> Row {
    Row {
        title: "Timers, poll and work",
        panels: vec![
            quantiles(
                "Timer lateness",
                "From when a timer was due to when it ran; no sampling period is in it. Late \
                 timers without long turns point at a thread that gets no CPU.",
                "loopscope_eventloop_timer_lateness_seconds",
            ),
            quantiles(
                "Poll wait",
                "How long the loop waited with nothing to do. Short waits at high utilisation: it \
                 has no rest between events.",
                "loopscope_eventloop_poll_wait_seconds",
            )
            .steps(&[]),
            Panel::lines(
                "Turns and callbacks",
                "Turns and callbacks a second. Fewer than with the same load before: each costs \
                 more.",
                Unit::Pace,
            )
            .query(sum(&L.rate("loopscope_eventloop_turns_total"), ""), "turns")
            .query(sum(&L.rate("loopscope_eventloop_callbacks_total"), ""), "callbacks"),
            Panel::lines(
                "Microtasks",
                "Microtasks a second. Many of them in few turns: a flood that starves everything \
                 else.",
                Unit::Pace,
            )
            .query(sum(&L.rate("loopscope_eventloop_microtasks_total"), ""), "microtasks"),
        ],
    }
}

fn drains() -> Row {
    let length = "loopscope_eventloop_drain_length";
    let duration = "loopscope_eventloop_drain_duration_seconds";
    Row {
        title: "Drains and callbacks",
        panels: vec![
            Panel::lines(
                "Drain length",
                "Jobs run in one go, with no event let in between, by queue. Past 1,000 microtasks \
                 or ticks a drain deserves a look.",
                Unit::Count,
            )
            .query(L.quantile(0.5, length, "queue"), "{{queue}} p50")
            .query(L.quantile(0.99, length, "queue"), "{{queue}} p99")
            .coloured(QUEUES)
            .steps(&[("orange", 1_000.0), ("red", 10_000.0)]),
            Panel::lines(
                "Drain duration",
                "How long one drain held the loop, by queue.",
                Unit::Seconds,
            )
            .query(L.quantile(0.5, duration, "queue"), "{{queue}} p50")
            .query(L.quantile(0.99, duration, "queue"), "{{queue}} p99")
            .coloured(QUEUES)
            .steps(TIMES),
            quantiles(
                "Callback duration",
                "Time in single callbacks, drains not counted. Empty unless the source runs with \
                 --detail.",
                "loopscope_eventloop_callback_duration_seconds",
            ),
        ],
    }
}

fn causes() -> Row {
    let pause = "loopscope_gc_pause_seconds";
    Row {
        title: "Stalls and their causes",
        panels: vec![
            Panel::bars(
                "Stalls by cause",
                "Turns past the stall threshold that ended, by what took most of their time.",
                Unit::Count,
            )
            .query(
                format!("{} > 0", sum(&L.step("loopscope_eventloop_stalls_total"), "cause")),
                "{{cause}}",
            )
            .coloured(CAUSES)
            .none("no stall"),
            Panel::bars(
                "Stalled time by cause",
                "Share of the time spent in stalls, by cause. It says more than their number: one \
                 stall of 10 s outweighs a hundred of 60 ms.",
                Unit::Share,
            )
            .query(
                format!("{} > 0", sum(&L.rate("loopscope_eventloop_stall_seconds_total"), "cause")),
                "{{cause}}",
            )
            .coloured(CAUSES)
            .none("no stall"),
            Panel::lines(
                "GC pauses",
                "Pauses of the loop's thread for garbage collection, by kind. When they grow \
                 together with the drains, the flood is the cause and the garbage its symptom.",
                Unit::Seconds,
            )
            .query(L.quantile(0.5, pause, "kind"), "{{kind}} p50")
            .query(L.quantile(0.99, pause, "kind"), "{{kind}} p99")
            .coloured(COLLECTIONS)
            .steps(TIMES),
        ],
    }
}

fn below() -> Row {
    Row {
        title: "Below the loop",
        panels: vec![
            Panel::areas(
                "CPU against run delay",
                "Seconds on a CPU, waiting for one, and held back by a quota, for each second of \
                 the clock. Waiting or throttled: the code is not to blame.",
                Unit::Share,
            )
            .query(sum(&L.rate("loopscope_thread_cpu_seconds_total"), ""), "on a CPU")
            .query(L.run_queue(), "waiting for a CPU")
            .query(sum(&L.rate("loopscope_thread_throttled_seconds_total"), ""), "throttled")
            .coloured(THREAD),
            quantiles(
                "Thread pool wait",
                "How long file, DNS and crypto jobs waited for a thread of the pool. Past a \
                 millisecond at p50 the pool is too small, or its jobs too long.",
                "loopscope_thread_pool_wait_seconds",
            ),
            Panel::lines(
                "Thread pool queue",
                "Jobs waiting for a thread of the pool at each scrape.",
                Unit::Count,
            )
            .query(max(&L.of("loopscope_thread_pool_queue_length"), ""), "waiting jobs")
            .steps(NONE),
        ],
    }
}

fn trust() -> Row {
    Row {
        title: "How far to trust this",
        panels: vec![
            Panel::areas(
                "Time by tier",
                "Share of the time in which the loop was observed at each tier. What only the tier \
                 full shows (phases, drains, lateness of timers, collections) is of its part \
                 alone, and shares are of that part, too. The daemon looks closer behind stalls: \
                 calm times count for less.",
                Unit::Share,
            )
            .query(sum(&L.rate("loopscope_eventloop_observed_seconds_total"), "tier"), "{{tier}}")
            .coloured(TIERS),
            Panel::lines(
                "Cost of measuring",
                "Share of the loop thread's time that measuring took. What the embedded loop \
                 measures of itself has no probes, and no figure here.",
                Unit::Share,
            )
            .query(
                max(
                    &Scope("instance=~\"$instance\",target=\"$target\"")
                        .of("loopscope_probe_overhead_ratio"),
                    "",
                ),
                "overhead",
            )
            .steps(&[("orange", 0.05), ("red", 0.15)]),
            Panel::lines(
                "Events",
                "Stalls that the sources saw, and those whose details were overwritten by newer \
                 ones, a second, on the whole host.",
                Unit::Pace,
            )
            .query(sum(&H.rate("loopscope_events_total"), "source"), "{{source}} seen")
            .query(sum(&H.rate("loopscope_events_dropped_total"), "source"), "{{source}} dropped"),
            Panel::lines(
                "Processes by state",
                "Processes of the whole host by whether they are observed. The dashboard Agent has \
                 the reasons of those that are not.",
                Unit::Count,
            )
            .query(sum(&H.of("loopscope_targets"), "state"), "{{state}}")
            .coloured(STATES),
        ],
    }
}
