//! A real Node.js: one program, and the same made slower, by turns, quiet and beside a hog.
//!
//! ```text
//! round       0                      1                      2
//! runs   A A' 2% 5% 10% 20%     20% 10% 5% 2% A' A     20% ... A      ABBA, BAAB
//! ```
//!
//! The series is cut into comparisons of ten pairs. Where one is undecided, the pairs behind it are
//! taken as well, as the gate would make more. Rivals see the runs of one program in blocks: ten
//! that follow each other, against the next ten of the other.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use loopscope::cli::{SourceArgs, SourceChoice};
use loopscope::command::{CommandLine, Ran, Runner, Watched};
use loopscope::exit::Exit;
use loopscope::gate::comparison::Verdict;
use loopscope::gate::decide::{self, Rules, Runs};
use loopscope::gate::{Fingerprint, Sample, order};
use loopscope_bench::Failure;

use super::Asked;
use super::jobs::Job;
use super::rules::{RIVALS, Rival, Says};
use super::table::{self, Line, SLOWDOWNS};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/gate_proof/work.js");

/// Pairs of a comparison, and the most that it goes on to.
const FIRST: usize = 10;
const MOST: usize = 54;

/// How many runs may be made again: of some 3,000.
const AGAIN_MAX: usize = 30;

/// Programs: identical ones, and the slower ones.
const PROGRAMS: usize = 1 + SLOWDOWNS.len();

pub(crate) fn print(asked: &Asked) -> Result<(), Failure> {
    let source =
        SourceArgs { source: SourceChoice::Ebpf, overhead_budget: 100.0, source_maps: false };
    let stall_threshold_ns = 50_000_000;
    let watched = Watched { source, tier: None, stall_threshold_ns, timeout_ns: None };
    let runner = Runner::new(watched)?;
    println!("\n# Real: {} with {}", asked.node, SCRIPT.rsplit('/').next().unwrap_or_default());
    for hogs in [0, asked.hogs] {
        let started = Instant::now();
        let beside = Hogs::start(hogs);
        let rounds = rounds(asked, &runner)?;
        drop(beside);
        let title = if hogs == 0 { "quiet".to_owned() } else { format!("beside {hogs} hog(s)") };
        let seconds = started.elapsed().as_secs();
        let runs: usize = rounds.iter().map(Vec::len).sum();
        table::print(&format!("## {title}: {runs} runs in {seconds} s"), &lines(&rounds));
        println!("\n{}", spread(&rounds));
    }
    runner.stop();
    Ok(())
}

/// Threads that compute until they are dropped.
struct Hogs {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hogs {
    fn start(count: usize) -> Hogs {
        let stop = Arc::new(AtomicBool::new(false));
        let hog = || {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        Hogs { threads: (0..count).map(|_| hog()).collect(), stop }
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// All runs, by program and then in their order.
fn rounds(asked: &Asked, runner: &Runner) -> Result<Vec<Vec<Sample>>, Failure> {
    let commands: Vec<CommandLine> = (0..PROGRAMS)
        .map(|program| {
            let slower = SLOWDOWNS[program.saturating_sub(1)];
            let words = [asked.node.as_str(), SCRIPT, &format!("--slower={slower}")];
            CommandLine::of(words.map(Into::into).to_vec())
        })
        .collect();
    let mut runs: Vec<Vec<Sample>> = vec![Vec::new(); PROGRAMS];
    let (most, slower) = (asked.comparisons * FIRST, asked.detections * FIRST);
    let mut again = 0;
    for round in 0..most {
        let programs = if round < slower { PROGRAMS } else { 2 };
        let mut numbers: Vec<usize> = (0..programs).collect();
        if order::pair(round)[0] != order::Which::Base {
            numbers.reverse();
        }
        for number in numbers {
            runs[number].push(sample(runner, &commands[number], &mut again)?);
        }
        if round % 50 == 49 {
            eprint!("\r{} of {most} rounds", round + 1);
            io::stderr().flush()?;
        }
    }
    eprintln!();
    println!("\n{again} runs were made again: their process had ended before it could be observed");
    Ok(runs)
}

/// As the gate, it makes a run again of which nothing was seen.
fn sample(runner: &Runner, command: &CommandLine, again: &mut usize) -> Result<Sample, Failure> {
    match runner.run(command)? {
        Ran::Done(run) if run.missed > 0 && *again < AGAIN_MAX => {
            *again += 1;
            sample(runner, command, again)
        }
        Ran::Done(run) if run.sample.losses.is_empty() => Ok(run.sample),
        Ran::Done(run) => Err(run.sample.losses.join("; ").into()),
        Ran::Failed { status, output, .. } => Err(format!("{status}: {output}").into()),
        Ran::CutShort(Exit::Interrupted(_)) => Err("interrupted".into()),
        Ran::CutShort(_) => Err("a run did not end".into()),
    }
}

fn lines(rounds: &[Vec<Sample>]) -> Vec<Line> {
    let ours = ["loopscope gate, 10 pairs".to_owned(), format!("loopscope gate, up to {MOST}")];
    // On one machine a stored result is as good as the base's own runs.
    let rivals: Vec<&Rival> = RIVALS.iter().filter(|(name, _)| !name.contains("stored")).collect();
    let names = rivals.iter().map(|(name, _)| (*name).to_owned());
    let mut lines: Vec<Line> = ours.into_iter().chain(names).map(|of| Line::new(&of)).collect();
    let base = &rounds[0];
    for (column, head) in rounds[1..].iter().enumerate() {
        for start in (0..head.len() / FIRST * FIRST).step_by(FIRST) {
            for (line, most) in lines.iter_mut().zip([FIRST, MOST]) {
                let says = gate(&base[start..head.len()], &head[start..], most);
                line.count(column, says == Says::Worse, says == Says::Inconclusive);
            }
            let Some(job) = block(base, head, start) else { continue };
            for (line, (_, fails)) in lines[2..].iter_mut().zip(&rivals) {
                line.count(column, fails(&job), false);
            }
        }
    }
    lines
}

/// What the gate says of the pairs from the first one on.
fn gate(base: &[Sample], head: &[Sample], most: usize) -> Says {
    let here = Fingerprint::default();
    let (mut pairs, mut look) = (FIRST, 0);
    loop {
        let side = |all| Runs { samples: all, fingerprint: &here };
        let rules = Rules { look, ..Rules::default() };
        let metrics = decide::metrics(side(&base[..pairs]), side(&head[..pairs]), rules);
        let more = order::more(pairs);
        match decide::verdict(&metrics) {
            Verdict::Regressed => return Says::Worse,
            Verdict::Passed => return Says::Passes,
            _ if more > most.min(head.len()) => return Says::Inconclusive,
            _ => (pairs, look) = (more, look + 1),
        }
    }
}

/// Ten runs of the base, and ten of the head that follow; `None` where there are no more. The
/// stored result is one of this machine.
fn block(base: &[Sample], head: &[Sample], start: usize) -> Option<Job> {
    let values = |runs: &[Sample]| runs.iter().filter_map(turn_time).collect::<Vec<f64>>();
    let base_block = values(base.get(start..start + FIRST)?);
    let head_block = values(head.get(start + FIRST..start + 2 * FIRST)?);
    let whole = base_block.len() == FIRST && head_block.len() == FIRST;
    let (none, stored) = (Vec::new(), 1.0);
    whole.then(|| Job { base: none.clone(), head: none, base_block, head_block, stored })
}

fn turn_time(sample: &Sample) -> Option<f64> {
    sample.figures.active_ns.map(|ns| ns as f64)
}

/// How far runs of one program lie apart.
fn spread(rounds: &[Vec<Sample>]) -> String {
    let mut text = String::new();
    for (runs, slower) in rounds[1..].iter().zip(SLOWDOWNS) {
        let mut all: Vec<f64> = runs.iter().filter_map(turn_time).collect();
        all.sort_by(f64::total_cmp);
        let at =
            |share: f64| all.get((all.len() as f64 * share) as usize).map_or(0.0, |ns| ns / 1e6);
        let _ = writeln!(
            text,
            "{:>3.0} % slower: time in turns {:.1} ms in the middle, {:.1} to {:.1} ms in 9 of 10",
            slower * 100.0,
            at(0.5),
            at(0.05),
            at(0.95)
        );
    }
    text
}
