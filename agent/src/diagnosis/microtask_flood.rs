//! `microtask-flood`: a drain of the microtask queue so long that the loop stands still behind it.

use loop_core::snapshot::{LedgerKey, LoopSnapshot, Queue};

use super::Finding;
use super::flood::Flood;

const FLOOD: Flood = Flood {
    id: "microtask-flood",
    queue: Queue::Microtask,
    cause: LedgerKey::Microtasks,
    jobs_name: "microtasks",
    advice: "Give the loop a turn between batches. `await` on a promise that is already settled \
        does not yield: its reaction joins the same drain. Yield with setImmediate:\n\
        for (let i = 0; i < items.length; i++) {\n\
        \x20 await handle(items[i]);\n\
        \x20 if (i % 100 === 99) await new Promise((resume) => setImmediate(resume));\n\
        }",
};

pub(super) fn find(observed: &LoopSnapshot) -> Option<Finding> {
    FLOOD.find(observed)
}
