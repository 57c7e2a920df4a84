//! Sockets: streams and listeners over TCP and Unix sockets alike, and UDP. Their callbacks run in
//! the poll phase.
//!
//! The kernel's readiness is edge-triggered here (mio), libuv's is level-triggered. A socket that
//! may hold more than it could give in its turn is remembered and read again in the next, so the
//! difference can't be seen.

mod listener;
mod socket;
mod stream;
mod udp;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::error::{About, SysError};
use crate::event_loop::Loop;
use crate::handle::{HandleId, Kind};
use crate::io::token_of;
use crate::recorder::Record;
pub(crate) use listener::Listener;
pub use stream::ReadEvent;
pub(crate) use stream::Stream;
pub(crate) use udp::Udp;
pub use udp::UdpEvent;

/// A callback for what has ended well or not.
pub(crate) type OnResult<R> = Box<dyn FnOnce(&mut Loop<R>, Result<(), SysError>)>;

/// A callback with what it is to be told.
pub(crate) type Owed<R> = (OnResult<R>, Result<(), SysError>);

impl<R: Record> Loop<R> {
    /// The near end of a socket, where that is an address of the internet; `None` when it is
    /// closed.
    pub fn local_address(&self, id: HandleId) -> Option<SocketAddr> {
        match &self.handles.get(id)?.kind {
            Kind::Listener(listener) => listener.socket.local_address(),
            Kind::Stream(stream) => stream.socket.local_address(),
            Kind::Udp(udp) => udp.socket().local_addr().ok(),
            _ => None,
        }
    }

    /// The far end of a connected socket, where that is an address of the internet.
    pub fn peer_address(&self, id: HandleId) -> Option<SocketAddr> {
        match &self.handles.get(id)?.kind {
            Kind::Stream(stream) => stream.socket.peer_address(),
            Kind::Udp(udp) => udp.socket().peer_addr().ok(),
            _ => None,
        }
    }

    /// The path of a Unix listener, or that of the near end of a stream; most of these have none.
    pub fn local_path(&self, id: HandleId) -> Option<PathBuf> {
        match &self.handles.get(id)?.kind {
            Kind::Listener(listener) => listener.socket.local_path(),
            Kind::Stream(stream) => stream.socket.local_path(),
            _ => None,
        }
    }

    /// The path that a Unix stream is connected to.
    pub fn peer_path(&self, id: HandleId) -> Option<PathBuf> {
        match &self.handles.get(id)?.kind {
            Kind::Stream(stream) => stream.socket.peer_path(),
            _ => None,
        }
    }

    /// Has the next poll tell what streams have whose reading has begun, as libuv asks for it then:
    /// neither what has come before is lost, nor is read in it what comes while others have their
    /// turn.
    #[cold]
    pub(crate) fn ask_again(&mut self) {
        for id in std::mem::take(&mut self.io.untold) {
            if let Some(handle) = self.handles.get_mut(id)
                && let Kind::Stream(stream) = &mut handle.kind
            {
                stream.read_again = false;
                stream.socket.ask_again(self.io.registry(), token_of(id));
            }
        }
    }

    /// Puts a new socket into a handle and registers it with the poll.
    fn add_socket(
        &mut self,
        call: &'static str,
        kind: Kind<R>,
        active: bool,
    ) -> Result<HandleId, SysError> {
        let id = self.handles.insert(kind, active);
        let Some(handle) = self.handles.get_mut(id) else { return Ok(id) };
        let (registry, token) = (self.io.registry(), token_of(id));
        let result = match &mut handle.kind {
            Kind::Listener(listener) => listener.socket.register(registry, token),
            Kind::Stream(stream) => stream.socket.register(registry, token),
            Kind::Udp(udp) => udp.register(registry, token),
            _ => Ok(()),
        };
        result.map(|()| id).map_err(|error| {
            self.handles.remove(id);
            SysError::new(call, error)
        })
    }
}

/// The error of a socket whose handle was closed before.
fn closed(call: &'static str) -> SysError {
    SysError::canceled(call, About::Socket)
}
