//! The walk of the call stack: which functions begin and end, told by the stack at each event.
//!
//! A function says that it begins. That one has ended is told by the next event, on whose stack it
//! is not; between two events the program has done nothing that shows. What stands on a stack and
//! has not said that it begins goes on: behind an `await`, or in a generator.
//!
//! **Invariant**: each step down is one of a step up that is kept.

use std::collections::HashMap;

use super::State;
use super::frames::Stack;
use super::timeline::{Frame, What};
use super::walk::Insertions;

/// The stack as the steps so far have made it, and what else a walk needs.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Outermost first, each with whether its step is kept.
    on_stack: Vec<(Frame, bool)>,
    /// How many steps are kept.
    pub(super) kept: usize,
    /// What stands in each source that was not in its file.
    pub(super) insertions: HashMap<String, Insertions>,
}

/// How the code of a file is called. The engine has no name for it.
const TOP_LEVEL: &str = "(top level)";

/// Whether a frame of the walk may be that of a stack: the line changes as a function runs.
fn is_same(walked: &Frame, now: &Frame) -> bool {
    let is_top = walked.name == TOP_LEVEL && now.name.is_empty();
    (is_top || walked.name == now.name) && walked.place.file == now.place.file
}

impl State {
    /// A function begins, the innermost of this stack. Returns whether there was a place for it.
    pub(super) fn begins(&mut self, mut stack: Stack, is_top: bool) -> bool {
        if self.steps.is_none() {
            return false;
        }
        if stack.is_cut {
            self.timeline.calls_dropped += 1;
            return true;
        }
        let Some((begun, outer)) = stack.frames.split_first_mut() else { return true };
        if is_top {
            TOP_LEVEL.clone_into(&mut begun.name);
        }
        self.walk_to(outer);
        self.step_up(begun, false)
    }

    /// Takes the steps that lead to this stack, innermost first.
    pub(super) fn walk_to(&mut self, stack: &[Frame]) {
        let Some(steps) = &self.steps else { return };
        let on_stack = steps.on_stack.iter().map(|(frame, _)| frame);
        let same =
            on_stack.zip(stack.iter().rev()).take_while(|(one, other)| is_same(one, other)).count();
        self.step_down_to(same);
        if self.steps.as_ref().is_some_and(|steps| steps.kept >= self.events_max) {
            return;
        }
        for frame in stack.iter().rev().skip(same) {
            self.step_up(frame, true);
        }
    }

    fn step_up(&mut self, frame: &Frame, goes_on: bool) -> bool {
        let Some(steps) = &mut self.steps else { return false };
        let keep = steps.kept < self.events_max;
        steps.kept += usize::from(keep);
        steps.on_stack.push((frame.clone(), keep));
        if keep {
            self.add_step(What::Begins { goes_on }, vec![frame.clone()]);
        } else {
            self.timeline.calls_dropped += 1;
        }
        keep
    }

    /// Ends what is on the stack until there are so many.
    pub(super) fn step_down_to(&mut self, depth: usize) {
        while let Some(steps) = self.steps.as_mut().filter(|steps| steps.on_stack.len() > depth) {
            let Some((frame, is_kept)) = steps.on_stack.pop() else { return };
            if is_kept {
                self.add_step(What::Ends, vec![frame]);
            }
        }
    }
}
