//! The command while it runs: who waits for it, and who sends it signals.
//!
//! **Invariant**: a signal goes to the command or to nobody. Its number is given to no other
//! process before its end was taken, and behind that nothing is sent.

use std::fs;
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::supervise::Event;

/// Processes below a command that are told to end with it.
const DESCENDANTS_MAX: usize = 4_096;

/// The command, from any thread.
#[derive(Clone, Debug)]
pub(super) struct Running(Arc<Mutex<Option<Pid>>>);

impl Running {
    /// Waits for the end of `child` on a thread of its own, and tells it.
    pub(super) fn watch(mut child: Child, ended: Sender<Event<ExitStatus>>) -> io::Result<Running> {
        let pid = Pid::from_child(&child);
        let running = Running(Arc::new(Mutex::new(Some(pid))));
        let watched = running.clone();
        let body = move || {
            let end = loop {
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                match waitid(WaitId::Pid(pid), options) {
                    Err(rustix::io::Errno::INTR) => {}
                    _ => break watched.take(|| child.wait()),
                }
            };
            // Nobody may listen any more.
            let _ = ended.send(Event::Ended(end));
        };
        thread::Builder::new().name("loopscope-wait".to_owned()).spawn(body)?;
        Ok(running)
    }

    /// Takes the end of the command: from then on its number may be another process's.
    fn take<T>(&self, end: impl FnOnce() -> T) -> T {
        let mut pid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *pid = None;
        end()
    }

    /// Sends a signal, if it has not ended.
    pub(super) fn send(&self, signal: Signal) {
        if let Some(pid) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // What we may not signal (it runs with other rights) can't be helped.
            let _ = kill_process(pid, signal);
        }
    }

    /// Sends a signal to it and to all processes below it, deepest first: a shell that ends leaves
    /// behind what it has started.
    pub(super) fn send_to_all(&self, signal: Signal) {
        let pid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(root) = *pid else { return };
        for pid in descendants(root).into_iter().rev() {
            let _ = kill_process(pid, signal);
        }
        let _ = kill_process(root, signal);
    }
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
