//! The report for programs: the schema `loopscope.report/1`.
//!
//! Keys are only ever added to it. What a source can't see is `null`, never 0.

use std::io::{self, Write};

use loop_core::snapshot::{ClockKind, Events, LoopSnapshot, Target};
use serde::Serialize;

use super::{CommandRun, Report, ScriptRun, WorkloadRun};
use crate::diagnosis::Diagnosis;

/// Name and version of the schema.
pub const SCHEMA: &str = "loopscope.report/1";

/// The document; the order of its fields is the order of its keys.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    wall_ns: u64,
    clock: ClockKind,
    events: Events,
    targets: &'a [Target],
    loops: &'a [LoopSnapshot],
    diagnoses: &'a [Diagnosis],
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<&'a WorkloadRun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<&'a ScriptRun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a CommandRun>,
}

/// Writes the report, indented, with a newline at its end.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        wall_ns: report.snapshot.wall_ns,
        clock: report.snapshot.clock,
        events: report.snapshot.events,
        targets: &report.snapshot.targets,
        loops: &report.snapshot.loops,
        diagnoses: report.diagnoses,
        workload: report.workload,
        script: report.script,
        command: report.command,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}
