//! Looking names up, through the thread pool.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::error::{About, SysError};
use crate::event_loop::Loop;
use crate::pool::{JobId, JobKind};
use crate::recorder::Record;

impl<R: Record> Loop<R> {
    /// Looks up the addresses of a host (the C library's `getaddrinfo`), each with `port`, in the
    /// order in which they should be tried. An address in digits is its own answer.
    ///
    /// A look-up can wait long for a server, so at most half of the pool's threads do any at the
    /// same time, as in libuv; the others are free for files. [`Loop::cancel_work`] cancels one
    /// that has not begun. Cost: a job of the pool.
    ///
    /// The errors (call `getaddrinfo`) are `ENOTFOUND`, `EAI_AGAIN`, `EAI_FAIL`, or an errno:
    /// `ECANCELED`, `EAGAIN` when there is no thread, `EINVAL` for what can't be a name.
    pub fn lookup(
        &mut self,
        host: &str,
        port: u16,
        on_addresses: impl FnOnce(&mut Self, Result<Vec<SocketAddr>, SysError>) + 'static,
    ) -> JobId {
        let name = host.to_owned();
        let about = About::Host(host.to_owned());
        let look_up = move || {
            let addresses = (name.as_str(), port).to_socket_addrs();
            addresses.map(Iterator::collect).map_err(|error| SysError::lookup(&name, error))
        };
        self.queue_call(JobKind::Slow, "getaddrinfo", about, look_up, on_addresses)
    }
}
