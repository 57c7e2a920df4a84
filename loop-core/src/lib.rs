//! An event loop with libuv's phases and Node's queues, and the recorder that measures it.
//!
//! ```text
//!  Loop ──writes──> Recorder ──shared atomics──> Reader ──> Snapshot ──> everything downstream
//! ```
//!
//! ```
//! use loop_core::{Loop, Options, RunMode};
//!
//! let mut lp = Loop::new(Options::default())?;
//! lp.enter(|lp| {
//!     lp.set_timeout(1, |_| println!("third"));
//!     lp.queue_microtask(|_| println!("second"));
//!     lp.next_tick(|_| println!("first"));
//! });
//! lp.run(RunMode::Default)?;
//! assert_eq!(lp.reader().snapshot().timers, Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a loop watches, and what it has done for it:
//!
//! | libuv | here |
//! |---|---|
//! | timers | [`Loop::timer_start`]; Node's: [`Loop::set_timeout`], [`Loop::set_interval`] |
//! | idle, prepare, check | [`Loop::idle_start`], [`Loop::prepare_start`], [`Loop::check_start`] |
//! | async | [`Loop::waker`] |
//! | tcp, pipe | [`Loop::tcp_listen`], [`Loop::tcp_connect`], [`Loop::unix_listen`]... |
//! | stream | [`Loop::read_start`], [`Loop::write`], [`Loop::end_with`] |
//! | udp | [`Loop::udp_bind`], [`Loop::udp_send`], [`Loop::udp_recv_start`] |
//! | signal | [`Loop::signal_start`] |
//! | fs | [`Loop::fs_open`], [`Loop::fs_read_file`] and the like |
//! | getaddrinfo | [`Loop::lookup`] |
//! | work, cancel | [`Loop::queue_work`], [`Loop::cancel_work`] |
//! | close, ref, walk | [`Loop::close_with`], [`Loop::handle_ref`], [`Loop::handles`] |
//!
//! Under a virtual clock the work of the pool, files and look-ups included, is done where it is
//! queued. Sockets and signals are real under either clock.
//!
//! Two examples are programs: `tcp_echo` (of `loopscope-exporters`) is a server that serves its own
//! metrics from the loop; `recorder_alone` puts the recorder around a loop that somebody else has
//! written.

pub mod buckets;
mod clock;
mod counters;
mod error;
mod event_loop;
mod fs;
mod handle;
mod io;
mod limits;
mod lookup;
mod net;
mod phase;
mod pool;
mod promise;
mod recorder;
mod selector;
mod signal;
pub mod snapshot;
pub mod stacks;
mod task;
mod timers;
pub mod units;
mod wake;

pub use clock::Clock;
#[cfg(target_os = "linux")]
pub use counters::Cgroup;
pub use error::{ErrorCode, LookupFailure, SysError};
pub use event_loop::{ImmediateId, Loop, LoopError, Options, RunMode, RunStatus};
pub use fs::{At, DirEntry, File};
pub use handle::HandleId;
pub use net::{ReadEvent, UdpEvent};
pub use phase::{PHASES, Phase, PhaseMap};
pub use pool::{JobError, JobId, thread_pool_size};
pub use promise::{Promise, Reason, Resolver};
pub use recorder::{
    Blame, Blamed, HistogramReader, HistogramWriter, NoRecord, Reader, Record, Recorder,
};
pub use timers::TimerId;
pub use wake::Waker;
