//! Strings of V8's heap, in whatever form they are kept.

use super::heap::{Heap, at, object, smi};
use super::limits::{NAME_CHARS_MAX, STRING_PARTS_MAX};

/// A stretch of characters in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) address: u64,
    /// Of UTF-16, else of Latin-1.
    pub(super) two_byte: bool,
    pub(super) chars: usize,
}

impl Piece {
    fn part(self, skip: usize, chars: usize) -> Piece {
        let bytes = (skip as u64) << u32::from(self.two_byte);
        Piece {
            address: self.address.wrapping_add(bytes),
            chars: chars.min(self.chars.saturating_sub(skip)),
            ..self
        }
    }

    /// Some of its characters.
    pub(super) fn read(self, heap: Heap<'_>, skip: usize, chars: usize) -> Option<Vec<u16>> {
        let part = self.part(skip, chars);
        let bytes = heap.many(part.address, part.chars << u32::from(self.two_byte))?;
        Some(match self.two_byte {
            true => bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect(),
            false => bytes.into_iter().map(u16::from).collect(),
        })
    }
}

impl Heap<'_> {
    /// The pieces that a string is made of, in order. `None`: it is no string, or of too many.
    pub(super) fn pieces(&self, string: u64) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        // What is still to be read: the string, and which of its characters.
        let mut open = vec![(string, 0, usize::MAX)];
        let mut steps = 0;
        while let Some((string, skip, chars)) = open.pop() {
            steps += 1;
            if steps > STRING_PARTS_MAX {
                return None;
            }
            let forms = &self.layout.strings;
            let kind = self.kind(string)?;
            if kind & forms.not_string_mask != 0 {
                return None;
            }
            let length = u32::from_le_bytes(self.bytes(at(string, forms.length))?) as usize;
            let wanted = chars.min(length.checked_sub(skip)?);
            let two_byte = kind & forms.one_byte == 0;
            let form = kind & forms.form_mask;
            let piece = |address| Piece { address, two_byte, chars: length }.part(skip, wanted);
            if form == forms.sequential {
                pieces.push(piece(at(string, forms.chars)));
            } else if form == forms.external {
                pieces.push(piece(self.field(string, forms.external_data)?));
            } else if form == forms.sliced {
                let offset = smi(self.field(string, forms.offset)?)?;
                let skip = skip.checked_add(usize::try_from(offset).ok()?)?;
                open.push((self.object(string, forms.parent)?, skip, wanted));
            } else if Some(form) == forms.thin {
                open.push((self.object(string, forms.actual)?, skip, wanted));
            } else if form == forms.cons {
                self.open_cons(string, (skip, wanted), &mut open)?;
            } else {
                return None;
            }
        }
        Some(pieces)
    }

    fn open_cons(
        &self,
        string: u64,
        (skip, wanted): (usize, usize),
        open: &mut Vec<(u64, usize, usize)>,
    ) -> Option<()> {
        let forms = &self.layout.strings;
        let first = self.object(string, forms.first)?;
        let second = self.object(string, forms.second)?;
        let length = u32::from_le_bytes(self.bytes(at(first, forms.length))?) as usize;
        let of_first = length.saturating_sub(skip).min(wanted);
        if wanted > of_first {
            open.push((second, skip.saturating_sub(length), wanted - of_first));
        }
        if of_first > 0 {
            open.push((first, skip, of_first));
        }
        Some(())
    }

    /// The text of a string, at most the first [`NAME_CHARS_MAX`] of its characters.
    pub(super) fn text(&self, tagged: u64) -> Option<String> {
        let mut chars = Vec::new();
        for piece in self.pieces(object(tagged)?)? {
            let left = NAME_CHARS_MAX - chars.len();
            chars.extend(piece.read(*self, 0, left)?);
            if chars.len() == NAME_CHARS_MAX {
                break;
            }
        }
        Some(String::from_utf16_lossy(&chars))
    }
}
