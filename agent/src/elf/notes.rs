//! The build id: which build of a program this is, as its linker noted it.

use object::{LittleEndian, elf, pod};

use super::{
    ElfError, limits,
    source::{Extent, Source},
};

type Note = elf::NoteHeader64<LittleEndian>;

/// The build id of the first of these notes that has one.
pub(super) fn build_id(source: &Source, notes: &[Extent]) -> Result<Option<Vec<u8>>, ElfError> {
    for &note in notes {
        if note.size > limits::NOTE_BYTES_MAX {
            continue;
        }
        let bytes = source.read(note, "its notes")?;
        if let Some(id) = in_notes(&bytes) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// ```text
/// name size u32 | desc size u32 | type u32 | name, filled up to 4 | desc, filled up to 4 | ...
/// ```
fn in_notes(mut bytes: &[u8]) -> Option<Vec<u8>> {
    while let Ok((note, rest)) = pod::from_bytes::<Note>(bytes) {
        let (name, rest) = take(rest, note.n_namesz.get(LittleEndian))?;
        let (desc, rest) = take(rest, note.n_descsz.get(LittleEndian))?;
        let fits = (1..=limits::BUILD_ID_BYTES_MAX).contains(&desc.len());
        if note.n_type.get(LittleEndian) == elf::NT_GNU_BUILD_ID && name == b"GNU\0" && fits {
            return Some(desc.to_vec());
        }
        bytes = rest;
    }
    None
}

/// The first `size` bytes, and what is behind the filling.
fn take(bytes: &[u8], size: u32) -> Option<(&[u8], &[u8])> {
    let size = size as usize;
    let taken = bytes.get(..size)?;
    let after = size.next_multiple_of(4).min(bytes.len());
    Some((taken, &bytes[after..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(kind: u32, name: &[u8], desc: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [name.len() as u32, desc.len() as u32, kind] {
            bytes.extend(word.to_le_bytes());
        }
        for part in [name, desc] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn the_build_id_is_found_behind_other_notes() {
        let mut notes = note(1, b"GNU\0", &[9; 16]);
        notes.extend(note(3, b"Go\0", &[8; 5]));
        notes.extend(note(3, b"GNU\0", &[7; 20]));
        assert_eq!(in_notes(&notes), Some(vec![7; 20]));
        for cut in 1..20 {
            assert_eq!(in_notes(&notes[..notes.len() - cut]), None);
        }
    }

    #[test]
    fn sizes_beyond_the_end_are_no_build_id() {
        assert_eq!(in_notes(&note(3, b"GNU\0", &[])), None);
        assert_eq!(in_notes(&note(3, b"GNU\0", &[7; 65])), None);
        let mut huge = note(3, b"GNU\0", &[7; 20]);
        huge[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(in_notes(&huge), None);
    }
}
