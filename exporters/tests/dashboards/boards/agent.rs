//! *Agent*: what observing costs, what it covers, and what it missed.

use crate::board::{Board, Row, Several, Variable};
use crate::look::{NONE, STATES, TIERS};
use crate::panel::{Column, Panel, Unit};
use crate::query::{Scope, max, sum};

const A: Scope = Scope("instance=~\"$instance\"");

/// Keeps the series of processes that are agents.
const IS_AGENT: &str = "and on (instance, job) loopscope_build_info";

pub(crate) fn board() -> Board {
    Board {
        file: "agent.json",
        title: "Agent",
        uid: "loopscope-agent",
        about: "The agents themselves: what they cost, what they observe and how closely, and what \
                they missed or could not deliver.",
        range: "now-1h",
        variables: vec![Variable::Label {
            name: "instance",
            title: "Agent",
            metric: "loopscope_build_info",
            scope: "",
            several: Several::Any,
        }],
        rows: vec![now(), cost(), health(), coverage(), closeness(), losses(), versions()],
    }
}

/// A figure of the agents' processes: others have metrics of the same names.
fn of_agents(expr: &str) -> String {
    format!("{expr} {IS_AGENT}")
}

fn now() -> Row {
    let state = |state: &str| sum(&A.with("loopscope_targets", &format!("state=\"{state}\"")), "");
    Row {
        title: "Now",
        panels: vec![
            Panel::stat(
                "Agents",
                "Agents that answered the last scrape. Fewer than hosts: some are not watched.",
                Unit::Count,
            )
            .query(format!("count({})", A.of("loopscope_build_info")), "agents"),
            Panel::stat(
                "Processes observed",
                "Processes that the agents watch now, at whichever tier.",
                Unit::Count,
            )
            .query(state("attached"), "attached"),
            Panel::stat(
                "Not observed",
                "Processes that the agents want to watch and can't. The reasons are below.",
                Unit::Count,
            )
            .query(state("failed"), "failed")
            .steps(NONE),
            Panel::stat(
                "CPU of the agents",
                "Share of one core that an agent takes, of the most expensive one. The aim is at \
                 most 2 % for 16 processes.",
                Unit::Share,
            )
            .query(max(&of_agents(&A.rate("process_cpu_seconds_total")), ""), "cpu")
            .steps(&[("orange", 0.02), ("red", 0.1)]),
            Panel::stat(
                "Events dropped",
                "Stalls within the time range whose details were overwritten by newer ones: of \
                 each loop the newest 64 are kept. Counters and histograms hold all.",
                Unit::Count,
            )
            .query(sum(&A.rise("loopscope_events_dropped_total"), ""), "dropped"),
            Panel::stat(
                "Export failures",
                "Exports within the time range that did not reach their receiver.",
                Unit::Count,
            )
            .query(sum(&A.rise("loopscope_export_failures_total"), ""), "failed")
            .steps(NONE)
            .none("none"),
        ],
    }
}

/// One curve for each agent's process.
fn by_agent(title: &'static str, about: &'static str, unit: Unit, expr: String) -> Panel {
    Panel::lines(title, about, unit).query(of_agents(&expr), "{{instance}}")
}

fn cost() -> Row {
    Row {
        title: "What does it cost?",
        panels: vec![
            by_agent(
                "CPU",
                "Seconds of CPU that each agent takes in each second. The aim is at most 2 % of a \
                 core for 16 processes.",
                Unit::Share,
                A.rate("process_cpu_seconds_total"),
            )
            .steps(&[("orange", 0.02), ("red", 0.1)]),
            by_agent(
                "Memory",
                "Memory of each agent that is in RAM. A line that only rises is a leak: it should \
                 be flat however many processes come and go. The aim is 40 MiB for 16 processes.",
                Unit::Bytes,
                A.of("process_resident_memory_bytes"),
            )
            .steps(&[("orange", 41_943_040.0), ("red", 167_772_160.0)]),
            Panel::lines(
                "Overhead by service",
                "Share of the loop thread's time that measuring takes, the largest of a service's \
                 processes. A tier that would cost more than its budget is given up.",
                Unit::Share,
            )
            .query(max(&A.of("loopscope_probe_overhead_ratio"), "target"), "{{target}}")
            .steps(&[("orange", 0.05), ("red", 0.15)]),
        ],
    }
}

fn health() -> Row {
    let files = format!("{} / {}", A.of("process_open_fds"), A.of("process_max_fds"));
    Row {
        title: "Is it healthy?",
        panels: vec![
            by_agent(
                "Threads",
                "Threads of each agent. Their number does not depend on the processes it watches.",
                Unit::Count,
                A.of("process_threads"),
            ),
            by_agent(
                "Open files",
                "Open file descriptors of each agent, as a share of what it may open.",
                Unit::Share,
                files,
            )
            .steps(&[("orange", 0.5), ("red", 0.9)]),
            by_agent(
                "Uptime",
                "Time since each agent was started. A fall is a restart: what it saw before has \
                 begun anew.",
                Unit::Seconds,
                format!("time() - {}", A.of("process_start_time_seconds")),
            ),
        ],
    }
}

fn coverage() -> Row {
    Row {
        title: "What does it cover?",
        panels: vec![
            Panel::areas(
                "Processes by state",
                "Processes by whether they are observed. Failed ones are blind spots.",
                Unit::Count,
            )
            .query(sum(&A.of("loopscope_targets"), "state"), "{{state}}")
            .coloured(STATES),
            Panel::bars(
                "Attach errors by reason",
                "Attempts to attach to a process that failed from one step to the next. What to do \
                 about a reason is told by loopscope doctor on that host.",
                Unit::Count,
            )
            .query(
                format!("{} > 0", sum(&A.step("loopscope_attach_errors_total"), "reason")),
                "{{reason}}",
            )
            .none("no error"),
            Panel::lines(
                "Processes unseen",
                "Processes of each host that its agent has no rights to look at: Node.js among \
                 them stalls unseen. It needs CAP_SYS_PTRACE.",
                Unit::Count,
            )
            .query(A.of("loopscope_processes_unseen"), "{{instance}}")
            .steps(NONE),
            Panel::areas(
                "Loops by runtime",
                "Event loops that have figures, by what runs them. Workers count each.",
                Unit::Count,
            )
            .query(
                format!(
                    "count by (runtime) ({})",
                    A.of("loopscope_eventloop_current_turn_seconds")
                ),
                "{{runtime}}",
            ),
        ],
    }
}

fn closeness() -> Row {
    Row {
        title: "How closely does it look?",
        panels: vec![
            Panel::areas(
                "Processes by tier",
                "Observed processes by what is seen of them now. The daemon watches at the tier \
                 passive, which costs next to nothing, and looks closer where something stalls.",
                Unit::Count,
            )
            .query(sum(&A.of("loopscope_targets_by_tier"), "tier"), "{{tier}}")
            .coloured(TIERS),
            Panel::bars(
                "Windows opened",
                "Short windows at the tier full that stalls have opened, so that their cause is on \
                 record, from one step to the next.",
                Unit::Count,
            )
            .query(
                format!("{} > 0", sum(&A.step("loopscope_windows_total"), "instance")),
                "{{instance}}",
            )
            .none("no window"),
            Panel::bars(
                "Windows refused by reason",
                "Windows that a stall wanted and that were not opened: its cause is not on record. \
                 More budget opens more of them.",
                Unit::Count,
            )
            .query(
                format!("{} > 0", sum(&A.step("loopscope_windows_refused_total"), "reason")),
                "{{reason}}",
            )
            .none("none refused"),
            Panel::lines(
                "Folded processes and workers",
                "Observed processes, and workers of one process, that are told as one under the \
                 name other, for lack of room for series of their own.",
                Unit::Count,
            )
            .query(A.of("loopscope_folded_targets"), "{{instance}} processes")
            .query(A.of("loopscope_folded_workers"), "{{instance}} workers")
            .steps(NONE)
            .none("none"),
        ],
    }
}

fn losses() -> Row {
    Row {
        title: "What did it miss?",
        panels: vec![
            Panel::lines(
                "Stalls seen and dropped",
                "Stalls that the sources saw, and those whose details were overwritten by newer \
                 ones, a second.",
                Unit::Pace,
            )
            .query(sum(&A.rate("loopscope_events_total"), "source"), "{{source}} seen")
            .query(sum(&A.rate("loopscope_events_dropped_total"), "source"), "{{source}} dropped"),
            Panel::bars(
                "Failures by exporter",
                "Exports that did not reach their receiver, by format and reason, from one step to \
                 the next.",
                Unit::Count,
            )
            .query(
                format!(
                    "{} > 0",
                    sum(&A.step("loopscope_export_failures_total"), "exporter, reason")
                ),
                "{{exporter}}: {{reason}}",
            )
            .query(
                format!(
                    "{} > 0",
                    sum(&A.step("loopscope_export_dropped_total"), "exporter, reason")
                ),
                "{{exporter}}: dropped, {{reason}}",
            )
            .none("no failure"),
            Panel::lines(
                "Series by agent",
                "Series in the last scrape of each agent. Past 20,000 further loops share series \
                 under the name other.",
                Unit::Count,
            )
            .query(of_agents(&A.of("scrape_samples_scraped")), "{{instance}}")
            .steps(&[("orange", 15_000.0), ("red", 20_000.0)]),
            Panel::lines(
                "Scrape duration",
                "How long Prometheus waited for each agent's page. A blocked loop does not hold up \
                 a page; a long scrape is a busy host.",
                Unit::Seconds,
            )
            .query(of_agents(&A.of("scrape_duration_seconds")), "{{instance}}")
            .steps(&[("orange", 1.0), ("red", 4.0)]),
        ],
    }
}

fn versions() -> Row {
    let column = Column {
        title: "Agents",
        expr: format!(
            "count by (instance, version, revision, rustc) ({})",
            A.of("loopscope_build_info")
        ),
        unit: Unit::Count,
        steps: &[],
    };
    Row {
        title: "Which versions run?",
        panels: vec![
            Panel::table(
                "Versions",
                "What each agent was built from. Two versions at a time: an upgrade is under way, \
                 or stuck.",
                &["instance", "version", "revision", "rustc"],
                vec![column],
            )
            .high(6),
        ],
    }
}
