//! Runs the real binary, never for longer than a limit.

#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on the slowest machine; only a hang gets there.
const LIMIT: Duration = Duration::from_secs(120);

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The binary with an environment that holds nothing of ours or of OpenTelemetry's.
pub fn command(args: &[&str]) -> Command {
    // Signals that whoever runs the tests ignores, as a shell does for what it starts behind `&`,
    // are not ignored by what is tested.
    let mut command = if cfg!(target_os = "linux") {
        let mut env = Command::new("env");
        env.args(["--default-signal", env!("CARGO_BIN_EXE_loopscope")]);
        env
    } else {
        Command::new(env!("CARGO_BIN_EXE_loopscope"))
    };
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("LOOPSCOPE_") || text.starts_with("OTEL_") {
            command.env_remove(&name);
        }
    }
    // What a command is observed by depends on the rights of who runs the tests.
    if matches!(args.first(), Some(&"exec" | &"record")) {
        command.env("LOOPSCOPE_SOURCE", "v8-trace");
    }
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run(args: &[&str]) -> Ran {
    finish(command(args).spawn().expect("the binary starts"))
}

/// Waits for the end and takes what was written.
pub fn finish(mut child: Child) -> Ran {
    fn take(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
        thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut pipe) = pipe {
                pipe.read_to_string(&mut text).expect("the output is UTF-8");
            }
            text
        })
    }
    let (stdout, stderr) = (take(child.stdout.take()), take(child.stderr.take()));
    let code = wait(&mut child);
    let text = |pipe: thread::JoinHandle<String>| pipe.join().expect("the reader ends");
    Ran { code, stdout: text(stdout), stderr: text(stderr) }
}

/// Waits for the end, no longer than the limit.
pub fn wait(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return status.code();
        }
        if start.elapsed() > LIMIT {
            let _ = child.kill();
            panic!("the binary did not end within {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until something holds, no longer than the limit.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "{what} did not come about within {LIMIT:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal by name, as a shell does.
pub fn signal(child: &Child, name: &str) {
    let line = format!("kill -{name} {}", child.id());
    let status = Command::new("sh").args(["-c", &line]).status().expect("sh is there");
    assert!(status.success(), "{line}");
}

/// A run that serves, the address that it has told, and the rest of its standard error.
pub fn serving(args: &[&str]) -> (Child, SocketAddr, BufReader<ChildStderr>) {
    let mut child = command(args).spawn().expect("the binary starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line is told");
    let address = line.trim().strip_prefix("loopscope: serving http");
    let address = address.and_then(|rest| rest.split_once("://")?.1.strip_suffix("/metrics"));
    let address = address.unwrap_or_else(|| panic!("no address in `{line}`"));
    (child, address.parse().expect("an address"), stderr)
}

/// Fetches a page; the status line with the headers, and the body.
pub fn get(address: SocketAddr, path: &str) -> (String, String) {
    let (head, body) = get_with(address, path, "");
    (head, String::from_utf8(body).expect("a text"))
}

/// The same with headers, each with its line's end, and a body of any kind.
pub fn get_with(address: SocketAddr, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    let close = "Host: localhost\r\nConnection: close\r\n";
    write!(stream, "GET {path} HTTP/1.1\r\n{close}{headers}\r\n").expect("the request is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer comes");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("head and body");
    let head = String::from_utf8(answer[..end].to_vec()).expect("a text");
    (head, answer[end + 4..].to_vec())
}

/// A new empty folder. Tests run at the same time, and making one empties it: a second of the same
/// name is another folder.
pub fn folder(test: &str) -> PathBuf {
    static MADE: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
    let count = {
        let mut made = MADE.lock().expect("nothing panics in here");
        let count = made.entry(test.to_owned()).or_default();
        *count += 1;
        *count
    };
    let test = if count == 1 { test.to_owned() } else { format!("{test}.{count}") };
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the folder can be made");
    path
}
