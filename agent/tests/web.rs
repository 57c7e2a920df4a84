//! The pages behind TLS, passwords and tokens, and among a thousand clients that are slow.

mod common;
mod support;

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::{command, finish, folder, serving, signal, until, wait};
use support::tls;

const BLOCKED: [&str; 10] =
    ["run", "sync-promises", "--count", "1", "--work", "1h", "--report", "none", "--listen", ":0"];

/// SHA-256 of `t0ken`.
const DIGEST: &str = "b46c09677343261f0b439a472422225e3a230c9c094d6ab16762e2036b597053";

fn end(mut child: Child) {
    signal(&child, "INT");
    assert_eq!(wait(&mut child), Some(130));
}

fn behind(file: &Path, run: impl FnOnce(SocketAddr, &mut dyn BufRead)) {
    let file = file.to_str().expect("a path in UTF-8");
    let args: Vec<&str> = BLOCKED.into_iter().chain(["--web.config.file", file]).collect();
    let (child, address, mut stderr) = serving(&args);
    run(address, &mut stderr);
    end(child);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("UTF-8");
    assert!(!rest.contains("panicked"), "{rest}");
}

/// The status line and head of a page, with these lines in the request.
fn head(address: SocketAddr, path: &str, lines: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{lines}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn basic(pair: &str) -> String {
    format!("authorization: Basic {}\r\n", BASE64_STANDARD.encode(pair))
}

fn user(name: &str, password: &str) -> String {
    let hash = bcrypt::hash(password, 4).expect("a hash");
    format!("basic_auth_users:\n  {name}: {hash}\n")
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[test]
fn who_is_not_known_sees_no_page() {
    let file = folder("web_users").join("web.yml");
    let token = format!("bearer_tokens:\n  prometheus: {DIGEST}\n");
    fs::write(&file, user("alice", "open sesame") + &token).expect("written");
    behind(&file, |address, _| {
        let check = |path: &str, lines: &str, want: &str| {
            let answer = head(address, path, lines).expect("an answer");
            assert_eq!(status(&answer), want, "{path} {lines}: {answer}");
            let asked = answer.contains("www-authenticate: Basic realm=\"loopscope\"");
            assert_eq!(asked, want == "401", "{answer}");
            assert!(want != "401" || !answer.contains("loopscope_"), "{answer}");
        };
        for path in ["/", "/metrics", "/-/healthy", "/nothing"] {
            check(path, "", "401");
            check(path, &basic("alice:open"), "401");
            check(path, "authorization: Bearer t0ken2\r\n", "401");
        }
        // The second time it is known.
        for _ in 0..2 {
            check("/metrics", &basic("alice:open sesame"), "200");
            check("/", "authorization: Bearer t0ken\r\n", "200");
        }
        check("/metrics", &basic("alice:open sesame2"), "401");
        check("/metrics", &basic("bob:open sesame"), "401");
    });
}

fn tls_config(more: &str) -> String {
    let (server, key) = (tls::file("server.pem"), tls::file("server.key"));
    format!(
        "tls_server_config:\n  cert_file: {}\n  key_file: {}\n{more}",
        server.display(),
        key.display()
    )
}

fn clients_too() -> String {
    let ca = tls::file("ca.pem");
    let client = "  client_auth_type: RequireAndVerifyClientCert\n";
    tls_config(&format!("{client}  client_ca_file: {}\n", ca.display()))
}

#[test]
fn pages_behind_tls_are_seen_by_those_with_a_certificate() {
    let file = folder("web_tls").join("web.yml");
    fs::write(&file, clients_too() + &user("alice", "x")).expect("written");
    behind(&file, |address, _| {
        let get = |authority, shows, lines: &str| {
            tls::get(address, &tls::client(authority, shows), "/metrics", lines)
        };
        let page = get("ca", true, &basic("alice:x")).expect("a page");
        assert!(status(&page) == "200" && page.contains("loopscope_build_info{"), "{page}");
        assert_eq!(status(&get("ca", true, "").expect("an answer")), "401");
        assert!(get("ca", false, &basic("alice:x")).is_err(), "no certificate is shown");
        assert!(get("other", true, "").is_err(), "the server is not the right one");
        let plain = head(address, "/metrics", &basic("alice:x"));
        assert!(plain.map_or(true, |answer| !answer.contains("HTTP/1.1 200")), "no TLS at all");
    });
}

/// The next line that has this in it.
fn line_with(stderr: &mut dyn BufRead, text: &str) -> String {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(stderr.read_line(&mut line).expect("a line") > 0, "no line with {text}");
    }
    line
}

#[test]
fn a_file_that_changes_holds_and_one_that_is_wrong_does_not() {
    let file = folder("web_reload").join("web.yml");
    fs::write(&file, user("alice", "old")).expect("written");
    behind(&file, |address, stderr| {
        let seen = |pair: &str| status(&head(address, "/", &basic(pair)).expect("one")) == "200";
        assert!(seen("alice:old"));
        fs::write(&file, user("alice", "new")).expect("written");
        until("the new password to hold", || seen("alice:new"));
        assert!(!seen("alice:old"));
        line_with(stderr, "web.yml has changed and holds now");

        fs::write(&file, "basic_auth_users: {}\n").expect("written");
        // It is looked at once a second, when somebody asks for a page.
        for _ in 0..60 {
            assert!(seen("alice:new") && !seen("bob:x"));
            sleep(Duration::from_millis(50));
        }
        let told = line_with(stderr, "nothing is set");
        assert!(told.contains("still holds"), "{told}");

        fs::write(&file, tls_config("")).expect("written");
        let client = tls::client("ca", false);
        until("TLS", || tls::get(address, &client, "/", "").is_ok_and(|got| status(&got) == "200"));
    });
}

#[test]
fn a_file_that_is_wrong_is_refused_at_the_start() {
    let folder = folder("web_wrong");
    let file = folder.join("web.yml");
    let refused = |text: &str, want: &str| {
        fs::write(&file, text).expect("written");
        let path = file.to_str().expect("a path in UTF-8");
        let mut run = command(&BLOCKED);
        run.env("LOOPSCOPE_WEB_CONFIG_FILE", path);
        let ran = finish(run.spawn().expect("starts"));
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{text}: {ran:?}");
        assert!(ran.stderr.contains("web.yml") || ran.stderr.contains("gone.pem"), "{ran:?}");
        assert!(ran.stderr.contains(want) && !ran.stderr.contains("secret"), "{ran:?}");
    };
    refused("", "nothing is set");
    refused("a: [", "line 2: this is no YAML");
    refused("basic_auth_users:\n  a: secret\n", "htpasswd");
    refused("tls_server_config:\n  cert_file: gone.pem\n  key_file: gone.pem\n", "gone.pem");
    let key = tls::file("client.key");
    let wrong = format!("  key_file: {}\n", key.display());
    let cert = format!("  cert_file: {}\n", tls::file("server.pem").display());
    fs::write(&file, format!("tls_server_config:\n{cert}{wrong}")).expect("written");
    let path = file.to_str().expect("a path in UTF-8");
    let args: Vec<&str> = BLOCKED.into_iter().chain(["--web.config.file", path]).collect();
    let ran = common::run(&args);
    assert_eq!(ran.code, Some(2), "key and certificate do not belong together: {ran:?}");
}

#[test]
fn an_address_that_everybody_reaches_is_told_of_unless_it_is_guarded() {
    let file = folder("web_open").join("web.yml");
    fs::write(&file, user("alice", "x")).expect("written");
    let told = |args: &[&str]| {
        let args: Vec<&str> = BLOCKED[..8].iter().copied().chain(args.iter().copied()).collect();
        let (child, _, mut stderr) = serving(&args);
        end(child);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).expect("UTF-8");
        rest.lines().filter(|line| line.contains("open to the network")).count()
    };
    assert_eq!(told(&["--listen", "0.0.0.0:0"]), 1);
    assert_eq!(told(&["--listen", "127.0.0.1:0"]), 0);
    let file = file.to_str().expect("a path in UTF-8");
    assert_eq!(told(&["--listen", "0.0.0.0:0", "--web.config.file", file]), 0);
}

/// As many as there may be, of which none goes on with its handshake.
#[test]
fn handshakes_that_never_end_keep_nobody_out() {
    let file = folder("web_handshakes").join("web.yml");
    fs::write(&file, tls_config("")).expect("written");
    behind(&file, |address, _| {
        let client = tls::client("ca", false);
        let slow: Vec<TcpStream> = (0..64)
            .map(|_| {
                let mut stream = TcpStream::connect(address).expect("connects");
                // The beginning of a handshake.
                stream.write_all(&[22, 3, 1, 2, 0, 1, 0]).expect("sent");
                stream
            })
            .collect();
        for _ in 0..5 {
            let page = tls::get(address, &client, "/-/healthy", "").expect("a page");
            assert_eq!(status(&page), "200");
        }
        drop(slow);
    });
}

#[cfg(target_os = "linux")]
mod crowd {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;

    /// A line of a file of the process, as a number.
    fn read(child: &Child, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it lives");
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    fn descriptors(child: &Child) -> usize {
        fs::read_dir(format!("/proc/{}/fd", child.id())).expect("it lives").count()
    }

    /// What a slow client does: nothing, half a request, a request whose answer it does not read,
    /// or many of those.
    fn slow(address: SocketAddr, number: usize) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n";
        // It may have been shown out already.
        let _ = match number % 4 {
            0 => Ok(0),
            1 => stream.write(&request[..20]),
            2 => stream.write(request),
            _ => stream.write(&request.repeat(10)),
        };
        Ok(stream)
    }

    /// A thousand clients, each slow in its way. A scraper gets its page all the time, and what the
    /// agent holds is bounded.
    #[test]
    fn a_thousand_slow_clients_are_bounded_and_keep_no_scraper_out() {
        let limit = getrlimit(Resource::Nofile);
        let most = Rlimit { current: limit.maximum, ..limit };
        setrlimit(Resource::Nofile, most).expect("up to the most");
        let (child, address, _stderr) = serving(&BLOCKED);
        let page = || head(address, "/metrics", "").expect("a page");
        assert_eq!(status(&page()), "200");
        let (before_fds, before_kb) = (descriptors(&child), read(&child, "VmRSS:"));
        let mut crowd = Vec::new();
        for number in 0..1_000 {
            crowd.push(slow(address, number).expect("connects"));
            if number % 100 == 99 {
                assert_eq!(status(&page()), "200", "after {number} slow ones");
                let fds = descriptors(&child);
                assert!(fds <= before_fds + 66, "{fds} descriptors, {before_fds} before");
            }
        }
        let grown_kb = read(&child, "VmHWM:").saturating_sub(before_kb);
        assert!(grown_kb < 32 << 10, "{grown_kb} kB more than before");
        assert_eq!(status(&page()), "200");
        drop(crowd);
        until("all to be gone", || {
            page();
            descriptors(&child) <= before_fds + 2
        });
        end(child);
    }
}
