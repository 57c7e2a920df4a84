//! Timers as the rules have them, in plain vectors that are searched from end to end.
//!
//! Node: a list for each duration, in the order of setting; a list is due when its first timer was
//! when that was found out; lists run by (due, when they were last given a number), each as long as
//! its first timer is due by the time at which the run of all lists began.

use super::host::{Many, Once};
use super::slow_loop::SlowLoop;

const MS: u64 = 1_000_000;

pub(crate) enum Callback {
    Timeout(Once<SlowLoop>),
    Interval(Many<SlowLoop>),
}

/// A timeout or an interval. Never forgotten, so that numbers stay valid.
pub(crate) struct NodeTimer {
    pub(crate) start_ns: u64,
    pub(crate) ms: u64,
    pub(crate) referenced: bool,
    pub(crate) gone: bool,
    pub(crate) callback: Option<Callback>,
}

/// The timers of one duration, first set first.
struct List {
    /// Tells this list from an earlier or later one of the same duration.
    born: u64,
    ms: u64,
    due_ms: u64,
    number: u64,
    timers: Vec<usize>,
}

#[derive(Default)]
pub(crate) struct NodeTimers {
    pub(crate) timers: Vec<NodeTimer>,
    lists: Vec<List>,
    numbers: u64,
    /// When the one loop timer behind the lists is to strike.
    next_due_ms: Option<u64>,
}

impl NodeTimers {
    pub(crate) fn referenced(&self) -> bool {
        self.timers.iter().any(|timer| !timer.gone && timer.referenced)
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn take_from_list(&mut self, timer: usize) {
        for list in &mut self.lists {
            list.timers.retain(|&other| other != timer);
        }
    }

    fn first_list(&self) -> Option<&List> {
        self.lists.iter().min_by_key(|list| (list.due_ms, list.number))
    }

    fn list(&mut self, born: u64) -> Option<&mut List> {
        self.lists.iter_mut().find(|list| list.born == born)
    }
}

impl SlowLoop {
    pub(crate) fn set_node_timer(&mut self, ms: u64, callback: Callback) -> usize {
        self.loop_ns = self.clock_ns;
        let ms = if (1..1 << 31).contains(&ms) { ms } else { 1 };
        let timer =
            NodeTimer { start_ns: 0, ms, referenced: true, gone: false, callback: Some(callback) };
        self.node.timers.push(timer);
        let made = self.node.timers.len() - 1;
        self.insert(made, self.loop_ns);
        made
    }

    /// Node's `insert`: to the end of the list of its duration. Only a new list can be due sooner
    /// than all others.
    fn insert(&mut self, timer: usize, start_ns: u64) {
        self.node.take_from_list(timer);
        self.node.timers[timer].start_ns = start_ns;
        let ms = self.node.timers[timer].ms;
        if let Some(list) = self.node.lists.iter_mut().find(|list| list.ms == ms) {
            list.timers.push(timer);
            return;
        }
        let (born, due_ms) = (self.node.number(), start_ns / MS + ms);
        self.node.lists.push(List { born, ms, due_ms, number: born, timers: vec![timer] });
        if self.node.next_due_ms.is_none_or(|next| due_ms < next) {
            self.node.next_due_ms = Some(due_ms);
            self.strike_in(ms);
        }
    }

    /// Sets the loop timer behind all lists.
    fn strike_in(&mut self, ms: u64) {
        self.unset_loop_timer(None);
        self.set_loop_timer(None, self.loop_ns / MS + ms);
    }

    pub(crate) fn clear_node_timer(&mut self, number: usize) {
        if self.node.timers[number].gone {
            return;
        }
        self.node.take_from_list(number);
        let timer = &mut self.node.timers[number];
        timer.gone = true;
        timer.callback = None;
        // An empty list goes only with a referenced timer.
        let (ms, referenced) = (timer.ms, timer.referenced);
        self.node.lists.retain(|list| list.ms != ms || !referenced || !list.timers.is_empty());
    }

    pub(crate) fn refresh_node_timer(&mut self, timer: usize) {
        self.loop_ns = self.clock_ns;
        if !self.node.timers[timer].gone {
            self.insert(timer, self.loop_ns);
        }
    }

    /// Node's `processTimers`.
    pub(crate) fn run_node_timers(&mut self) {
        self.loop_ns = self.clock_ns;
        let now_ms = self.loop_ns / MS;
        self.node.next_due_ms = None;
        while let Some(list) = self.node.first_list() {
            let (born, due_ms) = (list.born, list.due_ms);
            if due_ms > now_ms {
                self.node.next_due_ms = Some(due_ms);
                self.strike_in(due_ms.saturating_sub(self.loop_ns / MS).max(1));
                break;
            }
            // Only after it is settled which list is the next.
            self.drain();
            if self.fatal {
                self.node.next_due_ms = Some(due_ms);
                self.strike_in(1);
                return;
            }
            self.run_list(born, now_ms);
        }
        self.drain();
    }

    /// Node's `listOnTimeout`.
    fn run_list(&mut self, born: u64, now_ms: u64) {
        while let Some(timer) = self.node.list(born).and_then(|list| list.timers.first().copied()) {
            let due_ms = self.node.timers[timer].start_ns / MS + self.node.timers[timer].ms;
            if due_ms > now_ms {
                let number = self.node.number();
                let list = self.node.list(born).expect("its first timer was found");
                (list.due_ms, list.number) = (due_ms, number);
                return;
            }
            // What runs between two timers may clear this one, but no longer put it off.
            self.drain();
            if self.fatal {
                return;
            }
            if !self.node.timers[timer].gone {
                self.node.take_from_list(timer);
                self.run_node_timer(timer);
            }
        }
        self.node.lists.retain(|list| list.born != born || !list.timers.is_empty());
    }

    fn run_node_timer(&mut self, number: usize) {
        let timer = &mut self.node.timers[number];
        let due_ns = timer.start_ns + timer.ms * MS;
        let callback = timer.callback.take().expect("it is not gone and does not run");
        self.counts.lateness_ns.push(self.clock_ns.saturating_sub(due_ns));
        self.count_callback();
        match callback {
            Callback::Timeout(run) => {
                run(self);
                self.node.timers[number].gone = true;
            }
            Callback::Interval(mut run) => {
                self.loop_ns = self.clock_ns;
                let start_ns = self.loop_ns;
                run(self);
                if !self.node.timers[number].gone {
                    self.node.timers[number].callback = Some(Callback::Interval(run));
                    self.insert(number, start_ns);
                }
            }
        }
    }
}
