//! How many bytes each bytecode has, by V8's own table.
//!
//! ```text
//! Bytecodes::kBytecodeSizes[scale][bytecode], of 1 or 4 bytes, for operands of 1, 2 and 4 bytes
//! bytecode 0: the next has operands of 2 bytes; 1: of 4 bytes
//! ```

use crate::elf::Image;

const SYMBOL: &str = "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE";
const SCALES: usize = 3;

/// The sizes, for each scale one after another. Empty where the file is stripped: then lines of
/// code that was compiled without optimisation aren't known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BytecodeSizes(Vec<u8>);

impl BytecodeSizes {
    pub(super) fn of_image(image: &Image) -> BytecodeSizes {
        let bytes = image.symbol(SYMBOL).and_then(|symbol| {
            let size = usize::try_from(symbol.size).ok().filter(|&size| size <= 1 << 14)?;
            image.bytes_at(symbol.address, size)
        });
        BytecodeSizes::parse(&bytes.unwrap_or_default())
    }

    fn parse(bytes: &[u8]) -> BytecodeSizes {
        // The first bytecodes are prefixes, of 1 byte each.
        let width = if bytes.starts_with(&[1, 0, 0, 0]) { 4 } else { 1 };
        let sizes: Vec<u8> = bytes.iter().copied().step_by(width).collect();
        let is_whole = sizes.len().is_multiple_of(SCALES) && !sizes.contains(&0);
        BytecodeSizes(if is_whole { sizes } else { Vec::new() })
    }

    /// The size of the bytecode that `bytes` begin with, its prefix included.
    pub(super) fn of(&self, bytes: &[u8]) -> Option<usize> {
        let count = self.0.len() / SCALES;
        let (scale, bytecode, prefix) = match *bytes.first()? {
            scale @ (0 | 1) => (usize::from(scale) + 1, *bytes.get(1)?, 1),
            bytecode => (0, bytecode, 0),
        };
        let bytecode = usize::from(bytecode);
        (bytecode < count).then(|| usize::from(self.0[scale * count + bytecode]) + prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_makes_operands_wider() {
        let bytes = [1, 1, 3, 2, 1, 1, 5, 3, 1, 1, 9, 5];
        let wide: Vec<u8> = bytes.iter().flat_map(|byte| [*byte, 0, 0, 0]).collect();
        for sizes in [BytecodeSizes::parse(&bytes), BytecodeSizes::parse(&wide)] {
            assert_eq!(sizes.of(&[2, 7, 7]), Some(3));
            assert_eq!(sizes.of(&[0, 2]), Some(6));
            assert_eq!(sizes.of(&[1, 3]), Some(6));
            assert_eq!(sizes.of(&[4]), None);
            assert_eq!(sizes.of(&[1]), None);
        }
        assert_eq!(BytecodeSizes::parse(&[1, 2]).of(&[2]), None);
    }
}
