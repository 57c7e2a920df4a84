//! Functions, disassembled, and what the kernel does with each instruction under a probe.
//!
//! A probe replaces an instruction by a trap. The kernel then does itself what the instruction
//! would have done if it knows how (about 0.6 us a hit), else it runs a copy of it elsewhere and
//! stops behind it (9 us a hit). The instructions that it knows are those of `branch_setup_xol_ops`
//! and `push_setup_xol_ops` in Linux's `arch/x86/kernel/uprobes.c`.

use std::ops::Range;

use iced_x86::{
    Decoder, DecoderOptions, FastFormatter, FlowControl, Instruction, Mnemonic, OpKind, Register,
};

use super::{Image, Unwind, limits};

/// What the kernel does with an instruction under a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It emulates it.
    Emulated,
    /// It runs a copy of it by single step, which costs fifteen times as much.
    Stepped,
    /// It refuses it, or it isn't certain that it doesn't.
    Refused,
}

/// One function, whole.
#[derive(Clone, Debug)]
pub struct Function {
    /// From its first byte to behind its last.
    pub range: Range<u64>,
    /// What stands there.
    pub bytes: Vec<u8>,
    /// All its instructions in the order of their addresses.
    pub instructions: Vec<Instruction>,
}

impl Function {
    /// Disassembles bytes at an address. None if a part of them is no instruction.
    pub fn decode(address: u64, bytes: Vec<u8>) -> Option<Self> {
        let end = address.checked_add(bytes.len() as u64)?;
        let mut decoder = Decoder::with_ip(64, &bytes, address, DecoderOptions::NONE);
        let instructions: Vec<Instruction> = decoder.iter().collect();
        let valid = instructions.iter().all(|instruction| !instruction.is_invalid());
        valid.then_some(Self { range: address..end, bytes, instructions })
    }

    /// The function that begins at an address, by the unwind tables. None if none does, it isn't
    /// in an executable segment, is larger than 64 KiB, or a part of it is no instruction.
    pub fn at(image: &Image, unwind: &Unwind, address: u64) -> Option<Self> {
        let range = unwind.function_at(address).filter(|range| range.start == address)?;
        Self::of(image, range)
    }

    /// The function that an address lies in, with the conditions of [`Function::at`].
    pub fn around(image: &Image, unwind: &Unwind, address: u64) -> Option<Self> {
        Self::of(image, unwind.function_at(address)?)
    }

    fn of(image: &Image, range: Range<u64>) -> Option<Self> {
        let size = range.end - range.start;
        if size > limits::FUNCTION_BYTES_MAX || !image.is_code(range.start) {
            return None;
        }
        Self::decode(range.start, image.bytes_at(range.start, size as usize)?)
    }

    /// Where the instruction at an address stands in the list, if one begins there.
    pub fn index_of(&self, address: u64) -> Option<usize> {
        self.instructions.binary_search_by_key(&address, Instruction::ip).ok()
    }

    /// The bytes of an instruction of this function.
    pub fn bytes_of(&self, instruction: &Instruction) -> &[u8] {
        let from = (instruction.ip() - self.range.start) as usize;
        &self.bytes[from..from + instruction.len()]
    }

    /// Whether a jump or call of this function leads to between these addresses, both included.
    /// Jumps through tables aren't seen.
    pub fn jumps_between(&self, first: u64, last: u64) -> bool {
        self.instructions.iter().any(|instruction| {
            branch_target(instruction).is_some_and(|target| (first..=last).contains(&target))
        })
    }

    /// Where in structs the fields lie that it uses. What it has on its stack is none.
    pub fn fields(&self) -> impl Iterator<Item = u64> {
        self.instructions.iter().filter_map(field)
    }

    /// The functions that are called directly, in the order of the calls.
    pub fn callees(&self) -> impl Iterator<Item = (&Instruction, u64)> {
        let calls = self.instructions.iter().filter(|instruction| instruction.is_call_near());
        calls.map(|call| (call, call.near_branch_target()))
    }
}

/// Where in a struct the field lies that an instruction uses.
pub(crate) fn field(instruction: &Instruction) -> Option<u64> {
    let memory =
        (0..instruction.op_count()).any(|index| instruction.op_kind(index) == OpKind::Memory);
    let elsewhere = matches!(
        instruction.memory_base(),
        Register::RSP | Register::RBP | Register::RIP | Register::None
    );
    (memory && !elsewhere).then(|| instruction.memory_displacement64())
}

/// Where an instruction jumps to or calls, if it says so itself.
pub(crate) fn branch_target(instruction: &Instruction) -> Option<u64> {
    let direct = matches!(
        instruction.flow_control(),
        FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch | FlowControl::Call
    );
    (direct && instruction.near_branch_target() != 0).then(|| instruction.near_branch_target())
}

/// What the kernel does with an instruction under a probe.
pub fn classify(instruction: &Instruction, bytes: &[u8]) -> Class {
    match bytes {
        // jcc, jmp, call; push; nop. Longer forms of nop are emulated by newer kernels only.
        [0x70..=0x7f | 0xeb, _] | [0x0f, 0x80..=0x8f, _, _, _, _] => Class::Emulated,
        [0xe8 | 0xe9, _, _, _, _] => Class::Emulated,
        [0x50..=0x57] | [0x41, 0x50..=0x57] | [0x90] => Class::Emulated,
        _ if is_plain(instruction) => Class::Stepped,
        _ => Class::Refused,
    }
}

/// Instructions that compilers begin a function with and that are the same wherever they run.
fn is_plain(instruction: &Instruction) -> bool {
    let known = matches!(
        instruction.mnemonic(),
        Mnemonic::Mov
            | Mnemonic::Movzx
            | Mnemonic::Lea
            | Mnemonic::Sub
            | Mnemonic::Add
            | Mnemonic::And
            | Mnemonic::Xor
            | Mnemonic::Cmp
            | Mnemonic::Test
            | Mnemonic::Endbr64
    );
    known && !instruction.has_lock_prefix() && instruction.segment_prefix() == Register::None
}

/// An instruction as people write it.
pub(crate) fn text(instruction: &Instruction) -> String {
    let mut text = String::new();
    FastFormatter::new().format(instruction, &mut text);
    text
}
