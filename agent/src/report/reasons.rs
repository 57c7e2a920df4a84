//! Why a figure is not there: no report shows a 0 for what was not measured.

use loop_core::snapshot::{ClockKind, Source, Target, Tier};

/// A figure that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// How long something took.
    Duration,
    /// How long single callbacks took.
    Callback,
    /// Pauses for garbage collection.
    GcPause,
    /// Anything else.
    Other,
}

/// Knows why a figure is missing, from the source and the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reasons {
    clock: ClockKind,
    source: Option<Source>,
    tier: Option<Tier>,
}

impl Reasons {
    pub(super) fn new(clock: ClockKind, target: Option<&Target>) -> Self {
        Reasons {
            clock,
            source: target.map(|target| target.source),
            tier: target.map(|target| target.tier),
        }
    }

    /// What was not measured, the figures with the same reason together.
    pub(super) fn of<'a>(
        &self,
        missing: &[(&'a str, Figure)],
    ) -> Vec<(&'static str, Vec<&'a str>)> {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for &(name, figure) in missing {
            let why = self.why(figure);
            match groups.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(name),
                None => groups.push((why, vec![name])),
            }
        }
        groups
    }

    fn why(&self, figure: Figure) -> &'static str {
        let embedded = self.source == Some(Source::Embedded);
        match figure {
            Figure::GcPause if embedded => "the embedded loop sees no collections",
            _ if self.tier == Some(Tier::Passive) => "the passive tier does not see it",
            Figure::Callback if embedded && self.clock == ClockKind::Real => "needs --detail",
            Figure::Duration | Figure::Callback if self.clock == ClockKind::Virtual => {
                "the virtual clock stands still while the workload computes"
            }
            _ => "this source does not see it",
        }
    }
}
