//! HTTP load on a target: few connections that stay open, each request answered or counted.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

/// Longer than any answer takes; only a hang gets there.
const ANSWER_MAX: Duration = Duration::from_secs(30);

const CONNECTIONS: usize = 4;

/// So that the load leaves time for the agent on a small machine.
const BETWEEN: Duration = Duration::from_micros(500);

/// Load that runs until it is ended.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    connections: Vec<JoinHandle<io::Result<()>>>,
}

impl Load {
    pub(crate) fn on(port: &str) -> Load {
        let port = port.parse().expect("a port");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let connections = (0..CONNECTIONS).map(|_| {
            let (stop, answered) = (stop.clone(), answered.clone());
            thread::spawn(move || requests(address, &stop, &answered))
        });
        let connections = connections.collect();
        Load { stop, answered, connections }
    }

    /// Requests answered until now.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Ends it; the number of answered requests, and what went wrong on the connections.
    pub(crate) fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.connections.into_iter().map(|one| one.join().expect("no panic"));
        let failed = ended.filter_map(Result::err).map(|error| error.to_string()).collect();
        (self.answered.load(Ordering::Relaxed), failed)
    }
}

/// One connection: a request, its answer, and again.
fn requests(address: SocketAddr, stop: &AtomicBool, answered: &AtomicU64) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        answer(&mut answers)?;
        answered.fetch_add(1, Ordering::Relaxed);
        sleep(BETWEEN);
    }
    Ok(())
}

/// Reads one answer of the target: status 200, its length, its body.
fn answer(from: &mut BufReader<TcpStream>) -> io::Result<()> {
    let mut length = None;
    let mut line = String::new();
    from.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other(format!("answered `{}`", line.trim())));
    }
    while line != "\r\n" {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().ok();
        }
    }
    let length: usize = length.ok_or_else(|| io::Error::other("an answer of unknown length"))?;
    io::copy(&mut from.by_ref().take(length as u64), &mut io::sink()).map(drop)
}
