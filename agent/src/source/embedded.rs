//! The embedded source: a workload or a script on a loop of our own, on a thread of its own.
//!
//! Cost: a snapshot copies about 150 KB of atomics; the loop does not notice.
//!
//! **Invariant**: nothing here ever joins the loop's thread. It may be in a drain that never ends,
//! and the report must come all the same.

use std::any::Any;
use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use loop_core::snapshot::{
    ClockKind, LoopSnapshot, Observed, Runtime, Snapshot, Source, Target, ThreadCpu, Tier,
};
use loop_core::{Loop, Options, Reader};

use super::{Observe, schedstat};

/// The name of the loop's thread, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-loop";

/// The stack of the loop's thread, of which only what is used takes memory. JavaScript may have
/// 4 MiB of it; the loop and its callbacks stand below and above that.
const STACK_BYTES: usize = 16 << 20;

/// What runs, or has run, on a loop of our own.
#[derive(Debug)]
pub struct Embedded {
    target: Target,
    reader: Reader,
    end: Arc<OnceLock<End>>,
}

/// What is only known while the loop's thread is there, kept when it goes.
#[derive(Clone, Copy, Debug)]
struct End {
    at_ns: u64,
    cpu: ThreadCpu,
}

/// Starts `body` on a new loop on a new thread. `on_end` is called there when it has ended, with
/// what it has returned; a panic in it is an error. Reports call it by `name`.
///
/// # Errors
/// When the thread or the loop can't be made.
pub fn start<T: 'static, E: Display>(
    name: &str,
    options: Options,
    body: impl FnOnce(&mut Loop) -> Result<T, E> + Send + 'static,
    on_end: impl FnOnce(io::Result<T>) + Send + 'static,
) -> io::Result<Arc<Embedded>> {
    let end = Arc::new(OnceLock::new());
    let at_end = Arc::clone(&end);
    let (started, reader) = sync_channel(1);
    let thread = thread::Builder::new().name(THREAD_NAME.to_owned()).stack_size(STACK_BYTES);
    thread.spawn(move || run(body, options, &started, &at_end, on_end))?;
    let reader = reader.recv().map_err(|_| io::Error::other("the loop's thread is gone"))??;
    let target = Target {
        pid: std::process::id(),
        name: name.to_owned(),
        runtime: Runtime::LoopCore,
        runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
        source: Source::Embedded,
        tier: Tier::Full,
        overhead_ratio: None,
        sampled: false,
        limits: Vec::new(),
    };
    Ok(Arc::new(Embedded { target, reader, end }))
}

/// The body of the loop's thread.
fn run<T, E: Display>(
    body: impl FnOnce(&mut Loop) -> Result<T, E>,
    options: Options,
    started: &SyncSender<io::Result<Reader>>,
    end: &OnceLock<End>,
    on_end: impl FnOnce(io::Result<T>),
) {
    let mut event_loop = match Loop::new(options) {
        Ok(event_loop) => event_loop,
        Err(error) => {
            // The starter waits for this; if it has gone, there is nobody to tell.
            let _ = started.send(Err(error));
            return;
        }
    };
    let reader = event_loop.reader();
    let _ = started.send(Ok(reader.clone()));
    let ended = catch_unwind(AssertUnwindSafe(|| body(&mut event_loop)));
    let cpu = cpu(&reader, &reader.snapshot());
    // Set once, here; nobody else sets it.
    let _ = end.set(End { at_ns: reader.clock().now_ns(), cpu });
    on_end(match ended {
        Ok(result) => result.map_err(|error| io::Error::other(error.to_string())),
        Err(panic) => Err(io::Error::other(message(&*panic))),
    });
}

impl Observe for Embedded {
    fn snapshot(&self) -> Snapshot {
        let end = self.end.get();
        let mut observed = self.reader.snapshot();
        observed.cpu = end.map_or_else(|| cpu(&self.reader, &observed), |end| end.cpu);
        let now_ns = end.map_or_else(|| self.reader.clock().now_ns(), |end| end.at_ns);
        let wall_ns = now_ns.saturating_sub(self.reader.started_ns());
        observed.observed = Observed::at(self.target.tier, wall_ns);
        Snapshot {
            wall_ns,
            clock: self.reader.clock().kind(),
            events: self.reader.events(),
            targets: vec![self.target.clone()],
            loops: vec![observed],
        }
    }
}

/// The kernel's figures are in real time, and so mean nothing beside virtual ones. How long the
/// thread was throttled only its recorder knows: its control group counts for all of its threads.
fn cpu(reader: &Reader, observed: &LoopSnapshot) -> ThreadCpu {
    match reader.clock().kind() {
        ClockKind::Real => {
            let throttled_ns = observed.cpu.throttled_ns;
            ThreadCpu { throttled_ns, ..schedstat::read(observed.tid) }
        }
        ClockKind::Virtual => ThreadCpu::default(),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a callback panicked: {}", text.unwrap_or_else(|| "no message".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// Only a hang takes longer.
    const LIMIT: Duration = Duration::from_secs(60);

    fn end_of(body: fn(&mut Loop) -> Result<i32, String>) -> io::Result<i32> {
        let (sender, ended) = channel();
        let on_end = move |result| drop(sender.send(result));
        start("x", Options::default(), body, on_end).unwrap();
        ended.recv_timeout(LIMIT).unwrap()
    }

    #[test]
    fn however_the_body_ends_it_is_told() {
        assert_eq!(end_of(|_| Ok(42)).unwrap(), 42);
        let error = end_of(|_| Err("no room".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "no room");
        let panics = |lp: &mut Loop| -> Result<i32, String> {
            lp.enter(|_| panic!("deliberate"));
            Ok(0)
        };
        let panic = end_of(panics).unwrap_err();
        assert_eq!(panic.to_string(), "a callback panicked: deliberate");
    }
}
