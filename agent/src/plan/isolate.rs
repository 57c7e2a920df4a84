//! Where an isolate keeps the address of its queue of microtasks.
//!
//! `v8::MicrotasksScope::PerformCheckpoint(Isolate*)` is exported everywhere, stripped or not, as
//! embedders call it. It begins with fetching the queue and looks whether it runs already:
//!
//! ```text
//! push %rbp                  these three, or some, or none
//! mov  %rsp,%rbp
//! mov  %rdi,%rsi
//! mov  0x10490(%rdi),%rdi    or into another register
//! cmpb $0x0,0x4c(%rdi)
//! ```

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::evidence::Evidence;

pub(super) const CHECKPOINT: &str = "_ZN2v815MicrotasksScope17PerformCheckpointEPNS_7IsolateE";

/// An isolate is some 70 KB large.
const ISOLATE_BYTES_MAX: u64 = 1 << 20;

/// `None` for code that begins in another way.
pub(super) fn queue_in_isolate(v8: &Evidence<'_>) -> Option<u64> {
    fetched(&v8.function_named(CHECKPOINT).ok()?.instructions)
}

fn fetched(code: &[Instruction]) -> Option<u64> {
    let first = code.iter().position(|one| !prepares(one))?;
    let [fetch, compare, ..] = &code[first..] else { return None };
    let plain = |one: &Instruction, base| {
        one.memory_base() == base
            && one.memory_index() == Register::None
            && one.segment_prefix() == Register::None
    };
    let fetches = fetch.mnemonic() == Mnemonic::Mov
        && fetch.op0_kind() == OpKind::Register
        && fetch.op0_register().is_gpr64()
        && fetch.op1_kind() == OpKind::Memory
        && plain(fetch, Register::RDI);
    let compares = compare.mnemonic() == Mnemonic::Cmp
        && compare.op0_kind() == OpKind::Memory
        && compare.memory_size().size() == 1
        && plain(compare, fetch.op0_register());
    let offset = fetch.memory_displacement64();
    let fits = offset.is_multiple_of(8) && offset < ISOLATE_BYTES_MAX;
    (fetches && compares && fits).then_some(offset)
}

/// Whether an instruction leaves the isolate in `rdi` alone and reads no memory.
fn prepares(one: &Instruction) -> bool {
    match one.mnemonic() {
        Mnemonic::Endbr64 => true,
        Mnemonic::Push => one.op0_kind() == OpKind::Register,
        Mnemonic::Mov => {
            one.op0_kind() == OpKind::Register
                && one.op0_register().full_register() != Register::RDI
                && one.op1_kind() == OpKind::Register
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::Function;

    /// Behind what is fetched into `rdi` or `rax`, whether the queue runs already.
    const INTO_RDI: [u8; 11] = [0x48, 0x8b, 0xbf, 0x30, 0xe7, 0, 0, 0x80, 0x7f, 0x4c, 0];
    const INTO_RAX: [u8; 11] = [0x48, 0x8b, 0x87, 0xf8, 0xda, 0, 0, 0x80, 0x78, 0x4c, 0];
    const MOVE: [u8; 3] = [0x48, 0x89, 0xfe];
    const FRAME: [u8; 4] = [0x55, 0x48, 0x89, 0xe5];
    const MARK: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

    fn offset(parts: &[&[u8]]) -> Option<u64> {
        let code = [&parts.concat()[..], &[0xc3]].concat();
        fetched(&Function::decode(0x1000, code)?.instructions)
    }

    #[test]
    fn each_release_line_fetches_it_first() {
        assert_eq!(offset(&[&INTO_RAX]), Some(0xdaf8), "18");
        assert_eq!(offset(&[&MOVE, &INTO_RDI]), Some(0xe730), "20 and 22");
        assert_eq!(offset(&[&FRAME, &MOVE, &INTO_RDI]), Some(0xe730), "25 and 26");
        assert_eq!(offset(&[&MARK, &FRAME, &MOVE, &INTO_RDI]), Some(0xe730), "with jump marks");
    }

    #[test]
    fn other_code_is_no_guess() {
        assert_eq!(offset(&[&INTO_RDI[..7]]), None, "it is not looked into");
        assert_eq!(offset(&[&INTO_RDI[..7], &INTO_RAX[7..]]), None, "something else is");
        assert_eq!(offset(&[&[0x48, 0x89, 0xf7], &INTO_RDI]), None, "rdi was overwritten");
        let mut misaligned = INTO_RDI;
        misaligned[3] = 0x31;
        assert_eq!(offset(&[&misaligned]), None);
        let mut far = INTO_RDI;
        far[5] = 0x10;
        assert_eq!(offset(&[&far]), None, "outside of any isolate");
        assert_eq!(offset(&[&[0x90; 32]]), None);
    }
}
