//! The alerts and recording rules: what they ask, their texts, their unit tests, their runbooks.

use std::collections::BTreeSet;
use std::fs;

use crate::board::FILES;
use crate::names::{Names, complaints, reads_both_kinds};
use crate::tools::{printed, promtool};
use crate::{path, text};

const ALERTS: &str = "rules/alerts.yml";
const RECORDING: &str = "rules/recording.yml";

/// The headings of a runbook, in this order.
const RUNBOOK: [&str; 5] =
    ["What it means", "How to look", "Causes", "What to do", "How to silence it"];

/// A rule as it is written.
#[derive(Debug, Default)]
struct Rule {
    name: String,
    /// Its keys with their values, those of `labels` and `annotations` too.
    values: Vec<(String, String)>,
}

impl Rule {
    fn value(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    fn expr(&self) -> &str {
        self.value("expr").unwrap_or_else(|| panic!("{} asks nothing", self.name))
    }
}

/// The rules of a file. Of YAML it knows what these files use: a key and its value on a line, and
/// `|` for a value on the deeper lines behind it. Another form is an error, not overlooked.
fn rules(file: &str) -> Vec<Rule> {
    const OF_GROUPS: [&str; 3] = ["groups:", "rules:", "interval: 30s"];
    let (text, mut rules) = (text(file), Vec::<Rule>::new());
    // How deep the key of the open block stands.
    let mut block: Option<usize> = None;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let deep = line.len() - line.trim_start().len();
        let trimmed = line.trim();
        if block.is_some_and(|depth| deep > depth || trimmed.is_empty()) {
            let open = rules.last_mut().and_then(|rule| rule.values.last_mut());
            let (_, value) = open.expect("the block's key");
            *value = format!("{value} {trimmed}").trim().to_owned();
            continue;
        }
        block = None;
        if trimmed.is_empty() || OF_GROUPS.contains(&trimmed) || trimmed.starts_with("- name: ") {
            continue;
        }
        let (key, value) = trimmed.split_once(':').unwrap_or_else(|| panic!("{file}: {line}"));
        if let "- alert" | "- record" = key {
            rules.push(Rule { name: value.trim().to_owned(), values: Vec::new() });
            continue;
        }
        let rule = rules.last_mut().unwrap_or_else(|| panic!("{file}: {line} before a rule"));
        let value = value.trim();
        assert!(!value.starts_with(['>', '&', '*', '{', '[']), "{file}: not read here: {line}");
        let is_block = value == "|";
        let value = if is_block { "" } else { value.trim_matches('"') };
        rule.values.push((key.to_owned(), value.to_owned()));
        block = is_block.then_some(deep);
    }
    rules
}

fn alerts() -> Vec<Rule> {
    let alerts = rules(ALERTS);
    assert!(alerts.len() >= 12, "{} alerts", alerts.len());
    alerts
}

#[test]
fn rules_name_metrics_and_labels_of_the_list() {
    let recorded = rules(RECORDING);
    assert!(recorded.len() >= 6, "{} recording rules", recorded.len());
    for rule in alerts().iter().chain(&recorded) {
        assert_eq!(complaints(rule.expr()), [""; 0], "{}: {}", rule.name, rule.expr());
        assert!(reads_both_kinds(rule.expr()), "{}: {}", rule.name, rule.expr());
    }
}

/// `level:metric:operation`: by which labels, of which metric without `_total`, what was done.
#[test]
fn recorded_series_are_named_by_the_convention() {
    for rule in rules(RECORDING) {
        let parts: Vec<&str> = rule.name.split(':').collect();
        let [level, metric, operation] = parts[..] else { panic!("{}", rule.name) };
        let mut grouped = Names::of(rule.expr()).grouped;
        grouped.retain(|label| level.split('_').any(|part| part == label));
        assert_eq!(grouped.iter().collect::<BTreeSet<_>>().len(), level.split('_').count());
        let names = Names::of(rule.expr());
        assert!(
            names.metrics().any(|of| of.name.trim_end_matches("_total") == metric
                || of.name == "loopscope_eventloop_time_seconds_total"),
            "{}",
            rule.name
        );
        assert_eq!(operation.ends_with("5m"), rule.expr().contains("[5m]"), "{}", rule.name);
    }
}

#[test]
fn alerts_say_how_bad_it_is_what_it_is_and_what_to_do() {
    let mut names = BTreeSet::new();
    for alert in alerts() {
        let name = &alert.name;
        assert!(name.starts_with("Loopscope"), "{name}");
        assert!(names.insert(name.clone()), "{name} twice");
        let severity = alert.value("severity").unwrap_or_default();
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity:?}");
        let summary = alert.value("summary").unwrap_or_default();
        assert!(summary.len() > 20 && !summary.ends_with('.'), "{name}: {summary:?}");
        let description = alert.value("description").unwrap_or_default();
        assert!(description.len() > 60 && description.ends_with('.'), "{name}: {description:?}");
        let labels = &alert.value("expr").map(Names::of).expect("a query").grouped;
        for used in format!("{summary} {description}").split("$labels.").skip(1) {
            let label = used.split([' ', '}']).next().unwrap_or_default();
            let known = labels.iter().any(|one| one == label) || name == "LoopscopeAgentDown";
            assert!(known, "{name} has no label {label}");
        }
    }
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let mut pages = BTreeSet::new();
    for alert in alerts() {
        let page = format!("dashboards/runbooks/{}.md", alert.name);
        let url = alert.value("runbook_url").unwrap_or_default();
        assert_eq!(url, format!("{FILES}{page}"), "{}", alert.name);
        let text = fs::read_to_string(path(&page)).unwrap_or_else(|e| panic!("{page}: {e}"));
        assert!(text.starts_with(&format!("# {}\n", alert.name)), "{page}");
        let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
        assert_eq!(headings.collect::<Vec<_>>(), RUNBOOK, "{page}");
        assert!(text.contains("```console\n"), "{page} has no command");
        let readme = text_of_alerts();
        let link = format!("(runbooks/{}.md)", alert.name);
        assert!(readme.contains(&link), "dashboards/README.md does not lead to {page}");
        pages.insert(format!("{}.md", alert.name));
    }
    let there = fs::read_dir(path("dashboards/runbooks")).expect("a folder");
    let there: BTreeSet<String> =
        there.map(|it| it.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, pages);
}

fn text_of_alerts() -> String {
    let readme = text("README.md");
    readme.split("\n## Alerts\n").nth(1).expect("a part on alerts").to_owned()
}

/// Each must be told to fire and not to: an alert without a test of both is no alert.
#[test]
fn every_rule_has_a_unit_test() {
    let tests = text("rules/tests/alerts.yml");
    for alert in alerts() {
        assert!(tests.contains(&alert.name), "rules/tests/alerts.yml: nothing on {}", alert.name);
    }
    let tests = text("rules/tests/recording.yml");
    for rule in rules(RECORDING) {
        assert!(tests.contains(&rule.name), "rules/tests/recording.yml: nothing on {}", rule.name);
    }
    let healthy = text("rules/tests/healthy.yml");
    for metric in
        alerts().iter().flat_map(|alert| Names::of(alert.expr()).metrics().collect::<Vec<_>>())
    {
        assert!(healthy.contains(metric.name), "rules/tests/healthy.yml: no {}", metric.name);
    }
}

#[test]
fn the_unit_tests_of_the_rules_pass() {
    let test = "the_unit_tests_of_the_rules_pass";
    let rules = path("dashboards/rules");
    let Some(mut check) = promtool(test) else { return };
    check.args(["check", "rules", "alerts.yml", "recording.yml"]).current_dir(&rules);
    let checked = check.output().expect("promtool starts");
    assert!(checked.status.success(), "{}", printed(&checked));
    for file in ["alerts.yml", "healthy.yml", "recording.yml"] {
        let Some(mut unit) = promtool(test) else { return };
        let unit = unit.args(["test", "rules", file]).current_dir(rules.join("tests"));
        let tested = unit.output().expect("promtool starts");
        assert!(tested.status.success(), "{file}: {}", printed(&tested));
    }
}
