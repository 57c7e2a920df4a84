//! `name=value,name=value` with percent-encoded values, as the `OTEL_*` variables have it.

/// Each pair decoded, or the text that is none. Empty elements are passed over.
pub(super) fn parse(text: &str) -> impl Iterator<Item = Result<(String, String), String>> {
    let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
    elements.map(|element| {
        let pair = element.split_once('=').and_then(|(name, value)| {
            let name = name.trim();
            let value = decode(value.trim())?;
            (!name.is_empty()).then(|| (name.to_owned(), value))
        });
        pair.ok_or_else(|| element.to_owned())
    })
}

/// Undoes percent-encoding; `None` where it is broken or not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let got: Vec<_> = parse(" a=1, b = x%20y ,,c=d=e,%=1,f=%zz,=g,h, i=").collect();
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        let bad = |text: &str| Err(text.to_owned());
        let want = [
            pair("a", "1"),
            pair("b", "x y"),
            pair("c", "d=e"),
            pair("%", "1"),
            bad("f=%zz"),
            bad("=g"),
            bad("h"),
            pair("i", ""),
        ];
        assert_eq!(got, want);
        assert!(parse("").next().is_none());
        assert!(parse("a=%f").next().unwrap().is_err());
        assert!(parse("a=%ff").next().unwrap().is_err());
    }
}
