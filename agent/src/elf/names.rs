//! Finds names in a table of strings without keeping the table.
//!
//! A linker may let a name share the end of a longer one, so a name is looked for before every
//! terminating zero, not behind every one. Cost: one pass, 128 KiB of memory.

use super::{
    ElfError,
    limits::{MARGIN_BYTES, MATCHES_MAX},
    source::{Extent, Source, find},
};

/// What a symbol shall be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Exactly so.
    Name(&'a str),
    /// Its name begins so: C++ names go on with the types of the arguments, and compilers put
    /// `.part.N` and the like behind a name. Does not find names that share a longer one's end.
    Prefix(&'a str),
}

impl Wanted<'_> {
    fn text(&self) -> &[u8] {
        match self {
            Self::Name(text) | Self::Prefix(text) => text.as_bytes(),
        }
    }
}

/// A name found: which one was wanted, and where it begins in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) offset: u32,
    pub(super) wanted: usize,
}

/// Every place of the wanted names, by offset. A wanted name that is empty or longer than a
/// chunk's margin is never found.
pub(super) fn find_names(
    source: &Source,
    table: Extent,
    wanted: &[Wanted<'_>],
) -> Result<Vec<Found>, ElfError> {
    let mut search = Search::new(wanted);
    // Both sides of what is new in a chunk have a margin, so that no name is cut.
    source.stream(table, 2 * MARGIN_BYTES, "its names of symbols", |at, chunk| {
        let ends = at + chunk.len() as u64 == table.size;
        search.chunk(at, chunk, ends)
    })?;
    search.found.sort_unstable();
    search.found.dedup();
    Ok(search.found)
}

struct Search<'a> {
    /// The exact names by their last byte: most strings are done with after one look.
    by_last: Vec<Vec<(usize, &'a [u8])>>,
    prefixes: Vec<(usize, &'a [u8])>,
    /// How much of the table was searched.
    done: u64,
    found: Vec<Found>,
}

impl<'a> Search<'a> {
    fn new(wanted: &'a [Wanted<'_>]) -> Self {
        let mut by_last = vec![Vec::new(); 256];
        let mut prefixes = Vec::new();
        for (index, wanted) in wanted.iter().enumerate() {
            let text = wanted.text();
            match (wanted, text.last()) {
                _ if text.len() >= MARGIN_BYTES => {}
                (Wanted::Name(_), Some(&last)) => by_last[usize::from(last)].push((index, text)),
                (Wanted::Prefix(_), Some(_)) => prefixes.push((index, text)),
                (_, None) => {}
            }
        }
        Self { by_last, prefixes, done: 0, found: Vec::new() }
    }

    /// Searches what is new in a chunk, up to its margin.
    fn chunk(&mut self, at: u64, chunk: &[u8], last: bool) -> Result<(), ElfError> {
        let end = if last { chunk.len() } else { chunk.len().saturating_sub(MARGIN_BYTES) };
        let mut from = (self.done - at) as usize;
        if self.done == 0 {
            self.starts(at, chunk, 0)?;
        }
        while let Some(zero) = chunk.get(from..end).and_then(|rest| find(0, rest)) {
            let zero = from + zero;
            self.ends(at, &chunk[..zero])?;
            self.starts(at, chunk, zero + 1)?;
            from = zero + 1;
        }
        self.done = at + end as u64;
        Ok(())
    }

    /// A string ends here: does it end with a wanted name?
    fn ends(&mut self, at: u64, before: &[u8]) -> Result<(), ElfError> {
        let Some(&last) = before.last() else { return Ok(()) };
        for index in 0..self.by_last[usize::from(last)].len() {
            let (wanted, text) = self.by_last[usize::from(last)][index];
            if before.ends_with(text) {
                self.push(at + (before.len() - text.len()) as u64, wanted)?;
            }
        }
        Ok(())
    }

    /// A string begins here: does it begin with a wanted prefix?
    fn starts(&mut self, at: u64, chunk: &[u8], start: usize) -> Result<(), ElfError> {
        for index in 0..self.prefixes.len() {
            let (wanted, text) = self.prefixes[index];
            if chunk.get(start..).is_some_and(|rest| rest.starts_with(text)) {
                self.push(at + start as u64, wanted)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, offset: u64, wanted: usize) -> Result<(), ElfError> {
        if self.found.len() == MATCHES_MAX {
            return Err(ElfError::Damaged { what: "the same names again and again" });
        }
        // A symbol's name is a 32-bit offset: beyond it no symbol can point.
        if let Ok(offset) = u32::try_from(offset) {
            self.found.push(Found { offset, wanted });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::tests::file_of;

    fn names(table: &[u8], wanted: &[Wanted<'_>]) -> Vec<(u32, usize)> {
        let source = Source::new(file_of(table)).unwrap();
        let table = Extent { offset: 0, size: table.len() as u64 };
        let found = find_names(&source, table, wanted).unwrap();
        found.iter().map(|found| (found.offset, found.wanted)).collect()
    }

    #[test]
    fn a_name_is_found_whole_or_as_the_end_of_another() {
        let table = b"\0uv_run\0my_uv_run\0uv_runs\0uv_ru\0uv_run";
        let wanted = [Wanted::Name("uv_run"), Wanted::Prefix("uv_ru")];
        assert_eq!(names(table, &wanted), [(1, 0), (1, 1), (11, 0), (18, 1), (26, 1), (32, 1)]);
        assert_eq!(names(b"uv_run\0", &wanted), [(0, 0), (0, 1)]);
        assert_eq!(names(b"", &wanted), []);
        assert_eq!(names(b"\0\0\0", &[Wanted::Name(""), Wanted::Prefix("")]), []);
    }

    #[test]
    fn a_name_is_found_once_wherever_the_chunks_end() {
        let size = crate::elf::limits::CHUNK_BYTES;
        for at in (size - 300..size + 800).step_by(3) {
            let mut table = vec![b'x'; 2 * size];
            table[at..at + 8].copy_from_slice(b"\0uv_run\0");
            let wanted = [Wanted::Name("uv_run"), Wanted::Prefix("uv_")];
            let at = (at + 1) as u32;
            assert_eq!(names(&table, &wanted), [(at, 0), (at, 1)]);
        }
    }

    #[test]
    fn a_table_of_nothing_but_one_name_is_refused() {
        let table = b"a\0".repeat(MATCHES_MAX + 1);
        let source = Source::new(file_of(&table)).unwrap();
        let extent = Extent { offset: 0, size: table.len() as u64 };
        assert!(find_names(&source, extent, &[Wanted::Name("a")]).is_err());
    }
}
