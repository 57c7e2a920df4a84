//! Counts the instructions of the hot paths by valgrind and holds them to committed limits.
//!
//! Instructions are no times: what waits for memory is not in them. But they are the same on a busy
//! machine, so that some more of them are seen at once.
//!
//! ```text
//!  plan (which paths) ──> valgrind (instructions an operation) ──> verdict <── lock (limits)
//! ```

mod lock;
mod plan;
mod valgrind;
mod verdict;

use std::fs;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use loopscope_bench::Failure;

use lock::Lock;
use plan::{PATHS, Path};

const USAGE: &str = "\
Counts the instructions of the hot paths and compares them with their limits.

usage: counts [--accept] [--only PART] [--lock FILE]

  --accept     writes what was counted as the new limits
  --only PART  paths with PART in their names; with --accept the other limits stay
  --lock FILE  the limits; bench/instructions.lock without

Exit codes: 0 fine, or skipped and said so; 1 something got worse; 2 usage; 4 it could not count.
On CI (CI=true, or LOOPSCOPE_REQUIRE_SERVERS=1) it is 4 where all of it would be skipped.";

/// How often a path that reads the real clock is counted.
const REAL_CLOCK_COUNTS: usize = 3;

const LOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.lock");

/// The compiler that made this program, and for which target.
const COMPILER: &str = env!("LOOPSCOPE_COMPILER");

/// The one that made the JavaScript engine.
const C_COMPILER: &str = env!("LOOPSCOPE_C_COMPILER");

/// What the command line asks for.
#[derive(Debug)]
struct Asked {
    accept: bool,
    only: String,
    lock: String,
    /// The path to run, for the run under valgrind.
    child: Option<String>,
    batches: u64,
}

fn main() -> ExitCode {
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
    match run(&asked) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("counts: {failure}");
            ExitCode::from(4)
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Asked>, String> {
    let mut asked = Asked {
        accept: false,
        only: String::new(),
        lock: LOCK.to_owned(),
        child: None,
        batches: 1,
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("`{arg}` needs a value"));
        match arg.as_str() {
            "--accept" => asked.accept = true,
            "--only" => asked.only = value()?,
            "--lock" => asked.lock = value()?,
            "--child" => asked.child = Some(value()?),
            "--batches" => {
                asked.batches = value()?.parse().map_err(|_| "`--batches` needs a number")?;
            }
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    if !PATHS.iter().any(|path| path.name.contains(&asked.only)) {
        return Err(format!("there is no path with `{}` in its name", asked.only));
    }
    Ok(Some(asked))
}

fn run(asked: &Asked) -> Result<ExitCode, Failure> {
    if let Some(name) = &asked.child {
        let path = PATHS.iter().find(|path| path.name == name).ok_or("there is no such path")?;
        valgrind::child(path, asked.batches)?;
        return Ok(ExitCode::SUCCESS);
    }
    let is_ci = is_ci(|name| std::env::var(name).ok());
    if !valgrind::is_there() {
        return skipped(is_ci, "no valgrind here; `.ci/setup` installs it");
    }
    let lock = match fs::read_to_string(&asked.lock) {
        Ok(text) => Lock::parse(&text).map_err(|bad| format!("{}: {bad}", asked.lock))?,
        Err(_) if asked.accept => Lock::new(COMPILER),
        Err(error) => return Err(format!("{}: {error}; `--accept` makes it", asked.lock).into()),
    };
    if lock.compiler != COMPILER && !asked.accept {
        let limits = &lock.compiler;
        let why =
            format!("the limits are for {limits}, this is {COMPILER}; `--accept` takes new ones");
        return skipped(is_ci, &why);
    }
    let wanted: Vec<&Path> = PATHS.iter().filter(|path| path.name.contains(&asked.only)).collect();
    let (wanted, skipped): (Vec<&Path>, Vec<&Path>) =
        wanted.into_iter().partition(|path| !path.real_clock || tsc_is_trusted());
    for path in skipped {
        let name = path.name;
        println!("SKIPPED: instructions of {name}: this kernel's clock is not the CPU's counter");
    }
    let same_engine = asked.accept || lock.c_compiler == C_COMPILER;
    let (wanted, skipped): (Vec<&Path>, Vec<&Path>) =
        wanted.into_iter().partition(|path| !path.engine || same_engine);
    for path in skipped {
        println!(
            "SKIPPED: instructions of {}: the limits are for an engine made by {}, this is \
             {C_COMPILER}",
            path.name, lock.c_compiler
        );
    }
    let counts = count_all(&wanted)?;
    if asked.accept {
        return accept(asked, lock, &counts);
    }
    let (text, failed) = verdict::render(&lock, &counts);
    print!("{text}");
    for (gone, _) in lock.limits.iter().filter(|(name, _)| !PATHS.iter().any(|p| p.name == name)) {
        println!("the lock has a limit for `{gone}`, which is no path; `--accept` takes it out");
    }
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Nothing can be counted, and why.
fn skipped(is_ci: bool, why: &str) -> Result<ExitCode, Failure> {
    println!("{}", remark(is_ci, why)?);
    Ok(ExitCode::SUCCESS)
}

/// A remark where a person reads it, and a failure on CI.
fn remark(is_ci: bool, why: &str) -> Result<String, Failure> {
    if is_ci {
        return Err(format!("no instruction was counted: {why}").into());
    }
    Ok(format!("SKIPPED: instruction counts: {why}"))
}

/// Whether the variables say that this runs on CI, as GitHub, GitLab and `.ci/run` set them.
fn is_ci(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| matches!(value.as_str(), "true" | "1"));
    is_set("CI") || is_set("LOOPSCOPE_REQUIRE_SERVERS")
}

/// Other kernels' clocks take another path through the loop's clock.
fn tsc_is_trusted() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    fs::read_to_string(SOURCE).is_ok_and(|name| name.trim() == "tsc")
}

/// The count of a path. One that reads the real clock aligns that now and then, the more often the
/// slower the machine is at the moment: the least of some counts has fewest of those.
fn least(path: &Path) -> Result<f64, Failure> {
    let counts = if path.real_clock { REAL_CLOCK_COUNTS } else { 1 };
    (0..counts).try_fold(f64::INFINITY, |least, _| Ok(least.min(valgrind::count(path)?)))
}

/// As many at once as there are cores: counts don't depend on that.
fn count_all<'a>(paths: &[&'a Path]) -> Result<Vec<(&'a str, f64)>, Failure> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![None; paths.len()]);
    let worker = || -> Result<(), String> {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let count = least(path).map_err(|failure| failure.to_string())?;
            let place = paths.iter().position(|other| other.name == path.name);
            let mut results = results.lock().map_err(|_| "another worker has panicked")?;
            results[place.unwrap_or(0)] = Some((path.name, count));
        }
        Ok(())
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err("a worker has panicked".to_owned()))
        })
    })?;
    let results = results.into_inner().map_err(|_| "a worker has panicked")?;
    Ok(results.into_iter().flatten().collect())
}

/// Writes the new limits. Those of paths that were not counted stay.
fn accept(asked: &Asked, old: Lock, counts: &[(&str, f64)]) -> Result<ExitCode, Failure> {
    if old.compiler != COMPILER && counts.len() < PATHS.len() {
        return Err("another compiler asks for new limits of all paths: leave out --only".into());
    }
    let in_engine = |name: &str| PATHS.iter().any(|path| path.engine && path.name == name);
    let counted = counts.iter().filter(|(name, _)| in_engine(name)).count();
    let all = PATHS.iter().filter(|path| path.engine).count();
    if old.c_compiler != C_COMPILER && (1..all).contains(&counted) {
        return Err("another C compiler asks for new limits of all paths in the engine".into());
    }
    let c_compiler = if counted > 0 { C_COMPILER.to_owned() } else { old.c_compiler.clone() };
    let count = |name| counts.iter().find(|(counted, _)| *counted == name).map(|(_, count)| *count);
    let limits = PATHS.iter().filter_map(|path| {
        let limit = count(path.name).or_else(|| old.limit(path.name))?;
        Some((path.name.to_owned(), limit))
    });
    let limits = limits.collect();
    let new = Lock { limits, compiler: COMPILER.to_owned(), c_compiler, ..old };
    fs::write(&asked.lock, new.text())?;
    println!(
        "{}: {} limits accepted, {} kept",
        asked.lock,
        counts.len(),
        new.limits.len() - counts.len()
    );
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_nobody_checks_fail_on_ci() {
        let with = |name: &'static str, value: &'static str| {
            is_ci(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert!(with("CI", "true") && with("CI", "1") && with("LOOPSCOPE_REQUIRE_SERVERS", "1"));
        assert!(!with("CI", "false") && !with("CI", "") && !with("CIRCLE", "true"));
        let told = remark(false, "another compiler").unwrap();
        assert_eq!(told, "SKIPPED: instruction counts: another compiler");
        let told = remark(true, "another compiler").unwrap_err().to_string();
        assert_eq!(told, "no instruction was counted: another compiler");
    }
}
