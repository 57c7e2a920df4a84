//! Objects of V8's heap: tagged words, fields, types.
//!
//! **Invariant**: any word may be garbage by the time it is looked at. Nothing is followed but for
//! a bounded number of steps, and nothing is trusted before its map names its type.

use super::layout::Layout;
use super::types::ReadMemory;

/// A tagged word that refers to an object.
pub(super) fn object(word: u64) -> Option<u64> {
    let is_strong = word & 3 == 1;
    // Below are no objects, above there is no user space.
    (is_strong && word > 0x1000 && word < 1 << 47).then_some(word)
}

/// A tagged word that is a small number, which stands in its upper half.
pub(super) fn smi(word: u64) -> Option<i32> {
    (word & 0xffff_ffff == 0).then_some((word >> 32) as u32 as i32)
}

/// The heap of a process, read.
#[derive(Clone, Copy)]
pub(super) struct Heap<'a> {
    pub(super) layout: &'a Layout,
    pub(super) memory: &'a dyn ReadMemory,
}

impl Heap<'_> {
    /// The bytes at an address.
    pub(super) fn bytes<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.memory.read(address, &mut bytes).then_some(bytes)
    }

    /// As many bytes as wanted. The caller bounds how many.
    pub(super) fn many(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.memory.read(address, &mut bytes).then_some(bytes)
    }

    pub(super) fn word(&self, address: u64) -> Option<u64> {
        self.bytes(address).map(u64::from_le_bytes)
    }

    /// A field of an object, by its distance from where the object begins.
    pub(super) fn field(&self, tagged: u64, offset: u32) -> Option<u64> {
        self.word(at(tagged, offset))
    }

    /// Two fields by one read, where they are near.
    pub(super) fn two_fields(&self, tagged: u64, first: u32, second: u32) -> Option<[u64; 2]> {
        let bytes: [u8; 32] = match second.checked_sub(first)? {
            8 | 16 | 24 => self.bytes(at(tagged, first))?,
            _ => return Some([self.field(tagged, first)?, self.field(tagged, second)?]),
        };
        let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some([word(0)?, word((second - first) as usize)?])
    }

    /// A field with another object in it.
    pub(super) fn object(&self, tagged: u64, offset: u32) -> Option<u64> {
        object(self.field(tagged, offset)?)
    }

    /// The type of an object, by its map.
    pub(super) fn kind(&self, tagged: u64) -> Option<u16> {
        let map = self.object(object(tagged)?, 0)?;
        self.bytes(at(map, self.layout.map_type)).map(u16::from_le_bytes)
    }

    /// The bytes of a byte array of at most so many.
    pub(super) fn byte_array(&self, tagged: u64, limit: usize) -> Option<Vec<u8>> {
        let kind = self.kind(tagged)?;
        let types = &self.layout.types;
        if kind != types.byte_array && Some(kind) != types.trusted_byte_array {
            return None;
        }
        let length = usize::try_from(smi(self.field(tagged, ARRAY_LENGTH)?)?).ok()?;
        (length <= limit).then(|| self.many(at(tagged, ARRAY_DATA), length))?
    }
}

/// Fields of every array.
pub(super) const ARRAY_LENGTH: u32 = 8;
pub(super) const ARRAY_DATA: u32 = 16;

/// The address of a field.
pub(super) fn at(tagged: u64, offset: u32) -> u64 {
    (tagged & !3).wrapping_add(u64::from(offset))
}
