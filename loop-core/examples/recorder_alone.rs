//! The recorder alone, around a loop that somebody else wrote: a server on plain sockets and mio.
//!
//! ```text
//! cargo run --package loop-core --example recorder_alone
//! ```
//!
//! A loop tells the recorder when it starts and stops, when it begins to wait and when it comes
//! back, and when a phase of its work begins and ends. All the rest follows from these.

use std::error::Error;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use loop_core::{Clock, Phase, Record, Recorder};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const STALL_THRESHOLD_NS: u64 = 50_000_000;
const LISTENER: Token = Token(0);
const CONNECTION: Token = Token(1);

fn main() -> Result<(), Box<dyn Error>> {
    let clock = Clock::real();
    let (mut recorder, reader) = Recorder::new(clock.clone(), STALL_THRESHOLD_NS, false);

    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(64);
    let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let client = start_client(listener.local_addr()?);

    let mut connection = None;
    let start_ns = clock.now_ns();
    recorder.start(start_ns);
    recorder.open_turn(start_ns);
    loop {
        // The turn ends where the wait begins, and the next one begins where it ends.
        let asleep_ns = clock.now_ns();
        recorder.close_turn(asleep_ns);
        recorder.open_wait(asleep_ns);
        poll.poll(&mut events, None)?;
        let awake_ns = clock.now_ns();
        recorder.close_wait(awake_ns, awake_ns - asleep_ns);
        recorder.open_turn(awake_ns);

        recorder.enter_phase(Phase::Poll);
        let mut ended = false;
        for event in &events {
            if event.token() == LISTENER {
                let (mut stream, _) = listener.accept()?;
                poll.registry().register(&mut stream, CONNECTION, Interest::READABLE)?;
                connection = Some(stream);
            } else if let Some(stream) = &mut connection {
                ended = answer(stream)?;
            }
            recorder.callbacks(1);
        }
        recorder.leave_phase(Phase::Poll, clock.now_ns() - awake_ns);
        if ended {
            break;
        }
    }
    let end_ns = clock.now_ns();
    recorder.close_turn(end_ns);
    recorder.stop(end_ns);
    client.join().map_err(|_| "the client has panicked")??;

    let seen = reader.snapshot();
    let waited = seen.poll_wait_ns.as_ref().map_or(0, |waits| waits.count());
    println!("turns: {}, of which {waited} followed a wait", seen.turns.unwrap_or(0));
    println!("utilization: {:.2}", seen.utilization.unwrap_or(0.0));
    for stall in &seen.stalls {
        let phase = stall.phase.map_or("none", Phase::name);
        println!("stall of {} ms in phase {phase}", stall.duration_ns / 1_000_000);
    }
    Ok(())
}

/// Answers what has come. The request `!` takes a while: that is the stall. Returns whether the
/// client has gone.
fn answer(stream: &mut TcpStream) -> std::io::Result<bool> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(bytes) => {
                if buffer[..bytes].contains(&b'!') {
                    let begun = Instant::now();
                    while begun.elapsed() < Duration::from_millis(80) {}
                }
                stream.write_all(&buffer[..bytes])?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Sends a few requests, one after the other's answer.
fn start_client(server: SocketAddr) -> thread::JoinHandle<std::io::Result<()>> {
    thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(server)?;
        for request in b"..!..".chunks(1) {
            stream.write_all(request)?;
            stream.read_exact(&mut [0])?;
        }
        Ok(())
    })
}
