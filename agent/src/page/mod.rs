//! What the pages for a browser share: their look, their scripts' parts, and how a text gets in.
//!
//! ```text
//!  theme.css  colours of paper and ink, light and dark ──> all pages
//!  parts.css, parts.js, the causes' colours            ──> the served page, the HTML report
//! ```
//!
//! **Invariant**: no text gets into a page but by [`escape`] or [`data`]: none becomes markup, and
//! none hides or turns what stands beside it.

use std::fmt::Write as _;
use std::io::{self, Write};

use loopscope_exporters::colours;
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

/// The colours of paper and ink.
pub(crate) const THEME: &str = include_str!("theme.css");

const PARTS_STYLE: &str = include_str!("parts.css");
const PARTS_SCRIPT: &str = include_str!("parts.js");

/// What a page may do that is a file: nothing is loaded, from nowhere, and nothing is sent.
pub(crate) const ALONE: &str = concat!(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; ",
    "img-src data:; base-uri 'none'; form-action 'none'",
);

/// A page up to its body.
pub(crate) fn head(title: &str, policy: &str, style: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <link rel=\"icon\" href=\"data:,\"><title>{title}</title>\n\
         <style>\n{style}</style></head>\n<body>\n"
    )
}

/// The style of a page of figures: what such pages share, then its own. A cause has its colour by
/// its name, a phase by `phase-` and its name.
pub(crate) fn style(own: &str) -> String {
    let mut style = format!("{THEME}:root {{\n");
    let causes = colours::CAUSES.iter().map(|(name, colour)| (String::new(), name, colour));
    let phases = colours::PHASES.iter().map(|(name, colour)| ("phase-".to_owned(), name, colour));
    for (kind, name, colour) in causes.chain(phases) {
        let _ = writeln!(style, "  --{kind}{name}: {colour};");
    }
    style + "}\n" + PARTS_STYLE + own
}

/// The script of a page of figures: what such pages share, then its own.
pub(crate) fn script(own: &[&str]) -> String {
    format!("{PARTS_SCRIPT}\n{}", own.join("\n"))
}

/// A text as HTML, also within quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            hidden if is_hidden(hidden) => out.extend(hidden.escape_unicode()),
            other => out.push(other),
        }
    }
    out
}

/// A value as JSON that may stand in an element `script`.
///
/// # Errors
/// Those of the value's own `Serialize`.
pub(crate) fn data(value: &impl Serialize) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, InPage))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// What is no letter and moves, hides or turns others. Line breaks and tabs are none of these.
fn is_hidden(character: char) -> bool {
    let turns = matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}');
    let controls = character.is_control() && !matches!(character, '\n' | '\t');
    turns || breaks || controls
}

/// Writes JSON in which nothing can end the element that it stands in.
struct InPage;

impl Formatter for InPage {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_special = |c: char| matches!(c, '<' | '>' | '&') || is_hidden(c);
        let mut rest = fragment;
        while let Some(at) = rest.find(is_special) {
            let special = rest[at..].chars().next().unwrap_or_default();
            writer.write_all(&rest.as_bytes()[..at])?;
            match is_hidden(special) {
                true => write!(writer, "\\{}", special.escape_unicode())?,
                false => write!(writer, "\\u{:04x}", u32::from(special))?,
            }
            rest = &rest[at + special.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let hidden = match escape {
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::CarriageReturn => '\r',
            CharEscape::AsciiControl(byte) => char::from(byte),
            other => return CompactFormatter.write_char_escape(writer, other),
        };
        write!(writer, "\\{}", hidden.escape_unicode())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a browser makes of JSON, where hidden characters are written out.
    fn told(text: &str) -> String {
        let json = data(&text).expect("text can be written");
        serde_json::from_str(&json).expect("JSON")
    }

    #[test]
    fn nothing_of_a_text_is_read_as_html() {
        assert_eq!(
            escape("<a b=\"c\" d='e'>&\n\u{1b}"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\n\\u{1b}"
        );
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn nothing_of_the_data_ends_its_element() {
        let json = data(&"</script><!--<script>&\"\\").expect("text can be written");
        assert!(!json.contains(['<', '>', '&']), "{json}");
        assert_eq!(told("</script><!--<script>&\"\\"), "</script><!--<script>&\"\\");
        assert_eq!(told("a\u{202e}b\u{1b}\r\n\tc"), "a\\u{202e}b\\u{1b}\\u{d}\n\tc");
    }

    #[test]
    fn the_style_has_every_colour() {
        let style = style("");
        for (name, colour) in colours::CAUSES {
            assert!(style.contains(&format!("--{name}: {colour};")), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_through_and_is_harmless(text in "\\PC*|[\\x00-\\x7f]*|.*") {
            let json = data(&text).expect("text can be written");
            prop_assert!(!json.contains(['<', '>', '&']) && !json.contains(is_hidden));
            let told = told(&text);
            let expected: String = text.chars().map(|c| match is_hidden(c) {
                true => c.escape_unicode().to_string(),
                false => c.to_string(),
            }).collect();
            prop_assert_eq!(told, expected);
            let html = escape(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'']) && !html.contains(is_hidden));
        }
    }
}
