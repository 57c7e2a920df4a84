//! Prints the goals of speed and memory against what this machine shows, in one run.
//!
//! ```text
//!  plan (what is measured, against which limit) ──> row ──> table, JSON lines, or Markdown
//! ```
//!
//! Every ratio is between rivals that took turns in this process; a goal is judged by the quietest
//! round, and the middle one is printed beside it. A goal that is missed is told, not failed: the
//! exit code is 0 unless something could not be measured at all.

mod markdown;
mod plan;
mod row;
mod table;

use std::process::ExitCode;

use loopscope_bench::Failure;
use loopscope_bench::cases::javascript::run_first_line;
use loopscope_bench::counting::Counting;

use table::Section;

#[global_allocator]
static COUNTING: Counting = Counting;

const USAGE: &str = "\
Prints goals against what this machine shows.

usage: goals [--quick] [--json] [--only GROUP | --peers]

  --quick       fewer and smaller rounds: seconds instead of a minute
  --json        one JSON object a row instead of the table, with every round
  --only GROUP  one group: turn, socket, immediates, detail, record, queues, timers,
                javascript, read, memory
  --peers       instead, ours beside libuv, tokio, hdrhistogram, prometheus, prometheus-client
                and opentelemetry: ratios, as a table in Markdown

Node is measured where it is on the PATH, libuv if built with `--features libuv` (needs libclang),
tokio's histogram of poll times if built with RUSTFLAGS=\"--cfg tokio_unstable\".";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Asked {
    quick: bool,
    json: bool,
    only: Option<String>,
    peers: bool,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|first| first == plan::FIRST_LINE) {
        return exit_code(run_first_line());
    }
    let asked = match parse(std::env::args().skip(1)) {
        Ok(Some(asked)) => asked,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("{complaint}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    exit_code(run(&asked))
}

fn exit_code(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("goals: {failure}");
            ExitCode::from(4)
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Asked>, String> {
    let mut asked = Asked::default();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => asked.quick = true,
            "--json" => asked.json = true,
            "--only" => asked.only = Some(args.next().ok_or("--only needs the name of a group")?),
            "--peers" => asked.peers = true,
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    match &asked.only {
        Some(_) if asked.peers => Err("--peers measures all of its own; leave out --only".into()),
        Some(name) if !plan::GROUPS.iter().any(|group| group.name == name) => {
            Err(format!("there is no group `{name}`"))
        }
        _ => Ok(Some(asked)),
    }
}

fn run(asked: &Asked) -> Result<(), Failure> {
    let size = if asked.quick { plan::QUICK } else { plan::FULL };
    if asked.peers {
        return run_peers(asked, &size);
    }
    let wanted = |group: &&plan::Group| asked.only.as_deref().is_none_or(|only| only == group.name);
    let mut sections = Vec::new();
    for group in plan::GROUPS.iter().filter(wanted) {
        eprintln!("measuring {} ...", group.title);
        sections.push(Section { title: group.title, rows: (group.measure)(&size)? });
    }
    if asked.json {
        for row in sections.iter().flat_map(|section| &section.rows) {
            println!("{}", serde_json::to_string(row)?);
        }
    } else {
        print!("{}", table::render(&sections));
    }
    Ok(())
}

fn run_peers(asked: &Asked, size: &plan::Size) -> Result<(), Failure> {
    let pairs = plan::pairs::pairs(size)?;
    if asked.json {
        for pair in &pairs {
            println!("{}", serde_json::to_string(pair)?);
        }
    } else {
        print!("{}", markdown::render(&pairs));
    }
    Ok(())
}
