//! Calls through the procedure linkage table: by name, and found when the image is loaded.
//!
//! ```text
//! call stub ──> stub: [endbr64] [bnd] jmp [slot] ──> slot: filled by the loader
//!               DT_JMPREL: slot, symbol
//! ```
//!
//! A shared library calls its own exported functions so too.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, Register};
use object::{LittleEndian, elf, pod};

use super::{ElfError, Image, limits::CALLS_MAX, source::find, symbols};

type Dynamic = elf::Dyn64<LittleEndian>;
type Relocation = elf::Rela64<LittleEndian>;

const LE: LittleEndian = LittleEndian;
/// An entry of the table is at most this long, and begins at a multiple of it or of half of it.
const STUB_BYTES: usize = 16;
/// `jmp [rip + 32 bits]`.
const JUMP_BYTES: usize = 6;

/// Which slot holds which symbol's address. 24 bytes each: 0.8 MB in libnode.
#[derive(Debug, Default)]
pub struct Imports {
    /// Address of the slot, index of the symbol in `.dynsym`; by address.
    slots: Vec<(u64, u32)>,
}

impl Image {
    /// What is called through slots. Empty if nothing is, or the table is damaged.
    pub fn imports(&self) -> Imports {
        let slots = self.jump_slots().unwrap_or_default();
        Imports { slots }
    }

    fn jump_slots(&self) -> Option<Vec<(u64, u32)>> {
        let bytes = self.source.read(self.layout.dynamic?, "its dynamic section").ok()?;
        let (mut address, mut size) = (None, None);
        let mut rest = bytes.as_slice();
        while let Ok((entry, after)) = pod::from_bytes::<Dynamic>(rest) {
            match entry.d_tag.get(LE) {
                elf::DT_JMPREL => address = Some(entry.d_val.get(LE)),
                elf::DT_PLTRELSZ => size = Some(entry.d_val.get(LE)),
                elf::DT_NULL => break,
                _ => {}
            }
            rest = after;
        }
        let bytes = self.bytes_at(address?, usize::try_from(size?).ok()?)?;
        let count = bytes.len() / size_of::<Relocation>();
        let (relocations, _) = pod::slice_from_bytes::<Relocation>(&bytes, count).ok()?;
        let slots = relocations.iter().map(|one| (one.r_offset.get(LE), one.r_sym(LE, false)));
        let mut slots: Vec<(u64, u32)> = slots.collect();
        slots.sort_unstable();
        Some(slots)
    }

    /// The stubs through which functions of these names are called, each with which name.
    ///
    /// Cost: nothing more where none of them is called so, else one pass over the code.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn stubs_of(
        &self,
        imports: &Imports,
        names: &[&str],
    ) -> Result<Vec<(u64, usize)>, ElfError> {
        let Some(table) = self.layout.dynsym.filter(|_| !imports.slots.is_empty()) else {
            return Ok(Vec::new());
        };
        let symbols = symbols::indexes_of(&self.source, table, names)?;
        let name_of = |symbol| {
            let index = symbols.binary_search_by_key(&symbol, |one| one.0).ok()?;
            Some(symbols[index].1)
        };
        let slots = imports.slots.iter().filter_map(|&(slot, one)| Some((slot, name_of(one)?)));
        let slots: Vec<(u64, usize)> = slots.collect();
        let mut jumps = Vec::new();
        if !slots.is_empty() {
            self.each_code(JUMP_BYTES - 1, |address, chunk| {
                jumps_by(address, chunk, &slots, &mut jumps)
            })?;
        }
        // A stub may have an instruction before the jump.
        let stubs = jumps.into_iter().filter_map(|(jump, name)| {
            let starts = [jump & !(STUB_BYTES as u64 - 1), jump];
            let is_stub = |&start: &u64| {
                let slot = self.slot_of_stub(start);
                slots.iter().any(|&(address, its)| Some(address) == slot && its == name)
            };
            Some((starts.into_iter().find(is_stub)?, name))
        });
        Ok(stubs.collect())
    }

    /// The slot that a stub jumps by, if one begins at the address.
    fn slot_of_stub(&self, stub: u64) -> Option<u64> {
        if !self.is_code(stub) {
            return None;
        }
        let bytes = self.bytes_at(stub, STUB_BYTES)?;
        let decoder = Decoder::with_ip(64, &bytes, stub, DecoderOptions::NONE);
        let first = decoder.into_iter().find(|one| one.mnemonic() != Mnemonic::Endbr64)?;
        jumps_by_slot(&first).then(|| first.ip_rel_memory_address())
    }
}

fn jumps_by_slot(instruction: &Instruction) -> bool {
    instruction.is_jmp_near_indirect() && instruction.memory_base() == Register::RIP
}

/// The jumps through one of the slots: `ff 25`, then 32 bits relative to their end.
fn jumps_by(
    address: u64,
    chunk: &[u8],
    slots: &[(u64, usize)],
    jumps: &mut Vec<(u64, usize)>,
) -> Result<(), ElfError> {
    let mut from = 0;
    while let Some(at) = chunk.get(from..).and_then(|rest| find(0xff, rest)) {
        let at = from + at;
        from = at + 1;
        let Some([0x25, a, b, c, d]) = chunk.get(at + 1..at + JUMP_BYTES) else { continue };
        let end = address.wrapping_add((at + JUMP_BYTES) as u64);
        let slot = end.wrapping_add_signed(i64::from(i32::from_le_bytes([*a, *b, *c, *d])));
        let Some(&(_, name)) = slots.iter().find(|one| one.0 == slot) else { continue };
        if jumps.len() == CALLS_MAX {
            return Err(ElfError::Damaged { what: "the same jump again and again" });
        }
        jumps.push((address + at as u64, name));
    }
    Ok(())
}

impl Imports {
    /// The name of what a stub calls. None if there is no stub.
    pub fn name_of_stub(&self, image: &Image, stub: u64) -> Option<String> {
        let slot = image.slot_of_stub(stub)?;
        let index = self.slots.binary_search_by_key(&slot, |&(address, _)| address).ok()?;
        let (_, symbol) = self.slots[index];
        symbols::name_of(&image.source, image.layout.dynsym?, symbol).ok()?
    }
}
