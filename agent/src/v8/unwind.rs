//! The frames of a thread that stands still, from the bytes of its stack.
//!
//! ```text
//! lower addresses                                             higher addresses
//! sp .. frames of a library without frame pointers .. | fp' | return | .. | fp'' | return | ..
//!                                                     ^ fp            ^ fp'
//! ```
//!
//! The kernel tells the stack pointer of a thread that waits, not its frame pointer. V8 and Node
//! keep frame pointers, the C library mostly doesn't, nor does cryptography in assembly. So their
//! frames are left by the tables that exceptions are unwound with, which say as well where a
//! function has saved the frame pointer, until one is reached that has its own, and is not called
//! by one that has none. Where the frame pointer isn't known it is looked for: the first pair of a
//! frame pointer and a return address behind a call of this function. Without tables it is the
//! first pair of a long chain.

use super::limits::{FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX, FRAMES_MAX, STACK_BYTES_MAX};
use super::types::RawFrame;
use crate::elf::{Base, Step};

/// What is known about code besides what V8 made while it ran.
pub trait Code {
    /// How the function at an address is left.
    fn step(&self, pc: u64) -> Option<Step>;
    /// Where the function at an address begins.
    fn begins(&self, pc: u64) -> Option<u64>;
    /// The function that the call before a return address calls, if it names it.
    fn called(&self, return_address: u64) -> Option<u64>;
}

/// What tells where a thread is.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// The next instruction.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
    /// The frame pointer's register, whatever is in it, where that is known.
    pub fp: Option<u64>,
}

/// The frames of a thread that is there.
///
/// `stack` are the bytes from the stack pointer on, as many as there are at hand; of more than
/// 1 MiB the rest is not looked at. `is_code` tells whether an address is mapped for execution.
///
/// Cost: a look at each of the first 8,192 words at most, and two for each frame.
pub fn unwound(
    registers: Registers,
    stack: &[u8],
    is_code: &dyn Fn(u64) -> bool,
    code: &dyn Code,
) -> Vec<RawFrame> {
    let bytes = &stack[..stack.len().min(STACK_BYTES_MAX)];
    let stack = Stack { sp: registers.sp, bytes, is_code };
    let (mut frames, Registers { pc, .. }, fp) = stack.leave_bare(registers, code);
    let Some(fp) = fp else {
        frames.push(RawFrame { pc, ..RawFrame::default() });
        return frames;
    };
    frames.push(stack.frame(pc, fp));
    let room = FRAMES_MAX.saturating_sub(frames.len());
    frames.extend(stack.chain(fp).take(room).map(|(fp, pc)| stack.frame(pc, fp)));
    frames[0].top = stack.word(stack.sp).unwrap_or_default();
    frames
}

fn is_bare(step: Option<Step>) -> bool {
    step.is_some_and(|step| matches!(step.frame, Base::Stack(_)))
}

/// Pairs that must follow one another for the first to be one, where nothing else tells. What
/// returned functions leave behind is shorter; Node's main function is some ten above any script.
const CHAIN_MIN: usize = 8;

struct Stack<'a> {
    sp: u64,
    bytes: &'a [u8],
    is_code: &'a dyn Fn(u64) -> bool,
}

impl Stack<'_> {
    /// Leaves functions until all that are further out have frame pointers. Returns the frames that
    /// were left, where that is, and the frame pointer there, if it is known or was found.
    fn leave_bare(
        &self,
        registers: Registers,
        code: &dyn Code,
    ) -> (Vec<RawFrame>, Registers, Option<u64>) {
        let (mut frames, mut at) = (Vec::new(), registers);
        while frames.len() < FRAMES_MAX {
            let Registers { pc, sp, fp } = at;
            let within = if frames.is_empty() { pc } else { pc.wrapping_sub(1) };
            let step = code.step(within);
            if is_bare(step) {
                let Some(left) = step.and_then(|step| self.leave(at, step)) else {
                    return (frames, at, self.first_pair(sp, None, code));
                };
                frames.push(RawFrame { pc, ..RawFrame::default() });
                at = left;
                continue;
            }
            let pair = fp.filter(|fp| *fp >= sp).and_then(|fp| Some((fp, self.pair(fp)?)));
            match pair {
                // A library may keep other things where the frame pointer was, and gives it back.
                Some((fp, (next, out))) if is_bare(code.step(out.wrapping_sub(1))) => {
                    frames.push(self.frame(pc, fp));
                    at = Registers { pc: out, sp: fp + 16, fp: Some(next) };
                }
                Some((fp, _)) if self.saved(fp).is_some() => return (frames, at, Some(fp)),
                _ => return (frames, at, self.first_pair(sp, code.begins(within), code)),
            }
        }
        (frames, at, None)
    }

    /// Leaves a function that has no frame pointer.
    fn leave(&self, at: Registers, step: Step) -> Option<Registers> {
        let Step { frame: Base::Stack(size), saved_frame } = step else { return None };
        let end = at.sp.checked_add_signed(size).filter(|end| *end > at.sp)?;
        let pc = self.word(end.checked_sub(8)?).filter(|address| (self.is_code)(*address))?;
        let fp = match saved_frame {
            Some(offset) => end.checked_add_signed(offset).and_then(|place| self.word(place)),
            None => at.fp,
        };
        Some(Registers { pc, sp: end, fp })
    }

    /// What is saved at a frame pointer, whatever the frame pointer was before, and a return
    /// address.
    fn pair(&self, fp: u64) -> Option<(u64, u64)> {
        let pair = (self.word(fp)?, self.word(fp.checked_add(8)?)?);
        (fp.is_multiple_of(8) && (self.is_code)(pair.1)).then_some(pair)
    }

    fn word(&self, address: u64) -> Option<u64> {
        let begin = usize::try_from(address.checked_sub(self.sp)?).ok()?;
        let word = self.bytes.get(begin..begin.checked_add(8)?)?;
        Some(u64::from_le_bytes(word.try_into().ok()?))
    }

    /// The frame pointer and the return address that are saved at a frame pointer.
    fn saved(&self, fp: u64) -> Option<(u64, u64)> {
        self.pair(fp).filter(|(next, _)| *next > fp && next - fp <= FRAME_BYTES_MAX)
    }

    /// The pairs from a frame pointer on.
    fn chain(&self, fp: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        std::iter::successors(self.saved(fp), |(next, _)| self.saved(*next))
    }

    /// The frame pointer of the function that begins at `begins` and whose frame lies above `sp`.
    fn first_pair(&self, sp: u64, begins: Option<u64>, code: &dyn Code) -> Option<u64> {
        let places = (0..FIRST_FRAME_BYTES_MAX as u64).step_by(8);
        let places = places.map_while(|place| sp.checked_add(place));
        let (mut likely, mut doubtful) = (None, None);
        for fp in places {
            let Some((_, return_address)) = self.saved(fp) else { continue };
            let is_long = self.chain(fp).take(CHAIN_MIN).count() == CHAIN_MIN;
            match (code.called(return_address), begins) {
                (Some(called), Some(begins)) if called == begins => return Some(fp),
                // Left behind by a function that has returned, or called in a roundabout way.
                (Some(_), Some(_)) if is_long => doubtful = doubtful.or(Some(fp)),
                (Some(_), Some(_)) => {}
                _ if is_long => likely = likely.or(Some(fp)),
                _ => {}
            }
        }
        likely.or(doubtful)
    }

    fn frame(&self, pc: u64, fp: u64) -> RawFrame {
        let word = |index: u64| {
            let address = fp.checked_add(index * 8)?.checked_sub(40)?;
            self.word(address)
        };
        let words = [0, 1, 2, 3, 4, 5, 6].map(|index| word(index).unwrap_or_default());
        RawFrame { pc, fp, words, ..RawFrame::default() }
    }
}
