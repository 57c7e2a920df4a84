//! A process that is ended when it is dropped, and when it takes too long.

use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use loopscope_bench::Failure;
use rustix::process::{Pid, Signal, kill_process};

/// Ten times what any script takes; only a hang gets there.
const RUN_MAX: Duration = Duration::from_secs(60);

/// A running process.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) child: Child,
    /// Dropped when the process has ended.
    watched: Option<Sender<()>>,
}

impl Guarded {
    pub(super) fn start(command: &mut Command) -> Result<Guarded, Failure> {
        let spawned = command.spawn();
        let child = spawned.map_err(|error| {
            format!("{} does not start: {error}", command.get_program().display())
        })?;
        let pid = Pid::from_child(&child);
        let (watched, ended) = channel();
        thread::spawn(move || {
            if ended.recv_timeout(RUN_MAX) == Err(RecvTimeoutError::Timeout) {
                // Whoever waits for it sees what came of it.
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Ok(Guarded { child, watched: Some(watched) })
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Result<ExitStatus, Failure> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended by itself; its number is ours until it was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.watched = None;
    }
}
