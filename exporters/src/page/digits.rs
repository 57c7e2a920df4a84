//! Numbers as text, into a buffer, without allocating.

use std::io::Write;

const NS_PER_SECOND: u128 = 1_000_000_000;

/// Digits of a `u64`.
const DIGITS_MAX: usize = 20;

/// Digits behind the point of a second in nanoseconds.
const FRACTION_DIGITS: usize = 9;

/// Writes `value` in decimal.
pub(super) fn put_integer(bytes: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    bytes.extend_from_slice(&digits[at..]);
}

/// Writes nanoseconds as seconds: exactly, and without zeros at the end.
pub(super) fn put_seconds(bytes: &mut Vec<u8>, ns: u128) {
    put_integer(bytes, saturated(ns / NS_PER_SECOND));
    let mut fraction = (ns % NS_PER_SECOND) as u32;
    if fraction == 0 {
        return;
    }
    let mut digits = [b'0'; FRACTION_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    let end = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    bytes.push(b'.');
    bytes.extend_from_slice(&digits[..end]);
}

/// Writes the shortest decimal that reads back as `value`.
pub(super) fn put_float(bytes: &mut Vec<u8>, value: f64) {
    // Writing to a vector can't fail.
    let _ = write!(bytes, "{value}");
}

/// `value`, or `u64::MAX` where it is larger.
pub(super) fn saturated(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut bytes = Vec::new();
        put(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn seconds_are_exact() {
        let cases = [(0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (60_000_000_000, "60")];
        for (ns, want) in cases {
            assert_eq!(text(|bytes| put_seconds(bytes, ns)), want);
        }
    }

    proptest! {
        #[test]
        fn integers_and_seconds_read_back(value in any::<u64>()) {
            prop_assert_eq!(text(|bytes| put_integer(bytes, value)), value.to_string());
            let seconds: f64 = text(|bytes| put_seconds(bytes, value.into())).parse().unwrap();
            let want = value as f64 / 1e9;
            prop_assert!((seconds - want).abs() <= want * 1e-15);
        }

        #[test]
        fn floats_read_back(value in 0.0f64..1.0) {
            prop_assert_eq!(text(|bytes| put_float(bytes, value)).parse::<f64>().unwrap(), value);
        }
    }
}
