//! Numbers out of the kernel's small text files, without allocating.

/// The second figure of `/proc/.../schedstat`, in nanoseconds. The first one moves at ticks of the
/// scheduler only.
///
/// ```text
/// 1503912345 20871 42        time on a CPU, time waiting for one, time slices
/// ```
pub(super) fn run_delay_ns(text: &[u8]) -> Option<u64> {
    number(words(text).nth(1)?)
}

/// The number behind `key`, which is the first word of its line.
pub(super) fn value_of(text: &[u8], key: &[u8]) -> Option<u64> {
    text.split(|&byte| byte == b'\n').find_map(|line| {
        let mut words = words(line);
        (words.next()? == key).then(|| words.next().and_then(number))?
    })
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty())
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read_and_anything_else_is_not_there() {
        assert_eq!(run_delay_ns(b"1503912345 20871 42\n"), Some(20_871));
        for bad in [&b""[..], b"x", b"7", b"1 -2", b"1 99999999999999999999999", b"1 \xff"] {
            assert_eq!(run_delay_ns(bad), None, "{bad:?}");
        }
        let text = b"nr_throttled 8\nthrottled_usec 1200\nthrottled_usec_not 3\n\nempty";
        assert_eq!(value_of(text, b"throttled_usec"), Some(1_200));
        assert_eq!(value_of(text, b"nr_throttled"), Some(8));
        assert_eq!(value_of(text, b"empty"), None);
        assert_eq!(value_of(text, b"8"), None);
        assert_eq!(value_of(b"", b"x"), None);
    }
}
