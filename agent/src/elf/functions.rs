//! Which function an instruction belongs to, for all functions of a file.
//!
//! Cost: made in one pass over the symbols, and kept with 16 bytes for each of them: 2.6 MB for
//! Node 26. A look-up is a binary search, and one small read of the file for the name.

use std::sync::OnceLock;

use object::{LittleEndian, elf};

use super::{
    ElfError, Image, Unwind,
    header::SymbolTable,
    limits::FUNCTIONS_MAX,
    symbols::{each_entry, name_at, within_limits},
};

const LE: LittleEndian = LittleEndian;

/// All functions of a file, by where they lie in it.
#[derive(Debug)]
pub struct Functions {
    image: Image,
    /// By address; of those at the same address the one that the table has first.
    entries: Vec<Entry>,
    table: Option<SymbolTable>,
    unwind: OnceLock<Option<Unwind>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    address: u64,
    /// Zero: the file does not say, as for some that were written in assembly.
    size: u32,
    name: u32,
}

impl Functions {
    /// Of `.symtab`, or in a stripped file of `.dynsym`. A file with neither has no functions.
    ///
    /// # Errors
    /// The table lies outside of the file, can't be read, or is larger than any that is known.
    pub fn of(image: Image) -> Result<Functions, ElfError> {
        let table = image.layout.symtab.or(image.layout.dynsym);
        let mut entries = Vec::new();
        if let Some(table) = table {
            within_limits(table)?;
            each_entry(&image.source, table.symbols, |_, symbol| {
                let is_function = symbol.st_info & 0xf == elf::STT_FUNC;
                if is_function && symbol.st_shndx.get(LE) != elf::SHN_UNDEF {
                    let size = u32::try_from(symbol.st_size.get(LE)).unwrap_or(u32::MAX);
                    let (address, name) = (symbol.st_value.get(LE), symbol.st_name.get(LE));
                    entries.push(Entry { address, size, name });
                }
                match entries.len() > FUNCTIONS_MAX {
                    true => Err(ElfError::Damaged { what: "more functions than code" }),
                    false => Ok(()),
                }
            })?;
        }
        entries.sort_by_key(|entry| entry.address);
        entries.dedup_by_key(|entry| entry.address);
        entries.shrink_to_fit();
        Ok(Functions { image, entries, table, unwind: OnceLock::new() })
    }

    /// The file that they are of.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The file's tables of where functions begin and how they are left. Read when first needed,
    /// and kept.
    pub fn unwind(&self) -> Option<&Unwind> {
        self.unwind.get_or_init(|| self.image.unwind()).as_ref()
    }

    /// The address, as the file counts them, of an instruction at a place in the file.
    pub fn address_of_offset(&self, file_offset: u64) -> Option<u64> {
        let segments = self.image.load_segments().iter();
        segments.filter(|segment| segment.executable).find_map(|segment| {
            let into = file_offset.checked_sub(segment.file_offset)?;
            (into < segment.file_size).then(|| segment.address.checked_add(into))?
        })
    }

    /// The symbol of the function at a place in the file.
    pub fn name_at_offset(&self, file_offset: u64) -> Option<String> {
        self.name_at(self.address_of_offset(file_offset)?)
    }

    /// The symbol of the function at an address of the file.
    pub fn name_at(&self, address: u64) -> Option<String> {
        let behind = self.entries.partition_point(|entry| entry.address <= address);
        let entry = self.entries.get(behind.checked_sub(1)?)?;
        let into = address - entry.address;
        if entry.size != 0 && into >= u64::from(entry.size) {
            return None;
        }
        name_at(&self.image.source, self.table?.names, entry.name).ok()
    }
}
