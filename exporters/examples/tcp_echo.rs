//! A TCP echo server on the loop. The loop itself serves its metrics on a second port.
//!
//! ```text
//! cargo run --package loopscope-exporters --example tcp_echo
//! bash -c 'exec 3<>/dev/tcp/127.0.0.1/7007; echo hello >&3; head -n1 <&3'
//! curl http://127.0.0.1:9464/metrics
//! ```
//!
//! Other addresses may be given: those of the echo and of the metrics. Ctrl-C ends it.

use std::env;
use std::error::Error;
use std::net::SocketAddr;

use loop_core::snapshot::{Runtime, Snapshot, Source, Target, Tier};
use loop_core::{HandleId, Loop, Options, ReadEvent, RunMode};
use loopscope_exporters::{Exporter, PrometheusText, SelfStats};

const SIGINT: i32 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut addresses = env::args().skip(1);
    let mut address = |default: &str| addresses.next().as_deref().unwrap_or(default).parse();
    let (echo, metrics): (SocketAddr, SocketAddr) =
        (address("127.0.0.1:7007")?, address("127.0.0.1:9464")?);

    let mut lp = Loop::new(Options::default())?;
    let echo = lp.tcp_listen(echo, |lp, connection| match connection {
        Ok(stream) => serve_echo(lp, stream),
        Err(error) => eprintln!("{error}"),
    })?;
    let metrics = lp.tcp_listen(metrics, |lp, connection| match connection {
        Ok(stream) => serve_metrics(lp, stream),
        Err(error) => eprintln!("{error}"),
    })?;
    println!("echo on {}", lp.local_address(echo).ok_or("the listener has closed")?);
    println!("metrics on {}", lp.local_address(metrics).ok_or("the listener has closed")?);

    lp.signal_start(SIGINT, Loop::stop)?;
    lp.run(RunMode::Default)?;
    println!("{} turns", lp.reader().snapshot().turns.unwrap_or(0));
    Ok(())
}

/// Sends back what comes, reading no further than the other side reads.
fn serve_echo(lp: &mut Loop, stream: HandleId) {
    lp.read_start(stream, move |lp, event| match event {
        ReadEvent::Data(bytes) => {
            lp.read_stop(stream);
            lp.write(stream, bytes, move |lp, result| match result {
                Ok(()) => serve_echo(lp, stream),
                Err(_) => lp.close(stream),
            });
        }
        ReadEvent::End => lp.end_with(stream, move |lp, _| lp.close(stream)),
        ReadEvent::Error(_) => lp.close(stream),
    });
}

/// Answers one request, whatever it asks for, and closes.
fn serve_metrics(lp: &mut Loop, stream: HandleId) {
    const REQUEST_BYTES_MAX: usize = 8 * 1024;
    let mut request = Vec::new();
    lp.read_start(stream, move |lp, event| {
        let ReadEvent::Data(bytes) = event else { return lp.close(stream) };
        request.extend_from_slice(bytes);
        if request.windows(4).any(|end| end == b"\r\n\r\n") {
            lp.read_stop(stream);
            let response = page(lp);
            lp.write(stream, response, move |lp, _| lp.close(stream));
        } else if request.len() > REQUEST_BYTES_MAX {
            lp.close(stream);
        }
    });
}

fn page(lp: &Loop) -> Vec<u8> {
    let reader = lp.reader();
    let snapshot = Snapshot {
        wall_ns: reader.clock().now_ns().saturating_sub(reader.started_ns()),
        clock: reader.clock().kind(),
        events: reader.events(),
        targets: vec![Target {
            pid: std::process::id(),
            name: "tcp_echo".to_owned(),
            runtime: Runtime::LoopCore,
            runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
            source: Source::Embedded,
            tier: Tier::Full,
            overhead_ratio: None,
            sampled: false,
            limits: Vec::new(),
        }],
        loops: vec![reader.snapshot()],
    };
    let mut body = Vec::new();
    if let Err(error) = PrometheusText.export(&snapshot, &SelfStats::default(), &mut body) {
        return format!("HTTP/1.1 500 Internal Server Error\r\n\r\n{error}\n").into_bytes();
    }
    let (kind, length) = (PrometheusText.content_type(), body.len());
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    [head.into_bytes(), body].concat()
}
