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

pub mod buckets;
mod clock;
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
mod task;
mod timers;
pub mod units;
mod wake;

pub use clock::Clock;
pub use error::{ErrorCode, LookupFailure, SysError};
pub use event_loop::{ImmediateId, Loop, LoopError, Options, RunMode, RunStatus};
pub use fs::{At, DirEntry, File};
pub use handle::HandleId;
pub use net::{ReadEvent, UdpEvent};
pub use phase::{PHASES, Phase, PhaseMap};
pub use pool::{JobError, JobId};
pub use promise::{Promise, Reason, Resolver};
pub use recorder::{NoRecord, Reader, Record, Recorder};
pub use timers::TimerId;
pub use wake::Waker;
