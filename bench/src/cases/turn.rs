//! Turns: one poll each, with nothing to do but an idle and a check callback, with immediates, and
//! with one byte arriving at a socket.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use loop_core::{HandleId, Loop, ReadEvent, Record, RunMode};

use crate::Failure;
use crate::measure::{Batch, Case};

/// Turns with an idle and a check handle, whose check callback queues so many immediates: an
/// operation is a turn.
pub fn turns<R: Record>(mut lp: Loop<R>, turns: u64, immediates: u64) -> Case {
    let left = count_down(&mut lp, immediates);
    Box::new(move || {
        left.set(turns);
        Batch::try_timed(turns, || lp.run(RunMode::Default))
    })
}

/// As [`turns`], but an operation is an immediate.
pub fn immediates<R: Record>(mut lp: Loop<R>, turns: u64, immediates: u64) -> Case {
    let left = count_down(&mut lp, immediates);
    Box::new(move || {
        left.set(turns);
        Batch::try_timed(turns * immediates, || lp.run(RunMode::Default))
    })
}

/// As [`immediates`], but each immediate sets the one that follows it, for the next turn.
pub fn immediates_chained<R: Record>(mut lp: Loop<R>, turns: u64, immediates: u64) -> Case {
    fn set<R: Record>(lp: &mut Loop<R>, left: u64, number: u64) {
        lp.set_immediate(move |lp| {
            let number = std::hint::black_box(number);
            if left > 1 {
                set(lp, left - 1, number);
            }
        });
    }
    Box::new(move || {
        (0..immediates).for_each(|number| set(&mut lp, turns, number));
        Batch::try_timed(turns * immediates, || lp.run(RunMode::Default))
    })
}

/// Gives the loop its handles. It stops when the cell has been counted down to 0.
fn count_down<R: Record>(lp: &mut Loop<R>, immediates: u64) -> Rc<Cell<u64>> {
    let left = Rc::new(Cell::new(0));
    let counter = left.clone();
    lp.idle_start(|_| {});
    lp.check_start(move |lp| {
        for number in 0..immediates {
            lp.set_immediate(move |_| {
                std::hint::black_box(number);
            });
        }
        counter.set(counter.get() - 1);
        if counter.get() == 0 {
            lp.stop();
        }
    });
    left
}

/// Turns in each of which one byte arrives over TCP: its callback sets an immediate, which sends
/// the next one. An operation is a turn: a poll that finds the socket ready, a read, a second read
/// that finds nothing, an immediate, a write.
///
/// # Errors
/// Those of the sockets.
pub fn tcp_turns<R: Record>(mut lp: Loop<R>, turns: u64) -> Result<Case, Failure> {
    let accepted = Accepted::default();
    let seen = accepted.clone();
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = lp.tcp_listen(anywhere, move |_, stream| seen.set(stream.ok()))?;
    let address = lp.local_address(listener).ok_or("the listener has closed")?;
    let client = TcpStream::connect(address)?;
    client.set_nodelay(true)?;
    let sender = client.try_clone()?;
    byte_turns(lp, turns, &accepted, client, sender)
}

/// As [`tcp_turns`], over a Unix socket, which costs the kernel less.
///
/// # Errors
/// Those of the sockets.
pub fn unix_turns<R: Record>(mut lp: Loop<R>, turns: u64) -> Result<Case, Failure> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("loopscope-bench-{}-{number}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let accepted = Accepted::default();
    let seen = accepted.clone();
    lp.unix_listen(&path, move |_, stream| seen.set(stream.ok()))?;
    let client = UnixStream::connect(&path)?;
    let sender = client.try_clone()?;
    byte_turns(lp, turns, &accepted, client, sender)
}

/// Where an accepted connection is put.
type Accepted = Rc<Cell<Option<HandleId>>>;

/// Turns of a loop whose accepted connection is the other end of `client` and its clone.
fn byte_turns<R: Record>(
    mut lp: Loop<R>,
    turns: u64,
    accepted: &Accepted,
    mut client: impl Write + 'static,
    sender: impl Write + 'static,
) -> Result<Case, Failure> {
    let stream = loop {
        lp.run(RunMode::Once)?;
        if let Some(stream) = accepted.take() {
            break stream;
        }
    };
    let left = Rc::new(Cell::new(0));
    let counter = left.clone();
    let sender = Rc::new(RefCell::new(sender));
    lp.read_start(stream, move |lp, event| {
        let arrived = matches!(event, ReadEvent::Data(_));
        counter.set(counter.get() - u64::from(arrived));
        let done = !arrived || counter.get() == 0;
        let sender = sender.clone();
        lp.set_immediate(move |lp| {
            if done || sender.borrow_mut().write_all(b"x").is_err() {
                lp.stop();
            }
        });
    });
    Ok(Box::new(move || {
        left.set(turns);
        client.write_all(b"x")?;
        let batch = Batch::try_timed(turns, || lp.run(RunMode::Default))?;
        if left.get() > 0 {
            return Err("the socket has closed".into());
        }
        Ok(batch)
    }))
}
