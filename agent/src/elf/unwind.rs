//! Where functions begin and end, by the tables that exceptions are unwound with.
//!
//! Every compiler writes these for x86-64, also where symbols are stripped, so they are what an
//! address from anywhere else is checked against.
//!
//! ```text
//! .eh_frame_hdr: 1, encodings 0x1b 0x03 0x3b | address of .eh_frame i32 | entries u32
//!                | function i32, its description i32 | ... by function
//! ```
//!
//! Cost: `.eh_frame_hdr` and `.eh_frame` in memory while it lives, 6.4 MB for Node 26.

use std::ops::Range;

use gimli::{BaseAddresses, EhFrame, EhFrameOffset, LittleEndian, UnwindSection};

/// What every linker writes first: the version, then how addresses and numbers are written. The
/// first is relative to where it stands, those of the table to the start of the header.
const FORM: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
const HEADER_BYTES: usize = 12;
const ENTRY_BYTES: usize = 8;

/// The tables of one image.
#[derive(Debug)]
pub struct Unwind {
    /// The header's table, and what its numbers are relative to.
    table: Vec<u8>,
    address: u64,
    frames: Vec<u8>,
    frames_address: u64,
}

impl Unwind {
    /// From `.eh_frame_hdr` at an address, and a way to read the bytes of the segment from an
    /// address on. None if they aren't such tables.
    pub(super) fn new(
        mut header: Vec<u8>,
        address: u64,
        read: impl FnOnce(u64) -> Option<Vec<u8>>,
    ) -> Option<Self> {
        if header.get(..FORM.len())? != FORM {
            return None;
        }
        let frames_address = address.checked_add(4)?.checked_add_signed(number(&header, 4)?)?;
        let entries = u32::from_le_bytes(header.get(8..HEADER_BYTES)?.try_into().ok()?);
        let bytes = (entries as usize).checked_mul(ENTRY_BYTES)?;
        if bytes > header.len() - HEADER_BYTES {
            return None;
        }
        header.drain(..HEADER_BYTES);
        header.truncate(bytes);
        Some(Self { table: header, address, frames: read(frames_address)?, frames_address })
    }

    /// The function that an address lies in, as one entry (FDE) describes it. None if there is
    /// none, or the tables are damaged there.
    pub fn function_at(&self, address: u64) -> Option<Range<u64>> {
        let offset = self.description(address)?.checked_sub(self.frames_address)?;
        let offset = usize::try_from(offset).ok().filter(|&offset| offset < self.frames.len())?;
        let bases = BaseAddresses::default().set_eh_frame(self.frames_address);
        let entry = EhFrame::new(&self.frames, LittleEndian)
            .fde_from_offset(&bases, EhFrameOffset(offset), EhFrame::cie_from_offset)
            .ok()?;
        let start = entry.initial_address();
        let end = start.checked_add(entry.len())?;
        (start..end).contains(&address).then_some(start..end)
    }

    /// Where the description of the last function lies that begins at or before an address.
    fn description(&self, address: u64) -> Option<u64> {
        let (mut first, mut behind) = (0, self.table.len() / ENTRY_BYTES);
        while first < behind {
            let middle = first.midpoint(behind);
            match self.entry(middle)?.0 <= address {
                true => first = middle + 1,
                false => behind = middle,
            }
        }
        self.entry(first.checked_sub(1)?).map(|(_, description)| description)
    }

    /// Address of a function and of its description.
    fn entry(&self, index: usize) -> Option<(u64, u64)> {
        let at = index * ENTRY_BYTES;
        let absolute = |at| self.address.checked_add_signed(number(&self.table, at)?);
        Some((absolute(at)?, absolute(at + 4)?))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<i64> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(i32::from_le_bytes(bytes).into())
}
