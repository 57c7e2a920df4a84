//! The messages in a recording's blocks, and what they stand for.
//!
//! Protocol Buffers: a reader skips the fields that it does not know. Numbers of fields and of
//! names are never given out again.
//!
//! **Invariant**: what was written comes back equal. Both ways name every field, so that none can
//! be forgotten: a field that is added to a snapshot does not compile until it has a place here.
//!
//! **Invariant**: what comes back can be told. Sums of its numbers don't overflow, its shares are
//! finite, and its lists are bounded, whatever was read; so is what is in memory meanwhile.

mod counters;
mod fields;
mod head;
mod histogram;
mod loops;
mod numbers;
mod observed;
mod profile;
mod snapshot;
mod stall;

use prost::Message;

use super::limits::{RATIO_MAX, THREAD_BYTES_MAX, UNIX_NS_MAX, VALUE_MAX};

pub(super) use head::{Dropped, End, Head};
pub(super) use profile::Samples;
pub(super) use snapshot::{Snapshot, Told};
pub(super) use stall::Stall;

/// A message says what can't be, or what a newer version alone knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odd;

fn decode<M: Message + Default>(message: &[u8]) -> Result<M, Odd> {
    M::decode(message).map_err(|_| Odd)
}

/// The name of a thread.
fn thread(name: String) -> Result<String, Odd> {
    if name.len() <= THREAD_BYTES_MAX { Ok(name) } else { Err(Odd) }
}

/// A duration or a count that can be added to others.
fn value(value: u64) -> Result<u64, Odd> {
    if value <= VALUE_MAX { Ok(value) } else { Err(Odd) }
}

fn values(found: Option<u64>) -> Result<Option<u64>, Odd> {
    found.map(value).transpose()
}

/// A time since the Unix epoch.
fn unix(ns: u64) -> Result<u64, Odd> {
    if ns <= UNIX_NS_MAX { Ok(ns) } else { Err(Odd) }
}

fn ratio(ratio: f64) -> Result<f64, Odd> {
    if (0.0..=RATIO_MAX).contains(&ratio) { Ok(ratio) } else { Err(Odd) }
}

fn ratios(found: Option<f64>) -> Result<Option<f64>, Odd> {
    found.map(ratio).transpose()
}
