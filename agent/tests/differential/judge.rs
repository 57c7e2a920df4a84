//! Whether two runners agree about a program.
//!
//! A program on which both agree at once is settled by two runs. Only where they don't is Node
//! asked again, several times, some of them on a busy machine: if its runs differ the program is a
//! race. That asks the more the more it matters, and costs a batch two runs a program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::run::{Folder, Outcome, Runner, Status};
use super::tree::Program;

/// How often Node is asked again where the first runs differ, on the machine as it is.
const AGAIN: usize = 6;

/// And while all of its processors are busy.
const AGAIN_BUSY: usize = 4;

/// How often both are run in turns after that.
const PAIRS: usize = 10;

/// With so many of our runs unlike Node's, which all are alike, a busy machine is no excuse.
const ODD: usize = 3;

/// What came of a program.
#[derive(Debug)]
pub(crate) enum Verdict {
    Same,
    /// Node's own runs differ.
    Race,
    /// Node's runs are the same, and so are ours but for the first and at most a few: it hangs on
    /// how busy the machine is. Many programs like this are a difference.
    Unsteady(Box<Difference>),
    Different(Box<Difference>),
}

#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) node: Outcome,
    pub(crate) ours: Outcome,
}

/// The two that are compared.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) node: Runner,
    pub(crate) ours: Runner,
    /// How often Node runs a program before the first comparison.
    pub(crate) runs: usize,
}

impl Pair {
    pub(crate) fn judge(&self, program: &Program, folder: &Folder) -> Verdict {
        folder.write_program(program);
        let run = |runner: &Runner| runner.run(folder.path(), program.main());
        let node = run(&self.node);
        let differs = |_| run(&self.node) != node;
        // Nothing can be told of what does not end.
        if node.status == Status::Hung || (1..self.runs).any(differs) {
            return Verdict::Race;
        }
        let ours = run(&self.ours);
        if ours == node {
            return Verdict::Same;
        }
        if (0..AGAIN).any(differs) || busy(|| (0..AGAIN_BUSY).any(differs)) {
            return Verdict::Race;
        }
        let mut odd = 0;
        for _ in 0..PAIRS {
            odd += usize::from(run(&self.ours) != node);
            // Both meet the same machine.
            if run(&self.node) != node {
                return Verdict::Race;
            }
        }
        let difference = Box::new(Difference { node, ours });
        if odd >= ODD { Verdict::Different(difference) } else { Verdict::Unsteady(difference) }
    }

    /// Whether a smaller program still differs, in the same way each time.
    /// It must not become a program that is merely wrong.
    pub(crate) fn still_differs(&self, program: &Program, folder: &Folder) -> Option<Difference> {
        folder.write_program(program);
        let run = |runner: &Runner| runner.run(folder.path(), program.main());
        let (node, ours) = (run(&self.node), run(&self.ours));
        let broken = node.is_wrong() || node.status == Status::Hung;
        let steady = || (0..2).all(|_| run(&self.node) == node && run(&self.ours) != node);
        (node != ours && !broken && steady()).then_some(Difference { node, ours })
    }
}

/// Does something while every processor has something else to do.
pub(crate) fn busy<T>(what: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    let count = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let result = what();
        done.store(true, Ordering::Relaxed);
        result
    })
}
