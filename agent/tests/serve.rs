//! The pages, and above all `/metrics` of a loop that is blocked.

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use common::{get, serving, signal, wait};

const BLOCKED: [&str; 10] =
    ["run", "sync-promises", "--count", "1", "--work", "1h", "--report", "none", "--listen", ":0"];

/// The value of the first series of a metric.
fn value(page: &str, metric: &str) -> Option<f64> {
    let line = page.lines().find(|line| line.starts_with(metric) && !line.starts_with('#'))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn current_turn_seconds(address: SocketAddr) -> f64 {
    let (head, page) = get(address, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    value(&page, "loopscope_eventloop_current_turn_seconds{").expect("the metric is there")
}

fn end(mut child: Child) {
    signal(&child, "INT");
    assert_eq!(wait(&mut child), Some(130));
}

#[test]
fn a_blocked_loop_is_seen_while_it_is_blocked() {
    let (child, address, _stderr) = serving(&BLOCKED);
    let mut last = 0.0;
    for _ in 0..5 {
        sleep(Duration::from_millis(20));
        let now = current_turn_seconds(address);
        assert!(now > last, "{now} after {last}");
        last = now;
    }
    end(child);
}

#[test]
fn every_page_answers() {
    let (child, address, _stderr) = serving(&BLOCKED);
    let check = |path: &str, status: &str, wants: &[&str]| {
        let (head, body) = get(address, path);
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {head}");
        for want in wants {
            assert!(body.contains(want) || head.contains(want), "{path}: no `{want}`\n{body}");
        }
    };
    check("/", "200", &["text/html", "href=\"/metrics\"", "sync-promises", "embedded"]);
    check("/-/healthy", "200", &["healthy"]);
    check("/-/ready", "200", &["ready"]);
    check("/nothing", "404", &["/ lists them"]);
    let metrics = ["version=0.0.4", "loopscope_build_info{", "target=\"sync-promises\""];
    check("/metrics", "200", &metrics);
    if cfg!(target_os = "linux") {
        check("/metrics", "200", &["process_cpu_seconds_total ", "process_open_fds "]);
    }
    end(child);
}

/// As many connections as there may be, each with half a request, once kept everybody else out for
/// two minutes.
#[test]
fn half_requests_keep_nobody_out_for_long() {
    let (child, address, _stderr) = serving(&BLOCKED);
    let half: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("connects");
            stream.write_all(b"GET /metrics HTTP/1.1\r\n").expect("takes half a request");
            stream
        })
        .collect();
    let mut next = TcpStream::connect(address).expect("connects");
    next.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .expect("sent");
    next.set_read_timeout(Some(Duration::from_secs(100))).expect("a timeout can be set");
    let mut answer = String::new();
    next.read_to_string(&mut answer).expect("is answered when the others have been closed");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(half);
    end(child);
}
