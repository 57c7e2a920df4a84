//! One process: its loops, what it is called, and whether it hands its trace over.
//!
//! Cost: some 50 KB a loop. A process may start workers without end: of those that have ended,
//! the ninth and later ones share one loop called `other`.

use std::collections::BTreeMap;
use std::path::Path;

use loop_core::snapshot::{
    Counters, Ledger, LedgerKey, Limit, LoopSnapshot, Observed, OpenTurn, Runtime, Source, Stall,
    Target, ThreadCpu, Tier,
};
use serde::Deserialize;

use super::event::{self, Event, What};
use super::pieces::Pieces;
use super::turns::{Lost, Turns};
use crate::source::quota::{Group, Throttled};
use crate::source::schedstat;

/// Workers of one process that are told apart.
const WORKERS_MAX: u32 = loopscope_exporters::limits::WORKERS_MAX as u32;

/// It sees all that this source shows, all the time.
const TIER: Tier = Tier::Full;

/// How often it is asked for how long a quota has held a process back.
const GROUP_NS: u64 = 1_000_000_000;

/// What of a process is in no event of its trace.
fn unseen() -> Vec<Limit> {
    let limit = |what: &str, why: &str| Limit { what: what.to_owned(), why: why.to_owned() };
    vec![
        limit(
            "utilisation, poll wait, duration of turns, arrival delay",
            "no trace event tells when the poll begins to wait",
        ),
        limit(
            "a turn that goes on, and the main thread's alone, until it has lasted for 0.3 s",
            "it is noticed when the process does not hand its trace over, once a second",
        ),
        limit("timer lateness", "no trace event tells when a timer was due"),
        limit("phases pending, idle, prepare, poll, close", "they have no trace events"),
        limit("nextTick drains, callbacks, thread pool", "they have no trace events"),
    ]
}

/// What a process says of itself when it starts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Hello {
    version: String,
    script: Option<String>,
}

/// How the times of a trace become those of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scales {
    pub(super) stall_threshold_ns: u64,
    /// What the monotonic clock lacks to the time of day.
    pub(super) unix_offset_ns: u64,
}

/// A process of the command.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    scales: Scales,
    version: Option<String>,
    name: Option<String>,
    loops: Vec<Loop>,
    /// Worker threads that have ended, the first ones left out.
    others: Option<LoopSnapshot>,
    names: BTreeMap<u32, String>,
    lost: Lost,
    dropped: u64,
    /// Whether its trace was asked for and came, for which tracing is off for a moment.
    pub(super) handed_over: bool,
    /// The turn that has not let the process hand its trace over.
    pub(super) open: Option<Open>,
    /// Whether the trace has its end.
    pub(super) closed: bool,
    group: Option<Group>,
    /// When to look at it next, by the monotonic clock.
    group_due_ns: u64,
}

#[derive(Debug)]
struct Loop {
    turns: Turns,
    throttled: Throttled,
    /// Since when it is observed, by the monotonic clock.
    since_ns: Option<u64>,
    ended: bool,
}

/// A turn that has not ended, and what the kernel says of the thread since it was noticed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) start_unix_ns: u64,
    pub(super) age_ns: u64,
    pub(super) cpu: ThreadCpu,
}

impl Process {
    pub(super) fn new(pid: u32, scales: Scales) -> Process {
        Process {
            pid,
            scales,
            version: None,
            name: None,
            loops: Vec::new(),
            others: None,
            names: BTreeMap::new(),
            lost: Lost::default(),
            dropped: 0,
            handed_over: false,
            open: None,
            closed: false,
            group: None,
            group_due_ns: 0,
        }
    }

    /// Takes what it says of itself.
    pub(super) fn greet(&mut self, hello: Hello) {
        self.name = self.name.take().or(hello.script.as_deref().and_then(base_name));
        self.version = Some(hello.version);
        self.loop_of(self.pid);
    }

    /// Takes the next portion of its trace.
    pub(super) fn take(&mut self, bytes: &[u8], pieces: &mut Pieces) {
        let dropped = pieces.dropped;
        let mut events = Vec::new();
        pieces.feed(bytes, |object| match event::read(object) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => {}
            Err(event::Unreadable) => self.lost.unreadable += 1,
        });
        self.lost.unreadable += pieces.dropped - dropped;
        // Node has two buffers and may write the newer one first.
        events.sort_by_key(|event| event.at.wall_ns);
        events.iter().for_each(|event| self.take_event(event));
    }

    fn take_event(&mut self, event: &Event) {
        match &event.what {
            What::ThreadName(name) => {
                self.names.insert(event.tid, name.clone());
            }
            What::Version(version) => self.version = Some(version.clone()),
            What::EnvironmentStart { arguments } => self.start_loop(event.tid, arguments),
            _ => self.loop_of(event.tid).turns.take(event),
        }
        if event.what == What::EnvironmentEnd {
            self.end_loop(event.tid);
        }
    }

    fn start_loop(&mut self, tid: u32, arguments: &[String]) {
        if tid == self.pid && self.name.is_none() {
            let script = arguments.get(1).filter(|argument| !argument.starts_with('-'));
            self.name = script.or(arguments.first()).and_then(|path| base_name(path));
        }
        self.end_loop(tid);
        self.loop_of(tid);
    }

    fn end_loop(&mut self, tid: u32) {
        let Some(index) = self.running(tid).filter(|_| tid != self.pid) else { return };
        self.loops[index].turns.end();
        self.loops[index].ended = true;
        // Its number may now go to another thread, its name may not.
        let name = self.thread_name(tid, index);
        self.loops[index].turns.seen.thread = name;
        self.names.remove(&tid);
        if self.loops[index].turns.seen.thread == "other" {
            let ended = self.loops.remove(index);
            self.lost.ends += ended.turns.lost.ends;
            self.dropped += ended.turns.dropped;
            let mut seen = ended.turns.seen;
            match &mut self.others {
                Some(others) => {
                    others.merge(&seen);
                    let excess = others.stalls.len().saturating_sub(super::turns::STALLS_KEPT);
                    others.stalls.drain(..excess);
                    self.dropped += excess as u64;
                }
                None => {
                    seen.tid = 0;
                    self.others = Some(seen);
                }
            }
        }
    }

    fn running(&self, tid: u32) -> Option<usize> {
        self.loops.iter().position(|of| of.turns.seen.tid == tid && !of.ended)
    }

    fn loop_of(&mut self, tid: u32) -> &mut Loop {
        let index = self.running(tid).unwrap_or_else(|| {
            let Scales { stall_threshold_ns, unix_offset_ns } = self.scales;
            let turns = Turns::new(self.pid, tid, stall_threshold_ns, unix_offset_ns);
            let throttled = Throttled::default();
            self.loops.push(Loop { turns, throttled, since_ns: None, ended: false });
            self.loops.len() - 1
        });
        &mut self.loops[index]
    }

    /// `main`, or the number that Node gives to a worker: it calls the thread `[worker 3] name`.
    fn thread_name(&self, tid: u32, index: usize) -> String {
        if tid == self.pid {
            return "main".to_owned();
        }
        let number = self.names.get(&tid).and_then(|name| {
            let (number, _) = name.strip_prefix("[worker ")?.split_once(']')?;
            number.parse::<u32>().ok()
        });
        match number.unwrap_or(index as u32) {
            number if number <= WORKERS_MAX => format!("worker-{number}"),
            _ => "other".to_owned(),
        }
    }

    /// Takes what the kernel accounts to its threads now.
    pub(super) fn sample(&mut self, now_ns: u64) {
        let looked = self.look_at_group(now_ns);
        let group_ns = self.group.as_ref().and_then(Group::throttled_ns);
        for of in self.loops.iter_mut().filter(|of| !of.ended) {
            let cpu = schedstat::read_of(self.pid, of.turns.seen.tid);
            if looked || !of.throttled.has_begun() {
                of.throttled.note(group_ns, cpu.run_delay_ns);
            }
            of.turns.sample(now_ns, cpu);
            let since_ns = *of.since_ns.get_or_insert(now_ns);
            of.turns.seen.observed = Observed::at(TIER, now_ns.saturating_sub(since_ns));
            of.turns.seen.cpu.throttled_ns = of.throttled.of(of.turns.seen.cpu.run_delay_ns);
        }
    }

    /// Looks at its control group, once a second; says whether it has.
    fn look_at_group(&mut self, now_ns: u64) -> bool {
        if now_ns < self.group_due_ns {
            return false;
        }
        let Ok(names) = std::fs::read_to_string(format!("/proc/{}/cgroup", self.pid)) else {
            return false;
        };
        self.group_due_ns = now_ns + GROUP_NS;
        match &mut self.group {
            Some(group) => group.look(names),
            None => self.group = Some(Group::of(self.pid, names)),
        }
        true
    }

    /// The process will write no more.
    pub(super) fn end(&mut self) {
        self.loops.iter_mut().for_each(|of| of.turns.end());
    }

    /// Whether any loop was seen.
    pub(super) fn is_node(&self) -> bool {
        !self.loops.is_empty()
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.total() + self.loops.iter().map(|of| of.turns.lost.total()).sum::<u64>()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped + self.loops.iter().map(|of| of.turns.dropped).sum::<u64>()
    }

    /// Whether other threads than the main one were not traced for moments.
    pub(super) fn has_gaps(&self) -> bool {
        self.handed_over && (self.loops.len() > 1 || self.others.is_some())
    }

    pub(super) fn target(&self) -> Target {
        Target {
            pid: self.pid,
            name: self.name.clone().unwrap_or_else(|| "node".to_owned()),
            runtime: Runtime::NodeJs,
            runtime_version: self.version.clone().unwrap_or_else(|| "unknown".to_owned()),
            source: Source::V8Trace,
            tier: TIER,
            overhead_ratio: None,
            limits: unseen(),
            sampled: self.has_gaps(),
        }
    }

    /// The loops as they are now.
    pub(super) fn loops(&self) -> Vec<LoopSnapshot> {
        let mut all: Vec<LoopSnapshot> = Vec::new();
        for (index, of) in self.loops.iter().enumerate() {
            let mut seen = of.turns.seen.clone();
            if seen.thread.is_empty() {
                seen.thread = self.thread_name(seen.tid, index);
            }
            if seen.tid == self.pid
                && let Some(open) = &self.open
            {
                open.show(&mut seen);
            }
            all.push(seen);
        }
        all.extend(self.others.clone().map(|seen| LoopSnapshot { thread: "other".into(), ..seen }));
        all
    }
}

impl Open {
    /// Adds the open turn to what was seen of its loop.
    fn show(&self, seen: &mut LoopSnapshot) {
        let since = |now: Option<u64>| now.unwrap_or(0).min(self.age_ns);
        let on_cpu_ns = since(self.cpu.on_cpu_ns);
        let run_delay_ns = since(self.cpu.run_delay_ns).min(self.age_ns - on_cpu_ns);
        let ledger_ns = match self.cpu.on_cpu_ns {
            None => Ledger::default().with(LedgerKey::Unknown, self.age_ns),
            Some(_) => Ledger::default()
                .with(LedgerKey::RunQueue, run_delay_ns)
                .with(LedgerKey::SyncIo, self.age_ns - on_cpu_ns - run_delay_ns)
                .with(LedgerKey::Javascript, on_cpu_ns),
        };
        seen.open = Some(OpenTurn { age_ns: self.age_ns, phase: None, drain: None });
        seen.stalls.push(Stall {
            start_unix_ns: self.start_unix_ns,
            duration_ns: self.age_ns,
            running: true,
            phase: None,
            callbacks: None,
            microtasks: None,
            ledger_ns,
            counters: Counters { task_clock_ns: self.cpu.on_cpu_ns, ..Counters::default() },
            culprit: None,
            repeated: None,
            profile: None,
            waits: None,
            drain: None,
            stack: None,
        });
    }
}

/// The main thread of a process.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thread {
    /// It runs or waits, and the kernel accounts this to it.
    Runs(ThreadCpu),
    /// By a signal or a debugger.
    Stopped,
    /// It has ended.
    Gone,
}

/// Asks the kernel for the main thread of a process.
pub(super) fn main_thread(pid: u32) -> Thread {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program, in parentheses, may hold anything.
    match stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()) {
        None | Some('Z' | 'X' | 'x') => Thread::Gone,
        Some('T' | 't') => Thread::Stopped,
        Some(_) => Thread::Runs(schedstat::read_of(pid, pid)),
    }
}

fn base_name(path: &str) -> Option<String> {
    Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALES: Scales = Scales { stall_threshold_ns: 50_000_000, unix_offset_ns: 0 };

    fn event(tid: u32, ts: u64, ph: &str, name: &str, args: &str) -> String {
        format!(
            r#"{{"pid":7,"tid":{tid},"ts":{ts},"tts":{ts},"ph":"{ph}","cat":"x","name":"{name}",
                "dur":0,"tdur":0,"args":{args}}},"#
        )
    }

    /// A worker that lives from `ts` on, and drains so many jobs.
    fn worker(number: u32, ts: u64, jobs: u64) -> String {
        let tid = 100 + number;
        let name = format!(r#"{{"name":"[worker {number}] x"}}"#);
        [
            event(tid, ts, "b", "Environment", r#"{"args":{"args":["node"]}}"#),
            event(tid, ts + 1, "M", "thread_name", &name),
            event(tid, ts + 2, "B", "RunMicrotasks", "{}"),
            event(tid, ts + 3, "E", "RunMicrotasks", &format!(r#"{{"microtask_count":{jobs}}}"#)),
            event(tid, ts + 4, "e", "Environment", "{}"),
        ]
        .concat()
    }

    fn of(events: &str) -> Process {
        let mut process = Process::new(7, SCALES);
        let text = format!(r#"{{"traceEvents":[{events}"#);
        process.take(text.as_bytes(), &mut Pieces::default());
        process.end();
        process
    }

    #[test]
    fn the_first_workers_have_their_names_and_the_others_share_one() {
        let all: String = (1..=20).map(|n| worker(n, u64::from(n) * 10, u64::from(n))).collect();
        let process = of(&all);
        let longest = |name: &str| {
            let loops = process.loops();
            let found = loops.iter().find(|seen| seen.thread == name).expect("it is there");
            found.microtask_drain_length.as_ref().map(|drains| (drains.count(), drains.max))
        };
        assert_eq!(longest("worker-1"), Some((1, 1)));
        assert_eq!(longest("worker-8"), Some((1, 8)));
        assert_eq!(longest("other"), Some((12, 20)));
        assert_eq!(process.loops().len(), 9);
    }

    #[test]
    fn a_thread_number_that_comes_again_is_another_worker() {
        let again = worker(2, 50, 5).replace(r#""tid":102"#, r#""tid":101"#);
        let loops = of(&(worker(1, 10, 3) + &again)).loops();
        let seen: Vec<_> = loops.iter().map(|of| (of.thread.as_str(), of.microtasks)).collect();
        assert_eq!(seen, [("worker-1", Some(3)), ("worker-2", Some(5))]);
    }

    #[test]
    fn a_process_is_called_as_its_script_and_has_its_version() {
        let start = r#"{"args":{"args":["/usr/bin/node","/srv/app.js","x"]}}"#;
        let version = r#"{"node":"20.20.2"}"#;
        let target =
            of(&(event(7, 1, "b", "Environment", start) + &event(7, 2, "M", "version", version)))
                .target();
        assert_eq!((target.name.as_str(), target.runtime_version.as_str()), ("app.js", "20.20.2"));
        let unseen: String = target.limits.into_iter().map(|limit| limit.what).collect();
        assert!(["utilisation", "poll wait", "lateness"].iter().all(|what| unseen.contains(what)));
    }

    #[test]
    fn a_turn_that_is_open_is_a_running_stall_with_its_time_divided() {
        let mut process = Process::new(7, SCALES);
        process.greet(Hello { version: "20.20.2".into(), script: None });
        let cpu = ThreadCpu { on_cpu_ns: Some(60), run_delay_ns: Some(30), throttled_ns: None };
        process.open = Some(Open { start_unix_ns: 5, age_ns: 100, cpu });
        let seen = &process.loops()[0];
        assert_eq!(seen.current_turn_ns(), 100);
        let ledger = seen.stalls[0].ledger_ns;
        let keys = [LedgerKey::RunQueue, LedgerKey::SyncIo, LedgerKey::Javascript];
        assert_eq!(keys.map(|key| ledger.get(key)), [Some(30), Some(10), Some(60)]);
        assert!(seen.stalls[0].running);
    }

    #[test]
    fn what_can_not_be_read_is_counted() {
        assert_eq!(of(r#"{"x":1},{"tid":1},"#).lost(), 2);
    }
}
