//! The text format: against a golden file, Prometheus' own linter, and hostile names.

mod support;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::{Command, Stdio};

use loop_core::snapshot::{ClockKind, LoopSnapshot, Snapshot};
use loopscope_exporters::metrics::{self, Kind};
use loopscope_exporters::{Exporter, Folded, PrometheusText, SelfStats, View};

const PROMTOOL: &str = "/usr/bin/promtool";

fn text(snapshot: &Snapshot, stats: &SelfStats) -> String {
    let mut out = Vec::new();
    PrometheusText.export(snapshot, stats, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn samples(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn the_page_is_the_golden_one() {
    support::golden("tests/golden/page.prom", &text(&support::snapshot(), &support::stats()));
}

#[test]
fn promtool_finds_nothing() {
    if !std::path::Path::new(PROMTOOL).exists() {
        println!("SKIPPED: {PROMTOOL} is not installed; install Debian's package `prometheus`");
        return;
    }
    let mut child = Command::new(PROMTOOL)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let page = text(&support::snapshot(), &support::stats());
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", output.status);
}

#[test]
fn no_series_is_written_twice_and_families_stand_together() {
    let page = text(&support::snapshot(), &support::stats());
    let mut seen = BTreeSet::new();
    for line in samples(&page) {
        let series = line.rsplit_once(' ').unwrap().0;
        assert!(seen.insert(series), "twice: {series}");
    }
    let mut families = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(families.insert(name), "two TYPE lines: {name}");
    }
    assert_eq!(families.len(), metrics::all().count());
}

#[test]
fn a_full_loop_has_exactly_the_series_of_the_list() {
    let mut snapshot = support::snapshot();
    snapshot.loops.truncate(1);
    let page = text(&snapshot, &SelfStats::default());
    let of_loop = samples(&page).filter(|line| line.contains("thread=\"main\"")).count();
    assert_eq!(of_loop, metrics::LOOP_SERIES);
    let stats = support::stats();
    let view = View::new(&snapshot, &stats);
    let all = text(&snapshot, &stats);
    assert_eq!(metrics::count_series(&view), samples(&all).count());
}

#[test]
fn what_is_not_seen_has_no_series() {
    let page = text(&support::snapshot(), &support::stats());
    let bare: BTreeSet<&str> = samples(&page)
        .filter(|line| line.contains("thread=\"worker-1\""))
        .map(|line| line.split('{').next().unwrap())
        .collect();
    let want = [
        "loopscope_eventloop_current_turn_seconds",
        "loopscope_eventloop_stall_seconds_total",
        "loopscope_eventloop_stalls_total",
        "loopscope_eventloop_turn_duration_seconds_bucket",
        "loopscope_eventloop_turn_duration_seconds_count",
        "loopscope_eventloop_turn_duration_seconds_sum",
        "loopscope_eventloop_turns_total",
    ];
    assert_eq!(bare, BTreeSet::from(want));
    let nothing = text(&Snapshot::empty(ClockKind::Real), &SelfStats::default());
    let families = nothing.lines().filter(|line| line.starts_with("# TYPE ")).count();
    let want = "build_info, targets by state and tier, folded workers";
    assert_eq!(families, 4, "{want} alone: {nothing}");
}

#[test]
fn a_hostile_name_stays_inside_its_label() {
    let page = text(&support::snapshot(), &support::stats());
    assert!(page.contains(r#"target="evil\"} 1\n# TYPE \\ naïve €"#));
    assert!(!page.contains('\0'), "Prometheus takes NUL for the end of the page");
    for line in samples(&page) {
        assert!(line.rsplit_once(' ').unwrap().1.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn histograms_are_cumulative_and_end_in_their_count() {
    let page = text(&support::snapshot(), &support::stats());
    let value = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap();
    let histograms = metrics::all().filter(|metric| matches!(metric.kind, Kind::Histogram(_)));
    for metric in histograms {
        let lines: Vec<&str> =
            samples(&page).filter(|line| line.starts_with(metric.name)).collect();
        for series in lines.chunks(22) {
            let counts: Vec<f64> = series[..20].iter().map(|line| value(line)).collect();
            assert!(counts.is_sorted(), "{series:?}");
            assert!(series[19].contains("le=\"+Inf\""), "{}", series[19]);
            assert_eq!(counts[19], value(series[21]), "{}", series[21]);
        }
    }
}

#[test]
fn an_error_of_the_writer_is_passed_on() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let got = PrometheusText.export(&support::snapshot(), &support::stats(), &mut Closed);
    assert_eq!(got.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn running_workers_without_a_place_are_counted() {
    let worker = |number: u32, ended_ns| LoopSnapshot {
        pid: 7,
        tid: number,
        thread: format!("worker-{number}"),
        ended_ns,
        ..LoopSnapshot::default()
    };
    let mut snapshot = Snapshot::empty(ClockKind::Real);
    snapshot.loops = (1..=12).map(|number| worker(number, None)).collect();
    snapshot.loops.push(worker(13, Some(1)));
    let folded = |stats: &SelfStats| {
        let page = text(&snapshot, stats);
        samples(&page).filter(|line| line.starts_with("loopscope_folded_")).collect::<String>()
    };
    assert_eq!(folded(&SelfStats::default()), "loopscope_folded_workers 4");
    // Who is one of the other processes has no place of its own to share.
    let others = Folded { pids: [7].into(), ..Folded::default() };
    let stats = SelfStats { folded: Some(others), ..SelfStats::default() };
    assert_eq!(folded(&stats), "loopscope_folded_targets 1loopscope_folded_workers 0");
}
