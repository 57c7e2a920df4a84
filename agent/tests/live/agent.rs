//! A running `loopscope agent`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::common::{command, get, signal, until, wait};

/// An agent that serves. It is killed when this is dropped, however the test ends.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    log: Arc<Mutex<String>>,
    is_heard: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Agent {
    /// Starts one with options, and waits until it has looked at all processes.
    pub(crate) fn start(options: &[&str]) -> Agent {
        let args = [&["agent", "--listen", "127.0.0.1:0"], options].concat();
        let mut child = command(&args).spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let is_heard = Arc::new(AtomicBool::new(true));
        let (into, lines) = (log.clone(), BufReader::new(child.stderr.take().expect("piped")));
        let hears = Arc::clone(&is_heard);
        thread::spawn(move || {
            let heard = lines.lines().take_while(|_| hears.load(Ordering::Relaxed));
            for line in heard.map_while(Result::ok) {
                let mut log = into.lock().unwrap_or_else(PoisonError::into_inner);
                *log += &line;
                log.push('\n');
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut agent = Agent { child, log, is_heard, address };
        until("the agent serves", || {
            let log = agent.log();
            let told = log.split("http://").nth(1).and_then(|rest| rest.split('/').next());
            told.and_then(|address| address.parse().ok())
                .is_some_and(|address| std::mem::replace(&mut agent.address, address).port() == 0)
        });
        until("the agent is ready", || agent.get("/-/ready").0.contains("200"));
        agent
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the other end of its log with the next line.
    pub(crate) fn hear_no_more(&self) {
        self.is_heard.store(false, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, path: &str) -> (String, String) {
        get(self.address, path)
    }

    pub(crate) fn metrics(&self) -> String {
        self.get("/metrics").1
    }

    /// Its page, once there is something in it.
    pub(crate) fn metrics_with(&self, part: &str) -> String {
        let mut page = String::new();
        until(&format!("`{part}` in the page of the agent"), || {
            page = self.metrics();
            page.contains(part)
        });
        page
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Ends it, and returns its exit code and its log.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let code = wait(&mut self.child);
        (code, self.log())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
