//! Where the stacks of a process' threads lie.
//!
//! ```text
//! /proc/PID/task/TID/syscall of a thread that is off the CPU
//! 281 0xd 0x7ffd1c4fd9b0 0x400 0x5 0x0 0x8 0x7ffd1c4fd910 0x7f2c6d50ed2b
//! number, six arguments,                    stack pointer, instruction
//! ```
//!
//! The kernel tells the stack pointer of a thread that waits, or is stopped. It does not of one
//! that computes. Where its stack lies, says the C library then: at the upper end of each stack it
//! keeps the thread's number, in a structure that begins with its own address.
//!
//! Cost: one small read of `/proc`, 20 µs; for threads that compute also 16 KiB of each mapping
//! that may be a stack.

use std::fs;

use super::super::memory::{Memory, u32_at, u64_at};
use crate::process::Mapping;

/// The stack of a thread, as far as it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stack {
    /// The lowest address that may be in use.
    pub(super) low: u64,
    /// The end of the memory that the stack lies in. Behind it nothing of the thread is left.
    pub(super) end: u64,
}

/// How much is read at the upper end of a stack. Node's first functions lie there.
pub(super) const UPPER_BYTES: u64 = 256 << 10;

/// How much of it may hold what the C library keeps about the thread. Its thread-local variables
/// lie there too; Node has about 1 KiB of them.
const LIBRARY_BYTES: u64 = 16 << 10;

/// Which of the process' writable stretches of memory hold its data.
#[derive(Clone, Debug, Default)]
pub(super) struct Writable(Vec<(u64, u64)>);

impl Writable {
    pub(super) fn of(maps: &[Mapping]) -> Writable {
        let usable = maps.iter().filter(|map| map.readable && map.writable);
        let mut ranges: Vec<(u64, u64)> = usable.map(|map| (map.start, map.end)).collect();
        ranges.sort_unstable();
        Writable(ranges)
    }

    /// The stretch that holds this address.
    pub(super) fn around(&self, address: u64) -> Option<(u64, u64)> {
        let behind = self.0.partition_point(|range| range.0 <= address);
        let range = *self.0.get(behind.checked_sub(1)?)?;
        (address < range.1).then_some(range)
    }

    /// Whether a number of 8 bytes that a program keeps may lie there.
    pub(super) fn holds_word(&self, address: u64) -> bool {
        address.is_multiple_of(8)
            && self.around(address).is_some_and(|range| address.saturating_add(8) <= range.1)
    }
}

/// The stack of a thread that is off the CPU. `None`: it computes, is gone, or may not be read.
pub(super) fn waiting(pid: u32, tid: u32, writable: &Writable) -> Option<Stack> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")).ok()?;
    let low = stack_pointer(&text)?;
    let (_, end) = writable.around(low)?;
    Some(Stack { low, end })
}

/// The last but one word of the line, whatever stands before it.
fn stack_pointer(text: &str) -> Option<u64> {
    let mut words = text.split_ascii_whitespace().rev();
    let (_instruction, pointer) = (words.next()?, words.next()?);
    u64::from_str_radix(pointer.strip_prefix("0x")?, 16).ok().filter(|&pointer| pointer != 0)
}

/// The stacks of threads that compute, by what the C library keeps at their upper ends: for each
/// of `tids`, which are numbers as the process itself sees them.
pub(super) fn computing(memory: &Memory, maps: &[Mapping], tids: &[u32]) -> Vec<(u32, Stack)> {
    let mut found = Vec::new();
    let mut bytes = vec![0; LIBRARY_BYTES as usize];
    for map in maps.iter().filter(|map| may_be_stack(map)) {
        let begin = map.end.saturating_sub(LIBRARY_BYTES).max(map.start);
        let bytes = &mut bytes[..(map.end - begin) as usize];
        if found.len() == tids.len() || memory.read(begin, bytes).is_err() {
            continue;
        }
        if let Some((address, tid)) = library(begin, bytes, tids) {
            let low = map.end.saturating_sub(UPPER_BYTES).max(map.start);
            found.push((tid, Stack { low, end: address }));
        }
    }
    found
}

/// Memory without a file, of at least the smallest stack that Node gives a thread.
fn may_be_stack(map: &Mapping) -> bool {
    let no_file = map.inode == 0 && map.path.as_os_str().is_empty();
    no_file && map.readable && map.writable && map.end - map.start >= UPPER_BYTES
}

/// Where the C library's structure of this thread begins, which ends its stack. `begin` is the
/// address of `bytes`, `number` the thread's as the process itself sees it.
pub(super) fn library_begins(begin: u64, bytes: &[u8], number: u32) -> Option<u64> {
    library(begin, bytes, &[number]).map(|(address, _)| address)
}

/// The first structure that the C library keeps of one of these threads, and of which.
fn library(begin: u64, bytes: &[u8], tids: &[u32]) -> Option<(u64, u32)> {
    // glibc: struct pthread { void *tcb; dtv; void *self; .. int tid at 720 }
    // musl:  struct pthread { void *self; dtv, prev, next, sysinfo; .. int tid at 48 }
    const GLIBC: (u64, u64) = (16, 720);
    const MUSL: (u64, u64) = (0, 48);
    let len = bytes.len() as u64;
    let points_to_itself = |offset: &u64| u64_at(bytes, *offset) == Some(begin + offset);
    (0..len).step_by(8).filter(points_to_itself).find_map(|offset| {
        [GLIBC, MUSL].into_iter().find_map(|(own, number)| {
            let itself = u64_at(bytes, offset + own)? == begin + offset;
            let tid = u32_at(bytes, offset + number)?;
            (itself && tids.contains(&tid)).then_some((begin + offset, tid))
        })
    })
}

/// The number of a thread as its own process sees it, in the innermost PID namespace.
pub(super) fn own_number(pid: u32, tid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/status")).ok()?;
    innermost(&text)
}

fn innermost(status: &str) -> Option<u32> {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    numbers.split_ascii_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_pointer_is_the_last_but_one_word() {
        let waits = "281 0xd 0x7ffd1c4fd9b0 0x400 0x5 0x0 0x8 0x7ffd1c4fd910 0x7f2c6d50ed2b\n";
        assert_eq!(stack_pointer(waits), Some(0x7ffd_1c4f_d910));
        assert_eq!(stack_pointer("-1 0x7ffd1c4fd910 0x7f2c\n"), Some(0x7ffd_1c4f_d910));
        for none in ["running\n", "", "0x0 0x0", "-1 zzz 0x7", "1 2 3"] {
            assert_eq!(stack_pointer(none), None, "{none}");
        }
    }

    #[test]
    fn the_innermost_number_is_the_one_that_the_process_sees() {
        assert_eq!(innermost("Name:\tnode\nNSpid:\t4077\t19\t3\nVmRSS:\t1"), Some(3));
        assert_eq!(innermost("Name:\tnode\nNSpid:\t4077\n"), Some(4077));
        assert_eq!(innermost("Name:\tnode\n"), None);
    }

    #[test]
    fn a_stretch_is_found_by_any_address_in_it_and_by_none_behind_it() {
        let writable = Writable(vec![(0x1000, 0x3000), (0x8000, 0x9000)]);
        assert_eq!(writable.around(0x2fff), Some((0x1000, 0x3000)));
        assert_eq!(writable.around(0x3000), None);
        assert_eq!(writable.around(0xfff), None);
        assert!(writable.holds_word(0x8ff8));
        assert!(!writable.holds_word(0x8ffc) && !writable.holds_word(0x9000));
    }

    #[test]
    fn the_owner_is_read_from_the_librarys_own_structure() {
        let begin = 0x7000_0000_0000_u64;
        let mut bytes = vec![0; 4096];
        let mut put = |offset: usize, value: u64| {
            bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        };
        put(64, begin + 64);
        put(1600, begin + 1600);
        put(1616, begin + 1600);
        put(1600 + 720, 77);
        assert_eq!(library(begin, &bytes, &[5, 77]), Some((begin + 1600, 77)));
        assert_eq!(library(begin, &bytes, &[5]), None);
        assert_eq!(library(begin, &bytes[..1700], &[77]), None, "cut off");
    }
}
