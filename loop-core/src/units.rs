//! Durations, sizes and counts as people write and read them.

use std::fmt;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DurationError {
    text: String,
    too_long: bool,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        if self.too_long {
            return write!(f, "`{text}` is too long; write at most 87600h, which is ten years");
        }
        write!(f, "`{text}` is no duration; write a number and a unit, as in 25us, 1.5s or 2m")
    }
}

impl std::error::Error for DurationError {}

/// Units and their nanoseconds, the longer names first where one ends like another.
const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// The longest duration that is taken: ten years, so that sums of a few never overflow.
const LONGEST_NS: f64 = 3600e9 * 24.0 * 3650.0;

/// Reads `25us`, `1.5s`, `2m`, `1h`, and `0` without a unit. Returns nanoseconds.
///
/// # Errors
/// When the text is not a number with a known unit, is negative, or is longer than ten years.
pub fn parse_duration_ns(text: &str) -> Result<u64, DurationError> {
    let error = || DurationError { text: text.to_owned(), too_long: false };
    let trimmed = text.trim();
    if trimmed == "0" {
        return Ok(0);
    }
    let digits = trimmed.trim_end_matches(|c: char| c.is_alphabetic() || c == 'µ');
    let unit = &trimmed[digits.len()..];
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(error)?;
    let ns = number * factor;
    if ns > LONGEST_NS {
        return Err(DurationError { too_long: true, ..error() });
    }
    Ok(ns.round() as u64)
}

/// Why a text is not a size.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SizeError {
    text: String,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        write!(
            f,
            "`{text}` is no size; write a number above 0 and a unit, as in 512KiB, 256MiB or 1GiB"
        )
    }
}

impl std::error::Error for SizeError {}

/// Units of sizes and their bytes.
const SIZES: [(&str, f64); 7] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("KiB", 1024.0),
    ("MB", 1e6),
    ("MiB", 1_048_576.0),
    ("GB", 1e9),
    ("GiB", 1_073_741_824.0),
];

/// Reads `512KiB`, `256MiB`, `1.5GiB`, and `kB`, `MB`, `GB`, which are powers of ten. Returns
/// bytes.
///
/// # Errors
/// When the text is not a number with a known unit, or is less than a byte or more than an `i64`
/// holds.
pub fn parse_size_bytes(text: &str) -> Result<u64, SizeError> {
    let error = || SizeError { text: text.to_owned() };
    let trimmed = text.trim();
    let digits = trimmed.trim_end_matches(char::is_alphabetic);
    let unit = &trimmed[digits.len()..];
    let (_, factor) = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(error)?;
    let bytes = (number * factor).round();
    if !(1.0..i64::MAX as f64).contains(&bytes) {
        return Err(error());
    }
    Ok(bytes as u64)
}

/// A duration for people, three digits: `1.50 s`, `25.0 µs`, `0 ns`.
pub fn format_ns(ns: u64) -> String {
    // Each bound is where the figure would round up to one of the next unit.
    let (value, unit) = match ns {
        0..=999 => return format!("{ns} ns"),
        1_000..=999_499 => (ns as f64 / 1e3, "µs"),
        999_500..=999_499_999 => (ns as f64 / 1e6, "ms"),
        999_500_000..=119_499_999_999 => (ns as f64 / 1e9, "s"),
        _ => (ns as f64 / 60e9, "min"),
    };
    match value {
        v if v < 9.995 => format!("{v:.2} {unit}"),
        v if v < 99.95 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    }
}

/// A count for people: `60,000`.
pub fn format_count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let check = |text, ns| assert_eq!(parse_duration_ns(text), Ok(ns), "{text}");
        check("25us", 25_000);
        check("25µs", 25_000);
        check("1.5s", 1_500_000_000);
        check("2m", 120_000_000_000);
        check("1h", 3_600_000_000_000);
        check("10ns", 10);
        check("0", 0);
        check(" 1ms ", 1_000_000);
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for text in ["", "5", "-1s", "1 year", "s", "1e3s", "nan s", "infs", "1.2.3s", "99999h9"] {
            let error = parse_duration_ns(text).expect_err(text).to_string();
            assert!(error.contains("25us"), "{error}");
        }
        let error = parse_duration_ns("99999999h").expect_err("too long").to_string();
        assert!(error.contains("at most 87600h"), "{error}");
        assert!(parse_duration_ns("87600h").is_ok());
    }

    #[test]
    fn sizes_are_read() {
        let check = |text, bytes| assert_eq!(parse_size_bytes(text), Ok(bytes), "{text}");
        check("1B", 1);
        check("2kB", 2_000);
        check("32MiB", 33_554_432);
        check("1.5GiB", 1_610_612_736);
        for text in ["", "5", "0MiB", "0.1B", "-1MB", "1mb", "MiB", "1e3MB", "99999999999GiB"] {
            let error = parse_size_bytes(text).expect_err(text).to_string();
            assert!(error.contains("256MiB"), "{error}");
        }
    }

    #[test]
    fn figures_are_short() {
        let check = |ns, text: &str| assert_eq!(format_ns(ns), text);
        check(0, "0 ns");
        check(999, "999 ns");
        check(25_000, "25.0 µs");
        check(1_503_000_000, "1.50 s");
        check(999_499, "999 µs");
        check(999_500, "1.00 ms");
        check(999_999, "1.00 ms");
        check(999_499_999, "999 ms");
        check(999_500_000, "1.00 s");
        check(999_999_999, "1.00 s");
        check(119_499_999_999, "119 s");
        check(119_500_000_000, "1.99 min");
        check(120_000_000_000, "2.00 min");
        check(64_000_000_000, "64.0 s");
        check(600_000_000_000, "10.0 min");
        assert_eq!(format_count(60_000), "60,000");
        assert_eq!(format_count(450_045_000), "450,045,000");
        assert_eq!(format_count(7), "7");
    }
}
