//! The body of a request: the message as it is, or compressed.

use std::io::Write;

use axum::body::Bytes;
use flate2::write::GzEncoder;

use super::config::Compression;

/// The quickest: whoever waits for a page on the same thread should not wait for this.
const LEVEL: flate2::Compression = flate2::Compression::fast();

/// Compresses `message` if that is asked for.
pub(super) fn encoded(message: &[u8], compression: Compression) -> Bytes {
    match compression {
        Compression::None => Bytes::copy_from_slice(message),
        Compression::Gzip => Bytes::from(gzip(message)),
    }
}

fn gzip(message: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(message.len() / 4), LEVEL);
    // Writing to memory can't fail.
    let _ = encoder.write_all(message);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        let message: Vec<u8> = (0..20_000_u32).flat_map(|n| (n / 100).to_le_bytes()).collect();
        let packed = encoded(&message, Compression::Gzip);
        assert!(packed.len() < message.len() / 4, "{}", packed.len());
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, message);
        assert_eq!(encoded(&message, Compression::None), message);
    }
}
