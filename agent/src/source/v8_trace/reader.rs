//! Follows the files of the folder, and notices processes that don't answer.
//!
//! Once a second all processes are asked to hand their trace over. One whose main thread is in a
//! turn that does not end can't: its file stays as it is. From then on the turn is at least as old
//! as the question.
//!
//! Cost: a listing of the folder ten times a second, and the reading of what was written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use loop_core::snapshot::ThreadCpu;
use rustix::time::{ClockId, clock_gettime};

use super::folder::Folder;
use super::pieces::Pieces;
use super::process::{self, Open, Process, Scales, Thread};

/// How often the folder is looked at.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// How often traces are asked for. It is what a process that is killed may keep to itself.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(1);

/// A process that has not answered for so long is in a turn that does not end.
const ANSWER_MAX: Duration = Duration::from_millis(300);

/// Processes that are told apart. A build may start thousands: 50 KB each.
const PROCESSES_MAX: usize = 256;

const PORTION_BYTES: usize = 256 << 10;

/// All that was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) processes: BTreeMap<u32, Process>,
    /// Processes beyond [`PROCESSES_MAX`].
    pub(super) left_out: u64,
    /// When the command had ended.
    pub(super) ended: Option<Instant>,
}

/// Reads the folder into what was seen.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) folder: Folder,
    pub(super) seen: Arc<Mutex<Seen>>,
    pub(super) scales: Scales,
    traces: BTreeMap<u32, Trace>,
    asked: Option<Instant>,
}

/// The files of one process.
#[derive(Debug, Default)]
struct Trace {
    /// The number of the file that is read, from 1.
    number: u32,
    file: Option<File>,
    pieces: Pieces,
    /// Whether the process hands its trace over when asked.
    answers: bool,
    question: Option<Question>,
}

/// When it was first asked for what has not come.
#[derive(Clone, Copy, Debug)]
struct Question {
    at: Instant,
    unix_ns: u64,
    cpu: ThreadCpu,
}

impl Reader {
    pub(super) fn new(folder: Folder, seen: Arc<Mutex<Seen>>, scales: Scales) -> Reader {
        Reader { folder, seen, scales, traces: BTreeMap::new(), asked: None }
    }

    /// Reads what is new, and asks for more when it is time.
    pub(super) fn tick(&mut self) {
        self.look_around();
        let now_ns = monotonic_ns();
        lock(&self.seen).processes.values_mut().for_each(|process| process.sample(now_ns));
        self.read_all();
        let due = self.asked.get_or_insert_with(Instant::now).elapsed() >= ASK_EVERY;
        if due {
            self.ask();
        }
        self.notice_the_silent();
    }

    /// Asks all that can answer, and waits for a moment until they have.
    pub(super) fn gather(&mut self) {
        self.look_around();
        self.read_all();
        let asked = Instant::now();
        self.ask();
        let may_answer = |(pid, trace): (&u32, &Trace)| {
            let just_asked = trace.question.is_some_and(|question| question.at >= asked);
            just_asked && matches!(process::main_thread(*pid), Thread::Runs(_))
        };
        while self.traces.iter().any(may_answer) && asked.elapsed() < ANSWER_MAX {
            std::thread::sleep(TICK / 10);
            self.read_all();
        }
        self.notice_the_silent();
    }

    /// Finds new files.
    fn look_around(&mut self) {
        let Ok(entries) = fs::read_dir(self.folder.path()) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(pid) = name.strip_suffix(".node").and_then(|pid| pid.parse().ok()) {
                self.greet(pid, entry.path());
            } else if let Some((pid, _)) =
                name.strip_suffix(".json").and_then(|n| n.split_once('-'))
                && let Ok(pid) = pid.parse()
            {
                self.admit(pid);
            }
        }
    }

    /// Makes the process known, if there is room for it.
    fn admit(&mut self, pid: u32) -> Option<&mut Trace> {
        if !self.traces.contains_key(&pid) {
            let mut seen = lock(&self.seen);
            if seen.processes.len() >= PROCESSES_MAX {
                // It is told once: its files go.
                seen.left_out += u64::from(self.remove_files_of(pid));
                return None;
            }
            seen.processes.insert(pid, Process::new(pid, self.scales));
            drop(seen);
            self.traces.insert(pid, Trace { number: 1, ..Trace::default() });
        }
        self.traces.get_mut(&pid)
    }

    fn remove_files_of(&self, pid: u32) -> bool {
        let hello = self.folder.path().join(format!("{pid}.node"));
        let _ = fs::remove_file(self.folder.path().join(format!("{pid}-1.json")));
        fs::remove_file(hello).is_ok()
    }

    fn greet(&mut self, pid: u32, hello: PathBuf) {
        let Some(trace) = self.admit(pid).filter(|trace| !trace.answers) else { return };
        // It may not be written yet.
        let said = fs::read(hello).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let Some(said) = said else { return };
        trace.answers = true;
        if let Some(process) = lock(&self.seen).processes.get_mut(&pid) {
            process.greet(said);
        }
    }

    fn ask(&mut self) {
        if self.folder.ask().is_err() {
            return;
        }
        let now = Instant::now();
        self.asked = Some(now);
        for (pid, trace) in &mut self.traces {
            if trace.answers && trace.question.is_none() {
                trace.question = match process::main_thread(*pid) {
                    Thread::Runs(cpu) => Some(Question { at: now, unix_ns: unix_ns(), cpu }),
                    Thread::Stopped | Thread::Gone => None,
                };
            }
        }
    }

    fn read_all(&mut self) {
        for (&pid, trace) in &mut self.traces {
            let path = |number: u32| self.folder.path().join(format!("{pid}-{number}.json"));
            let mut grew = false;
            loop {
                if trace.file.is_none() {
                    trace.file = File::open(path(trace.number)).ok();
                }
                grew |= trace.read(pid, &self.seen);
                if !trace.pieces.closed || !path(trace.number + 1).exists() {
                    break;
                }
                // What is left of the old one can't be removed: so it stays until the end.
                let _ = fs::remove_file(path(trace.number));
                let Trace { number, answers, .. } = *trace;
                *trace = Trace { number: number + 1, answers, ..Trace::default() };
            }
            if grew {
                let asked = trace.question.take().is_some();
                if let Some(process) = lock(&self.seen).processes.get_mut(&pid) {
                    process.handed_over |= asked;
                    process.open = None;
                }
            }
        }
    }

    /// Notes for how long those are stuck that have not answered.
    fn notice_the_silent(&mut self) {
        for (pid, trace) in &mut self.traces {
            let Some(question) = trace.question.filter(|asked| asked.at.elapsed() >= ANSWER_MAX)
            else {
                continue;
            };
            let open = match process::main_thread(*pid) {
                Thread::Runs(cpu) => Some(question.open(cpu)),
                Thread::Stopped => {
                    // Not stuck, and asked again later.
                    trace.question = None;
                    None
                }
                // The last that was seen of it stands.
                Thread::Gone => continue,
            };
            if let Some(process) = lock(&self.seen).processes.get_mut(pid) {
                process.open = open;
            }
        }
    }
}

impl Question {
    /// The turn in which there is no answer, `cpu` being what the kernel says now.
    fn open(&self, cpu: ThreadCpu) -> Open {
        let since = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Open {
            start_unix_ns: self.unix_ns,
            age_ns: u64::try_from(self.at.elapsed().as_nanos()).unwrap_or(u64::MAX),
            cpu: ThreadCpu {
                on_cpu_ns: since(cpu.on_cpu_ns, self.cpu.on_cpu_ns),
                run_delay_ns: since(cpu.run_delay_ns, self.cpu.run_delay_ns),
                throttled_ns: None,
            },
        }
    }
}

impl Trace {
    /// Reads on to the end of the file as it is now; says whether there was anything.
    fn read(&mut self, pid: u32, seen: &Mutex<Seen>) -> bool {
        let Some(file) = &mut self.file else { return false };
        let mut grew = false;
        let mut portion = vec![0; PORTION_BYTES];
        loop {
            let length = match file.read(&mut portion) {
                Ok(0) => return grew,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return grew,
            };
            grew = true;
            if let Some(process) = lock(seen).processes.get_mut(&pid) {
                process.take(&portion[..length], &mut self.pieces);
                process.closed = self.pieces.closed;
            }
        }
    }
}

/// What was seen, also if a thread has panicked while it wrote.
pub(super) fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of day.
pub(super) fn unix_ns() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

/// The clock that V8's trace has its times from.
pub(super) fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
