//! Every metric is documented, and what is documented is a metric.

use std::collections::BTreeSet;

use loopscope_exporters::metrics::all;

use crate::tree::{self, File};

fn check(document: &File, metrics: &BTreeSet<&str>) -> Vec<String> {
    let rows = document.lines().filter_map(|(_, line)| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<&str> = rows.filter(|name| name.starts_with("loopscope_")).collect();
    let missing = metrics.difference(&documented).map(|name| format!("{name} is not documented"));
    let invented = documented.difference(metrics).map(|name| format!("{name} is no metric"));
    missing.chain(invented).collect()
}

#[test]
fn every_metric_is_documented() {
    let documents = tree::files(&["md"]);
    let document = documents.iter().find(|file| file.path == "exporters/METRICS.md").unwrap();
    crate::assert_none(check(document, &all().map(|metric| metric.name).collect()));
}

#[test]
fn a_metric_that_is_missing_or_invented_is_found() {
    let document = File::of("m.md", "| `loopscope_a` | `loopscope.a` |\n| `loopscope_b` | x |\n");
    assert!(check(&document, &BTreeSet::from(["loopscope_a", "loopscope_b"])).is_empty());
    assert_eq!(
        check(&document, &BTreeSet::from(["loopscope_b", "loopscope_c"])),
        ["loopscope_c is not documented", "loopscope_a is no metric"]
    );
}
