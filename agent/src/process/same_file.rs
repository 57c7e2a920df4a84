//! Whether a file is the one that is mapped, by its bytes: where device numbers don't tell.
//!
//! overlayfs and btrfs give the same file other numbers in `maps` than in `stat`. So the head of
//! the file, where the build id lies, and pages spread over its code are compared with the memory
//! of the process. Another build differs in each of them. A byte of memory that is a breakpoint
//! (0xcc) counts as equal: others may have put one there.
//!
//! Cost: nine pages are read of either.

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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::process::Process;

    /// The mappings of this program, and a copy of its file with a change.
    fn changed(change: impl Fn(&mut Vec<u8>, &[Mapping])) -> bool {
        let process = Process::open(std::process::id()).expect("it is there");
        let program = std::env::current_exe().expect("it has a path");
        let mut mappings = process.maps().expect("they can be read");
        mappings.retain(|mapping| mapping.path == program);
        let mut bytes = std::fs::read(&program).expect("it can be read");
        change(&mut bytes, &mappings);
        static COPIES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let copy = COPIES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let copy = format!("loopscope-same-file-{}-{copy}", std::process::id());
        let copy: PathBuf = std::env::temp_dir().join(copy);
        std::fs::write(&copy, bytes).expect("it can be written");
        let file = File::open(&copy).expect("it is there");
        std::fs::remove_file(&copy).expect("it can be removed");
        is_mapped(&process.path("mem"), &mappings, &file)
    }

    fn code(mappings: &[Mapping]) -> usize {
        let code = mappings.iter().find(|mapping| mapping.executable).expect("it has code");
        code.offset as usize
    }

    #[test]
    fn a_file_of_the_same_bytes_is_the_one_that_is_mapped() {
        assert!(changed(|_, _| {}));
        // Behind the head and before the code lies what is not compared.
        assert!(changed(|bytes, _| bytes[PAGE_BYTES] ^= 1));
    }

    #[test]
    fn another_file_is_not() {
        assert!(!changed(|bytes, _| bytes[100] ^= 1));
        assert!(!changed(|bytes, mappings| bytes[code(mappings)] ^= 1));
        assert!(!changed(|bytes, mappings| bytes.truncate(code(mappings))));
        assert!(!changed(|bytes, _| bytes.clear()));
        // One that was built otherwise: its code lies a little further.
        assert!(!changed(|bytes, mappings| bytes[code(mappings)..].rotate_right(16)));
    }

    #[test]
    fn a_breakpoint_in_memory_is_no_difference_and_one_in_the_file_is() {
        assert!(is_same(&[1, BREAKPOINT, 3], &[1, 2, 3]));
        assert!(!is_same(&[1, 2, 3], &[1, BREAKPOINT, 3]));
    }

    #[test]
    fn without_a_head_or_memory_nothing_is_proven() {
        assert!(places(&[]).is_empty());
        let own = File::open("/proc/self/exe").expect("it is there");
        assert!(!is_mapped(Path::new("/proc/self/mem"), &[], &own));
        assert!(!is_mapped(Path::new("/nowhere"), &[], &own));
    }
}
