//! Running a workload: its rounds, the pauses between them, and what must be seen afterwards.

use std::time::Duration;

use loop_core::{Loop, LoopError, RunMode};

use crate::{Args, Truth, Workload};

/// The pathology or its healthy twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// What holds up the loop.
    Pathology,
    /// The same work, done so that the loop keeps turning.
    Fixed,
}

impl Variant {
    /// The name in reports and lock files.
    pub const fn name(self) -> &'static str {
        match self {
            Variant::Pathology => "pathology",
            Variant::Fixed => "fixed",
        }
    }
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
}

impl Job {
    /// Runs all rounds, each as a main program and the loop it leaves behind.
    ///
    /// # Errors
    /// As [`Loop::run`].
    pub fn run(&self, lp: &mut Loop) -> Result<(), LoopError> {
        let mut done = 0;
        while !matches!(self.rounds, Rounds::Times(times) if done >= times) {
            if done > 0 && self.pause_ns > 0 {
                let pause_ms = Duration::from_nanos(self.pause_ns).as_millis().max(1) as u64;
                lp.set_timeout(pause_ms, |_| {});
                lp.run(RunMode::Default)?;
            }
            lp.enter(|lp| (self.workload.start)(lp, &self.args, self.variant));
            lp.run(RunMode::Default)?;
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
