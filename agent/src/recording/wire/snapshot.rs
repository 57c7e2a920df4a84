//! Snapshots: who was observed, and each loop as bytes, so that the newest alone is made whole.

use loop_core::snapshot;
use loop_core::snapshot::{ClockKind, Runtime, Source, Tier};
use prost::Message;

use super::loops::Loop;
use super::numbers::Numbered;
use super::{Odd, decode, fields, ratios, unix, value};
use crate::recording::limits::{LIMITS_MAX, LOOP_READ_BYTES_MAX, LOOPS_MAX, TARGETS_MAX};
use crate::recording::{LoopTick, Tick};

/// The numbers of the fields that have the processes and the loops.
const TARGETS: u64 = 6;
const LOOPS: u64 = 7;

/// Fields of a message besides its lists, those of newer versions included.
const OTHERS_MAX: usize = 64;

/// What all loops did until one moment.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Snapshot {
    /// Which one it is, from 0.
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    /// When it was taken.
    #[prost(uint64, tag = "2")]
    unix_ns: u64,
    #[prost(uint64, tag = "3")]
    wall_ns: u64,
    #[prost(uint32, tag = "4")]
    clock: u32,
    #[prost(message, optional, tag = "5")]
    events: Option<Events>,
    #[prost(message, repeated, tag = "6")]
    targets: Vec<Target>,
    /// Each is a [`Loop`].
    #[prost(bytes = "vec", repeated, tag = "7")]
    loops: Vec<Vec<u8>>,
}

/// Stalls that the sources saw.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Events {
    #[prost(uint64, tag = "1")]
    seen: u64,
    #[prost(uint64, tag = "2")]
    kept: u64,
    #[prost(uint64, tag = "3")]
    dropped: u64,
}

/// An observed process.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Target {
    #[prost(uint32, tag = "1")]
    pid: u32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint32, tag = "3")]
    runtime: u32,
    #[prost(string, tag = "4")]
    runtime_version: String,
    #[prost(uint32, tag = "5")]
    source: u32,
    #[prost(uint32, tag = "6")]
    tier: u32,
    #[prost(double, optional, tag = "7")]
    overhead_ratio: Option<f64>,
    #[prost(bool, tag = "8")]
    sampled: bool,
    #[prost(message, repeated, tag = "9")]
    limits: Vec<Limit>,
}

/// What is not seen of it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Limit {
    #[prost(string, tag = "1")]
    what: String,
    #[prost(string, tag = "2")]
    why: String,
}

/// Which snapshot it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// Its number.
    pub(crate) number: u64,
    /// When it was taken.
    pub(crate) unix_ns: u64,
}

impl Snapshot {
    /// A snapshot whose loops' stalls have these numbers. Loops without numbers are left out.
    pub(crate) fn of(told: Told, from: &snapshot::Snapshot, stalls: Vec<Vec<u64>>) -> Snapshot {
        let snapshot::Snapshot { wall_ns, clock, events, targets, loops } = from;
        let snapshot::Events { seen, kept, dropped } = *events;
        let loops = loops.iter().zip(stalls);
        Snapshot {
            number: told.number,
            unix_ns: told.unix_ns,
            wall_ns: *wall_ns,
            clock: clock.number(),
            events: Some(Events { seen, kept, dropped }),
            targets: targets.iter().take(TARGETS_MAX).map(Target::from).collect(),
            loops: loops.map(|(of, numbers)| Loop::of(of, numbers).encode_to_vec()).collect(),
        }
    }

    /// What these bytes say.
    pub(crate) fn read(payload: &[u8]) -> Result<Snapshot, Odd> {
        let (mut targets, mut loops, mut others) = (TARGETS_MAX, LOOPS_MAX, OTHERS_MAX);
        fields::each(payload, |number, bytes| match number {
            TARGETS => {
                fields::at_most(OTHERS_MAX + LIMITS_MAX, bytes)?;
                fields::take(&mut targets, 1)
            }
            LOOPS if bytes.len() > LOOP_READ_BYTES_MAX => Err(Odd),
            LOOPS => fields::take(&mut loops, 1),
            _ => fields::take(&mut others, 1),
        })?;
        decode(payload)
    }

    fn loops(&self) -> impl Iterator<Item = Result<Loop, Odd>> {
        self.loops.iter().map(|bytes| decode(bytes))
    }

    /// What a timeline has of it.
    pub(crate) fn tick(&self) -> Result<Tick, Odd> {
        let loops: Result<Vec<LoopTick>, Odd> = self.loops().map(|of| of?.tick()).collect();
        let (unix_ns, wall_ns) = (unix(self.unix_ns)?, value(self.wall_ns)?);
        Ok(Tick { unix_ns, wall_ns, loops: loops? })
    }

    /// The snapshot that it is. `stalls` finds those of a loop by their numbers.
    pub(crate) fn snapshot(
        &self,
        mut stalls: impl FnMut(&[u64]) -> Vec<snapshot::Stall>,
    ) -> Result<snapshot::Snapshot, Odd> {
        let Events { seen, kept, dropped } = self.events.clone().unwrap_or_default();
        let loops: Result<Vec<_>, Odd> = self
            .loops()
            .map(|of| {
                let of = of?;
                let stalls = stalls(&of.stalls);
                of.snapshot(stalls)
            })
            .collect();
        let targets = self.targets.iter().cloned().map(snapshot::Target::try_from);
        Ok(snapshot::Snapshot {
            wall_ns: value(self.wall_ns)?,
            clock: ClockKind::numbered(self.clock)?,
            events: snapshot::Events {
                seen: value(seen)?,
                kept: value(kept)?,
                dropped: value(dropped)?,
            },
            targets: targets.collect::<Result<_, _>>()?,
            loops: loops?,
        })
    }
}

impl From<&snapshot::Target> for Target {
    fn from(from: &snapshot::Target) -> Target {
        let snapshot::Target {
            pid,
            name,
            runtime,
            runtime_version,
            source,
            tier,
            overhead_ratio,
            sampled,
            limits,
        } = from;
        let limits = limits
            .iter()
            .map(|snapshot::Limit { what, why }| Limit { what: what.clone(), why: why.clone() });
        Target {
            pid: *pid,
            name: name.clone(),
            runtime: runtime.number(),
            runtime_version: runtime_version.clone(),
            source: source.number(),
            tier: tier.number(),
            overhead_ratio: *overhead_ratio,
            sampled: *sampled,
            limits: limits.take(LIMITS_MAX).collect(),
        }
    }
}

impl TryFrom<Target> for snapshot::Target {
    type Error = Odd;

    fn try_from(from: Target) -> Result<Self, Odd> {
        if from.limits.len() > LIMITS_MAX {
            return Err(Odd);
        }
        let limits =
            from.limits.into_iter().map(|Limit { what, why }| snapshot::Limit { what, why });
        Ok(snapshot::Target {
            pid: from.pid,
            name: from.name,
            runtime: Runtime::numbered(from.runtime)?,
            runtime_version: from.runtime_version,
            source: Source::numbered(from.source)?,
            tier: Tier::numbered(from.tier)?,
            overhead_ratio: ratios(from.overhead_ratio)?,
            sampled: from.sampled,
            limits: limits.collect(),
        })
    }
}
