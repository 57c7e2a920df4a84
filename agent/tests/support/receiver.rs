//! An OTLP receiver that does as it is told, and remembers what it was sent.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Read it slowly, and take it.
    Slow,
    /// Answer so: a status, further lines of the head, and a body.
    Answer(&'static str, &'static str, Vec<u8>),
    /// Never answer.
    Silence,
    /// Break the connection before the body is read.
    Reset,
    /// Break the connection within the answer.
    Half,
}

impl Behaviour {
    pub(crate) fn status(status: &'static str) -> Behaviour {
        Behaviour::Answer(status, "", Vec::new())
    }

    pub(crate) fn body(body: Vec<u8>) -> Behaviour {
        Behaviour::Answer("200 OK", "", body)
    }
}

/// A request, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) at: Instant,
    /// In small letters.
    pub(crate) head: String,
    /// As it was sent.
    pub(crate) bytes: usize,
    /// Decompressed.
    pub(crate) body: Vec<u8>,
    /// What was done with it; `None`: it was taken.
    pub(crate) done: Option<Behaviour>,
}

impl Request {
    /// The ids of the stalls in it.
    pub(crate) fn stalls(&self) -> Vec<String> {
        let message = ExportLogsServiceRequest::decode(&self.body[..]).expect("a valid message");
        let records = message.resource_logs.iter().flat_map(|of| &of.scope_logs);
        let records = records.flat_map(|of| &of.log_records);
        let id = |record: &opentelemetry_proto::tonic::logs::v1::LogRecord| {
            let pair = record.attributes.iter().find(|of| of.key == "loopscope.stall.id");
            match pair.and_then(|of| of.value.clone()?.value) {
                Some(Value::StringValue(id)) => id,
                other => panic!("no id: {other:?}"),
            }
        };
        records.map(id).collect()
    }
}

/// See the module.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Behaviour>>,
    requests: Mutex<Vec<Request>>,
    tls: Option<Arc<ServerConfig>>,
}

impl Receiver {
    /// Does these things, one a request, and takes all that comes behind.
    pub(crate) fn start(script: impl IntoIterator<Item = Behaviour>) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        Receiver::on(listener, script, None)
    }

    pub(crate) fn on(
        listener: TcpListener,
        script: impl IntoIterator<Item = Behaviour>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Receiver {
        let address = listener.local_addr().expect("bound");
        let script = Mutex::new(script.into_iter().collect());
        let shared = Arc::new(Shared { script, tls, ..Shared::default() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Receiver { address, shared }
    }

    /// All requests until now.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("nothing panics in here").clone()
    }

    /// Those that were taken.
    pub(crate) fn taken(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.done.is_none()).collect()
    }

    /// The ids of all stalls that were taken, in order.
    pub(crate) fn stalls(&self) -> Vec<String> {
        self.taken().iter().flat_map(Request::stalls).collect()
    }
}

impl Shared {
    /// Whatever goes wrong with a connection, its other end knows.
    fn serve(&self, stream: TcpStream) {
        let _ = match &self.tls {
            None => self.answer(stream),
            Some(tls) => match ServerConnection::new(Arc::clone(tls)) {
                Ok(connection) => self.answer(StreamOwned::new(connection, stream)),
                Err(error) => Err(io::Error::other(error)),
            },
        };
    }

    fn answer(&self, mut stream: impl Read + Write) -> io::Result<()> {
        loop {
            let head = head(&mut stream)?;
            let done = self.script.lock().expect("nothing panics in here").pop_front();
            let at = Instant::now();
            if done == Some(Behaviour::Reset) {
                self.note(Request { at, head, bytes: 0, body: Vec::new(), done });
                return Ok(());
            }
            let sent = body(&mut stream, &head, done == Some(Behaviour::Slow))?;
            let mut body = sent.clone();
            if head.contains("content-encoding: gzip\r\n") {
                body.clear();
                GzDecoder::new(&sent[..]).read_to_end(&mut body)?;
            }
            let done = done.filter(|done| *done != Behaviour::Slow);
            self.note(Request { at, head, bytes: sent.len(), body, done: done.clone() });
            match done {
                None => respond(&mut stream, "200 OK", "", &[])?,
                Some(Behaviour::Answer(status, more, body)) => {
                    respond(&mut stream, status, more, &body)?;
                }
                Some(Behaviour::Half) => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")?;
                    return stream.flush();
                }
                // Until the other end has had enough.
                _ => return stream.read(&mut [0]).map(drop),
            }
        }
    }

    fn note(&self, request: Request) {
        self.requests.lock().expect("nothing panics in here").push(request);
    }
}

fn head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    // Byte by byte, so that the body is left where it is.
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).to_lowercase())
}

fn body(stream: &mut impl Read, head: &str, slowly: bool) -> io::Result<Vec<u8>> {
    let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.split_once("\r\n"));
    let length = length.and_then(|(length, _)| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    for part in body.chunks_mut(4_096) {
        stream.read_exact(part)?;
        if slowly {
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(body)
}

fn respond(stream: &mut impl Write, status: &str, more: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n")?;
    stream.write_all(body)?;
    stream.flush()
}
