//! The formats of `/metrics`, as servers ask for them.

mod common;

use std::io::Read;
use std::net::SocketAddr;
use std::process::Child;

use common::{command, finish, get, get_with, serving, signal, wait};
use flate2::read::GzDecoder;
use loopscope_exporters::protobuf::MetricFamily;
use prost::Message;

const RESTING: [&str; 13] = [
    "run",
    "sync-promises",
    "--count",
    "1",
    "--work",
    "0",
    "--repeat",
    "forever",
    "--pause",
    "1h",
    "--report",
    "none",
    "--listen=:0",
];

const TEXT: &str = "content-type: text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "content-type: application/openmetrics-text; version=1.0.0; \
                            charset=utf-8";
const PROTOBUF: &str = "content-type: application/vnd.google.protobuf; \
                        proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// What Prometheus sends that wants native histograms.
const NATIVE: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
                      encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,\
                      application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

const OF_PROCESS: &str = "process_resident_memory_bytes";

fn end(mut child: Child) {
    signal(&child, "INT");
    assert_eq!(wait(&mut child), Some(130));
}

fn accepting(address: SocketAddr, accept: &str) -> (String, Vec<u8>) {
    get_with(address, "/metrics", &format!("Accept: {accept}\r\n"))
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).expect("a text")
}

fn families(mut body: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !body.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut body).expect("a family"));
    }
    families
}

#[test]
fn each_server_gets_the_format_that_it_asks_for() {
    let (child, address, _stderr) = serving(&RESTING);
    let (head, body) = accepting(address, "application/openmetrics-text;version=1.0.0,*/*;q=0.1");
    let page = text(body);
    assert!(head.contains(OPEN_METRICS) && page.ends_with("# EOF\n"), "{head}\n{page}");
    assert!(head.contains("vary: accept, accept-encoding"), "{head}");
    for accept in ["text/plain;version=0.0.4;q=1,*/*;q=0.1", "*/*", "application/;;q=,\"", "\u{fc}"]
    {
        let (head, body) = accepting(address, accept);
        let page = text(body);
        assert!(head.starts_with("HTTP/1.1 200") && head.contains(TEXT), "{accept}: {head}");
        assert!(page.contains("loopscope_build_info{") && !page.contains("# EOF"), "{page}");
    }
    assert!(get(address, "/metrics").0.contains(TEXT), "without the header");
    let twice = "Accept: text/html\r\nAccept: application/openmetrics-text\r\n";
    assert!(get_with(address, "/metrics", twice).0.contains(OPEN_METRICS), "two headers");

    let (head, body) = accepting(address, NATIVE);
    assert!(head.contains(PROTOBUF), "{head}");
    let names: Vec<String> = families(&body).into_iter().map(|family| family.name).collect();
    for want in ["loopscope_eventloop_turn_duration_seconds", "loopscope_targets"] {
        assert!(names.iter().any(|name| name == want), "{names:?}");
    }
    end(child);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_of_the_agent_is_in_every_format() {
    let (child, address, _stderr) = serving(&RESTING);
    for accept in ["text/plain", "application/openmetrics-text"] {
        let page = text(accepting(address, accept).1);
        let line = page.lines().find(|line| line.starts_with(OF_PROCESS)).expect(accept);
        let bytes: f64 = line.rsplit(' ').next().and_then(|text| text.parse().ok()).expect(line);
        assert!(bytes > 1e6, "{line}");
    }
    let families = families(&accepting(address, NATIVE).1);
    let family = families.iter().find(|family| family.name == OF_PROCESS).expect("the family");
    let bytes = family.metric[0].gauge.and_then(|gauge| gauge.value);
    assert!(bytes > Some(1e6), "{family:?}");
    end(child);
}

#[test]
fn a_page_is_packed_for_those_who_can_unpack_it() {
    let (child, address, _stderr) = serving(&RESTING);
    let (head, packed) = get_with(address, "/metrics", "Accept-Encoding: deflate, gzip\r\n");
    assert!(head.contains("content-encoding: gzip") && head.contains(TEXT), "{head}");
    let mut page = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut page).expect("a packed text");
    assert!(page.contains("loopscope_build_info{"), "{page}");
    assert!(packed.len() * 5 < page.len(), "{} of {}", packed.len(), page.len());
    let headers = format!("Accept: {NATIVE}\r\nAccept-Encoding: gzip\r\n");
    let (_, packed) = get_with(address, "/metrics", &headers);
    let mut body = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut body).expect("packed bytes");
    assert!(families(&body).len() > 10);
    for encoding in ["identity", "gzip;q=0", "br"] {
        let (head, body) =
            get_with(address, "/metrics", &format!("Accept-Encoding: {encoding}\r\n"));
        assert!(!head.contains("content-encoding"), "{encoding}: {head}");
        assert!(text(body).contains("loopscope_build_info{"), "{encoding}");
    }
    end(child);
}

#[test]
fn names_of_others_are_told_on_demand() {
    const THEIRS: [&str; 2] = ["nodejs_eventloop_delay_p99_seconds", "nodejs_eventloop_lag_p99"];
    let told = |args: &[&str]| {
        let (child, address, _stderr) = serving(&[&RESTING, args].concat());
        let mut page = String::new();
        common::until("a delay", || {
            page = get(address, "/metrics").1;
            page.contains("loopscope_eventloop_arrival_delay_seconds_bucket{")
        });
        end(child);
        THEIRS.map(|name| page.contains(name))
    };
    assert_eq!(told(&[]), [false, false]);
    assert_eq!(told(&["--compat", "otel"]), [true, false]);
    assert_eq!(told(&["--compat", "otel,prom-client"]), [true, true]);

    let mut run = command(&RESTING);
    run.env("LOOPSCOPE_COMPAT", "otel,prometheus");
    let ran = finish(run.spawn().expect("the binary starts"));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("there is no `prometheus`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("otel,prom-client"), "{}", ran.stderr);
}
