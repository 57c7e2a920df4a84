//! The client: HTTP/1.1 on connections that stay open, by one thread that never waits for more than
//! the answer that is due.

use std::hint;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use loopscope_bench::Failure;

/// Longer than any answer takes; only a hang gets there.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// How many items the body of a request has.
const ITEMS: u32 = 20;

/// Connections to a server, each with a request at a time.
#[derive(Debug)]
pub(super) struct Load {
    connections: Vec<BufReader<TcpStream>>,
    request: String,
    think: Duration,
}

impl Load {
    /// Connects. With `body`, requests carry one. Between an answer and the next request on its
    /// connection the client computes for as long as `think`.
    pub(super) fn open(
        port: u16,
        connections: usize,
        body: bool,
        think: Duration,
    ) -> Result<Load, Failure> {
        let connections: io::Result<Vec<_>> = (0..connections).map(|_| connect(port)).collect();
        let request = if body { with_body() } else { get("/") };
        Ok(Load { connections: connections?, request, think })
    }

    /// So many requests, answered.
    pub(super) fn run(&mut self, requests: usize) -> Result<(), Failure> {
        let count = self.connections.len();
        for connection in self.connections.iter_mut().take(requests) {
            send(connection, &self.request)?;
        }
        for request in 0..requests {
            let connection = &mut self.connections[request % count];
            receive(connection)?;
            if request + count < requests {
                spin(self.think);
                send(connection, &self.request)?;
            }
        }
        Ok(())
    }
}

/// One page, by a connection of its own. Returns how long it is.
pub(super) fn fetch(port: u16, path: &str) -> Result<usize, Failure> {
    Ok(fetch_text(port, path)?.len())
}

/// One page, by a connection of its own.
pub(super) fn fetch_text(port: u16, path: &str) -> Result<String, Failure> {
    let mut connection = connect(port)?;
    send(&mut connection, &get(path))?;
    let mut page = Vec::new();
    receive_into(&mut connection, &mut page)?;
    Ok(String::from_utf8(page)?)
}

fn connect(port: u16) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

fn with_body() -> String {
    let item = |id: u32| {
        let price = id * 7_919 % 1_000;
        format!(r#"{{"id":{id},"name":"item {id}","price":{price},"tags":["a","b","c"]}}"#)
    };
    let items: Vec<String> = (0..ITEMS).map(item).collect();
    let body = format!("[{}]", items.join(","));
    let length = body.len();
    format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn send(connection: &mut BufReader<TcpStream>, request: &str) -> io::Result<()> {
    connection.get_mut().write_all(request.as_bytes())
}

/// Reads an answer, and returns how long its body is.
fn receive(answers: &mut impl BufRead) -> Result<usize, Failure> {
    receive_into(answers, &mut io::sink())
}

fn receive_into(answers: &mut impl BufRead, body: &mut impl Write) -> Result<usize, Failure> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200 ") {
        return Err(format!("the server has answered `{}`", line.trim()).into());
    }
    let mut length = None;
    loop {
        line.clear();
        answers.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    let length: usize = length.ok_or("the answer does not tell its length")?;
    let read = io::copy(&mut answers.take(length as u64), body)?;
    if read == length as u64 { Ok(length) } else { Err("the answer was cut off".into()) }
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end_and_no_further() {
        let two = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\
            Content-Length: 1\r\n\r\nx";
        let mut answers = &two[..];
        assert_eq!(receive(&mut answers).unwrap(), 3);
        assert_eq!(receive(&mut answers).unwrap(), 1);
        assert!(answers.is_empty());
    }

    #[test]
    fn what_is_no_whole_answer_is_an_error() {
        for bad in [
            "",
            "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
        ] {
            assert!(receive(&mut bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
