//! What queries name: metrics and labels of the list, and what a server adds by itself.

use std::collections::BTreeSet;
use std::convert::Infallible;

use loopscope_exporters::metrics::{self, Kind, Metric};
use promql_parser::label::Matchers;
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};

/// Labels that the server adds, or a histogram has, beside those of the list.
const SERVER_LABELS: [&str; 3] = ["instance", "job", "le"];

/// Labels of `ALERTS`, beside those of the series that an alert is about.
const ALERT_LABELS: [&str; 3] = ["alertname", "alertstate", "severity"];

/// What a server tells of its scrapes and alerts.
const SERVER_METRICS: [&str; 4] =
    ["up", "scrape_duration_seconds", "scrape_samples_scraped", "ALERTS"];

/// The document of all metrics, which is made from the list.
const METRICS: &str = include_str!("../../METRICS.md");

/// What a query names: its metrics with the labels they are matched by, and labels it groups by.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) selectors: Vec<(String, Vec<String>)>,
    pub(crate) grouped: Vec<String>,
}

impl Names {
    pub(crate) fn of(expr: &str) -> Names {
        let parsed = parser::parse(expr).unwrap_or_else(|error| panic!("{expr}: {error}"));
        let mut names = Names::default();
        let Ok(whole) = walk_expr(&mut names, &parsed);
        assert!(whole);
        names
    }

    /// The metrics of the list among them.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &'static Metric> {
        self.selectors.iter().filter_map(|(name, _)| metric(name))
    }

    fn selector(&mut self, selector: &VectorSelector) {
        let Matchers { matchers, or_matchers } = &selector.matchers;
        let labels = matchers.iter().chain(or_matchers.iter().flatten());
        let labels = labels.map(|matcher| matcher.name.clone()).collect();
        self.selectors.push((selector.name.clone().unwrap_or_default(), labels));
    }

    fn group(&mut self, modifier: Option<&LabelModifier>) {
        self.grouped.extend(modifier.iter().flat_map(|by| by.labels().labels.clone()));
    }
}

impl ExprVisitor for Names {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            Expr::Aggregate(aggregate) => self.group(aggregate.modifier.as_ref()),
            Expr::Binary(binary) => {
                let matching = binary.modifier.as_ref().and_then(|it| it.matching.as_ref());
                self.group(matching);
            }
            _ => {}
        }
        Ok(true)
    }
}

/// The metric of the list that a series' name belongs to.
pub(crate) fn metric(name: &str) -> Option<&'static Metric> {
    metrics::all().find(|metric| match metric.kind {
        Kind::Counter | Kind::Gauge => metric.name == name,
        // The bare name is the native histogram.
        Kind::Histogram(_) => name
            .strip_prefix(metric.name)
            .is_some_and(|suffix| matches!(suffix, "" | "_bucket" | "_sum" | "_count")),
    })
}

/// The labels that a series of this name can have; `None`: there is no such series.
fn labels(name: &str) -> Option<BTreeSet<&'static str>> {
    if let Some(metric) = metric(name) {
        return Some(metric.label_names().chain(SERVER_LABELS).collect());
    }
    let is_alerts = name == "ALERTS";
    // What the agent's process has is not in the list of loops and agents, but in its document.
    let of_process = name.starts_with("process_") && METRICS.contains(&format!("| `{name}` |"));
    let known = of_process || SERVER_METRICS.contains(&name);
    let more = if is_alerts { &ALERT_LABELS[..] } else { &[] };
    known.then(|| SERVER_LABELS.iter().chain(more).copied().collect())
}

/// What a query names that is not there.
pub(crate) fn complaints(expr: &str) -> Vec<String> {
    let names = Names::of(expr);
    let mut complaints = Vec::new();
    let mut all = BTreeSet::new();
    for (name, matched) in &names.selectors {
        let Some(known) = labels(name) else {
            complaints.push(format!("no metric {name}"));
            continue;
        };
        let unknown = matched.iter().filter(|label| !known.contains(label.as_str()));
        complaints.extend(unknown.map(|label| format!("{name} has no label {label}")));
        all.extend(known);
    }
    let unknown = names.grouped.iter().filter(|label| !all.contains(label.as_str()));
    complaints.extend(unknown.map(|label| format!("nothing to group by {label}")));
    if names.selectors.is_empty() {
        complaints.push("it names no metric".to_owned());
    }
    complaints
}

/// Whether each histogram that is read natively is read by its classic buckets, too.
pub(crate) fn reads_both_kinds(expr: &str) -> bool {
    let names = Names::of(expr).selectors;
    let of_histogram = names.iter().filter_map(|(name, _)| Some((name, metric(name)?)));
    let of_histogram = of_histogram.filter(|(_, of)| matches!(of.kind, Kind::Histogram(_)));
    let (native, classic): (Vec<_>, Vec<_>) = of_histogram.partition(|(name, of)| of.name == *name);
    let metrics = |series: Vec<(&String, &Metric)>| -> BTreeSet<&str> {
        series.into_iter().map(|(_, of)| of.name).collect()
    };
    metrics(native) == metrics(classic)
}

#[test]
fn what_is_not_there_is_found() {
    let turns = "loopscope_eventloop_turns_total";
    assert!(complaints(&format!("sum by (target) (rate({turns}{{pid=\"1\"}}[1m]))")).is_empty());
    assert_eq!(complaints("sum(loopscope_nothing)"), ["no metric loopscope_nothing"]);
    let found = complaints(&format!("sum by (colour) ({turns}{{size=\"1\"}})"));
    assert_eq!(found, [&format!("{turns} has no label size"), "nothing to group by colour"]);
    let joined = complaints(&format!("{turns} and on (colour) up"));
    assert_eq!(joined, ["nothing to group by colour"]);
    assert_eq!(complaints("1 + 1"), ["it names no metric"]);
    assert!(complaints("process_resident_memory_bytes{job=\"a\"}").is_empty());
    assert_eq!(complaints("process_luck_total"), ["no metric process_luck_total"]);
    assert!(!reads_both_kinds("loopscope_gc_pause_seconds_sum"));
    assert!(reads_both_kinds("loopscope_gc_pause_seconds_sum + loopscope_gc_pause_seconds"));
}
