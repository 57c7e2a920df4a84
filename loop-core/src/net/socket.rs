//! The kernel's sockets behind streams and listeners, TCP and Unix ones under one type.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::{Path, PathBuf};

use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token};

const BOTH_WAYS: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A connected or connecting socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// There is none any more: connecting has failed at once, and its callback is still to be told,
    /// or the socket is closed, and its handle is about to be.
    Gone,
}

impl Socket {
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Socket::Tcp(socket) => registry.register(socket, token, BOTH_WAYS),
            Socket::Unix(socket) => registry.register(socket, token, BOTH_WAYS),
            Socket::Gone => Ok(()),
        }
    }

    /// Has the next poll tell of what it has, also of what an earlier one has told.
    pub(super) fn ask_again(&mut self, registry: &Registry, token: Token) {
        // Fails only for a socket that isn't registered, which has nothing.
        let _ = match self {
            Socket::Tcp(socket) => registry.reregister(socket, token, BOTH_WAYS),
            Socket::Unix(socket) => registry.reregister(socket, token, BOTH_WAYS),
            Socket::Gone => Ok(()),
        };
    }

    /// Closes it: the other side is told at once, and not when the handle is.
    pub(super) fn close(&mut self, registry: &Registry) {
        // Fails only for a socket that isn't registered, which is what is wanted.
        let _ = match self {
            Socket::Tcp(socket) => registry.deregister(socket),
            Socket::Unix(socket) => registry.deregister(socket),
            Socket::Gone => Ok(()),
        };
        *self = Socket::Gone;
    }

    #[inline]
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.read(buffer),
            Socket::Unix(socket) => socket.read(buffer),
            Socket::Gone => Err(not_connected()),
        }
    }

    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.write(bytes),
            Socket::Unix(socket) => socket.write(bytes),
            Socket::Gone => Err(not_connected()),
        }
    }

    /// Ends our side.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        match self {
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
            Socket::Gone => Err(not_connected()),
        }
    }

    /// Whether a connection has come to stand; its error if it has failed.
    pub(super) fn is_connected(&self) -> io::Result<bool> {
        let (error, peer) = match self {
            Socket::Tcp(socket) => (socket.take_error()?, socket.peer_addr().map(drop)),
            Socket::Unix(socket) => (socket.take_error()?, socket.peer_addr().map(drop)),
            Socket::Gone => return Ok(false),
        };
        match (error, peer) {
            (Some(error), _) => Err(error),
            (None, Err(error)) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            (None, peer) => peer.map(|()| true),
        }
    }

    pub(super) fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match self {
            Socket::Tcp(socket) => socket.set_nodelay(on),
            Socket::Unix(_) => Err(io::Error::from_raw_os_error(libc::ENOTSUP)),
            Socket::Gone => Err(not_connected()),
        }
    }

    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        if let Socket::Tcp(socket) = self { socket.local_addr().ok() } else { None }
    }

    pub(super) fn peer_address(&self) -> Option<SocketAddr> {
        if let Socket::Tcp(socket) = self { socket.peer_addr().ok() } else { None }
    }

    pub(super) fn local_path(&self) -> Option<PathBuf> {
        if let Socket::Unix(socket) = self { path_of(socket.local_addr()) } else { None }
    }

    pub(super) fn peer_path(&self) -> Option<PathBuf> {
        if let Socket::Unix(socket) = self { path_of(socket.peer_addr()) } else { None }
    }
}

/// A socket that accepts connections.
#[derive(Debug)]
pub(super) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
    /// It is closed, and its handle is about to be.
    Gone,
}

impl Acceptor {
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Acceptor::Tcp(socket) => registry.register(socket, token, Interest::READABLE),
            Acceptor::Unix(socket, _) => registry.register(socket, token, Interest::READABLE),
            Acceptor::Gone => Ok(()),
        }
    }

    /// Lets nobody connect any more: the file of a Unix socket goes first.
    pub(super) fn close(&mut self, registry: &Registry) {
        // Fails only for a socket that isn't registered, which is what is wanted.
        let _ = match self {
            Acceptor::Tcp(socket) => registry.deregister(socket),
            Acceptor::Unix(socket, file) => {
                file.remove();
                registry.deregister(socket)
            }
            Acceptor::Gone => Ok(()),
        };
        *self = Acceptor::Gone;
    }

    pub(super) fn accept(&self) -> io::Result<Socket> {
        match self {
            Acceptor::Tcp(socket) => socket.accept().map(|(socket, _)| Socket::Tcp(socket)),
            Acceptor::Unix(socket, _) => socket.accept().map(|(socket, _)| Socket::Unix(socket)),
            Acceptor::Gone => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        if let Acceptor::Tcp(socket) = self { socket.local_addr().ok() } else { None }
    }

    pub(super) fn local_path(&self) -> Option<PathBuf> {
        if let Acceptor::Unix(socket, _) = self { path_of(socket.local_addr()) } else { None }
    }
}

/// The file by which a Unix socket is found.
///
/// **Invariant**: it is removed once, when its listener closes, or else with the loop.
#[derive(Debug)]
pub(super) struct SocketFile(Option<PathBuf>);

impl SocketFile {
    pub(super) fn of(path: &Path) -> SocketFile {
        SocketFile(Some(path.to_owned()))
    }

    fn remove(&mut self) {
        if let Some(path) = self.0.take() {
            // Somebody else may have removed it, and that is as good.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

fn path_of(address: io::Result<UnixAddr>) -> Option<PathBuf> {
    address.ok()?.as_pathname().map(Path::to_owned)
}

fn not_connected() -> io::Error {
    io::Error::from_raw_os_error(libc::ENOTCONN)
}
