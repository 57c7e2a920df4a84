//! Stalls, without their samples, which have a block of their own.

use loop_core::Phase;
use loop_core::snapshot;
use loop_core::snapshot::{LedgerKey, Repeated};
use prost::Message;

use super::counters::Counters;
use super::numbers::Numbered;
use super::{Odd, decode, fields, ratio, thread, unix, value, values};
use crate::recording::limits::{PARTS_MAX, STALL_BYTES_MAX};
use crate::recording::{RecordedStall, Whose};

/// A stall of a loop.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Stall {
    /// What snapshots and samples call it. One that has changed has a number again.
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(uint32, tag = "2")]
    pid: u32,
    #[prost(uint32, tag = "3")]
    tid: u32,
    #[prost(string, tag = "4")]
    thread: String,
    #[prost(uint64, tag = "5")]
    start_unix_ns: u64,
    #[prost(uint64, tag = "6")]
    duration_ns: u64,
    #[prost(bool, tag = "7")]
    running: bool,
    #[prost(uint32, optional, tag = "8")]
    phase: Option<u32>,
    #[prost(uint64, optional, tag = "9")]
    callbacks: Option<u64>,
    #[prost(uint64, optional, tag = "10")]
    microtasks: Option<u64>,
    #[prost(uint32, optional, tag = "11")]
    repeated: Option<u32>,
    #[prost(message, repeated, tag = "12")]
    ledger: Vec<Part>,
    #[prost(message, optional, tag = "13")]
    counters: Option<Counters>,
    #[prost(message, optional, tag = "14")]
    culprit: Option<Culprit>,
    #[prost(message, optional, tag = "15")]
    waits: Option<Waits>,
    #[prost(message, optional, tag = "16")]
    drain: Option<LongestDrain>,
    #[prost(message, optional, tag = "17")]
    stack: Option<Stack>,
    /// Whether samples of it were recorded, too.
    #[prost(bool, tag = "18")]
    pub(crate) has_samples: bool,
}

/// One part of a ledger.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Part {
    #[prost(uint32, tag = "1")]
    key: u32,
    #[prost(uint64, tag = "2")]
    ns: u64,
}

/// Who is to blame.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Culprit {
    #[prost(string, tag = "1")]
    function: String,
    #[prost(string, tag = "2")]
    file: String,
    #[prost(uint32, tag = "3")]
    line: u32,
    #[prost(double, tag = "4")]
    share: f64,
    #[prost(uint64, optional, tag = "5")]
    samples: Option<u64>,
    #[prost(string, optional, tag = "6")]
    hot_leaf: Option<String>,
}

/// What was waited for; there may be none.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Waits {
    #[prost(message, repeated, tag = "1")]
    waits: Vec<Wait>,
}

/// One of them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Wait {
    #[prost(string, tag = "1")]
    call: String,
    #[prost(string, optional, tag = "2")]
    subject: Option<String>,
    #[prost(uint64, tag = "3")]
    duration_ns: u64,
}

/// A drain of microtasks.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LongestDrain {
    #[prost(uint64, tag = "1")]
    jobs: u64,
    #[prost(uint64, optional, tag = "2")]
    queued: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    waiting_max: Option<u64>,
    #[prost(bool, tag = "4")]
    is_square: bool,
    #[prost(message, repeated, tag = "5")]
    reactions: Vec<Reaction>,
}

/// What ran in it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Reaction {
    #[prost(string, tag = "1")]
    function: String,
    #[prost(string, tag = "2")]
    file: String,
    #[prost(uint32, tag = "3")]
    line: u32,
    #[prost(double, tag = "4")]
    share: f64,
}

/// A stack; it may be empty.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Stack {
    #[prost(string, repeated, tag = "1")]
    frames: Vec<String>,
}

impl Stall {
    /// The stall of this loop, under this number.
    pub(crate) fn of(number: u64, whose: &Whose, from: &snapshot::Stall) -> Stall {
        let Whose { pid, tid, thread } = whose.clone();
        let snapshot::Stall {
            start_unix_ns,
            duration_ns,
            running,
            phase,
            callbacks,
            microtasks,
            repeated,
            ledger_ns,
            counters,
            culprit,
            waits,
            drain,
            stack,
            profile,
        } = from;
        let parts =
            ledger_ns.iter().filter_map(|(key, ns)| ns.map(|ns| Part { key: key.number(), ns }));
        Stall {
            number,
            pid,
            tid,
            thread: thread.as_ref().to_owned(),
            start_unix_ns: *start_unix_ns,
            duration_ns: *duration_ns,
            running: *running,
            phase: phase.map(Numbered::number),
            callbacks: *callbacks,
            microtasks: *microtasks,
            repeated: repeated.map(Numbered::number),
            ledger: parts.collect(),
            counters: Some(counters.into()),
            culprit: culprit.as_ref().map(Culprit::from),
            waits: waits
                .as_ref()
                .map(|waits| Waits { waits: waits.iter().map(Wait::from).collect() }),
            drain: drain.as_ref().map(LongestDrain::from),
            stack: stack.as_ref().map(|frames| Stack { frames: frames.clone() }),
            has_samples: profile.is_some(),
        }
    }

    /// What these bytes say.
    pub(crate) fn read(payload: &[u8]) -> Result<Stall, Odd> {
        if payload.len() > STALL_BYTES_MAX {
            return Err(Odd);
        }
        fields::at_most(PARTS_MAX, payload)?;
        decode(payload)
    }

    /// What it takes in memory, but for the texts in it.
    pub(crate) fn memory_bytes(&self) -> usize {
        let waits = self.waits.as_ref().map_or(0, |waits| waits.waits.len());
        let reactions = self.drain.as_ref().map_or(0, |drain| drain.reactions.len());
        let frames = self.stack.as_ref().map_or(0, |stack| stack.frames.len());
        size_of::<RecordedStall>()
            + waits * size_of::<snapshot::Wait>()
            + reactions * size_of::<snapshot::Reaction>()
            + frames * size_of::<String>()
    }

    /// The stall that it is, as yet without samples.
    pub(crate) fn stall(self) -> Result<RecordedStall, Odd> {
        let waits = self.waits.map(|all| few(all.waits, snapshot::Wait::try_from));
        let whose = Whose { pid: self.pid, tid: self.tid, thread: thread(self.thread)?.into() };
        let stall = snapshot::Stall {
            start_unix_ns: unix(self.start_unix_ns)?,
            duration_ns: value(self.duration_ns)?,
            running: self.running,
            phase: Phase::maybe(self.phase)?,
            callbacks: values(self.callbacks)?,
            microtasks: values(self.microtasks)?,
            repeated: Repeated::maybe(self.repeated)?,
            ledger_ns: ledger(&self.ledger)?,
            counters: self.counters.unwrap_or_default().try_into()?,
            culprit: self.culprit.map(snapshot::Culprit::try_from).transpose()?,
            waits: waits.transpose()?,
            drain: self.drain.map(snapshot::LongestDrain::try_from).transpose()?,
            stack: self.stack.map(|stack| few(stack.frames, Ok)).transpose()?,
            profile: None,
        };
        Ok(RecordedStall { whose, stall })
    }
}

/// A list that is not too long.
fn few<A, B>(list: Vec<A>, back: impl Fn(A) -> Result<B, Odd>) -> Result<Vec<B>, Odd> {
    if list.len() > PARTS_MAX {
        return Err(Odd);
    }
    list.into_iter().map(back).collect()
}

fn ledger(parts: &[Part]) -> Result<snapshot::Ledger, Odd> {
    parts.iter().try_fold(snapshot::Ledger::default(), |ledger, part| {
        Ok(ledger.with(LedgerKey::numbered(part.key)?, value(part.ns)?))
    })
}

impl From<&snapshot::Culprit> for Culprit {
    fn from(from: &snapshot::Culprit) -> Culprit {
        let snapshot::Culprit { function, file, line, share, samples, hot_leaf } = from.clone();
        Culprit { function, file, line, share, samples, hot_leaf }
    }
}

impl TryFrom<Culprit> for snapshot::Culprit {
    type Error = Odd;

    fn try_from(from: Culprit) -> Result<Self, Odd> {
        let Culprit { function, file, line, share, samples, hot_leaf } = from;
        let (share, samples) = (ratio(share)?, values(samples)?);
        Ok(snapshot::Culprit { function, file, line, share, samples, hot_leaf })
    }
}

impl From<&snapshot::Wait> for Wait {
    fn from(from: &snapshot::Wait) -> Wait {
        let snapshot::Wait { call, subject, duration_ns } = from.clone();
        Wait { call, subject, duration_ns }
    }
}

impl TryFrom<Wait> for snapshot::Wait {
    type Error = Odd;

    fn try_from(from: Wait) -> Result<Self, Odd> {
        let Wait { call, subject, duration_ns } = from;
        Ok(snapshot::Wait { call, subject, duration_ns: value(duration_ns)? })
    }
}

impl From<&snapshot::LongestDrain> for LongestDrain {
    fn from(from: &snapshot::LongestDrain) -> LongestDrain {
        let snapshot::LongestDrain { jobs, queued, waiting_max, is_square, reactions } = from;
        LongestDrain {
            jobs: *jobs,
            queued: *queued,
            waiting_max: *waiting_max,
            is_square: *is_square,
            reactions: reactions.iter().map(Reaction::from).collect(),
        }
    }
}

impl TryFrom<LongestDrain> for snapshot::LongestDrain {
    type Error = Odd;

    fn try_from(from: LongestDrain) -> Result<Self, Odd> {
        let LongestDrain { jobs, queued, waiting_max, is_square, reactions } = from;
        Ok(snapshot::LongestDrain {
            jobs: value(jobs)?,
            queued: values(queued)?,
            waiting_max: values(waiting_max)?,
            is_square,
            reactions: few(reactions, snapshot::Reaction::try_from)?,
        })
    }
}

impl From<&snapshot::Reaction> for Reaction {
    fn from(from: &snapshot::Reaction) -> Reaction {
        let snapshot::Reaction { function, file, line, share } = from.clone();
        Reaction { function, file, line, share }
    }
}

impl TryFrom<Reaction> for snapshot::Reaction {
    type Error = Odd;

    fn try_from(from: Reaction) -> Result<Self, Odd> {
        let Reaction { function, file, line, share } = from;
        Ok(snapshot::Reaction { function, file, line, share: ratio(share)? })
    }
}
