//! One name for a stall, the same wherever it is told.

use loop_core::snapshot::{LoopSnapshot, Stall};

/// `PID-TID-START`, with the start in nanoseconds since the Unix epoch: at most 42 characters. Of a
/// stall that still runs it is as good as its start is known by then.
///
/// Unique on one host: a thread is in one turn at a time.
pub fn stall_id(of: &LoopSnapshot, stall: &Stall) -> String {
    format!("{}-{}-{}", of.pid, of.tid, stall.start_unix_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_id_is_short() {
        let of = LoopSnapshot { pid: u32::MAX, tid: u32::MAX, ..LoopSnapshot::default() };
        let stall = Stall { start_unix_ns: u64::MAX, ..Stall::default() };
        let id = stall_id(&of, &stall);
        assert_eq!(id, "4294967295-4294967295-18446744073709551615");
        assert_eq!(id.len(), 42);
    }
}
