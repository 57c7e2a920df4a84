//! Every handle, as users of libuv know them: after libuv's tests of the same names where there are
//! any.

mod close;
mod errors;
mod files;
mod lookup;
mod pool;
mod refs;
mod signals;
mod tcp;
mod udp;
mod unix;
mod wakers;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use loop_core::{Clock, HandleId, Loop, Options, RunMode, RunStatus, SysError};

/// What has happened, in its order.
type Log = Rc<RefCell<Vec<String>>>;

/// After how long a test is taken to hang; none of them should need a hundredth of it.
const HANGS_MS: u64 = 60_000;

fn real_loop() -> Loop {
    guarded(Loop::new(Options::default()).unwrap())
}

fn loop_with_threads(threads: usize) -> Loop {
    guarded(Loop::new(Options { thread_pool_size: Some(threads), ..Options::default() }).unwrap())
}

/// Ends a loop that waits for what never comes.
fn guarded(mut lp: Loop) -> Loop {
    let guard = lp.timer_start(HANGS_MS, 0, |_| panic!("the loop hangs"));
    lp.handle_unref(guard);
    lp
}

fn virtual_loop() -> Loop {
    Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() }).unwrap()
}

fn done(lp: &mut Loop) {
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
}

/// Runs turn by turn until something has become true.
fn run_until(lp: &mut Loop, mut is_true: impl FnMut(&mut Loop) -> bool) {
    let give_up = Instant::now() + Duration::from_millis(HANGS_MS);
    while !is_true(lp) {
        lp.run(RunMode::NoWait).unwrap();
        assert!(Instant::now() < give_up, "it never becomes true");
    }
}

fn note(log: &Log, what: impl Display) {
    log.borrow_mut().push(what.to_string());
}

fn noting(log: &Log, what: &'static str) -> impl FnMut(&mut Loop) + 'static {
    let log = log.clone();
    move |_| note(&log, what)
}

/// Notes `what:ok`, or the name of the error in the place of `ok`.
fn noting_result<T>(
    log: &Log,
    what: &'static str,
) -> impl FnOnce(&mut Loop, Result<T, SysError>) + 'static {
    let log = log.clone();
    move |_, result| note(&log, format!("{what}:{}", outcome(&result)))
}

fn outcome<T>(result: &Result<T, SysError>) -> &'static str {
    result.as_ref().map_or_else(SysError::name, |_| "ok")
}

fn told(log: &Log) -> String {
    log.borrow_mut().drain(..).collect::<Vec<_>>().join(" ")
}

fn localhost() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// A place for a handle that its own callback is to know.
type Slot = Rc<Cell<Option<HandleId>>>;

/// A directory that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("loop-core-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}
