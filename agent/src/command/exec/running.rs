//! The command while it runs: who waits for it, and who sends it signals.
//!
//! **Invariant**: a signal goes to the command or to nobody. Its number is given to no other
//! process before its end was taken, and behind that nothing is sent.
//!
//! **Invariant**: we stop only while the command is stopped. One that ignores the request to stop,
//! or whose process group is orphaned, so that the kernel discards it, goes on, and so do we.

use std::fs;
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::signal::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

use crate::supervise::Event;

/// Processes below a command that are told to end with it.
const DESCENDANTS_MAX: usize = 4_096;

/// How long after a request to stop a stop of the command is the answer to it. A command that has
/// to put its terminal in order first takes some milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// The command, from any thread.
#[derive(Clone, Debug)]
pub(in crate::command) struct Running(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Its number, until its end was taken.
    pid: Option<Pid>,
    /// Whether it is stopped.
    stopped: bool,
    /// When it was last asked to stop, if it has neither answered nor been asked to go on.
    asked: Option<Instant>,
    /// For how long its main thread was on a CPU, once it has ended.
    cpu_ns: Option<u64>,
}

impl Running {
    /// Waits for the end of `child` on a thread of its own, and tells it.
    pub(in crate::command) fn watch(
        mut child: Child,
        ended: Sender<Event<ExitStatus>>,
    ) -> io::Result<Running> {
        let pid = Pid::from_child(&child);
        let state = State { pid: Some(pid), stopped: false, asked: None, cpu_ns: None };
        let running = Running(Arc::new(Mutex::new(state)));
        let watched = running.clone();
        let body = move || {
            watched.follow(pid);
            watched.state().cpu_ns = cpu_ns(pid);
            // Nobody may listen any more.
            let _ = ended.send(Event::Ended(watched.take(|| child.wait())));
        };
        thread::Builder::new().name("loopscope-wait".to_owned()).spawn(body)?;
        Ok(running)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees the command stop and go on, until it has ended. Its end is not taken.
    fn follow(&self, pid: Pid) {
        let changes = WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED;
        let look = changes | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::Pid(pid), look) {
                Err(rustix::io::Errno::INTR) => continue,
                Ok(Some(change)) if change.stopped() || change.continued() => {}
                _ => return,
            }
            // It may have changed again, or ended, since.
            let taken = waitid(WaitId::Pid(pid), changes | WaitIdOptions::NOHANG);
            if let Ok(Some(change)) = taken {
                let mut state = self.state();
                state.stopped = change.stopped();
                state.stop_with_it();
            }
        }
    }

    /// A request to stop, which the terminal has told the command as well or which is passed on.
    pub(super) fn asked_to_stop(&self, from_terminal: bool) {
        let mut state = self.state();
        if !from_terminal {
            state.send(Signal::TSTP);
        }
        state.asked = Some(Instant::now());
        state.stop_with_it();
    }

    /// For how long the command's main thread was on a CPU, in nanoseconds, once it has ended.
    pub(in crate::command) fn cpu_ns(&self) -> Option<u64> {
        self.state().cpu_ns
    }

    /// Takes the end of the command: from then on its number may be another process's.
    fn take<T>(&self, end: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        state.pid = None;
        end()
    }

    /// Sends a signal, if it has not ended.
    pub(super) fn send(&self, signal: Signal) {
        let mut state = self.state();
        if signal == Signal::CONT {
            state.asked = None;
        }
        state.send(signal);
    }

    /// Sends a signal to it and to all processes below it, deepest first: a shell that ends leaves
    /// behind what it has started.
    pub(in crate::command) fn send_to_all(&self, signal: Signal) {
        let state = self.state();
        let Some(root) = state.pid else { return };
        for pid in descendants(root).into_iter().rev() {
            let _ = kill_process(pid, signal);
        }
        let _ = kill_process(root, signal);
    }
}

impl State {
    fn send(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            // What we may not signal (it runs with other rights) can't be helped.
            let _ = kill_process(pid, signal);
        }
    }

    /// Stops us, if both were asked to and the command has stopped.
    fn stop_with_it(&mut self) {
        self.asked = self.asked.filter(|asked| asked.elapsed() < ANSWER_MAX);
        if self.stopped && self.asked.take().is_some() {
            // Where it can't be done, we go on: the command is what counts.
            let _ = emulate_default_handler(SIGTSTP);
        }
    }
}

/// What the kernel accounts to the main thread of one that has ended, before its end is taken.
fn cpu_ns(pid: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/schedstat", pid.as_raw_pid())).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// Those below a process, the nearest first.
fn descendants(root: Pid) -> Vec<Pid> {
    let mut found = children(root);
    let mut next = 0;
    while next < found.len() && found.len() < DESCENDANTS_MAX {
        let below = children(found[next]);
        found.extend(below);
        next += 1;
    }
    found
}

fn children(pid: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", pid.as_raw_pid())) else {
        return Vec::new();
    };
    let lists = threads.flatten().map(|thread| fs::read_to_string(thread.path().join("children")));
    let numbers = |list: String| -> Vec<Pid> {
        list.split_ascii_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)).collect()
    };
    lists.flatten().flat_map(numbers).collect()
}
