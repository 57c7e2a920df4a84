//! The histograms of a loop that reports tell, by the names that they tell them by.

use std::borrow::Cow;

use loop_core::snapshot::{Histogram, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::reasons::Figure;

/// One histogram, or that it is missing.
pub(super) struct Row<'a> {
    /// What it is of.
    pub(super) name: &'static str,
    /// `None`: it was not measured.
    pub(super) histogram: Option<Cow<'a, Histogram>>,
    /// Of what kind it is, which tells why it may be missing.
    pub(super) figure: Figure,
    /// What its values are.
    pub(super) unit: Unit,
    /// Whether the number of values tells the reader anything.
    pub(super) counted: bool,
    /// Whether it tells more of the one before it.
    pub(super) belongs: bool,
}

/// What the values of a histogram are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Times, in nanoseconds.
    Time,
    /// Numbers of things.
    Count,
}

impl Unit {
    /// A value as people read it.
    pub(super) fn format(self, value: u64) -> String {
        match self {
            Unit::Time => format_ns(value),
            Unit::Count => format_count(value),
        }
    }
}

impl<'a> Row<'a> {
    /// Its name in a table, under what it belongs to.
    pub(super) fn title(&self) -> String {
        if self.belongs { format!("  {}", self.name) } else { self.name.to_owned() }
    }

    /// A histogram of times.
    pub(super) fn times(
        name: &'static str,
        histogram: Option<&'a Histogram>,
        figure: Figure,
    ) -> Row<'a> {
        let histogram = histogram.map(Cow::Borrowed);
        Row { name, histogram, figure, unit: Unit::Time, counted: true, belongs: false }
    }

    fn joined(name: &'static str, histogram: Option<Histogram>, figure: Figure) -> Row<'a> {
        let histogram = histogram.map(Cow::Owned);
        Row { name, histogram, figure, unit: Unit::Time, counted: true, belongs: false }
    }

    fn lengths(name: &'static str, histogram: Option<&'a Histogram>) -> Row<'a> {
        Row { unit: Unit::Count, ..Row::times(name, histogram, Figure::Other) }
    }
}

/// How long turns held the loop, and what events and timers made of it.
pub(super) fn delays(of: &LoopSnapshot) -> Vec<Row<'_>> {
    // Arrivals are one for each microsecond observed, so that their number is no finding.
    let arrival = Row::times("arrival of an event", of.arrival_delay_ns.as_ref(), Figure::Duration);
    let pool = &of.thread_pool;
    vec![
        Row::times("active turn", of.turn_ns.as_ref(), Figure::Duration),
        Row { counted: false, ..arrival },
        Row::times("timer lateness", of.timer_lateness_ns.as_ref(), Figure::Other),
        Row::times("wait in the poll", of.poll_wait_ns.as_ref(), Figure::Other),
        Row::joined("callback", of.callback_ns(), Figure::Callback),
        Row::joined("gc pause", of.gc_pause_ns(), Figure::GcPause),
        Row::times("pool queue", pool.queue_ns.as_ref(), Figure::Duration),
        Row::times("pool job", pool.run_ns.as_ref(), Figure::Duration),
    ]
}

/// Drains of Node's two queues: how many jobs at a time, and for how long.
pub(super) fn drains(of: &LoopSnapshot) -> Vec<Row<'_>> {
    let times = |name, of| Row { belongs: true, ..Row::times(name, of, Figure::Duration) };
    vec![
        Row::lengths("microtasks a drain", of.microtask_drain_length.as_ref()),
        times("time a microtask drain", of.microtask_drain_ns.as_ref()),
        Row::lengths("nextTicks a drain", of.tick_drain_length.as_ref()),
        times("time a nextTick drain", of.tick_drain_ns.as_ref()),
    ]
}

/// What ran in each phase of a turn.
pub(super) fn phases(of: &LoopSnapshot) -> Vec<Row<'_>> {
    let phases = of.phases.iter();
    phases.map(|(phase, of)| Row::times(phase.name(), of.as_ref(), Figure::Duration)).collect()
}
