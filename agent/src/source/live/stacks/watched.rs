//! One loop: whether it is held up, and if so, what is seen meanwhile.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::episode::{Episode, Seen};
use super::group::Group;
use super::limits::{COUNTED_NS, EPISODES_KEPT, OPEN_PARTS, Pace, pace};
use super::names::Names;
use super::passes;
use super::peers::Peers;
use super::silence::{Account, Gap};
use super::waiting::{Doing, Files, Waiting};
use super::waits::{Turn, Waits};
use crate::process::Process;
use crate::source::live::clock::{Shift, monotonic_ns, unix_ns};
use crate::source::live::ebpf::{Kernel, Sampler};
use crate::source::live::layout::UvLayout;
use crate::source::live::loops::{Pulse, pulse};
use crate::source::live::memory::Memory;
use loop_core::Cgroup;

/// Where a loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::live) struct LoopAt {
    pub(in crate::source::live) tid: u32,
    /// Address of libuv's internal fields of it.
    pub(in crate::source::live) fields: u64,
    /// Its slot in the kernel, if it has one.
    pub(in crate::source::live) slot: Option<u32>,
}

/// What the loops of a process have in common.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) kernel: Option<Arc<Kernel>>,
    pub(super) memory: Arc<Memory>,
    pub(super) layout: &'static UvLayout,
    /// From our clock to that of the process.
    pub(super) shift: Shift,
    pub(super) pid: u32,
    /// A time before this look in which there should have been one.
    pub(super) gap: Option<Gap>,
    /// How many times less often than usual a stall is looked at that begins now.
    pub(super) slower: u64,
    pub(super) threshold_ns: u64,
    /// Where a `MicrotaskQueue` counts what has run, and what waits.
    pub(super) queue: Option<(u64, u64)>,
    pub(super) process: Arc<Process>,
    pub(super) group: Group,
    pub(super) names: Names,
}

/// A loop that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) at: LoopAt,
    /// That of its thread in `/proc`.
    folder: PathBuf,
    turn: Option<Turn>,
    since_ns: u64,
    open: Option<Open>,
    /// Oldest first.
    ended: VecDeque<Episode>,
    pub(super) waits: Waits,
    /// Samples that were not taken in time, of stretches that are over.
    lost: u64,
    /// Stretches that are over and of which no sample could be taken, and why not.
    unsampled: (u64, Option<String>),
    /// Stretches that are over and were looked at less often than usual.
    sparse: u64,
}

/// A stretch that goes on.
#[derive(Debug)]
struct Open {
    episode: Episode,
    files: Files,
    account: Account,
    cgroup: Arc<Cgroup>,
    sampler: Option<Sampler>,
    /// Whether there has been one.
    was_sampled: bool,
    /// Why there is none.
    refused: Option<io::Error>,
    pace: Pace,
    /// How many times slower than usual that is.
    slower: u64,
    looked_ns: u64,
    throttled_ns: Option<u64>,
    /// When that was counted last.
    counted_ns: u64,
    /// What it waited for when it was looked at last.
    waited: Option<Waited>,
    peers: Peers,
    /// What the thread was accounted at the last look: its time on a CPU, and that in which it
    /// waited for one.
    accounted: Option<(u64, u64)>,
    /// For how long it ran since the turn began, where that is known: at most.
    ran_ns: u64,
}

/// A wait, and the part of it that is still to be counted.
#[derive(Debug)]
struct Waited {
    waiting: Waiting,
    subject: Option<String>,
    frames: Vec<crate::v8::Frame>,
    until_ns: u64,
    ns: u64,
}

impl Watched {
    /// `folder` is that of its thread in `/proc`.
    pub(super) fn new(at: LoopAt, folder: PathBuf) -> Watched {
        let (turn, open) = (None, None);
        let (ended, waits) = (VecDeque::new(), Waits::default());
        let unsampled = (0, None);
        let (lost, sparse) = (0, 0);
        Watched { at, folder, turn, since_ns: 0, open, ended, waits, lost, unsampled, sparse }
    }

    /// Looks at it. Returns for how long it need not be looked at again; `None`: as usual.
    pub(super) fn look(&mut self, around: &mut Around, now_ns: u64) -> Option<u64> {
        let (turn, ended_ns) = self.turn(around)?;
        if turn.is_none() || turn != self.turn {
            self.close(around, ended_ns);
            (self.turn, self.since_ns) = (turn, now_ns);
            return None;
        }
        let open_ns = now_ns - self.since_ns;
        if open_ns < around.threshold_ns / OPEN_PARTS {
            return None;
        }
        let (slower, ran_ns) = match &self.open {
            Some(open) => (open.slower, open.ran_ns),
            None => (around.slower, open_ns),
        };
        let pace = pace(open_ns, ran_ns, slower);
        if self.open.is_none() {
            self.open = self.begin(around, pace, now_ns).ok();
        }
        let doing = self.open.as_ref()?.files.look().unwrap_or(Doing::Runs);
        if matches!(doing, Doing::Waits(_)) {
            // It was asked later than the loop: by now it may be the next event that it waits for.
            let (turn, ended_ns) = self.turn(around)?;
            if turn != self.turn {
                self.close(around, ended_ns);
                (self.turn, self.since_ns) = (turn, now_ns);
                return None;
            }
        }
        let mut open = self.open.take()?;
        open.look(around, doing, now_ns);
        if let Some((drain_ns, ran, waiting)) = self.queue(around) {
            open.episode.note_queue(drain_ns, ran, waiting);
        }
        let is_other = open.pace.period_ns != pace.period_ns;
        open.pace = pace;
        if is_other || open.may_be_sampled_now() {
            self.lost += open.lost();
            open.sample(around, self.at.tid);
        }
        self.open = Some(open);
        Some(pace.pause_ns)
    }

    /// The turn that goes on, `None` while it waits for events; and when the one before was over
    /// at the latest. What can't be read is gone, or about to be: whoever tells of loops finds out.
    fn turn(&mut self, around: &Around) -> Option<(Option<Turn>, u64)> {
        let pulse = pulse(&around.memory, self.at.fields, around.layout).ok()?;
        // Not before that: what was seen to wait by now has begun to.
        let now_ns = monotonic_ns();
        let Pulse { loop_count, idle_ns, waits_since_ns } = pulse;
        let boundary_ns = self.boundary_ns(around);
        let turn = Turn { loop_count, idle_ns, boundary_ns };
        let since_ns = waits_since_ns.map(|since_ns| around.shift.from_target_ns(since_ns));
        if let Some(since_ns) = since_ns {
            self.waits.note(turn, since_ns, now_ns);
        }
        let ended_ns = ended_ns(self.since_ns, since_ns, boundary_ns).unwrap_or(now_ns);
        Some((since_ns.is_none().then_some(turn), ended_ns))
    }

    /// Whether a turn has been open for so long that it is looked at.
    pub(super) fn is_held(&self) -> bool {
        self.open.is_some()
    }

    /// The drain that runs: since when, how many have run in it, and how many wait.
    fn queue(&self, around: &Around) -> Option<(u64, u64, u64)> {
        let head = around.kernel.as_ref()?.head(self.at.slot?);
        let (finished, size) = around.queue?;
        let read = |offset| around.memory.u64(head.queue.checked_add(offset)?).ok();
        let runs = head.drain_start_ns != 0 && head.queue != 0;
        let ran = runs.then(|| read(finished))??.checked_sub(head.drain_base)?;
        Some((head.drain_start_ns, ran, read(size)?))
    }

    fn boundary_ns(&self, around: &Around) -> u64 {
        let kernel = around.kernel.as_ref().zip(self.at.slot);
        kernel.map_or(0, |(kernel, slot)| kernel.head(slot).boundary_ns)
    }

    /// Opens what is asked from now on, until it goes on.
    ///
    /// # Errors
    /// The thread has ended.
    fn begin(&self, around: &mut Around, pace: Pace, now_ns: u64) -> io::Result<Open> {
        let (files, account) = (Files::open(&self.folder)?, Account::of(&self.folder));
        let cgroup = around.group.now(&around.process, now_ns);
        let mut open = Open {
            episode: Episode::new(self.since_ns, unix_ns().saturating_sub(monotonic_ns())),
            sampler: None,
            was_sampled: false,
            refused: None,
            pace,
            slower: around.slower,
            looked_ns: now_ns,
            throttled_ns: cgroup.throttled_ns(),
            counted_ns: now_ns,
            waited: None,
            peers: Peers::of(around.pid),
            accounted: account.read(),
            ran_ns: now_ns - self.since_ns,
            files,
            account,
            cgroup,
        };
        open.sample(around, self.at.tid);
        Ok(open)
    }

    /// The loop goes on, at the latest since then.
    fn close(&mut self, around: &mut Around, ended_ns: u64) {
        let Some(mut open) = self.open.take() else { return };
        // What it waits for by now is the next event.
        open.take_samples(around, ended_ns);
        open.bring_up();
        self.lost += open.lost();
        if around.kernel.is_some() && !open.was_sampled {
            let why = open.refused.as_ref().map(io::Error::to_string);
            self.unsampled = (self.unsampled.0 + 1, why);
        }
        self.sparse += u64::from(open.slower > 1);
        open.episode.end_ns = Some(ended_ns);
        if self.ended.len() == EPISODES_KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back(open.episode);
    }

    /// Samples that were not taken in time.
    pub(super) fn lost(&self) -> u64 {
        self.lost + self.open.as_ref().map_or(0, Open::lost)
    }

    /// How often it was held up and could not be sampled, and why not.
    pub(super) fn unsampled(&self) -> (u64, Option<&str>) {
        (self.unsampled.0, self.unsampled.1.as_deref())
    }

    /// How often it was held up and looked at less often than usual.
    pub(super) fn sparse(&self) -> u64 {
        self.sparse
    }

    /// What was seen of it in a time, if anything was.
    pub(super) fn seen(&mut self, start_ns: u64, end_ns: u64) -> Option<Seen> {
        self.open.iter_mut().for_each(Open::bring_up);
        let open = self.open.iter().map(|open| &open.episode);
        let all = self.ended.iter().chain(open);
        let overlaps = all.map(|episode| (episode.overlap_ns(start_ns, end_ns), episode));
        let (_, best) = overlaps.filter(|(ns, _)| *ns > 0).max_by_key(|(ns, _)| *ns)?;
        Some(best.seen())
    }
}

impl Open {
    /// Has it sampled at the pace, if that can be: what it waits for is seen all the same.
    fn sample(&mut self, around: &Around, tid: u32) {
        let Some(kernel) = &around.kernel else { return };
        // There are few of them: the one that it had is given back first.
        self.sampler = None;
        let offset = around.names.shared_offset();
        match Sampler::start(kernel, tid, self.pace.period_ns, offset) {
            Ok(sampler) => (self.sampler, self.was_sampled) = (Some(sampler), true),
            Err(error) => self.refused = Some(error),
        }
    }

    /// It could not be sampled, as too many others were: they may be over.
    fn may_be_sampled_now(&self) -> bool {
        let is_busy = |error: &io::Error| error.kind() == io::ErrorKind::ResourceBusy;
        self.sampler.is_none() && self.refused.as_ref().is_some_and(is_busy)
    }

    fn lost(&self) -> u64 {
        self.sampler.as_ref().map_or(0, Sampler::lost)
    }

    /// Counts what was not counted yet.
    fn bring_up(&mut self) {
        self.count_wait();
        self.count_throttled();
    }

    /// The kernel counts a time that was throttled when it is over.
    fn count_throttled(&mut self) {
        let throttled = self.cgroup.throttled_ns().zip(self.throttled_ns);
        self.episode.set_throttled(throttled.map(|(now, then)| now.saturating_sub(then)));
    }

    /// Tells what nothing ran in, if the samples that came meanwhile, and the accounts, prove it.
    fn note_silence(&mut self, cpu_ns: u64, around: &Around, sampled_ns: &[u64], lost: u64) {
        let Some(gap) = around.gap else { return };
        if self.sampler.is_some() && self.lost() == lost {
            let silent_ns = gap.silent_ns(sampled_ns, cpu_ns, self.pace.period_ns);
            self.episode.add_silence(silent_ns);
        }
    }

    /// Takes the samples up to a moment; what came behind it is of another turn. Returns for how
    /// long the thread ran, or could have run, since the last time, by what it was accounted.
    fn take_samples(&mut self, around: &mut Around, until_ns: u64) -> u64 {
        let account = self.account.read();
        let lost = self.lost();
        let samples = self.sampler.as_mut().map(Sampler::take).unwrap_or_default();
        let sampled_ns: Vec<u64> = samples.iter().map(|sample| sample.at_ns).collect();
        let accounts = account.zip(std::mem::replace(&mut self.accounted, account));
        let since = accounts
            .map(|(now, then)| (now.0.saturating_sub(then.0), now.1.saturating_sub(then.1)));
        self.ran_ns = self.ran_ns.saturating_add(since.map_or(u64::MAX, |(cpu_ns, _)| cpu_ns));
        if let Some((cpu_ns, _)) = since {
            self.note_silence(cpu_ns, around, &sampled_ns, lost);
        }
        let mut newest = None;
        for sample in samples.into_iter().filter(|sample| sample.at_ns <= until_ns) {
            let at_ns = sample.at_ns;
            let frames = around.names.sampled(&around.memory, sample);
            self.episode.add_running(&frames, at_ns, self.pace.period_ns);
            newest = Some(frames);
        }
        let pass = newest.and_then(|frames| passes::of(&frames, &around.memory));
        pass.into_iter().for_each(|pass| self.episode.note_pass(pass));
        since.map_or(0, |(cpu_ns, run_delay_ns)| cpu_ns + run_delay_ns)
    }

    fn look(&mut self, around: &mut Around, doing: Doing, now_ns: u64) {
        let active_ns = self.take_samples(around, u64::MAX);
        let lasted_ns = now_ns.saturating_sub(self.looked_ns);
        self.looked_ns = now_ns;
        match doing {
            Doing::Waits(waiting) => {
                // It may have begun to only just now.
                self.wait(around, waiting, lasted_ns.saturating_sub(active_ns));
            }
            Doing::Runs => self.end_wait(),
        }
        if now_ns.saturating_sub(self.counted_ns) >= COUNTED_NS {
            self.counted_ns = now_ns;
            self.bring_up();
        }
    }

    /// It waits, for something else than before or for the same.
    fn wait(&mut self, around: &mut Around, waiting: Waiting, lasted_ns: u64) {
        if self.waited.as_ref().is_none_or(|known| known.waiting != waiting) {
            self.end_wait();
            let subject = self.files.subject(&waiting, &around.memory, &mut self.peers);
            let frames = around.names.waiting(&around.memory, waiting.sp, waiting.pc);
            self.waited = Some(Waited { waiting, subject, frames, until_ns: 0, ns: 0 });
        }
        if let Some(waited) = &mut self.waited {
            waited.until_ns = self.looked_ns;
            waited.ns += lasted_ns;
        }
    }

    fn end_wait(&mut self) {
        self.count_wait();
        self.waited = None;
    }

    fn count_wait(&mut self) {
        let Some(waited) = &mut self.waited else { return };
        let until = (waited.until_ns, std::mem::take(&mut waited.ns));
        let Waited { waiting, subject, frames, .. } = waited;
        if until.1 > 0 {
            self.episode.add_waiting(waiting, subject.clone(), frames, until);
        }
    }
}

/// When a turn that went on at `seen_ns` was over at the latest: behind it the poll was entered,
/// as its probe tells, and then the loop began to wait. `None`: neither is known to have come.
fn ended_ns(seen_ns: u64, waits_since_ns: Option<u64>, boundary_ns: u64) -> Option<u64> {
    let ends = waits_since_ns.into_iter().chain([boundary_ns]);
    ends.filter(|&end_ns| end_ns > seen_ns).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_over_when_the_poll_behind_it_is_entered() {
        assert_eq!(ended_ns(100, Some(160), 150), Some(150), "the probe is met first");
        assert_eq!(ended_ns(100, Some(160), 0), Some(160), "there is no probe");
        assert_eq!(ended_ns(100, None, 150), Some(150), "it works again");
        assert_eq!(ended_ns(100, None, 90), None, "that one was before it");
        assert_eq!(ended_ns(100, None, 0), None);
    }
}
