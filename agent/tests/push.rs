//! OTLP push: what arrives at a receiver, and what happens when there is none.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use common::{command, finish};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

const QUICK: [&str; 8] =
    ["run", "sync-promises", "--count", "9", "--work", "0", "--report", "none"];

/// Takes one request: its head in small letters, and its message.
fn receive(listener: &TcpListener) -> (String, ExportMetricsServiceRequest) {
    let (stream, _) = listener.accept().expect("a connection");
    let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).expect("a line") > 0, "{head}");
    }
    let head = head.to_lowercase();
    let length = head.split_once("content-length: ").expect("a length").1;
    let length = length.split("\r\n").next().and_then(|text| text.parse().ok());
    let mut body = vec![0; length.expect("a number")];
    reader.read_exact(&mut body).expect("the body");
    write!(&stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .expect("answered");
    (head, ExportMetricsServiceRequest::decode(&body[..]).expect("a valid message"))
}

#[test]
fn the_last_push_has_the_whole_run() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let endpoint = format!("http://{}/otlp/", listener.local_addr().expect("bound"));
    let receiver = thread::spawn(move || receive(&listener));
    let mut run = command(&QUICK);
    run.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b")
        .env("OTEL_SERVICE_NAME", "shop");
    let ran = finish(run.spawn().expect("starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let (head, request) = receiver.join().expect("received");
    assert!(head.starts_with("post /otlp/v1/metrics "), "{head}");
    assert!(head.contains("api-key: a b\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    let resource = request.resource_metrics[0].resource.as_ref().expect("a resource");
    let service = resource.attributes.iter().find(|attribute| attribute.key == "service.name");
    assert!(format!("{:?}", service.expect("a name").value).contains("shop"));
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    assert!(metrics.iter().any(|metric| metric.name == "loopscope.eventloop.turn.duration"));
}

#[test]
fn a_push_that_fails_is_told_once_and_fails_nothing() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.local_addr().expect("bound")
    };
    let args = ["run", "sync-promises", "--count", "9", "--work", "20ms", "--report", "none"];
    let mut run = command(&args);
    run.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{nobody}"))
        .env("OTEL_METRIC_EXPORT_INTERVAL", "20");
    let ran = finish(run.spawn().expect("starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = ran.stderr.lines().filter(|line| line.contains("failed")).count();
    assert_eq!(told, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("OTEL") || ran.stderr.contains("endpoint"), "{}", ran.stderr);
}

#[test]
fn a_receiver_that_never_answers_holds_nobody_up_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let mut run = command(&QUICK);
    run.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", listener.local_addr().unwrap()))
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "50");
    let ran = finish(run.spawn().expect("starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("no answer within 50 ms"), "{}", ran.stderr);
}
