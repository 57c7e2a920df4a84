//! A process that a test starts: ended with the test, its log shown when the test fails.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;

use crate::common;

/// What a failed test shows of each log.
const SHOWN_LINES: usize = 40;

/// A running process. It is killed when this is dropped, however the test ends.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command`; all that it prints goes to a file in `folder`.
    pub(crate) fn start(name: &'static str, mut command: Command, folder: &Path) -> Server {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).expect("the log can be made");
        let twin = file.try_clone().expect("the log can be shared");
        let child = command.stdout(file).stderr(twin).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Server { name, child, log }
    }

    /// The file of what it has printed.
    pub(crate) fn path(&self) -> &Path {
        &self.log
    }

    /// All that it has printed until now.
    pub(crate) fn log(&self) -> String {
        read(&self.log)
    }

    /// Waits until `holds`, and fails at once when the process ends before that.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        common::until(what, || {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                panic!("{} ended with {status} before this: {what}", self.name);
            }
            holds()
        });
    }

    /// Waits until it has printed a whole line with `before`, and takes the word behind that.
    pub(crate) fn told(&mut self, before: &str) -> String {
        let log = self.log.clone();
        let mut found = None;
        self.until(&format!("a line with `{before}`"), || {
            let text = read(&log);
            let line = text.split_inclusive('\n').find(|l| l.ends_with('\n') && l.contains(before));
            let word = line.and_then(|l| l.split_once(before)?.1.split_whitespace().next());
            found = word.map(str::to_owned);
            found.is_some()
        });
        found.unwrap_or_default()
    }

    /// Where a loopscope serves its metrics, as it has told.
    pub(crate) fn page(&mut self) -> SocketAddr {
        let place = self.told("serving http://");
        let address = place.strip_suffix("/metrics").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("no address in `{place}`"))
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self) -> ExitStatus {
        common::signal(&self.child, "TERM");
        let mut ended = None;
        common::until("its end", || {
            ended = self.child.try_wait().expect("it can be waited for");
            ended.is_some()
        });
        ended.unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = read(&self.log);
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!("--- the end of {}\n{}\n---", self.log.display(), shown.join("\n"));
        }
    }
}

/// A log as it is; empty where it can't be read, so that a failing test still tells why.
pub(crate) fn read(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}
