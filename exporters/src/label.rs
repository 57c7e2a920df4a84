//! Label values from outside, made fit to be exported.

use std::borrow::Cow;

use crate::limits::LABEL_VALUE_BYTES_MAX;

/// Cuts `text` to [`LABEL_VALUE_BYTES_MAX`] bytes at a character, and replaces NUL, at which the
/// parser of Prometheus ends: one hostile name would lose the whole page.
pub(crate) fn value(text: &str) -> Cow<'_, str> {
    let most = text.len().min(LABEL_VALUE_BYTES_MAX);
    let end = (0..=most).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    let cut = &text[..end];
    if cut.contains('\0') { Cow::Owned(cut.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(cut) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_at_a_character() {
        assert_eq!(value(&"x".repeat(1_000)).len(), LABEL_VALUE_BYTES_MAX);
        let euros = "€".repeat(1_000);
        assert_eq!(value(&euros).chars().count(), LABEL_VALUE_BYTES_MAX / 3);
    }

    #[test]
    fn nul_is_replaced_and_the_rest_is_left() {
        assert_eq!(value("a\0b"), "a\u{FFFD}b");
        assert!(matches!(value("a\"\\\n€"), Cow::Borrowed("a\"\\\n€")));
    }
}
