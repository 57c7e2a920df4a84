//! Who reads what is observed, and how often: for so long those that have ended have to be told.
//!
//! ```text
//!  a process ends ──reader A──reader B──┐
//!                 └── once the longest interval: each has read it once, and then it is gone
//! ```

use std::collections::BTreeMap;

/// Readers that are known; a scan of ports is none of them.
const READERS_MAX: usize = 16;

/// Who has not read for so long reads no more.
const GONE_NS: u64 = 600_000_000_000;

/// The shortest and longest time for which those that have ended are told.
const LINGER_NS: (u64, u64) = (1_000_000_000, 120_000_000_000);

/// Readers come a little late at times.
const LATE_PERCENT: u64 = 110;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Readers(BTreeMap<String, Reader>);

#[derive(Debug)]
struct Reader {
    last_ns: u64,
    /// From its last reading but one to its last.
    interval_ns: Option<u64>,
}

impl Readers {
    /// Somebody reads.
    pub(crate) fn note(&mut self, who: &str, now_ns: u64) {
        self.0.retain(|_, reader| now_ns.saturating_sub(reader.last_ns) < GONE_NS);
        if let Some(reader) = self.0.get_mut(who) {
            reader.interval_ns = Some(now_ns.saturating_sub(reader.last_ns));
            reader.last_ns = now_ns;
        } else if self.0.len() < READERS_MAX {
            self.0.insert(who.to_owned(), Reader { last_ns: now_ns, interval_ns: None });
        }
    }

    /// For how long those that have ended are told. `None`: nobody has read twice.
    pub(crate) fn linger_ns(&self) -> Option<u64> {
        let longest = self.0.values().filter_map(|reader| reader.interval_ns).max()?;
        let late_ns = longest.saturating_mul(LATE_PERCENT) / 100;
        Some(late_ns.clamp(LINGER_NS.0, LINGER_NS.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn the_slowest_reader_decides() {
        let mut readers = Readers::default();
        readers.note("a", 0);
        assert_eq!(readers.linger_ns(), None);
        for at in 1..=6 {
            readers.note("a", at * 5 * SECOND);
            if at % 3 == 0 {
                readers.note("b", at * 5 * SECOND);
            }
        }
        assert_eq!(readers.linger_ns(), Some(16_500_000_000));
        readers.note("a", 800 * SECOND);
        readers.note("a", 800 * SECOND + 10);
        assert_eq!(readers.linger_ns(), Some(SECOND), "b reads no more, and a very often");
    }

    #[test]
    fn no_crowd_of_readers_is_kept() {
        let mut readers = Readers::default();
        (0..10_000).for_each(|number| readers.note(&number.to_string(), number));
        assert_eq!(readers.0.len(), READERS_MAX);
    }
}
