//! What `top` shows, and what the keys do: a list of loops, worst first, and the newest stalls.
//!
//! ```text
//!  Now, once a second ──┐
//!  keys ────────────────┴──> Top ──> draw (a terminal) or plain (a pipe)
//! ```
//!
//! No clock, no terminal: they are handed in.

mod draw;
mod plain;

use std::collections::BTreeMap;

use crate::now::{Listed, Now, Row};

pub use draw::draw;
pub use plain::lines;

/// A key, as far as it means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The next loop.
    Down,
    /// The one before.
    Up,
    /// Shows the stack of a stall, or no longer.
    Enter,
    /// Shows everything as it was, or goes on.
    Pause,
    /// Begins to write a filter.
    Slash,
    /// Takes back the last character, the filter, or ends.
    Escape,
    /// Takes back the last character of the filter.
    Backspace,
    /// A character of the filter, or a key that has no other name.
    Char(char),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Top {
    now: Option<Now>,
    /// What was so before, for what happens in a second.
    before: Option<Now>,
    /// The process and thread that is pointed at.
    chosen: Option<(u32, String)>,
    is_open: bool,
    is_paused: bool,
    is_writing: bool,
    filter: String,
    /// When the newest stall began that a line was written of, by process and thread.
    told: BTreeMap<(u32, String), u64>,
}

impl Top {
    /// Takes what is so now.
    pub fn take(&mut self, now: Now) {
        if !self.is_paused {
            self.before = self.now.replace(now);
        }
    }

    /// A key was pressed. Returns whether it asks for an end.
    pub fn press(&mut self, key: Key) -> bool {
        if self.is_writing {
            match key {
                Key::Enter => self.is_writing = false,
                Key::Escape => (self.is_writing, self.filter) = (false, String::new()),
                Key::Backspace => drop(self.filter.pop()),
                Key::Slash => self.filter.push('/'),
                Key::Char(char) => self.filter.push(char),
                Key::Pause => self.filter.push('p'),
                Key::Down | Key::Up => {}
            }
            return false;
        }
        match key {
            Key::Char('q') => return true,
            Key::Down | Key::Char('j') => self.step(1),
            Key::Up | Key::Char('k') => self.step(-1),
            Key::Enter => self.is_open = !self.is_open,
            Key::Pause => self.is_paused = !self.is_paused,
            Key::Slash => self.is_writing = true,
            Key::Escape if self.is_open => self.is_open = false,
            Key::Escape if !self.filter.is_empty() => self.filter.clear(),
            Key::Escape => return true,
            Key::Backspace | Key::Char(_) => {}
        }
        false
    }

    /// The loops that are wanted, worst first.
    fn rows(&self) -> Vec<&Row> {
        let all = self.now.iter().flat_map(|now| &now.loops);
        all.filter(|row| self.wants(&row.target, row.pid, &row.thread)).collect()
    }

    /// The stalls that are wanted: of the loop that is pointed at, if one is.
    fn stalls(&self) -> Vec<&Listed> {
        let all = self.now.iter().flat_map(|now| &now.stalls);
        let is_chosen = |of: &Listed| match &self.chosen {
            Some((pid, thread)) => (of.pid, &of.thread) == (*pid, thread),
            None => true,
        };
        all.filter(|of| self.wants(&of.target, of.pid, &of.thread) && is_chosen(of)).collect()
    }

    fn wants(&self, target: &str, pid: u32, thread: &str) -> bool {
        let text = format!("{target} {pid} {thread}").to_lowercase();
        text.contains(&self.filter.to_lowercase())
    }

    fn position(&self, rows: &[&Row]) -> Option<usize> {
        let (pid, thread) = self.chosen.as_ref()?;
        rows.iter().position(|row| row.pid == *pid && row.thread == *thread)
    }

    fn step(&mut self, by: isize) {
        let rows = self.rows();
        let Some(last) = rows.len().checked_sub(1) else { return };
        let chosen = match self.position(&rows) {
            None => Some(0),
            // Above the first there is none chosen: the stalls of all.
            Some(at) => at.checked_add_signed(by).map(|at| at.min(last)),
        };
        self.chosen = chosen.map(|at| (rows[at].pid, rows[at].thread.clone()));
    }

    /// Turns in a second, since it was looked before.
    fn turns_per_s(&self, row: &Row) -> Option<f64> {
        let (now, before) = (self.now.as_ref()?, self.before.as_ref()?);
        let same = |one: &&Row| (one.pid, &one.thread) == (row.pid, &row.thread);
        let turns = row.turns?.checked_sub(before.loops.iter().find(same)?.turns?)?;
        let passed_ns = now.unix_ns.checked_sub(before.unix_ns).filter(|&ns| ns > 0)?;
        Some(turns as f64 * 1e9 / passed_ns as f64)
    }
}

/// What a process and thread are called together.
fn who(target: &str, thread: &str) -> String {
    let target = if target.is_empty() { "unknown" } else { target };
    if thread == "main" { target.to_owned() } else { format!("{target} {thread}") }
}

/// Who is to blame, or what was waited for.
fn culprit(of: &Listed) -> String {
    match (&of.culprit, of.waits.first()) {
        (Some(culprit), _) => {
            format!("{} ({}:{})", culprit.function, culprit.file, culprit.line)
        }
        (None, Some(wait)) => wait.clone(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests;
