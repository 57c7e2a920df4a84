//! The command: what is asked for.

mod estimators;
mod jobs;
mod models;
mod real;
mod rules;
mod simulated;
mod table;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use loopscope_bench::Failure;

const USAGE: &str = "\
Shows how often the gate cries wolf, and what it catches, beside what people use today.

usage: gate_proof [--simulated | --real | --estimators] [--quick] [--node FILE] [--jobs N]
                  [--comparisons N] [--detections N] [--hogs N]

  --simulated      made-up noise alone; without any of the three: this and --real
  --real           a Node.js alone: identical programs, and slower ones, by turns
  --estimators     how the gate's way to estimate a middle was chosen
  --quick          a short form, to see that it works
  --jobs N         simulated comparisons of each kind; 2000 without
  --node FILE      the Node.js; the one of the search path without
  --comparisons N  real comparisons of identical programs: so many quiet, so many beside a hog;
                   100 without
  --detections N   the same with each slower program; 30 without
  --hogs N         threads that compute beside it; 1 without

--real needs the rights that `loopscope doctor` tells, and a machine with nothing else to do.";

/// The exit code where it can't be measured.
const UNABLE: u8 = 4;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    simulated: bool,
    real: bool,
    estimators: bool,
    jobs: usize,
    node: String,
    comparisons: usize,
    detections: usize,
    hogs: usize,
}

pub(super) fn main() -> ExitCode {
    // Each run begins as our own program, which waits until it is observed.
    if env::args_os().nth(1).is_some_and(|word| word == "exec-gate") {
        return become_command();
    }
    let asked = match parse(env::args().skip(1)) {
        Ok(Some(asked)) => asked,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("gate_proof: {complaint}; see --help");
            return ExitCode::from(2);
        }
    };
    match run(&asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gate_proof: {failure}");
            ExitCode::from(UNABLE)
        }
    }
}

fn become_command() -> ExitCode {
    let argv: Vec<OsString> = env::args_os().collect();
    let request = loopscope::cli::parse(argv, false);
    let done = request.and_then(|request| match request {
        loopscope::cli::Request::Do(command) => loopscope::command::execute(*command),
        loopscope::cli::Request::Show(_) => Ok(loopscope::exit::Exit::Usage),
    });
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("gate_proof: {failure}");
            failure.exit.into()
        }
    }
}

fn run(asked: &Asked) -> Result<(), Failure> {
    if asked.estimators {
        estimators::print(asked.jobs);
    }
    if asked.simulated {
        simulated::print(asked.jobs);
    }
    if asked.real {
        real::print(asked)?;
    }
    Ok(())
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Asked>, String> {
    let mut asked = Asked {
        simulated: false,
        real: false,
        estimators: false,
        jobs: 2_000,
        node: "node".to_owned(),
        comparisons: 100,
        detections: 30,
        hogs: 1,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} lacks a value"));
        let mut number = || {
            let text = value()?;
            let number = text.parse::<usize>().ok().filter(|&number| number > 0);
            number.ok_or_else(|| format!("`{text}` is no number from 1 on"))
        };
        match word.as_str() {
            "--help" => return Ok(None),
            "--simulated" => asked.simulated = true,
            "--real" => asked.real = true,
            "--estimators" => asked.estimators = true,
            "--quick" => {
                (asked.jobs, asked.comparisons, asked.detections) = (100, 4, 2);
            }
            "--jobs" => asked.jobs = number()?,
            "--comparisons" => asked.comparisons = number()?,
            "--detections" => asked.detections = number()?,
            "--hogs" => asked.hogs = number()?,
            "--node" => asked.node = value()?,
            _ => return Err(format!("there is no {word}")),
        }
    }
    if !(asked.simulated || asked.real || asked.estimators) {
        (asked.simulated, asked.real) = (true, true);
    }
    asked.detections = asked.detections.min(asked.comparisons);
    Ok(Some(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        let parse = |text: &str| parse(text.split_whitespace().map(str::to_owned));
        let all = parse("").unwrap().unwrap();
        assert!(all.simulated && all.real && !all.estimators);
        let quick = parse("--quick --simulated").unwrap().unwrap();
        assert!(quick.simulated && !quick.real && quick.jobs < all.jobs);
        assert_eq!(parse("--help"), Ok(None));
        for bad in ["--jobs", "--jobs 0", "--jobs x", "--nothing"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
