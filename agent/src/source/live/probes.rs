//! Which probes of a plan a tier sets, where the kernel finds them, and what stays unseen.

use std::collections::BTreeMap;
use std::io;

use loop_core::snapshot::{Limit, Tier};

use super::convert::Points;
use super::ebpf::{Kernel, Layout, Link};
use super::layout::UvLayout;
use super::memory::Memory;
use crate::plan::{Plan, Point, Probe};
use crate::process::MappedFile;

/// What a breakpoint of another observer looks like in the memory of a process.
const BREAKPOINT: u8 = 0xcc;

/// The probes of one target.
#[derive(Debug)]
pub(super) struct Probes {
    pub(super) tier: Tier,
    pub(super) layout: Layout,
    pub(super) limits: Vec<Limit>,
    /// By module: the file, held open so that the kernel can be told of it again, and its probes.
    files: BTreeMap<usize, (MappedFile, Vec<(Point, u64)>)>,
}

/// The points of a tier.
fn wanted(tier: Tier) -> &'static [Point] {
    match tier {
        Tier::Passive => &[],
        Tier::Turn => &[Point::IoPoll],
        Tier::Full => &[
            Point::RunTimers,
            Point::RunIdle,
            Point::RunPrepare,
            Point::IoPoll,
            Point::RunCheck,
            Point::DrainStart,
            Point::DrainEnd,
            Point::GcStart,
            Point::GcEnd,
        ],
    }
}

impl Probes {
    /// The probes of `tier` that the plan has and whose bytes are in the memory of the process.
    pub(super) fn of(
        tier: Tier,
        plan: &Plan,
        files: &[MappedFile],
        memory: &Memory,
        layout: Layout,
    ) -> Probes {
        let mut probes = Probes { tier, layout, limits: always_unseen(), files: BTreeMap::new() };
        for &point in wanted(tier) {
            let mut found = plan.probes.iter().filter(|probe| probe.point == point).peekable();
            if found.peek().is_none() {
                let why = plan.missing.iter().find(|missing| missing.point == point);
                let why = why.map_or("it was not found", |missing| missing.reason.as_str());
                probes.limit(point, why);
            }
            for probe in found {
                match check(probe, files, memory) {
                    Ok(()) => probes.add(probe, &files[probe.module]),
                    Err(why) => probes.limit(point, why),
                }
            }
        }
        probes.tier = probes.reached();
        probes.layout.phases = probes.points().phases();
        probes
    }

    /// The same with the probes of a lower tier only.
    pub(super) fn reduced(&self, tier: Tier) -> Probes {
        let mut files = self.files.clone();
        let wanted = wanted(tier);
        files
            .values_mut()
            .for_each(|(_, points)| points.retain(|(point, _)| wanted.contains(point)));
        files.retain(|_, (_, points)| !points.is_empty());
        let mut probes = Probes { tier, layout: self.layout, limits: self.limits.clone(), files };
        probes.layout.phases = probes.points().phases();
        probes
    }

    fn add(&mut self, probe: &Probe, file: &MappedFile) {
        let entry = self.files.entry(probe.module);
        let (_, points) = entry.or_insert_with(|| (file.clone(), Vec::new()));
        points.push((probe.point, probe.file_offset));
    }

    fn limit(&mut self, point: Point, why: &str) {
        self.limits.push(Limit { what: shows(point).to_owned(), why: why.to_owned() });
    }

    /// The tier that these probes make.
    fn reached(&self) -> Tier {
        let points = self.points();
        match (points.has(Point::IoPoll), points.drains()) {
            (true, true) => Tier::Full,
            (true, false) => Tier::Turn,
            (false, _) => Tier::Passive,
        }
    }

    pub(super) fn points(&self) -> Points {
        Points::of(self.files.values().flat_map(|(_, points)| points).map(|(point, _)| *point))
    }

    /// Sets them. They are gone when the links are.
    pub(super) fn link(&self, kernel: &Kernel, target: u32, pid: u32) -> io::Result<Vec<Link>> {
        let files = self.files.values();
        files.map(|(file, points)| kernel.link(target, pid, &file.probe_path(), points)).collect()
    }
}

/// Whether the process has mapped what the file holds there.
fn check(probe: &Probe, files: &[MappedFile], memory: &Memory) -> Result<(), &'static str> {
    let file = &files[probe.module];
    let bias = file.bias().ok_or("its file is not mapped as it says")?;
    let mut mapped = [0; 16];
    memory
        .read(probe.address.wrapping_add(bias), &mut mapped)
        .map_err(|_| "its code can't be read in the process")?;
    let same_but_first = mapped[1..] == probe.bytes[1..];
    let first = mapped[0] == probe.bytes[0] || mapped[0] == BREAKPOINT;
    if same_but_first && first { Ok(()) } else { Err("its code in the process is not the file's") }
}

/// What is not seen for want of this probe.
fn shows(point: Point) -> &'static str {
    match point {
        Point::RunTimers => "timer lateness, phases",
        Point::RunIdle | Point::RunPrepare | Point::RunCheck => "phases",
        Point::IoPoll => "turns, poll wait",
        Point::DrainStart | Point::DrainEnd => "microtask drains",
        Point::GcStart | Point::GcEnd => "gc pauses",
    }
}

/// What no probe can show.
fn always_unseen() -> Vec<Limit> {
    let limit = |what: &str, why: &str| Limit { what: what.to_owned(), why: why.to_owned() };
    vec![
        limit("phases pending, close", "libuv has them inlined; their time is in timers and check"),
        limit("nextTick drains", "they run in JavaScript, where no probe can be"),
        limit("thread pool, callbacks", "they have no probe"),
    ]
}

/// Where things lie in a target, as the kernel side wants it.
pub(super) fn layout(stall_threshold_ns: u64, uv: &UvLayout, plan: &Plan) -> Layout {
    let small = |offset: u64| u32::try_from(offset).unwrap_or(u32::MAX);
    Layout {
        stall_threshold_ns,
        time: small(uv.time),
        heap_min: small(uv.timer_heap_min),
        internal_fields: small(uv.internal_fields),
        idle_handles: small(uv.idle_handles),
        prepare_handles: small(uv.prepare_handles),
        timeout: small(uv.timer_timeout_from_node),
        flags: small(uv.flags),
        events: uv.events.map(small),
        idle_time: small(uv.idle_time),
        finished_count: small(plan.data.finished_count_offset.unwrap_or(0)),
        phases: false,
    }
}
