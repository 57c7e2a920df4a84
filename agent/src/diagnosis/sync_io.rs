//! `sync-io`: the loop's thread waits in a synchronous call: a file, a child process, a lock.

use super::{Confidence, Finding, Id, Seen, evidence};

const ADVICE: &str = "Use the asynchronous form: it waits on a thread of the pool, or in the \
    kernel, while the loop turns. Look for names that end in Sync, and for Atomics.wait.";

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let group = seen.groups.get(Id::SyncIo);
    (group.count > 0).then(|| {
        let mut told = vec![evidence::stalls(group)];
        told.extend(group.longest().map(evidence::waits).unwrap_or_default());
        told.extend(group.longest().and_then(evidence::ledger));
        told.extend(group.longest().and_then(|stall| evidence::callbacks(stall, seen.of)));
        told.extend(evidence::effects(seen.of));
        Finding {
            id: Id::SyncIo,
            blocked_ns: group.duration_ns,
            summary: evidence::summary(
                group,
                "Waiting in a synchronous call",
                "waiting in synchronous calls",
            ),
            evidence: told,
            advice: ADVICE,
            culprit: group.culprit(),
            confidence: Confidence::High,
        }
    })
}
