//! The code of a target in its memory, against the files that it was mapped from: a probe is a
//! byte of it, and must be gone with its agent.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::common::until;
use crate::target::Target;

/// How much is compared at a time.
const CHUNK: usize = 1 << 20;

/// A mapping of code.
struct Code {
    start: u64,
    end: u64,
    /// Where in the file it begins.
    offset: u64,
}

/// Waits until the target's code is that of its files again.
pub(crate) fn until_untouched(target: &Target) {
    let pid = target.pid();
    let mut left = Vec::new();
    until(&format!("{target} with no probe in its code"), || {
        left = changed(pid).unwrap_or_else(|error| panic!("{target}: its code: {error}"));
        left.is_empty()
    });
}

/// How many bytes of the target's code are not those of its files.
pub(crate) fn probes_in(target: &Target) -> usize {
    changed(target.pid()).unwrap_or_else(|error| panic!("{target}: its code: {error}")).len()
}

/// The addresses of bytes that are not those of the files.
fn changed(pid: u32) -> io::Result<Vec<u64>> {
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut changed = Vec::new();
    for code in codes(pid)? {
        let Code { start, end, offset } = code;
        let file = File::open(format!("/proc/{pid}/map_files/{start:x}-{end:x}"))?;
        let mut at = start;
        while at < end {
            let length = CHUNK.min((end - at) as usize);
            let (mut mapped, mut stored) = (vec![0; length], vec![0; length]);
            memory.read_exact_at(&mut mapped, at)?;
            let read = read_up_to(&file, &mut stored, offset + (at - start))?;
            // Behind the end of a file its last page has nothing that counts.
            if mapped[..read] != stored[..read] {
                let pairs = mapped[..read].iter().zip(&stored[..read]).enumerate();
                let differ = pairs.filter(|(_, (mapped, stored))| mapped != stored);
                changed.extend(differ.map(|(index, _)| at + index as u64));
            }
            at += length as u64;
        }
    }
    Ok(changed)
}

fn read_up_to(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        match file.read_at(&mut into[read..], offset + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// What is mapped from files to be executed.
fn codes(pid: u32) -> io::Result<Vec<Code>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    Ok(maps.lines().filter_map(code).collect())
}

/// `start-end r-xp offset device inode path`
fn code(line: &str) -> Option<Code> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let is_code = fields.next()?.starts_with("r-x");
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let offset = number(fields.next()?)?;
    let is_file = fields.nth(1)? != "0";
    let (start, end) = (number(start)?, number(end)?);
    (is_code && is_file).then_some(Code { start, end, offset })
}
