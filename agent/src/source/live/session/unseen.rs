//! What was not seen of what observed processes have started.

use std::collections::BTreeMap;

/// Processes that could not be observed are told each by itself up to so many; all are counted.
const TOLD_MAX: usize = 4;

/// So many are told from each other.
const REFUSED_MAX: usize = 1_024;

/// Nodes that are there and can't be observed, and why.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(BTreeMap<u32, String>);

/// See the module.
#[derive(Clone, Debug, Default)]
pub(in crate::source::live) struct Unseen {
    /// Nodes that had ended before they could be observed.
    pub(super) missed: u64,
    /// Programs that were executed too fast to be looked at.
    pub(super) too_fast: u64,
    /// Hits of loops for which there was no room in the kernel.
    pub(super) no_room: u64,
    /// Reads of the memory of targets that failed.
    pub(super) unread: u64,
    pub(super) refused: Refused,
}

impl Refused {
    pub(super) fn note(&mut self, pid: u32, why: String) {
        if self.0.len() < REFUSED_MAX || self.0.contains_key(&pid) {
            self.0.insert(pid, why);
        }
    }

    /// It is observed after all.
    pub(super) fn settle(&mut self, pid: u32) {
        self.0.remove(&pid);
    }
}

impl Unseen {
    /// Each in a line.
    pub(in crate::source::live) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.missed {
            0 => {}
            1 => notes.push("1 Node.js process ended before it could be observed".to_owned()),
            count => {
                notes
                    .push(format!("{count} Node.js processes ended before they could be observed"));
            }
        }
        if self.too_fast > 0 {
            notes.push(format!(
                "{} programs were executed faster than they could be looked at: Node.js processes \
                 among them may be missing",
                self.too_fast
            ));
        }
        if self.no_room > 0 {
            notes.push(format!(
                "there was no room for all loops: {} hits are in no count; run fewer workers at \
                 once",
                self.no_room
            ));
        }
        if self.unread > 0 {
            notes.push(format!(
                "memory could not be read {} times, and the polls, timers or drains that it was \
                 for are in no count; see that the machine does not swap",
                self.unread
            ));
        }
        let refused = &self.refused.0;
        let told = refused.iter().take(TOLD_MAX);
        notes.extend(told.map(|(pid, why)| format!("process {pid} was not observed: {why}")));
        if let Some(more) = refused.len().checked_sub(TOLD_MAX).filter(|&more| more > 0) {
            notes.push(format!("{more} more Node.js processes were not observed"));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_in_a_line_and_of_many_how_many_there_are() {
        assert!(Unseen::default().notes().is_empty());
        let counts = Unseen { no_room: 4, unread: 5, ..Unseen::default() };
        let mut unseen = Unseen { missed: 2, too_fast: 3, ..counts };
        (1..=6).for_each(|pid| unseen.refused.note(pid, "it is of glass".to_owned()));
        unseen.refused.settle(1);
        let notes = unseen.notes();
        assert_eq!(notes.len(), 9, "{notes:?}");
        assert_eq!(notes[0], "2 Node.js processes ended before they could be observed");
        assert!(notes[1].starts_with("3 programs were executed faster"), "{}", notes[1]);
        assert!(notes[2].contains("4 hits are in no count"), "{}", notes[2]);
        assert!(notes[3].starts_with("memory could not be read 5 times"), "{}", notes[3]);
        assert_eq!(notes[4], "process 2 was not observed: it is of glass");
        assert_eq!(notes[8], "1 more Node.js processes were not observed");
    }

    #[test]
    fn the_first_of_very_many_are_kept() {
        let mut refused = Refused::default();
        (0..2_000).for_each(|pid| refused.note(pid, String::new()));
        refused.note(7, "anew".to_owned());
        assert_eq!((refused.0.len(), refused.0[&7].as_str()), (REFUSED_MAX, "anew"));
    }
}
