//! Which CPU what runs on: the target has one for itself, the client and the agent share another.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use loopscope_bench::Failure;

/// The two CPUs that are used; `None`: there is only one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cpus(Option<(usize, usize)>);

impl Cpus {
    /// Takes the first two that we may use, and moves this thread to the second: the threads and
    /// processes that it starts from now on run there, too.
    pub(super) fn take() -> Result<Cpus, Failure> {
        let allowed = sched_getaffinity(None)?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
        let cpus = Cpus(allowed.next().zip(allowed.next()));
        if let Cpus(Some((_, ours))) = cpus {
            move_to(ours)?;
        }
        Ok(cpus)
    }

    /// Does `start`, which starts a process, on the target's CPU.
    pub(super) fn on_the_targets<T>(
        self,
        start: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Cpus(Some((targets, ours))) = self else { return start() };
        move_to(targets)?;
        let started = start();
        move_to(ours)?;
        started
    }

    /// For a person.
    pub(super) fn describe(self) -> String {
        match self.0 {
            Some((targets, ours)) => {
                format!("targets on CPU {targets}, client and agent on CPU {ours}")
            }
            None => "one CPU for everything: the client and the agent disturb the target".into(),
        }
    }
}

fn move_to(cpu: usize) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}
