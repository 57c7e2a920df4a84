//! What the kernel counted for a thread.

use loop_core::snapshot;
use prost::Message;

use super::{Odd, values};

/// What the kernel counted.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Counters {
    #[prost(uint64, optional, tag = "1")]
    task_clock_ns: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    context_switches: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    page_faults: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    cycles: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    instructions: Option<u64>,
}

impl From<&snapshot::Counters> for Counters {
    fn from(from: &snapshot::Counters) -> Counters {
        let snapshot::Counters {
            task_clock_ns,
            context_switches,
            page_faults,
            cycles,
            instructions,
        } = *from;
        Counters { task_clock_ns, context_switches, page_faults, cycles, instructions }
    }
}

impl TryFrom<Counters> for snapshot::Counters {
    type Error = Odd;

    fn try_from(from: Counters) -> Result<Self, Odd> {
        let Counters { task_clock_ns, context_switches, page_faults, cycles, instructions } = from;
        Ok(snapshot::Counters {
            task_clock_ns: values(task_clock_ns)?,
            context_switches: values(context_switches)?,
            page_faults: values(page_faults)?,
            cycles: values(cycles)?,
            instructions: values(instructions)?,
        })
    }
}
