//! Who has come, and what they are.

use std::sync::{MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use super::host::Host;
use super::{Shared, State};
use crate::process::{Identity, Process, Refusal};
use crate::source::live::candidate::Candidate;
use crate::source::live::clock::monotonic_ns;
use crate::source::live::family::Newcomer;

/// How often, and with what pauses, it is waited for the command line of a process that has just
/// begun to execute a program: the kernel gives it one some microseconds later.
const COMMAND_LOOKS: usize = 20;
const COMMAND_PAUSE: Duration = Duration::from_micros(500);

impl Shared {
    pub(super) fn find(&self, pid: u32) -> Result<Candidate, Refusal> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).find(pid)
    }

    /// The same with the command line and the environment by which it is judged and called. One
    /// that has neither for long has hidden them.
    fn find_named(&self, pid: u32) -> Result<Candidate, Refusal> {
        for _ in 0..COMMAND_LOOKS {
            let found = self.find(pid)?;
            if found.process.has_command() {
                return Ok(found);
            }
            sleep(COMMAND_PAUSE);
        }
        self.find(pid)
    }

    /// Looks for Nodes on the host, if it is time. Nobody waits for that: with a file system that
    /// does not answer, what is known is told all the same.
    pub(super) fn look_for_nodes<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        let Some(mut look) = state.host.as_mut().and_then(Host::begin_look) else { return state };
        drop(state);
        let found = look.at_all();
        let mut state = self.state();
        if let Some(host) = &mut state.host {
            host.end_look(look, found);
        }
        state
    }

    /// So many that were found on the host are still to be looked into.
    pub(super) fn set_pending(&self, nodes: usize) {
        self.state().host.iter_mut().for_each(|host| host.set_pending(nodes));
    }

    /// Takes note of what was executed since the last time.
    pub(super) fn take_executed(&self, state: &mut State) {
        let (Ok(kernel), Some(_)) = (&self.kernel, &self.executions_told) else { return };
        let now_ns = monotonic_ns();
        state.executions.see_family(&state.family(), now_ns);
        while let Some(executed) = kernel.take_executed() {
            let plans = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
            state.executions.add(&executed, || plans().is_node_file(&executed.file));
        }
        let is_there = |pid| Identity::of(pid).is_ok_and(Identity::is_alive);
        state.missed += state.executions.take_missed(is_there);
    }

    /// Observes this process, if it can be. The copy of a Node that is about to execute a program
    /// has its files mapped, and is none.
    pub(super) fn look_at(&self, newcomer: Newcomer) {
        let pid = newcomer.pid;
        let is_copy = || Identity::of(pid).is_ok_and(Identity::is_copy);
        let plans = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let is_node = !is_copy() && plans().is_node(pid);
        let is_itself = |of: &Process| !is_copy() && of.is_same_image();
        let found = self.find_named(pid);
        let is_refused = found.is_err() && !is_copy();
        if let Err(refusal) = &found {
            self.note_left_out(pid, refusal.kind);
        }
        if let Ok(candidate) = found {
            let (mut state, name) = self.judged(&candidate.process);
            let Ok(name) = name else { return state.leave_out(candidate.process) };
            if is_itself(&candidate.process) {
                let added = self.add(&mut state, candidate, Some(newcomer), name);
                let Err(why) = added else {
                    state.others.remove(pid);
                    state.refused.settle(pid);
                    state.executions.settle(pid, monotonic_ns());
                    return;
                };
                // The next look may have more luck.
                state.refused.note(pid, why.to_string());
            }
        }
        let process = Process::open(pid);
        let is_there = Identity::of(pid).is_ok_and(Identity::is_alive);
        let mut state = self.state();
        let Ok(process) = process else {
            // Where the kernel tells of executions, it is known from there.
            let is_told = self.executions_told.is_some();
            state.missed += u64::from(is_node && !is_there && !is_told);
            return;
        };
        if is_node && is_refused && is_there {
            state.executions.settle(pid, monotonic_ns());
        }
        if state.others.pids().all(|known| known != pid) {
            state.others.add(process, monotonic_ns());
        }
    }
}
