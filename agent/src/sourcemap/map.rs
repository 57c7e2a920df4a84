//! A source map: JSON in, places out.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::Broken;
use super::limits::{SECTIONS_MAX, SEGMENTS_MAX, WORDS_MAX};
use super::vlq;
use crate::url;

/// Nothing, where the number of a source or name is expected.
const NONE: u32 = u32::MAX;

/// The words before which some servers put what no script can be.
const GUARD: &[u8] = b")]}'";

/// Where each stretch of a script comes from.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Option<String>>,
    names: Vec<String>,
    /// By place in the script.
    segments: Vec<Segment>,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Original<'a> {
    /// Its path, or its URL if that is none of a file.
    pub source: &'a str,
    /// Its line, from 1.
    pub line: u32,
    /// Its column, from 1.
    pub column: u32,
}

/// From a place in the script, counted from 0, to the next one.
#[derive(Clone, Copy, Debug)]
struct Segment {
    line: u32,
    column: u32,
    source: u32,
    source_line: u32,
    source_column: u32,
    name: u32,
}

/// A map as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    version: u32,
    source_root: Option<String>,
    #[serde(default)]
    sources: List<Option<String>, WORDS_MAX>,
    #[serde(default)]
    names: List<String, WORDS_MAX>,
    #[serde(default)]
    mappings: String,
    sections: Option<List<Section, SECTIONS_MAX>>,
}

/// The map of a part of the script.
#[derive(Deserialize)]
struct Section {
    offset: Offset,
    map: Written,
}

/// Where a part begins, from 0.
#[derive(Clone, Copy, Default, Deserialize)]
struct Offset {
    line: u32,
    column: u32,
}

impl SourceMap {
    /// Reads a map. `folder` is that of its file: what its sources are relative to.
    ///
    /// # Errors
    /// It is no map, or a damaged one, or tells more than is kept.
    pub fn parse(bytes: &[u8], folder: &str) -> Result<SourceMap, Broken> {
        let mut bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.starts_with(GUARD) {
            let line = bytes.iter().position(|&byte| byte == b'\n');
            bytes = &bytes[line.unwrap_or(bytes.len())..];
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|_| Broken::Json)?;
        let mut map = SourceMap::default();
        match written.sections {
            None => map.add(written, Offset::default(), folder)?,
            Some(_) if written.version != 3 => return Err(Broken::Version),
            Some(sections) => {
                for Section { offset, map: part } in sections.0 {
                    map.add(part, offset, folder)?;
                }
            }
        }
        let place = |segment: &Segment| (segment.line, segment.column);
        if !map.segments.is_sorted_by_key(place) {
            map.segments.sort_by_key(place);
        }
        map.segments.shrink_to_fit();
        Ok(map)
    }

    /// Where a place in the script comes from, both counted from 1. `None`: the map does not say.
    pub fn original(&self, line: u32, column: u32) -> Option<Original<'_>> {
        let segment = self.before(line, column).next()?;
        let source = self.sources.get(usize::try_from(segment.source).ok()?)?;
        Some(Original {
            source: source.as_deref()?,
            line: segment.source_line.saturating_add(1),
            column: segment.source_column.saturating_add(1),
        })
    }

    /// The names that stretches at a place and before it on its line have, nearest first, with the
    /// columns where those begin; all counted from 1.
    pub fn names_before(&self, line: u32, column: u32) -> impl Iterator<Item = (u32, &str)> {
        self.before(line, column).filter_map(|segment| {
            let name = self.names.get(usize::try_from(segment.name).ok()?)?;
            Some((segment.column.saturating_add(1), name.as_str()))
        })
    }

    /// Whether it has names of functions and variables.
    pub fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// The memory that it takes.
    pub fn bytes(&self) -> usize {
        let sources = self.sources.iter().map(|source| source.as_ref().map_or(0, String::len));
        let words: usize = sources.chain(self.names.iter().map(String::len)).sum();
        let lists = (self.sources.len() + self.names.len()) * size_of::<String>();
        words + lists + self.segments.len() * size_of::<Segment>()
    }

    /// The segments at a place and before it on its line, nearest first.
    fn before(&self, line: u32, column: u32) -> impl Iterator<Item = &Segment> {
        let place = line.checked_sub(1).zip(column.checked_sub(1));
        let is_before =
            |segment: &Segment| place.is_some_and(|place| (segment.line, segment.column) <= place);
        let end = self.segments.partition_point(is_before);
        let is_there = move |segment: &&Segment| Some(segment.line) == place.map(|(line, _)| line);
        self.segments[..end].iter().rev().take_while(is_there)
    }

    /// Adds what a map says of a part of the script.
    fn add(&mut self, of: Written, offset: Offset, folder: &str) -> Result<(), Broken> {
        if of.version != 3 {
            return Err(Broken::Version);
        }
        if of.sections.is_some() {
            return Err(Broken::Json);
        }
        let begins = (self.sources.len(), self.names.len());
        if begins.0 + of.sources.0.len() > WORDS_MAX || begins.1 + of.names.0.len() > WORDS_MAX {
            return Err(Broken::TooLarge);
        }
        let root = of.source_root.as_deref().unwrap_or_default();
        let placed = |source: Option<String>| source.map(|source| placed(folder, root, &source));
        self.sources.extend(of.sources.0.into_iter().map(placed));
        self.names.extend(of.names.0);
        let mut state = [0_i64; 5];
        for (line, text) in of.mappings.as_bytes().split(|&char| char == b';').enumerate() {
            let line = u32::try_from(line).ok().and_then(|line| line.checked_add(offset.line));
            let line = line.ok_or(Broken::Mappings)?;
            state[0] = if line == offset.line { offset.column.into() } else { 0 };
            for segment in text.split(|&char| char == b',').filter(|text| !text.is_empty()) {
                let segment = self.segment(line, segment, &mut state, begins);
                let segment = segment.ok_or(Broken::Mappings)?;
                if self.segments.len() == SEGMENTS_MAX {
                    return Err(Broken::TooLarge);
                }
                self.segments.push(segment);
            }
        }
        Ok(())
    }

    /// A segment as it is written: how it differs from the one before, which is the `state`.
    fn segment(
        &self,
        line: u32,
        text: &[u8],
        state: &mut [i64; 5],
        begins: (usize, usize),
    ) -> Option<Segment> {
        let (count, numbers) = vlq::numbers(text)?;
        if ![1, 4, 5].contains(&count) {
            return None;
        }
        for (is, by) in state.iter_mut().zip(numbers) {
            *is = is.checked_add(by)?;
        }
        let number = |index: usize| u32::try_from(state[index]).ok().filter(|&is| is != NONE);
        let word = |index: usize, begins: usize, of: usize| {
            let at = begins.checked_add(usize::try_from(state[index]).ok()?)?;
            u32::try_from(at).ok().filter(|_| at < of)
        };
        let column = number(0)?;
        if count == 1 {
            let (source, name) = (NONE, NONE);
            return Some(Segment { line, column, source, source_line: 0, source_column: 0, name });
        }
        Some(Segment {
            line,
            column,
            source: word(1, begins.0, self.sources.len())?,
            source_line: number(2)?,
            source_column: number(3)?,
            name: if count == 5 { word(4, begins.1, self.names.len())? } else { NONE },
        })
    }
}

/// The path of a source, or its URL if that is none of a file.
fn placed(folder: &str, root: &str, source: &str) -> String {
    let joined = match root.is_empty() || is_absolute(source) {
        true => source.to_owned(),
        false => format!("{}/{source}", root.trim_end_matches('/')),
    };
    let joined = match is_absolute(&joined) {
        true => url::path(&joined),
        false => format!("{folder}/{joined}"),
    };
    let (scheme, path) = joined.split_at(joined.find("://").map_or(0, |at| at + 3));
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    // A URL has its host there.
    let begin = if path.starts_with('/') { "/" } else { "" };
    format!("{scheme}{begin}{}", parts.join("/"))
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.contains("://")
}

/// A list of so many at most.
struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> List<T, MAX> {
        List(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<List<T, MAX>, D::Error> {
        from.deserialize_seq(Items(PhantomData))
    }
}

struct Items<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Items<T, MAX> {
    type Value = List<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T, MAX>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::invalid_length(MAX, &self));
            }
            list.push(item);
        }
        Ok(List(list))
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
