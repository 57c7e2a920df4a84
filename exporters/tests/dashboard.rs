//! The dashboard: its queries parse and use what the list has; every metric of a loop is shown.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::process::Command;

use loopscope_exporters::dashboard::{PanelQuery, queries};
use loopscope_exporters::metrics::{self, Kind, Metric};
use promql_parser::label::Matchers;
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;

const LOOP: &str = include_str!("../../dashboards/loop.json");
const PROMTOOL: &str = "/usr/bin/promtool";

/// Labels that the server adds, or a histogram has, beside those of the list.
const SERVER_LABELS: [&str; 3] = ["instance", "job", "le"];

const VARIABLES: [(&str, &str); 5] = [
    ("instance", ".*"),
    ("target", "checkout"),
    ("pid", "4242"),
    ("thread", "main"),
    ("phase", ".*"),
];

fn dashboard() -> Value {
    serde_json::from_str(LOOP).unwrap()
}

fn panels() -> Vec<Value> {
    let panels = dashboard()["panels"].as_array().unwrap().clone();
    assert!(!panels.is_empty());
    panels
}

fn content(panels: &[Value]) -> impl Iterator<Item = &Value> {
    panels.iter().filter(|panel| panel["type"] != "row")
}

fn all_queries() -> Vec<PanelQuery> {
    queries(LOOP, &VARIABLES).unwrap()
}

/// What a query names: its metrics with the labels they are matched by, and labels it groups by.
#[derive(Default)]
struct Names {
    selectors: Vec<(String, Vec<String>)>,
    grouped: Vec<String>,
}

impl Names {
    fn of(expr: &str) -> Names {
        let parsed = parser::parse(expr).unwrap_or_else(|error| panic!("{expr}: {error}"));
        let mut names = Names::default();
        let Ok(whole) = walk_expr(&mut names, &parsed);
        assert!(whole);
        names
    }

    fn selector(&mut self, selector: &VectorSelector) {
        let Matchers { matchers, or_matchers } = &selector.matchers;
        let labels = matchers.iter().chain(or_matchers.iter().flatten());
        let labels = labels.map(|matcher| matcher.name.clone()).collect();
        self.selectors.push((selector.name.clone().unwrap(), labels));
    }
}

impl ExprVisitor for Names {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            Expr::Aggregate(aggregate) => {
                let labels = aggregate.modifier.iter().flat_map(|by| by.labels().labels.clone());
                self.grouped.extend(labels);
            }
            _ => {}
        }
        Ok(true)
    }
}

/// The metric of the list that a series' name belongs to.
fn metric(name: &str) -> Option<&'static Metric> {
    metrics::all().find(|metric| match metric.kind {
        Kind::Counter | Kind::Gauge => metric.name == name,
        // The bare name is the native histogram.
        Kind::Histogram(_) => name
            .strip_prefix(metric.name)
            .is_some_and(|suffix| matches!(suffix, "" | "_bucket" | "_sum" | "_count")),
    })
}

#[test]
fn every_query_names_metrics_and_labels_of_the_list() {
    for PanelQuery { panel, expr } in all_queries() {
        let names = Names::of(&expr);
        assert!(!names.selectors.is_empty(), "{panel}: {expr}");
        for (name, labels) in &names.selectors {
            let metric = metric(name).unwrap_or_else(|| panic!("{panel}: no metric {name}"));
            let known: BTreeSet<&str> = metric.label_names().chain(SERVER_LABELS).collect();
            for label in labels.iter().chain(&names.grouped) {
                assert!(known.contains(label.as_str()), "{panel}: {name} has no label {label}");
            }
        }
    }
}

#[test]
fn every_metric_of_a_loop_is_on_a_panel() {
    let shown: BTreeSet<&str> = all_queries()
        .iter()
        .flat_map(|query| Names::of(&query.expr).selectors)
        .filter_map(|(name, _)| Some(metric(&name)?.name))
        .collect();
    for metric in metrics::all().filter(|metric| metric.is_of_loop()) {
        assert!(shown.contains(metric.name), "put {} on a panel", metric.name);
    }
}

#[test]
fn queries_of_histograms_fall_back_from_native_to_classic() {
    for PanelQuery { panel, expr } in all_queries() {
        let names = Names::of(&expr).selectors;
        let of_histogram = |(name, _): &&(String, Vec<String>)| {
            matches!(metric(name).unwrap().kind, Kind::Histogram(_))
        };
        let (native, classic): (Vec<_>, Vec<_>) = names
            .iter()
            .filter(of_histogram)
            .partition(|(name, _)| metric(name).unwrap().name == name);
        assert_eq!(native.len(), classic.len(), "{panel}: {expr}");
    }
}

#[test]
fn variables_ask_for_labels_of_the_list() {
    let dashboard = dashboard();
    let mut names = Vec::new();
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        names.push(variable["name"].as_str().unwrap());
        let Some(query) = variable["query"]["query"].as_str() else { continue };
        let inner = query.strip_prefix("label_values(").and_then(|q| q.strip_suffix(')')).unwrap();
        let (selector, label) = inner.rsplit_once(", ").unwrap();
        let mut selector = selector.to_owned();
        for (name, value) in VARIABLES {
            selector = selector.replace(&format!("${name}"), value);
        }
        for (name, labels) in Names::of(&selector).selectors {
            let known: BTreeSet<&str> =
                metric(&name).unwrap().label_names().chain(SERVER_LABELS).collect();
            assert!(known.contains(label), "{name} has no label {label}");
            assert!(labels.iter().all(|label| known.contains(label.as_str())), "{selector}");
        }
    }
    let wanted: Vec<&str> = ["datasource"].into_iter().chain(VARIABLES.map(|(n, _)| n)).collect();
    assert_eq!(names, wanted);
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    let units = ["s", "percentunit", "short", "ops"];
    for panel in content(&panels()) {
        let title = panel["title"].as_str().unwrap();
        let description = panel["description"].as_str().unwrap_or_default();
        assert!(description.len() > 30 && description.ends_with('.'), "{title}: {description:?}");
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(units.contains(&defaults["unit"].as_str().unwrap_or_default()), "{title}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        assert!(panel["type"] == "heatmap" || defaults["thresholds"].is_object(), "{title}");
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            assert!(!target["legendFormat"].as_str().unwrap().is_empty(), "{title}");
        }
    }
}

#[test]
fn ids_and_titles_are_unique_and_panels_do_not_overlap() {
    let panels = panels();
    let (mut ids, mut titles, mut cells) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in &panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        assert!(titles.insert(title), "{title}");
        let grid = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(grid("x") + grid("w") <= 24, "{title} is too wide");
        for x in grid("x")..grid("x") + grid("w") {
            for y in grid("y")..grid("y") + grid("h") {
                assert!(cells.insert((x, y)), "{title} overlaps at {x},{y}");
            }
        }
    }
}

#[test]
fn the_readme_tells_of_every_panel() {
    let readme = include_str!("../../dashboards/README.md");
    for panel in &panels() {
        let title = panel["title"].as_str().unwrap();
        assert!(readme.contains(title), "dashboards/README.md has no {title:?}");
    }
}

#[test]
fn the_scrape_config_is_valid() {
    if !std::path::Path::new(PROMTOOL).exists() {
        println!("SKIPPED: {PROMTOOL} is not installed; install Debian's package `prometheus`");
        return;
    }
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../dashboards/prometheus.yml");
    let output = Command::new(PROMTOOL).args(["check", "config", config]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read_to_string(config).unwrap().contains("127.0.0.1:9797"));
}
