//! What the agent knows of itself: its build, its start, and the exports that failed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::Snapshot;
use loopscope_exporters::{Build, Compat, SelfStats, TargetCounts};

use crate::places::Places;
use crate::readers::{Readers, Reading};
use crate::source::{Census, Observe};

/// Counts what goes wrong in the agent. Shared by whatever exports.
#[derive(Debug, Default)]
pub struct Monitor {
    compat: Compat,
    export_failures: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    export_dropped: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    /// Where processes come and go.
    places: Option<Mutex<Places>>,
    readers: Mutex<Readers>,
    since: Since,
}

/// When it began.
#[derive(Debug)]
struct Since {
    at: Instant,
    unix_ns: Option<u64>,
}

impl Default for Since {
    fn default() -> Since {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let unix_ns = unix.and_then(|unix| u64::try_from(unix.as_nanos()).ok());
        Since { at: Instant::now(), unix_ns }
    }
}

impl Monitor {
    /// For an observation in which processes come and go without end.
    pub fn of_host() -> Monitor {
        Monitor { places: Some(Mutex::default()), ..Monitor::default() }
    }

    /// The same, which tells metrics under these names of others, too.
    #[must_use]
    pub fn with_compat(self, compat: Compat) -> Monitor {
        Monitor { compat, ..self }
    }

    /// For how many more loops there is room for all that probes show; `None`: nobody counts.
    pub fn room(&self) -> Option<usize> {
        let places = self.places.as_ref()?;
        Some(places.lock().unwrap_or_else(PoisonError::into_inner).room())
    }

    /// Somebody reads what is observed. To be called before the snapshot is taken that is told.
    pub fn read_by(&self, who: &str) -> Reading {
        let now_ns = self.now_ns();
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).note(who, now_ns)
    }

    /// What somebody was to read last was not given out.
    pub fn take_back(&self, who: &str) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).take_back(who);
    }

    /// Somebody reads from now on, once in this time.
    pub fn reads_every(&self, who: &str, interval: Duration) {
        let interval_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.expect(who, self.now_ns(), interval_ns);
    }

    /// Leaves out what this reader was told of before for the last time, where processes come and
    /// go without end. To be called behind [`Monitor::stats`], which count all.
    pub fn leave_out(&self, reading: Reading, snapshot: &mut Snapshot, stats: &mut SelfStats) {
        if self.places.is_some() {
            reading.leave_out(snapshot, stats.folded.as_mut());
        }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.since.at.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// For how long, in nanoseconds, those that have ended are to be kept, so that each reader
    /// reads of them once; `unknown_ns` for one of which it is not known how often it reads.
    pub fn linger_ns(&self, unknown_ns: u64) -> u64 {
        let now_ns = self.now_ns();
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.linger_ns(now_ns, unknown_ns)
    }

    /// Takes note of who is there, so that [`Monitor::room`] is of now, also where nobody reads.
    pub fn note(&self, snapshot: &Snapshot) {
        if let Some(places) = &self.places {
            let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
            places.note(snapshot, self.compat);
        }
    }

    /// Counts an export that failed. Returns how often this one has failed for this reason.
    pub fn export_failed(&self, exporter: &'static str, reason: &'static str) -> u64 {
        let mut failures = self.export_failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry((exporter, reason)).or_default();
        *count += 1;
        *count
    }

    /// Counts what was given up unsent. With a count of 0 the reason is told from then on, so that
    /// the first that is given up is seen as a rise.
    pub fn export_dropped(&self, exporter: &'static str, reason: &'static str, count: u64) {
        let mut dropped = self.export_dropped.lock().unwrap_or_else(PoisonError::into_inner);
        *dropped.entry((exporter, reason)).or_default() += count;
    }

    /// The figures that go with a snapshot of what is observed.
    pub fn stats(&self, observed: &dyn Observe, snapshot: &Snapshot) -> SelfStats {
        let mut stats = SelfStats {
            build: build(),
            start_unix_ns: self.since.unix_ns,
            compat: self.compat,
            targets: TargetCounts {
                attached: snapshot.targets.len() as u64,
                ..TargetCounts::default()
            },
            ..SelfStats::default()
        };
        if let Some(census) = observed.census() {
            add_census(&mut stats, census);
        }
        if let Some(places) = &self.places {
            let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
            places.note(snapshot, self.compat);
            stats.folded = Some(places.folded());
        }
        // All targets of one observation have the same source.
        if let Some(target) = snapshot.targets.first() {
            stats.events.insert(target.source.name(), snapshot.events);
        }
        let failures = self.export_failures.lock().unwrap_or_else(PoisonError::into_inner);
        stats.export_failures.clone_from(&failures);
        let dropped = self.export_dropped.lock().unwrap_or_else(PoisonError::into_inner);
        stats.export_dropped.clone_from(&dropped);
        stats
    }
}

fn add_census(stats: &mut SelfStats, census: Census) {
    stats.targets.attached -= census.ended.min(stats.targets.attached);
    stats.targets.failed = census.failed;
    stats.targets.pending = census.pending;
    stats.unseen = Some(census.unseen);
    stats.attach_errors = census.errors;
    stats.windows = Some(census.windows);
    stats.windows_refused = census.windows_refused;
}

/// What was built. Who packages a release sets the two variables; else they are unknown.
pub fn build() -> Build {
    Build {
        version: env!("CARGO_PKG_VERSION"),
        revision: option_env!("LOOPSCOPE_REVISION").unwrap_or("unknown"),
        rustc: option_env!("LOOPSCOPE_RUSTC").unwrap_or("unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loop_core::snapshot::{ClockKind, LoopSnapshot, Runtime, Source, Target, Tier};
    use loopscope_exporters::{Exporter, PrometheusText};

    struct Nothing;

    impl Observe for Nothing {
        fn snapshot(&self) -> Snapshot {
            Snapshot::empty(ClockKind::Real)
        }
    }

    #[test]
    fn the_room_is_of_now_also_where_nobody_reads() {
        let monitor = Monitor::of_host();
        let before = monitor.room().unwrap();
        let mut snapshot = Snapshot::empty(ClockKind::Real);
        snapshot.targets = (1..=100).map(target).collect();
        snapshot.loops = (1..=100)
            .map(|pid| LoopSnapshot { pid, tid: pid, turns: Some(1), ..LoopSnapshot::default() })
            .collect();
        monitor.note(&snapshot);
        assert!(monitor.room().unwrap() < before);
        assert_eq!(Monitor::default().room(), None);
    }

    fn target(pid: u32) -> Target {
        Target {
            pid,
            name: "x".to_owned(),
            runtime: Runtime::NodeJs,
            runtime_version: "26.10.0".to_owned(),
            source: Source::Ebpf,
            tier: Tier::Passive,
            overhead_ratio: Some(0.0),
            sampled: false,
            limits: Vec::new(),
        }
    }

    struct OfHost(Census);

    impl Observe for OfHost {
        fn snapshot(&self) -> Snapshot {
            Snapshot::empty(ClockKind::Real)
        }

        fn census(&self) -> Option<Census> {
            Some(self.0.clone())
        }
    }

    #[test]
    fn who_can_not_be_looked_at_is_told_where_a_host_is_watched() {
        let host = OfHost(Census { failed: 1, pending: 2, unseen: 3, ..Census::default() });
        let stats = Monitor::of_host().stats(&host, &host.snapshot());
        let targets = TargetCounts { attached: 0, failed: 1, pending: 2 };
        assert_eq!((stats.targets, stats.unseen), (targets, Some(3)));
        let mut page = Vec::new();
        PrometheusText.export(&host.snapshot(), &stats, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains("\nloopscope_processes_unseen 3\n"), "{page}");
        let alone = Monitor::default().stats(&Nothing, &Nothing.snapshot());
        assert_eq!(alone.unseen, None, "it does not look for anybody");
    }

    #[test]
    fn failures_are_counted_by_reason() {
        let monitor = Monitor::default();
        assert_eq!(monitor.export_failed("otlp", "timeout"), 1);
        assert_eq!(monitor.export_failed("otlp", "timeout"), 2);
        assert_eq!(monitor.export_failed("otlp", "connect"), 1);
        monitor.export_dropped("otlp-logs", "queue_full", 0);
        monitor.export_dropped("otlp-logs", "rejected", 3);
        let stats = monitor.stats(&Nothing, &Nothing.snapshot());
        assert_eq!(stats.export_failures[&("otlp", "timeout")], 2);
        assert_eq!(stats.export_dropped[&("otlp-logs", "queue_full")], 0);
        assert_eq!(stats.export_dropped[&("otlp-logs", "rejected")], 3);
        assert_eq!(stats.targets.attached, 0);
    }
}
