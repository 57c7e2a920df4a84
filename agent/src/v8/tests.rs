//! Memory that holds anything: what is read of it is bounded, and nothing makes it fail.

use std::sync::Arc;

use proptest::prelude::*;

use super::code_map::CodeMap;
use super::layout::Layout;
use super::symbolizer::Symbolizer;
use super::types::{RawFrame, ReadMemory};
use super::unwind::{self, Code, Registers};
use crate::elf::{Base, Step};

/// 4 KiB that come again and again, at every address.
#[derive(Debug)]
struct Garbage(Vec<u8>);

impl ReadMemory for Garbage {
    fn read(&self, address: u64, buf: &mut [u8]) -> bool {
        let mut begin = (address & 0xfff) as usize;
        for part in buf.chunks_mut(self.0.len()) {
            let (to_end, rest) = part.split_at_mut(part.len().min(self.0.len() - begin));
            to_end.copy_from_slice(&self.0[begin..begin + to_end.len()]);
            rest.copy_from_slice(&self.0[..rest.len()]);
            begin = (begin + part.len()) % self.0.len();
        }
        address < 1 << 47
    }
}

/// Words as V8 writes them: objects, small numbers, and types that mean something.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        (0_u64..512).prop_map(|place| 0x10_0001 + place * 8),
        (0_u64..200).prop_map(|number| number << 32),
        (0_u64..300, 0_u64..300).prop_map(|(low, high)| low << 32 | high),
        any::<u64>(),
    ]
}

fn garbage() -> impl Strategy<Value = Garbage> {
    proptest::collection::vec(word(), 512)
        .prop_map(|words| Garbage(words.into_iter().flat_map(u64::to_le_bytes).collect()))
}

fn frame() -> impl Strategy<Value = RawFrame> {
    let words = proptest::array::uniform7(word());
    (any::<u64>(), any::<u64>(), words, prop_oneof![Just(0), word()])
        .prop_map(|(pc, fp, words, shared)| RawFrame { pc, fp, words, shared, top: pc })
}

fn at(fp: Option<u64>) -> Registers {
    Registers { pc: 7, sp: 0x1000, fp }
}

struct Steps(Option<Step>, Option<u64>);

impl Code for Steps {
    fn step(&self, _: u64) -> Option<Step> {
        self.0
    }

    fn begins(&self, _: u64) -> Option<u64> {
        self.1
    }

    fn called(&self, _: u64) -> Option<u64> {
        self.1
    }
}

proptest! {
    #[test]
    fn no_memory_makes_it_fail(
        memory in garbage(),
        frames in proptest::collection::vec(frame(), 0..8),
    ) {
        let code = Arc::new(CodeMap::default());
        let mut symbolizer = Symbolizer::new(Arc::new(Layout::example()), code);
        let found = symbolizer.frames(&memory, &frames);
        prop_assert!(found.len() <= 512);
    }

    #[test]
    fn no_stack_makes_it_fail(
        words in proptest::collection::vec(
            prop_oneof![(0_u64..256).prop_map(|place| 0x1000 + place * 8), any::<u64>()],
            0..256,
        ),
        step in proptest::option::of((any::<i64>(), proptest::option::of(any::<i64>()))),
        small in -64_i64..64,
        begins in proptest::option::of(any::<u64>()),
        is_frame in any::<bool>(),
        fp in proptest::option::of(prop_oneof![0x1000_u64..0x1800, any::<u64>()]),
    ) {
        let stack: Vec<u8> = words.iter().copied().flat_map(u64::to_le_bytes).collect();
        let step = step.map(|(size, saved_frame)| {
            let size = if size % 2 == 0 { small } else { size };
            let frame = if is_frame { Base::Frame(size) } else { Base::Stack(size) };
            Step { frame, saved_frame }
        });
        let frames = unwind::unwound(at(fp), &stack, &|_| true, &Steps(step, begins));
        prop_assert!(!frames.is_empty() && frames[0].pc == 7);
        prop_assert!(frames.len() <= 1024);
    }
}

/// A stack of so many frames with frame pointers, above 64 bytes of something else.
fn chain(count: u64) -> Vec<u8> {
    let mut words = vec![0_u64; 8];
    for index in 0..count {
        let next = 0x1000 + 64 + (index + 1) * 32;
        words.extend([next, 0x5_0000 + index, 0, 0]);
    }
    words.extend([0; 8]);
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

#[test]
fn a_chain_of_frame_pointers_is_followed_to_its_end() {
    let is_code = |address: u64| (0x5_0000..0x6_0000).contains(&address);
    let frames = unwind::unwound(at(None), &chain(20), &is_code, &Steps(None, None));
    assert_eq!(frames.len(), 21);
    assert_eq!((frames[0].pc, frames[0].fp), (7, 0x1040));
    assert_eq!((frames[1].pc, frames[1].fp), (0x5_0000, 0x1060));
    assert_eq!(frames[1].words[6], 0x5_0001, "the return address");
    assert_eq!(frames[20].pc, 0x5_0013);
    let short = unwind::unwound(at(None), &chain(2), &is_code, &Steps(None, None));
    assert_eq!(short.len(), 1, "two pairs may be left from before");
}

/// Functions by the page that their code is in: how each is left.
struct Pages(&'static [(u64, Base, Option<i64>)]);

impl Code for Pages {
    fn step(&self, pc: u64) -> Option<Step> {
        let found = self.0.iter().find(|(page, ..)| pc >> 12 == page >> 12);
        found.map(|&(_, frame, saved_frame)| Step { frame, saved_frame })
    }

    fn begins(&self, _: u64) -> Option<u64> {
        None
    }

    fn called(&self, _: u64) -> Option<u64> {
        None
    }
}

/// As `vsnprintf` is: what writes a character has other things in the frame pointer's register,
/// what formats has a frame pointer, and who calls that has none.
#[test]
fn a_library_is_left_whatever_it_keeps_in_the_frame_pointer() {
    const WRITES: u64 = 0x5_1000;
    const FORMATS: u64 = 0x5_2000;
    const CALLS: u64 = 0x5_3000;
    const NODE: u64 = 0x6_0000;
    let code = Pages(&[
        (WRITES, Base::Stack(32), Some(-16)),
        (FORMATS, Base::Frame(16), Some(-16)),
        (CALLS, Base::Stack(24), Some(-16)),
    ]);
    let words: [u64; 17] = [
        // From 0x1000 on: what writes, and the frame pointer of what formats.
        0,
        0,
        0x1030,
        FORMATS + 4, //
        // What formats, and what its caller has in the register: no address.
        0,
        0,
        9,
        CALLS + 4, //
        // Who calls that, and the frame pointer of Node's function.
        0,
        0x1068,
        NODE + 4, //
        // That one's, and two more of Node's.
        0,
        0,
        0x1078,
        NODE + 8,
        0x2000,
        NODE + 12,
    ];
    let stack: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    let is_code = |address: u64| (0x5_0000..0x7_0000).contains(&address);
    let start = Registers { pc: WRITES, sp: 0x1000, fp: Some(77) };
    let frames = unwind::unwound(start, &stack, &is_code, &code);
    let told: Vec<(u64, u64)> = frames.iter().map(|frame| (frame.pc, frame.fp)).collect();
    let [node, out] = [0x1068, 0x1078];
    let expected = [(WRITES, 0), (FORMATS + 4, 0x1030), (CALLS + 4, 0), (NODE + 4, node)];
    assert_eq!(told[..4], expected);
    assert_eq!(told[4..], [(NODE + 8, out), (NODE + 12, 0x2000)]);
}
