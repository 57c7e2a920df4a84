//! The dashboards on a live Prometheus: what a person would choose, and what the panels then show.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use loopscope_exporters::dashboard::{PanelQuery, queries};
use serde_json::Value;

use super::prometheus::Api;

/// The files of `dashboards/`, with how many queries each has at least.
const BOARDS: [(&str, usize, &str); 4] = [
    ("fleet.json", 15, include_str!("../../../dashboards/fleet.json")),
    ("loop.json", 35, include_str!("../../../dashboards/loop.json")),
    ("stalls.json", 15, include_str!("../../../dashboards/stalls.json")),
    ("agent.json", 20, include_str!("../../../dashboards/agent.json")),
];

/// Ten times what it takes until each query has figures.
const LIMIT: Duration = Duration::from_secs(90);

/// Parts of queries, and why they show nothing.
type Parts = &'static [(&'static str, &'static str)];

/// Of a server that keeps histograms by their buckets' bounds.
pub(crate) const CLASSIC: Parts = &[("histogram_sum(", "this server has classic histograms")];

/// Of one that keeps native ones.
pub(crate) const NATIVE: Parts = &[
    ("_bucket{", "this server has native histograms"),
    ("_sum{", "this server has native histograms"),
];

/// What is known of a source of figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// What is meant for the other kind of histograms.
    pub(crate) histograms: Parts,
    /// Metrics, or other parts of queries, that it can't have, and why. They must stay empty.
    pub(crate) never: Parts,
    /// Those that it has on some machines or at times, and why. Their queries must succeed.
    pub(crate) perhaps: Parts,
    /// What a query that groups by a label must show a figure for, in one loop at least.
    pub(crate) shown: &'static [(&'static str, &'static [&'static str])],
}

/// The variables of a dashboard, as a person would choose them.
type Choice = BTreeMap<String, String>;

/// One dashboard, with every choice that tells something else.
#[derive(Debug)]
struct Board {
    file: &'static str,
    json: &'static str,
    choices: Vec<Choice>,
}

/// Waits until every query of every dashboard shows what it must; fails when one does not.
///
/// # Panics
/// With the queries that show nothing, that are not finite, or that show what can't be.
pub(crate) fn assert_all_shown(api: &Api, expected: Expected) {
    let boards = BOARDS.map(|(file, least, json)| {
        let dashboard: Value = serde_json::from_str(json).expect("JSON");
        let variables = dashboard["templating"]["list"].as_array().expect("variables");
        let mut choices = Vec::new();
        choose(api, variables, &Choice::new(), &mut choices);
        assert!(!choices.is_empty(), "{file}: nothing can be chosen");
        let board = Board { file, json, choices };
        let found = board.queries(&board.choices[0]).len();
        assert!(found >= least, "{file}: {found} queries");
        board
    });
    let start = Instant::now();
    let missing = || -> Vec<String> {
        boards.iter().flat_map(|board| board.missing(api, expected)).collect()
    };
    let mut left = missing();
    while !left.is_empty() && start.elapsed() < LIMIT {
        sleep(Duration::from_millis(500));
        left = missing();
    }
    assert!(left.is_empty(), "nothing after {LIMIT:?} for {left:#?}");
    let mut needed = BTreeSet::new();
    boards.iter().for_each(|board| board.assert_exceptions_hold(api, expected, &mut needed));
    for (metric, _why) in expected.empty().chain(expected.perhaps) {
        assert!(needed.contains(metric), "{metric} is on no panel");
    }
}

/// All choices from these variables on: all values where a variable has *All*, else each.
fn choose(api: &Api, variables: &[Value], chosen: &Choice, choices: &mut Vec<Choice>) {
    let Some((variable, rest)) = variables.split_first() else {
        choices.push(chosen.clone());
        return;
    };
    let name = variable["name"].as_str().expect("a name");
    let mut next = |value: String| {
        let mut chosen = chosen.clone();
        chosen.insert(name.to_owned(), value);
        choose(api, rest, &chosen, choices);
    };
    match variable["query"]["query"].as_str() {
        Some(query) => {
            let found = label_values(api, query, chosen);
            assert!(!found.is_empty(), "{name}: nothing to choose by {query} of {chosen:?}");
            match variable["allValue"].as_str() {
                Some(all) => next(all.to_owned()),
                None => found.into_iter().for_each(next),
            }
        }
        None => next(variable["allValue"].as_str().unwrap_or_default().to_owned()),
    }
}

/// What Grafana asks for a variable.
fn label_values(api: &Api, query: &str, chosen: &Choice) -> Vec<String> {
    let inner = query.strip_prefix("label_values(").and_then(|q| q.strip_suffix(')'));
    let (selector, label) = inner.and_then(|q| q.rsplit_once(", ")).expect(query);
    let replace =
        |text: String, (name, value): (&String, &String)| text.replace(&format!("${name}"), value);
    api.label_values(label, &chosen.iter().fold(selector.to_owned(), replace))
}

impl Expected {
    /// What must stay empty.
    fn empty(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.never.iter().chain(self.histograms)
    }
}

impl Board {
    fn queries(&self, choice: &Choice) -> Vec<PanelQuery> {
        let variables: Vec<(&str, &str)> =
            choice.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        queries(self.json, &variables).expect("a dashboard")
    }

    /// The queries that show no figure for any choice, or none for a label's value that they must
    /// show. `NaN` is no figure: a quantile of nothing.
    fn missing(&self, api: &Api, expected: Expected) -> Vec<String> {
        let of_each: Vec<_> = self.choices.iter().map(|choice| self.queries(choice)).collect();
        let mut missing = Vec::new();
        for (index, query) in of_each[0].iter().enumerate() {
            if !must_show(query, expected) {
                continue;
            }
            let mut shown = Vec::new();
            for queries in &of_each {
                let series = api.query(&queries[index].expr);
                assert!(series.iter().all(|(_, v)| !v.is_infinite()), "{query:?}: {series:?}");
                shown.extend(series.into_iter().filter(|(_, value)| value.is_finite()));
            }
            let place = format!("{}: {}: {}", self.file, query.panel, query.expr);
            if shown.is_empty() {
                missing.push(place.clone());
            }
            for (label, values) in expected.shown.iter().filter(|(l, _)| groups_by(query, l)) {
                for value in *values {
                    let has =
                        |labels: &BTreeMap<_, _>| labels.get(*label).is_some_and(|v| v == value);
                    if !shown.iter().any(|(labels, _)| has(labels)) {
                        missing.push(format!("{label}={value} of {place}"));
                    }
                }
            }
        }
        missing
    }

    /// An exception that shows something, or that no query needs, is out of date.
    fn assert_exceptions_hold(
        &self,
        api: &Api,
        expected: Expected,
        needed: &mut BTreeSet<&'static str>,
    ) {
        let all = self.choices.iter().flat_map(|choice| self.queries(choice));
        for query in all.filter(|query| !must_show(query, expected)) {
            let series = api.query(&query.expr);
            let perhaps = names_one_of(&query.expr, expected.perhaps.iter());
            assert!(series.is_empty() || perhaps, "{query:?}: {series:?}");
            let exceptions = expected.empty().chain(expected.perhaps);
            let named = exceptions.map(|(metric, _)| *metric);
            needed.extend(named.filter(|metric| query.expr.contains(metric)));
        }
    }
}

fn names_one_of<'a>(expr: &str, mut parts: impl Iterator<Item = &'a (&'a str, &'a str)>) -> bool {
    parts.any(|(part, _why)| expr.contains(part))
}

/// What has an alternative without an exception shows that. Behind `unless` stands what is left
/// out.
fn must_show(query: &PanelQuery, expected: Expected) -> bool {
    query.expr.split(" or ").any(|alternative| {
        let shown = alternative.split(" unless ").next().unwrap_or_default();
        !names_one_of(shown, expected.empty().chain(expected.perhaps))
    })
}

fn groups_by(query: &PanelQuery, label: &str) -> bool {
    query.expr.contains(&format!("by ({label}"))
}
