//! Writes small ELF files: the functions and data that a test gives, at the addresses it gives.
//!
//! ```text
//! header | program headers | build id | parts, one segment each
//!        | .eh_frame_hdr, .eh_frame | dynamic, jump slots | symbols, names | section headers
//! ```

use std::{fs::File, io::Write};

/// Where the tables that unwinding needs are mapped: beyond all of Node.
const FRAMES_ADDRESS: u64 = 0x2000_0000;
const DYNAMIC_ADDRESS: u64 = 0x2100_0000;
const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SECTION: usize = 64;

/// What is mapped at an address.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) address: u64,
    pub(crate) bytes: Vec<u8>,
    /// In memory; what the file doesn't have is zeros.
    pub(crate) size: u64,
    /// `p_flags`: 4 read, 2 write, 1 execute.
    pub(crate) flags: u32,
}

/// A symbol.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// 1 data, 2 function.
    pub(crate) kind: u8,
}

/// A jump slot and the name of what is called through it.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) address: u64,
    pub(crate) name: String,
}

/// All of a file.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) parts: Vec<Part>,
    pub(crate) symbols: Vec<Named>,
    /// Where functions begin, and how long they are.
    pub(crate) frames: Vec<(u64, u64)>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) build_id: Vec<u8>,
    /// Whether its symbols are only those that are exported.
    pub(crate) stripped: bool,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self {
            parts: Vec::new(),
            symbols: Vec::new(),
            frames: Vec::new(),
            slots: Vec::new(),
            build_id: vec![7; 20],
            stripped: false,
        }
    }

    /// Code, with its symbol and its frame. What follows it is zeros.
    pub(crate) fn function(&mut self, name: &str, address: u64, bytes: &[u8]) {
        let size = bytes.len() as u64;
        self.symbol(name, address, size, 2);
        self.code(address, bytes);
    }

    /// Code with a frame but no symbol.
    pub(crate) fn code(&mut self, address: u64, bytes: &[u8]) {
        self.code_before(address, bytes, &[0; 16]);
    }

    /// The same with what follows it.
    pub(crate) fn code_before(&mut self, address: u64, bytes: &[u8], next: &[u8]) {
        self.frames.push((address, bytes.len() as u64));
        let bytes = [bytes, next].concat();
        let size = bytes.len() as u64;
        self.parts.push(Part { address, bytes, size, flags: 5 });
    }

    /// Makes one part of those that overlap, as what follows one function begins the next.
    pub(crate) fn merge(&mut self) {
        self.parts.sort_by_key(|part| part.address);
        let mut merged: Vec<Part> = Vec::new();
        for part in self.parts.drain(..) {
            match merged.last_mut().filter(|last| part.address < last.address + last.size) {
                Some(last) => {
                    let twice = (last.address + last.size - part.address) as usize;
                    last.bytes.extend(part.bytes.get(twice..).unwrap_or_default());
                    last.size = last.bytes.len() as u64;
                }
                None => merged.push(part),
            }
        }
        self.parts = merged;
    }

    /// Data, with its symbol if it has a name.
    pub(crate) fn data(&mut self, name: &str, address: u64, bytes: &[u8]) {
        let size = bytes.len() as u64;
        if !name.is_empty() {
            self.symbol(name, address, size, 1);
        }
        self.parts.push(Part { address, bytes: bytes.to_vec(), size, flags: 4 });
    }

    /// Memory that begins as zeros.
    pub(crate) fn zeros(&mut self, name: &str, address: u64, size: u64) {
        self.symbol(name, address, size, 1);
        self.parts.push(Part { address, bytes: Vec::new(), size, flags: 6 });
    }

    pub(crate) fn symbol(&mut self, name: &str, address: u64, size: u64, kind: u8) {
        self.symbols.push(Named { name: name.to_owned(), address, size, kind });
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let frames = self.frames_part();
        let dynamic = self.dynamic_part();
        let parts: Vec<&Part> =
            self.parts.iter().chain([&frames]).chain(dynamic.as_ref()).collect();
        let segments = parts.len() + 2 + usize::from(dynamic.is_some());
        let mut file = vec![0; HEADER + segments * SEGMENT];
        let note = self.note();
        let mut headers = vec![segment(4, 4, (file.len(), 0), (note.len(), note.len()))];
        file.extend(&note);
        for part in &parts {
            let place = (file.len(), part.address);
            headers.push(segment(1, part.flags, place, (part.bytes.len(), part.size as usize)));
            if part.address == FRAMES_ADDRESS {
                let size = frame_header_size(self.frames.len());
                headers.push(segment(0x6474_e550, 4, place, (size, size)));
            }
            if part.address == DYNAMIC_ADDRESS {
                headers.push(segment(2, 6, place, (DYNAMIC_BYTES, DYNAMIC_BYTES)));
            }
            file.extend(&part.bytes);
        }
        for (index, header) in headers.iter().enumerate() {
            file[HEADER + index * SEGMENT..][..SEGMENT].copy_from_slice(header);
        }
        self.add_symbols(&mut file, segments);
        file
    }

    /// A file with these bytes.
    pub(crate) fn file(&self) -> File {
        file_of(&self.bytes())
    }

    fn note(&self) -> Vec<u8> {
        let mut note = words(&[4, self.build_id.len() as u32, 3]);
        note.extend(b"GNU\0");
        note.extend(&self.build_id);
        if self.build_id.is_empty() { Vec::new() } else { note }
    }

    /// `.eh_frame_hdr` with its table for searching, and `.eh_frame` with one description of what
    /// all functions have in common.
    fn frames_part(&self) -> Part {
        let mut frames = self.frames.clone();
        frames.sort_unstable();
        let start = FRAMES_ADDRESS + frame_header_size(frames.len()) as u64;
        // Length, id, version, "zR", alignments 1 and -8, register 16, one byte: addresses
        // relative.
        let mut body = words(&[20, 0]);
        body.extend([1, b'z', b'R', 0, 1, 0x78, 16, 1, 0x1b, 0, 0, 0, 0, 0, 0, 0]);
        let mut table = Vec::new();
        for &(address, size) in &frames {
            let at = start + body.len() as u64;
            table.extend(words(&[offset(FRAMES_ADDRESS, address), offset(FRAMES_ADDRESS, at)]));
            let to_common = body.len() as u32 + 4;
            body.extend(words(&[16, to_common, offset(at + 8, address), size as u32, 0]));
        }
        body.extend([0; 4]);
        let mut bytes = vec![1, 0x1b, 0x03, 0x3b];
        bytes.extend(words(&[offset(FRAMES_ADDRESS + 4, start), frames.len() as u32]));
        bytes.extend(table);
        bytes.extend(body);
        Part { address: FRAMES_ADDRESS, size: bytes.len() as u64, bytes, flags: 4 }
    }

    /// Where the slots are, if there are any.
    fn dynamic_part(&self) -> Option<Part> {
        let size = (self.slots.len() * 24) as u64;
        let table = DYNAMIC_ADDRESS + DYNAMIC_BYTES as u64;
        let mut bytes = longs(&[23, table, 2, size, 0, 0]);
        for (index, slot) in self.slots.iter().enumerate() {
            bytes.extend(longs(&[slot.address, self.slot_symbol(index) << 32 | 7, 0]));
        }
        let part = Part { address: DYNAMIC_ADDRESS, size: bytes.len() as u64, bytes, flags: 6 };
        (size > 0).then_some(part)
    }

    fn slot_symbol(&self, index: usize) -> u64 {
        (1 + self.symbols.len() + index) as u64
    }

    fn add_symbols(&self, file: &mut Vec<u8>, segments: usize) {
        let mut names = vec![0];
        let mut table = vec![0; 24];
        let defined = self.symbols.iter().map(|one| (one.name.as_str(), one.kind, 1, one));
        for (name, kind, section, one) in defined {
            table.extend(words(&[names.len() as u32]));
            table.extend([kind, 0, section, 0]);
            table.extend(longs(&[one.address, one.size]));
            names.extend(name.bytes().chain([0]));
        }
        for slot in &self.slots {
            table.extend(words(&[names.len() as u32, 0x12]));
            table.extend(longs(&[0, 0]));
            names.extend(slot.name.bytes().chain([0]));
        }
        let symbols_at = file.len();
        file.extend(&table);
        let names_at = file.len();
        file.extend(&names);
        let sections_at = file.len();
        let kinds: &[u32] = if self.stripped { &[11] } else { &[11, 2] };
        file.extend([0; SECTION]);
        for kind in kinds {
            file.extend(section(*kind, symbols_at, table.len(), kinds.len() as u32 + 1));
        }
        file.extend(section(3, names_at, names.len(), 0));
        write_header(file, segments, sections_at, kinds.len() + 2);
    }
}

const DYNAMIC_BYTES: usize = 48;

fn frame_header_size(functions: usize) -> usize {
    12 + 8 * functions
}

/// An unnamed file with these bytes.
pub(crate) fn file_of(bytes: &[u8]) -> File {
    let id = std::thread::current().id();
    let name = format!("loopscope-plan-{}-{id:?}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut file =
        File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn offset(from: u64, to: u64) -> u32 {
    (to as i64 - from as i64) as i32 as u32
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn longs(longs: &[u64]) -> Vec<u8> {
    longs.iter().flat_map(|long| long.to_le_bytes()).collect()
}

fn segment(
    kind: u32,
    flags: u32,
    (at, address): (usize, u64),
    (file_size, memory_size): (usize, usize),
) -> Vec<u8> {
    let mut bytes = words(&[kind, flags]);
    bytes.extend(longs(&[at as u64, address, address]));
    bytes.extend(longs(&[file_size as u64, memory_size as u64, 1]));
    bytes
}

fn section(kind: u32, at: usize, size: usize, link: u32) -> Vec<u8> {
    let mut bytes = words(&[0, kind]);
    bytes.extend(longs(&[0, 0, at as u64, size as u64]));
    bytes.extend(words(&[link, 0]));
    bytes.extend(longs(&[1, 24]));
    bytes
}

fn write_header(file: &mut [u8], segments: usize, sections_at: usize, sections: usize) {
    let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    header.extend([2, 0, 62, 0]);
    header.extend(words(&[1]));
    header.extend(longs(&[0, HEADER as u64, sections_at as u64]));
    header.extend(words(&[0]));
    for half in [HEADER, SEGMENT, segments, SECTION, sections, 0] {
        header.extend((half as u16).to_le_bytes());
    }
    file[..HEADER].copy_from_slice(&header);
}
