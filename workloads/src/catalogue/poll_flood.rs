//! Thousands of sockets that are ready in one poll.
//!
//! Both ends of each connection are in this process. They are made first, then a byte is written
//! into each while the loop doesn't run, so that its next poll finds all of them ready.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use loop_core::{HandleId, Loop, Phase, ReadEvent, RunMode};

use super::{pieces, times};
use crate::job::RunError;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "poll-flood",
    summary: "two thousand sockets ready in one poll, each with a little work",
    shows: "All clients send at once, as after an outage. The poll takes every socket that is \
            ready, 1,024 at a time and up to 48 times, before the loop goes on to its immediates \
            and timers: each callback is short, and the turn is long.",
    fixed: Some(
        "reads from as many sockets a turn as make 2 ms of work; the others wait in the kernel",
    ),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 20_000),
            default: "2000",
            help: "connections; each takes two descriptors",
        },
        Param {
            name: "work",
            kind: ParamKind::ANY_DURATION,
            default: "250us",
            help: "busy work for what each socket sends",
        },
    ],
    virtual_clock: false,
    needs: Needs::Connections(|args| args.count("count")),
    start: Start::Round(round),
    truth,
};

/// Connections made at once: well below what a listener lets wait.
const CONNECTS: usize = 64;

/// Connections in the making.
#[derive(Default)]
struct Connections {
    wanted: usize,
    /// The ends that send, outside of the loop.
    clients: Vec<TcpStream>,
    /// The ends on the loop.
    streams: VecDeque<HandleId>,
    failed: Option<io::Error>,
}

type Shared = Rc<RefCell<Connections>>;

fn round(lp: &mut Loop, job: &Job) -> Result<(), RunError> {
    let (count, work) = (job.args.count("count"), job.args.duration("work"));
    let refused = |error| RunError::System("a connection to itself", error);
    let reads_at_once = job.variant == Variant::Pathology;
    let on_accept = move |lp: &mut Loop, id| {
        if reads_at_once {
            lp.read_start(id, move |lp, event| answer(lp, id, &event, work));
        }
    };
    let (mut clients, streams) = connect(lp, count as usize, on_accept)?;
    for client in &mut clients {
        client.write_all(b"?").map_err(refused)?;
    }
    if job.variant == Variant::Fixed {
        lp.enter(move |lp| read_slice(lp, streams, work));
    }
    lp.run(RunMode::Default)?;
    Ok(())
}

/// Makes connections, a few at a time, and runs the loop until it has accepted all of them.
fn connect(
    lp: &mut Loop,
    wanted: usize,
    mut on_accept: impl FnMut(&mut Loop, HandleId) + 'static,
) -> Result<(Vec<TcpStream>, VecDeque<HandleId>), RunError> {
    let refused = |error| RunError::System("a connection to itself", error);
    let shared = Shared::new(RefCell::new(Connections { wanted, ..Connections::default() }));
    let own = shared.clone();
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = lp.tcp_listen(here, move |lp, connection| match connection {
        Ok(id) => {
            on_accept(lp, id);
            own.borrow_mut().streams.push_back(id);
        }
        Err(error) => own.borrow_mut().failed = Some(error.into()),
    });
    let listener = listener.map_err(|error| refused(error.into()))?;
    let address = lp.local_address(listener).unwrap_or(here);
    while shared.borrow().streams.len() < wanted {
        shared.borrow_mut().connect_some(address).map_err(refused)?;
        while shared.borrow().is_waiting() {
            lp.run(RunMode::Once)?;
        }
        if let Some(error) = shared.borrow_mut().failed.take() {
            return Err(refused(error));
        }
    }
    lp.close(listener);
    let made = shared.take();
    Ok((made.clients, made.streams))
}

impl Connections {
    fn is_waiting(&self) -> bool {
        self.failed.is_none() && self.streams.len() < self.clients.len()
    }

    fn connect_some(&mut self, address: SocketAddr) -> io::Result<()> {
        for _ in 0..CONNECTS.min(self.wanted - self.clients.len()) {
            self.clients.push(TcpStream::connect(address)?);
        }
        Ok(())
    }
}

/// What a client has sent is worked on, and the connection closed.
fn answer(lp: &mut Loop, id: HandleId, event: &ReadEvent<'_>, work: Duration) {
    if let ReadEvent::Data(_) = event {
        lp.busy(work);
    }
    lp.close(id);
}

/// Reads from a few, and when the last of them is done from the next ones.
fn read_slice(lp: &mut Loop, mut streams: VecDeque<HandleId>, work: Duration) {
    let slice = streams.len().min(pieces(work) as usize);
    for id in streams.drain(..slice) {
        lp.read_start(id, move |lp, event| answer(lp, id, &event, work));
    }
    if !streams.is_empty() {
        lp.set_immediate(move |lp| read_slice(lp, streams, work));
    }
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    // Each connection is accepted and read from.
    let mut facts = vec![Fact::Callbacks(Phase::Poll, 2 * count)];
    if variant == Variant::Fixed {
        let slice = pieces(work).min(count);
        facts.push(Fact::Immediates(count.div_ceil(slice) - 1));
        return Truth::new("healthy", facts).with_longest_turn(times(work, slice));
    }
    super::held_up_by(facts, Phase::Poll, count, work, "poll-flood")
}
