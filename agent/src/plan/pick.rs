//! Chooses the instruction for a probe.
//!
//! The kernel emulates some instructions and single-steps all others at fifteen times the cost, so
//! a probe goes on the first one that it emulates. That may stand a little behind the place that is
//! meant, as long as whoever passes one passes the other:
//!
//! **Invariant**: between the place and the probe there is a straight line. No instruction on it
//! leaves it, and no jump of the function leads into it.

use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, OpAccess, Register};

use crate::elf::{Class, Function, classify};

/// The first four arguments. A function called at its entry has them.
pub(super) const ARGUMENTS: [Register; 4] =
    [Register::RDI, Register::RSI, Register::RDX, Register::RCX];

/// An instruction chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picked {
    pub(super) instruction: Instruction,
    pub(super) stepped: bool,
}

/// Near the entry of a function, its first `arguments` still untouched.
pub(super) fn at_entry(function: &Function, arguments: usize) -> Result<Picked, String> {
    emulated(function, 0, &ARGUMENTS[..arguments])
}

/// The entry of a function itself, whatever it costs.
pub(super) fn at_entry_at_any_cost(function: &Function) -> Result<Picked, String> {
    let first = function.instructions.first().ok_or("it is empty")?;
    match classify(first, function.bytes_of(first)) {
        Class::Emulated => Ok(Picked { instruction: *first, stepped: false }),
        Class::Stepped => Ok(Picked { instruction: *first, stepped: true }),
        Class::Refused => Err(format!("no probe is set on `{}`", text(first))),
    }
}

/// Behind a call that stands at an address.
pub(super) fn behind_call(function: &Function, call: u64) -> Result<Picked, String> {
    let index = function.index_of(call).ok_or("there is no call")?;
    emulated(function, index + 1, &[])
}

/// The first emulated instruction from one on.
fn emulated(function: &Function, from: usize, keep: &[Register]) -> Result<Picked, String> {
    let line = function.instructions.get(from..).unwrap_or_default();
    let mut info = InstructionInfoFactory::new();
    for instruction in line {
        match classify(instruction, function.bytes_of(instruction)) {
            Class::Emulated if function.jumps_between(line[0].ip(), instruction.ip()) => {
                return Err(format!("a jump leads to before {:#x}", instruction.next_ip()));
            }
            Class::Emulated => return Ok(Picked { instruction: *instruction, stepped: false }),
            _ if instruction.flow_control() != FlowControl::Next => break,
            _ if writes(&mut info, instruction, keep) => {
                return Err(format!("`{}` overwrites an argument", text(instruction)));
            }
            _ => {}
        }
    }
    let start = line.first().map_or(function.range.end, Instruction::ip);
    Err(format!("behind {start:#x} is no instruction that the kernel emulates"))
}

fn writes(info: &mut InstructionInfoFactory, one: &Instruction, keep: &[Register]) -> bool {
    info.info(one).used_registers().iter().any(|used| {
        let read_only = matches!(used.access(), OpAccess::Read | OpAccess::CondRead);
        !read_only && keep.contains(&used.register().full_register())
    })
}

fn text(instruction: &Instruction) -> String {
    crate::elf::text(instruction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(bytes: &[u8]) -> Function {
        Function::decode(0x1000, bytes.to_vec()).unwrap()
    }

    fn entry(bytes: &[u8]) -> Result<u64, String> {
        at_entry(&function(bytes), 2).map(|picked| picked.instruction.ip() - 0x1000)
    }

    fn behind(bytes: &[u8]) -> Result<u64, String> {
        behind_call(&function(bytes), 0x1000).map(|picked| picked.instruction.ip() - 0x1000)
    }

    const CALL: [u8; 5] = [0xe8, 0x00, 0x10, 0x00, 0x00];

    fn after_call(bytes: &[u8]) -> Vec<u8> {
        [&CALL, bytes].concat()
    }

    #[test]
    fn the_entry_is_taken_where_it_is_emulated() {
        assert_eq!(entry(&[0x55, 0xc3]), Ok(0)); // push rbp
        assert_eq!(entry(&[0x41, 0x57, 0xc3]), Ok(0)); // push r15
        assert_eq!(entry(&[0x90, 0xc3]), Ok(0)); // nop
    }

    #[test]
    fn what_costs_is_passed_by_as_long_as_the_arguments_live() {
        // endbr64; push rbp
        assert_eq!(entry(&[0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3]), Ok(4));
        // mov rax, rdi; sub rsp, 8; push rbp
        assert_eq!(entry(&[0x48, 0x89, 0xf8, 0x48, 0x83, 0xec, 8, 0x55, 0xc3]), Ok(7));
        // mov edi, eax; push rbp
        assert!(entry(&[0x89, 0xc7, 0x55, 0xc3]).unwrap_err().contains("overwrites"));
        // xor edx, edx is no argument of these two.
        assert_eq!(entry(&[0x31, 0xd2, 0x55, 0xc3]), Ok(2));
        // ret before anything that is emulated
        assert!(entry(&[0x31, 0xc0, 0xc3, 0x55]).is_err());
    }

    #[test]
    fn a_line_that_is_jumped_into_is_refused() {
        // endbr64; push rbp; jmp to the push
        let jumps = [0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xeb, 0xfd];
        assert!(entry(&jumps).unwrap_err().contains("jump"));
        // mov rax, [rdi]; je behind; then a jump to the mov
        assert!(behind(&after_call(&[0x48, 0x8b, 0x07, 0x74, 0x02, 0xeb, 0xf9])).is_err());
        // the same with the jump to the place behind the je
        let fine = after_call(&[0x48, 0x8b, 0x07, 0x74, 0x02, 0xeb, 0xfe]);
        assert_eq!(behind(&fine), Ok(8));
    }

    #[test]
    fn behind_a_call_the_first_emulated_instruction_is_taken() {
        assert_eq!(behind(&after_call(&[0x74, 0x00])), Ok(5));
        // test rdx, rdx; jne, near
        let near = after_call(&[0x48, 0x85, 0xd2, 0x0f, 0x85, 0, 1, 0, 0]);
        assert_eq!(behind(&near), Ok(8));
        assert_eq!(behind(&after_call(&CALL)), Ok(5));
        assert!(behind(&after_call(&[0x31, 0xc0, 0xc3])).is_err());
        assert!(behind(&after_call(&[])).is_err());
        // jmp [rax] leaves the line and is not emulated
        assert!(behind(&after_call(&[0xff, 0x20, 0x74, 0x00])).is_err());
        // int3; je
        assert!(behind(&after_call(&[0xcc, 0x74, 0x00])).is_err());
    }

    #[test]
    fn what_begins_a_collection_may_be_stepped_but_not_a_trap() {
        let at = |bytes: &[u8]| at_entry_at_any_cost(&function(bytes)).map(|one| one.stepped);
        assert_eq!(at(&[0x55, 0xc3]), Ok(false));
        assert_eq!(at(&[0x48, 0x89, 0xf8, 0xc3]), Ok(true));
        for refused in [&[0xcc][..], &[0x0f, 0x0b], &[0xf0, 0x48, 0x01, 0x07], &[0xc3]] {
            assert!(at(refused).is_err(), "{refused:x?}");
        }
    }
}
