//! Base64, and the numbers of variable length that source maps write with it.
//!
//! ```text
//! a digit: 6 bits   continues | 5 bits of the number, the lowest first; the lowest of all: sign
//! ```

/// The most numbers of a segment.
const NUMBERS_MAX: usize = 5;

/// What a segment says: how many numbers, and these.
pub(super) fn numbers(segment: &[u8]) -> Option<(usize, [i64; NUMBERS_MAX])> {
    let (mut count, mut numbers) = (0, [0; NUMBERS_MAX]);
    let mut rest = segment;
    while !rest.is_empty() {
        let (number, behind) = number(rest)?;
        *numbers.get_mut(count)? = number;
        (count, rest) = (count + 1, behind);
    }
    Some((count, numbers))
}

/// The first number, and what stands behind it. `None`: it does not end, or has more than 32 bits.
fn number(digits: &[u8]) -> Option<(i64, &[u8])> {
    const SHIFT_MAX: u32 = 30;
    let (mut bits, mut shift) = (0_i64, 0);
    for (index, &char) in digits.iter().enumerate() {
        let digit = digit(char)?;
        bits |= i64::from(digit & 31) << shift;
        if digit & 32 == 0 {
            let number = if bits & 1 == 1 { -(bits >> 1) } else { bits >> 1 };
            return Some((number, &digits[index + 1..]));
        }
        shift += 5;
        if shift > SHIFT_MAX {
            return None;
        }
    }
    None
}

/// The bytes that base64 stands for. `None`: it is none.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|&char| char != b'=').map_or(0, |last| last + 1);
    let mut bytes = Vec::with_capacity(end / 4 * 3 + 2);
    for four in text[..end].chunks(4) {
        let digits = four.iter().try_fold(0, |bits, &char| {
            let digit = digit(char)?;
            Some(bits << 6 | u32::from(digit))
        })?;
        let [_, all @ ..] = (digits << (6 * (4 - four.len()))).to_be_bytes();
        // A single digit is less than a byte.
        bytes.extend_from_slice(all.get(..four.len().checked_sub(1).filter(|&one| one > 0)?)?);
    }
    Some(bytes)
}

fn digit(char: u8) -> Option<u8> {
    match char {
        b'A'..=b'Z' => Some(char - b'A'),
        b'a'..=b'z' => Some(char - b'a' + 26),
        b'0'..=b'9' => Some(char - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_sign_and_any_length() {
        assert_eq!(numbers(b"AACDgB"), Some((5, [0, 0, 1, -1, 16])));
        assert_eq!(numbers(b""), Some((0, [0; 5])));
        assert_eq!(numbers(b"+/////D"), Some((1, [i64::from(i32::MAX), 0, 0, 0, 0])));
        assert_eq!(numbers(b"g"), None, "it does not end");
        assert_eq!(numbers(b"ggggggggA"), None, "too long");
        assert_eq!(numbers(b"AAAAAA"), None, "six");
        assert_eq!(numbers(b"A A"), None);
    }

    #[test]
    fn base64_with_and_without_its_end() {
        let text = |digits: &str| base64(digits.as_bytes());
        assert_eq!(text("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(text("aGVsbA=="), Some(b"hell".to_vec()));
        assert_eq!(text("aGVsbA"), Some(b"hell".to_vec()));
        assert_eq!(text("_-8"), Some(vec![0xff, 0xef]));
        assert_eq!(text(""), Some(Vec::new()));
        assert_eq!(text("aGVsb"), None);
        assert_eq!(text("aG=s"), None);
    }
}
