//! URLs of files, as paths.

/// The path of a `file:` URL; any other name as it is.
pub(crate) fn path(name: &str) -> String {
    let Some(path) = name.strip_prefix("file://").filter(|path| path.starts_with('/')) else {
        return name.to_owned();
    };
    unescaped(path.split(['?', '#']).next().unwrap_or_default())
}

/// What stands in a URL, without its escapes. One that is none stays as it is.
pub(crate) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| tail.get(..2)).flatten();
        let number = escaped.and_then(|two| std::str::from_utf8(two).ok());
        match number.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(number) => (bytes.push(number), rest = &tail[2..]).1,
            None => (bytes.push(byte), rest = tail).1,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_a_file_becomes_its_path() {
        assert_eq!(path("file:///a%20b/c.mjs"), "/a b/c.mjs");
        assert_eq!(path("file:///a.mjs?x=1#y"), "/a.mjs");
        assert_eq!(path("file:///100%"), "/100%");
        assert_eq!(path("node:internal/timers"), "node:internal/timers");
        assert_eq!(path("file://host/a"), "file://host/a");
    }
}
