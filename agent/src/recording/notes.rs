//! What whoever reads a recording must know of it, in lines.

use loop_core::units::{format_count, format_ns};

use super::{Dropped, Recording};

impl Recording {
    /// What is missing of it, and what it says of how processes were observed, a line each. What is
    /// to be known of a command is said by the report.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.missing();
        notes.extend(self.dropped.lines());
        let end = self.end.iter().filter(|_| self.head.command.is_empty());
        notes.extend(end.flat_map(|end| end.notes.iter().cloned()));
        notes
    }

    fn missing(&self) -> Vec<String> {
        let lost = self.lost;
        let until = match self.timeline.last() {
            Some(last) => format!("it goes until {} after its beginning", format_ns(last.wall_ns)),
            None => "it has no snapshot".to_owned(),
        };
        let cut = format!("the recording was cut, or its recorder killed; {until}");
        let count = |count: u64, of: &str| match count {
            1 => format!("1 {of}"),
            count => format!("{} {of}s", format_count(count)),
        };
        let damaged = format!(
            "{} of the recording, {}, can't be read and left out",
            count(lost.damaged_blocks, "block"),
            count(lost.damaged_bytes, "byte")
        );
        let behind = format!("{} at the end are no part of it", count(lost.cut_bytes, "byte"));
        let unknown = format!(
            "{} of the recording left out that a newer loopscope knows",
            count(lost.unknown_blocks, "block")
        );
        let stalls = format!("{} of the report not in the recording", count(lost.stalls, "stall"));
        let samples =
            format!("the samples of {} are not in the recording", count(lost.samples, "stall"));
        let ticks = format!("{} of the timeline left out", count(lost.ticks, "moment"));
        let old = format!(
            "{} and the samples of {} left out, the oldest: all together are too many for memory",
            count(lost.old_stalls, "stall"),
            count(lost.old_samples, "stall")
        );
        let all = [
            (self.end.is_none(), cut),
            (lost.damaged_blocks > 0, damaged),
            (self.end.is_some() && lost.cut_bytes > 0, behind),
            (lost.unknown_blocks > 0, unknown),
            (lost.stalls > 0, stalls),
            (lost.samples > self.dropped.samples, samples),
            (lost.ticks > 0, ticks),
            (lost.old_stalls > 0 || lost.old_samples > 0, old),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, line)| line).collect()
    }
}

impl Dropped {
    /// What was left out when it was recorded, a line each; moments of the timeline are not told.
    pub fn lines(&self) -> Vec<String> {
        let Dropped { snapshots: _, stalls, samples, loops, failed, targets, limits } = *self;
        let lines = [
            (stalls, "stalls found no room in the recording; a larger --max-size keeps them"),
            (samples, "stalls have no samples, for lack of room; a larger --max-size keeps them"),
            (loops, "loops are not in the recording, which has room for so many and no more"),
            (targets, "processes are not in the recording, which has room for so many and no more"),
            (limits, "lines of what is not seen of processes are not in the recording"),
            (failed, "snapshots could not be written"),
        ];
        let some = lines.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, what)| format!("{} {what}", format_count(count))).collect()
    }
}
