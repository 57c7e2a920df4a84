//! V8's tables of source positions: which place in the script an instruction was made from.
//!
//! ```text
//! entry:    distance from the code of the entry before, distance from its position;
//!           numbers of 7 bits a byte, the second one in zigzag
//! distance: until V8 13 zigzag of n, or of -n - 1 where no statement begins;
//!           from V8 14 on n << 2 | debugger may stop << 1 | statement begins
//! position: bit 0 external | bits 1..31 place in the script + 1 | bits 31..47 inlined function + 1
//! ```
//!
//! The code of the first entry is counted from -1, which stands for the function's beginning.

/// One entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// From this place in the code on.
    pub(super) code_offset: i64,
    /// Which character of the script.
    pub(super) source: Option<u32>,
    /// Which of the functions that were inlined, if one.
    pub(super) inlined: Option<u16>,
}

impl Position {
    pub(super) fn of(code_offset: i64, raw: i64) -> Position {
        let is_external = raw & 1 != 0;
        let place = ((raw >> 1) & ((1 << 30) - 1)) as u32;
        let source = place.checked_sub(1).filter(|_| !is_external);
        let inlined = ((raw >> 31) & 0xffff) as u16;
        Position { code_offset, source, inlined: inlined.checked_sub(1) }
    }
}

/// How distances are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Until V8 13.
    Signed,
    /// From V8 14 on.
    Flagged,
}

/// All entries of a table, as far as they can be read.
pub(super) fn decode(table: &[u8], encoding: Encoding) -> Vec<Position> {
    let mut entries = Vec::new();
    let mut bytes = table.iter().copied();
    let (mut offset, mut raw) = (-1_i64, 0_i64);
    while let Some(distance) = unsigned(&mut bytes) {
        let Some(moved) = unsigned(&mut bytes) else { break };
        let distance = match encoding {
            // -n - 1 in zigzag is 2 n + 1, and n is 2 n.
            Encoding::Signed => distance >> 1,
            Encoding::Flagged => distance >> 2,
        };
        offset = offset.wrapping_add(distance as i64);
        raw = raw.wrapping_add(zigzag(moved));
        entries.push(Position::of(offset, raw));
    }
    entries
}

/// The entry that holds at a place in the code: the last that begins there or before.
pub(super) fn find(entries: &[Position], code_offset: i64) -> Option<Position> {
    let behind = entries.partition_point(|entry| entry.code_offset <= code_offset);
    entries.get(behind.checked_sub(1)?).copied()
}

/// A number without a sign, of 7 bits a byte.
pub(super) fn unsigned(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
