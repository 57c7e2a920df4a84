//! Stalls as log records: each once, with all that is known of it, and a golden file.

mod support;

use std::fmt::Write;

use loop_core::Phase;
use loop_core::snapshot::{ClockKind, Culprit, Ledger, LedgerKey, LoopSnapshot, Snapshot, Stall};
use loopscope_exporters::otlp_logs::EVENT_NAME;
use loopscope_exporters::{NewStalls, OtlpLogs, StallMarks};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use proptest::prelude::*;
use prost::Message;

const OBSERVED: u64 = 1_700_000_009_000_000_000;
const START: u64 = 1_700_000_001_000_000_000;
const MS: u64 = 1_000_000;

fn stall(start_unix_ns: u64) -> Stall {
    Stall {
        start_unix_ns,
        duration_ns: 1_200 * MS,
        phase: Some(Phase::Timers),
        callbacks: Some(1),
        microtasks: Some(60_003),
        ledger_ns: Ledger::default()
            .with(LedgerKey::Microtasks, 1_100 * MS)
            .with(LedgerKey::Gc, 100 * MS),
        culprit: Some(Culprit {
            function: "importRows".to_owned(),
            file: "/srv/app.js".to_owned(),
            line: 13,
            share: 0.75,
            samples: Some(1_000),
            hot_leaf: Some("JSON.parse".to_owned()),
        }),
        stack: Some(vec!["importRows (/srv/app.js:13)".to_owned(), "main".to_owned()]),
        ..Stall::default()
    }
}

/// A loop that has counted `count` stalls, of which these are listed.
fn observed(pid: u32, count: u64, stalls: Vec<Stall>) -> LoopSnapshot {
    let mut seen = LoopSnapshot {
        pid,
        tid: pid,
        thread: "main".to_owned(),
        stalls,
        ..LoopSnapshot::default()
    };
    seen.stall_totals.set(LedgerKey::Microtasks, count, count * 1_200 * MS);
    seen
}

fn snapshot(loops: Vec<LoopSnapshot>) -> Snapshot {
    Snapshot { loops, ..support::snapshot() }
}

fn exporter() -> OtlpLogs {
    let resource = vec![("host.name".to_owned(), "web-1".to_owned())];
    OtlpLogs { resource, observed_unix_ns: OBSERVED }
}

fn request(clock: ClockKind, new: &NewStalls<'_>) -> ExportLogsServiceRequest {
    let bytes = exporter().request(clock, &new.stalls).encode_to_vec();
    ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap()
}

fn text(pairs: &[KeyValue]) -> String {
    let mut text = String::new();
    for pair in pairs {
        let value = match pair.value.as_ref().and_then(|any| any.value.as_ref()) {
            Some(Value::StringValue(value)) => format!("{value:?}"),
            Some(Value::IntValue(value)) => value.to_string(),
            Some(Value::DoubleValue(value)) => format!("{value:?}"),
            other => panic!("{}: {other:?}", pair.key),
        };
        writeln!(text, "    {} = {value}", pair.key).unwrap();
    }
    text
}

fn record(record: &LogRecord) -> String {
    let body = record.body.as_ref().and_then(|body| body.value.as_ref());
    format!(
        "  {} {} {} at {} observed {}\n  {body:?}\n{}",
        record.event_name,
        record.severity_text,
        record.severity_number,
        record.time_unix_nano,
        record.observed_time_unix_nano,
        text(&record.attributes)
    )
}

#[test]
fn the_message_is_the_golden_one() {
    let bare = Stall { start_unix_ns: START + 1, duration_ns: 60 * MS, ..Stall::default() };
    let snapshot = snapshot(vec![
        observed(4242, 1, vec![stall(START)]),
        observed(99, 1, vec![bare.clone()]),
        observed(7, 1, vec![bare]),
    ]);
    let mut marks = StallMarks::default();
    let request = request(ClockKind::Real, &marks.take(&snapshot));
    let mut got = String::new();
    for of in &request.resource_logs {
        writeln!(got, "resource\n{}", text(&of.resource.as_ref().unwrap().attributes)).unwrap();
        let scope = of.scope_logs[0].scope.as_ref().unwrap();
        assert_eq!(scope.name, "loopscope");
        of.scope_logs[0].log_records.iter().for_each(|one| got.push_str(&record(one)));
    }
    support::golden("tests/golden/otlp_logs.txt", &got);
}

/// What the docs say of the cost: a request of many takes 1 KB a stall, give or take its stack.
#[test]
fn a_stall_takes_a_kilobyte() {
    let snapshot = snapshot(vec![observed(4242, 64, (0..64).map(stall).collect())]);
    let new = StallMarks::default().take(&snapshot);
    let bytes = exporter().request(ClockKind::Real, &new.stalls).encoded_len() / 64;
    assert!((512..1_536).contains(&bytes), "{bytes}");
}

#[test]
fn what_is_given_outranks_what_is_observed() {
    let snapshot = snapshot(vec![observed(4242, 1, vec![stall(START)])]);
    let new = StallMarks::default().take(&snapshot).stalls;
    let resource = vec![("service.name".to_owned(), "shop".to_owned())];
    let request = OtlpLogs { resource, observed_unix_ns: 0 }.request(ClockKind::Real, &new);
    let pairs = text(&request.resource_logs[0].resource.as_ref().unwrap().attributes);
    assert!(pairs.contains("service.name = \"shop\"") && !pairs.contains("checkout"), "{pairs}");
}

#[test]
fn times_of_a_virtual_clock_are_no_times_of_day() {
    let snapshot = snapshot(vec![observed(4242, 1, vec![stall(0)])]);
    let mut marks = StallMarks::default();
    let request = request(ClockKind::Virtual, &marks.take(&snapshot));
    let record = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((record.time_unix_nano, record.observed_time_unix_nano), (0, OBSERVED));
    assert_eq!(record.event_name, EVENT_NAME);
    assert!(text(&record.attributes).contains("4242-4242-0"));
}

fn starts(new: &NewStalls<'_>) -> Vec<u64> {
    new.stalls.iter().map(|new| new.stall.start_unix_ns).collect()
}

#[test]
fn a_stall_is_given_once_and_only_when_it_is_over() {
    let mut marks = StallMarks::default();
    let running = Stall { running: true, ..stall(30) };
    let first = snapshot(vec![observed(1, 2, vec![stall(10), stall(20), running])]);
    assert_eq!(starts(&marks.take(&first)), [10, 20]);
    assert_eq!(starts(&marks.take(&first)), [0_u64; 0]);
    let next = snapshot(vec![
        observed(1, 3, vec![stall(10), stall(20), stall(30)]),
        observed(2, 1, vec![stall(15)]),
    ]);
    let new = marks.take(&next);
    assert_eq!((starts(&new), new.lost), (vec![30, 15], 0));
    assert_eq!(marks.take_last(&next).lost, 0);
}

#[test]
fn what_was_overwritten_is_counted_once() {
    let mut marks = StallMarks::default();
    marks.take(&snapshot(vec![observed(1, 1, vec![stall(10)])]));
    // Of 9 more, 2 are listed.
    let later = snapshot(vec![observed(1, 10, vec![stall(90), stall(100)])]);
    let new = marks.take(&later);
    assert_eq!((starts(&new), new.lost), (vec![90, 100], 0), "may come with the next look");
    assert_eq!(marks.take(&later).lost, 7);
    assert_eq!(marks.take(&later).lost, 0);
    assert_eq!(marks.take_last(&later).lost, 0);
    assert_eq!(StallMarks::default().take_last(&later).lost, 8);
}

/// The loop goes on while it is read: a stall may be counted that is listed in the next snapshot.
#[test]
fn a_stall_that_is_counted_before_it_is_listed_is_not_lost() {
    let mut marks = StallMarks::default();
    marks.take(&snapshot(vec![observed(1, 2, vec![stall(10)])]));
    let new = snapshot(vec![observed(1, 3, vec![stall(10), stall(20)])]);
    assert_eq!(marks.take(&new).lost, 0);
    let last = snapshot(vec![observed(1, 3, vec![stall(10), stall(20), stall(30)])]);
    assert_eq!(marks.take_last(&last).lost, 0);
}

#[test]
fn a_number_that_is_given_again_begins_anew() {
    let mut marks = StallMarks::default();
    marks.take(&snapshot(vec![observed(1, 5, (1..=5).map(stall).collect())]));
    let again = snapshot(vec![observed(1, 1, vec![stall(9)])]);
    let new = marks.take_last(&again);
    assert_eq!((starts(&new), new.lost), (vec![9], 0));
    // Those that have ended together were given as their own.
    assert_eq!(starts(&marks.take_last(&snapshot(vec![observed(0, 9, vec![])]))), [0_u64; 0]);
    assert_eq!(marks, StallMarks::default(), "nothing is kept of loops that are gone");
}

/// A service that starts workers for ever: of those that have ended there are sums alone.
#[test]
fn loops_that_are_told_together_have_lost_nothing() {
    let worker = |tid, count, stalls| LoopSnapshot { tid, ..observed(1, count, stalls) };
    let mut marks = StallMarks::default();
    let first = snapshot(vec![worker(7, 1, vec![stall(10)]), worker(8, 1, vec![stall(20)])]);
    assert_eq!(starts(&marks.take(&first)), [10, 20]);
    for (look, folded) in [(30, 2), (40, 3), (50, 4)] {
        let next = snapshot(vec![worker(0, folded, vec![]), worker(9, 1, vec![stall(look)])]);
        let new = marks.take(&next);
        assert_eq!((starts(&new), new.lost), (vec![look], 0));
    }
    // One that ended and was put to the others before anybody looked.
    let last = snapshot(vec![worker(0, 6, vec![]), worker(9, 0, vec![])]);
    assert_eq!(marks.take_last(&last).lost, 1);
}

/// Workers that have ended are told no longer after a while, while their process goes on.
#[test]
fn a_worker_that_is_told_no_longer_has_lost_nothing() {
    let worker = |tid, count, stalls| LoopSnapshot { tid, ..observed(1, count, stalls) };
    let mut marks = StallMarks::default();
    let first = snapshot(vec![
        worker(1, 1, vec![stall(5)]),
        worker(7, 4, vec![stall(10), stall(11)]),
        worker(8, 1, vec![stall(20)]),
    ]);
    marks.take(&first);
    assert_eq!(marks.take(&first).lost, 2, "of the first worker two were overwritten");
    // It goes, the second one is put to the others, and the main thread has another one.
    let main = worker(1, 2, vec![stall(5), stall(30)]);
    let next = snapshot(vec![main.clone(), worker(0, 1, vec![])]);
    let new = marks.take(&next);
    assert_eq!((starts(&new), new.lost), (vec![30], 0));
    assert_eq!((marks.take(&next).lost, marks.take_last(&next).lost), (0, 0));
    // What is overwritten from then on is counted as before.
    let last = snapshot(vec![worker(1, 5, vec![stall(60)]), worker(0, 1, vec![])]);
    assert_eq!(marks.take_last(&last).lost, 2);
}

proptest! {
    /// However often a ring of stalls is looked at: all are given or counted as lost, none twice.
    #[test]
    fn given_and_lost_are_all(steps in prop::collection::vec(0_u64..200, 1..20)) {
        let mut marks = StallMarks::default();
        let (mut count, mut lost, mut given) = (0, 0, Vec::new());
        for (number, more) in steps.iter().enumerate() {
            count += more;
            let listed = (count.saturating_sub(64) + 1..=count).map(stall).collect();
            let seen = snapshot(vec![observed(1, count, listed)]);
            let last = number + 1 == steps.len();
            let new = if last { marks.take_last(&seen) } else { marks.take(&seen) };
            given.extend(starts(&new));
            lost += new.lost;
            prop_assert!(given.len() as u64 + lost <= count);
        }
        prop_assert!(given.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(given.len() as u64 + lost, count);
    }
}
