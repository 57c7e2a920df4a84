//! The command: what is asked for, and what has to be there.

mod agent;
mod children;
mod cpus;
mod load;
mod own;
mod server;
mod stalls;
mod statistics;
mod target;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use loopscope_bench::Failure;
use rustix::process::geteuid;

use cpus::Cpus;
use target::{CASES, Effort};

const USAGE: &str = "\
Measures what `loopscope attach` costs the Node.js that it observes, and what it takes for itself.

usage: attach_cost [--quick] [--node FILE] [--rounds N] [--only NAME]

  --quick      fewer and smaller rounds: some four minutes, and wide intervals
  --node FILE  the Node.js; the one of the search path without
  --rounds N   how often each tier is measured in each case; 20 without
  --only NAME  c1, c32 or handler: what the target pays; agent: what the agent takes; daemon:
               what it takes where it watches a host; children: what looking for them costs it;
               stalls: what looking at them costs both, and a process beside them; or one of its
               parts: resting, serving, beside, spin500, spin60, wait500

Needs root, and `loopscope` beside it: cargo build --release -p loopscope --bin loopscope";

/// The exit code where it can't be measured.
const UNABLE: u8 = 4;

const FULL: Size = Size { effort: Effort { rounds: 20, divisor: 1 }, seconds: 30 };
const QUICK: Size = Size { effort: Effort { rounds: 5, divisor: 5 }, seconds: 5 };

#[derive(Clone, Copy, Debug)]
struct Size {
    effort: Effort,
    /// How long the agent itself is looked at, at each tier.
    seconds: u32,
}

#[derive(Debug)]
struct Asked {
    quick: bool,
    node: String,
    rounds: Option<usize>,
    only: Option<String>,
}

pub(super) fn main() -> ExitCode {
    let asked = match parse(env::args().skip(1)) {
        Ok(Some(asked)) => asked,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("attach_cost: {complaint}; see --help");
            return ExitCode::from(2);
        }
    };
    match run(&asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("attach_cost: {failure}");
            ExitCode::from(UNABLE)
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Asked>, String> {
    let mut asked = Asked { quick: false, node: "node".to_owned(), rounds: None, only: None };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} lacks a value"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--quick" => asked.quick = true,
            "--node" => asked.node = value()?,
            "--only" => asked.only = Some(value()?),
            "--rounds" => {
                let rounds = value()?.parse().ok().filter(|&rounds| rounds > 0);
                asked.rounds = Some(rounds.ok_or("--rounds takes a number from 1 on")?);
            }
            _ => return Err(format!("there is no {word}")),
        }
    }
    let others = [own::NAME, own::DAEMON, children::NAME, stalls::NAME];
    let names = CASES.iter().map(|case| case.name).chain(others);
    let names: Vec<&str> = names.chain(stalls::CASES.iter().map(|case| case.name)).collect();
    match &asked.only {
        Some(name) if !names.contains(&name.as_str()) => {
            Err(format!("there is no {name} to be measured"))
        }
        _ => Ok(Some(asked)),
    }
}

fn run(asked: &Asked) -> Result<(), Failure> {
    if !geteuid().is_root() {
        return Err("attaching needs root; run it with sudo".into());
    }
    let loopscope = beside_us()?;
    let cpus = Cpus::take()?;
    let mut size = if asked.quick { QUICK } else { FULL };
    size.effort.rounds = asked.rounds.unwrap_or(size.effort.rounds);
    println!("{}", cpus.describe());
    println!("ratios to no agent, and what a request costs more, with 95 % intervals\n");
    let wanted = |name: &str| asked.only.as_deref().is_none_or(|only| only == name);
    for case in CASES.iter().filter(|case| wanted(case.name)) {
        case.run(&loopscope, &asked.node, cpus, size.effort)?;
    }
    if wanted(own::NAME) {
        own::run(&loopscope, &asked.node, cpus, size.seconds)?;
    }
    if wanted(own::DAEMON) {
        own::daemon(&loopscope, &asked.node, cpus, size.seconds)?;
    }
    if wanted(children::NAME) {
        children::run(&loopscope, &asked.node, cpus, size.effort)?;
    }
    for case in stalls::CASES.iter().filter(|case| wanted(stalls::NAME) || wanted(case.name)) {
        case.run(&loopscope, &asked.node, cpus, size.effort)?;
    }
    Ok(())
}

fn beside_us() -> Result<PathBuf, Failure> {
    let us = env::current_exe()?;
    let loopscope = us.with_file_name("loopscope");
    if loopscope.is_file() {
        return Ok(loopscope);
    }
    // Built as this was: the folder is named by the profile.
    let release = us.parent().is_some_and(|folder| folder.ends_with("release"));
    let release = if release { " --release" } else { "" };
    let loopscope = loopscope.display();
    Err(format!("{loopscope} is missing: cargo build{release} -p loopscope --bin loopscope").into())
}
