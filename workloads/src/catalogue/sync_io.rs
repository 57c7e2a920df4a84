//! Callbacks that read synchronously from something slow.
//!
//! A helper thread stands for the slow disk, child process or server: it answers a question after
//! a while, through a pipe. The loop's thread waits in the kernel, not on a CPU.

use std::cell::RefCell;
use std::io::{self, PipeReader, PipeWriter, Read, Write, pipe};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use loop_core::snapshot::LedgerKey;
use loop_core::{Loop, Phase, RunMode};

use super::{request, times};
use crate::job::RunError;
use crate::truth::{Fact, STALL};
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "sync-io",
    summary: "callbacks that read synchronously from something that answers after 200 ms",
    shows: "A request handler reads synchronously, as fs.readFileSync from a slow disk or \
            execFileSync would. The thread waits in the kernel: no CPU is used, and yet no other \
            callback has a turn. A timer armed before is late by the whole wait.",
    fixed: Some("reads on a thread of the pool; the loop turns meanwhile"),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 100_000),
            default: "3",
            help: "reads, one after the other",
        },
        Param {
            name: "delay",
            kind: ParamKind::Duration(Duration::ZERO, super::HOUR),
            default: "200ms",
            help: "how long each answer takes",
        },
    ],
    virtual_clock: false,
    needs: Needs::Nothing,
    start: Start::Round(round),
    truth,
};

/// Something slow to read from: it has to be asked, and answers with a byte.
struct Slow {
    ask: Sender<()>,
    answers: PipeReader,
}

impl Slow {
    fn new(delay: Duration) -> io::Result<Slow> {
        let (answers, writer) = pipe()?;
        let (ask, asked) = channel();
        let answer = move || answer(&asked, writer, delay);
        thread::Builder::new().name("slow-device".to_owned()).spawn(answer)?;
        Ok(Slow { ask, answers })
    }

    /// Asks, and reads the answer: what blocks.
    fn read(&mut self) -> io::Result<()> {
        self.ask.send(()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.answers.read_exact(&mut [0])
    }
}

/// Ends when nobody can ask any more.
fn answer(asked: &Receiver<()>, mut writer: PipeWriter, delay: Duration) {
    while asked.recv().is_ok() {
        thread::sleep(delay);
        if writer.write_all(&[1]).is_err() {
            return;
        }
    }
}

/// What went wrong in a callback, for the round to tell.
type Failed = Rc<RefCell<Option<io::Error>>>;

fn round(lp: &mut Loop, job: &Job) -> Result<(), RunError> {
    let (count, delay) = (job.args.count("count"), job.args.duration("delay"));
    let slow = Slow::new(delay).map_err(|error| RunError::System("the slow device", error))?;
    let failed = Failed::default();
    let (variant, seen) = (job.variant, failed.clone());
    lp.enter(|lp| match variant {
        Variant::Pathology => request(lp, move |lp| read_here(lp, slow, count, seen)),
        Variant::Fixed => request(lp, move |lp| read_in_pool(lp, slow, count, seen)),
    });
    lp.run(RunMode::Default)?;
    match failed.take() {
        Some(error) => Err(RunError::System("reading", error)),
        None => Ok(()),
    }
}

fn read_here(lp: &mut Loop, mut slow: Slow, left: u64, failed: Failed) {
    lp.set_timeout(1, |_| {});
    match slow.read() {
        Err(error) => drop(failed.replace(Some(error))),
        Ok(()) if left > 1 => request(lp, move |lp| read_here(lp, slow, left - 1, failed)),
        Ok(()) => {}
    }
}

fn read_in_pool(lp: &mut Loop, mut slow: Slow, left: u64, failed: Failed) {
    lp.set_timeout(1, |_| {});
    let read = move || slow.read().map(|()| slow);
    lp.queue_work(read, move |lp, done| match done {
        Ok(Ok(slow)) if left > 1 => read_in_pool(lp, slow, left - 1, failed),
        Ok(Ok(_)) => {}
        Ok(Err(error)) => drop(failed.replace(Some(error))),
        Err(error) => drop(failed.replace(Some(io::Error::other(error)))),
    });
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, delay) = (args.count("count"), args.duration("delay"));
    let (delay_ns, all_ns) = (delay.as_nanos() as u64, times(delay, count).as_nanos() as u64);
    let mut facts = vec![Fact::Timers(count), Fact::TookAtLeast(all_ns)];
    if variant == Variant::Fixed {
        // One brings the request into the poll phase.
        facts.push(Fact::PoolJobs(count + 1));
        return Truth::new("healthy", facts);
    }
    facts.extend([
        Fact::PoolJobs(count),
        Fact::BlockedAtLeast(delay_ns),
        Fact::LateAtLeast(delay_ns.saturating_sub(super::TIMER_NS)),
    ]);
    let stalls = delay >= STALL;
    if stalls {
        facts.extend([
            Fact::StallsAtLeast(count),
            Fact::LongestStallIn(Phase::Poll),
            Fact::LongestStallCallbacks(1),
            Fact::LongestStallBy(LedgerKey::SyncIo),
            Fact::OnCpuBelow(all_ns / 2),
        ]);
    }
    Truth::new(if stalls { "sync-io" } else { "healthy" }, facts)
}
