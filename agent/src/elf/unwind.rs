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

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameOffset, EndianSlice, FrameDescriptionEntry,
    LittleEndian, RegisterRule, UnwindContext, UnwindSection, X86_64,
};

/// What every linker writes first: the version, then how addresses and numbers are written. The
/// first is relative to where it stands, those of the table to the start of the header.
const FORM: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
const HEADER_BYTES: usize = 12;
const ENTRY_BYTES: usize = 8;

/// How to come from a function to the one that called it. The return address stands 8 bytes below
/// the end of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where its frame ends.
    pub frame: Base,
    /// Where, from that end, it has saved the frame pointer. None if it has not touched it.
    pub saved_frame: Option<i64>,
}

/// A place by its distance from a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// From the stack pointer.
    Stack(i64),
    /// From the frame pointer.
    Frame(i64),
}

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
        let entry = self.entry_at(address)?;
        let start = entry.initial_address();
        let end = start.checked_add(entry.len())?;
        (start..end).contains(&address).then_some(start..end)
    }

    /// How the function at an address is left again. None if nothing is said, or in a way that
    /// only code written by hand needs.
    pub fn step_at(&self, address: u64) -> Option<Step> {
        let entry = self.entry_at(address)?;
        let section = EhFrame::new(&self.frames, LittleEndian);
        let mut context = UnwindContext::new();
        let row = entry.unwind_info_for_address(&section, &self.bases(), &mut context, address);
        let row = row.ok()?;
        let frame = match *row.cfa() {
            CfaRule::RegisterAndOffset { register: X86_64::RSP, offset } => Base::Stack(offset),
            CfaRule::RegisterAndOffset { register: X86_64::RBP, offset } => Base::Frame(offset),
            _ => return None,
        };
        let saved_frame = match row.register(X86_64::RBP) {
            Some(RegisterRule::Offset(offset)) => Some(offset),
            None | Some(RegisterRule::Undefined | RegisterRule::SameValue) => None,
            Some(_) => return None,
        };
        Some(Step { frame, saved_frame })
    }

    fn bases(&self) -> BaseAddresses {
        BaseAddresses::default().set_eh_frame(self.frames_address)
    }

    fn entry_at(
        &self,
        address: u64,
    ) -> Option<FrameDescriptionEntry<EndianSlice<'_, LittleEndian>>> {
        let offset = self.description(address)?.checked_sub(self.frames_address)?;
        let offset = usize::try_from(offset).ok().filter(|&offset| offset < self.frames.len())?;
        EhFrame::new(&self.frames, LittleEndian)
            .fde_from_offset(&self.bases(), EhFrameOffset(offset), EhFrame::cie_from_offset)
            .ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: u64 = 0x5000;

    /// The header of two functions at 0x1000 and 0x2000, described at the start of the frames.
    fn header(form: [u8; 4], entries: u32) -> Vec<u8> {
        let mut bytes = form.to_vec();
        bytes.extend(0x100_i32.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        for (function, description) in [(0x1000_i32, 24_i32), (0x2000, 44)] {
            bytes.extend((function - ADDRESS as i32).to_le_bytes());
            bytes.extend((0x104 + description).to_le_bytes());
        }
        bytes
    }

    /// What both have in common, then 16 bytes of code for each.
    fn frames() -> Vec<u8> {
        let mut bytes = vec![20, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([1, b'z', b'R', 0, 1, 0x78, 16, 1, 0x1b, 0, 0, 0, 0, 0, 0, 0]);
        for function in [0x1000_i32, 0x2000] {
            let at = bytes.len() as i32;
            let start = function - (ADDRESS as i32 + 0x104 + at + 8);
            bytes.extend([16, at + 4, start, 16, 0].map(i32::to_le_bytes).concat());
        }
        bytes
    }

    fn unwind(header: Vec<u8>) -> Option<Unwind> {
        let read = |address| (address == ADDRESS + 0x104).then(frames);
        Unwind::new(header, ADDRESS, read)
    }

    #[test]
    fn a_function_is_found_by_any_address_in_it() {
        let unwind = unwind(header(FORM, 2)).unwrap();
        for (address, start) in [(0x1000, 0x1000), (0x100f, 0x1000), (0x2000, 0x2000)] {
            assert_eq!(unwind.function_at(address), Some(start..start + 16));
        }
        for address in [0, 0xfff, 0x1010, 0x1fff, 0x2010, u64::MAX] {
            assert_eq!(unwind.function_at(address), None);
        }
    }

    #[test]
    fn tables_of_another_form_or_cut_short_are_none() {
        assert!(unwind(header([1, 0x1b, 0x03, 0x3c], 2)).is_none());
        assert!(unwind(header(FORM, 3)).is_none());
        assert!(unwind(header(FORM, u32::MAX)).is_none());
        let whole = header(FORM, 2);
        for size in 0..whole.len() {
            assert!(unwind(whole[..size].to_vec()).is_none());
        }
        assert!(Unwind::new(whole, u64::MAX - 3, |_| Some(frames())).is_none());
    }
}
