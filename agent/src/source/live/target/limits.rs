//! What of a target can't be seen, and why.

use loop_core::snapshot::{Limit, StoppedBy, Tier};

use super::{Target, stops};

impl Target {
    /// Each thing with its reason.
    pub(super) fn limits(&self, stopped_by: Option<StoppedBy>) -> Vec<Limit> {
        let mut limits = match (&self.windows, &self.probed) {
            (None, Some(probed)) => probed.limits(),
            _ => self.unprobed.clone(),
        };
        limits.extend(self.windows_limit());
        match self.has_ended() {
            true => limits.extend(self.unseen.clone()),
            false => limits.extend(self.stacks.limits(self.pid())),
        }
        limits.extend(self.missed.clone());
        limits.extend(self.sleep.limit());
        limits.extend(stops::limit(self.group.cgroup()));
        let state = self.passive.state();
        let limit = |what: &str, why: String| Limit { what: what.to_owned(), why };
        limits.extend(
            state
                .no_main
                .filter(|_| {
                    self.probed.as_ref().is_none_or(|probed| probed.first_polls().next().is_none())
                })
                .map(|why| limit("the main thread's loop", why.to_owned())),
        );
        if let Some(by) = stopped_by {
            let why = match by {
                StoppedBy::Signal => {
                    format!("it is stopped; `kill -CONT {}` lets it go on", self.pid())
                }
                StoppedBy::ControlGroup => "its control group is frozen".to_owned(),
            };
            limits.push(limit("what the process would do now", why));
        }
        if self.tier() == Tier::Passive {
            let why = "memory is read 10 to 100 times a second, so they are lower bounds";
            limits.push(limit("how long stalls lasted, exactly", why.to_owned()));
        }
        if state.unseen_threads > 0 && self.tier() == Tier::Passive {
            let why = format!("{} threads compute all the time", state.unseen_threads);
            limits.push(limit("loops of workers that were busy from the start", why));
        }
        limits
    }
}
