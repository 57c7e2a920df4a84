//! Text as XML 1.0 takes it. The form is four kinds of elements with attributes, so that escaping
//! is all there is to it.

/// Text between tags.
pub(super) fn text(text: &str) -> String {
    escaped(text, |character| matches!(character, '\n' | '\t'))
}

/// Text between the quotes of an attribute. Line breaks and tabs are written as references, or
/// readers would make blanks of them.
pub(super) fn attribute(text: &str) -> String {
    escaped(text, |_| false)
}

fn escaped(text: &str, bare: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' if bare(character) => out.push(character),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            // No XML 1.0 document may hold most of them, not even as references.
            forbidden if forbidden.is_control() || is_no_character(forbidden) => {
                out.extend(forbidden.escape_unicode());
            }
            other => out.push(other),
        }
    }
    out
}

fn is_no_character(character: char) -> bool {
    matches!(character, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_what_xml_forbids_is_written_out() {
        assert_eq!(text("a < b && c > \"d\"\n\t"), "a &lt; b &amp;&amp; c &gt; &quot;d&quot;\n\t");
        assert_eq!(attribute("a\n\tb"), "a&#10;&#9;b");
        assert_eq!(text("\u{1b}[2J\0\r"), "\\u{1b}[2J\\u{0}\\u{d}");
        assert_eq!(text("\u{ffff}\u{fffe} é ]]>"), "\\u{ffff}\\u{fffe} é ]]&gt;");
    }
}
