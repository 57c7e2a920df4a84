//! What is known of a run beforehand, held against what was observed.

use loop_core::snapshot::LoopSnapshot;
use loop_core::units::format_count;
use serde_json::Value;

use crate::diagnosis::Diagnosis;
use crate::report::TruthRow;
use crate::terminal::tell;

/// That the worst of what was found is what must be.
pub(super) fn diagnosis(expected: &str, diagnoses: &[Diagnosis]) -> TruthRow {
    let first = diagnoses.first().map_or("", |diagnosis| diagnosis.id);
    TruthRow {
        what: "diagnosis".to_owned(),
        expected: expected.to_owned(),
        observed: first.to_owned(),
        holds: first == expected,
    }
}

/// What a script's last line says must have been observed; `None` where it says nothing of it.
///
/// ```text
/// {"truth":{"cause":"microtask-flood","longest_drain":60000,...}}
/// ```
pub(super) fn of_line(
    line: &str,
    observed: &LoopSnapshot,
    diagnoses: &[Diagnosis],
) -> Option<Vec<TruthRow>> {
    let line: Value = serde_json::from_str(line).ok()?;
    let truth = line.get("truth")?;
    let mut rows = vec![diagnosis(truth.get("cause")?.as_str()?, diagnoses)];
    if let Some(expected) = truth.get("longest_drain").and_then(Value::as_u64) {
        let longest = observed.microtask_drain_length.as_ref().map(|lengths| lengths.max);
        rows.push(TruthRow {
            what: "longest microtask drain".to_owned(),
            expected: format_count(expected),
            observed: longest.map_or_else(|| "nothing".to_owned(), format_count),
            holds: longest == Some(expected),
        });
    }
    Some(rows)
}

/// Tells the first row that does not hold, and how many others.
pub(super) fn tell_what_does_not_hold(name: &str, rows: Option<&[TruthRow]>) {
    let rows = rows.unwrap_or_default();
    let mut wrong = rows.iter().filter(|row| !row.holds);
    let Some(TruthRow { what, expected, observed, .. }) = wrong.next() else { return };
    let others = match wrong.count() {
        0 => String::new(),
        count => format!(", and {count} more of {} rows", rows.len()),
    };
    tell(&format!(
        "{name} did not show what it must: {what} is {observed} and must be {expected}{others}"
    ));
}
