//! What holds of every dashboard: its queries, its variables, its panels and their places.

use std::collections::{BTreeMap, BTreeSet};

use loopscope_exporters::dashboard::{PanelQuery, queries};
use loopscope_exporters::metrics;
use serde_json::Value;

use crate::board::Board;
use crate::names::{Names, complaints, reads_both_kinds};
use crate::{boards, look, text};

/// Every variable at a value that it can have.
const VARIABLES: [(&str, &str); 6] = [
    ("instance", ".*"),
    ("target", "checkout"),
    ("pid", "4242"),
    ("thread", "main"),
    ("phase", ".*"),
    ("cause", ".*"),
];

fn dashboard(board: &Board) -> Value {
    serde_json::from_str(&text(board.file)).expect("JSON")
}

fn panels(board: &Board) -> Vec<Value> {
    let panels = dashboard(board)["panels"].as_array().expect("panels").clone();
    assert!(panels.len() > 10, "{}: {} panels", board.file, panels.len());
    panels
}

/// Those that show figures, with the name of their dashboard and title.
fn with_figures() -> impl Iterator<Item = (String, Value)> {
    let all = boards::all().into_iter().flat_map(|board| {
        let place = move |panel: &Value| format!("{}: {}", board.file, panel["title"]);
        panels(&board).into_iter().map(move |panel| (place(&panel), panel))
    });
    all.filter(|(_, panel)| panel["type"] != "row" && panel["type"] != "text")
}

fn of(board: &Board) -> Vec<PanelQuery> {
    queries(&text(board.file), &VARIABLES).expect("a dashboard")
}

fn all_queries() -> Vec<PanelQuery> {
    boards::all().iter().flat_map(of).collect()
}

#[test]
fn every_query_names_metrics_and_labels_of_the_list() {
    for PanelQuery { panel, expr } in all_queries() {
        assert_eq!(complaints(&expr), [""; 0], "{panel}: {expr}");
    }
}

#[test]
fn every_metric_is_on_a_panel() {
    let all = all_queries();
    let shown: BTreeSet<&str> = all
        .iter()
        .flat_map(|query| Names::of(&query.expr).metrics().collect::<Vec<_>>())
        .map(|metric| metric.name)
        .collect();
    for metric in metrics::all() {
        assert!(shown.contains(metric.name), "put {} on a panel", metric.name);
    }
}

#[test]
fn queries_of_histograms_fall_back_from_native_to_classic() {
    for board in boards::all() {
        let mut panels = BTreeMap::<String, Vec<String>>::new();
        for PanelQuery { panel, expr } in of(&board) {
            panels.entry(panel).or_default().push(expr);
        }
        for (panel, exprs) in panels {
            // Whichever query it is in.
            let all = exprs.join(" or ");
            assert!(reads_both_kinds(&all), "{}: {panel}: {all}", board.file);
            let one_kind = exprs.iter().filter(|expr| expr.contains("histogram_sum("));
            for expr in one_kind {
                assert!(expr.contains(" unless "), "{panel} shows it twice: {expr}");
            }
        }
    }
}

#[test]
fn variables_ask_for_labels_of_the_list() {
    let wanted: [(&str, &[&str]); 4] = [
        ("fleet.json", &["datasource", "instance", "target"]),
        ("loop.json", &["datasource", "instance", "target", "pid", "thread", "phase"]),
        ("stalls.json", &["datasource", "instance", "target", "pid", "thread", "cause"]),
        ("agent.json", &["datasource", "instance"]),
    ];
    for (board, (file, wanted)) in boards::all().iter().zip(wanted) {
        assert_eq!(board.file, file);
        let dashboard = dashboard(board);
        let mut names = Vec::new();
        for variable in dashboard["templating"]["list"].as_array().expect("variables") {
            names.push(variable["name"].as_str().expect("a name").to_owned());
            let Some(query) = variable["query"]["query"].as_str() else { continue };
            let inner = query.strip_prefix("label_values(").and_then(|q| q.strip_suffix(')'));
            let (selector, label) = inner.and_then(|q| q.rsplit_once(", ")).expect(query);
            let value = |selector: String, (name, value): &(&str, &str)| {
                selector.replace(&format!("${name}"), value)
            };
            let selector = VARIABLES.iter().fold(selector.to_owned(), value);
            assert_eq!(complaints(&format!("count by ({label}) ({selector})")), [""; 0]);
        }
        assert_eq!(names, wanted, "{file}");
    }
}

/// A cause, a phase or a state that the list gets must be coloured and can be chosen.
#[test]
fn names_of_the_list_are_coloured_and_can_be_chosen() {
    let values = |label: &str| -> BTreeSet<String> {
        let all = metrics::all().flat_map(|metric| metric.labels);
        let values = all.filter(|of| of.name == label).flat_map(|of| of.values.split(", "));
        values.map(str::to_owned).collect()
    };
    let coloured = |colours: look::Colours| -> BTreeSet<String> {
        colours.iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    assert_eq!(values("cause"), coloured(look::CAUSES));
    assert_eq!(values("phase"), coloured(look::PHASES));
    assert!(values("queue").is_subset(&coloured(look::QUEUES)));
    assert!(values("kind").is_subset(&coloured(look::COLLECTIONS)));
    for (board, variable, label) in [(1, 5, "phase"), (2, 5, "cause")] {
        let dashboard = dashboard(&boards::all()[board]);
        let options = &dashboard["templating"]["list"][variable]["query"];
        let options = options.as_str().expect("a list").split(',').map(str::to_owned).collect();
        assert_eq!(values(label), options, "{label}");
    }
}

#[test]
fn a_name_has_one_colour() {
    let mut colours = BTreeMap::new();
    for (name, colour) in look::ALL.iter().flat_map(|list| list.iter()) {
        assert_eq!(*colours.entry(name).or_insert(colour), colour, "{name}");
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    let units = ["s", "percentunit", "short", "ops", "bytes"];
    for (place, panel) in with_figures() {
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(units.contains(&defaults["unit"].as_str().unwrap_or_default()), "{place}");
        assert!(!defaults["noValue"].as_str().unwrap_or_default().is_empty(), "{place}");
        assert!(defaults["thresholds"].is_object(), "{place}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{place}");
        let targets = panel["targets"].as_array().expect("queries");
        assert!(!targets.is_empty(), "{place} asks nothing");
        for target in targets {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{place}");
            assert!(!target["legendFormat"].as_str().unwrap_or_default().is_empty(), "{place}");
        }
        if panel["type"] == "timeseries" {
            assert_eq!(defaults["custom"]["spanNulls"], false, "{place} draws over gaps");
        }
    }
    for board in boards::all() {
        for panel in panels(&board).iter().filter(|panel| panel["type"] != "row") {
            let about = panel["description"].as_str().unwrap_or_default();
            assert!(about.len() > 40 && about.ends_with('.'), "{}: {about:?}", panel["title"]);
        }
    }
}

#[test]
fn ids_and_titles_are_unique_and_panels_do_not_overlap() {
    for board in boards::all() {
        let panels = panels(&board);
        let (mut ids, mut titles, mut cells) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for panel in panels.iter() {
            let title = format!("{}: {}, {}", board.file, panel["type"], panel["title"]);
            assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}");
            assert!(titles.insert(title.clone()), "{title} twice");
            let grid = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
            assert!(grid("x") + grid("w") <= 24, "{title} is too wide");
            for x in grid("x")..grid("x") + grid("w") {
                for y in grid("y")..grid("y") + grid("h") {
                    assert!(cells.insert((x, y)), "{title} overlaps at {x},{y}");
                }
            }
        }
    }
}

/// Addresses of our dashboards in links are those of dashboards that are there.
#[test]
fn links_lead_to_dashboards_that_are_there() {
    let all = boards::all();
    let known: BTreeSet<&str> = all.iter().map(|board| board.uid).collect();
    assert_eq!(known.len(), all.len());
    let mut found = 0;
    for board in &all {
        let text = text(board.file);
        for link in text.split("\"/d/").skip(1) {
            let uid = link.split(['?', '"']).next().unwrap_or_default();
            assert!(known.contains(uid), "{}: no dashboard {uid}", board.file);
            found += 1;
        }
    }
    assert!(found > 5, "{found} links");
}

#[test]
fn the_readme_tells_of_every_panel() {
    let readme = text("README.md");
    for board in boards::all() {
        let heading = format!("### {}", board.title);
        let part = readme.split(&heading).nth(1);
        let part = part.unwrap_or_else(|| panic!("dashboards/README.md has no {heading:?}"));
        let part = part.split("\n#").next().unwrap_or_default();
        for panel in &panels(&board) {
            let title = panel["title"].as_str().expect("a title");
            assert!(part.contains(title), "dashboards/README.md, {heading:?}: no {title:?}");
        }
    }
}
