//! From a blocked Node.js to a message: the agent sees it, Prometheus scrapes that and evaluates
//! our rules, Alertmanager gets the alert and tells its receiver, all of them real.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::alone;
use crate::common::{command, folder};
use crate::kernel::can_attach;
use crate::nodes;
use crate::support::prometheus::Prometheus;
use crate::support::server::Server;
use crate::support::{ALERTMANAGER, PROMETHEUS, dashboards, free_address, http};
use crate::target::Target;

/// Ten times what a message takes from the block on.
const LIMIT: Duration = Duration::from_secs(90);

/// An agent that is attached to a target and serves, with pushes to a receiver that isn't there.
pub(crate) fn watch(target: &Target, folder: &Path) -> (Server, SocketAddr) {
    let mut attach = command(&["attach", &target.pid().to_string()]);
    attach
        .args(["--listen", "127.0.0.1:0", "--duration", "150s", "--report", "none"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", free_address()))
        .env("OTEL_METRIC_EXPORT_INTERVAL", "200");
    let mut agent = Server::start("loopscope", attach, folder);
    let address = agent.page();
    (agent, address)
}

/// The rules of `dashboards/`, for the configuration of a Prometheus.
pub(crate) fn rules() -> String {
    let files = ["rules/alerts.yml", "rules/recording.yml"].map(dashboards);
    format!("rule_files: {files:?}\n")
}

#[test]
fn a_blocked_node_is_told_to_whoever_is_on_call() {
    let _alone = alone();
    let test = "a_blocked_node_is_told_to_whoever_is_on_call";
    if !can_attach(test) {
        return;
    }
    let Some(prometheus) = PROMETHEUS.find(test) else { return };
    let Some(alertmanager) = ALERTMANAGER.find(test) else { return };
    for node in nodes::some(test) {
        let folder = folder(test);
        let (receiver, messages) = receive();
        let alertmanager = start_alertmanager(&alertmanager, &folder, receiver);
        let mut target = Target::start(&node, "pathology.js");
        let (_agent, address) = watch(&target, &folder);
        let more = format!(
            "{}alerting: {{alertmanagers: [{{static_configs: [{{targets: [\"{}\"]}}]}}]}}\n",
            rules(),
            alertmanager.address
        );
        let mut prometheus = Prometheus::with_config(&prometheus, &folder, &[address], &more, &[]);
        // Nothing is wrong yet, but pushes that fail, for which it is too early.
        prometheus.until("a first scrape", |api| api.value("count(loopscope_targets)").is_some());
        assert_eq!(prometheus.api.query("ALERTS{alertstate=\"firing\"}"), []);
        target.go_and_be_done();

        let told = next(&messages);
        assert_eq!(told["status"], "firing", "{told}");
        let alert = &told["alerts"][0];
        let labels = &alert["labels"];
        assert_eq!(labels["alertname"], "LoopscopeStalledNow", "{told}");
        assert_eq!(labels["severity"], "warning", "{told}");
        assert_eq!(labels["pid"], target.pid().to_string(), "{told}");
        assert_eq!(labels["thread"], "main", "{told}");
        let summary = alert["annotations"]["summary"].as_str().unwrap_or_default();
        assert!(summary.contains("is blocked for"), "{told}");
        let runbook = alert["annotations"]["runbook_url"].as_str().unwrap_or_default();
        let page = runbook.split_once("/dashboards/").map(|(_, page)| dashboards(page));
        assert!(page.is_some_and(|page| page.is_file()), "{told}");
        // And it stands on the page of Alertmanager.
        let (status, body) = http::get(alertmanager.address, "/api/v2/alerts").expect("it answers");
        assert!(status == 200 && body.contains("LoopscopeStalledNow"), "{status}: {body}");
    }
}

/// A running Alertmanager.
struct Alertmanager {
    _server: Server,
    address: SocketAddr,
}

/// Starts it with our example, whose receivers are here.
fn start_alertmanager(program: &Path, folder: &Path, receiver: SocketAddr) -> Alertmanager {
    let example = fs::read_to_string(dashboards("alertmanager.yml")).expect("the example is there");
    assert!(example.contains("127.0.0.1:5001") && example.contains("group_wait: 10s"));
    let config = example.replace("127.0.0.1:5001", &receiver.to_string());
    let file = folder.join("alertmanager.yml");
    fs::write(&file, config.replace("group_wait: 10s", "group_wait: 0s")).expect("it is written");
    let address = free_address();
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address={address}"))
        // No cluster: it would look for an address to be reached by others.
        .arg("--cluster.listen-address=")
        .stdin(Stdio::null());
    let mut server = Server::start("alertmanager", command, folder);
    server.until("Alertmanager is ready", || {
        http::get(address, "/-/ready").is_ok_and(|(status, _)| status == 200)
    });
    Alertmanager { _server: server, address }
}

/// What the receiver of Alertmanager's messages is sent.
fn receive() -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let (sender, messages) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // The test is over when nobody takes messages any more.
            if message(stream).is_some_and(|message| sender.send(message).is_err()) {
                return;
            }
        }
    });
    (address, messages)
}

/// One request's JSON.
fn message(stream: TcpStream) -> Option<Value> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let _ = stream
        .get_mut()
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    serde_json::from_slice(&body).ok()
}

fn next(messages: &Receiver<Value>) -> Value {
    let message = messages.recv_timeout(LIMIT);
    message.unwrap_or_else(|error| panic!("no message within {LIMIT:?}: {error}"))
}
