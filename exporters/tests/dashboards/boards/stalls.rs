//! *Stall anatomy*: what stalls are made of, over time and by service.

use super::{ROW_TO_LOOP, TO_LOOP};
use crate::board::{Board, Row, Several, Variable};
use crate::look::{BUSY, CAUSES, COLLECTIONS, QUEUES, THREAD, TIMES};
use crate::panel::{Column, Panel, Unit};
use crate::query::{ONE_LOOP, Scope, max, sum};

/// The loops that were chosen.
const S: Scope =
    Scope("instance=~\"$instance\",target=~\"$target\",pid=~\"$pid\",thread=~\"$thread\"");

/// Their stalls of the causes that were chosen.
const C: Scope = Scope(
    "instance=~\"$instance\",target=~\"$target\",pid=~\"$pid\",thread=~\"$thread\",\
     cause=~\"$cause\"",
);

const OPEN: &str = "loopscope_eventloop_current_turn_seconds";
const STALLS: &str = "loopscope_eventloop_stalls_total";
const SECONDS: &str = "loopscope_eventloop_stall_seconds_total";

/// Where the stalls themselves are: no metric holds a function's name.
const RECENT: &str = "\
Metrics count stalls. What each one was made of, with the function, file and line that held the \
loop, is told by the agent:

- **The agent's page**: open the address that Prometheus scrapes (`http://HOST:9797/`).
- **On the host**: `loopscope attach PID --duration 30s` names the culprits of a process.
- **Logs**: with `OTEL_EXPORTER_OTLP_ENDPOINT` set, each stall is sent as an OpenTelemetry log \
record with its ledger and culprit. Where your logs are in Loki, a panel *Logs* with the query \
`{service_name=~\"$target\"}` shows them here.
- **What a cause means and what to do**: `loopscope diagnoses`, and the \
[runbooks](https://github.com/loopscope/loopscope/blob/main/dashboards/README.md#alerts).
";

pub(crate) fn board() -> Board {
    let of_agent = "instance=~\"$instance\"";
    let of_target = "instance=~\"$instance\",target=~\"$target\"";
    let of_process = "instance=~\"$instance\",target=~\"$target\",pid=~\"$pid\"";
    Board {
        file: "stalls.json",
        title: "Stall anatomy",
        uid: "loopscope-stalls",
        about: "What stalls are made of: the ledger over time, which service has which cause, and \
                what runs on now.",
        range: "now-1h",
        variables: vec![
            Variable::of_loops("instance", "Agent", "", Several::Any),
            Variable::of_loops("target", "Service", of_agent, Several::Any),
            Variable::of_loops("pid", "Process", of_target, Several::Any),
            Variable::of_loops("thread", "Thread", of_process, Several::Any),
            Variable::Fixed {
                name: "cause",
                title: "Cause",
                values: &[
                    ("javascript", false),
                    ("native", false),
                    ("microtasks", false),
                    ("ticks", false),
                    ("gc", false),
                    ("sync_io", false),
                    ("lock_wait", false),
                    ("run_queue", false),
                    ("throttled", false),
                    ("frozen", false),
                    ("unknown", false),
                ],
            },
        ],
        rows: vec![now(), ledger(), running(), who(), evidence(), recent()],
    }
}

fn now() -> Row {
    Row {
        title: "Now",
        panels: vec![
            Panel::stat(
                "Running stall",
                "Age of the oldest unfinished turn of these loops. Past the stall threshold of \
                 50 ms it is a stall that still runs; causes are told when it has ended.",
                Unit::Seconds,
            )
            .query(max(&S.of(OPEN), ""), "running stall")
            .steps(TIMES),
            Panel::stat(
                "Stalls",
                "Turns past the stall threshold that ended within the time range.",
                Unit::Count,
            )
            .query(sum(&C.rise(STALLS), ""), "stalls")
            .steps(&[("orange", 1.0), ("red", 100.0)]),
            Panel::stat(
                "Stalled time",
                "Time of those stalls, of all these loops together.",
                Unit::Seconds,
            )
            .query(sum(&C.rise(SECONDS), ""), "stalled")
            .steps(&[("orange", 1.0), ("red", 60.0)]),
            Panel::stat(
                "Mean stall",
                "Stalled time by the number of stalls, within the time range.",
                Unit::Seconds,
            )
            .query(
                format!("{} / ({} > 0)", sum(&C.rise(SECONDS), ""), sum(&C.rise(STALLS), "")),
                "mean",
            )
            .steps(TIMES)
            .none("no stall"),
            Panel::named_stat(
                "Main cause",
                "The cause that took most of the stalled time within the time range, with that \
                 time.",
                Unit::Seconds,
            )
            .query(format!("topk(1, {} > 0)", sum(&C.rise(SECONDS), "cause")), "{{cause}}")
            .steps(&[("orange", 1.0), ("red", 60.0)])
            .none("no stall")
            .wide(8),
        ],
    }
}

fn ledger() -> Row {
    let seconds = sum(&C.rate(SECONDS), "cause");
    let number = sum(&C.step(STALLS), "cause");
    Row {
        title: "What are stalls made of?",
        panels: vec![
            Panel::bars(
                "Ledger over time",
                "Seconds of stalls in each second, by what took most of each: 100 % is one loop \
                 that does nothing else. The colour that grows is what to look for.",
                Unit::Share,
            )
            .query(format!("{seconds} > 0"), "{{cause}}")
            .coloured(CAUSES)
            .none("no stall")
            .wide(12),
            Panel::bars(
                "Stalls over time",
                "Stalls that ended from one step to the next, by what took most of each.",
                Unit::Count,
            )
            .query(format!("{number} > 0"), "{{cause}}")
            .coloured(CAUSES)
            .none("no stall")
            .wide(12),
            Panel::lines(
                "Mean stall by cause",
                "Stalled time by the number of stalls. Many short ones and a few long ones have \
                 different remedies.",
                Unit::Seconds,
            )
            .query(format!("{} / ({number} > 0)", sum(&C.step(SECONDS), "cause")), "{{cause}}")
            .coloured(CAUSES)
            .steps(TIMES)
            .none("no stall")
            .wide(12),
            Panel::bars(
                "Share of the causes",
                "The ledger over time as parts of its sum: whether the mixture changes, however \
                 much of it there is.",
                Unit::Share,
            )
            .query(format!("({seconds} > 0) / on() group_left() sum({seconds})"), "{{cause}}")
            .coloured(CAUSES)
            .none("no stall")
            .max(1.0)
            .wide(12),
        ],
    }
}

fn running() -> Row {
    Row {
        title: "What is blocked at this moment?",
        panels: vec![
            Panel::lines(
                "Running stalls",
                "Age of unfinished turns, of each loop that was seen in one past the stall \
                 threshold of 50 ms within the time range. A ramp that goes on is a loop that does \
                 not come back.",
                Unit::Seconds,
            )
            .query(
                format!(
                    "{} and {} > 0.05",
                    max(&S.of(OPEN), ONE_LOOP),
                    max(&format!("max_over_time({}[$__range])", S.of(OPEN)), ONE_LOOP)
                ),
                "{{target}} {{pid}} {{thread}}",
            )
            .steps(TIMES)
            .none("no stall")
            .link("This loop", TO_LOOP),
        ],
    }
}

fn who() -> Row {
    let by_service = "target, cause";
    let by_loop = "instance, target, pid, thread, cause";
    let columns = |by: &str| {
        vec![
            Column {
                title: "Stalled time",
                expr: format!("{} > 0", sum(&C.rise(SECONDS), by)),
                unit: Unit::Seconds,
                steps: &[("orange", 1.0), ("red", 60.0)],
            },
            Column {
                title: "Stalls",
                expr: format!("{} > 0", sum(&C.rise(STALLS), by)),
                unit: Unit::Count,
                steps: &[],
            },
        ]
    };
    Row {
        title: "Which service has which cause?",
        panels: vec![
            Panel::table(
                "Causes by service",
                "Stalls within the time range by service and cause, what took longest on top.",
                &["target", "cause"],
                columns(by_service),
            )
            .none("no stall"),
            Panel::table(
                "Causes by loop",
                "The same by loop: whether one process or one thread of a service is ill, or all \
                 of them. A row leads to its loop.",
                &["target", "pid", "thread", "cause", "instance"],
                columns(by_loop),
            )
            .none("no stall")
            .link("This loop", ROW_TO_LOOP),
        ],
    }
}

fn evidence() -> Row {
    let quota = sum(&S.rate("loopscope_thread_throttled_seconds_total"), "");
    Row {
        title: "What speaks for it?",
        panels: vec![
            Panel::areas(
                "Time in drains",
                "Seconds in each second that drains of a queue hold these loops, as in the time in \
                 which they were timed. Beside microtasks or ticks in the ledger it tells how much \
                 of the flood is in stalls.",
                Unit::Share,
            )
            .either(S.share("loopscope_eventloop_drain_duration_seconds", "queue"), "{{queue}}")
            .coloured(QUEUES),
            Panel::areas(
                "Time in collections",
                "Seconds in each second in garbage collections of these loops, by kind, as in the \
                 time in which they were timed.",
                Unit::Share,
            )
            .either(S.share("loopscope_gc_pause_seconds", "kind"), "{{kind}}")
            .coloured(COLLECTIONS),
            Panel::areas(
                "Time without a CPU",
                "Seconds in each second in which these loops could run but got no CPU, or were \
                 held back by a quota. Beside run_queue or throttled in the ledger.",
                Unit::Share,
            )
            .query(S.run_queue(), "waiting for a CPU")
            .query(quota, "throttled")
            .coloured(THREAD),
            Panel::lines(
                "Busiest of these loops",
                "Busy share of the busiest loop. A loop that stalls and is idle in between needs \
                 another remedy than one that is always busy.",
                Unit::Share,
            )
            .query(max(&S.utilization(ONE_LOOP), ""), "busiest")
            .steps(BUSY)
            .max(1.0),
        ],
    }
}

fn recent() -> Row {
    Row {
        title: "Recent stalls and their culprits",
        panels: vec![
            Panel::text(
                "Where culprits are told",
                "Names of functions, files and lines are in no metric: they would be a series \
                 each. This says where they are.",
                RECENT,
            )
            .high(7),
        ],
    }
}
