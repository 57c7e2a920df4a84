//! By which rules processes are judged, and what becomes of them when the rules change.
//!
//! To judge a process, files about it are read, which takes long where a file system does not
//! answer. So nobody waits for that: it is done while others may look at what is observed.
//!
//! **Invariant**: whoever is added or left out is so by the rules of that moment. What was judged
//! by rules that have changed meanwhile is judged again.

use std::sync::{Arc, MutexGuard};

use super::host::{Host, HostOptions};
use super::{Live, Shared, State};
use crate::process::Process;
use crate::source::live::family::Others;
use crate::source::live::target::Target;

/// What a Node is called, if it is known by any rule. `Err`: it is not wanted.
pub(super) type Judged = Result<Option<String>, ()>;

impl Live {
    /// Other rules, from now on: each process is judged anew.
    pub fn choose(&self, options: HostOptions) {
        let mut state = self.shared.state();
        if let Some(host) = &mut state.host {
            host.take_rules(options);
            state.others = Others::default();
        }
        drop(state);
        self.shared.calls.stopped.notify_all();
    }
}

impl Shared {
    /// Judges a process. Returns the state, too, in which the rules still hold by which it was.
    pub(super) fn judged(&self, process: &Process) -> (MutexGuard<'_, State>, Judged) {
        let mut state = self.state();
        loop {
            let Some(rules) = state.host.as_ref().map(Host::rules) else {
                return (state, Ok(None));
            };
            drop(state);
            let name = rules.choose.name(process);
            state = self.state();
            if state.host.as_ref().is_some_and(|host| host.judges_by(&rules)) {
                return (state, name.map(Some).ok_or(()));
            }
        }
    }

    /// Judges those that are observed, if the rules have changed.
    pub(super) fn rejudge<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let Some(rules) = state.host.as_mut().and_then(Host::new_rules) else { return state };
        let there = state.targets.iter().filter(|target| !target.has_ended());
        let there: Vec<Arc<Process>> = there.map(Target::process).collect();
        drop(state);
        let judge = |process: Arc<Process>| (rules.choose.name(&process), process);
        let judged: Vec<_> = there.into_iter().map(judge).collect();
        let mut state = self.state();
        // Else they are judged once more, by those that hold by now.
        if state.host.as_ref().is_some_and(|host| host.judges_by(&rules)) {
            for (name, process) in judged {
                let of = state.targets.iter_mut().find(|target| target.is_process(&process));
                of.into_iter().for_each(|target| target.judge(name.clone()));
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, Weak};

    use loop_core::snapshot::Tier;

    use super::super::Options;
    use super::*;
    use crate::source::live::candidate::Plans;
    use crate::source::live::session::Choose;

    /// Calls everybody so, and gives way to others when it is asked.
    #[derive(Debug, Default)]
    struct Rule {
        name: Option<&'static str>,
        next: Mutex<Option<(Weak<Live>, HostOptions)>>,
    }

    impl Choose for Rule {
        fn name(&self, _process: &Process) -> Option<String> {
            if let Some((live, options)) = self.next.lock().unwrap().take() {
                let live = live.upgrade().unwrap();
                assert!(live.shared.state.try_lock().is_ok(), "nobody waits meanwhile");
                live.choose(options);
            }
            self.name.map(str::to_owned)
        }
    }

    fn by(rule: Rule) -> HostOptions {
        HostOptions { every_ns: 1_000_000_000, choose: Arc::new(rule), workers_alone: 8 }
    }

    /// How this process is judged where rules give way to others while it is.
    fn judged(before: Option<&'static str>, after: Option<&'static str>) -> Judged {
        let options = Options {
            stall_threshold_ns: 50_000_000,
            tier: Tier::Passive,
            least: Tier::Passive,
            children: false,
            budget_ratio: 0.01,
            windows_ratio: None,
            source_maps: false,
        };
        let live = Arc::new(Live::new(options, Plans::default()).unwrap());
        let own = Process::open(std::process::id()).unwrap();
        assert_eq!(live.shared.judged(&own).1, Ok(None), "no host, no rules");
        let next = by(Rule { name: after, ..Rule::default() });
        let next = Mutex::new(Some((Arc::downgrade(&live), next)));
        live.shared.state().host = Some(Host::new(by(Rule { name: before, next })));
        live.shared.judged(&own).1
    }

    #[test]
    fn rules_that_change_meanwhile_judge_again() {
        assert_eq!(judged(Some("old"), Some("new")), Ok(Some("new".to_owned())));
        assert_eq!(judged(Some("old"), None), Err(()));
        assert_eq!(judged(None, Some("new")), Ok(Some("new".to_owned())));
    }

    #[test]
    fn new_rules_are_told_once() {
        let mut host = Host::new(by(Rule::default()));
        assert!(host.new_rules().is_none());
        let first = host.rules();
        host.take_rules(by(Rule::default()));
        assert!(!host.judges_by(&first) && host.due_ns() == 0);
        let second = host.new_rules().unwrap();
        assert!(host.judges_by(&second) && host.new_rules().is_none());
    }
}
