//! What V8's trace costs a busy Node.js: the CPU time of a turn under `loopscope exec` and without.
//!
//! The process's CPU time is counted, for the writing of the trace takes a thread of its own. Each
//! round runs Node alone, alone once more as a control, and under `exec`; ratios are of the least
//! time of each, which is what the machine's other work disturbs least.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use loopscope_bench::Failure;

const USAGE: &str = "\
Measures what `loopscope exec --source v8-trace` costs a busy Node.js.

usage: v8_trace [--node FILE] [--rounds N]

  --node FILE  the Node.js; the one of the search path without
  --rounds N   how often each is run; 7 without

It needs target/release/loopscope: cargo build --release --bin loopscope.";

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/v8_trace/work.js");

/// What is run: its name, how many turns, and how many objects each parses.
const WORK: [(&str, u32, u32); 3] =
    [("an empty turn", 100_000, 0), ("some work", 20_000, 100), ("a handler", 5_000, 500)];

struct Asked {
    node: String,
    rounds: u32,
}

/// The least CPU time of a turn, in microseconds.
struct Least {
    alone: f64,
    control: f64,
    traced: f64,
}

fn main() -> ExitCode {
    match parse(env::args().skip(1)).and_then(|asked| asked.map_or_else(help, measure)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("v8_trace: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> Result<(), Failure> {
    println!("{USAGE}");
    Ok(())
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Asked>, Failure> {
    let mut asked = Asked { node: "node".to_owned(), rounds: 7 };
    while let Some(word) = words.next() {
        let mut value =
            || words.next().ok_or_else(|| Failure::from(format!("{word} lacks a value")));
        match word.as_str() {
            "--help" => return Ok(None),
            "--node" => asked.node = value()?,
            "--rounds" => {
                let rounds = value()?.parse().ok().filter(|&rounds| rounds > 0);
                asked.rounds = rounds
                    .ok_or_else(|| Failure::from("--rounds takes a number from 1 on".to_owned()))?;
            }
            _ => return Err(Failure::from(format!("there is no {word}; see --help"))),
        }
    }
    Ok(Some(asked))
}

fn measure(asked: Asked) -> Result<(), Failure> {
    let loopscope = beside_us()?;
    println!("{:<14} {:>12} {:>9} {:>12} {:>9}", "", "alone", "control", "traced", "ratio");
    for (name, turns, objects) in WORK {
        let mut least = Least { alone: f64::MAX, control: f64::MAX, traced: f64::MAX };
        for _ in 0..asked.rounds {
            least.alone = least.alone.min(alone(&asked.node, turns, objects)?);
            least.traced = least.traced.min(traced(&loopscope, &asked.node, turns, objects)?);
            least.control = least.control.min(alone(&asked.node, turns, objects)?);
        }
        let Least { alone, control, traced } = least;
        println!(
            "{name:<14} {alone:>9.2} us {:>9.3} {traced:>9.2} us {:>9.3}",
            control / alone,
            traced / alone
        );
    }
    Ok(())
}

fn beside_us() -> Result<PathBuf, Failure> {
    let us = env::current_exe().map_err(|error| Failure::from(error.to_string()))?;
    let loopscope = us.with_file_name("loopscope");
    if loopscope.is_file() {
        return Ok(loopscope);
    }
    let loopscope = loopscope.display();
    Err(Failure::from(format!("{loopscope} is missing; cargo build --release --bin loopscope")))
}

fn alone(node: &str, turns: u32, objects: u32) -> Result<f64, Failure> {
    cpu_of_a_turn(Command::new(node).arg(SCRIPT).args([turns, objects].map(|n| n.to_string())))
}

fn traced(loopscope: &Path, node: &str, turns: u32, objects: u32) -> Result<f64, Failure> {
    let mut command = Command::new(loopscope);
    command.args(["exec", "--source", "v8-trace", "--report", "none", "--", node, SCRIPT]);
    cpu_of_a_turn(command.args([turns, objects].map(|n| n.to_string())))
}

fn cpu_of_a_turn(command: &mut Command) -> Result<f64, Failure> {
    let ran: io::Result<_> = command.stderr(Stdio::inherit()).output();
    let ran = ran.map_err(|error| Failure::from(format!("{command:?}: {error}")))?;
    let text = String::from_utf8_lossy(&ran.stdout);
    let time = text.trim().parse().ok().filter(|_| ran.status.success());
    time.ok_or_else(|| Failure::from(format!("{command:?} has printed no time")))
}
