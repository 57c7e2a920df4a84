//! One loop of the target: what is read of it, and what that comes to.

use std::path::Path;

use loop_core::snapshot::{Counters, Events, LoopSnapshot, OpenTurn, Stall, ThreadCpu, Tier};

use super::super::baseline::Baseline;
use super::super::clock::monotonic_ns;
use super::super::exposure::Exposure;
use super::super::eye::Eye;
use super::super::layout::UvLayout;
use super::super::loops::{FoundLoop, read_loop};
use super::super::memory::{Memory, Trouble, trouble};
use super::super::stacks::LoopAt;
use super::schedule::due_ns;
use super::stalls::Stalls;
use super::watch::{Sample, Turn, Watch};
use super::{Clock, Options};
use crate::source::quota::Throttled;
use crate::source::schedstat::{Account, Accounts};

/// A reading that took longer was interrupted: what it says is not of one moment.
const READING_NS_MAX: u64 = 500_000;
/// How often it is then done again.
const READINGS_MAX: usize = 3;

/// A loop that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    found: FoundLoop,
    thread: String,
    accounts: Accounts,
    watch: Option<Watch>,
    stalls: Stalls,
    throttled: Throttled,
    exposure: Exposure,
    due_ns: u64,
    has_ended: bool,
    eye: Option<Eye>,
}

impl Watched {
    /// `folder` is that of its thread in `/proc`. `None`: the thread has ended.
    pub(super) fn new(
        found: FoundLoop,
        thread: String,
        folder: &Path,
        eye: Option<Eye>,
    ) -> Option<Watched> {
        let accounts = Accounts::open(folder).ok()?;
        Some(Watched {
            found,
            thread,
            accounts,
            watch: None,
            stalls: Stalls::default(),
            throttled: Throttled::default(),
            exposure: Exposure::since(monotonic_ns()),
            due_ns: 0,
            has_ended: false,
            eye,
        })
    }

    /// Asks there what was seen in stalls.
    pub(super) fn set_eye(&mut self, eye: Option<Eye>) {
        self.eye = eye;
    }

    /// Where it is.
    pub(super) fn place(&self) -> LoopAt {
        LoopAt { tid: self.found.tid, fields: self.found.internal_fields, slot: None }
    }

    /// Its thread.
    pub(super) fn tid(&self) -> u32 {
        self.found.tid
    }

    /// What it had waited when it was found.
    pub(super) fn baseline(&self, clock: Clock) -> Option<Baseline> {
        let (at_ns, idle_ns) = self.watch.as_ref()?.baseline();
        Some(Baseline { at_ns: clock.shift.from_target_ns(at_ns), idle_ns })
    }

    /// When it was looked at last, by our clock.
    pub(super) fn looked_ns(&self, clock: Clock) -> Option<u64> {
        Some(clock.shift.from_target_ns(self.watch.as_ref()?.looked_ns()))
    }

    /// Whether this is the loop.
    pub(super) fn is_of(&self, found: &FoundLoop) -> bool {
        (self.found.tid, self.found.start_ticks) == (found.tid, found.start_ticks)
    }

    /// More has been found out about the loop.
    pub(super) fn update(&mut self, found: FoundLoop) {
        self.found = found;
    }

    /// When to look next, by our clock.
    pub(super) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Look at it at once.
    pub(super) fn hurry(&mut self) {
        self.due_ns = 0;
    }

    /// Whether a turn goes on, as of the last look.
    pub(super) fn is_open(&self) -> bool {
        self.open().is_some()
    }

    /// Whether the loop was closed, or its thread or process has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Reads the loop.
    pub(super) fn look(
        &mut self,
        memory: &Memory,
        layout: &UvLayout,
        clock: Clock,
        options: Options,
        now_ns: u64,
    ) {
        let sample = self.sample(memory, layout, clock);
        self.has_ended = matches!(sample, Err(Trouble::Gone));
        if let Ok(sample) = sample {
            let ended = match &mut self.watch {
                Some(watch) => watch.note(sample),
                watch => {
                    *watch = Some(Watch::new(sample));
                    None
                }
            };
            self.count(ended, clock, options);
        }
        if self.has_ended {
            // A turn that went on until the end has ended with it.
            self.count(self.open(), clock, options);
        }
        let open_ns = self.open().map(|turn| turn.duration_ns);
        self.due_ns = due_ns(now_ns, open_ns, options);
    }

    /// What is known of it at one moment; of several tries the quickest but one that was quick.
    fn sample(&self, memory: &Memory, layout: &UvLayout, clock: Clock) -> Result<Sample, Trouble> {
        let mut tries = 0;
        loop {
            let at_ns = clock.target_ns();
            let reading = read_loop(memory, &self.found, layout).map_err(|why| trouble(&why));
            tries += 1;
            let took_ns = clock.target_ns() - at_ns;
            // The stack of a thread that has ended may still lie there: this tells.
            let account = self.accounts.read().map_err(|_| Trouble::Gone)?;
            if took_ns <= READING_NS_MAX || tries == READINGS_MAX {
                let account = account.and_then(Account::counted);
                return Ok(Sample { at_ns, reading: reading?, account });
            }
        }
    }

    fn open(&self) -> Option<Turn> {
        self.watch.as_ref()?.open()
    }

    /// Counts a turn that has ended, if it was a stall.
    fn count(&mut self, turn: Option<Turn>, clock: Clock, options: Options) {
        let stall = turn.filter(|turn| turn.duration_ns >= options.threshold_ns);
        if let Some(turn) = stall {
            self.add(self.stall_of(&turn, clock, false));
        }
    }

    /// Whether it was never asked what its group's quota has taken.
    pub(super) fn is_new_to_quota(&self) -> bool {
        !self.throttled.has_begun()
    }

    /// Its control group was throttled for so long by now.
    pub(super) fn note_throttled(&mut self, group_ns: Option<u64>) {
        // The last look at the loop may be half a second old.
        let read = || self.accounts.read().ok().flatten();
        let account = group_ns.and_then(|_| read());
        self.throttled.note(group_ns, account.map(|account| account.run_delay_ns));
    }

    /// It is observed by its memory alone until now, or, where `probed`, by its probes.
    pub(super) fn note_exposure(&mut self, probed: bool, now_ns: u64) {
        self.exposure.note((!probed).then_some(Tier::Passive), now_ns);
    }

    /// Adds a stall that has ended, unless it is known.
    pub(super) fn add(&mut self, stall: Stall) {
        if !self.stalls.has(&stall) {
            self.stalls.extend([stall]);
        }
    }

    /// How many stalls have ended.
    pub(super) fn events(&self) -> Events {
        self.stalls.events()
    }

    /// The turn that goes on, if it is a stall.
    pub(super) fn running(&self, options: Options) -> Option<Turn> {
        let is_long = |turn: &Turn| turn.duration_ns >= options.threshold_ns;
        self.open().filter(|turn| !self.has_ended && is_long(turn))
    }

    /// What has been seen of it.
    pub(super) fn snapshot(&self, pid: u32, clock: Clock, options: Options) -> LoopSnapshot {
        let open = self.open().filter(|_| !self.has_ended);
        let running = self.running(options).map(|turn| self.stall_of(&turn, clock, true));
        let known = LoopSnapshot {
            pid,
            thread: self.thread.clone(),
            tid: self.found.tid,
            observed: self.exposure.told(),
            open: open.map(|turn| OpenTurn { age_ns: turn.duration_ns, phase: None, drain: None }),
            stalls: self.stalls.newest().cloned().chain(running).collect(),
            stall_totals: self.stalls.totals(),
            ..LoopSnapshot::default()
        };
        let Some(watch) = &self.watch else { return known };
        let (wall_ns, idle_ns) = (watch.wall_ns(), watch.idle_ns());
        let cpu = watch.account().map(ThreadCpu::from).unwrap_or_default();
        let active_ns = wall_ns - idle_ns;
        LoopSnapshot {
            turns: watch.turns(),
            microtasks: watch.microtasks(),
            active_ns: Some(active_ns),
            idle_ns: Some(idle_ns),
            utilization: (wall_ns > 0).then(|| active_ns as f64 / wall_ns as f64),
            cpu: ThreadCpu { throttled_ns: self.throttled.of(cpu.run_delay_ns), ..cpu },
            ..known
        }
    }

    fn stall_of(&self, turn: &Turn, clock: Clock, running: bool) -> Stall {
        let mut stall = Stall {
            start_unix_ns: clock.unix_ns(turn.start_ns),
            duration_ns: turn.duration_ns,
            running,
            phase: None,
            callbacks: None,
            microtasks: turn.microtasks,
            repeated: None,
            ledger_ns: turn.ledger_ns,
            counters: Counters::default(),
            culprit: None,
            profile: None,
            waits: None,
            drain: None,
            stack: None,
        };
        self.eye.iter().for_each(|eye| eye.fill(&mut stall));
        stall
    }
}
