//! What the end of a script says of its source map.

use super::Broken;
use super::vlq::base64;
use crate::url;

/// Before the URL of the map; the older way has an `@`.
const MARKS: [&[u8]; 2] = [b"//# sourceMappingURL=", b"//@ sourceMappingURL="];

/// Where the map of a script is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// In a file: its path, which may be relative to the script's folder.
    File(String),
    /// In the script itself: its bytes.
    Inline(Vec<u8>),
}

/// Where the map of a script is. `None`: it says nothing of one in its last comments.
///
/// # Errors
/// It is neither in a file nor in base64.
pub fn reference(script: &[u8]) -> Option<Result<Reference, Broken>> {
    let lines = script.rsplit(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    for line in lines.filter(|line| !line.is_empty()) {
        // What a minifier has made is one line.
        let mark = MARKS.iter().filter_map(|mark| Some((last(line, mark)?, mark.len()))).max();
        if let Some((at, length)) = mark {
            let url = std::str::from_utf8(&line[at + length..]).ok()?;
            let is_url = |char: char| !char.is_whitespace() && !['"', '\'', '`'].contains(&char);
            return (!url.is_empty() && url.chars().all(is_url)).then(|| read(url));
        }
        if !line.starts_with(b"//") {
            return None;
        }
    }
    None
}

fn read(url: &str) -> Result<Reference, Broken> {
    if let Some(data) = url.strip_prefix("data:") {
        let (kind, data) = data.split_once(',').ok_or(Broken::Elsewhere)?;
        let data = kind.ends_with(";base64").then_some(data).ok_or(Broken::Elsewhere)?;
        return base64(data.as_bytes()).map(Reference::Inline).ok_or(Broken::Elsewhere);
    }
    let path = match url.contains("://") {
        true => url::path(url),
        false => url::unescaped(url.split(['?', '#']).next().unwrap_or_default()),
    };
    match path.is_empty() || path.contains("://") {
        true => Err(Broken::Elsewhere),
        false => Ok(Reference::File(path)),
    }
}

/// Where a text stands for the last time.
fn last(line: &[u8], text: &[u8]) -> Option<usize> {
    // Most of a long line is base64 behind the mark, or code before it, without two slashes.
    let slashes = line.windows(2).enumerate().rev().filter(|(_, two)| *two == b"//");
    slashes.map(|(at, _)| at).find(|&at| line[at..].starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(script: &str) -> Option<String> {
        match reference(script.as_bytes())? {
            Ok(Reference::File(path)) => Some(path),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_last_comments_of_a_script_name_its_map() {
        let is = |path: &str| Some(path.to_owned());
        assert_eq!(file("f();\n//# sourceMappingURL=a.js.map"), is("a.js.map"));
        assert_eq!(file("f();//# sourceMappingURL=a.js.map\r\n\n// end\n"), is("a.js.map"));
        assert_eq!(file("//@ sourceMappingURL=../a%20b.map?x"), is("../a b.map"));
        assert_eq!(file("//# sourceMappingURL=file:///a/b.map"), is("/a/b.map"));
        assert_eq!(file("//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map"), is("b.map"));
        assert_eq!(file("//# sourceMappingURL=a.map\nf();\n"), None);
        assert_eq!(file("f('//# sourceMappingURL=a.map');"), None);
        assert_eq!(file("f();"), None);
        assert_eq!(file(""), None);
    }

    #[test]
    fn a_map_may_stand_in_the_script() {
        let of = |url: &str| reference(format!("//# sourceMappingURL={url}").as_bytes());
        let inline = of("data:application/json;charset=utf-8;base64,e30=");
        assert_eq!(inline, Some(Ok(Reference::Inline(b"{}".to_vec()))));
        let elsewhere = Some(Err(Broken::Elsewhere));
        assert_eq!(of("data:application/json,{}"), elsewhere);
        assert_eq!(of("data:application/json;base64,!"), elsewhere);
        assert_eq!(of("https://cdn/a.map"), elsewhere);
    }
}
