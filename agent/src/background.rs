//! The thread that talks to the world while a loop is observed: HTTP, OTLP push, signals.
//!
//! One current-thread runtime of tokio on one thread of its own. It reads snapshots and never
//! waits for the observed loop.
//!
//! **Invariant**: stopping takes at most [`GRACE`], whatever a peer does or does not do.

use std::fs;
use std::future::{Future, pending};
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::exit::Interrupt;
use crate::push::{self, Pusher};
use crate::serve::{self, Site};

/// The name of the thread, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-net";

/// How long the last push and open requests may take when the run is over.
pub const GRACE: Duration = Duration::from_secs(6);

/// How long open requests may take of it. A page takes a millisecond.
const REQUESTS_MAX: Duration = Duration::from_millis(500);

const _: () = assert!(REQUESTS_MAX.as_millis() < GRACE.as_millis());
const _: () = assert!(push::LAST_PUSH_MAX.as_secs() < GRACE.as_secs());

/// The runtime opens six descriptors: for its poll and to wake it, and a pair for signals.
const RUNTIME_PAIRS: usize = 3;

/// What is called on a signal; `false` if nobody listens any more.
pub type OnInterrupt = Box<dyn FnMut(Interrupt) -> bool + Send>;

/// What is called on SIGHUP where that asks for no end.
pub type OnReload = Box<dyn Fn() + Send>;

/// What the thread does.
#[derive(Default)]
pub struct Tasks {
    /// Called on the first Ctrl-C or request to end. `None`: signals are left alone.
    pub on_interrupt: Option<OnInterrupt>,
    /// Called on each SIGHUP. `None`: one is a request to end.
    pub on_reload: Option<OnReload>,
    /// Where to serve, and what.
    pub site: Option<(TcpListener, Arc<Site>)>,
    /// What pushes.
    pub pusher: Option<Pusher>,
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks").field("pusher", &self.pusher).finish_non_exhaustive()
    }
}

/// The running thread.
#[derive(Debug)]
pub struct Background {
    stop: watch::Sender<bool>,
    stopped: Receiver<()>,
}

impl Background {
    /// Starts the thread; signals are caught when this returns.
    ///
    /// # Errors
    /// When the thread, the runtime or the signal handlers can't be made.
    pub fn start(tasks: Tasks) -> io::Result<Background> {
        let (stop, stopping) = watch::channel(false);
        let (ready, readied) = sync_channel(1);
        let (done, stopped) = sync_channel(1);
        let body = move || {
            run(tasks, stopping, &ready);
            // Nobody waits for it when the process ends without a stop.
            let _ = done.send(());
        };
        thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(body)?;
        readied.recv().map_err(|_| io::Error::other("the network thread is gone"))??;
        Ok(Background { stop, stopped })
    }

    /// Ends open requests and pushes a last time, for at most [`GRACE`].
    pub fn stop(self) {
        self.stop.send_replace(true);
        // Too late and gone come to the same: the process ends now.
        let _ = self.stopped.recv_timeout(GRACE);
    }
}

/// The body of the thread.
fn run(tasks: Tasks, stopping: watch::Receiver<bool>, ready: &SyncSender<io::Result<()>>) {
    let built = look_for_room().and_then(|()| Builder::new_current_thread().enable_all().build());
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match start_tasks(tasks, stopping) {
            Ok(mut running) => {
                let _ = ready.send(Ok(()));
                while running.join_next().await.is_some() {}
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
}

/// The runtime panics where there is no descriptor left for its sockets: the error comes from here.
fn look_for_room() -> io::Result<()> {
    let pairs: io::Result<Vec<_>> = (0..RUNTIME_PAIRS).map(|_| UnixStream::pair()).collect();
    pairs.map(drop)
}

/// Sets the tasks going. The set holds those that a stop waits for.
fn start_tasks(tasks: Tasks, stopping: watch::Receiver<bool>) -> io::Result<JoinSet<()>> {
    let mut running = JoinSet::new();
    if let Some(on_interrupt) = tasks.on_interrupt {
        let signals = Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: match ignores_hang_up() || tasks.on_reload.is_some() {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        };
        tokio::spawn(watch_signals(signals, on_interrupt));
    }
    if let Some(on_reload) = tasks.on_reload {
        let hang_ups = signal(SignalKind::hangup())?;
        tokio::spawn(watch_hang_ups(hang_ups, on_reload));
    }
    running.spawn(until_stopped(stopping.clone()));
    if let Some((listener, site)) = tasks.site {
        let serving = serve::serve(listener, site, stopped(stopping.clone()))?;
        running.spawn(cut_off(serving, stopped(stopping.clone())));
    }
    if let Some(pusher) = tasks.pusher {
        running.spawn(pusher.run(stopped(stopping)));
    }
    Ok(running)
}

async fn until_stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it everybody who could want more.
    let _ = stopping.wait_for(|&stop| stop).await;
}

/// From now on SIGHUP does not end this process, and is told to [`Tasks::on_reload`] once there is
/// one. Makes no thread.
///
/// # Errors
/// When the signal can't be caught.
pub fn catch_hang_ups() -> io::Result<()> {
    look_for_room()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    // Once it is caught it stays so, also without a runtime.
    signal(SignalKind::hangup()).map(drop)
}

/// Runs `serving` to its end, but for no longer than [`REQUESTS_MAX`] behind the stop: a client
/// may never finish its request.
async fn cut_off(serving: impl Future<Output = ()>, stop: impl Future<Output = ()>) {
    let late = async {
        stop.await;
        tokio::time::sleep(REQUESTS_MAX).await;
    };
    tokio::select! {
        () = serving => {}
        () = late => {}
    }
}

/// A future that is done when the thread is to stop.
fn stopped(stopping: watch::Receiver<bool>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(until_stopped(stopping))
}

/// The first signal asks for an end with a report, the second ends at once.
async fn watch_signals(mut signals: Signals, mut on_interrupt: OnInterrupt) {
    loop {
        let by = signals.next().await;
        let heard = on_interrupt(by);
        if !heard {
            process::exit(i32::from(by.code()));
        }
        on_interrupt = Box::new(|_| false);
    }
}

async fn watch_hang_ups(mut hang_ups: Signal, on_reload: OnReload) {
    while hang_ups.recv().await.is_some() {
        on_reload();
    }
}

/// What asks for an end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None`: we were started to outlive the terminal.
    hang_up: Option<Signal>,
}

impl Signals {
    async fn next(&mut self) -> Interrupt {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Interrupt::CtrlC,
            _ = self.terminate.recv() => Interrupt::Terminate,
            _ = hang_up => Interrupt::HangUp,
        }
    }
}

/// Whether SIGHUP is ignored, as `nohup` has it.
fn ignores_hang_up() -> bool {
    ignores(SignalKind::hangup().as_raw_value())
}

/// Whether we were started to ignore this signal. Where that isn't told, it is left as it is.
pub fn ignores(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask.checked_shr(signal.unsigned_abs() - 1).unwrap_or(0) & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;

    #[test]
    fn a_client_that_never_finishes_its_request_holds_nobody_up() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(cut_off(pending(), ready(())));
        runtime.block_on(cut_off(ready(()), pending()));
    }

    #[test]
    fn a_stop_ends_the_thread() {
        let tasks = Tasks { on_interrupt: Some(Box::new(|_| true)), ..Tasks::default() };
        let background = Background::start(tasks).unwrap();
        background.stop.send_replace(true);
        assert!(background.stopped.recv().is_ok());
    }
}
