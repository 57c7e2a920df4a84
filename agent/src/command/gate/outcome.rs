//! From what was judged to what is told: the comparison, and how the gate ends.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use crate::cli::OnInconclusive;
use crate::exit::{Exit, Failure};
use crate::gate::budget::{self, Budget};
use crate::gate::comparison::{Comparison, Metric, Side, Verdict};
use crate::gate::{Fingerprint, Sample, decide};
use crate::terminal::tell;

/// The runs of one side.
#[derive(Clone, Copy)]
pub(super) struct Runs<'a> {
    /// The command, or where its recordings are.
    pub(super) command: &'a str,
    pub(super) samples: &'a [Sample],
}

/// The metrics, and what else there is to know; or why the runs can't be compared.
pub(super) type Judged = Result<(Vec<Metric>, Vec<String>), Vec<String>>;

/// What came of it.
pub(super) fn comparison(
    base: Option<Runs<'_>>,
    head: Runs<'_>,
    judged: Judged,
    place: Fingerprint,
    started: Instant,
) -> Comparison {
    let (metrics, mut notes, verdict) = match judged {
        Ok((metrics, notes)) => {
            let verdict = decide::verdict(&metrics);
            (metrics, notes, verdict)
        }
        Err(why) => (Vec::new(), why, Verdict::Invalid),
    };
    let runtimes = |side: &Runs<'_>| {
        let all: BTreeSet<_> = side.samples.iter().flat_map(|run| run.runtimes.clone()).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    let (before, after) = (base.as_ref().map(runtimes).unwrap_or_default(), runtimes(&head));
    if !before.is_empty() && !after.is_empty() && before != after {
        notes.push(format!("base ran on Node.js {before}, head on {after}"));
    }
    let side = |side: Runs<'_>| Side { command: side.command.to_owned(), runs: side.samples.len() };
    let all = head.samples.iter().chain(base.into_iter().flat_map(|base| base.samples));
    let observed = all.into_iter().find_map(|run| run.observed);
    Comparison {
        verdict,
        base: base.map(side),
        head: side(head),
        fingerprint: Fingerprint { runtime: Some(after).filter(|of| !of.is_empty()), ..place },
        observed: observed.map_or(("none", "none"), |(source, tier)| (source.name(), tier.name())),
        metrics,
        notes,
        took_ns: u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX),
        inconclusive_fails: false,
    }
}

/// The same, told as what was asked for makes of it.
pub(super) fn asked(comparison: Comparison, on_inconclusive: Option<OnInconclusive>) -> Comparison {
    let inconclusive_fails = on_inconclusive == Some(OnInconclusive::Fail);
    Comparison { inconclusive_fails, ..comparison }
}

/// How the gate ends.
pub(super) fn exit(comparison: &Comparison, on_inconclusive: Option<OnInconclusive>) -> Exit {
    match (comparison.verdict, on_inconclusive) {
        (Verdict::Passed, _) => Exit::Ok,
        (Verdict::Regressed, _) => Exit::GateFailed,
        (Verdict::Invalid, _) => Exit::RunFailed,
        (Verdict::Inconclusive, None) => Exit::Inconclusive,
        (Verdict::Inconclusive, Some(OnInconclusive::Fail)) => Exit::GateFailed,
        (Verdict::Inconclusive, Some(OnInconclusive::Pass)) => {
            tell("the gate is inconclusive, and passes as --on-inconclusive says");
            Exit::Ok
        }
    }
}

/// The budgets of a file; none where there is none.
pub(super) fn read_budgets(path: Option<&Path>) -> Result<Vec<Budget>, Failure> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let mut text = String::new();
    let most = budget::BUDGET_BYTES_MAX;
    File::open(path).and_then(|file| file.take(most + 1).read_to_string(&mut text)).map_err(
        |error| {
            let path = path.display();
            Failure::usage(format!("{path} can't be read ({error}); check --budget"))
        },
    )?;
    if text.len() as u64 > most {
        let path = path.display();
        return Err(Failure::usage(format!("{path} is longer than {most} bytes; check --budget")));
    }
    let path = path.display();
    let budgets = budget::parse(&text).map_err(|error| {
        Failure::usage(match error.line {
            0 => format!("{path}: {}", error.why),
            line => format!("{path}:{line}: {}", error.why),
        })
    })?;
    for budget in &budgets {
        if let Some(why) = budget.quantity.why_never() {
            return Err(Failure::usage(format!("{path}: `{}`: {why}", budget.text)));
        }
    }
    Ok(budgets)
}

/// How many runs were made again, and why.
pub(super) fn again_note(again: usize) -> Option<String> {
    let runs = if again == 1 { "1 run was".to_owned() } else { format!("{again} runs were") };
    let why = "a Node.js process had ended before it could be observed";
    (again > 0).then(|| format!("{runs} made again: {why}"))
}

/// Of which budgets there may be more than is told.
pub(super) fn budget_notes(budgets: &[Budget], head: &[Sample]) -> Vec<String> {
    budgets.iter().filter_map(|budget| budget.note(head)).collect()
}
