//! Since when a process is stopped, by looking at its state now and then.
//!
//! **Invariant**: no stop is told to be longer than it was seen to be.

use loop_core::Cgroup;
use loop_core::snapshot::{Limit, Stopped, StoppedBy};

use crate::process::{Life, Process};
use crate::source::quota::Group;

/// The control group of a process, as it is now.
pub(super) fn group_of(process: &Process) -> Group {
    let names = process.read("cgroup").unwrap_or_default();
    Group::of(process.identity().pid, String::from_utf8_lossy(&names).into_owned())
}

/// What can't be seen where the group is out of sight.
pub(super) fn limit(cgroup: &Cgroup) -> Option<Limit> {
    cgroup.is_out_of_sight().then(|| Limit {
        what: "time that a CPU quota or a freezer took".to_owned(),
        why: "its control group is not in sight of this container; with that of the host, it is \
            (docker run --cgroupns host)"
            .to_owned(),
    })
}

/// What keeps a process from going on now.
pub(super) fn by(life: Life, cgroup: &Cgroup) -> Option<StoppedBy> {
    let by_signal = (life == Life::Stopped).then_some(StoppedBy::Signal);
    by_signal.or_else(|| cgroup.is_frozen().then_some(StoppedBy::ControlGroup))
}

/// The looks at one process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stops {
    /// When it was looked at first.
    first_ns: u64,
    /// Since when every look has seen it stopped.
    since_ns: Option<u64>,
}

impl Stops {
    /// By the first look.
    pub(super) fn new(by: Option<StoppedBy>, now_ns: u64) -> Stops {
        Stops { first_ns: now_ns, since_ns: by.map(|_| now_ns) }
    }

    /// Another look.
    pub(super) fn note(&mut self, by: Option<StoppedBy>, now_ns: u64) {
        self.since_ns = by.map(|_| self.since_ns.unwrap_or(now_ns));
    }

    /// Whether the last look has seen it stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.since_ns.is_some()
    }

    /// As of a look that is not noted.
    pub(super) fn stopped(mut self, by: Option<StoppedBy>, now_ns: u64) -> Option<Stopped> {
        self.note(by, now_ns);
        self.since_ns.zip(by).map(|(since_ns, by)| Stopped {
            age_ns: now_ns.saturating_sub(since_ns),
            always: since_ns == self.first_ns,
            by,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_out_of_sight_is_told() {
        // There is no process of that number.
        let unseen = Cgroup::of_process(u32::MAX, "0::/../of-another\n");
        let limit = limit(&unseen).expect("it is told");
        assert!(limit.why.contains("--cgroupns host"), "{limit:?}");
        assert_eq!(super::limit(&Cgroup::default()), None);
    }

    #[test]
    fn a_stop_is_as_old_as_the_first_look_that_saw_it() {
        let signal = Some(StoppedBy::Signal);
        let group = Some(StoppedBy::ControlGroup);
        let told = |age_ns, always, by| Some(Stopped { age_ns, always, by });
        let mut stops = Stops::new(signal, 100);
        stops.note(signal, 200);
        assert_eq!(stops.stopped(signal, 500), told(400, true, StoppedBy::Signal));
        assert_eq!(stops.stopped(None, 500), None, "it goes on by now");
        stops.note(None, 500);
        assert!(!stops.is_stopped());
        assert_eq!(stops.stopped(signal, 600), told(0, false, StoppedBy::Signal));
        stops.note(group, 700);
        assert_eq!(stops.stopped(group, 900), told(200, false, StoppedBy::ControlGroup));
    }
}
