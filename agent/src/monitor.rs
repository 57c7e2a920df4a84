//! What the agent knows of itself: its build, and the exports that failed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use loop_core::snapshot::Snapshot;
use loopscope_exporters::{Build, SelfStats, TargetCounts};

/// Counts what goes wrong in the agent. Shared by whatever exports.
#[derive(Debug, Default)]
pub struct Monitor {
    export_failures: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

impl Monitor {
    /// Counts an export that failed. Returns how often this one has failed for this reason.
    pub fn export_failed(&self, exporter: &'static str, reason: &'static str) -> u64 {
        let mut failures = self.export_failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry((exporter, reason)).or_default();
        *count += 1;
        *count
    }

    /// The figures that go with a snapshot.
    pub fn stats(&self, snapshot: &Snapshot) -> SelfStats {
        let mut stats = SelfStats {
            build: build(),
            targets: TargetCounts {
                attached: snapshot.targets.len() as u64,
                ..TargetCounts::default()
            },
            ..SelfStats::default()
        };
        // All targets of one observation have the same source.
        if let Some(target) = snapshot.targets.first() {
            stats.events.insert(target.source.name(), snapshot.events);
        }
        let failures = self.export_failures.lock().unwrap_or_else(PoisonError::into_inner);
        stats.export_failures.clone_from(&failures);
        stats
    }
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
    use loop_core::snapshot::ClockKind;

    #[test]
    fn failures_are_counted_by_reason() {
        let monitor = Monitor::default();
        assert_eq!(monitor.export_failed("otlp", "timeout"), 1);
        assert_eq!(monitor.export_failed("otlp", "timeout"), 2);
        assert_eq!(monitor.export_failed("otlp", "connect"), 1);
        let stats = monitor.stats(&Snapshot::empty(ClockKind::Real));
        assert_eq!(stats.export_failures[&("otlp", "timeout")], 2);
        assert_eq!(stats.targets.attached, 0);
    }
}
