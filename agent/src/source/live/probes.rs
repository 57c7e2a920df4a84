//! Which probes of a plan a tier sets, where the kernel finds them, and what stays unseen.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use loop_core::snapshot::{Limit, Tier};

use super::clock::Shift;
use super::convert::Points;
use super::ebpf::{Kernel, Layout, Link};
use super::layout::UvLayout;
use super::memory::Memory;
use crate::plan::{Plan, Point, Probe};
use crate::process::{FileState, MappedFile};

/// What a breakpoint of another observer looks like in the memory of a process.
const BREAKPOINT: u8 = 0xcc;

/// The probes of one target.
#[derive(Debug)]
pub(super) struct Probes {
    pub(super) tier: Tier,
    pub(super) layout: Layout,
    pub(super) limits: Vec<Limit>,
    /// By module.
    files: BTreeMap<usize, InFile>,
}

/// A file, held open so that the kernel can be told of it again, and its probes by their offsets.
type InFile = (Arc<File>, Vec<(Point, u64)>);

/// The files that probes are set in: each is open once, however many processes execute it.
#[derive(Debug, Default)]
pub(super) struct OpenFiles(BTreeMap<FileState, Weak<File>>);

impl OpenFiles {
    fn open(&mut self, file: &MappedFile) -> io::Result<Arc<File>> {
        if let Some(open) = self.0.get(&file.state).and_then(Weak::upgrade) {
            return Ok(open);
        }
        let open = Arc::new(file.open()?);
        self.0.retain(|_, open| open.strong_count() > 0);
        self.0.insert(file.state, Arc::downgrade(&open));
        Ok(open)
    }
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

/// Whether a tier sets a probe there. A program's begin is only met by one that is started.
fn is_wanted(point: Point, tier: Tier, layout: &Layout) -> bool {
    match point {
        Point::Begin => layout.from_start && tier != Tier::Passive,
        _ => wanted(tier).contains(&point),
    }
}

impl Probes {
    /// The probes of `tier` that the plan has and whose bytes are in the memory of the process.
    pub(super) fn of(
        tier: Tier,
        plan: &Plan,
        files: &[MappedFile],
        open: &mut OpenFiles,
        memory: &Memory,
        layout: Layout,
    ) -> Probes {
        let place = |probe: &Probe| {
            let file = &files[probe.module];
            check(probe, file, memory)?;
            open.open(file).map_err(|_| "no descriptor is left for its file; see `ulimit -n`")
        };
        Probes::placed(tier, plan, layout, place)
    }

    /// The probes of `tier` in a program that is about to be executed, and so is observed from its
    /// first instruction on.
    pub(super) fn before(tier: Tier, plan: &Plan, program: &File, layout: Layout) -> Probes {
        let layout = Layout { from_start: true, ..layout };
        let place = |_: &Probe| {
            program
                .try_clone()
                .map(Arc::new)
                .map_err(|_| "no descriptor is left for its file; see `ulimit -n`")
        };
        Probes::placed(tier, plan, layout, place)
    }

    fn placed(
        tier: Tier,
        plan: &Plan,
        layout: Layout,
        mut place: impl FnMut(&Probe) -> Result<Arc<File>, &'static str>,
    ) -> Probes {
        let mut probes = Probes { tier, layout, limits: always_unseen(), files: BTreeMap::new() };
        if tier == Tier::Turn {
            probes.limits.push(asked_for_turns());
        }
        let begin = is_wanted(Point::Begin, tier, &layout).then_some(Point::Begin);
        for point in wanted(tier).iter().copied().chain(begin) {
            let other = partner(point).and_then(|other| plan.why_missing(other));
            if let Some(why) = plan.why_missing(point).or(other) {
                probes.limit(point, why);
                continue;
            }
            for probe in plan.probes_of(point) {
                match place(probe) {
                    Ok(file) => probes.add(probe, file),
                    Err(why) => probes.limit(point, why),
                }
            }
        }
        probes.tier = probes.reached();
        probes.layout.phases = probes.points().phases();
        probes
    }

    /// Leaves the probes of a lower tier only.
    pub(super) fn reduce(&mut self, tier: Tier) {
        let layout = &self.layout;
        for (_, points) in self.files.values_mut() {
            points.retain(|(point, _)| is_wanted(*point, tier, layout));
        }
        self.files.retain(|_, (_, points)| !points.is_empty());
        self.tier = tier;
        self.layout.phases = self.points().phases();
    }

    fn add(&mut self, probe: &Probe, file: Arc<File>) {
        let (_, points) = self.files.entry(probe.module).or_insert_with(|| (file, Vec::new()));
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
        let path = |file: &File| PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let files = self.files.values();
        files.map(|(file, points)| kernel.link(target, pid, &path(file), points)).collect()
    }
}

/// Whether the process has mapped what the file holds there.
fn check(probe: &Probe, file: &MappedFile, memory: &Memory) -> Result<(), &'static str> {
    let bias = file.bias().ok_or("its file is not mapped as it says")?;
    let mut mapped = [0; 16];
    memory
        .read(probe.address.wrapping_add(bias), &mut mapped)
        .map_err(|_| "its code can't be read in the process")?;
    let same_but_first = mapped[1..] == probe.bytes[1..];
    let first = mapped[0] == probe.bytes[0] || mapped[0] == BREAKPOINT;
    if same_but_first && first { Ok(()) } else { Err("its code in the process is not the file's") }
}

/// The point without which this one tells nothing.
fn partner(point: Point) -> Option<Point> {
    match point {
        Point::DrainStart => Some(Point::DrainEnd),
        Point::DrainEnd => Some(Point::DrainStart),
        Point::GcStart => Some(Point::GcEnd),
        Point::GcEnd => Some(Point::GcStart),
        _ => None,
    }
}

/// What is not seen for want of this probe.
fn shows(point: Point) -> &'static str {
    match point {
        Point::RunTimers => "timer lateness, phases",
        Point::RunIdle | Point::RunPrepare | Point::RunCheck => "phases",
        Point::IoPoll => "turns, poll wait",
        Point::DrainStart | Point::DrainEnd => "microtask drains",
        Point::GcStart | Point::GcEnd => "gc pauses",
        Point::Begin => "what the first turn did before anything else was seen of it",
    }
}

/// What no probe can show.
fn always_unseen() -> Vec<Limit> {
    let limit = |what: &str, why: &str| Limit { what: what.to_owned(), why: why.to_owned() };
    vec![
        limit("phases pending, close", "libuv has them inlined; their time is in timers and check"),
        limit("nextTick drains", "they run in JavaScript, where no probe can be"),
        limit("how long jobs of the thread pool run, single callbacks", "they have no probe"),
    ]
}

/// What is not seen of a target of which turns are all that is wanted.
fn asked_for_turns() -> Limit {
    Limit {
        what: "phases, timer lateness, microtask drains, gc pauses".to_owned(),
        why: "the tier turn was asked for".to_owned(),
    }
}

/// Where things lie in a target, as the kernel side wants it.
pub(super) fn layout(stall_threshold_ns: u64, shift: Shift, uv: &UvLayout, plan: &Plan) -> Layout {
    let small = |offset: u64| u32::try_from(offset).unwrap_or(u32::MAX);
    Layout {
        stall_threshold_ns,
        clock_ahead_ns: shift.ahead_ns(),
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
        queue_size: plan.data.size_offset.map(small),
        phases: false,
        from_start: false,
    }
}
