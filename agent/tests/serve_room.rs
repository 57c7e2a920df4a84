//! Pages that are larger than all room for them, and clients that do not read theirs.

mod common;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::{get, until};
use loop_core::snapshot::{ClockKind, LoopSnapshot, Snapshot};
use loopscope::monitor::Monitor;
use loopscope::serve::{self, Site};
use loopscope::source::Observe;
use tokio::sync::oneshot;

/// Twice the room, and more than sockets take.
const PAGE_BYTES: usize = 16 << 20;

const SLOW: usize = 14;

/// So many loops.
struct Loops(AtomicU32);

impl Observe for Loops {
    fn snapshot(&self) -> Snapshot {
        let of = |tid| LoopSnapshot { pid: 1, tid, turns: Some(1), ..LoopSnapshot::default() };
        let loops = (1..=self.0.load(Ordering::Relaxed)).map(of).collect();
        Snapshot { loops, ..Snapshot::empty(ClockKind::Real) }
    }
}

/// Pages that are served.
struct Serving {
    observed: Arc<Loops>,
    monitor: Arc<Monitor>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Serving {
    fn start() -> Serving {
        let (observed, monitor) = (Arc::new(Loops(1.into())), Arc::new(Monitor::default()));
        let source = Arc::clone(&observed) as Arc<dyn Observe>;
        let site = Site::new(source, Arc::clone(&monitor), 50_000_000);
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
        Serving { observed, monitor, address, stop, thread }
    }

    /// Scrapes that were refused.
    fn refused(&self) -> u64 {
        let stats = self.monitor.stats(&*self.observed, &Snapshot::empty(ClockKind::Real));
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
    let one = page().1.len();
    serving.observed.0.store(2, Ordering::Relaxed);
    let more = page().1.len() - one;
    let loops = u32::try_from(PAGE_BYTES / more + 1).expect("some thousands");
    serving.observed.0.store(loops, Ordering::Relaxed);
    assert!(page().1.len() >= PAGE_BYTES, "one is always possible");

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
