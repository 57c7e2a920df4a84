//! Pages that are larger than all room for them, and clients that do not read theirs.

mod common;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::{get, until};
use loop_core::PhaseMap;
use loop_core::buckets::Scale;
use loop_core::snapshot::{
    ClockKind, Histogram, LoopSnapshot, Runtime, Snapshot, Source, Target, Tier,
};
use loopscope::monitor::Monitor;
use loopscope::serve::{self, Site};
use loopscope::source::Observe;
use loopscope_exporters::limits::{AGENT_LOOPS_MAX, LABEL_VALUE_BYTES_MAX};
use tokio::sync::oneshot;

/// More than all the room.
const PAGE_BYTES: usize = 8 << 20;

const SLOW: usize = 14;

/// As many loops as have series of their own, with all that there is, and the longest names.
struct Largest;

impl Observe for Largest {
    fn snapshot(&self) -> Snapshot {
        let name = "x".repeat(LABEL_VALUE_BYTES_MAX);
        let some = || Some(Histogram::of(Scale::Time, [1, 1_000, 1_000_000]));
        let of = |pid| LoopSnapshot {
            pid,
            tid: pid,
            thread: name.clone(),
            turn_ns: some(),
            poll_wait_ns: some(),
            timer_lateness_ns: some(),
            arrival_delay_ns: some(),
            callbacks_ns: PhaseMap::from_fn(|_| some()),
            phases: PhaseMap::from_fn(|_| some()),
            microtask_drain_ns: some(),
            tick_drain_ns: some(),
            gc_minor_ns: some(),
            gc_major_ns: some(),
            ..LoopSnapshot::default()
        };
        let target = |pid| Target {
            pid,
            name: name.clone(),
            runtime: Runtime::NodeJs,
            runtime_version: String::new(),
            source: Source::Ebpf,
            tier: Tier::Full,
            overhead_ratio: None,
            sampled: false,
            limits: Vec::new(),
        };
        let pids = || 1..=u32::try_from(AGENT_LOOPS_MAX).expect("some tens");
        let (targets, loops) = (pids().map(target).collect(), pids().map(of).collect());
        Snapshot { targets, loops, ..Snapshot::empty(ClockKind::Real) }
    }
}

/// Pages that are served.
struct Serving {
    monitor: Arc<Monitor>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Serving {
    fn start() -> Serving {
        let monitor = Arc::new(Monitor::default());
        let site = Site::new(Arc::new(Largest), Arc::clone(&monitor), 50_000_000);
        let listener = serve::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let stop = async move { drop(stopped.await) };
                serve::serve(listener, Arc::new(site), stop).expect("it listens").await;
            });
        });
        Serving { monitor, address, stop, thread }
    }

    /// Scrapes that were refused.
    fn refused(&self) -> u64 {
        let stats = self.monitor.stats(&Largest, &Snapshot::empty(ClockKind::Real));
        stats.export_failures.get(&("prometheus", "no_room")).copied().unwrap_or(0)
    }

    /// Ends when all connections have.
    fn end(self) {
        drop(self.stop);
        self.thread.join().expect("it ends");
    }
}

/// A client that asks and does not read.
fn slow(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(100))).expect("a timeout can be set");
    let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.write_all(request).expect("it is sent");
    stream
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Whole,
    Cut,
    Refused,
}

/// What a slow client has got when it reads at last.
fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // It may be cut off by an error as well as by an end.
    let read: io::Result<usize> = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    if text.starts_with("HTTP/1.1 503") {
        let told = text.contains("retry-after: 1") && text.ends_with("ask again in a second.\n");
        assert!(told && read.is_ok(), "{read:?}: {text}");
        return Answer::Refused;
    }
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 200"), "{:.200}", text);
    if bytes.len() < PAGE_BYTES { Answer::Cut } else { Answer::Whole }
}

#[test]
fn pages_that_nobody_reads_are_bounded_and_keep_no_scraper_out() {
    let serving = Serving::start();
    let page = || get(serving.address, "/metrics");
    let bytes = page().1.len();
    assert!(bytes > PAGE_BYTES, "{bytes} bytes");

    let all: Vec<TcpStream> = (0..SLOW).map(|_| slow(serving.address)).collect();
    until("a scraper to get its page", || {
        let (head, page) = page();
        head.starts_with("HTTP/1.1 200") && page.len() >= PAGE_BYTES
    });
    assert!(get(serving.address, "/-/healthy").0.starts_with("HTTP/1.1 200"));
    let answers: Vec<Answer> = all.into_iter().map(answer).collect();
    let count = |what| answers.iter().filter(|answer| **answer == what).count();
    // Each page takes all the room, so that no two of them were there at once.
    assert!(count(Answer::Whole) <= 1, "{answers:?}");
    let refused = count(Answer::Refused);
    // Each of the others had its time, and all of them together two seconds.
    assert!(count(Answer::Cut) > 0 && refused > 0, "{answers:?}");
    assert!(serving.refused() >= refused as u64, "{} of {refused}", serving.refused());
    serving.end();
}
