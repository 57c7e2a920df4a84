//! The truth table: the same stalls as the program itself, loopscope and other tools tell them.

use loopscope_bench::Failure;

use super::cases::Case;
use super::nodes::Node;
use super::peers::{self, Delay, Said};
use super::program::{Preload, Ran, Runner, Runtime};
use super::report::Stall;
use super::truth::Block;

/// Runs the stalls on one Node.js, and prints the table as Markdown.
pub(super) fn print(runner: &Runner, cases: &[Case], node: &Node) -> Result<(), Failure> {
    let script = peers::install()?;
    let output = runner.folder.join("peers.json");
    println!("Node.js {}; times in ms.\n", node.version);
    println!(
        "| stall | truth | loopscope | Node, by its timer | Node, by turns | prom-client \
         | OpenTelemetry | blocked-at |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for case in cases.iter().filter(|case| case.is_stall()) {
        let preload = Preload { script: &script, output: &output };
        let ran = runner.run(case, Runtime::Node(node), Some(preload));
        let ran = ran.map_err(|failure| format!("{}: {failure}", case.name))?;
        println!("{}", row(&case.name, &ran, &Said::read(&output)?));
    }
    println!(
        "\n*max / p99* of a histogram over the run; of *truth* and *loopscope* the longest of the \
         stalls."
    );
    Ok(())
}

fn row(name: &str, ran: &Ran, said: &Said) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let delay = |delay: &Delay| format!("{:.1} / {:.1}", delay.max_ms, delay.p99_ms);
    let blocked = match said.blocked_at.place() {
        Some(place) => format!("{:.1} {place}", said.blocked_at.max_ms),
        None if said.blocked_at.max_ms > 0.0 => format!("{:.1}", said.blocked_at.max_ms),
        None => "nothing".to_owned(),
    };
    let cells = [
        name.to_owned(),
        truth(ran),
        loopscope(ran),
        delay(&said.interval),
        said.iteration.as_ref().map_or_else(|| "not in this Node".to_owned(), delay),
        delay(&said.prom_client),
        delay(&said.opentelemetry),
        blocked,
    ];
    format!("| {} |", cells.join(" | "))
}

/// How many stalls, the longest, why, and by which function.
fn truth(ran: &Ran) -> String {
    let cause = ran.truth.cause.as_deref().unwrap_or("several causes");
    let stalls = &ran.truth.stalls;
    let longest = stalls.iter().max_by(|a, b| a.duration_ms.total_cmp(&b.duration_ms));
    let place = longest.and_then(|block: &Block| block.function.as_ref()).map(|function| {
        let line = function.lines.map_or_else(String::new, |(first, _)| format!(":{first}"));
        format!(", {}{line}", function.name)
    });
    told(cause, stalls.len(), longest.map(|block| block.duration_ms), place)
}

fn loopscope(ran: &Ran) -> String {
    let stalls = &ran.seen.stalls;
    let longest = stalls.iter().max_by(|a, b| a.duration_ms.total_cmp(&b.duration_ms));
    let place = longest.and_then(|stall: &Stall| stall.function.as_ref().zip(Some(stall.line)));
    let place = place.map(|(function, line)| {
        format!(", {function}{}", line.map_or_else(String::new, |line| format!(":{line}")))
    });
    told(ran.seen.told(), stalls.len(), longest.map(|stall| stall.duration_ms), place)
}

fn told(cause: &str, count: usize, longest_ms: Option<f64>, place: Option<String>) -> String {
    let stalls =
        longest_ms.map_or_else(|| "no stall".to_owned(), |ms| format!("{count} x {ms:.1}"));
    format!("{stalls}, {cause}{}", place.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::peers::Blocked;
    use crate::linux::report::Seen;
    use crate::linux::truth::{Function, Truth};

    #[test]
    fn a_row_has_what_each_tells() {
        let function = Some(Function { name: "f".to_owned(), file: None, lines: Some((3, 9)) });
        let block =
            |duration_ms| Block { duration_ms, function: function.clone(), ..Block::default() };
        let truth = Truth {
            cause: Some("sync-io".to_owned()),
            stalls: vec![block(150.0), block(151.3)],
            ..Truth::default()
        };
        let stall = Stall {
            duration_ms: 152.0,
            function: Some("f".to_owned()),
            line: Some(5),
            ..Stall::default()
        };
        let seen =
            Seen { diagnoses: vec!["sync-io".to_owned()], stalls: vec![stall], ..Seen::default() };
        let delay = Delay { max_ms: 160.0, p99_ms: 20.0 };
        let said = Said {
            interval: delay,
            iteration: None,
            prom_client: delay,
            opentelemetry: delay,
            blocked_at: Blocked { max_ms: 0.0, at: None },
        };
        assert_eq!(
            row("stalls/a", &Ran { truth, seen }, &said),
            "| a | 2 x 151.3, sync-io, f:3 | 1 x 152.0, sync-io, f:5 | 160.0 / 20.0 \
             | not in this Node | 160.0 / 20.0 | 160.0 / 20.0 | nothing |"
        );
    }
}
