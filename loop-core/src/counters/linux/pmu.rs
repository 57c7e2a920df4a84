//! Cycles and instructions, where the CPU has a unit that counts them and lets us.
//!
//! They count user mode only, which every user may where `perf_event_paranoid` is 2 or less: the
//! same figure whoever asks. The events are pinned, so that they are either counted all the time
//! or not told at all. Most virtual machines have no such unit.
//!
//! Cost: a system call a reading, and some work at every context switch of the thread.

use std::fs::File;
use std::io::{self, Read};

use perf_event::events::{Event, Hardware};
use perf_event::{Builder, Counter, ReadFormat};

use super::system;

/// Two events that are counted together.
#[derive(Debug)]
pub(super) struct Pmu {
    leader: File,
    /// Its event is counted for as long as it is open.
    _second: File,
}

/// How the kernel answers: the number of events, and value and id of each.
const ANSWER_WORDS: usize = 5;

impl Pmu {
    /// Cycles and instructions of the calling thread.
    pub(super) fn open() -> Option<Pmu> {
        Pmu::of(Hardware::CPU_CYCLES, Hardware::INSTRUCTIONS).ok()
    }

    fn of(first: impl Event, second: impl Event) -> io::Result<Pmu> {
        let mut leader: Counter =
            Builder::new(first).read_format(ReadFormat::GROUP).pinned(true).build()?;
        let second = Builder::new(second)
            .read_format(ReadFormat::GROUP)
            .enabled(true)
            .build_with_group(&mut leader)?;
        leader.enable_group()?;
        Ok(Pmu { leader: system::into_file(leader), _second: system::into_file(second) })
    }

    /// Both counts; `None` where the unit was not free for them.
    pub(super) fn read(&self) -> Option<(u64, u64)> {
        let mut bytes = [0; ANSWER_WORDS * 8];
        let length = (&self.leader).read(&mut bytes).ok()?;
        let (words, _) = bytes.as_chunks::<8>();
        (length == bytes.len())
            .then(|| (u64::from_ne_bytes(words[1]), u64::from_ne_bytes(words[3])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perf_event::events::Software;
    use std::hint::black_box;

    /// The same way with events that need no hardware.
    #[test]
    fn two_events_are_read_in_their_order() {
        let pmu = match Pmu::of(Software::TASK_CLOCK, Software::PAGE_FAULTS) {
            Ok(pmu) => pmu,
            Err(error) => return eprintln!("SKIPPED: perf events are refused here: {error}"),
        };
        let before = pmu.read().unwrap();
        drop(black_box(vec![1_u8; 1 << 20]));
        let after = pmu.read().unwrap();
        let faults = after.1 - before.1;
        assert!((1..10_000).contains(&faults), "{faults} page faults");
        let worked_ns = after.0 - before.0;
        assert!(worked_ns > 10_000, "{worked_ns} ns");
    }
}
