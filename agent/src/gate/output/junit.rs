//! JUnit's XML, as GitLab, Jenkins and others show it: a test case a metric.
//!
//! What got worse is a failure, what is too noisy or not compared is skipped, and runs that can't
//! be compared are an error of the first case, which stands for the runs themselves.

use std::fmt::Write;

use super::figures;
use super::words;
use super::xml::{attribute, text};
use crate::gate::comparison::{Comparison, Metric, Standing, Verdict};

/// The name of the suite, and of the class of every case.
const SUITE: &str = "loopscope.gate";

/// The case that stands for the runs.
const RUNS: &str = "the runs can be compared";

/// How a case ended.
enum Ending {
    Passed,
    Skipped(String),
    /// What it is, and all about it.
    Failed(String, String),
    Error(String, String),
}

/// The comparison as a JUnit document.
pub fn junit(comparison: &Comparison) -> String {
    let mut cases = vec![(RUNS.to_owned(), runs(comparison))];
    let metrics = comparison.metrics.iter();
    cases.extend(
        metrics.map(|metric| (words::title(metric).to_owned(), ending(metric, comparison.verdict))),
    );
    let count = |wanted: fn(&Ending) -> bool| cases.iter().filter(|(_, end)| wanted(end)).count();
    let (failures, errors, skipped) = (
        count(|end| matches!(end, Ending::Failed(..))),
        count(|end| matches!(end, Ending::Error(..))),
        count(|end| matches!(end, Ending::Skipped(..))),
    );
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
         time=\"{:.3}\"",
        cases.len(),
        comparison.took_ns as f64 * 1e-9
    );
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string can't fail.
    let _ = writeln!(out, "<testsuites {counts}>\n  <testsuite name=\"{SUITE}\" {counts}>");
    cases.iter().for_each(|(name, ending)| put_case(&mut out, name, ending));
    let about = format!("{}\n{}", words::verdict(comparison), method(comparison));
    let _ = writeln!(out, "    <system-out>{}</system-out>", text(&about));
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn put_case(out: &mut String, name: &str, ending: &Ending) {
    let _ = write!(out, "    <testcase classname=\"{SUITE}\" name=\"{}\"", attribute(name));
    let _ = match ending {
        Ending::Passed => writeln!(out, "/>"),
        Ending::Skipped(why) => {
            writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", attribute(why))
        }
        Ending::Failed(what, details) => {
            // The case of the runs fails where nobody can tell, and that is asked to be a failure.
            let kind = if name == RUNS { "inconclusive" } else { "worse" };
            put_wrong(out, "failure", kind, (what, details))
        }
        Ending::Error(what, details) => put_wrong(out, "error", "invalid", (what, details)),
    };
}

fn put_wrong(
    out: &mut String,
    element: &str,
    kind: &str,
    (what, details): (&str, &str),
) -> std::fmt::Result {
    let (message, details) = (attribute(what), text(details));
    writeln!(
        out,
        ">\n      <{element} message=\"{message}\" type=\"{kind}\">{details}</{element}>\n    \
         </testcase>"
    )
}

/// Whether the runs as such are fine.
fn runs(comparison: &Comparison) -> Ending {
    let verdict = words::verdict(comparison);
    match comparison.verdict {
        Verdict::Invalid => Ending::Error(verdict, comparison.notes.join("\n")),
        Verdict::Inconclusive if comparison.inconclusive_fails => {
            Ending::Failed(verdict, comparison.notes.join("\n"))
        }
        Verdict::Inconclusive => Ending::Skipped(verdict),
        Verdict::Passed | Verdict::Regressed => Ending::Passed,
    }
}

fn ending(metric: &Metric, verdict: Verdict) -> Ending {
    match &metric.standing {
        _ if verdict == Verdict::Invalid => {
            Ending::Skipped("the runs can't be compared".to_owned())
        }
        Standing::Same | Standing::Better => Ending::Passed,
        Standing::Unclear => {
            Ending::Skipped(format!("too noisy to tell: {}", words::certainty(metric)))
        }
        Standing::Untold(why) => Ending::Skipped(why.clone()),
        Standing::Worse if !metric.decides => {
            Ending::Skipped(format!("decides nothing: {}", words::sentence(metric)))
        }
        Standing::Worse => Ending::Failed(words::sentence(metric), details(metric)),
    }
}

/// All about what got worse, a line each.
fn details(metric: &Metric) -> String {
    let mut lines = vec![words::sentence(metric), words::certainty(metric)];
    lines.extend(metric.culprit.as_ref().map(words::blame));
    let counted = metric.counted().map(|counted| format!(", {counted}")).unwrap_or_default();
    let samples = |side: &str, samples: &[f64]| {
        let values = samples.iter().map(|&sample| figures::value(sample, metric.unit));
        format!("{side}{counted}: {}", values.collect::<Vec<_>>().join("  "))
    };
    lines.extend((!metric.base.is_empty()).then(|| samples("base", &metric.base)));
    lines.push(samples("head", &metric.head));
    lines.join("\n")
}

fn method(comparison: &Comparison) -> String {
    let side = |name: &str, side: &crate::gate::comparison::Side| {
        format!("{name}: {} ({})", side.command, figures::counted(side.runs, "run"))
    };
    let base = comparison.base.as_ref().map(|base| side("base", base));
    let lines = base.into_iter().chain([side("head", &comparison.head)]);
    let lines = lines.chain(comparison.notes.iter().cloned());
    lines.chain([words::method(comparison).join("; ")]).collect::<Vec<_>>().join("\n")
}
