//! The symbols that are asked for, from `.symtab` and `.dynsym`.
//!
//! Cost: one pass over the names and one over the symbols, 128 KiB of memory. Nothing is kept.

use object::{LittleEndian, elf, pod};

use super::{
    ElfError, Wanted,
    header::SymbolTable,
    limits::{MATCHES_MAX, NAME_BYTES_MAX, SYMBOL_BYTES_MAX},
    names::{Found, find_names},
    source::{Extent, Source},
};

type Entry = elf::Sym64<LittleEndian>;

const LE: LittleEndian = LittleEndian;
const ENTRY_BYTES: usize = size_of::<Entry>();

/// A symbol that is defined in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name, at most 1,024 bytes of it.
    pub name: String,
    /// Where it lies, as the file counts addresses.
    pub address: u64,
    /// Its size in bytes; zero if the file doesn't say.
    pub size: u64,
    /// Whether it is a function, else data.
    pub function: bool,
}

/// A symbol with the query that found it.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) wanted: usize,
    pub(super) symbol: Symbol,
}

/// All symbols of a table that are wanted.
pub(super) fn find_symbols(
    source: &Source,
    table: SymbolTable,
    wanted: &[Wanted<'_>],
) -> Result<Vec<Match>, ElfError> {
    within_limits(table)?;
    let names = find_names(source, table.names, wanted)?;
    let mut found: Vec<(Found, Symbol)> = Vec::new();
    each_entry(source, table.symbols, |_, entry| {
        let offset = entry.st_name.get(LE);
        let first = names.partition_point(|name| name.offset < offset);
        for name in names[first..].iter().take_while(|name| name.offset == offset) {
            let Some(symbol) = defined(entry) else { continue };
            if found.len() == MATCHES_MAX {
                return Err(ElfError::Damaged { what: "the same symbols again and again" });
            }
            found.push((*name, symbol));
        }
        Ok(())
    })?;
    let named = |(name, mut symbol): (Found, Symbol)| {
        symbol.name = name_at(source, table.names, name.offset)?;
        Ok(Match { wanted: name.wanted, symbol })
    };
    found.into_iter().map(named).collect()
}

/// The places in the table of all symbols of these names, defined or not, each with which name.
pub(super) fn indexes_of(
    source: &Source,
    table: SymbolTable,
    names: &[&str],
) -> Result<Vec<(u32, usize)>, ElfError> {
    within_limits(table)?;
    let wanted: Vec<Wanted<'_>> = names.iter().map(|name| Wanted::Name(name)).collect();
    let offsets = find_names(source, table.names, &wanted)?;
    let mut indexes = Vec::new();
    each_entry(source, table.symbols, |index, entry| {
        let offset = entry.st_name.get(LE);
        let named = offsets.iter().filter(|found| found.offset == offset);
        indexes.extend(named.map(|found| (index, found.wanted)));
        match indexes.len() > MATCHES_MAX {
            true => Err(ElfError::Damaged { what: "the same symbols again and again" }),
            false => Ok(()),
        }
    })?;
    Ok(indexes)
}

/// The name of a symbol by its place in the table, defined or not.
pub(super) fn name_of(
    source: &Source,
    table: SymbolTable,
    index: u32,
) -> Result<Option<String>, ElfError> {
    let size = ENTRY_BYTES as u64;
    let place = u64::from(index) * size;
    if place + size > table.symbols.size {
        return Ok(None);
    }
    let offset = table.symbols.offset.saturating_add(place);
    let bytes = source.read(Extent { offset, size }, "a symbol")?;
    let (entry, _) =
        pod::from_bytes::<Entry>(&bytes).map_err(|()| ElfError::Damaged { what: "a symbol" })?;
    name_at(source, table.names, entry.st_name.get(LE)).map(Some)
}

pub(super) fn within_limits(table: SymbolTable) -> Result<(), ElfError> {
    let bytes = table.symbols.size.max(table.names.size);
    if bytes > SYMBOL_BYTES_MAX {
        return Err(ElfError::TooLarge { what: "its table of symbols", bytes });
    }
    Ok(())
}

pub(super) fn each_entry(
    source: &Source,
    symbols: Extent,
    mut each: impl FnMut(u32, &Entry) -> Result<(), ElfError>,
) -> Result<(), ElfError> {
    let mut carried = Vec::with_capacity(ENTRY_BYTES);
    let mut index = 0;
    source.stream(symbols, 0, "its symbols", |_, chunk| {
        let mut rest = chunk;
        while !rest.is_empty() {
            let missing = ENTRY_BYTES - carried.len();
            let (part, after) = rest.split_at(missing.min(rest.len()));
            carried.extend_from_slice(part);
            rest = after;
            if let Ok((entry, _)) = pod::from_bytes::<Entry>(&carried) {
                each(index, entry)?;
                index += 1;
                carried.clear();
            }
        }
        Ok(())
    })
}

/// The symbol, without its name, if it is data or code of this file.
fn defined(entry: &Entry) -> Option<Symbol> {
    let section = entry.st_shndx.get(LE);
    let function = match entry.st_info & 0xf {
        elf::STT_FUNC => true,
        elf::STT_OBJECT => false,
        _ => return None,
    };
    (section != elf::SHN_UNDEF).then(|| Symbol {
        name: String::new(),
        address: entry.st_value.get(LE),
        size: entry.st_size.get(LE),
        function,
    })
}

pub(super) fn name_at(source: &Source, names: Extent, offset: u32) -> Result<String, ElfError> {
    let what = "the name of a symbol";
    let rest = names.size.checked_sub(u64::from(offset)).ok_or(ElfError::Damaged { what })?;
    let size = rest.min(NAME_BYTES_MAX as u64);
    let offset = names.offset.saturating_add(u64::from(offset));
    let bytes = source.read(Extent { offset, size }, what)?;
    let name = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}
