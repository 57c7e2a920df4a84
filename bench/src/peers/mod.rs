//! The same things done by others, measured in the same run.

pub mod histograms;
#[cfg(feature = "libuv")]
pub mod libuv;
pub mod memory;
pub mod node;
pub mod otlp;
pub mod pages;
pub mod quickjs;
#[cfg(tokio_unstable)]
pub mod tokio_polls;
pub mod tokio_tasks;
pub mod tokio_timers;

/// The bounds that peers' histograms have: those of our exporter.
const BOUNDS_SECONDS: [f64; 19] = [
    1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 60.0, 120.0,
];

/// What the lock says which version of a package this is built with.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// The version of a peer, as `1.54.1`; empty where there is none of this name.
pub fn version(package: &str) -> &'static str {
    let entry = format!("name = \"{package}\"\nversion = \"");
    let rest = LOCK.split_once(&entry).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock() {
        for package in ["tokio", "hdrhistogram", "prometheus", "prometheus-client", "libuv-sys2"] {
            assert!(version(package).split('.').count() >= 3, "{package}: {}", version(package));
        }
        assert_eq!(version("no-such-package"), "");
    }
}
