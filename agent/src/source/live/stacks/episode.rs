//! What was seen of a loop in one stretch in which it was held up.

use std::sync::Arc;

use loop_core::Blamed;
use loop_core::snapshot::{Profile, ProfileFrame, Reaction, Repeated, SampleState, Wait};
use loop_core::stacks::{Frame as Told, Lines, Place, Tally};

use super::calls;
use super::growth::{Growth, Queues};
use super::limits::WAITS_MAX;
use super::passes::{Pass, Passes};
use super::reactions::Reactions;
use super::waiting::{Kind as WaitKind, Waiting};
use crate::source::live::ledger::Shares;
use crate::v8::{Frame, Kind};

/// What is counted in a [`Tally`]: tenths of a millisecond, so that stretches of different lengths
/// have their weight.
const UNIT_NS: u64 = 100_000;

/// How it is called that the whole machine stood still.
const SILENT: &str = "machine paused";

/// From the moment at which the loop was seen to be held up until it went on.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    pub(super) start_ns: u64,
    /// When it was over; `None` while it goes on.
    pub(super) end_ns: Option<u64>,
    tally: Tally,
    shares: Shares,
    waits: Vec<Wait>,
    passes: Passes,
    reactions: Reactions,
    growth: Queues,
    profile: Arc<Profile>,
    /// What is left of a unit.
    rest_ns: u64,
}

/// What an episode comes to.
#[derive(Clone, Debug, Default)]
pub(in crate::source::live) struct Seen {
    pub(in crate::source::live) shares: Shares,
    pub(in crate::source::live) blamed: Blamed,
    pub(in crate::source::live) waits: Vec<Wait>,
    pub(in crate::source::live) repeated: Option<Repeated>,
    pub(in crate::source::live) reactions: Vec<Reaction>,
    pub(in crate::source::live) growth: Option<Growth>,
}

impl Episode {
    /// From then on by the monotonic clock, which is so far behind the time since the Unix epoch.
    pub(super) fn new(start_ns: u64, unix_offset_ns: u64) -> Episode {
        Episode {
            start_ns,
            end_ns: None,
            tally: Tally::new(start_ns),
            shares: Shares::default(),
            waits: Vec::new(),
            passes: Passes::default(),
            reactions: Reactions::default(),
            growth: Queues::default(),
            profile: Arc::new(Profile::new(start_ns.saturating_add(unix_offset_ns))),
            rest_ns: 0,
        }
    }

    /// How much of a time is in it.
    pub(super) fn overlap_ns(&self, start_ns: u64, end_ns: u64) -> u64 {
        let end_ns = self.end_ns.unwrap_or(u64::MAX).min(end_ns);
        end_ns.saturating_sub(self.start_ns.max(start_ns))
    }

    /// For so long, until then, the thread was on a CPU, and executed this.
    pub(super) fn add_running(&mut self, frames: &[Frame], at_ns: u64, ns: u64) {
        self.reactions.add(frames, ns);
        let on = &mut self.shares.on;
        let part = match class(frames) {
            Class::Collector => &mut on.collector_ns,
            Class::Microtasks => &mut on.microtasks_ns,
            Class::Ticks => &mut on.ticks_ns,
            Class::Native => &mut on.native_ns,
            Class::JavaScript => &mut on.javascript_ns,
            Class::Unknown => &mut on.unknown_ns,
        };
        *part += ns;
        self.count(frames, ns);
        self.keep(frames, at_ns, ns, SampleState::OnCpu);
    }

    /// So many microtasks have run in the drain that began then, and so many wait.
    pub(super) fn note_queue(&mut self, drain_ns: u64, ran: u64, waiting: u64) {
        self.growth.add(drain_ns, ran, waiting);
    }

    /// What the stack of a sample was on which its callback stands.
    pub(super) fn note_pass(&mut self, pass: Pass) {
        self.passes.add(pass);
    }

    /// For so long, until then, it waited, as far as anybody knows.
    pub(super) fn add_waiting(
        &mut self,
        waiting: &Waiting,
        subject: Option<String>,
        frames: &[Frame],
        (at_ns, ns): (u64, u64),
    ) {
        let off = &mut self.shares.off;
        let part = match waiting.kind {
            WaitKind::Stopped | WaitKind::Frozen => &mut off.frozen_ns,
            WaitKind::Lock => &mut off.lock_ns,
            WaitKind::Io | WaitKind::Memory => &mut off.io_ns,
        };
        *part += ns;
        self.wait_for(called(waiting), subject, ns);
        self.keep(frames, at_ns, ns, SampleState::Waiting);
        // A process that stands still executes nothing that is to blame.
        if !matches!(waiting.kind, WaitKind::Stopped | WaitKind::Frozen) {
            self.count(frames, ns);
        }
    }

    fn wait_for(&mut self, call: String, subject: Option<String>, ns: u64) {
        let is_same = |of: &Wait| of.call == call && of.subject == subject;
        if let Some(known) = self.waits.iter().position(is_same) {
            self.waits[known].duration_ns += ns;
        } else if self.waits.len() < WAITS_MAX {
            self.waits.push(Wait { call, subject, duration_ns: ns });
        }
    }

    /// For so long nothing ran at all.
    pub(super) fn add_silence(&mut self, ns: u64) {
        if ns > 0 {
            self.shares.silent_ns += ns;
            self.wait_for(SILENT.to_owned(), None, ns);
        }
    }

    /// Its control group was throttled for so long.
    pub(super) fn set_throttled(&mut self, ns: Option<u64>) {
        self.shares.throttled_ns = ns;
    }

    fn keep(&mut self, frames: &[Frame], at_ns: u64, ns: u64, state: SampleState) {
        let offset_ns = at_ns.saturating_sub(self.start_ns);
        // It is copied only where somebody still has the one of before.
        Arc::make_mut(&mut self.profile).add(offset_ns, ns, state, frames.iter().map(kept));
    }

    fn count(&mut self, frames: &[Frame], ns: u64) {
        let all_ns = self.rest_ns + ns;
        self.rest_ns = all_ns % UNIT_NS;
        let frames: Vec<Told<'_>> = frames.iter().map(told).collect();
        self.tally.add(&frames, all_ns / UNIT_NS);
    }

    /// What it comes to, so far.
    pub(super) fn seen(&self) -> Seen {
        let mut waits = self.waits.clone();
        waits.sort_by_key(|wait| std::cmp::Reverse(wait.duration_ns));
        let mut blamed = self.tally.blame(&AsTheyAre);
        // What is counted is time.
        blamed.culprit.iter_mut().for_each(|culprit| culprit.samples = None);
        blamed.profile = Some(Arc::clone(&self.profile)).filter(|profile| !profile.is_empty());
        Seen {
            shares: self.shares,
            blamed,
            waits,
            repeated: self.passes.repeated(),
            reactions: self.reactions.told(),
            growth: self.growth.told(),
        }
    }
}

/// Lines need no correction.
struct AsTheyAre;

impl Lines for AsTheyAre {
    fn line(&self, _: &str, (line, _): (u32, u32), _: &str) -> u32 {
        line
    }
}

fn told(frame: &Frame) -> Told<'_> {
    let place = frame.file.as_deref().filter(|_| frame.kind == Kind::JavaScript);
    let place = place.map(|file| Place {
        file,
        line: frame.line,
        column: frame.column.unwrap_or(0),
        begins: frame.begins,
    });
    Told { name: &frame.name, place }
}

fn kept(frame: &Frame) -> ProfileFrame {
    let file = frame.file.clone().filter(|_| frame.kind == Kind::JavaScript);
    ProfileFrame { name: frame.name.clone(), file, line: frame.line.or(frame.begins) }
}

fn called(waiting: &Waiting) -> String {
    match waiting.kind {
        WaitKind::Stopped => "stopped by a signal".to_owned(),
        WaitKind::Frozen => "control group frozen".to_owned(),
        WaitKind::Memory => "page fault".to_owned(),
        WaitKind::Lock | WaitKind::Io => calls::name(waiting.number),
    }
}

/// To which key of a ledger a sample belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Collector,
    Microtasks,
    Ticks,
    Native,
    JavaScript,
    Unknown,
}

/// In the order of precedence: a collection in a drain is a collection.
fn class(frames: &[Frame]) -> Class {
    let is_drain =
        |frame: &Frame| frame.kind != Kind::JavaScript && frame.name.contains("RunMicrotasks");
    let is_ticks = |frame: &Frame| {
        frame.name == "processTicksAndRejections"
            && frame.file.as_deref() == Some("node:internal/process/task_queues")
    };
    if frames.iter().any(|frame| frame.kind == Kind::Collector) {
        return Class::Collector;
    }
    if frames.iter().any(is_drain) {
        return Class::Microtasks;
    }
    if frames.iter().any(is_ticks) {
        return Class::Ticks;
    }
    let does = frames.iter().find(|frame| !is_helper(frame));
    match does.map(|frame| frame.kind) {
        Some(Kind::JavaScript | Kind::Builtin) => Class::JavaScript,
        Some(Kind::Native) if is_of_language(does.map_or("", |frame| &frame.name)) => {
            Class::JavaScript
        }
        Some(Kind::Native) => Class::Native,
        Some(Kind::Collector | Kind::Unknown) | None => Class::Unknown,
    }
}

/// The C library does what its caller wants: that one tells.
fn is_helper(frame: &Frame) -> bool {
    const LIBRARIES: [&str; 5] = ["libc.", "libc-", "libm.", "ld-musl", "[vdso]"];
    let file = frame.file.as_deref().filter(|_| frame.kind == Kind::Native).unwrap_or_default();
    LIBRARIES.iter().any(|library| file.starts_with(library))
}

/// What `performance.now`, `process.hrtime` and `Date.now` are in one Node or another.
const CLOCKS: [&str; 6] = [
    "PerformanceNow",
    "process::BindingData::",
    "Hrtime",
    "uv_hrtime",
    "uv__hrtime",
    "CurrentClockTimeMillis",
];

/// What V8 does for a script, as parsing JSON, is a part of the language; and so is what the time
/// is, by which a script that computes looks when to end.
fn is_of_language(name: &str) -> bool {
    name.starts_with("v8::") || CLOCKS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, name: &str, file: Option<&str>) -> Frame {
        let file = file.map(str::to_owned);
        Frame {
            kind,
            name: name.to_owned(),
            file,
            line: Some(3),
            column: None,
            begins: Some(2),
            begins_column: None,
            fp: 0,
        }
    }

    fn ticks() -> Frame {
        let file = Some("node:internal/process/task_queues");
        frame(Kind::JavaScript, "processTicksAndRejections", file)
    }

    fn waiting(kind: WaitKind, number: i64) -> Waiting {
        Waiting { kind, number, arguments: [0; 6], sp: 0, pc: 0 }
    }

    #[test]
    fn a_sample_belongs_to_the_first_key_that_fits() {
        let work = frame(Kind::JavaScript, "work", Some("/a.js"));
        let drain = frame(Kind::Native, "v8::internal::MicrotaskQueue::RunMicrotasks", None);
        let collector = frame(Kind::Collector, "Heap::CollectGarbage", None);
        let native = frame(Kind::Native, "sha512", None);
        let parser = frame(Kind::Native, "v8::internal::JsonParser::Parse", None);
        let of = |frames: &[&Frame]| class(&frames.iter().copied().cloned().collect::<Vec<_>>());
        assert_eq!(of(&[&collector, &work, &drain, &ticks()]), Class::Collector);
        assert_eq!(of(&[&work, &drain, &ticks()]), Class::Microtasks);
        assert_eq!(of(&[&native, &work, &ticks()]), Class::Ticks);
        assert_eq!(of(&[&work]), Class::JavaScript);
        assert_eq!(of(&[&native, &work]), Class::Native);
        assert_eq!(of(&[&parser, &work]), Class::JavaScript);
        let library = frame(Kind::Native, "memcpy", Some("libc.so.6"));
        assert_eq!(of(&[&library, &native, &work]), Class::Native);
        assert_eq!(of(&[&library, &parser, &work]), Class::JavaScript);
        let clock = frame(Kind::Native, "node::performance::FastPerformanceNow", None);
        assert_eq!(of(&[&library, &clock, &work]), Class::JavaScript);
        assert_eq!(of(&[]), Class::Unknown);
    }

    #[test]
    fn what_ran_and_what_was_waited_for_is_told_with_its_share() {
        let mut episode = Episode::new(1_000, 0);
        let work = [frame(Kind::JavaScript, "work", Some("/a.js"))];
        episode.add_running(&work, 40_001_000, 40_000_000);
        let read = waiting(WaitKind::Io, 0);
        let load = [frame(Kind::JavaScript, "load", Some("/a.js"))];
        episode.add_waiting(&read, Some("/tmp/f".to_owned()), &load, (100_001_000, 60_000_000));
        episode.add_waiting(&read, Some("/tmp/f".to_owned()), &load, (140_001_000, 40_000_000));
        episode.add_waiting(
            &waiting(WaitKind::Stopped, -1),
            None,
            &work,
            (640_001_000, 500_000_000),
        );
        let seen = episode.seen();
        assert_eq!(seen.shares.on.javascript_ns, 40_000_000);
        assert_eq!((seen.shares.off.io_ns, seen.shares.off.frozen_ns), (100_000_000, 500_000_000));
        let culprit = seen.blamed.culprit.expect("one is named");
        assert_eq!((culprit.function.as_str(), culprit.line), ("load", 3));
        let waits: Vec<_> = seen.waits.iter().map(|wait| wait.call.as_str()).collect();
        assert_eq!(waits, ["stopped by a signal", "read"]);
        assert_eq!(seen.waits[1].subject.as_deref(), Some("/tmp/f"));
        let profile = seen.blamed.profile.expect("samples are kept");
        let kept = profile.samples().iter().map(|sample| (sample.offset_ns, sample.state));
        let waited = |ns| (ns, SampleState::Waiting);
        let ran = (40_000_000, SampleState::OnCpu);
        assert_eq!(
            kept.collect::<Vec<_>>(),
            [ran, waited(100_000_000), waited(140_000_000), waited(640_000_000)]
        );
    }

    #[test]
    fn a_machine_that_stood_still_is_told_as_a_wait_of_its_own() {
        let mut episode = Episode::new(1_000, 0);
        episode.add_silence(0);
        assert_eq!(episode.seen().waits, []);
        episode.add_silence(200_000_000);
        let seen = episode.seen();
        assert_eq!(seen.shares.silent_ns, 200_000_000);
        let wait = Wait { call: SILENT.to_owned(), subject: None, duration_ns: 200_000_000 };
        assert_eq!((seen.waits, seen.blamed.culprit), (vec![wait], None));
    }

    #[test]
    fn a_time_is_in_an_episode_as_far_as_both_go() {
        let mut episode = Episode::new(100, 0);
        assert_eq!(episode.overlap_ns(50, 150), 50);
        assert_eq!(episode.overlap_ns(0, 100), 0);
        episode.end_ns = Some(120);
        assert_eq!(episode.overlap_ns(50, 150), 20);
        assert_eq!(episode.overlap_ns(130, 150), 0);
    }
}
