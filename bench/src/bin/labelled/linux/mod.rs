//! The command: what is asked for, and what has to be there.

mod cases;
mod guarded;
mod judge;
mod nodes;
mod peers;
mod program;
mod report;
mod table;
mod tally;
mod truth;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use loopscope_bench::Failure;
use rustix::process::{geteuid, setpriority_process};

use cases::{Case, Kind};
use judge::Judged;
use nodes::Node;
use program::{Runner, Runtime};
use tally::Tally;

const USAGE: &str = "\
Compares what loopscope says of programs with what they say of themselves.

usage: labelled [--quick] [--only TEXT] [--nodes DIR] [--node VERSION] [--json FILE]
       labelled --truth-table [--only TEXT] [--nodes DIR] [--node VERSION]

  --quick         some programs of each kind, on the newest Node.js
  --only TEXT     programs whose name has this in it: stalls/, mixtures/, healthy/, workloads/
  --nodes DIR     where the versions of Node.js are; else LOOPSCOPE_NODES, else target/node
  --node VERSION  one version, or the embedded loop: embedded
  --json FILE     write the result to this file, too
  --truth-table   print stalls as other tools tell them, too, from the npm registry

Needs root, and `loopscope` beside it: cargo build -p loopscope --bin loopscope";

/// The exit code where it can't be measured.
const UNABLE: u8 = 4;

/// The highest priority that there is for processes.
const HIGHEST: i32 = -20;

/// How often a program is run at most, where the machine is busy.
const RUNS_MAX: u32 = 3;

#[derive(Debug, Default)]
struct Asked {
    quick: bool,
    truth_table: bool,
    only: String,
    nodes: Option<PathBuf>,
    node: Option<String>,
    json: Option<PathBuf>,
}

pub(super) fn main() -> ExitCode {
    let asked = match parse(env::args().skip(1)) {
        Ok(Some(asked)) => asked,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("labelled: {complaint}; see --help");
            return ExitCode::from(2);
        }
    };
    match run(&asked) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("labelled: {failure}");
            ExitCode::from(UNABLE)
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Asked>, String> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} lacks a value"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--quick" => asked.quick = true,
            "--truth-table" => asked.truth_table = true,
            "--only" => asked.only = value()?,
            "--nodes" => asked.nodes = Some(value()?.into()),
            "--node" => asked.node = Some(value()?),
            "--json" => asked.json = Some(value()?.into()),
            _ => return Err(format!("there is no {word}")),
        }
    }
    Ok(Some(asked))
}

fn run(asked: &Asked) -> Result<bool, Failure> {
    if !geteuid().is_root() {
        return Err("attaching needs root; run it with sudo".into());
    }
    // All that is started from here on has it, too: other work on the machine disturbs less.
    setpriority_process(None, HIGHEST)?;
    let cases = cases::all(&asked.only, asked.quick)?;
    if cases.is_empty() {
        return Err(format!("no program's name contains `{}`", asked.only).into());
    }
    let nodes = chosen(asked)?;
    let embedded = asked.node.as_deref().is_none_or(|node| node == "embedded");
    let folder = Folder::new()?;
    let runner = Runner { loopscope: beside_us()?, folder: folder.0.clone() };
    if asked.truth_table {
        let node = nodes.last().ok_or("the table is about Node.js")?;
        return table::print(&runner, &cases, node).map(|()| true);
    }
    let mut tally = Tally::default();
    for case in &cases {
        if embedded && case.kind == Kind::AtOnce {
            judge(&runner, case, Runtime::Embedded, &mut tally);
        }
        for node in &nodes {
            judge(&runner, case, Runtime::Node(node), &mut tally);
        }
    }
    tally.print();
    if let Some(path) = &asked.json {
        fs::write(path, format!("{:#}\n", tally.json()))?;
    }
    Ok(tally.holds())
}

/// Runs a program and judges what was said of it; again where the machine was busy.
fn judge(runner: &Runner, case: &Case, runtime: Runtime<'_>, tally: &mut Tally) {
    let what = format!("{} on {}", case.name, runtime.name());
    for run in 1..=RUNS_MAX {
        match runner.run(case, runtime, None) {
            Ok(ran) => {
                let mut judged = Judged::of(&ran.truth, &ran.seen);
                if judged.may_be_noise() && run < RUNS_MAX {
                    tally.ran_again();
                    continue;
                }
                for miss in judged.take_noise() {
                    tally.skipped(&what, &format!("the machine was too busy to judge that {miss}"));
                }
                let right = judged.misses().next().is_none();
                let word = if right { "right" } else { "MISSED" };
                println!("{word:<7} {what}: told {}", ran.seen.told());
                for (criterion, why) in judged.misses() {
                    println!("        {}: {why}", criterion.name());
                }
                tally.add(&what, &judged);
            }
            Err(failure) => {
                println!("FAILED  {what}: {failure}");
                tally.failed(&what, &failure.to_string());
            }
        }
        return;
    }
}

/// The versions of Node.js that are asked for.
fn chosen(asked: &Asked) -> Result<Vec<Node>, Failure> {
    let wanted = asked.node.as_deref();
    if wanted == Some("embedded") {
        return Ok(Vec::new());
    }
    let folder = nodes::folder(asked.nodes.as_deref());
    let mut found = nodes::find(&folder)?;
    found.retain(|node| wanted.is_none_or(|wanted| is_of(&node.version, wanted)));
    if found.is_empty() {
        let wanted = wanted.unwrap_or("at all");
        return Err(format!("{} has no Node.js {wanted}", folder.display()).into());
    }
    if asked.quick {
        found.drain(..found.len() - 1);
    }
    Ok(found)
}

/// Whether a version is the wanted one, or of that line.
fn is_of(version: &str, wanted: &str) -> bool {
    version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, Failure> {
        let path = env::temp_dir().join(format!("loopscope-labelled-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn beside_us() -> Result<PathBuf, Failure> {
    let us = env::current_exe()?;
    let loopscope = us.with_file_name("loopscope");
    if loopscope.is_file() {
        return Ok(loopscope);
    }
    // Built as this was: the folder is named by the profile.
    let release = us.parent().is_some_and(|folder: &Path| folder.ends_with("release"));
    let release = if release { " --release" } else { "" };
    let loopscope = loopscope.display();
    Err(format!("{loopscope} is missing: cargo build{release} -p loopscope --bin loopscope").into())
}
