//! The headers of an ELF file: what is mapped where, and where the tables lie.

use object::{LittleEndian, elf, pod};

use super::{
    ElfError, limits,
    source::{Extent, Source},
};

type Header = elf::FileHeader64<LittleEndian>;
type ProgramHeader = elf::ProgramHeader64<LittleEndian>;
type SectionHeader = elf::SectionHeader64<LittleEndian>;

const LE: LittleEndian = LittleEndian;

/// A part of the file that the loader maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it lies, as the file counts addresses.
    pub address: u64,
    /// How much memory it takes. What is beyond `file_size` begins as zeros.
    pub memory_size: u64,
    /// Where it begins in the file.
    pub file_offset: u64,
    /// How much of it comes from the file.
    pub file_size: u64,
    /// Whether it may be executed.
    pub executable: bool,
    /// Whether it may be written.
    pub writable: bool,
}

impl Segment {
    /// How far into it the file's bytes at an address lie.
    pub(super) fn place_in_file(&self, address: u64) -> Option<u64> {
        address.checked_sub(self.address).filter(|&place| place < self.file_size)
    }
}

/// A table of symbols and the names it points to.
#[derive(Clone, Copy, Debug)]
pub(super) struct SymbolTable {
    pub(super) symbols: Extent,
    pub(super) names: Extent,
}

/// What the headers say.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) segments: Vec<Segment>,
    pub(super) notes: Vec<Extent>,
    pub(super) dynamic: Option<Extent>,
    /// `.eh_frame_hdr` and its address.
    pub(super) frames: Option<(Extent, u64)>,
    pub(super) symtab: Option<SymbolTable>,
    pub(super) dynsym: Option<SymbolTable>,
}

pub(super) fn read(source: &Source) -> Result<Layout, ElfError> {
    let size = size_of::<Header>() as u64;
    let start = Extent { offset: 0, size };
    if !source.holds(start) {
        return Err(ElfError::NotElf);
    }
    let bytes = source.read(start, "its header")?;
    let (header, _) = pod::from_bytes::<Header>(&bytes).map_err(|()| ElfError::NotElf)?;
    let ident = &header.e_ident;
    if ident.magic != elf::ELFMAG {
        return Err(ElfError::NotElf);
    }
    let machine = header.e_machine.get(LE);
    let class = (ident.class, ident.data);
    if class != (elf::ELFCLASS64, elf::ELFDATA2LSB) || machine != elf::EM_X86_64 {
        return Err(ElfError::Machine { machine });
    }
    let mut layout = Layout::default();
    read_segments(source, header, &mut layout)?;
    read_sections(source, header, &mut layout)?;
    Ok(layout)
}

/// `count` entries of a table that says itself how large each is.
fn table<T: pod::Pod + Copy>(
    source: &Source,
    (offset, count, entry_size): (u64, usize, u16),
    what: &'static str,
) -> Result<Vec<T>, ElfError> {
    if usize::from(entry_size) != size_of::<T>() {
        return Err(ElfError::Damaged { what });
    }
    let size = (count * size_of::<T>()) as u64;
    let bytes = source.read(Extent { offset, size }, what)?;
    let (entries, _) =
        pod::slice_from_bytes::<T>(&bytes, count).map_err(|()| ElfError::Damaged { what })?;
    Ok(entries.to_vec())
}

fn read_segments(source: &Source, header: &Header, layout: &mut Layout) -> Result<(), ElfError> {
    let what = "its program headers";
    let count = usize::from(header.e_phnum.get(LE));
    if count > limits::SEGMENTS_MAX {
        return Err(ElfError::TooLarge { what, bytes: count as u64 });
    }
    let place = (header.e_phoff.get(LE), count, header.e_phentsize.get(LE));
    for entry in table::<ProgramHeader>(source, place, what)? {
        let extent = Extent { offset: entry.p_offset.get(LE), size: entry.p_filesz.get(LE) };
        let address = entry.p_vaddr.get(LE);
        match entry.p_type.get(LE) {
            elf::PT_LOAD => layout.segments.push(segment(source, &entry, extent)?),
            elf::PT_NOTE => layout.notes.push(extent),
            elf::PT_DYNAMIC => layout.dynamic = Some(extent),
            elf::PT_GNU_EH_FRAME => layout.frames = Some((extent, address)),
            _ => {}
        }
    }
    Ok(())
}

fn segment(source: &Source, entry: &ProgramHeader, extent: Extent) -> Result<Segment, ElfError> {
    let flags = entry.p_flags.get(LE);
    let segment = Segment {
        address: entry.p_vaddr.get(LE),
        memory_size: entry.p_memsz.get(LE),
        file_offset: extent.offset,
        file_size: extent.size,
        executable: flags & elf::PF_X != 0,
        writable: flags & elf::PF_W != 0,
    };
    let ends = segment.address.checked_add(segment.memory_size.max(segment.file_size));
    if !source.holds(extent) || ends.is_none() {
        return Err(ElfError::Damaged { what: "a segment beyond its end" });
    }
    Ok(segment)
}

/// Symbol tables are told by section headers alone. A file without these is one without symbols.
fn read_sections(source: &Source, header: &Header, layout: &mut Layout) -> Result<(), ElfError> {
    let what = "its section headers";
    let count = usize::from(header.e_shnum.get(LE));
    if count == 0 {
        return Ok(());
    }
    if count > limits::SECTIONS_MAX {
        return Err(ElfError::TooLarge { what, bytes: count as u64 });
    }
    let place = (header.e_shoff.get(LE), count, header.e_shentsize.get(LE));
    let sections = table::<SectionHeader>(source, place, what)?;
    let extent = |section: &SectionHeader| Extent {
        offset: section.sh_offset.get(LE),
        size: section.sh_size.get(LE),
    };
    for section in &sections {
        let kind = section.sh_type.get(LE);
        if !matches!(kind, elf::SHT_SYMTAB | elf::SHT_DYNSYM) {
            continue;
        }
        let Some(names) = sections.get(section.sh_link.get(LE) as usize) else { continue };
        let table = SymbolTable { symbols: extent(section), names: extent(names) };
        match kind {
            elf::SHT_SYMTAB => layout.symtab = Some(table),
            _ => layout.dynsym = Some(table),
        }
    }
    Ok(())
}
