//! The runs of one gate: a warm-up of each command, pairs by turns, more of them while undecided.

use std::time::{Duration, Instant};

use loop_core::snapshot::Source;

use super::command_line::CommandLine;
use super::kept::Folder;
use super::outcome::{self, Runs};
use super::progress::Progress;
use super::runner::{Ran, Run, Runner, Watched};
use crate::cli::GateArgs;
use crate::command::gate_output::Targets;
use crate::exit::{Exit, Failure};
use crate::gate::budget::{self, Budget};
use crate::gate::comparison::{Comparison, Metric, Standing};
use crate::gate::decide::{self, Rules};
use crate::gate::order::{self, Which};
use crate::gate::{Fingerprint, PAIRS_MAX, Sample};
use crate::terminal::tell;

/// The stall threshold of the run that looks for who is to blame: as short as is seen at all.
const LOOK_CLOSER_NS: u64 = 2_000_000;

pub(super) fn execute(args: &GateArgs) -> Result<Exit, Failure> {
    let (base, head) = commands(args)?;
    let budgets = outcome::read_budgets(args.runs.budget.as_deref())?;
    let targets = Targets::open(&args.output)?;
    let folder = args.runs.save.as_deref().map(Folder::open).transpose()?;
    let stall_threshold_ns = budget::stall_threshold_ns(&budgets, args.runs.stall_threshold_ns);
    let runner = Runner::new(Watched {
        source: args.source.clone(),
        tier: args.tier,
        stall_threshold_ns,
        timeout_ns: args.timeout_ns,
    })?;
    let started = Instant::now();
    let progress = Progress::new(started);
    let (base_runs, head_runs) = (Vec::new(), Vec::new());
    let mut series = Series {
        args,
        base,
        head,
        budgets,
        runner,
        started,
        progress,
        folder,
        base_runs,
        head_runs,
        again: 0,
        looks: 0,
    };
    let comparison = match series.compare()? {
        Made::Comparison(comparison) => comparison,
        Made::CutShort(exit) => {
            series.progress.clear();
            tell("the gate was cut short; nothing was compared");
            return Ok(exit);
        }
    };
    series.progress.clear();
    series.runner.stop();
    let comparison = outcome::asked(*comparison, args.runs.on_inconclusive);
    targets.write(&comparison)?;
    Ok(outcome::exit(&comparison, args.runs.on_inconclusive))
}

/// The commands before and after.
fn commands(args: &GateArgs) -> Result<(Option<CommandLine>, CommandLine), Failure> {
    let runs = &args.runs;
    let parse = |text: &String, option: &str| {
        CommandLine::parse(text).ok_or_else(|| {
            Failure::usage(format!("{option} is empty; write a command, as in 'node bench.js'"))
        })
    };
    let head = match (&runs.head, args.words.as_slice()) {
        (Some(_), [_, ..]) => Err(Failure::usage(
            "the command is given twice, by --head and behind `--`; leave one of them out",
        )),
        (Some(text), []) => parse(text, "--head"),
        (None, []) => Err(Failure::usage(
            "no command to run; write it behind `--`, as in \
             `loopscope gate --budget FILE -- node bench.js`",
        )),
        (None, words) => Ok(CommandLine::of(words.to_vec())),
    }?;
    if runs.base.is_none() && runs.budget.is_none() {
        return Err(Failure::usage(
            "nothing to compare with; add --base CMD for the command before, or --budget FILE",
        ));
    }
    Ok((runs.base.as_ref().map(|text| parse(text, "--base")).transpose()?, head))
}

/// A machine that stands still for a moment, or has no CPU for us, may let a short process end
/// before it is looked at. So many such runs of a gate are made again; nothing was seen of them.
const AGAIN_MAX: usize = 3;

/// What came of the runs.
enum Made {
    Comparison(Box<Comparison>),
    CutShort(Exit),
}

/// Why the runs do not go on.
enum Stop {
    CutShort(Exit),
    Invalid(Vec<String>),
}

/// The runs of one gate.
struct Series<'a> {
    args: &'a GateArgs,
    base: Option<CommandLine>,
    head: CommandLine,
    budgets: Vec<Budget>,
    runner: Runner,
    started: Instant,
    progress: Progress,
    /// Where the runs that count are kept.
    folder: Option<Folder>,
    base_runs: Vec<Sample>,
    head_runs: Vec<Sample>,
    /// Runs that were made again.
    again: usize,
    /// How often it was judged and undecided.
    looks: u32,
}

impl Series<'_> {
    fn compare(&mut self) -> Result<Made, Failure> {
        let here = Fingerprint::here();
        let judged = match self.warm_up()? {
            Some(stop) => Err(stop),
            None if self.base.is_some() => self.judge_pairs(&here)?,
            None => self.judge_head()?,
        };
        let mut judged = match judged {
            Ok((metrics, mut notes)) => {
                notes.extend(outcome::budget_notes(&self.budgets, &self.head_runs));
                notes.extend(outcome::again_note(self.again));
                Ok((metrics, notes))
            }
            Err(Stop::Invalid(why)) => Err(why),
            Err(Stop::CutShort(exit)) => return Ok(Made::CutShort(exit)),
        };
        if let Ok((metrics, _)) = &mut judged {
            self.name_culprits(metrics);
        }
        let base = self.base.as_ref();
        let base = base.map(|base| Runs { command: base.text(), samples: &self.base_runs });
        let head = Runs { command: self.head.text(), samples: &self.head_runs };
        let comparison = outcome::comparison(base, head, judged, here, self.started);
        Ok(Made::Comparison(Box::new(comparison)))
    }

    /// Runs each command once: files come into memory, and what fails does so at once.
    fn warm_up(&mut self) -> Result<Option<Stop>, Failure> {
        self.progress.show("warming up");
        for which in [Which::Base, Which::Head] {
            if which == Which::Base && self.base.is_none() {
                continue;
            }
            if let Err(stop) = self.run(which)? {
                return Ok(Some(stop));
            }
        }
        Ok(None)
    }

    /// Runs one of the commands; a run that can't be compared ends the gate.
    fn run(&mut self, which: Which) -> Result<Result<Box<Run>, Stop>, Failure> {
        let (name, command) = match (which, &self.base) {
            (Which::Base, Some(base)) => ("base", base),
            _ => ("head", &self.head),
        };
        let ran = loop {
            match self.runner.run(command)? {
                Ran::Done(run) if run.missed > 0 && self.again < AGAIN_MAX => self.again += 1,
                ran => break ran,
            }
        };
        match ran {
            Ran::Done(run) => {
                let why = decide::invalid(name, std::slice::from_ref(&run.sample));
                Ok(if why.is_empty() { Ok(run) } else { Err(Stop::Invalid(why)) })
            }
            Ran::CutShort(exit) => Ok(Err(Stop::CutShort(exit))),
            Ran::Failed { status, output, notes } => {
                self.progress.clear();
                tell(&format!("{name} failed ({status}); the end of its output:"));
                eprint_lines(&output);
                let text = command.text();
                let failed = format!("{name} failed with {status}: `{text}`; run it by itself");
                Ok(Err(Stop::Invalid([failed].into_iter().chain(notes).collect())))
            }
        }
    }

    /// Pairs of runs, until it is decided or the time is up.
    fn judge_pairs(&mut self, here: &Fingerprint) -> Result<Judged, Failure> {
        let most = Duration::from_nanos(self.args.runs.max_time_ns);
        let first = self.args.runs.pairs;
        let mut wanted = first;
        loop {
            while self.base_runs.len() < wanted {
                let number = self.base_runs.len();
                if number >= first && !self.has_time(number, most) {
                    break;
                }
                self.progress.show(&format!("pair {} of {wanted}", number + 1));
                if let Err(stop) = self.pair(number)? {
                    return Ok(Err(stop));
                }
            }
            let mut why = decide::invalid("base", &self.base_runs);
            why.extend(decide::invalid("head", &self.head_runs));
            why.extend(decide::unlike(&self.base_runs, &self.head_runs));
            if !why.is_empty() {
                return Ok(Err(Stop::Invalid(why)));
            }
            let mut metrics = self.metrics(here);
            let pairs = self.base_runs.len();
            let is_last = pairs < wanted || pairs >= PAIRS_MAX || !self.has_time(pairs, most);
            if is_last || !decide::is_undecided(&metrics) {
                metrics.extend(self.judge_budgets());
                decide::order(&mut metrics);
                let notes = self.pairs_notes(&metrics);
                return Ok(Ok((metrics, notes)));
            }
            wanted = order::more(pairs).min(PAIRS_MAX);
            self.looks += 1;
        }
    }

    /// Whether there is time for another pair behind so many: it takes as long as those before it
    /// did, and blocks are of two.
    fn has_time(&self, pairs: usize, most: Duration) -> bool {
        let each = self.started.elapsed() / u32::try_from(pairs + 1).unwrap_or(u32::MAX);
        !pairs.is_multiple_of(2) || self.started.elapsed() + each <= most
    }

    /// Runs one of the commands, and counts it.
    fn count(&mut self, which: Which) -> Result<Result<(), Stop>, Failure> {
        let run = match self.run(which)? {
            Ok(run) => run,
            Err(stop) => return Ok(Err(stop)),
        };
        let (command, runs) = match (which, &self.base) {
            (Which::Base, Some(base)) => (base, &mut self.base_runs),
            _ => (&self.head, &mut self.head_runs),
        };
        if let Some(folder) = &mut self.folder {
            let made = (self.runner.stall_threshold_ns(), self.looks);
            folder.keep(which, command, made, &run)?;
        }
        runs.push(run.sample);
        Ok(Ok(()))
    }

    fn pair(&mut self, number: usize) -> Result<Result<(), Stop>, Failure> {
        for which in order::pair(number) {
            if let Err(stop) = self.count(which)? {
                return Ok(Err(stop));
            }
        }
        Ok(Ok(()))
    }

    fn metrics(&self, here: &Fingerprint) -> Vec<Metric> {
        let exact_tolerance = self.args.runs.exact_tolerance / 100.0;
        let side = |samples| decide::Runs { samples, fingerprint: here };
        decide::metrics(
            side(&self.base_runs),
            side(&self.head_runs),
            Rules { exact_tolerance, look: self.looks },
        )
    }

    fn pairs_notes(&self, metrics: &[Metric]) -> Vec<String> {
        let pairs = self.base_runs.len();
        let first = self.args.runs.pairs;
        let more = (pairs > first)
            .then(|| format!("after {first} pairs it was undecided, so {pairs} were run"));
        let open = decide::is_undecided(metrics).then(|| {
            format!(
                "the machine is too noisy to tell after {pairs} pairs; give it more --max-time, \
                 or make a run longer"
            )
        });
        more.into_iter().chain(open).chain(decide::notes(metrics)).collect()
    }

    /// Runs of head alone, for budgets.
    fn judge_head(&mut self) -> Result<Judged, Failure> {
        for number in 1..=self.args.runs.runs {
            self.progress.show(&format!("run {number} of {}", self.args.runs.runs));
            if let Err(stop) = self.count(Which::Head)? {
                return Ok(Err(stop));
            }
        }
        let why = decide::invalid("head", &self.head_runs);
        if !why.is_empty() {
            return Ok(Err(Stop::Invalid(why)));
        }
        let mut metrics = self.judge_budgets();
        decide::order(&mut metrics);
        Ok(Ok((metrics, Vec::new())))
    }

    fn judge_budgets(&self) -> Vec<Metric> {
        self.budgets.iter().map(|budget| budget.judge(&self.head_runs)).collect()
    }

    /// Where something got worse and nobody is known for it, runs head once more and looks closer.
    /// What was found stands, whatever becomes of that run.
    fn name_culprits(&mut self, metrics: &mut [Metric]) {
        let nameless = |metric: &&mut Metric| {
            metric.decides && metric.standing == Standing::Worse && metric.culprit.is_none()
        };
        // V8's trace names nobody.
        let is_traced = |run: &Sample| run.observed.is_some_and(|(of, _)| of == Source::V8Trace);
        if !metrics.iter_mut().any(|metric| nameless(&metric))
            || self.head_runs.iter().any(is_traced)
        {
            return;
        }
        self.progress.show("looking for the function");
        if let Ok(Ran::Done(run)) = self.runner.run_with(&self.head, LOOK_CLOSER_NS) {
            let named = metrics.iter_mut().filter(nameless);
            named.for_each(|metric| decide::blame(metric, std::slice::from_ref(&run.sample)));
        }
    }
}

type Judged = Result<(Vec<Metric>, Vec<String>), Stop>;

/// The command's own lines, as they are but for what could move the cursor.
fn eprint_lines(text: &str) {
    use std::io::Write;
    let mut stderr = std::io::stderr().lock();
    for line in text.lines() {
        let _ = writeln!(stderr, "    {}", crate::terminal::printable(line));
    }
}
