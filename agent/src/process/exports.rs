//! Whether a file is worth a closer look: does it export what Node, or libuv, exports?
//!
//! Node exports `node_module_register` and `napi_module_register` for its addons, under whatever
//! name its file has and also where it was stripped; libuv exports `uv_run`. They are looked up as
//! the dynamic linker does, by the hash table of the file: about 20 reads of a few bytes, however
//! large the file. Who passes is not a Node for certain; who doesn't, is none.
//!
//! ```text
//! GNU hash table: buckets u32, first symbol u32, words u32, shift u32,
//!                 filter [u64; words], bucket [u32; buckets], chain [u32; ...]
//! ```

use std::io;

/// What a file exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Holds {
    /// Node: what its addons are registered with.
    pub node: bool,
    /// libuv: `uv_run`.
    pub uv: bool,
    /// It has no such table (it is linked statically, say), so it may hold anything.
    pub unknown: bool,
    /// It is linked to a library that is called `libnode`, which is Node.
    pub linked: bool,
}

impl Holds {
    /// Whether a closer look is worth it.
    pub fn something(self) -> bool {
        self.node || self.uv || self.unknown
    }

    /// Whether a program that is made of it may be a Node.
    pub fn may_be_node(self) -> bool {
        self.node || self.linked || self.unknown
    }
}

/// Reads bytes of a file at an offset, all or none.
pub(super) trait ReadAt {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for std::fs::File {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, into, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let begin = usize::try_from(offset).ok();
        let bytes = begin.and_then(|begin| self.get(begin..begin.checked_add(into.len())?));
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// What the file exports; nothing if it is no 64-bit little-endian ELF file, or a damaged one.
pub(super) fn holds<R: ReadAt + ?Sized>(file: &R) -> Holds {
    let Some(image) = Image::read(file) else { return Holds::default() };
    let Some(dynamic) = image.dynamic() else { return Holds::default() };
    let Some(table) = image.table(&dynamic) else {
        return Holds { unknown: true, ..Holds::default() };
    };
    let has = |name: &str| table.has(name).unwrap_or(false);
    let starts_with = |&needed: &u64| {
        let mut begin = [0; 8];
        let at = table.names.checked_add(needed);
        at.is_some_and(|at| file.read_at(at, &mut begin).is_ok()) && begin == *b"libnode."
    };
    Holds {
        node: has("node_module_register") || has("napi_module_register"),
        uv: has("uv_run"),
        unknown: false,
        linked: dynamic.needed.iter().any(starts_with),
    }
}

/// The stretches of a file that are loaded; none if it is no such file.
pub(super) fn loads<R: ReadAt + ?Sized>(file: &R) -> Vec<Load> {
    Image::read(file).map(|image| image.loads).unwrap_or_default()
}

struct Image<'a, R: ?Sized> {
    file: &'a R,
    loads: Vec<Load>,
    dynamic: Option<Load>,
}

/// A stretch of a file that is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) file_bytes: u64,
    /// More than in the file where variables begin as zero.
    pub(super) memory_bytes: u64,
}

const EXECUTABLE: u16 = 2;
const SHARED: u16 = 3;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_GNU_HASH: u64 = 0x6fff_fef5;
const DYNAMIC_BYTES_MAX: u64 = 64 * 1024;
const CHAIN_MAX: u64 = 4096;

fn word<const N: usize, R: ReadAt + ?Sized>(file: &R, offset: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.read_at(offset, &mut bytes).ok().map(|()| bytes)
}

fn u32_at<R: ReadAt + ?Sized>(file: &R, offset: u64) -> Option<u32> {
    word(file, offset).map(u32::from_le_bytes)
}

fn u64_of(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl<'a, R: ReadAt + ?Sized> Image<'a, R> {
    fn read(file: &'a R) -> Option<Image<'a, R>> {
        let head: [u8; 64] = word(file, 0)?;
        let kind = u16::from_le_bytes([head[16], head[17]]);
        // Magic, 64 bits, little-endian.
        (head.starts_with(b"\x7fELF\x02\x01") && [EXECUTABLE, SHARED].contains(&kind))
            .then_some(())?;
        let table = u64_of(&head, 32);
        let entry_bytes = u64::from(u16::from_le_bytes([head[54], head[55]]));
        let entries = u64::from(u16::from_le_bytes([head[56], head[57]]));
        let mut image = Image { file, loads: Vec::new(), dynamic: None };
        for index in 0..entries {
            let entry: [u8; 56] = word(file, table.checked_add(index * entry_bytes)?)?;
            let load = Load {
                offset: u64_of(&entry, 8),
                address: u64_of(&entry, 16),
                file_bytes: u64_of(&entry, 32),
                memory_bytes: u64_of(&entry, 40),
            };
            match u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]) {
                PT_LOAD => image.loads.push(load),
                PT_DYNAMIC => image.dynamic = Some(load),
                _ => {}
            }
        }
        Some(image)
    }

    fn offset(&self, address: u64) -> Option<u64> {
        self.loads.iter().find_map(|load| {
            let into = address.checked_sub(load.address)?;
            (into < load.file_bytes).then(|| load.offset.checked_add(into))?
        })
    }

    /// What the dynamic linker is told; nothing is, of a file that is linked statically. `None`:
    /// it is damaged.
    fn dynamic(&self) -> Option<Dynamic> {
        let mut told = Dynamic::default();
        let Some(section) = self.dynamic else { return Some(told) };
        for at in (0..section.file_bytes.min(DYNAMIC_BYTES_MAX)).step_by(16) {
            let entry: [u8; 16] = word(self.file, section.offset.checked_add(at)?)?;
            let value = u64_of(&entry, 8);
            match u64_of(&entry, 0) {
                0 => break,
                DT_NEEDED => told.needed.push(value),
                DT_STRTAB => told.names = self.offset(value),
                DT_SYMTAB => told.symbols = self.offset(value),
                DT_GNU_HASH => told.hash = self.offset(value),
                _ => {}
            }
        }
        Some(told)
    }

    fn table(&self, told: &Dynamic) -> Option<Table<'a, R>> {
        let (names, symbols, hash) = (told.names?, told.symbols?, told.hash?);
        Some(Table { file: self.file, names, symbols, hash })
    }
}

/// Where in the file the dynamic linker finds what it needs.
#[derive(Default)]
struct Dynamic {
    names: Option<u64>,
    symbols: Option<u64>,
    hash: Option<u64>,
    /// The libraries, by where their names lie among the names.
    needed: Vec<u64>,
}

/// The exported names of a file.
struct Table<'a, R: ?Sized> {
    file: &'a R,
    names: u64,
    symbols: u64,
    hash: u64,
}

impl<R: ReadAt + ?Sized> Table<'_, R> {
    /// `None`: the table is damaged.
    fn has(&self, name: &str) -> Option<bool> {
        let wanted = hash(name);
        let buckets = u64::from(u32_at(self.file, self.hash)?);
        let first = u64::from(u32_at(self.file, self.hash + 4)?);
        let filter_words = u64::from(u32_at(self.file, self.hash + 8)?);
        let bucket_table = self.hash.checked_add(16 + filter_words * 8)?;
        let chains = bucket_table.checked_add(buckets * 4)?;
        let bucket = u64::from(wanted).checked_rem(buckets)?;
        let begin = u64::from(u32_at(self.file, bucket_table + bucket * 4)?);
        if begin < first {
            return Some(false);
        }
        for index in begin..begin + CHAIN_MAX {
            let link = u32_at(self.file, chains.checked_add((index - first) * 4)?)?;
            if link | 1 == wanted | 1 && self.is_named(index, name)? {
                return Some(true);
            }
            // The last of a chain has the lowest bit.
            if link & 1 == 1 {
                return Some(false);
            }
        }
        None
    }

    /// Whether a symbol has this name. Only what is defined here is in the table.
    fn is_named(&self, index: u64, name: &str) -> Option<bool> {
        let symbol: [u8; 24] = word(self.file, self.symbols.checked_add(index * 24)?)?;
        let at = u64::from(u32::from_le_bytes([symbol[0], symbol[1], symbol[2], symbol[3]]));
        let mut found = vec![0; name.len() + 1];
        self.file.read_at(self.names.checked_add(at)?, &mut found).ok()?;
        Some(found.strip_suffix(&[0]) == Some(name.as_bytes()))
    }
}

/// The hash of the GNU tools: Bernstein's, by 33.
fn hash(name: &str) -> u32 {
    name.bytes().fold(5381, |hash, byte| hash.wrapping_mul(33).wrapping_add(byte.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_file_holds_nothing() {
        let own = std::fs::read("/proc/self/exe").expect("it can be read");
        assert_eq!(holds(&own[..]), Holds::default());
        assert!(loads(&own[..]).len() > 1);
        for bytes in
            [&b""[..], b"#!/bin/sh\n", &own[..63], &[b"\x7fELF\x01", &[0; 99][..]].concat()]
        {
            assert_eq!(holds(bytes), Holds::default());
            assert!(loads(bytes).is_empty());
        }
    }

    #[test]
    fn a_damaged_file_makes_it_neither_fail_nor_hang() {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let node = std::env::split_paths(&path).map(|folder| folder.join("node"));
        let Some(node) = node.into_iter().find_map(|path| std::fs::read(path).ok()) else {
            return println!("SKIPPED: damaged files: no `node` in the search path");
        };
        assert!(holds(&node[..]).node && holds(&node[..]).uv);
        let image = Image::read(&node[..]).expect("it is whole");
        let dynamic = image.dynamic().expect("it is whole");
        let section = image.dynamic.expect("it is linked dynamically");
        let hash = dynamic.hash.expect("it has one");
        // Every byte that is read on the way, but for the names.
        let places = (0..1000).chain(section.offset..section.offset + 600).chain(hash..hash + 16);
        let mut bent = node.clone();
        for place in places {
            let place = place as usize;
            bent[place] ^= 0xff;
            holds(&bent[..]);
            bent[place] = node[place];
        }
        for length in [64, 700, 100_000, node.len() / 2] {
            assert!(!holds(&node[..length]).node, "{length}");
        }
    }
}
