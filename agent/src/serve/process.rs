//! The `process_*` metrics of the agent itself, as every Prometheus client has them.

use std::io::{self, Write};

use prometheus::{Encoder, Registry, TextEncoder};

/// Reads what the kernel tells of this process: CPU, memory, open files, start.
pub(super) struct ProcessMetrics {
    registry: Registry,
}

impl ProcessMetrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        register(&registry);
        ProcessMetrics { registry }
    }

    /// Writes them in the text format 0.0.4, to stand behind other families.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Vec::new();
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut page);
        encoded.map_err(io::Error::other)?;
        out.write_all(&page)
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
