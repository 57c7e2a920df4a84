//! The web configuration, as Prometheus itself understands it: it scrapes what is guarded by it,
//! and its `promtool` takes and refuses the same files.

mod common;
mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use common::{folder, run, serving, signal, wait};
use support::prometheus::Prometheus;
use support::{PROMETHEUS, PROMTOOL, tls};

const BLOCKED: [&str; 10] =
    ["run", "sync-promises", "--count", "1", "--work", "1h", "--report", "none", "--listen", ":0"];

/// TLS for those with a certificate, and a password.
fn guarded() -> String {
    let hash = bcrypt::hash("open sesame", 4).expect("a hash");
    let path = |name| tls::file(name).display().to_string();
    format!(
        "tls_server_config:\n  cert_file: {}\n  key_file: {}\n  client_ca_file: {}\n  \
         client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n\
         basic_auth_users:\n  alice: {hash}\n",
        path("server.pem"),
        path("server.key"),
        path("ca.pem")
    )
}

fn job(name: &str, address: SocketAddr, password: &str) -> String {
    let path = |name| tls::file(name).display().to_string();
    format!(
        "- job_name: {name}\n  scheme: https\n  \
         tls_config: {{ca_file: {}, cert_file: {}, key_file: {}}}\n  \
         basic_auth: {{username: alice, password: {password}}}\n  \
         static_configs: [{{targets: [\"{address}\"]}}]\n",
        path("ca.pem"),
        path("client.pem"),
        path("client.key")
    )
}

#[test]
fn prometheus_scrapes_what_is_guarded_if_it_knows_the_password() {
    let Some(program) = PROMETHEUS.find("prometheus_scrapes_what_is_guarded") else { return };
    let folder = folder("live_web");
    let file = folder.join("web.yml");
    fs::write(&file, guarded()).expect("written");
    let file = file.to_str().expect("a path in UTF-8");
    let args: Vec<&str> = BLOCKED.into_iter().chain(["--web.config.file", file]).collect();
    let (mut child, address, _stderr) = serving(&args);
    let jobs = job("known", address, "open sesame") + &job("stranger", address, "open");
    let mut prometheus = Prometheus::start_jobs(&program, &folder, &jobs);
    prometheus.until("both to be scraped", |api| {
        let up = |job: &str| api.value(&format!("up{{job=\"{job}\"}}"));
        up("known") == Some(1.0) && up("stranger") == Some(0.0)
    });
    let info = "loopscope_build_info{job=\"known\"}";
    assert_eq!(prometheus.api.value(info), Some(1.0));
    signal(&child, "INT");
    assert_eq!(wait(&mut child), Some(130));
}

#[test]
fn promtool_takes_and_refuses_the_same_files() {
    let Some(program) = PROMTOOL.find("promtool_takes_and_refuses_the_same_files") else { return };
    let file = folder("live_web_files").join("web.yml");
    let check = |text: &str, is_good: bool| {
        fs::write(&file, text).expect("written");
        let judged = Command::new(&program).args(["check", "web-config"]).arg(&file).output();
        assert_eq!(judged.expect("it runs").status.success(), is_good, "promtool: {text}");
        assert_eq!(is_taken(&file), is_good, "loopscope: {text}");
    };
    let good = guarded();
    check(&good, true);
    check(&good.replace("min_version: TLS13", "min_version: TLS12"), true);
    check(&good.replace("TLS13", "TLS99"), false);
    check(&good.replace("RequireAndVerifyClientCert", "NoClientCert"), false);
    check(&good.replace("RequireAndVerifyClientCert", "Sometimes"), false);
    check(&good.replace("server.key", "client.key"), false);
    check(&good.replace("key_file", "key_fiel"), false);
    check(&good.replace("alice: $2", "alice: $9"), false);
    check(&format!("{good}{good}"), false);
}

/// Whether a run with this file gets as far as running.
fn is_taken(file: &Path) -> bool {
    let file = file.to_str().expect("a path in UTF-8");
    let quick = ["run", "sync-promises", "--count", "1", "--work", "0", "--report", "none"];
    let ran = run(&[&quick[..], &["--listen", ":0", "--web.config.file", file]].concat());
    assert!(matches!(ran.code, Some(0 | 2)), "{ran:?}");
    ran.code == Some(0)
}
