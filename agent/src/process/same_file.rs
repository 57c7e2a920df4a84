//! Whether a file is the one that is mapped, by its bytes: where device numbers don't tell.
//!
//! overlayfs and btrfs give the same file other numbers in `maps` than in `stat`. So the head of
//! the file, where the build id lies, and pages spread over its code are compared with the memory
//! of the process. Another build differs in each of them. A byte of memory that is a breakpoint
//! (0xcc) counts as equal: others may have put one there.
//!
//! Cost: nine pages of either, about 50 µs.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::maps::Mapping;

const PAGE_BYTES: usize = 4096;
/// Pages of code that are compared, beside the head.
const PAGES: u64 = 8;
const BREAKPOINT: u8 = 0xcc;

/// Whether the memory at these mappings holds what the file does. What can't be read is no proof.
pub(super) fn is_mapped(memory: &Path, mappings: &[Mapping], file: &File) -> bool {
    let Ok(memory) = File::open(memory) else { return false };
    let same = |(address, offset): (u64, u64)| {
        let (mut inside, mut outside) = ([0; PAGE_BYTES], [0; PAGE_BYTES]);
        let read = memory.read_exact_at(&mut inside, address);
        read.and_then(|()| file.read_exact_at(&mut outside, offset)).is_ok()
            && is_same(&inside, &outside)
    };
    let places = places(mappings);
    !places.is_empty() && places.into_iter().all(same)
}

fn is_same(inside: &[u8], outside: &[u8]) -> bool {
    inside.iter().zip(outside).all(|(inside, outside)| inside == outside || *inside == BREAKPOINT)
}

/// Which whole pages to compare: address and offset in the file. None without a head: the first
/// page of the file must be mapped as it is.
fn places(mappings: &[Mapping]) -> Vec<(u64, u64)> {
    let fixed = |mapping: &&Mapping| mapping.readable && !mapping.writable;
    let head = mappings.iter().filter(fixed).find(|mapping| mapping.offset == 0);
    let code = mappings.iter().filter(fixed).filter(|mapping| mapping.executable);
    let code = code.max_by_key(|mapping| mapping.end - mapping.start);
    let (Some(head), Some(code)) = (head, code) else { return Vec::new() };
    let page = PAGE_BYTES as u64;
    // The last page may be longer than the file.
    let whole = ((code.end - code.start) / page).saturating_sub(1);
    let spread = (0..PAGES.min(whole)).map(|index| index * whole / PAGES.min(whole) * page);
    let in_code = spread.map(|into| (code.start + into, code.offset + into));
    std::iter::once((head.start, 0)).chain(in_code).collect()
}
