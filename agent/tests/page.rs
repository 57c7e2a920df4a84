//! The page that is served, in a real browser: headless Chromium, where there is one.
//!
//! The browser asks a little server of this test, which passes on what loopscope answers, with a
//! script behind the page that uses it as a reader would and puts down what it finds.

#[path = "support/browser.rs"]
mod browser;
mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use common::{folder, get, serving, until};
use serde_json::Value;

/// What a reader does, and what is seen then.
const READER: &str = r#"
const found = { errors: [], blocked: 0 };
addEventListener('error', (event) => found.errors.push(event.message));
addEventListener('securitypolicyviolation', (event) => found.blocked++);
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
const text = (query) => document.querySelector(query)?.textContent ?? '';
const ms = (text) => parseFloat(text) * (text.endsWith('ms') ? 1 : 1000);
const stalls = () => document.querySelectorAll('details.stall').length;
const read = () => {
  found.summary = text('#summary');
  found.running = text('.held-now');
  found.first = ms(text('.held-now b'));
  found.held = text('tr.held');
  found.diagnosis = text('.diagnosis h3');
  found.stalls = stalls();
  press('ArrowDown');
  found.focused = document.activeElement.tagName;
  document.activeElement.click();
  setTimeout(() => {
    found.more = text('details.stall[open] .more');
    found.key = text('#legend');
    press('/');
    found.filter = document.activeElement.id;
    document.activeElement.value = 'nobody is called so';
    document.activeElement.dispatchEvent(new Event('input'));
    found.filtered = stalls();
    press('Escape');
    found.again = stalls();
    found.later = ms(text('.held-now b'));
    press('p');
    found.paused = text('#summary');
    found.requests = [...new Set(performance.getEntriesByType('resource').map((e) => e.name))];
    const result = document.createElement('pre');
    result.id = 'found';
    result.textContent = JSON.stringify(found);
    document.body.append(result);
  }, 2500);
};
const wait = () => document.querySelector('.held-now') ? read() : setTimeout(wait, 100);
wait();
"#;

/// What is seen of loops of which none is held up.
const WATCHER: &str = r#"
const watch = () => {
  const cell = document.querySelector('td.now');
  if (!cell || cell.textContent === 'waits') return setTimeout(watch, 100);
  const result = document.createElement('pre');
  result.id = 'found';
  const held = document.querySelectorAll('.held-now, tr.held').length;
  result.textContent = JSON.stringify({ now: cell.textContent, held });
  document.body.append(result);
};
watch();
"#;

/// What is seen once it is no longer answered: each question is taken, and never answered.
const SILENCER: &str = r#"
let asked = 0;
const silence = () => {
  window.fetch = (url, { signal } = {}) => new Promise((_, reject) => {
    asked++;
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
  setTimeout(() => {
    const result = document.createElement('pre');
    result.id = 'found';
    const summary = document.querySelector('#summary');
    result.textContent = JSON.stringify(
      { text: summary.textContent, bad: summary.className, asked });
    document.body.append(result);
  }, 9000);
};
const wait = () => document.querySelector('td.now') ? silence() : setTimeout(wait, 100);
wait();
"#;

#[test]
fn an_agent_that_does_not_answer_is_told_of() {
    let Some(chromium) = browser::chromium() else { return };
    let args = ["run", "sync-promises", "--count", "1", "--work", "1h", "--report", "none"];
    let (mut child, address, stderr) = serving(&[&args[..], &["--listen", ":0"]].concat());
    let page = format!("http://{}/", between(address, SILENCER));
    let options = ["--virtual-time-budget=30000"];
    let found = browser::read(&chromium, &folder("silent"), &options, &page);
    let _ = child.kill();
    let _ = child.wait();
    drop(stderr);
    let text = found["text"].as_str().unwrap_or_default();
    assert!(text.starts_with("loopscope does not answer (for too long)"), "{found}");
    assert_eq!(found["bad"], "bad", "{found}");
    let asked = found["asked"].as_u64().unwrap_or_default();
    assert!((2..=4).contains(&asked), "one question at a time: {found}");
}

#[test]
fn the_page_shows_who_is_held_up_and_is_used_by_keyboard() {
    let Some(chromium) = browser::chromium() else { return };
    let args = ["run", "sync-promises", "--count", "1", "--work", "1h", "--report", "none"];
    let (mut child, address, stderr) = serving(&[&args[..], &["--listen", ":0"]].concat());
    until("the loop is held up", || get(address, "/api/now").1.contains("\"running\":true"));
    let page = format!("http://{}/", between(address, READER));
    let options = ["--virtual-time-budget=20000"];
    let found = browser::read(&chromium, &folder("page"), &options, &page);
    let _ = child.kill();
    let _ = child.wait();
    drop(stderr);

    assert_eq!(found["errors"], serde_json::json!([]));
    assert_eq!(found["blocked"], 0);
    let text =
        |key: &str| found[key].as_str().unwrap_or_else(|| panic!("{key}: {found}")).to_owned();
    assert!(text("summary").starts_with("1 processes, 1 loops"), "{found}");
    assert!(text("running").contains("in one turn: sync-promises"), "{found}");
    assert!(text("held").contains("sync-promises"), "{found}");
    assert!(text("diagnosis").contains("main"), "{found}");
    assert_eq!((text("focused"), &found["stalls"]), ("SUMMARY".to_owned(), &1.into()));
    assert!(!text("more").is_empty() && text("key").contains("microtasks"), "{found}");
    assert_eq!(text("filter"), "filter");
    assert_eq!((&found["filtered"], &found["again"]), (&0.into(), &1.into()));
    assert!(text("paused").ends_with(", paused"), "{found}");
    let (first, later) = (found["first"].as_f64(), found["later"].as_f64());
    assert!(later > first, "it does not grow: {found}");
    let requests = found["requests"].as_array().expect("a list");
    assert!(
        requests.iter().all(|name| name.as_str().is_some_and(|name| name.ends_with("/api/now")))
    );
}

/// As long as the user says, not as long as usual.
#[test]
fn who_is_held_up_is_told_by_the_threshold_of_who_observes() {
    let args = ["run", "sync-promises", "--count", "1", "--work", "1h", "--report", "none"];
    let more = ["--stall-threshold", "30m", "--listen", ":0"];
    let (mut child, address, stderr) = serving(&[&args[..], &more].concat());
    let now = || serde_json::from_str::<Value>(&get(address, "/api/now").1).expect("JSON");
    until("a turn of 100 ms", || now()["loops"][0]["current_turn_ns"].as_u64() > Some(100_000_000));
    let row = now()["loops"][0].clone();
    let chromium = browser::chromium();
    let page = format!("http://{}/", between(address, WATCHER));
    let options = ["--virtual-time-budget=20000"];
    let found = chromium.map(|chromium| browser::read(&chromium, &folder("page"), &options, &page));
    let _ = child.kill();
    let _ = child.wait();
    drop(stderr);
    assert_eq!(row["held_up"], false, "{row}");
    let want = serde_json::json!({ "now": "runs", "held": 0 });
    assert!(found.as_ref().is_none_or(|found| *found == want), "{found:?}");
}

#[test]
fn without_its_script_it_is_a_table_and_nothing_is_from_elsewhere() {
    let args = ["run", "sync-promises", "--repeat", "forever", "--pause", "50ms"];
    let more = ["--report", "none", "--listen", ":0"];
    let (mut child, address, stderr) = serving(&[&args[..], &more].concat());
    let (head, page) = get(address, "/");
    let _ = child.kill();
    let _ = child.wait();
    drop(stderr);
    assert!(head.contains("text/html"), "{head}");
    let table = page.split("<noscript>").nth(1).expect("it has one").split("</noscript>").next();
    assert!(table.is_some_and(|table| table.contains("<td>sync-promises<td>")), "{page}");
    for outside in ["http:", "https:", " src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

/// Passes on what is asked for, the page with a script behind it. It goes with the test.
fn between(address: SocketAddr, script: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let own = listener.local_addr().expect("it has an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || pass(stream, address, script));
        }
    });
    own
}

fn pass(mut stream: TcpStream, address: SocketAddr, script: &str) {
    let mut lines = BufReader::new(stream.try_clone().expect("it can be shared")).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or("/");
    let body = get(address, path).1;
    let body = body.replace("</body>", &format!("<script>{script}</script></body>"));
    let kind = if path == "/" { "text/html" } else { "application/json" };
    // The browser may be gone.
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
}
