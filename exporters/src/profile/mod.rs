//! Profiles: the samples of stalls, in the formats that others read.
//!
//! ```text
//! Snapshot ──> timeline of each loop ──┬──> cpuprofile: V8's, for DevTools and speedscope
//!                                      ├──> collapsed: a line a stack, for flame graphs
//!                                      └──> chrome_trace: slices on tracks, for Perfetto
//! ```
//!
//! Stacks are taken while a loop is held up, and only then: the time between stalls is not sampled,
//! and no format says that the loop was idle in it.
//!
//! Cost: some 100 bytes a sample; one pass.
//!
//! **Invariant**: the same snapshot gives the same bytes. Times are those of the snapshot.

mod chrome_trace;
mod collapsed;
mod cpuprofile;
mod tree;

use std::io::{self, Write};
use std::path::Path;

use loop_core::snapshot::{LoopSnapshot, Profile, ProfileFrame, Sample, SampleState, Snapshot};

pub use chrome_trace::ChromeTrace;
pub use collapsed::Collapsed;
pub use cpuprofile::CpuProfile;
pub use tree::{Node, Tree};

/// Writes the samples of stalls in one format.
pub trait ProfileFormat: Send + Sync + std::fmt::Debug {
    /// Writes what was sampled in a snapshot.
    ///
    /// # Errors
    /// Only those of `out`. Part of the bytes may have been written by then.
    fn write(&self, snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()>;
}

/// Ends of the names of files, and the format that goes with each.
pub const FORMATS: [(&str, &dyn ProfileFormat); 4] = [
    (".cpuprofile", &CpuProfile),
    (".collapsed", &Collapsed),
    (".folded", &Collapsed),
    (".trace.json", &ChromeTrace),
];

/// The format for a file by the end of its name; `None`: there is none for it.
pub fn format_of(path: &Path) -> Option<&'static dyn ProfileFormat> {
    let name = path.file_name()?.to_str()?;
    FORMATS.iter().find(|(end, _)| name.ends_with(end)).map(|(_, format)| *format)
}

/// How many samples of stalls a snapshot has.
pub fn samples(snapshot: &Snapshot) -> usize {
    let stalls = snapshot.loops.iter().flat_map(|of| &of.stalls);
    stalls.filter_map(|stall| stall.profile.as_ref()).map(|profile| profile.samples().len()).sum()
}

/// What a function is called that has no name.
const ANONYMOUS: &str = "(anonymous)";

/// The innermost frame of a thread that waits.
const WAITING: &str = "(waiting)";

/// Time of which no sample was taken.
const NOT_SAMPLED: &str = "(not sampled)";

/// For so long, by a sample, a thread did this. Times are since the Unix epoch.
struct Stretch<'a> {
    begin_ns: u64,
    end_ns: u64,
    profile: &'a Profile,
    sample: &'a Sample,
}

impl Stretch<'_> {
    /// Its frames, outermost first.
    fn frames(&self) -> impl Iterator<Item = &ProfileFrame> {
        self.profile.stack_of(self.sample).rev()
    }

    fn waits(&self) -> bool {
        self.sample.state == SampleState::Waiting
    }

    fn ns(&self) -> u64 {
        self.end_ns - self.begin_ns
    }
}

/// What a loop was sampled in.
fn timeline(of: &LoopSnapshot) -> Vec<Stretch<'_>> {
    stretches(of.stalls.iter().filter_map(|stall| stall.profile.as_deref()).collect())
}

/// The samples of a loop's profiles, oldest first. No two overlap: a sample stands for the time
/// before it, as far as no other does.
fn stretches(mut profiles: Vec<&Profile>) -> Vec<Stretch<'_>> {
    profiles.sort_by_key(|profile| profile.start_unix_ns());
    let mut stretches = Vec::new();
    let mut last_ns = 0;
    for profile in profiles {
        for sample in profile.samples() {
            let end_ns = profile.start_unix_ns().saturating_add(sample.offset_ns);
            let begin_ns = end_ns.saturating_sub(sample.weight_ns).max(last_ns);
            if begin_ns < end_ns {
                stretches.push(Stretch { begin_ns, end_ns, profile, sample });
                last_ns = end_ns;
            }
        }
    }
    stretches
}

/// The loops that were sampled.
fn sampled(snapshot: &Snapshot) -> impl Iterator<Item = (&LoopSnapshot, Vec<Stretch<'_>>)> {
    let all = snapshot.loops.iter().map(|of| (of, timeline(of)));
    all.filter(|(_, stretches)| !stretches.is_empty())
}

fn name(frame: &ProfileFrame) -> &str {
    if frame.name.is_empty() { ANONYMOUS } else { &frame.name }
}
