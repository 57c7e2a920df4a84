//! Who reads what is observed, and how often: for so long each has to be told of those that have
//! ended.
//!
//! ```text
//!  a process ends ──reader A──reader B──────────┐
//!                 │         └ of B's interval   │
//!                 └ once A has read it, and an interval of A is over, A is told of it no longer
//! ```
//!
//! What is told to one reader does not hang on how often others read.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use loop_core::snapshot::{LoopSnapshot, Snapshot};
use loopscope_exporters::Folded;
use loopscope_exporters::limits::shares_a_place;

/// Readers that are known; a scan of ports is none of them.
const READERS_MAX: usize = 16;

/// Who has not read for so long reads no more.
const GONE_NS: u64 = 600_000_000_000;

/// The shortest and longest time for which those that have ended are told.
const LINGER_NS: (u64, u64) = (1_000_000_000, 120_000_000_000);

/// Readers come a little late at times.
const LATE_PERCENT: u64 = 110;

/// For one that has not come for so many of its intervals nothing is kept any more.
const MISSED_MAX: u64 = 3;

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

#[derive(Clone, Copy, Debug)]
struct Reader {
    last_ns: u64,
    /// Between its last three readings, newest first: where two share a name, their readings come
    /// by turns, and the longer one is nearer to what each of them waits.
    intervals_ns: [Option<u64>; 2],
    /// What is known of it without its last reading; `None`: that is all there was.
    before: Option<Before>,
}

/// What was known of a reader one reading ago.
#[derive(Clone, Copy, Debug)]
struct Before {
    last_ns: u64,
    intervals_ns: [Option<u64>; 2],
}

/// What one reader is still to be told of those that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Who has ended before, by this age, was told; `None`: nobody was told anything yet.
    told_ns: Option<u64>,
}

impl Readers {
    /// Somebody reads what is taken after this.
    pub(crate) fn note(&mut self, who: &str, now_ns: u64) -> Reading {
        self.0.retain(|_, reader| now_ns.saturating_sub(reader.last_ns) < GONE_NS);
        if let Some(reader) = self.0.get_mut(who) {
            let since_ns = now_ns.saturating_sub(reader.last_ns);
            let [newest, _] = reader.intervals_ns;
            let before =
                Some(Before { last_ns: reader.last_ns, intervals_ns: reader.intervals_ns });
            let intervals_ns = [Some(since_ns), newest];
            *reader = Reader { last_ns: now_ns, intervals_ns, before };
            let linger_ns = reader.interval_ns().map_or(since_ns, late);
            return Reading { told_ns: Some(since_ns.max(linger_ns)) };
        }
        if self.0.len() < READERS_MAX {
            let reader = Reader { last_ns: now_ns, intervals_ns: [None; 2], before: None };
            self.0.insert(who.to_owned(), reader);
        }
        Reading::default()
    }

    /// What somebody was to read last was not given out: it is told the next time.
    pub(crate) fn take_back(&mut self, who: &str) {
        let Some(reader) = self.0.get_mut(who) else { return };
        match reader.before.take() {
            Some(Before { last_ns, intervals_ns }) => {
                *reader = Reader { last_ns, intervals_ns, before: None };
            }
            None => drop(self.0.remove(who)),
        }
    }

    /// Somebody reads from now on, once in so long: what ends before the first time is told, too.
    pub(crate) fn expect(&mut self, who: &str, now_ns: u64, interval_ns: u64) {
        self.note(who, now_ns);
        if let Some(reader) = self.0.get_mut(who) {
            reader.intervals_ns = [Some(interval_ns), None];
        }
    }

    /// For how long those that have ended are kept, so that each reader can be told of them. A
    /// reader of which it is not known how often it comes is taken to come once in `unknown_ns`.
    pub(crate) fn linger_ns(&self, now_ns: u64, unknown_ns: u64) -> u64 {
        let of = |reader: &Reader| reader.linger_ns(now_ns).unwrap_or(unknown_ns);
        self.0.values().map(of).max().unwrap_or(unknown_ns)
    }
}

impl Reader {
    fn interval_ns(&self) -> Option<u64> {
        self.intervals_ns.into_iter().flatten().max()
    }

    /// For how long it needs them; one that is late needs them for longer.
    fn linger_ns(&self, now_ns: u64) -> Option<u64> {
        let interval_ns = self.interval_ns()?;
        let since_ns = now_ns.saturating_sub(self.last_ns);
        let is_late = since_ns <= interval_ns.saturating_mul(MISSED_MAX);
        let since_ns = if is_late { since_ns.min(LINGER_NS.1) } else { 0 };
        Some(late(interval_ns).max(since_ns))
    }
}

fn late(interval_ns: u64) -> u64 {
    let late_ns = interval_ns.saturating_mul(LATE_PERCENT) / 100;
    late_ns.clamp(LINGER_NS.0, LINGER_NS.1)
}

impl Reading {
    /// Leaves out what the reader was told for the last time. What shares a place with others stays
    /// for as long as its process is there, as no total falls.
    pub(crate) fn leave_out(self, snapshot: &mut Snapshot, folded: Option<&mut Folded>) {
        let Some(told_ns) = self.told_ns else { return };
        if let Some(folded) = folded {
            folded.last.retain(|of| of.ended_ns.is_none_or(|ended_ns| ended_ns <= told_ns));
        }
        let there = snapshot.loops.iter().filter(|of| of.ended_ns.is_none());
        let there: BTreeSet<u32> = there.map(|of| of.pid).collect();
        let is_over = |of: &LoopSnapshot| {
            let is_alone = !there.contains(&of.pid) || !shares_a_place(&of.thread);
            is_alone && of.ended_ns.is_some_and(|ended_ns| ended_ns > told_ns)
        };
        let (over, stay): (Vec<_>, Vec<_>) =
            std::mem::take(&mut snapshot.loops).into_iter().partition(is_over);
        let stays: BTreeSet<u32> = stay.iter().map(|of| of.pid).collect();
        let gone: BTreeSet<u32> = over.iter().map(|of| of.pid).collect();
        snapshot.targets.retain(|of| !gone.contains(&of.pid) || stays.contains(&of.pid));
        snapshot.loops = stay;
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{ClockKind, Runtime, Source, Target, Tier};

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn what_has_ended_is_kept_for_the_slowest() {
        let mut readers = Readers::default();
        assert_eq!(readers.linger_ns(0, 30 * SECOND), 30 * SECOND, "nobody has read");
        readers.note("a", 0);
        assert_eq!(readers.linger_ns(0, 30 * SECOND), 30 * SECOND, "nobody has read twice");
        for at in 1..=6 {
            readers.note("a", at * 5 * SECOND);
            if at % 3 == 0 {
                readers.note("b", at * 5 * SECOND);
            }
        }
        let linger_ns = |readers: &Readers, at| readers.linger_ns(at * SECOND, 30 * SECOND);
        assert_eq!(linger_ns(&readers, 30), 16_500_000_000);
        assert_eq!(linger_ns(&readers, 50), 20 * SECOND, "b is late");
        assert_eq!(linger_ns(&readers, 80), 16_500_000_000, "it does not come again");
        readers.note("a", 800 * SECOND);
        readers.note("a", 800 * SECOND + 10);
        assert_eq!(linger_ns(&readers, 800), SECOND, "b reads no more, and a very often");
    }

    #[test]
    fn for_one_who_has_read_once_it_is_kept_for_long() {
        let mut readers = Readers::default();
        readers.note("a", 0);
        readers.note("a", 5 * SECOND);
        assert_eq!(readers.linger_ns(5 * SECOND, 30 * SECOND), 5_500_000_000);
        readers.note("b", 6 * SECOND);
        assert_eq!(readers.linger_ns(6 * SECOND, 30 * SECOND), 30 * SECOND, "once in 15 s, maybe");
        readers.note("b", 21 * SECOND);
        assert_eq!(readers.linger_ns(21 * SECOND, 30 * SECOND), 16_500_000_000);
    }

    fn host(ended_ns: impl IntoIterator<Item = (u32, &'static str, Option<u64>)>) -> Snapshot {
        let mut snapshot = Snapshot::empty(ClockKind::Real);
        for (pid, thread, ended_ns) in ended_ns {
            let thread = thread.to_owned();
            snapshot.loops.push(LoopSnapshot { pid, thread, ended_ns, ..LoopSnapshot::default() });
            snapshot.targets.retain(|target| target.pid != pid);
            snapshot.targets.push(Target {
                pid,
                name: "x".to_owned(),
                runtime: Runtime::NodeJs,
                runtime_version: String::new(),
                source: Source::Ebpf,
                tier: Tier::Passive,
                overhead_ratio: None,
                sampled: false,
                limits: Vec::new(),
            });
        }
        snapshot
    }

    /// At which of its readings one that reads each `every` seconds is told of a process that ends
    /// 60.5 s after the start, while another one reads each minute.
    fn told_at(every: u64) -> Vec<u64> {
        let (mut readers, ends_ns) = (Readers::default(), 60 * SECOND + SECOND / 2);
        let mut told = Vec::new();
        for at in 1..=300_u64 {
            let now_ns = at * SECOND;
            if at % 60 == 0 {
                readers.note("otlp", now_ns);
            }
            if at % every == 0 {
                let reading = readers.note("prometheus", now_ns);
                let kept_ns = readers.linger_ns(now_ns, 30 * SECOND);
                let ended_ns = now_ns.checked_sub(ends_ns);
                let is_kept = ended_ns.is_none_or(|ended_ns| ended_ns <= kept_ns);
                let mut snapshot = host(is_kept.then_some((7, "main", ended_ns)));
                reading.leave_out(&mut snapshot, None);
                assert_eq!(snapshot.targets.len(), snapshot.loops.len());
                if ended_ns.is_some() && !snapshot.loops.is_empty() {
                    told.push(at);
                }
            }
        }
        told
    }

    #[test]
    fn each_is_told_of_the_dead_by_its_own_interval() {
        assert_eq!(told_at(5), [65], "who reads each five seconds, though another one is slower");
        assert_eq!(told_at(1), [61]);
        assert_eq!(told_at(15), [75]);
        assert_eq!(told_at(60), [120]);
    }

    #[test]
    fn one_that_is_late_is_told_still() {
        let mut readers = Readers::default();
        for at in [0, 5, 10, 15] {
            readers.note("a", at * SECOND);
        }
        let reading = readers.note("a", 28 * SECOND);
        let mut snapshot = host([(7, "main", Some(12 * SECOND)), (8, "main", Some(15 * SECOND))]);
        reading.leave_out(&mut snapshot, None);
        assert_eq!(snapshot.loops.iter().map(|of| of.pid).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn of_one_who_tells_how_often_it_reads_the_first_reading_is_waited_for() {
        let mut readers = Readers::default();
        readers.expect("lines", SECOND, 60 * SECOND);
        assert_eq!(readers.linger_ns(50 * SECOND, 30 * SECOND), 66 * SECOND);
        let reading = readers.note("lines", 61 * SECOND);
        let mut snapshot = host([(7, "main", Some(59 * SECOND))]);
        reading.leave_out(&mut snapshot, None);
        assert_eq!(snapshot.loops.len(), 1);
    }

    #[test]
    fn what_was_not_given_out_is_told_the_next_time() {
        let mut readers = Readers::default();
        for at in [0, 5, 10] {
            readers.note("a", at * SECOND);
        }
        let dead = |ended_ns: u64| host([(7, "main", Some(ended_ns))]);
        let left = |reading: Reading, mut snapshot: Snapshot| {
            reading.leave_out(&mut snapshot, None);
            snapshot.loops.len()
        };
        // It ends at 11 s, and the page of 15 s finds no room.
        assert_eq!(left(readers.note("a", 15 * SECOND), dead(4 * SECOND)), 1);
        readers.take_back("a");
        assert_eq!(left(readers.note("a", 20 * SECOND), dead(9 * SECOND)), 1);
        assert_eq!(left(readers.note("a", 25 * SECOND), dead(14 * SECOND)), 0);
        readers.note("b", 0);
        readers.take_back("b");
        assert!(!readers.0.contains_key("b"));
        readers.take_back("nobody");
    }

    #[test]
    fn a_worker_that_has_ended_goes_and_what_shares_a_place_stays_with_its_process() {
        let mut readers = Readers::default();
        readers.note("a", 0);
        let reading = readers.note("a", SECOND);
        let old = Some(9 * SECOND);
        let mut snapshot = host([
            (7, "main", None),
            (7, "worker-1", old),
            (7, "worker-9", old),
            (7, "other", old),
            (8, "main", old),
            (8, "other", old),
        ]);
        reading.leave_out(&mut snapshot, None);
        let left: Vec<_> = snapshot.loops.iter().map(|of| (of.pid, of.thread.as_str())).collect();
        assert_eq!(left, [(7, "main"), (7, "worker-9"), (7, "other")]);
        assert_eq!(snapshot.targets.iter().map(|of| of.pid).collect::<Vec<_>>(), [7]);
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
        assert_eq!(readers.linger_ns(181 * SECOND, 30 * SECOND), 66 * SECOND);
        assert!(of_http("::1".parse().expect("an address"), &"x".repeat(9_999)).len() < 200);
    }

    #[test]
    fn two_behind_one_address_are_both_told() {
        let mut readers = Readers::default();
        let times = (0..4_u64).flat_map(|round| [round * 15, round * 15 + 1]);
        let readings: Vec<_> = times.map(|at| readers.note("both", at * SECOND)).collect();
        let mut snapshot = host([(7, "main", Some(15 * SECOND))]);
        readings[7].leave_out(&mut snapshot, None);
        assert_eq!(snapshot.loops.len(), 1, "the first of them was told a second ago");
    }

    #[test]
    fn no_crowd_of_readers_is_kept() {
        let mut readers = Readers::default();
        for number in 0..10_000 {
            readers.note(&number.to_string(), number);
        }
        assert_eq!(readers.0.len(), READERS_MAX);
    }
}
