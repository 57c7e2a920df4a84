//! The frames of a thread that stands still, from the bytes of its stack.
//!
//! ```text
//! lower addresses                                             higher addresses
//! sp .. frames of a library without frame pointers .. | fp' | return | .. | fp'' | return | ..
//!                                                     ^ fp            ^ fp'
//! ```
//!
//! The kernel tells the stack pointer of a thread that waits, not its frame pointer. V8 and Node
//! keep frame pointers, the C library doesn't, nor does cryptography in assembly. So their frames
//! are left by the tables that exceptions are unwound with, until a function is reached that has a
//! frame pointer. Where that lies is looked for: the first pair of a frame pointer and a return
//! address behind a call of this function. Without tables it is the first pair of a long chain.

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

/// The frames of a thread whose stack pointer is `sp` and whose next instruction is at `pc`.
///
/// `stack` are the bytes from `sp` on, as many as there are at hand; of more than 1 MiB the rest is
/// not looked at. `is_code` tells whether an address is mapped for execution. It serves as well
/// where a frame pointer is known to be wrong.
///
/// Cost: a look at each of the first 8,192 words at most, and two for each frame.
pub fn waiting(
    sp: u64,
    pc: u64,
    stack: &[u8],
    is_code: &dyn Fn(u64) -> bool,
    code: &dyn Code,
) -> Vec<RawFrame> {
    let stack = Stack { sp, bytes: &stack[..stack.len().min(STACK_BYTES_MAX)], is_code };
    let mut frames = Vec::new();
    let (mut pc, mut sp) = (pc, sp);
    let fp = loop {
        let innermost = frames.is_empty();
        let at = if innermost { pc } else { pc.wrapping_sub(1) };
        let step = code.step(at);
        let Some(Step { frame: Base::Stack(size), saved_frame }) = step else {
            break stack.first_pair(sp, code.begins(at), code);
        };
        let left = sp
            .checked_add_signed(size)
            .filter(|end| *end > sp)
            .and_then(|end| Some((end, stack.word(end.checked_sub(8)?)?)));
        let Some((end, return_address)) = left.filter(|(_, address)| is_code(*address)) else {
            break stack.first_pair(sp, None, code);
        };
        frames.push(RawFrame { pc, ..RawFrame::default() });
        let saved = saved_frame.and_then(|offset| stack.word(end.checked_add_signed(offset)?));
        (pc, sp) = (return_address, end);
        // A library may keep other things where the frame pointer was, and gives it back.
        if let Some(saved) = saved.filter(|saved| *saved >= sp && stack.saved(*saved).is_some()) {
            break Some(saved);
        }
        if frames.len() == FRAMES_MAX {
            break None;
        }
    };
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

/// Pairs that must follow one another for the first to be one, where nothing else tells. What
/// returned functions leave behind is shorter; Node's main function is some ten above any script.
const CHAIN_MIN: usize = 8;

struct Stack<'a> {
    sp: u64,
    bytes: &'a [u8],
    is_code: &'a dyn Fn(u64) -> bool,
}

impl Stack<'_> {
    fn word(&self, address: u64) -> Option<u64> {
        let begin = usize::try_from(address.checked_sub(self.sp)?).ok()?;
        let word = self.bytes.get(begin..begin.checked_add(8)?)?;
        Some(u64::from_le_bytes(word.try_into().ok()?))
    }

    /// The frame pointer and the return address that are saved at a frame pointer.
    fn saved(&self, fp: u64) -> Option<(u64, u64)> {
        if !fp.is_multiple_of(8) {
            return None;
        }
        let (next, return_address) = (self.word(fp)?, self.word(fp.checked_add(8)?)?);
        let grows = next > fp && next - fp <= FRAME_BYTES_MAX;
        (grows && (self.is_code)(return_address)).then_some((next, return_address))
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
