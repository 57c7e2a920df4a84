//! An ELF file, opened: its headers are kept, all else is read when it is asked for.

use std::fs::File;

use super::{
    ElfError, Segment, Symbol, Unwind, Wanted,
    header::{self, Layout},
    limits, notes,
    source::{Extent, Source},
    symbols,
};

/// An ELF image for x86-64: a program or a shared library.
///
/// It holds the open file and a few hundred bytes. Addresses are those of the file: a program that
/// is loaded elsewhere adds where that is.
#[derive(Debug)]
pub struct Image {
    pub(super) source: Source,
    pub(super) layout: Layout,
    build_id: Option<Vec<u8>>,
}

impl Image {
    /// Reads the headers of a file, and only those. The file is read by position, so its own is not
    /// moved, and never mapped: one that becomes shorter is an error, not a crash.
    ///
    /// # Errors
    /// If it can't be read, or is no ELF image for x86-64, or its headers are damaged.
    pub fn read(file: File) -> Result<Self, ElfError> {
        let source = Source::new(file)?;
        let layout = header::read(&source)?;
        let build_id = notes::build_id(&source, &layout.notes)?;
        Ok(Self { source, layout, build_id })
    }

    /// What the linker noted to tell this build from all others.
    pub fn build_id(&self) -> Option<&[u8]> {
        self.build_id.as_deref()
    }

    /// What the loader maps, in the file's order.
    pub fn load_segments(&self) -> &[Segment] {
        &self.layout.segments
    }

    /// Whether it still has its `.symtab`: `strip` takes it away, and leaves what is exported.
    pub fn has_all_symbols(&self) -> bool {
        self.layout.symtab.is_some()
    }

    /// The symbol of a name, if there is exactly one, or all of them lie at the same address. Costs
    /// as much as [`Image::symbols`].
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        only(self.symbols(&[Wanted::Name(name)]).ok()?.pop()?)
    }

    /// The symbols whose names begin so, by address. Costs as much as [`Image::symbols`].
    pub fn symbol_by_prefix(&self, prefix: &str) -> Vec<Symbol> {
        self.symbols(&[Wanted::Prefix(prefix)])
            .ok()
            .and_then(|mut found| found.pop())
            .unwrap_or_default()
    }

    /// All symbols that are wanted: for each of `wanted` those found, by address. What `.symtab`
    /// has is taken from there, the rest from `.dynsym`. Undefined ones are none.
    ///
    /// Cost: two passes over both tables, 23 MB in Node 26, with 128 KiB of memory.
    ///
    /// # Errors
    /// If a table lies outside of the file or can't be read, or names too many.
    pub fn symbols(&self, wanted: &[Wanted<'_>]) -> Result<Vec<Vec<Symbol>>, ElfError> {
        let mut found: Vec<Vec<Symbol>> = vec![Vec::new(); wanted.len()];
        for table in [self.layout.symtab, self.layout.dynsym].into_iter().flatten() {
            let missing: Vec<bool> = found.iter().map(Vec::is_empty).collect();
            if !missing.contains(&true) {
                break;
            }
            for found_one in symbols::find_symbols(&self.source, table, wanted)? {
                if missing[found_one.wanted] {
                    found[found_one.wanted].push(found_one.symbol);
                }
            }
        }
        for symbols in &mut found {
            symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
            symbols.dedup();
        }
        Ok(found)
    }

    /// Where the byte at an address lies in the file. None if no segment has it, or only as a zero
    /// that is not in the file.
    pub fn file_offset(&self, address: u64) -> Option<u64> {
        let place = |segment: &Segment| Some(segment.file_offset + segment.place_in_file(address)?);
        self.layout.segments.iter().find_map(place)
    }

    /// The bytes at an address, if all of them are in the file and in one segment.
    pub fn bytes_at(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let segment = self.segment_at(address)?;
        let place = segment.place_in_file(address)?;
        let size = u64::try_from(length).ok()?;
        if size > segment.file_size - place {
            return None;
        }
        let part = Extent { offset: segment.file_offset + place, size };
        self.source.read(part, "bytes at an address").ok()
    }

    /// The segment whose bytes in the file hold an address.
    pub(super) fn segment_at(&self, address: u64) -> Option<&Segment> {
        self.layout.segments.iter().find(|segment| segment.place_in_file(address).is_some())
    }

    /// Whether the byte at an address is in the file and will be executable.
    pub fn is_code(&self, address: u64) -> bool {
        self.segment_at(address).is_some_and(|segment| segment.executable)
    }

    /// The tables that tell where functions begin and end. None if it has none, or they are
    /// damaged.
    pub fn unwind(&self) -> Option<Unwind> {
        let (extent, address) = self.layout.frames?;
        let header = self.source.read(extent, "its .eh_frame_hdr").ok()?;
        Unwind::new(header, address, |frames| {
            let segment = self.segment_at(frames)?;
            let place = segment.place_in_file(frames)?;
            let size = (segment.file_size - place).min(limits::TABLE_BYTES_MAX);
            let part = Extent { offset: segment.file_offset + place, size };
            self.source.read(part, "its .eh_frame").ok()
        })
    }
}

/// The one symbol, where all that were found lie at the same address.
pub(crate) fn only(symbols: Vec<Symbol>) -> Option<Symbol> {
    let mut symbols = symbols.into_iter();
    let first = symbols.next()?;
    symbols.all(|other| (other.address, other.size) == (first.address, first.size)).then_some(first)
}
