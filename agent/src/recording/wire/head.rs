//! What stands at the beginning and at the end of a recording, and what was dropped between.

use std::collections::BTreeMap;

use prost::Message;

use super::{Odd, decode, fields};
use crate::recording;
use crate::recording::limits::WORDS_MAX;

/// What is known before anything is recorded.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Head {
    #[prost(string, tag = "1")]
    version: String,
    #[prost(uint64, tag = "2")]
    began_unix_ns: u64,
    #[prost(string, repeated, tag = "3")]
    command: Vec<String>,
    #[prost(uint32, repeated, tag = "4")]
    pids: Vec<u32>,
    #[prost(uint64, tag = "5")]
    stall_threshold_ns: u64,
    #[prost(btree_map = "string, string", tag = "6")]
    machine: BTreeMap<String, String>,
    #[prost(bool, tag = "7")]
    redacted: bool,
    #[prost(uint32, tag = "8")]
    looks: u32,
}

/// How it has ended.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct End {
    #[prost(uint64, tag = "1")]
    unix_ns: u64,
    #[prost(uint32, tag = "2")]
    exit_code: u32,
    #[prost(uint32, optional, tag = "3")]
    status: Option<u32>,
    #[prost(int32, optional, tag = "4")]
    signal: Option<i32>,
    #[prost(bool, tag = "5")]
    timed_out: bool,
    #[prost(string, repeated, tag = "6")]
    notes: Vec<String>,
    #[prost(uint64, optional, tag = "7")]
    cpu_ns: Option<u64>,
    #[prost(bool, tag = "8")]
    from_start: bool,
    #[prost(bool, tag = "9")]
    first_turn: bool,
}

/// What is no longer in the recording.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Dropped {
    #[prost(uint64, tag = "1")]
    snapshots: u64,
    #[prost(uint64, tag = "2")]
    stalls: u64,
    #[prost(uint64, tag = "3")]
    samples: u64,
    #[prost(uint64, tag = "4")]
    loops: u64,
    #[prost(uint64, tag = "5")]
    failed: u64,
    #[prost(uint64, tag = "6")]
    targets: u64,
    #[prost(uint64, tag = "7")]
    limits: u64,
}

impl Head {
    /// What these bytes say.
    pub(crate) fn read(payload: &[u8]) -> Result<Head, Odd> {
        fields::at_most(WORDS_MAX, payload)?;
        decode(payload)
    }
}

impl End {
    /// What these bytes say.
    pub(crate) fn read(payload: &[u8]) -> Result<End, Odd> {
        fields::at_most(WORDS_MAX, payload)?;
        decode(payload)
    }
}

impl Dropped {
    /// What these bytes say.
    pub(crate) fn read(payload: &[u8]) -> Result<Dropped, Odd> {
        decode(payload)
    }
}

impl From<&recording::Head> for Head {
    fn from(from: &recording::Head) -> Head {
        let recording::Head {
            version,
            began_unix_ns,
            command,
            pids,
            stall_threshold_ns,
            machine,
            redacted,
            looks,
        } = from.clone();
        Head { version, began_unix_ns, command, pids, stall_threshold_ns, machine, redacted, looks }
    }
}

impl From<Head> for recording::Head {
    fn from(from: Head) -> recording::Head {
        let Head {
            version,
            began_unix_ns,
            command,
            pids,
            stall_threshold_ns,
            machine,
            redacted,
            looks,
        } = from;
        recording::Head {
            version,
            began_unix_ns,
            command,
            pids,
            stall_threshold_ns,
            machine,
            redacted,
            looks,
        }
    }
}

impl From<&recording::End> for End {
    fn from(from: &recording::End) -> End {
        let recording::End {
            unix_ns,
            exit_code,
            status,
            signal,
            timed_out,
            notes,
            cpu_ns,
            from_start,
            first_turn,
        } = from.clone();
        let (exit_code, status) = (u32::from(exit_code), status.map(u32::from));
        End { unix_ns, exit_code, status, signal, timed_out, notes, cpu_ns, from_start, first_turn }
    }
}

impl From<End> for recording::End {
    fn from(from: End) -> recording::End {
        let End {
            unix_ns,
            exit_code,
            status,
            signal,
            timed_out,
            notes,
            cpu_ns,
            from_start,
            first_turn,
        } = from;
        let byte = |code: u32| u8::try_from(code).unwrap_or(u8::MAX);
        let (exit_code, status) = (byte(exit_code), status.map(byte));
        recording::End {
            unix_ns,
            exit_code,
            status,
            signal,
            timed_out,
            notes,
            cpu_ns,
            from_start,
            first_turn,
        }
    }
}

impl From<recording::Dropped> for Dropped {
    fn from(from: recording::Dropped) -> Dropped {
        let recording::Dropped { snapshots, stalls, samples, loops, failed, targets, limits } =
            from;
        Dropped { snapshots, stalls, samples, loops, failed, targets, limits }
    }
}

impl From<Dropped> for recording::Dropped {
    fn from(from: Dropped) -> recording::Dropped {
        let Dropped { snapshots, stalls, samples, loops, failed, targets, limits } = from;
        recording::Dropped { snapshots, stalls, samples, loops, failed, targets, limits }
    }
}
