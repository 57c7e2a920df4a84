//! The samples of one turn, counted by function, and who they blame.
//!
//! The culprit is the deepest function of the program that has a name and stands on the stack in
//! at least half of the samples; the code of a module has one, too: `(top level)`. Where there is
//! none, it is the deepest function without a name, so that the stall has a file and a line. The
//! line is the one at which the function was seen most, where the call begins that it was in; where
//! the engine never knew, where the function begins.
//!
//! Samples that saw no code of the program, as between two promise reactions, are no part of the
//! shares. Functions of one name in one file are taken for one.
//!
//! **Invariant**: what is kept is bounded. A function that comes after so many can't be blamed.

use std::collections::HashMap;
use std::hash::Hash;

use super::frame::{Frame, Place};
use super::limits::{
    CULPRIT_SHARE, FRAMES_TOLD, FUNCTIONS_MAX, PLACES_MAX, SEEN_SHARE_MIN, STACKS_MAX,
};
use crate::recorder::Blamed;
use crate::snapshot::Culprit;

/// Corrects the lines that are told.
pub trait Lines {
    /// The line to tell for a frame that was seen at this line and column of a file, where it has
    /// called `callee`, which is empty if it has called nothing.
    fn line(&self, file: &str, at: (u32, u32), callee: &str) -> u32;
}

/// What a function is told apart by: its name and file; without a name also the line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    name: String,
    file: String,
    line: u32,
}

/// Where a function was seen: line and column, and what it has called there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Spot {
    at: (u32, u32),
    callee: String,
}

/// A frame as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Told {
    name: String,
    file: Option<String>,
    spot: Option<Spot>,
    begins: Option<u32>,
}

/// What was seen of a function.
#[derive(Clone, Debug, Default)]
struct Seen {
    samples: u64,
    /// The frames outside of it, summed over the samples.
    depth: u64,
    spots: HashMap<Spot, u64>,
    begins: Option<u32>,
    leaves: HashMap<String, u64>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Tally {
    /// When the turn began.
    start_ns: u64,
    samples: u64,
    /// Those that saw code of the program.
    seen: u64,
    functions: HashMap<Key, Seen>,
    stacks: HashMap<Vec<Told>, u64>,
}

impl Tally {
    /// Of a turn that began at `start_ns`, by whatever clock.
    pub fn new(start_ns: u64) -> Tally {
        Tally { start_ns, samples: 0, seen: 0, functions: HashMap::new(), stacks: HashMap::new() }
    }

    /// When the turn began.
    pub fn start_ns(&self) -> u64 {
        self.start_ns
    }

    /// Counts a stack, innermost frame first, so many times.
    pub fn add(&mut self, frames: &[Frame<'_>], times: u64) {
        self.samples += times;
        // What is outside of the program's outermost function has called it.
        let Some(outermost) = frames.iter().rposition(Frame::is_programs) else { return };
        let frames = &frames[..=outermost];
        self.seen += times;
        let leaf = leaf(frames);
        let mut counted = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let Some((key, place)) = key(frame) else { continue };
            if counted.contains(&key) {
                continue;
            }
            counted.push(key.clone());
            if self.functions.len() == FUNCTIONS_MAX && !self.functions.contains_key(&key) {
                continue;
            }
            let seen = self.functions.entry(key).or_default();
            seen.samples += times;
            seen.depth += times * (frames.len() - index) as u64;
            seen.begins = seen.begins.or(place.begins);
            let spot = spot(frames, index);
            spot.into_iter().for_each(|spot| count(&mut seen.spots, spot, times, PLACES_MAX));
            leaf.iter().for_each(|leaf| count(&mut seen.leaves, leaf.clone(), times, PLACES_MAX));
        }
        let told = (0..frames.len()).filter_map(|index| told(frames, index));
        let told = told.take(FRAMES_TOLD).collect();
        count(&mut self.stacks, told, times, STACKS_MAX);
    }

    /// Who is to blame, as far as the samples tell.
    pub fn blame(&self, lines: &dyn Lines) -> Blamed {
        let stack = most(&self.stacks);
        Blamed {
            culprit: self.culprit(lines),
            stack: stack.map(|(stack, _)| stack.iter().map(|told| told.text(lines)).collect()),
            profile: None,
        }
    }

    fn culprit(&self, lines: &dyn Lines) -> Option<Culprit> {
        if (self.seen as f64) < self.samples as f64 * SEEN_SHARE_MIN {
            return None;
        }
        let (key, seen) = self.deepest(true).or_else(|| self.deepest(false))?;
        let mut seen_at: HashMap<u32, u64> = HashMap::new();
        for (spot, times) in &seen.spots {
            *seen_at.entry(lines.line(&key.file, spot.at, &spot.callee)).or_default() += times;
        }
        let line = most(&seen_at).map(|(line, _)| *line).or(seen.begins)?;
        let hot_leaf = most(&seen.leaves).filter(|(_, times)| self.is_most(*times, seen.samples));
        let name = if key.name.is_empty() { "(anonymous)" } else { &key.name };
        Some(Culprit {
            function: name.to_owned(),
            file: key.file.clone(),
            line,
            share: seen.samples as f64 / self.seen as f64,
            samples: Some(self.seen),
            hot_leaf: hot_leaf.map(|(leaf, _)| leaf.clone()),
        })
    }

    fn is_most(&self, part: u64, whole: u64) -> bool {
        part as f64 >= whole as f64 * CULPRIT_SHARE
    }

    /// The deepest function with or without a name that is in enough samples.
    fn deepest(&self, named: bool) -> Option<(&Key, &Seen)> {
        let depth = |seen: &Seen| seen.depth as f64 / seen.samples as f64;
        let fit = self.functions.iter().filter(|(key, seen)| {
            key.name.is_empty() != named && self.is_most(seen.samples, self.seen)
        });
        // Of equals always the same one, in whatever order they are kept.
        fit.max_by(|(a_key, a), (b_key, b)| {
            let by_name = || (&a_key.name, a_key.line).cmp(&(&b_key.name, b_key.line));
            depth(a).total_cmp(&depth(b)).then_with(by_name)
        })
    }
}

impl Told {
    /// As stacks show it.
    fn text(&self, lines: &dyn Lines) -> String {
        let line = |(file, spot): (&String, &Spot)| lines.line(file, spot.at, &spot.callee);
        let line = self.file.as_ref().zip(self.spot.as_ref()).map(line);
        let place =
            self.file.as_deref().map(|file| Place { file, line, column: 0, begins: self.begins });
        Frame { name: &self.name, place }.told(line)
    }
}

/// Where a frame of a stack is, and what it has called.
fn spot(frames: &[Frame<'_>], index: usize) -> Option<Spot> {
    let place = frames[index].place?;
    let called = index.checked_sub(1).map(|called| frames[called].name);
    Some(Spot { at: (place.line?, place.column), callee: called.unwrap_or_default().to_owned() })
}

/// A built-in or a frame of the program.
fn told(frames: &[Frame<'_>], index: usize) -> Option<Told> {
    let frame = &frames[index];
    let shown = frame.place.is_none() || frame.is_programs();
    shown.then(|| Told {
        name: frame.name.to_owned(),
        file: frame.place.map(|place| place.file.to_owned()),
        spot: spot(frames, index),
        begins: frame.place.and_then(|place| place.begins),
    })
}

/// What a frame of the program counts for, and where it is.
fn key<'a>(frame: &Frame<'a>) -> Option<(Key, Place<'a>)> {
    let place = frame.place.filter(|_| frame.is_programs())?;
    let line = if frame.name.is_empty() { place.line.or(place.begins)? } else { 0 };
    Some((Key { name: frame.name.to_owned(), file: file(place.file), line }, place))
}

/// A file's path; modules are named by URLs.
fn file(name: &str) -> String {
    name.strip_prefix("file://").unwrap_or(name).to_owned()
}

/// What the program's innermost function has called that is not the program's; or that function
/// itself, if it has no name.
fn leaf(frames: &[Frame<'_>]) -> Option<String> {
    let own = frames.iter().position(Frame::is_programs)?;
    match own.checked_sub(1) {
        Some(called) => Some(plain(&frames[called])),
        None => frames[own].name.is_empty().then(|| plain(&frames[own])),
    }
}

fn plain(frame: &Frame<'_>) -> String {
    frame.told(frame.place.and_then(|place| place.line))
}

fn count<K: Eq + Hash>(counts: &mut HashMap<K, u64>, of: K, times: u64, max: usize) {
    if counts.len() < max || counts.contains_key(&of) {
        *counts.entry(of).or_default() += times;
    }
}

/// What was counted most; of equals the first in order.
fn most<K: Ord>(counts: &HashMap<K, u64>) -> Option<(&K, u64)> {
    let most = counts.iter().max_by(|(a, a_times), (b, b_times)| (a_times, b).cmp(&(b_times, a)));
    most.map(|(of, times)| (of, *times))
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
