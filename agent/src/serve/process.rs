//! What the kernel tells of the agent's own process, as every Prometheus client does.

use loopscope_exporters::ProcessStats;
use prometheus::Registry;
use prometheus::proto::MetricFamily;

const NS_PER_SECOND: f64 = 1e9;

/// Reads it: CPU, memory, open files, start.
pub(super) struct ProcessMetrics {
    registry: Registry,
}

impl ProcessMetrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        register(&registry);
        ProcessMetrics { registry }
    }

    /// What it is now. Cost: a few reads from `/proc`.
    pub(super) fn read(&self) -> ProcessStats {
        stats(&self.registry.gather())
    }
}

/// The values of the families by their names.
fn stats(families: &[MetricFamily]) -> ProcessStats {
    let value = |name: &str| {
        let family = families.iter().find(|family| family.name() == name)?;
        let metric = family.get_metric().first()?;
        // One of the two is the family's, and the other 0.
        Some(metric.get_counter().get_value() + metric.get_gauge().get_value())
    };
    let count = |name| value(name).map(|value| value as u64);
    let ns = |name| value(name).map(|seconds| (seconds * NS_PER_SECOND) as u64);
    // They are 0 where the collector found none, which no process has.
    let known = |count: Option<u64>| count.filter(|count| *count > 0);
    ProcessStats {
        cpu_ns: ns("process_cpu_seconds_total"),
        resident_bytes: known(count("process_resident_memory_bytes")),
        virtual_bytes: known(count("process_virtual_memory_bytes")),
        open_fds: known(count("process_open_fds")),
        max_fds: known(count("process_max_fds")),
        threads: known(count("process_threads")),
        start_unix_ns: known(ns("process_start_time_seconds")),
    }
}

#[cfg(target_os = "linux")]
fn register(registry: &Registry) {
    use prometheus::process_collector::ProcessCollector;
    // It fails on a name that is there already, and the registry is new.
    let _ = registry.register(Box::new(ProcessCollector::for_self()));
}

/// They are read from `/proc`, which other systems don't have: no series then.
#[cfg(not(target_os = "linux"))]
fn register(_registry: &Registry) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gathered_is_nothing_known() {
        assert_eq!(stats(&[]), ProcessStats::default());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_tells_of_this_process() {
        let now = ProcessMetrics::new().read();
        assert!(now.cpu_ns.is_some(), "{now:?}");
        assert!(now.resident_bytes < now.virtual_bytes, "{now:?}");
        assert!(now.open_fds >= Some(3) && now.threads >= Some(1), "{now:?}");
        // Later than 2020.
        assert!(now.start_unix_ns > Some(1_577_836_800_000_000_000), "{now:?}");
    }
}
