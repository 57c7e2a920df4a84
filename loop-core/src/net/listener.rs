//! Listeners.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use mio::Registry;
use mio::net::{TcpListener, UnixListener};

use super::Stream;
use super::socket::{Acceptor, Socket, SocketFile};
use crate::error::{About, SysError};
use crate::event_loop::Loop;
use crate::handle::{HandleId, Kind};
use crate::limits::ACCEPT_RETRY_MS;
use crate::recorder::Record;

type OnConnection<R> = Box<dyn FnMut(&mut Loop<R>, Result<HandleId, SysError>)>;

/// A socket that accepts connections.
pub(crate) struct Listener<R: Record> {
    pub(super) socket: Acceptor,
    on_connection: Option<OnConnection<R>>,
    /// Whether accepting has failed and a timer will let it go on.
    retrying: bool,
}

impl<R: Record> Listener<R> {
    pub(crate) fn close_socket(&mut self, registry: &Registry) {
        self.socket.close(registry);
    }
}

impl<R: Record> Loop<R> {
    /// Listens on an address; port 0 lets the kernel choose one. The callback runs for each
    /// connection, and for errors of accepting, after which listening goes on.
    ///
    /// # Errors
    /// The system's (call `listen`), as when the port is taken: `EADDRINUSE`.
    pub fn tcp_listen(
        &mut self,
        address: SocketAddr,
        on_connection: impl FnMut(&mut Self, Result<HandleId, SysError>) + 'static,
    ) -> Result<HandleId, SysError> {
        let socket = TcpListener::bind(address)
            .map_err(|error| SysError::new("listen", error).about(About::Address(address)))?;
        self.listen(Acceptor::Tcp(socket), Box::new(on_connection))
    }

    /// Listens on a Unix socket, whose file is made here and removed when the listener closes.
    /// All else is as in [`Loop::tcp_listen`].
    ///
    /// # Errors
    /// The system's (call `listen`): `EADDRINUSE` when there is a file of that name, a dead socket
    /// included; `EACCES` when its folder is closed to us or missing (so libuv); `EINVAL` for a
    /// name that is empty or longer than the system's socket addresses.
    pub fn unix_listen(
        &mut self,
        path: impl AsRef<Path>,
        on_connection: impl FnMut(&mut Self, Result<HandleId, SysError>) + 'static,
    ) -> Result<HandleId, SysError> {
        let path = path.as_ref();
        let about = About::SocketPath(path.to_owned());
        // The kernel would choose a name for a socket that has none.
        if path.as_os_str().is_empty() {
            return Err(SysError::errno_of("listen", libc::EINVAL, about));
        }
        let socket = UnixListener::bind(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SysError::errno_of("listen", libc::EACCES, about),
            _ => SysError::new("listen", error).about(about),
        })?;
        self.listen(Acceptor::Unix(socket, SocketFile::of(path)), Box::new(on_connection))
    }

    fn listen(
        &mut self,
        socket: Acceptor,
        on_connection: OnConnection<R>,
    ) -> Result<HandleId, SysError> {
        let listener = Listener { socket, on_connection: Some(on_connection), retrying: false };
        self.add_socket("listen", Kind::Listener(listener), true)
    }

    /// Accepts one connection, as libuv since 1.45. Whether another waits is seen in the next turn.
    pub(crate) fn accept_ready(&mut self, id: HandleId) {
        if self.listener(id).is_none_or(|listener| listener.retrying) {
            return;
        }
        // Without anybody to tell of it a connection stays where it is.
        let Some(mut on_connection) = self.take_on_connection(id) else { return };
        let Some(accepted) = self.accept(id) else {
            self.put_on_connection(id, on_connection);
            return;
        };
        let connection = accepted.and_then(|socket| self.adopt(socket));
        let failed = connection.is_err();
        self.callback(|lp| {
            on_connection(lp, connection);
            lp.put_on_connection(id, on_connection);
        });
        if failed {
            self.accept_later(id);
        } else {
            self.io.unread.push(id);
        }
    }

    /// Accepts again after a while. When there are no descriptors left the connection still waits,
    /// and asking for it at once, again and again, would keep a CPU busy for nothing.
    fn accept_later(&mut self, id: HandleId) {
        let Some(listener) = self.listener(id) else { return };
        listener.retrying = true;
        let timer = Rc::new(Cell::new(None));
        let own = timer.clone();
        let retry = self.timer_start(ACCEPT_RETRY_MS, 0, move |lp| {
            if let Some(listener) = lp.listener(id) {
                listener.retrying = false;
                lp.io.readable.push(id);
            }
            if let Some(timer) = own.get() {
                lp.close(timer);
            }
        });
        self.handle_unref(retry);
        self.hide(retry);
        timer.set(Some(retry));
    }

    /// The next connection; `None` when there is none for now.
    fn accept(&mut self, id: HandleId) -> Option<Result<Socket, SysError>> {
        use io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
        loop {
            match self.listener(id)?.socket.accept() {
                Ok(socket) => return Some(Ok(socket)),
                Err(error) if error.kind() == WouldBlock => return None,
                // That one has gone; the next one may be there.
                Err(error) if matches!(error.kind(), ConnectionAborted | Interrupted) => {}
                Err(error) => return Some(Err(SysError::new("accept", error))),
            }
        }
    }

    fn adopt(&mut self, socket: Socket) -> Result<HandleId, SysError> {
        self.add_socket("accept", Kind::Stream(Stream::connected(socket)), false)
    }

    fn listener(&mut self, id: HandleId) -> Option<&mut Listener<R>> {
        match &mut self.handles.get_mut(id).filter(|handle| !handle.closing)?.kind {
            Kind::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    fn put_on_connection(&mut self, id: HandleId, on_connection: OnConnection<R>) {
        if let Some(listener) = self.listener(id) {
            listener.on_connection = Some(on_connection);
        }
    }

    fn take_on_connection(&mut self, id: HandleId) -> Option<OnConnection<R>> {
        self.listener(id)?.on_connection.take()
    }
}
