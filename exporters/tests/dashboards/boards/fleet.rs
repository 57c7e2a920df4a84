//! *Fleet*: which service stalls, and which loops are the worst now.

use super::{ROW_TO_LOOP, TO_STALLS};
use crate::board::{Board, Row, Several, Variable};
use crate::look::{BUSY, CAUSES, NONE, TIMES};
use crate::panel::{Column, Panel, Unit};
use crate::query::{ONE_LOOP, Scope, max, sum};

const S: Scope = Scope("instance=~\"$instance\",target=~\"$target\"");

pub(crate) fn board() -> Board {
    Board {
        file: "fleet.json",
        title: "Fleet",
        uid: "loopscope-fleet",
        about: "Every observed event loop: which service stalls, which loops are the worst now, \
                and how late they are.",
        range: "now-1h",
        variables: vec![
            Variable::of_loops("instance", "Agent", "", Several::Any),
            Variable::of_loops("target", "Service", "instance=~\"$instance\"", Several::Any),
        ],
        rows: vec![now(), worst(), who_stalls(), how_late(), slack()],
    }
}

fn now() -> Row {
    let turn = S.of("loopscope_eventloop_current_turn_seconds");
    let firing = "count(ALERTS{alertname=~\"Loopscope.+\",alertstate=\"firing\"})";
    Row {
        title: "Now",
        panels: vec![
            Panel::stat(
                "Loops blocked",
                "Loops whose turn has run for more than a second and has not ended. Nothing that \
                 such a process should do gets done.",
                Unit::Count,
            )
            .query(format!("sum({turn} > bool 1)"), "blocked")
            .steps(&[("red", 1.0)]),
            Panel::stat(
                "Longest running turn",
                "Age of the oldest unfinished turn of all loops. It rises for as long as a loop \
                 is blocked.",
                Unit::Seconds,
            )
            .query(max(&turn, ""), "running turn")
            .steps(TIMES),
            Panel::stat(
                "Loops observed",
                "Event loops that the agents see: main threads and workers. A loop that is \
                 missing here is not watched.",
                Unit::Count,
            )
            .query(format!("count({turn})"), "loops"),
            Panel::stat(
                "Stalls",
                "Turns past the stall threshold that ended within the time range.",
                Unit::Count,
            )
            .query(sum(&S.rise("loopscope_eventloop_stalls_total"), ""), "stalls")
            .steps(&[("orange", 1.0), ("red", 100.0)]),
            Panel::stat(
                "Stalled time",
                "Time that all loops together spent in those stalls.",
                Unit::Seconds,
            )
            .query(sum(&S.rise("loopscope_eventloop_stall_seconds_total"), ""), "stalled")
            .steps(&[("orange", 1.0), ("red", 60.0)]),
            Panel::stat(
                "Alerts firing",
                "Alerts of ours that fire now, for every service. It says none, too, where the \
                 rules are not loaded.",
                Unit::Count,
            )
            .query(firing.to_owned(), "firing")
            .steps(NONE)
            .none("none"),
        ],
    }
}

fn worst() -> Row {
    let turn = S.of("loopscope_eventloop_current_turn_seconds");
    let column = |title, expr, unit, steps| Column { title, expr, unit, steps };
    let p99 = |metric| S.quantile(0.99, metric, ONE_LOOP);
    let stalled = S.rate("loopscope_eventloop_stall_seconds_total");
    let columns = vec![
        column("Running turn", max(&turn, ONE_LOOP), Unit::Seconds, TIMES),
        column("Stalled share", sum(&stalled, ONE_LOOP), Unit::Share, BUSY),
        column("Utilisation", S.utilization(ONE_LOOP), Unit::Share, BUSY),
        column(
            "Arrival p99",
            p99("loopscope_eventloop_arrival_delay_seconds"),
            Unit::Seconds,
            TIMES,
        ),
        column(
            "Lateness p99",
            p99("loopscope_eventloop_timer_lateness_seconds"),
            Unit::Seconds,
            TIMES,
        ),
    ];
    let table = Panel::table(
        "Worst loops now",
        "One row a loop, the longest running turn on top; sort by another column to see who stalls \
         most, is busiest or is latest. A row leads to its loop. An empty cell is not seen.",
        &["target", "pid", "thread", "instance"],
        columns,
    );
    Row { title: "Worst loops now", panels: vec![table.link("This loop", ROW_TO_LOOP).high(9)] }
}

fn who_stalls() -> Row {
    Row {
        title: "Which service stalls?",
        panels: vec![
            Panel::lines(
                "Running turn by service",
                "Age of the oldest unfinished turn of each service at each scrape. A ramp is a \
                 block, and it shows while the block lasts.",
                Unit::Seconds,
            )
            .query(max(&S.of("loopscope_eventloop_current_turn_seconds"), "target"), "{{target}}")
            .steps(TIMES)
            .link("Its stalls", TO_STALLS),
            Panel::bars(
                "Stalled time by service",
                "Seconds of stalls in each second, of all loops of a service: 100 % is one loop \
                 that does nothing else. One stall of 10 s outweighs a hundred of 60 ms.",
                Unit::Share,
            )
            .query(
                format!(
                    "{} > 0",
                    sum(&S.rate("loopscope_eventloop_stall_seconds_total"), "target")
                ),
                "{{target}}",
            )
            .none("no stall")
            .link("Its stalls", TO_STALLS),
            Panel::bars(
                "Stalled time of all by cause",
                "The same by what took most of each stall, over all services: whether they \
                 suffer from one thing or each from its own.",
                Unit::Share,
            )
            .query(
                format!("{} > 0", sum(&S.rate("loopscope_eventloop_stall_seconds_total"), "cause")),
                "{{cause}}",
            )
            .coloured(CAUSES)
            .none("no stall"),
        ],
    }
}

fn how_late() -> Row {
    let p99 = |title, about, metric| {
        Panel::lines(title, about, Unit::Seconds)
            .query(S.quantile(0.99, metric, "target"), "{{target}}")
            .steps(TIMES)
            .link("Its stalls", TO_STALLS)
    };
    Row {
        title: "How late are they?",
        panels: vec![
            p99(
                "Turn p99 by service",
                "99 of 100 turns of a service were shorter. Each turn counts once, however long \
                 it took.",
                "loopscope_eventloop_turn_duration_seconds",
            ),
            p99(
                "Arrival delay p99 by service",
                "99 of 100 events that arrive at random instants wait less than this for the \
                 loop. This is what users feel.",
                "loopscope_eventloop_arrival_delay_seconds",
            ),
            p99(
                "Timer lateness p99 by service",
                "99 of 100 timers ran with less than this delay; no sampling period is in it.",
                "loopscope_eventloop_timer_lateness_seconds",
            ),
        ],
    }
}

fn slack() -> Row {
    Row {
        title: "How much slack is left?",
        panels: vec![
            Panel::lines(
                "Busiest loop by service",
                "Busy share of the busiest loop of each service. Near 100 % whatever arrives \
                 waits, even without a single stall.",
                Unit::Share,
            )
            .query(max(&S.utilization(ONE_LOOP), "target"), "{{target}}")
            .steps(BUSY)
            .max(1.0)
            .link("Its stalls", TO_STALLS),
            Panel::lines(
                "Without a CPU by service",
                "Seconds in each second in which loops of a service could run but got no CPU. The \
                 code is not to blame: look at the neighbours or the quota.",
                Unit::Share,
            )
            .query(sum(&S.rate("loopscope_thread_run_delay_seconds_total"), "target"), "{{target}}")
            .steps(&[("orange", 0.1), ("red", 0.5)])
            .link("Its stalls", TO_STALLS),
            Panel::lines(
                "Collections by service",
                "Seconds in each second that loops of a service spend in garbage collections, as \
                 in the time in which they were timed.",
                Unit::Share,
            )
            .either(S.share("loopscope_gc_pause_seconds", "target"), "{{target}}")
            .steps(&[("orange", 0.1), ("red", 0.3)])
            .link("Its stalls", TO_STALLS),
        ],
    }
}
