//! A running `loopscope attach`.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use crate::common::{self, command, get, signal, wait};
use crate::kernel::Objects;
use crate::report::Report;
use crate::target::Target;

/// How long what an agent has written may take until the test has read it.
const READ: Duration = Duration::from_millis(200);

/// Above what a test waits for anything, so that no agent ends before its test, nor outlives it for
/// long.
const DURATION: &str = "150s";

/// An agent that is attached. It is killed when this is dropped, however the test ends.
#[derive(Debug)]
pub(crate) struct Attach {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<()>>,
    told: Arc<Mutex<String>>,
    /// Where it serves its metrics.
    pub(crate) address: SocketAddr,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Attach {
    /// Attaches to targets with all that can be seen, and waits until it is.
    pub(crate) fn to(targets: &[&Target]) -> Attach {
        Attach::with(targets, &[])
    }

    /// Attaches with options, and waits until it is.
    pub(crate) fn with(targets: &[&Target], options: &[&str]) -> Attach {
        let pids: Vec<u32> = targets.iter().map(|target| target.pid()).collect();
        Attach::pids(&pids, options)
    }

    pub(crate) fn pids(pids: &[u32], options: &[&str]) -> Attach {
        let mut attach = Attach::start(pids, options);
        attach.until_attached(pids, !options.contains(&"passive"));
        attach
    }

    /// Starts it and waits only until it serves.
    pub(crate) fn start(pids: &[u32], options: &[&str]) -> Attach {
        let mut args = vec!["attach".to_owned()];
        args.extend(pids.iter().map(u32::to_string));
        args.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
        if !options.contains(&"--duration") {
            args.extend(["--duration", DURATION].map(str::to_owned));
        }
        if !options.contains(&"--report") {
            args.extend(["--report", "json"].map(str::to_owned));
        }
        args.extend(options.iter().map(|&option| option.to_owned()));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut child = command(&args).spawn().expect("the binary starts");
        let mut stdout = child.stdout.take().expect("it is piped");
        let stdout = thread::spawn(move || {
            let mut text = String::new();
            let _ = stdout.read_to_string(&mut text);
            text
        });
        let told = Arc::new(Mutex::new(String::new()));
        let (into, lines) = (told.clone(), BufReader::new(child.stderr.take().expect("piped")));
        let stderr = thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&format!("{line}\n"));
            }
        });
        let (stdout, stderr) = (Some(stdout), Some(stderr));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut attach = Attach { child, stdout, stderr, told, address };
        attach.address = attach.serving();
        attach
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to its standard error until now.
    pub(crate) fn stderr(&self) -> String {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The page of metrics.
    pub(crate) fn metrics(&self) -> String {
        let (head, page) = get(self.address, "/metrics");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        page
    }

    /// Ends it as Ctrl-C does, and takes its report.
    pub(crate) fn stop(self) -> Report {
        let ended = self.interrupt();
        assert_eq!(ended.code, Some(130), "Ctrl-C: {}", ended.stderr);
        Report::read(&ended.stdout)
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn interrupt(self) -> Ended {
        self.signal("INT")
    }

    /// Sends it a signal that does not end it.
    pub(crate) fn send(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Sends it a signal and waits for its end.
    pub(crate) fn signal(self, name: &str) -> Ended {
        signal(&self.child, name);
        self.ended()
    }

    /// Ends it as nothing can prevent.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        let _ = self.child.wait();
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(mut self) -> Ended {
        let code = wait(&mut self.child);
        let stdout = self.stdout.take().map(|reader| reader.join().expect("the reader ends"));
        if let Some(reader) = self.stderr.take() {
            reader.join().expect("the reader ends");
        }
        Ended { code, stdout: stdout.unwrap_or_default(), stderr: self.stderr() }
    }

    /// Waits until it has a link in the kernel for every process, or, where it sets no probes,
    /// shows a loop of each.
    pub(crate) fn until_attached(&mut self, pids: &[u32], by_probes: bool) {
        if by_probes {
            let links = |attach: &Attach| Objects::of(attach.pid()).links();
            self.until("its probes", |attach| links(attach) >= pids.len());
            return;
        }
        self.until("a loop of every target in its metrics", |attach| {
            let page = attach.metrics();
            pids.iter().all(|pid| page.contains(&format!("pid=\"{pid}\"")))
        });
    }

    /// Waits until something holds, and fails at once when the agent ends before that.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut(&Attach) -> bool) {
        common::until(what, || {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                sleep(READ);
                panic!("the agent ended with {status} before this: {what}: {}", self.stderr());
            }
            holds(self)
        });
    }

    fn serving(&mut self) -> SocketAddr {
        let mut found = None;
        self.until("where it serves", |attach| {
            let told = attach.stderr();
            let mut lines = told.lines().filter_map(|line| line.split_once("serving http://"));
            let address = lines.next().and_then(|(_, rest)| rest.split('/').next());
            found = address.and_then(|address| address.parse().ok());
            found.is_some()
        });
        found.expect("it was found")
    }
}

impl Drop for Attach {
    fn drop(&mut self) {
        // Fails only if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
