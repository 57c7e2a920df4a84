//! Sentences that the forms share.

use loop_core::snapshot::Culprit;
use loop_core::units::format_ns;

use super::figures;
use crate::gate::comparison::{Comparison, GateTier, Metric, Standing, Verdict};
use crate::layout::{percent, shorten};
use crate::terminal::printable;
use crate::url;

/// The most columns that a file's name takes in a sentence. JSON has all of it.
const FILE_COLUMNS: usize = 48;

/// What is to be done, in one sentence without a full stop.
pub(super) fn verdict(comparison: &Comparison) -> String {
    let word = verdict_word(comparison.verdict);
    let why = match comparison.verdict {
        Verdict::Passed => passed(comparison),
        Verdict::Regressed => first_of(comparison, &Standing::Worse),
        Verdict::Inconclusive => {
            let titles: Vec<&str> = with(comparison, &Standing::Unclear).map(title).collect();
            match titles.as_slice() {
                [] => not_told(comparison, "the runs are too few or too noisy"),
                [one] => format!("too noisy to tell of {one}"),
                [one, more @ ..] => format!("too noisy to tell of {one} and {} more", more.len()),
            }
        }
        Verdict::Invalid => not_told(comparison, "the runs can't be compared"),
    };
    format!("{word}: {why}")
}

/// The verdict in one word.
pub(super) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Passed",
        Verdict::Inconclusive => "Inconclusive",
        Verdict::Regressed => "Regressed",
        Verdict::Invalid => "Invalid",
    }
}

/// The sign before a verdict.
pub(super) fn verdict_mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Regressed | Verdict::Invalid => "✗",
    }
}

fn passed(comparison: &Comparison) -> String {
    let better = with(comparison, &Standing::Better).count();
    let budgets = comparison.metrics.iter().filter(|metric| metric.tier == GateTier::Budget);
    let budgets = budgets.count();
    let all = comparison.metrics.iter().filter(|metric| metric.decides).count().max(budgets);
    let kept = match budgets {
        0 => String::new(),
        1 => "the budget is kept".to_owned(),
        count => format!("{count} budgets are kept"),
    };
    if all > 0 && budgets == all {
        return kept;
    }
    let mut text = format!("nothing got worse in {}", figures::counted(all - budgets, "metric"));
    if better > 0 {
        text.push_str(&format!(", {better} got better"));
    }
    if budgets > 0 {
        text.push_str(&format!(", {kept}"));
    }
    text
}

/// What is first among those that stand so, its place, and how many more there are.
fn first_of(comparison: &Comparison, standing: &Standing) -> String {
    let mut all = with(comparison, standing);
    let Some(first) = all.next() else {
        return first_note(comparison, "something got worse");
    };
    let at = first.culprit.as_ref().map(|culprit| format!(", at {}", place(culprit)));
    let more = match all.count() {
        0 => String::new(),
        count => format!("; and {count} more"),
    };
    format!("{}{}{more}", sentence(first), at.unwrap_or_default())
}

/// Why nothing can be told: by what was not compared, or else by the notes. A budget that can't be
/// told is why runs can't be judged; other metrics are not.
fn not_told(comparison: &Comparison, otherwise: &str) -> String {
    let is_invalid = comparison.verdict == Verdict::Invalid;
    let decides = |metric: &Metric| !is_invalid || metric.tier == GateTier::Budget;
    match untold_of(comparison, decides).next() {
        Some(untold) => format!("can't tell {untold}"),
        None => first_note(comparison, otherwise),
    }
}

fn first_note(comparison: &Comparison, otherwise: &str) -> String {
    comparison.notes.first().map_or_else(|| otherwise.to_owned(), |note| name(note))
}

/// The notes that the verdict does not say already.
pub(super) fn notes(comparison: &Comparison) -> impl Iterator<Item = String> {
    let verdict = verdict(comparison);
    let notes = comparison.notes.iter().map(|note| name(note));
    notes.filter(move |note| !verdict.ends_with(note.as_str()))
}

/// The metrics that stand so and decide, worst first. Of those that are not compared the reason
/// does not matter.
pub(super) fn with<'a>(
    comparison: &'a Comparison,
    standing: &'a Standing,
) -> impl Iterator<Item = &'a Metric> {
    let same = std::mem::discriminant(standing);
    let stands_so = move |metric: &&Metric| std::mem::discriminant(&metric.standing) == same;
    comparison.metrics.iter().filter(|metric| metric.decides).filter(stands_so)
}

/// What has changed, and decides nothing.
pub(super) fn besides(comparison: &Comparison) -> impl Iterator<Item = &Metric> {
    let metrics = comparison.metrics.iter().filter(|metric| !metric.decides);
    metrics.filter(|metric| matches!(metric.standing, Standing::Worse | Standing::Better))
}

/// What is not compared, by its reason. Of what decides nothing that is no news.
pub(super) fn untold(comparison: &Comparison) -> impl Iterator<Item = String> {
    untold_of(comparison, |_| true)
}

fn untold_of(
    comparison: &Comparison,
    is_meant: impl Fn(&Metric) -> bool,
) -> impl Iterator<Item = String> {
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    let metrics = comparison.metrics.iter().filter(|metric| metric.decides && is_meant(metric));
    for metric in metrics {
        let Standing::Untold(why) = &metric.standing else { continue };
        match by_reason.iter_mut().find(|(reason, _)| reason == why) {
            Some((_, titles)) => titles.push(title(metric)),
            None => by_reason.push((why, vec![title(metric)])),
        }
    }
    let told =
        |(why, titles): (&str, Vec<&str>)| format!("{}: {}", name(&titles.join(", ")), name(why));
    by_reason.into_iter().map(told)
}

/// How a metric is called, by the text of its budget if it has one.
pub(super) fn title(metric: &Metric) -> &str {
    metric.budget.as_deref().unwrap_or(metric.title)
}

/// `longest drain grew from 30,000 to 31,500 microtasks (+5.0 %)`.
pub(super) fn sentence(metric: &Metric) -> String {
    let title = name(title(metric));
    let (base, head) = (figures::middle(&metric.base), figures::middle(&metric.head));
    match (base, head) {
        _ if metric.tier == GateTier::Budget => match metric.standing {
            Standing::Worse => format!("{title} is not kept: {}", range(metric)),
            _ => format!("{title}: {}", range(metric)),
        },
        (Some(_), Some(head)) if metric.standing == Standing::Same => {
            let change = metric.change.map(|change| figures::change_text(&change, metric));
            let change = change.filter(|text| !text.starts_with('0'));
            let change = change.map(|text| format!(" ({text})")).unwrap_or_default();
            format!("{title} stayed at {}{change}", told(head, metric))
        }
        (Some(base), Some(head)) => {
            let verb = match metric.change.map_or(head - base, |change| change.difference) {
                more if more > 0.0 => "grew",
                less if less < 0.0 => "fell",
                _ => "stayed",
            };
            let change =
                metric.change.map(|change| format!(" ({})", figures::change_text(&change, metric)));
            let (base, head) = (figures::value(base, metric.unit), told(head, metric));
            format!("{title} {verb} from {base} to {head}{}", change.unwrap_or_default())
        }
        (None, Some(_)) => format!("{title}: {}, nothing to compare with", range(metric)),
        (_, None) => format!("{title} was not measured"),
    }
}

/// A value with what it counts, where the title does not say that: `31,500 microtasks`.
pub(super) fn told(value: f64, metric: &Metric) -> String {
    with_noun(figures::value(value, metric.unit), metric)
}

/// As [`told`], of the middle value of the head; empty where there is none.
pub(super) fn middle(metric: &Metric) -> String {
    figures::middle(&metric.head).map(|value| told(value, metric)).unwrap_or_default()
}

/// As [`told`], of all values of the head.
pub(super) fn range(metric: &Metric) -> String {
    if metric.head.is_empty() {
        return figures::range(metric);
    }
    with_noun(figures::range(metric), metric)
}

fn with_noun(figure: String, metric: &Metric) -> String {
    match metric.counted() {
        Some(counted) if title(metric) != counted => figures::noun(figure, counted),
        _ => figure,
    }
}

/// How sure a finding is, and by what.
pub(super) fn certainty(metric: &Metric) -> String {
    match (metric.tier, &metric.change) {
        (GateTier::Budget, _) => {
            format!("{} of the head", figures::counted(metric.head.len(), "run"))
        }
        (GateTier::Exact, _) => {
            let base = metric.base.first().copied().unwrap_or(f64::NAN);
            let runs = figures::counted(metric.base.len(), "run");
            let varies = figures::edges(&metric.head).is_some_and(|(low, high)| low < high);
            let head = varies.then(|| format!(", the head {}", figures::range(metric)));
            let base = figures::value(base, metric.unit);
            let base = match metric.counted() {
                Some(counted) => figures::noun(base, counted),
                None => base,
            };
            format!("exact: the base gave {base} in each of {runs}{}", head.unwrap_or_default())
        }
        (GateTier::Time, None) => "too few runs to compare".to_owned(),
        (GateTier::Time, Some(change)) => {
            let noise = noise(metric).map(|noise| format!("; {noise}"));
            let p = figures::p_text(change.p).map(|p| format!(", p {p}")).unwrap_or_default();
            let interval = match figures::interval(change) {
                none if none.is_empty() => "no interval".to_owned(),
                told => format!("95 % interval {told}"),
            };
            format!("{interval}{p}{}", noise.unwrap_or_default())
        }
    }
}

/// What the base shows against itself.
pub(super) fn noise(metric: &Metric) -> Option<String> {
    let noise = percent(metric.noise?.abs());
    Some(format!("the base against itself changes by {noise}"))
}

/// What others have named, as it is shown: no character moves the cursor, and no word begins as a
/// command in the log of a CI system does.
pub(super) fn name(text: &str) -> String {
    let told = printable(text).replace(" ::", " \\u{3a}:").replace("##[", "#\\u{23}[");
    match told.strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => told,
    }
}

/// `render (/srv/app/view.js:17)`, with a long path shortened.
pub(super) fn place(culprit: &Culprit) -> String {
    let file = shorten(&name(&url::path(&culprit.file)), FILE_COLUMNS);
    format!("{} ({file}:{})", name(&culprit.function), culprit.line)
}

/// The function to look at, and how much of the time it was in.
pub(super) fn blame(culprit: &Culprit) -> String {
    let of = match culprit.samples {
        Some(samples) => figures::counted(samples as usize, "sample"),
        None => "its time".to_owned(),
    };
    let leaf = culprit.hot_leaf.as_ref().map(|leaf| format!(", in {}", name(leaf)));
    let share = percent(culprit.share);
    format!("at {}, {share} of {of}{}", place(culprit), leaf.unwrap_or_default())
}

/// Where it ran and how it was observed, in pieces.
pub(super) fn method(comparison: &Comparison) -> Vec<String> {
    let (source, tier) = comparison.observed;
    let print = &comparison.fingerprint;
    let known = |what: &str, text: &Option<String>| {
        text.as_ref().map(|text| format!("{what}{}", name(text)))
    };
    let cpus = (print.cpus > 0).then(|| figures::counted(print.cpus, "CPU"));
    let quota = print.quota_percent.map(|hundredths| format!("quota {hundredths} % of a CPU"));
    let pieces = [
        (source != "none").then(|| format!("source {source}, tier {tier}")),
        known("runtime ", &print.runtime),
        known("", &print.cpu),
        cpus,
        known("governor ", &print.governor),
        quota,
        known("kernel ", &print.kernel),
        Some(format!("loopscope {}", name(&print.loopscope))),
        Some(format!("took {}", format_ns(comparison.took_ns))),
    ];
    pieces.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_no_command_of_a_log() {
        assert_eq!(name("::error::a ::b c::d"), "\\u{3a}:error::a \\u{3a}:b c::d");
        assert_eq!(name("a##[error]b\n"), "a#\\u{23}[error]b\\n");
    }
}
