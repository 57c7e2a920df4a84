//! `loopscope top` in a pipe, and the demo of the README, as a user starts them.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::alone;
use crate::common::{command, get, signal, until, wait};
use crate::kernel::can_attach;
use crate::nodes;
use crate::target::Target;

#[test]
fn a_pipe_gets_each_loop_and_each_stall_once() {
    let _alone = alone();
    let test = "a_pipe_gets_each_loop_and_each_stall_once";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let mut target = Target::start(&node, "stalls.js");
    let pid = target.pid().to_string();
    let mut top = command(&["top", &pid, "--interval", "200ms"]);
    let mut top = top.stdout(Stdio::piped()).spawn().expect("it starts");
    let (sender, lines) = channel();
    let out = BufReader::new(top.stdout.take().expect("it is piped"));
    thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|of| sender.send(of)));
    let next = || lines.recv_timeout(Duration::from_secs(60)).expect("a line");
    assert!(next().starts_with("#time_s\ttarget\tpid\tthread\tnow"));
    let row = next();
    assert_eq!(row.split('\t').nth(2), Some(&*pid), "{row}");
    target.go_and_be_done();
    let is_stall = |line: &String| line.starts_with('#');
    let mut stalls: Vec<String> = Vec::new();
    until("all stalls are told", || {
        stalls.extend(lines.try_iter().filter(is_stall));
        stalls.len() >= 40
    });
    thread::sleep(Duration::from_secs(1));
    stalls.extend(lines.try_iter().filter(is_stall));
    assert_eq!(stalls.len(), 40, "{stalls:#?}");
    let of = format!("({pid}): held up for ");
    assert!(stalls.iter().all(|line| line.contains(&of)), "{stalls:#?}");
    signal(&top, "INT");
    assert_eq!(wait(&mut top), Some(130));
    target.end();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// It shows who is held up as soon as it has told where to look.
#[test]
fn the_demo_shows_what_it_says() {
    let _alone = alone();
    let test = "the_demo_shows_what_it_says";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let folder = node.program.parent().expect("it is in a folder").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let [service, agent, prometheus] = [(); 3].map(|()| free_port());
    let mut demo = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dashboards/demo/run"));
    let mut demo = demo
        .arg("microtask-flood")
        .env("PATH", format!("{folder}:{path}"))
        .env("LOOPSCOPE", env!("CARGO_BIN_EXE_loopscope"))
        .env("LOOPSCOPE_DEMO_SERVICE_PORT", service.to_string())
        .env("LOOPSCOPE_DEMO_AGENT_PORT", agent.to_string())
        .env("LOOPSCOPE_DEMO_PROMETHEUS_PORT", prometheus.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let out = BufReader::new(demo.stdout.take().expect("it is piped"));
    let told: Vec<String> = out
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.starts_with("Ctrl-C ends"))
        .collect();
    let page = format!("http://127.0.0.1:{agent}/");
    assert!(told.iter().any(|line| line.ends_with(&page)), "{told:?}");
    let address = SocketAddr::from(([127, 0, 0, 1], agent));
    let mut now = Value::Null;
    until("the pathology is told", || {
        now = serde_json::from_str(&get(address, "/api/now").1).expect("JSON");
        let all = now["diagnoses"].as_array().expect("a list");
        all.iter().any(|of| of["id"] == "microtask-flood")
    });
    let rows = now["loops"].as_array().expect("a list");
    assert!(rows.iter().any(|row| row["target"] == "demo-service"), "{now}");
    signal(&demo, "TERM");
    assert_eq!(wait(&mut demo), Some(143));
    for port in [service, agent] {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        assert!(std::net::TcpStream::connect(address).is_err(), "{port} is served still");
    }
}
