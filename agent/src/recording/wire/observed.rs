//! For how long a loop was observed.

use loop_core::snapshot;
use prost::Message;

use super::{Odd, values};

/// For how long it was observed at each tier.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Observed {
    #[prost(uint64, optional, tag = "1")]
    passive_ns: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    turn_ns: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    full_ns: Option<u64>,
}

impl From<snapshot::Observed> for Observed {
    fn from(from: snapshot::Observed) -> Observed {
        let snapshot::Observed { passive_ns, turn_ns, full_ns } = from;
        Observed { passive_ns, turn_ns, full_ns }
    }
}

impl TryFrom<Observed> for snapshot::Observed {
    type Error = Odd;

    fn try_from(from: Observed) -> Result<Self, Odd> {
        let Observed { passive_ns, turn_ns, full_ns } = from;
        Ok(snapshot::Observed {
            passive_ns: values(passive_ns)?,
            turn_ns: values(turn_ns)?,
            full_ns: values(full_ns)?,
        })
    }
}
