//! Listeners.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use mio::{Interest, Registry};

use super::Stream;
use crate::event_loop::Loop;
use crate::handle::{HandleId, Kind};
use crate::io::token_of;
use crate::limits::{ACCEPT_RETRY_MS, ACCEPTS_A_TURN};
use crate::recorder::Record;

type OnConnection<R> = Box<dyn FnMut(&mut Loop<R>, io::Result<HandleId>)>;

/// A socket that accepts connections.
pub(crate) struct Listener<R: Record> {
    socket: mio::net::TcpListener,
    on_connection: Option<OnConnection<R>>,
}

impl<R: Record> Listener<R> {
    pub(crate) fn deregister(&mut self, registry: &Registry) {
        // Fails only for a socket that isn't registered, which is what is wanted.
        let _ = registry.deregister(&mut self.socket);
    }
}

impl<R: Record> Loop<R> {
    /// Listens on an address; port 0 lets the kernel choose one. The callback runs for each
    /// connection, and for errors of accepting, after which listening goes on.
    ///
    /// # Errors
    /// The system's, as when the port is taken.
    pub fn tcp_listen(
        &mut self,
        address: SocketAddr,
        on_connection: impl FnMut(&mut Self, io::Result<HandleId>) + 'static,
    ) -> io::Result<HandleId> {
        let socket = mio::net::TcpListener::bind(address)?;
        let listener = Listener { socket, on_connection: Some(Box::new(on_connection)) };
        let id = self.handles.insert(Kind::Listener(listener), true);
        self.register(id)?;
        Ok(id)
    }

    /// The address of a listener, or the near end of a stream; `None` when it is closed.
    pub fn local_address(&self, id: HandleId) -> Option<SocketAddr> {
        match &self.handles.get(id)?.kind {
            Kind::Listener(listener) => listener.socket.local_addr().ok(),
            Kind::Stream(stream) => stream.socket().local_addr().ok(),
            _ => None,
        }
    }

    /// Registers a new socket with the poll. On failure its handle is gone again.
    pub(super) fn register(&mut self, id: HandleId) -> io::Result<()> {
        let registry = self.io.registry();
        let Some(handle) = self.handles.get_mut(id) else { return Ok(()) };
        let result = match &mut handle.kind {
            Kind::Listener(listener) => {
                registry.register(&mut listener.socket, token_of(id), Interest::READABLE)
            }
            Kind::Stream(stream) => registry.register(
                stream.socket_mut(),
                token_of(id),
                Interest::READABLE | Interest::WRITABLE,
            ),
            _ => Ok(()),
        };
        if result.is_err() {
            self.handles.remove(id);
        }
        result
    }

    pub(crate) fn accept_ready(&mut self, id: HandleId) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some(accepted) = self.accept(id) else { return };
            let connection = accepted.and_then(|socket| self.adopt(socket));
            let failed = connection.is_err();
            let Some(mut on_connection) = self.take_on_connection(id) else { return };
            self.callback(|lp| {
                on_connection(lp, connection);
                if let Some(listener) = lp.listener(id) {
                    listener.on_connection = Some(on_connection);
                }
            });
            if failed {
                self.accept_later(id);
                return;
            }
        }
        self.io.readable.push(id);
    }

    /// Accepts again after a while. When there are no descriptors left the connection still waits,
    /// and asking for it at once, again and again, would keep a CPU busy for nothing.
    fn accept_later(&mut self, id: HandleId) {
        let timer = Rc::new(Cell::new(None));
        let own = timer.clone();
        let retry = self.timer_start(ACCEPT_RETRY_MS, 0, move |lp| {
            lp.io.readable.push(id);
            if let Some(timer) = own.get() {
                lp.close(timer);
            }
        });
        self.handle_unref(retry);
        timer.set(Some(retry));
    }

    /// The next connection; `None` when there is none for now.
    fn accept(&mut self, id: HandleId) -> Option<io::Result<mio::net::TcpStream>> {
        use io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
        loop {
            match self.listener(id)?.socket.accept() {
                Ok((socket, _)) => return Some(Ok(socket)),
                Err(error) if error.kind() == WouldBlock => return None,
                // That one has gone; the next one may be there.
                Err(error) if matches!(error.kind(), ConnectionAborted | Interrupted) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn adopt(&mut self, socket: mio::net::TcpStream) -> io::Result<HandleId> {
        let id = self.handles.insert(Kind::Stream(Stream::connected(socket)), false);
        self.register(id)?;
        Ok(id)
    }

    fn listener(&mut self, id: HandleId) -> Option<&mut Listener<R>> {
        match &mut self.handles.get_mut(id).filter(|handle| !handle.closing)?.kind {
            Kind::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    fn take_on_connection(&mut self, id: HandleId) -> Option<OnConnection<R>> {
        self.listener(id)?.on_connection.take()
    }
}
