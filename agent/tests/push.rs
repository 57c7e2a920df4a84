//! OTLP push: what arrives at a receiver, and what happens when there is none.

mod common;
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use common::{command, finish};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use support::receiver::{Behaviour, Receiver};

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
        .env("OTEL_LOGS_EXPORTER", "none")
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
fn a_host_that_is_hidden_has_no_name() {
    let file = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let host = file.iter().find_map(|file| std::fs::read_to_string(file).ok());
    let host = host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
    let told = |options: &[&str], attributes: &str| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let receiver = thread::spawn(move || receive(&listener));
        let mut run = command(&[&QUICK[..], options].concat());
        run.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .env("OTEL_LOGS_EXPORTER", "none")
            .env("OTEL_RESOURCE_ATTRIBUTES", attributes);
        let ran = finish(run.spawn().expect("starts"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let (_, request) = receiver.join().expect("received");
        let resource = request.resource_metrics[0].resource.clone().expect("a resource");
        let value = |key: &str| {
            let found = resource.attributes.iter().find(|attribute| attribute.key == key);
            match found.and_then(|found| found.value.clone()?.value) {
                Some(Value::StringValue(text)) => Some(text),
                _ => None,
            }
        };
        (value("host.name"), value("service.instance.id"))
    };
    let (name, instance) = told(&[], "");
    assert_eq!(name, host);
    assert_eq!(instance.is_some(), host.is_some());
    let (hidden, instance) = told(&["--redact"], "");
    assert_eq!(hidden.is_some(), host.is_some());
    if let (Some(hidden), Some(instance)) = (hidden, instance) {
        assert!(hidden.starts_with("name-"), "{hidden}");
        assert!(instance.starts_with(&format!("{hidden}:")), "{instance}");
    }
    let (given, _) = told(&["--redact"], "host.name=mine");
    assert_eq!(given.as_deref(), Some("mine"));
}

/// 180 ms in one turn.
const STALLED: [&str; 8] =
    ["run", "sync-promises", "--count", "9", "--work", "10ms", "--report", "none"];

fn lines<'a>(text: &'a str, with: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.contains(with)).collect()
}

#[test]
fn a_push_that_fails_is_told_once_and_fails_nothing() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.local_addr().expect("bound")
    };
    let mut run = command(&STALLED);
    run.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://me:secret@{nobody}"))
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "20");
    let ran = finish(run.spawn().expect("starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for of in ["/v1/metrics failed", "/v1/logs failed", "1 stall not delivered"] {
        assert_eq!(lines(&ran.stderr, of).len(), 1, "{of}: {}", ran.stderr);
    }
    assert_eq!(lines(&ran.stderr, "secret").len(), 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("endpoint right?"), "{}", ran.stderr);
}

#[test]
fn a_receiver_that_is_ill_is_told_of_when_it_falls_ill_and_when_it_is_well() {
    let ill = Behaviour::status("503 Service Unavailable");
    let receiver = Receiver::start([ill.clone(), ill]);
    let mut run = command(&STALLED);
    run.env("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", format!("http://{}/in", receiver.address))
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env("OTEL_BLRP_SCHEDULE_DELAY", "20")
        .env("OTEL_SERVICE_NAME", "shop");
    let ran = finish(run.spawn().expect("starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = lines(&ran.stderr, "OTLP push of stalls");
    let [failed, works] = told.as_slice() else { panic!("{}", ran.stderr) };
    assert!(failed.contains("503") && failed.contains("tried again"), "{failed}");
    assert!(works.contains("2 attempts failed, nothing was lost"), "{works}");
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3, "{requests:?}");
    let first = requests[0].stalls();
    assert_eq!((first.len(), &first), (1, &receiver.stalls()), "{}", ran.stderr);
    assert!(requests[0].head.starts_with("post /in "), "{}", requests[0].head);
    let message = ExportLogsServiceRequest::decode(&requests[2].body[..]).expect("a message");
    let resource = message.resource_logs[0].resource.as_ref().expect("a resource");
    let attribute = |key| resource.attributes.iter().find(|attribute| attribute.key == key);
    assert!(format!("{:?}", attribute("service.name")).contains("shop"));
    assert!(attribute("process.pid").is_some() && attribute("process.runtime.name").is_some());
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

#[test]
fn what_could_never_work_is_refused_at_once() {
    let refused = |variables: &[(&str, &str)], wants: &str| {
        let mut run = command(&QUICK);
        run.envs(variables.iter().copied());
        let ran = finish(run.spawn().expect("starts"));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(wants), "{}", ran.stderr);
    };
    let https = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:1");
    refused(&[https, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem")], "/nowhere.pem");
    let empty = env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml";
    refused(&[https, ("OTEL_EXPORTER_OTLP_CERTIFICATE", &empty)], "no certificate");
    refused(&[https, ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/k")], "needs its key");
}
