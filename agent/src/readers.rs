//! Who reads what is observed, and how often: for so long those that have ended have to be told.
//!
//! ```text
//!  a process ends ──reader A──reader B──┐
//!                 └── once the longest interval: each has read it once, and then it is gone
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Readers that are known; a scan of ports is none of them.
const READERS_MAX: usize = 16;

/// Who has not read for so long reads no more.
const GONE_NS: u64 = 600_000_000_000;

/// The shortest and longest time for which those that have ended are told.
const LINGER_NS: (u64, u64) = (1_000_000_000, 120_000_000_000);

/// Readers come a little late at times.
const LATE_PERCENT: u64 = 110;

/// More of what a reader calls itself is not kept.
const NAME_CHARS_MAX: usize = 128;

/// Who reads by HTTP: two servers of one kind, as a pair that stands in for each other, are two.
pub(crate) fn of_http(address: IpAddr, agent: &str) -> String {
    let agent: String = agent.chars().take(NAME_CHARS_MAX).collect();
    format!("{address} {agent}")
}

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

    /// For how long those that have ended are told. A reader of which it is not known how often it
    /// comes is taken to come once in `unknown_ns`.
    pub(crate) fn linger_ns(&self, unknown_ns: u64) -> u64 {
        let late = |interval_ns: u64| {
            let late_ns = interval_ns.saturating_mul(LATE_PERCENT) / 100;
            late_ns.clamp(LINGER_NS.0, LINGER_NS.1)
        };
        let of = |reader: &Reader| reader.interval_ns.map_or(unknown_ns, late);
        self.0.values().map(of).max().unwrap_or(unknown_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn the_slowest_reader_decides() {
        let mut readers = Readers::default();
        assert_eq!(readers.linger_ns(30 * SECOND), 30 * SECOND, "nobody has read");
        readers.note("a", 0);
        assert_eq!(readers.linger_ns(30 * SECOND), 30 * SECOND, "nobody has read twice");
        for at in 1..=6 {
            readers.note("a", at * 5 * SECOND);
            if at % 3 == 0 {
                readers.note("b", at * 5 * SECOND);
            }
        }
        assert_eq!(readers.linger_ns(30 * SECOND), 16_500_000_000);
        readers.note("a", 800 * SECOND);
        readers.note("a", 800 * SECOND + 10);
        assert_eq!(readers.linger_ns(30 * SECOND), SECOND, "b reads no more, and a very often");
    }

    #[test]
    fn for_one_who_has_read_once_it_is_told_for_long() {
        let mut readers = Readers::default();
        readers.note("a", 0);
        readers.note("a", 5 * SECOND);
        assert_eq!(readers.linger_ns(30 * SECOND), 5_500_000_000);
        readers.note("b", 6 * SECOND);
        assert_eq!(readers.linger_ns(30 * SECOND), 30 * SECOND, "b may come once in 15 s");
        readers.note("b", 21 * SECOND);
        assert_eq!(readers.linger_ns(30 * SECOND), 16_500_000_000);
    }

    #[test]
    fn two_of_one_kind_are_two() {
        let mut readers = Readers::default();
        let [first, second] = ["10.0.0.1", "10.0.0.2"].map(|address| {
            let address = address.parse().expect("an address");
            of_http(address, "Prometheus/3.5.0")
        });
        for at in 0..4 {
            readers.note(&first, at * 60 * SECOND);
            readers.note(&second, at * 60 * SECOND + SECOND);
        }
        assert_eq!(readers.linger_ns(30 * SECOND), 66 * SECOND);
        assert!(of_http("::1".parse().expect("an address"), &"x".repeat(9_999)).len() < 200);
    }

    #[test]
    fn no_crowd_of_readers_is_kept() {
        let mut readers = Readers::default();
        (0..10_000).for_each(|number| readers.note(&number.to_string(), number));
        assert_eq!(readers.0.len(), READERS_MAX);
    }
}
