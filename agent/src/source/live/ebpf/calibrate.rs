//! What a hit of a probe costs on this machine, measured on a function of our own.

use std::io;
use std::path::Path;
use std::time::Instant;

use super::{Kernel, Link, TARGETS, system};
use crate::plan::Point;
use crate::process::Process;

/// How many hits are timed.
const HITS: u32 = 1_000;

/// In a tight loop all that a hit touches is in the caches. In a server it is not, and a hit costs
/// more: `attach_cost` in `bench` measures what all of them do.
const COLD_FACTOR: u64 = 2;

/// What is taken where it can't be measured.
const USUAL_NS: u64 = 1_500;

/// The cost of a hit in nanoseconds.
pub(super) fn hit_ns(kernel: &Kernel) -> u64 {
    measured_ns(kernel).map_or(USUAL_NS, |ns| ns * COLD_FACTOR)
}

/// A probe in a function of our own. No target has its number, so the program returns at once.
///
/// # Errors
/// The kernel does not set it.
pub(super) fn link(kernel: &Kernel) -> io::Result<Link> {
    let own = std::process::id();
    let address = system::probe_point();
    let maps = Process::open(own).map_err(io::Error::other)?.maps()?;
    let mapping = maps.iter().find(|map| (map.start..map.end).contains(&address));
    let mapping = mapping.ok_or_else(|| io::Error::other("this program's code is not mapped"))?;
    let offset = address - mapping.start + mapping.offset;
    kernel.link(TARGETS, own, Path::new("/proc/self/exe"), &[(Point::IoPoll, offset)])
}

fn measured_ns(kernel: &Kernel) -> Option<u64> {
    let plain = time();
    let link = link(kernel).ok()?;
    let probed = time();
    drop(link);
    let ns = probed.saturating_sub(plain) / u64::from(HITS);
    (ns > 0).then_some(ns)
}

/// How long so many calls take, in nanoseconds: the shortest of three.
fn time() -> u64 {
    let once = || {
        let start = Instant::now();
        (0..HITS).for_each(|_| system::call_probe_point());
        u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    };
    (0..3).map(|_| once()).min().unwrap_or(u64::MAX)
}
