//! Whether a stall is one long callback, or very many short ones.
//!
//! ```text
//! innermost  ..  the program's outermost function | arguments, Node's frames, libuv's |  uv_run
//!                                                  └── other bytes: another callback ──┘
//! ```
//!
//! Callbacks of a live Node.js are not counted. But what stands on the stack below one is that
//! callback's own: its receiver and arguments, the request that libuv has finished. Where those
//! bytes are others in each sample, callbacks come and go faster than samples.
//!
//! Memory is as it is when it is read, so this is asked once for all samples that are taken
//! together.
//!
//! Cost: one read of at most 4 KiB of memory.

use std::hash::{DefaultHasher, Hasher};

use loop_core::snapshot::Repeated;

use crate::source::live::memory::Memory;
use crate::v8::{Frame, Kind};

/// Bytes of the stack that are compared.
const BYTES_MAX: u64 = 4_096;

/// So many pairs of samples must be there to tell.
const PAIRS_MIN: u64 = 10;

/// The share of them that must differ. Collections move what is young, so some always do.
const DIFFER_SHARE: f64 = 0.8;

/// What a callback stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    kind: Repeated,
    hash: u64,
}

/// Those of one stretch, by kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passes([Count; 4]);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    last: Option<u64>,
    pairs: u64,
    differ: u64,
}

impl Passes {
    pub(super) fn add(&mut self, pass: Pass) {
        let count = &mut self.0[pass.kind as usize];
        if let Some(last) = count.last.replace(pass.hash) {
            count.pairs += 1;
            count.differ += u64::from(last != pass.hash);
        }
    }

    /// Of which kind most samples were, if one callback of it followed the other.
    pub(super) fn repeated(&self) -> Option<Repeated> {
        const KINDS: [Repeated; 4] =
            [Repeated::Ticks, Repeated::Timers, Repeated::Events, Repeated::Immediates];
        let (kind, count) = KINDS.into_iter().zip(self.0).max_by_key(|(_, count)| count.pairs)?;
        let all: u64 = self.0.iter().map(|count| count.pairs).sum();
        let most = count.pairs >= PAIRS_MIN && count.pairs * 2 >= all;
        (most && count.differ as f64 >= count.pairs as f64 * DIFFER_SHARE).then_some(kind)
    }
}

/// What the callback of a sample stands on; `None` where it is none, or in a drain of microtasks,
/// which are counted.
pub(super) fn of(frames: &[Frame], memory: &Memory) -> Option<Pass> {
    let is_programs = |frame: &Frame| {
        let file = frame.file.as_deref().unwrap_or("node:");
        frame.kind == Kind::JavaScript && !file.starts_with("node:") && frame.fp != 0
    };
    let callback = frames.iter().rposition(is_programs)?;
    let outside = &frames[callback + 1..];
    if outside.iter().any(|frame| frame.name.contains("RunMicrotasks")) {
        return None;
    }
    let kind = outside.iter().find_map(kind)?;
    let end = outside.iter().rfind(|frame| frame.name == "uv_run").map(|frame| frame.fp)?;
    // Above the frame pointer of the caller and the return address.
    let begin = frames[callback].fp.checked_add(16)?;
    let length = end.checked_sub(begin)?.min(BYTES_MAX);
    let mut bytes = [0; BYTES_MAX as usize];
    let bytes = &mut bytes[..length as usize];
    memory.read(begin, bytes).ok()?;
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    Some(Pass { kind, hash: hasher.finish() })
}

/// What calls callbacks, innermost first.
fn kind(frame: &Frame) -> Option<Repeated> {
    match frame.name.as_str() {
        "processTicksAndRejections" => Some(Repeated::Ticks),
        "listOnTimeout" => Some(Repeated::Timers),
        "processImmediate" => Some(Repeated::Immediates),
        "uv__io_poll" => Some(Repeated::Events),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(passes: &[(Repeated, u64)]) -> Option<Repeated> {
        let mut all = Passes::default();
        passes.iter().for_each(|&(kind, hash)| all.add(Pass { kind, hash }));
        all.repeated()
    }

    #[test]
    fn callbacks_that_come_and_go_differ_and_one_that_stays_does_not() {
        let many: Vec<_> = (0..20).map(|hash| (Repeated::Timers, hash)).collect();
        assert_eq!(repeated(&many), Some(Repeated::Timers));
        assert_eq!(repeated(&many[..10]), None, "too few to tell");
        let one: Vec<_> = (0..20).map(|hash| (Repeated::Timers, hash / 10)).collect();
        assert_eq!(repeated(&one), None);
        let mixed: Vec<_> =
            many.iter().copied().chain((0..30).map(|_| (Repeated::Events, 1))).collect();
        assert_eq!(repeated(&mixed), None, "most were of one event");
    }
}
