//! Servers that are not ours: found, started on free ports, and ended with the test.
//!
//! A server that is not installed skips its tests, and says so. With `LOOPSCOPE_REQUIRE_SERVERS=1`
//! it fails them: where all servers must be there, no test may be skipped unseen.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod board;
pub(crate) mod http;
pub(crate) mod prometheus;
pub(crate) mod receiver;
pub(crate) mod rotel;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod victoria;

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

const REQUIRE: &str = "LOOPSCOPE_REQUIRE_SERVERS";

/// A program that a test needs, and where it may be.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name in the search path.
    name: &'static str,
    /// The variable that names the file and wins, if there is one.
    variable: Option<&'static str>,
    /// Where `.ci/setup` puts it, from the root of the workspace.
    tool: Option<&'static str>,
    /// What to do where it is missing.
    cure: &'static str,
}

pub(crate) const PROMETHEUS: Program = Program {
    name: "prometheus",
    variable: None,
    tool: None,
    cure: "install Debian's package `prometheus`, or run .ci/setup",
};

pub(crate) const PROMTOOL: Program = Program { name: "promtool", ..PROMETHEUS };

pub(crate) const VICTORIA_METRICS: Program = Program {
    name: "victoria-metrics",
    variable: Some("LOOPSCOPE_VICTORIA_METRICS"),
    tool: None,
    cure: "install Debian's package `victoria-metrics`, run .ci/setup, or name the file in \
           LOOPSCOPE_VICTORIA_METRICS",
};

pub(crate) const ALERTMANAGER: Program = Program {
    name: "prometheus-alertmanager",
    cure: "install Debian's package `prometheus-alertmanager`, or run .ci/setup",
    ..PROMETHEUS
};

pub(crate) const ROTEL: Program = Program {
    name: "rotel-agent",
    variable: Some("LOOPSCOPE_ROTEL"),
    tool: Some("target/tools/rotel/rotel/rotel-agent"),
    cure: "run .ci/setup, or name the file in LOOPSCOPE_ROTEL",
};

impl Program {
    /// The program's file; `None` after telling that `test` is skipped.
    pub(crate) fn find(&self, test: &str) -> Option<PathBuf> {
        let found = self.named().or_else(|| self.installed()).or_else(|| self.in_search_path());
        if found.is_none() {
            let why = format!("{test}: `{}` is missing; {}", self.name, self.cure);
            assert!(env::var_os(REQUIRE).is_none_or(|value| value != "1"), "{why}");
            println!("SKIPPED: {why}");
        }
        found
    }

    /// A wrong name is no missing server: the start says what is wrong with it.
    fn named(&self) -> Option<PathBuf> {
        env::var_os(self.variable?).map(PathBuf::from)
    }

    fn installed(&self) -> Option<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
        Some(root.join(self.tool?)).filter(|file| file.is_file())
    }

    fn in_search_path(&self) -> Option<PathBuf> {
        let folders = env::var_os("PATH")?;
        env::split_paths(&folders).map(|path| path.join(self.name)).find(|file| file.is_file())
    }
}

/// A file of `dashboards/`.
pub(crate) fn dashboards(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards").join(file)
}

/// An address on the loopback interface that a server can take a moment later.
///
/// Its port is below those which systems give to whoever asks for any, and no other call in this
/// process gets it, so that nobody takes it meanwhile.
pub(crate) fn free_address() -> SocketAddr {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that follow one another begin far apart.
    let begin = (process::id() % u32::from(COUNT) * 7_919 % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let offset = (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + offset));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port from {FIRST} on is free");
}
