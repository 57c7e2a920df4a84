//! Running a workload: its rounds, the pauses between them, and what must be seen afterwards.

use std::fmt;
use std::io;
use std::time::Duration;

use loop_core::{Loop, LoopError, RunMode};

use crate::machine::{self, Refused};
use crate::{Args, Needs, Start, Story, Truth, Workload};

/// The pathology or its healthy twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// What holds up the loop.
    Pathology,
    /// The same work, done so that the loop keeps turning.
    Fixed,
}

/// How often a workload is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// So many times.
    Times(u64),
    /// Until somebody ends the process.
    Forever,
}

/// A workload with everything it needs to be run.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is run.
    pub workload: &'static Workload,
    /// Its parameters.
    pub args: Args,
    /// The pathology or its twin.
    pub variant: Variant,
    /// How often.
    pub rounds: Rounds,
    /// How long the loop rests between two rounds, in nanoseconds, to the next millisecond.
    pub pause_ns: u64,
    /// What it tells as it goes; begins empty.
    pub story: Story,
}

/// Why a workload could not run to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The loop could not go on.
    Loop(LoopError),
    /// The system refused something that the workload is made of, as a thread or a connection.
    System(&'static str, io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Loop(error) => error.fmt(f),
            RunError::System(what, error) => write!(f, "{what} was refused ({error})"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<LoopError> for RunError {
    fn from(error: LoopError) -> Self {
        RunError::Loop(error)
    }
}

impl Job {
    /// Looks whether the machine has what the workload needs, and raises this process's limit of
    /// descriptors where that is allowed and needed. To be called before [`Job::run`].
    ///
    /// # Errors
    /// [`Refused`], with what to do about it.
    pub fn prepare(&self) -> Result<(), Refused> {
        match self.workload.needs {
            Needs::Nothing => Ok(()),
            Needs::Connections(count) => machine::allow_connections(count(&self.args)),
            Needs::Pinning => machine::allow_pinning(),
        }
    }

    /// Runs all rounds, each as a main program and the loop it leaves behind.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn run(&self, lp: &mut Loop) -> Result<(), RunError> {
        let mut done = 0;
        while !matches!(self.rounds, Rounds::Times(times) if done >= times) {
            if done > 0 && self.pause_ns > 0 {
                let pause_ms = Duration::from_nanos(self.pause_ns).as_millis().max(1) as u64;
                lp.set_timeout(pause_ms, |_| {});
                lp.run(RunMode::Default)?;
            }
            match self.workload.start {
                Start::Main(main) => {
                    lp.enter(|lp| main(lp, self));
                    lp.run(RunMode::Default)?;
                }
                Start::Round(round) => round(lp, self)?,
            }
            self.story.end_round();
            done += 1;
        }
        Ok(())
    }

    /// What must be observed when all rounds are done.
    pub fn truth(&self) -> Truth {
        let rounds = match self.rounds {
            Rounds::Times(times) => times,
            Rounds::Forever => 0,
        };
        let pauses = if self.pause_ns > 0 { rounds.saturating_sub(1) } else { 0 };
        (self.workload.truth)(&self.args, self.variant).of_rounds(rounds, pauses)
    }
}
