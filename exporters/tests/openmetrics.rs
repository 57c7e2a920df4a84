//! OpenMetrics as text: against a golden file, a parser that is not ours, and the stalls.

mod support;

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use loop_core::snapshot::{ClockKind, LoopSnapshot, Snapshot};
use loopscope_exporters::{Exporter, OpenMetrics};
use support::STALLED_UNIX_NS;
use support::samples::{Exemplar, Page};

const TURNS: &str = "loopscope_eventloop_turn_duration_seconds_bucket";
const CALLBACKS: &str = "loopscope_eventloop_callback_duration_seconds_bucket";

/// Where `.ci/setup` puts the parser, from the root of the workspace.
const PARSER: &str = "target/tools/openmetrics";

/// Reads a page from standard input, and tells how many families and exemplars it found. Exits
/// with 3 where there is no parser.
const CHECK: &str = "
import sys
try:
    from prometheus_client.openmetrics import parser
except ImportError:
    sys.exit(3)
families = list(parser.text_string_to_metric_families(sys.stdin.read()))
samples = [sample for family in families for sample in family.samples]
print(len(families), sum(sample.exemplar is not None for sample in samples))
";

fn text(snapshot: &Snapshot) -> String {
    let mut out = Vec::new();
    OpenMetrics.export(snapshot, &support::full_stats(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_page_is_the_golden_one() {
    support::golden("tests/golden/page.openmetrics", &text(&support::stalled()));
}

#[test]
fn families_have_their_units_and_counters_no_suffix() {
    let page = Page::parse(&text(&support::stalled()));
    assert!(page.ended);
    let about = |name: &str| {
        let family = page.families.iter().find(|(family, ..)| family == name);
        let (_, kind, unit) = family.unwrap_or_else(|| panic!("no {name}"));
        (kind.as_str(), unit.as_deref())
    };
    assert_eq!(about("loopscope_eventloop_stall_seconds"), ("counter", Some("seconds")));
    assert_eq!(about("loopscope_eventloop_utilization_ratio"), ("gauge", Some("ratio")));
    assert_eq!(about("loopscope_eventloop_drain_length"), ("histogram", None));
    assert_eq!(about("process_resident_memory_bytes"), ("gauge", Some("bytes")));
    for (name, kind, unit) in &page.families {
        assert!(!name.ends_with("_total"), "{name}");
        assert!(unit.as_ref().is_none_or(|unit| name.ends_with(unit)), "{name}: {unit:?}");
        assert!(["counter", "gauge", "histogram"].contains(&kind.as_str()), "{name}: {kind}");
        let of = |(sample, _): &&(String, _)| sample.starts_with(name.as_str());
        let total = format!("{name}_total");
        let is_counter = page.samples.keys().filter(of).any(|(sample, _)| *sample == total);
        assert_eq!(kind == "counter", is_counter, "{name}");
    }
}

/// The examples of a metric: the bound of its bucket, the number of the stall, value and time.
fn examples(page: &Page, metric: &str) -> Vec<(String, u64, f64, f64)> {
    let of_metric = page.exemplars.iter().filter(|example| example.series.0 == metric);
    let mut found: Vec<_> = of_metric.map(example).collect();
    found.sort_by(|a, b| a.2.total_cmp(&b.2));
    found
}

fn example(of: &Exemplar) -> (String, u64, f64, f64) {
    let id: Vec<u64> =
        of.labels["stall_id"].split('-').map(|number| number.parse().unwrap()).collect();
    assert_eq!((of.labels.len(), &id[..2]), (1, &[4242, 4242][..]), "{of:?}");
    let number = (id[2] - STALLED_UNIX_NS) / 1_500_000_000;
    (of.series.1["le"].clone(), number, of.value, of.seconds.unwrap())
}

#[test]
fn a_bucket_has_its_newest_stall() {
    let page = Page::parse(&text(&support::stalled()));
    let want = [
        // Of two stalls of this bucket the newer one; the one that runs is in no bucket yet.
        ("0.1".to_owned(), 2, 0.062, 1_700_000_004.062),
        // Stall 3 of 0.3 s is in no bucket of the snapshot, and so has no place.
        ("2.5".to_owned(), 0, 1.2, 1_700_000_002.2),
        ("inf".to_owned(), 4, 200.0, 1_700_000_207.0),
    ];
    assert_eq!(examples(&page, TURNS), want);
    let callbacks = page.exemplars.iter().filter(|example| example.series.0 == CALLBACKS);
    let phases: Vec<_> = callbacks.map(|example| example.series.1["phase"].as_str()).collect();
    assert_eq!(phases, ["poll"]);
    assert_eq!(examples(&page, CALLBACKS), [("2.5".to_owned(), 0, 1.2, 1_700_000_002.2)]);
    assert_eq!(page.exemplars.len(), 4);
}

#[test]
fn a_stall_of_virtual_time_has_no_time() {
    let page = Page::parse(&text(&Snapshot { clock: ClockKind::Virtual, ..support::stalled() }));
    assert_eq!(page.exemplars.len(), 4);
    assert!(page.exemplars.iter().all(|example| example.seconds.is_none()));
}

#[test]
fn a_stall_of_one_of_several_loops_is_no_example() {
    let mut snapshot = support::stalled();
    let other = LoopSnapshot { tid: 4243, ..snapshot.loops[0].clone() };
    snapshot.loops.push(other);
    assert!(Page::parse(&text(&snapshot)).exemplars.is_empty());
}

#[test]
fn another_parser_reads_all_of_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut child = Command::new("python3")
        .args(["-c", CHECK])
        .env("PYTHONPATH", root.join(PARSER))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let page = text(&support::stalled());
    // One that finds no parser reads nothing.
    let _ = child.stdin.take().unwrap().write_all(page.as_bytes());
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(3) {
        let why =
            "another_parser_reads_all_of_it: Python has no `prometheus_client`; run .ci/setup";
        let required = env::var_os("LOOPSCOPE_REQUIRE_SERVERS");
        assert!(required.is_none_or(|value| value != "1"), "{why}");
        println!("SKIPPED: {why}");
        return;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let page = Page::parse(&page);
    let want = format!("{} {}\n", page.families.len(), page.exemplars.len());
    assert_eq!(String::from_utf8_lossy(&output.stdout), want);
}
