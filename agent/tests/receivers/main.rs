//! Receivers as they are: absent, slow, silent, full, broken, or none at all. What becomes of what
//! was to be pushed is counted to the last stall.

#[path = "../common/mod.rs"]
mod common;
mod pushing;
#[path = "../support/mod.rs"]
mod support;

use std::net::{SocketAddr, TcpListener};
use std::thread::sleep;
use std::time::{Duration, Instant};

use loopscope::push::{Compression, Endpoint, TlsFiles};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceResponse,
};
use prost::Message;
use pushing::{LOGS, METRICS, Pushing, logs_to, metrics_to};
use support::receiver::{Behaviour, Receiver};
use support::tls;

/// Feeds some stalls, and waits until they have arrived behind what the receiver does before.
fn recovers(script: Vec<Behaviour>, failures: &[(&str, u64)]) -> Vec<support::receiver::Request> {
    let receiver = Receiver::start(script);
    let pushing = Pushing::start(logs_to(receiver.address));
    let fed = pushing.feed(5);
    common::until("all to arrive", || receiver.stalls().len() >= fed.len());
    let counts = pushing.finish();
    assert_eq!(receiver.stalls(), fed, "each once, in order");
    for (reason, count) in failures {
        assert_eq!(counts.failed(LOGS, reason), *count, "{reason}: {counts:?}");
    }
    let all: u64 = failures.iter().map(|(_, count)| count).sum();
    assert_eq!(counts.all_failed(), all, "{counts:?}");
    assert_eq!(counts.all_dropped(), 0, "{counts:?}");
    receiver.requests()
}

#[test]
fn a_receiver_that_is_ill_for_a_while_gets_all() {
    let ill = ["503 Service Unavailable", "502 Bad Gateway", "504 Gateway Timeout"];
    recovers(ill.map(Behaviour::status).to_vec(), &[("server", 3)]);
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let busy = Behaviour::Answer("429 Too Many Requests", "retry-after: 2\r\n", Vec::new());
    let requests = recovers(vec![busy], &[("throttled", 1)]);
    let waited = requests[1].at.duration_since(requests[0].at);
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
}

#[test]
fn connections_that_break_are_made_again() {
    recovers(vec![Behaviour::Reset, Behaviour::Half], &[("connect", 2)]);
}

#[test]
fn a_receiver_that_is_silent_or_slow_gets_all() {
    recovers(vec![Behaviour::Silence, Behaviour::Slow], &[("timeout", 1)]);
}

#[test]
fn while_no_stall_ends_nobody_looks_and_each_is_told_once() {
    let receiver = Receiver::start([]);
    let (pushing, start) = (Pushing::start_counting(logs_to(receiver.address)), Instant::now());
    let mut fed = Vec::new();
    for count in 1..=5 {
        fed.extend(pushing.feed(count));
        common::until("all to arrive", || receiver.stalls().len() >= fed.len());
    }
    // As many ticks, a few times over.
    sleep(Duration::from_millis(200));
    let (counts, looks) = pushing.finish_and_look();
    assert_eq!((receiver.stalls(), counts.all_dropped()), (fed, 0), "each once, in order");
    // At the start, and for each of the five, one look and one more; the last one; and one in ten
    // seconds in any case.
    let most = 2 + 5 * 2 + 1 + start.elapsed().as_secs() / 10;
    assert!((7..=most).contains(&looks), "{looks} looks");
}

/// Some are refused, some come behind: nothing is sent twice, and what was refused is counted.
fn refuses(answer: Behaviour, failure: &str, drop: &str, refused: u64) {
    let receiver = Receiver::start([answer]);
    let pushing = Pushing::start(logs_to(receiver.address));
    pushing.feed(5);
    common::until("a refusal", || pushing.counts().failed(LOGS, failure) == 1);
    let later = pushing.feed(3);
    common::until("the others", || receiver.stalls().ends_with(&later));
    let counts = pushing.finish();
    assert_eq!(counts.dropped(LOGS, drop), refused, "{counts:?}");
    assert_eq!((counts.all_dropped(), counts.all_failed()), (refused, 1), "{counts:?}");
    let requests = receiver.requests();
    assert_eq!(requests[0].stalls().len(), 5);
    assert_eq!(requests[1..].iter().map(|of| of.stalls().len()).sum::<usize>(), 3);
}

#[test]
fn what_is_refused_is_not_sent_again() {
    refuses(Behaviour::status("400 Bad Request"), "rejected", "rejected", 5);
    refuses(Behaviour::status("500 Internal Server Error"), "server", "rejected", 5);
    refuses(Behaviour::status("302 Found"), "rejected", "rejected", 5);
}

#[test]
fn an_answer_that_is_no_otlp_confirms_nothing() {
    let page = b"<!doctype html><title>It works!</title>".to_vec();
    refuses(Behaviour::body(page), "garbage", "unconfirmed", 5);
    refuses(Behaviour::body(vec![b'x'; 1 << 20]), "garbage", "unconfirmed", 5);
}

#[test]
fn what_is_taken_in_part_is_counted_in_part() {
    let partial =
        ExportLogsPartialSuccess { rejected_log_records: 2, error_message: "too old".to_owned() };
    let answer = ExportLogsServiceResponse { partial_success: Some(partial) };
    refuses(Behaviour::body(answer.encode_to_vec()), "rejected", "rejected", 2);
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port is free")
}

#[test]
fn a_receiver_that_comes_later_gets_all() {
    let address = nobody();
    let pushing = Pushing::start(logs_to(address));
    let fed = pushing.feed(5);
    common::until("a failure", || pushing.counts().failed(LOGS, "connect") > 0);
    let listener = TcpListener::bind(address).expect("the port is still free");
    let receiver = Receiver::on(listener, [], None);
    common::until("all to arrive", || receiver.stalls().len() >= fed.len());
    let counts = pushing.finish();
    assert_eq!((receiver.stalls(), counts.all_dropped()), (fed, 0));
}

#[test]
fn what_never_arrives_is_counted_at_the_end() {
    let pushing = Pushing::start(logs_to(nobody()));
    pushing.feed(7);
    common::until("a failure", || pushing.counts().failed(LOGS, "connect") > 0);
    let counts = pushing.finish();
    assert_eq!(counts.dropped(LOGS, "shutdown"), 7, "{counts:?}");
    assert_eq!(counts.all_dropped(), 7, "{counts:?}");
}

/// A process more than fits. What is kept is bounded, and what is not is counted.
#[test]
fn what_has_no_room_is_counted_and_the_newest_is_kept() {
    let address = nobody();
    let pushing = Pushing::start(logs_to(address));
    let mut fed = Vec::new();
    while pushing.counts().dropped(LOGS, "queue_full") == 0 {
        fed.extend(pushing.feed_large(64));
        let looks = pushing.looks() + 2;
        common::until("a look", || pushing.looks() >= looks);
    }
    let listener = TcpListener::bind(address).expect("the port is still free");
    let receiver = Receiver::on(listener, [], None);
    common::until("the newest", || receiver.stalls().last() == fed.last());
    let counts = pushing.finish();
    let arrived = receiver.stalls();
    let dropped = usize::try_from(counts.all_dropped()).expect("not that many");
    assert_eq!(arrived.len() + dropped, fed.len(), "{counts:?}");
    assert!(fed.ends_with(&arrived), "the newest, in order");
    let bytes: usize = receiver.taken().iter().map(|request| request.bytes).sum();
    assert!(bytes <= 8 << 20, "{bytes} bytes were kept");
    assert!(bytes >= 7 << 20, "{bytes} bytes were kept, and there was room for more");
}

#[test]
fn of_metrics_the_newest_arrives_and_those_before_are_counted() {
    let ill = vec![Behaviour::status("503 Service Unavailable"), Behaviour::Silence];
    let receiver = Receiver::start(ill);
    let pushing = Pushing::start(metrics_to(receiver.address));
    common::until("a success", || !receiver.taken().is_empty());
    let made = || pushing.looks();
    let some = made() + 3;
    common::until("some more", || made() >= some);
    let (counts, looks) = pushing.finish_and_look();
    let (taken, superseded) =
        (receiver.taken().len() as u64, counts.dropped(METRICS, "superseded"));
    assert!(superseded > 0, "{counts:?}");
    // One that is cut off by the end, for the last one, may have arrived all the same.
    assert!((looks..=looks + 1).contains(&(taken + superseded)), "{looks} {taken} {counts:?}");
    assert_eq!(counts.failed(METRICS, "server"), 1, "{counts:?}");
    assert_eq!(counts.all_dropped(), superseded, "{counts:?}");
}

fn through_tls(address: SocketAddr, authority: &str) -> Endpoint {
    let url = format!("https://{address}/v1/logs").parse().expect("a URL");
    Endpoint {
        compression: Compression::Gzip,
        headers: vec![("api-key".parse().expect("a name"), "k".parse().expect("a value"))],
        tls: TlsFiles {
            authorities: Some(tls::file(authority)),
            client: Some((tls::file("client.pem"), tls::file("client.key"))),
        },
        ..Endpoint::new(url)
    }
}

#[test]
fn a_receiver_behind_tls_gets_it_compressed_from_somebody_it_knows() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let receiver = Receiver::on(listener, [], Some(tls::server()));
    let mut config = logs_to(receiver.address);
    config.logs = Some(through_tls(receiver.address, "ca.pem"));
    let pushing = Pushing::start(config);
    let fed = pushing.feed_large(40);
    common::until("all to arrive", || receiver.stalls().len() >= fed.len());
    let counts = pushing.finish();
    assert_eq!((receiver.stalls(), counts.all_failed()), (fed, 0));
    for request in receiver.requests() {
        assert!(request.head.contains("content-encoding: gzip\r\n"), "{}", request.head);
        assert!(request.head.contains("api-key: k\r\n"), "{}", request.head);
        assert!(request.bytes < request.body.len(), "{} bytes", request.bytes);
    }
}

#[test]
fn a_receiver_that_can_not_be_trusted_gets_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let receiver = Receiver::on(listener, [], Some(tls::server()));
    let mut config = logs_to(receiver.address);
    config.logs = Some(through_tls(receiver.address, "other.pem"));
    let pushing = Pushing::start(config);
    pushing.feed(2);
    common::until("a failure", || pushing.counts().failed(LOGS, "tls") > 0);
    let counts = pushing.finish();
    assert_eq!(counts.dropped(LOGS, "shutdown"), 2, "{counts:?}");
    assert!(receiver.requests().is_empty());
}
