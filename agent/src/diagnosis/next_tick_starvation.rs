//! `next-tick-starvation`: `process.nextTick` callbacks that queue more of themselves.

use loop_core::snapshot::{LedgerKey, LoopSnapshot, Queue};

use super::Finding;
use super::flood::Flood;

const FLOOD: Flood = Flood {
    id: "next-tick-starvation",
    queue: Queue::NextTick,
    cause: LedgerKey::Ticks,
    jobs_name: "nextTick callbacks",
    advice: "Queue the next step with setImmediate: a nextTick callback runs before the loop goes \
        on, so one that queues another keeps timers and I/O out until the last is done.\n\
        function step() {\n\
        \x20 work();\n\
        \x20 if (more()) setImmediate(step); // not process.nextTick(step)\n\
        }",
};

pub(super) fn find(observed: &LoopSnapshot) -> Option<Finding> {
    FLOOD.find(observed)
}
