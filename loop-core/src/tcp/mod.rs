//! TCP: listeners and streams whose callbacks run in the poll phase.
//!
//! The kernel's readiness is edge-triggered here (mio), libuv's is level-triggered. A stream that
//! may hold more than it could read in its turn is remembered and read again in the next, so the
//! difference can't be seen.

mod listener;
mod stream;

pub(crate) use listener::Listener;
pub use stream::ReadEvent;
pub(crate) use stream::Stream;
