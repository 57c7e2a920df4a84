//! A compiled script beside its map.

use super::limits::{BEFORE_MAX, BETWEEN_BYTES_MAX};
use super::map::{Original, SourceMap};

/// See the module. The script itself is kept only where the map has names.
#[derive(Clone, Debug)]
pub struct Compiled {
    map: SourceMap,
    text: String,
    /// Where each line of it begins.
    lines: Vec<usize>,
}

impl Compiled {
    /// Of a script and its map.
    pub fn new(script: &[u8], map: SourceMap) -> Compiled {
        let (mut text, mut lines) = (String::new(), Vec::new());
        if map.has_names() {
            text = String::from_utf8_lossy(script).into_owned();
            lines = text.split_inclusive('\n').map(str::len).collect();
            let mut begin = 0;
            for length in &mut lines {
                begin += std::mem::replace(length, begin);
            }
        }
        Compiled { map, text, lines }
    }

    /// Where a place in the script comes from, both counted from 1.
    pub fn original(&self, line: u32, column: u32) -> Option<Original<'_>> {
        self.map.original(line, column)
    }

    /// What a function is called in its source: one that V8 calls `name`, and that begins there,
    /// counted from 1, which is behind its name. `None`: the map does not say.
    pub fn function(&self, name: &str, (line, column): (u32, u32)) -> Option<&str> {
        let name = name.rsplit('.').next().filter(|name| !name.is_empty())?;
        let begin = self.at(line, column)?;
        let near = self.map.names_before(line, column).take(BEFORE_MAX);
        let mut found = near.filter(|(from, _)| {
            let Some(from) = self.at(line, *from) else { return false };
            let between = self.text.get(from..begin).and_then(|text| text.strip_prefix(name));
            between.is_some_and(is_between)
        });
        found.next().map(|(_, original)| original)
    }

    /// The memory that it takes.
    pub fn bytes(&self) -> usize {
        self.map.bytes() + self.text.len() + self.lines.len() * size_of::<usize>()
    }

    /// Where in the text a place is whose column counts characters as JavaScript does.
    fn at(&self, line: u32, column: u32) -> Option<usize> {
        let line = usize::try_from(line.checked_sub(1)?).ok()?;
        let begin = *self.lines.get(line)?;
        let mut left = usize::try_from(column.checked_sub(1)?).ok()?;
        for (at, char) in self.text[begin..].char_indices() {
            if left == 0 {
                return Some(begin + at);
            }
            left = left.checked_sub(char.len_utf16())?;
        }
        (left == 0).then_some(self.text.len())
    }
}

/// Whether only this stands between a function's name and its beginning: `function name(`,
/// `name = (`, `name: async function* (`.
fn is_between(text: &str) -> bool {
    if text.len() > BETWEEN_BYTES_MAX {
        return false;
    }
    let mut rest = text.trim_start();
    rest = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
    for word in ["async", "function", "*"] {
        rest = rest.strip_prefix(word).unwrap_or(rest).trim_start();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `names` are the names' segments: column from 0, the original name.
    fn compiled(script: &str, names: &[(u8, &str)]) -> Compiled {
        let digit = |number: u8| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"[number as usize]);
        let mut before = 0;
        let segments = names.iter().enumerate().map(|(index, (column, _))| {
            // Below 16 a number is one digit.
            let by = column - std::mem::replace(&mut before, *column);
            format!("{}AAA{}", digit(by * 2), digit(if index == 0 { 0 } else { 2 }))
        });
        let mappings = segments.collect::<Vec<_>>().join(",");
        let names: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        let json = serde_json::json!({
            "version": 3, "sources": ["a.ts"], "names": names, "mappings": mappings,
        });
        let map = SourceMap::parse(json.to_string().as_bytes(), "/app").expect("it is a map");
        Compiled::new(script.as_bytes(), map)
    }

    fn name(script: &str, called: &str, names: &[(u8, &str)], column: u32) -> Option<String> {
        compiled(script, names).function(called, (1, column)).map(str::to_owned)
    }

    #[test]
    fn functions_have_their_names_back() {
        let is = |name: &str| Some(name.to_owned());
        assert_eq!(name("function a(b){}", "a", &[(9, "work"), (11, "list")], 11), is("work"));
        assert_eq!(name("const a=b=>b;", "a", &[(6, "work"), (8, "list")], 9), is("work"));
        assert_eq!(name("x={a:async function(){}}", "x.a", &[(3, "work")], 20), is("work"));
        assert_eq!(name("é='\u{1F600}';a=(b)=>b", "a", &[(7, "work")], 10), is("work"));
    }

    #[test]
    fn a_name_of_something_else_is_not_taken() {
        assert_eq!(name("a.b={a:function(){}}", "a", &[(0, "module")], 16), None);
        assert_eq!(name("a(()=>1)", "", &[(0, "each")], 3), None);
        assert_eq!(name("function a(){}", "b", &[(9, "work")], 11), None);
        assert_eq!(name("function a(){}", "a", &[], 11), None);
        assert_eq!(name("function a(){}", "a", &[(9, "work")], 99), None);
    }
}
