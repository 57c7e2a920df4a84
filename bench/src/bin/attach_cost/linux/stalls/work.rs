//! What is done while the cost of looking at stalls is measured, and who pays for it.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::{self, sleep};
use std::time::Duration;

use loopscope_bench::Failure;
use rustix::process::getppid;
use rustix::thread::gettid;

use crate::linux::load::Load;
use crate::linux::server::{Server, cpu_ns};

/// Steps of one piece of work of the process beside: messages, system calls, additions.
const MESSAGES: u32 = 1_000;
const CALLS: u32 = 20_000;
const ADDITIONS: u64 = 20_000_000;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Nothing.
    Rest(Duration),
    /// Requests, with that much time from an answer to the next one.
    Requests(usize, Duration),
    /// Pieces of work that has nothing to do with the target.
    Beside(usize),
}

/// What does it.
#[derive(Debug)]
pub(super) enum Worker {
    Rests(Duration),
    Asks(Load, usize),
    Works(Neighbour, usize),
}

impl Work {
    pub(super) fn begin(self, server: &Server) -> Result<Worker, Failure> {
        Ok(match self {
            Work::Rest(time) => Worker::Rests(time),
            Work::Requests(count, think) => {
                Worker::Asks(Load::open(server.port, 1, false, think)?, count)
            }
            Work::Beside(count) => Worker::Works(Neighbour::start()?, count),
        })
    }
}

impl Worker {
    /// Does it once, or a part of it.
    pub(super) fn work(&mut self, divisor: usize) -> Result<(), Failure> {
        match self {
            Worker::Rests(time) => sleep(time.div_f64(divisor as f64)),
            Worker::Asks(load, count) => load.run(count.div_ceil(divisor))?,
            Worker::Works(neighbour, count) => {
                (0..count.div_ceil(divisor)).try_for_each(|_| neighbour.work())?;
            }
        }
        Ok(())
    }

    /// The CPU time of what is looked at: the target's loop, or the process beside it.
    pub(super) fn paid_ns(&self, server: &Server) -> Result<u64, Failure> {
        match self {
            Worker::Works(neighbour, _) => neighbour.cpu_ns(),
            Worker::Rests(_) | Worker::Asks(..) => Ok(server.account()?.cpu_ns),
        }
    }
}

/// Two threads of this process that compute, call the kernel, and wake each other: what a probe on
/// system calls or on the scheduler would make dearer.
#[derive(Debug)]
pub(super) struct Neighbour {
    here: UnixStream,
    tids: [u32; 2],
}

impl Neighbour {
    fn start() -> Result<Neighbour, Failure> {
        let (here, mut there) = UnixStream::pair()?;
        let mut tid = [0; 4];
        // It ends when the other end is closed.
        thread::spawn(move || -> io::Result<()> {
            there.write_all(&own_tid().to_ne_bytes())?;
            let mut byte = [0];
            loop {
                there.read_exact(&mut byte)?;
                there.write_all(&byte)?;
            }
        });
        (&here).read_exact(&mut tid)?;
        Ok(Neighbour { here, tids: [own_tid(), u32::from_ne_bytes(tid)] })
    }

    fn work(&mut self) -> io::Result<()> {
        let mut byte = [1];
        for _ in 0..MESSAGES {
            self.here.write_all(&byte)?;
            self.here.read_exact(&mut byte)?;
        }
        for _ in 0..CALLS {
            std::hint::black_box(getppid());
        }
        let sum = (0..ADDITIONS).fold(0_u64, |sum, step| std::hint::black_box(sum ^ step));
        std::hint::black_box(sum);
        Ok(())
    }

    fn cpu_ns(&self) -> Result<u64, Failure> {
        let pid = std::process::id();
        self.tids.iter().map(|&tid| cpu_ns(pid, tid)).sum()
    }
}

fn own_tid() -> u32 {
    gettid().as_raw_nonzero().get() as u32
}
