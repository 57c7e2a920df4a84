//! Blocks: how the bytes of a recording are framed, so that a part of them can be read.
//!
//! ```text
//! file    0  89 'l' 'o' 'o' 'p' 's' 'c' 0a     magic
//!         8  version, 2 bytes                  1
//!        10  0, 2 bytes
//!        12  CRC-32 of the 12 bytes before
//!        16  block, block, ...
//!
//! block   0  f5 'B' 'L' 'K'                    where one begins
//!         4  kind, 1 byte
//!         5  coding, 1 byte                    0: as it is, 1: deflated
//!         6  0, 2 bytes
//!         8  length of the payload, 4 bytes
//!        12  its length when inflated, 4 bytes
//!        16  CRC-32 of the payload
//!        20  CRC-32 of the 20 bytes before
//!        24  payload
//! ```
//!
//! Numbers are little-endian; the CRC is that of zlib and PNG.
//!
//! **Invariant**: whatever the bytes, reading goes forward, each byte is looked at at most twice
//! more, and nothing is allocated by a length that was not checked.

use std::io::{Read, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::FORMAT_VERSION;
use super::error::NotRead;
use super::limits::RAW_BYTES_MAX;

/// What a recording begins with. The first byte is no text's, the last tells what has changed line
/// ends.
const MAGIC: [u8; 8] = *b"\x89loopsc\n";

/// What a block begins with.
const MARK: [u8; 4] = *b"\xf5BLK";

/// Bytes before the first block.
pub(super) const START_BYTES: usize = 16;

/// Bytes before a block's payload.
pub(super) const HEADER_BYTES: usize = 24;

const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

/// More than deflate makes of a byte, at most.
const INFLATION_MAX: usize = 1_032;

/// What is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Kind {
    Head = 1,
    Stall = 2,
    Samples = 3,
    Snapshot = 4,
    Dropped = 5,
    End = 6,
}

impl Kind {
    const ALL: [Kind; 6] =
        [Kind::Head, Kind::Stall, Kind::Samples, Kind::Snapshot, Kind::Dropped, Kind::End];

    /// Whether it tells of one stall.
    pub(super) fn is_of_stall(self) -> bool {
        matches!(self, Kind::Stall | Kind::Samples)
    }

    fn of(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// The bytes before the first block.
pub(super) fn start() -> [u8; START_BYTES] {
    let mut bytes = [0; START_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    let sum = checksum(&bytes[..12]);
    bytes[12..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Whether a file that begins with this is a recording, as far as that can be said.
pub(super) fn is_recording(bytes: &[u8]) -> bool {
    let known = bytes.len().min(MAGIC.len());
    known > 0 && bytes[..known] == MAGIC[..known]
}

/// What is behind the start of a recording that this version reads.
pub(super) fn behind_start(bytes: &[u8]) -> Result<&[u8], NotRead> {
    if bytes.is_empty() {
        return Err(NotRead::Empty);
    }
    if !is_recording(bytes) {
        return Err(NotRead::NoRecording);
    }
    let (start, rest) = bytes.split_first_chunk::<START_BYTES>().ok_or(NotRead::NoStart)?;
    if number(start, 12) != checksum(&start[..12]) {
        return Err(NotRead::DamagedStart);
    }
    match u16::from_le_bytes([start[8], start[9]]) {
        FORMAT_VERSION => Ok(rest),
        version => Err(NotRead::Newer { version }),
    }
}

/// Adds a block to bytes. `None`: the payload is longer than a block's may be.
pub(super) fn add(bytes: &mut Vec<u8>, kind: Kind, payload: &[u8]) -> Option<usize> {
    let raw = u32::try_from(payload.len()).ok().filter(|raw| *raw <= RAW_BYTES_MAX)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let deflated = encoder.write_all(payload).and_then(|()| encoder.finish()).ok();
    let deflated = deflated.filter(|deflated| deflated.len() < payload.len());
    let (coding, stored) = match &deflated {
        Some(deflated) => (DEFLATED, deflated.as_slice()),
        None => (PLAIN, payload),
    };
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&MARK);
    header[4..6].copy_from_slice(&[kind as u8, coding]);
    header[8..12].copy_from_slice(&u32::try_from(stored.len()).ok()?.to_le_bytes());
    header[12..16].copy_from_slice(&raw.to_le_bytes());
    header[16..20].copy_from_slice(&checksum(stored).to_le_bytes());
    let sum = checksum(&header[..20]);
    header[20..].copy_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(stored);
    Some(HEADER_BYTES + stored.len())
}

/// A part of a recording.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    /// A whole block; `kind` is `None` where this version does not know it.
    Block {
        /// What it is.
        kind: Option<Kind>,
        /// What it says, inflated.
        payload: Vec<u8>,
    },
    /// So many bytes that are no block any more.
    Damaged(usize),
    /// The last bytes, where the block that they begin has no end.
    Cut(usize),
}

/// The parts of a recording behind its start, in their order.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// Those of the bytes behind a start.
    pub(super) fn new(rest: &'a [u8]) -> Pieces<'a> {
        Pieces { rest }
    }

    fn take(&mut self, bytes: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(header) = Header::of(self.rest) else {
            let rest = self.rest;
            let next = (1..rest.len()).find(|at| Header::of(&rest[*at..]).is_some());
            let known = rest.len().min(MARK.len());
            let begins = rest.len() < HEADER_BYTES && rest[..known] == MARK[..known];
            let skipped = self.take(next.unwrap_or(rest.len())).len();
            return Some(if begins { Piece::Cut(skipped) } else { Piece::Damaged(skipped) });
        };
        let whole = HEADER_BYTES.saturating_add(header.stored_bytes);
        if self.rest.len() < whole {
            return Some(Piece::Cut(self.take(whole).len()));
        }
        let stored = &self.take(whole)[HEADER_BYTES..];
        Some(match header.payload(stored) {
            Some(payload) => Piece::Block { kind: Kind::of(header.kind), payload },
            None => Piece::Damaged(whole),
        })
    }
}

/// What stands before a payload.
struct Header {
    kind: u8,
    coding: u8,
    stored_bytes: usize,
    raw_bytes: u32,
    checksum: u32,
}

impl Header {
    /// `None`: none begins here.
    fn of(bytes: &[u8]) -> Option<Header> {
        let header = bytes.first_chunk::<HEADER_BYTES>()?;
        let is_one = header[..4] == MARK && number(header, 20) == checksum(&header[..20]);
        is_one.then(|| Header {
            kind: header[4],
            coding: header[5],
            stored_bytes: number(header, 8) as usize,
            raw_bytes: number(header, 12),
            checksum: number(header, 16),
        })
    }

    /// `None`: it is not what was written.
    fn payload(&self, stored: &[u8]) -> Option<Vec<u8>> {
        let raw = self.raw_bytes as usize;
        if self.raw_bytes > RAW_BYTES_MAX || checksum(stored) != self.checksum {
            return None;
        }
        let payload = match self.coding {
            PLAIN => stored.to_vec(),
            DEFLATED => {
                let most = raw.min(stored.len().saturating_mul(INFLATION_MAX));
                let mut payload = Vec::with_capacity(most);
                let read = DeflateDecoder::new(stored).take(most as u64 + 1);
                read_all(read, &mut payload)?;
                payload
            }
            _ => return None,
        };
        (payload.len() == raw).then_some(payload)
    }
}

fn read_all(mut from: impl Read, to: &mut Vec<u8>) -> Option<usize> {
    from.read_to_end(to).ok()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    u32::from_le_bytes(four.unwrap_or_default())
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in payloads {
            add(&mut bytes, Kind::Stall, payload).expect("it is short");
        }
        bytes
    }

    fn block(payload: &[u8]) -> Piece {
        Piece::Block { kind: Some(Kind::Stall), payload: payload.to_vec() }
    }

    fn pieces(bytes: &[u8]) -> Vec<Piece> {
        Pieces::new(bytes).collect()
    }

    #[test]
    fn blocks_come_back_deflated_or_not() {
        let long = [7; 5_000];
        let bytes = blocks(&[b"", b"one", &long]);
        assert!(bytes.len() < 200, "{}", bytes.len());
        assert_eq!(pieces(&bytes), [block(b""), block(b"one"), block(&long)]);
        let longer = vec![0; RAW_BYTES_MAX as usize + 1];
        assert_eq!(add(&mut Vec::new(), Kind::Stall, &longer), None);
    }

    #[test]
    fn a_damaged_block_is_lost_alone_wherever_it_is_damaged() {
        let bytes = blocks(&[b"one", b"two", b"three"]);
        let second = (HEADER_BYTES + 3)..2 * (HEADER_BYTES + 3);
        for at in second {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let lost = Piece::Damaged(HEADER_BYTES + 3);
                assert_eq!(pieces(&damaged), [block(b"one"), lost, block(b"three")], "{at}");
            }
        }
    }

    #[test]
    fn a_kind_that_is_not_known_is_told() {
        let mut bytes = blocks(&[b"new"]);
        bytes[4] = 99;
        let sum = checksum(&bytes[..20]);
        bytes[20..24].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(pieces(&bytes), [Piece::Block { kind: None, payload: b"new".to_vec() }]);
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        for (at, len) in [(8, u32::MAX), (12, u32::MAX), (12, RAW_BYTES_MAX), (12, 4)] {
            let mut bytes = blocks(&[&[b'a'; 99]]);
            bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
            let sum = checksum(&bytes[..20]);
            bytes[20..24].copy_from_slice(&sum.to_le_bytes());
            let found = pieces(&bytes);
            assert!(matches!(found[..], [Piece::Cut(_) | Piece::Damaged(_)]), "{found:?}");
        }
    }
}
