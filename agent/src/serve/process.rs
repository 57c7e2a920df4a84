//! What the kernel tells of the agent's own process, as every Prometheus client does; its CPU time
//! in nanoseconds, where the others tell whole seconds or ticks of the kernel's.

use loopscope_exporters::ProcessStats;
use prometheus::Registry;
use prometheus::proto::MetricFamily;
use rustix::time::{ClockId, clock_gettime};

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
        ProcessStats { cpu_ns: Some(cpu_ns()), ..stats(&self.registry.gather()) }
    }
}

/// CPU time of all threads so far.
fn cpu_ns() -> u64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as u64 * 1_000_000_000 + spent.tv_nsec as u64
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
        cpu_ns: None,
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
        assert!(now.resident_bytes < now.virtual_bytes, "{now:?}");
        assert!(now.open_fds >= Some(3) && now.threads >= Some(1), "{now:?}");
        // Later than 2020.
        assert!(now.start_unix_ns > Some(1_577_836_800_000_000_000), "{now:?}");
    }

    #[test]
    fn a_part_of_a_second_is_told() {
        let metrics = ProcessMetrics::new();
        let before = metrics.read().cpu_ns;
        let after = std::iter::repeat_with(|| metrics.read().cpu_ns).find(|now| *now > before);
        let spent = after.flatten().zip(before).map(|(after, before)| after - before);
        assert!(spent.is_some_and(|spent| spent < 1_000_000_000), "{spent:?}");
    }
}
