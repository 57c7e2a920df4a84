//! Streams: connecting, reading, writing.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use mio::Registry;
use mio::net::{TcpStream, UnixStream};

use super::socket::Socket;
use super::{OnResult, Owed, closed};
use crate::error::{About, SysError};
use crate::event_loop::Loop;
use crate::handle::{HandleId, Kind};
use crate::io::Ready;
use crate::limits::{READ_BYTES, READS_A_TURN};
use crate::recorder::Record;

/// What a read callback gets.
#[derive(Debug)]
pub enum ReadEvent<'a> {
    /// Some bytes, at least one.
    Data(&'a [u8]),
    /// The other side has ended its stream; reading has stopped.
    End,
    /// Reading failed, and has stopped.
    Error(SysError),
}

type OnRead<R> = Box<dyn FnMut(&mut Loop<R>, ReadEvent<'_>)>;

struct PendingWrite<R: Record> {
    bytes: Vec<u8>,
    written: usize,
    on_written: OnResult<R>,
}

/// A connected or connecting socket.
pub(crate) struct Stream<R: Record> {
    pub(super) socket: Socket,
    on_connect: Option<OnResult<R>>,
    on_read: Option<OnRead<R>>,
    reading: bool,
    /// Whether the other side is known to have ended its own.
    peer_ended: bool,
    /// Whether the kernel has told that both sides have.
    hung_up: bool,
    /// Whether it is on the list of streams to be read again.
    pub(super) read_again: bool,
    writes: VecDeque<PendingWrite<R>>,
    /// Callbacks of writes that are finished and have yet to run.
    written: VecDeque<Owed<R>>,
    /// Whether our side is ended, or is to be when all is written.
    ended: bool,
    /// What to call when it is.
    on_ended: Option<OnResult<R>>,
}

impl<R: Record> Stream<R> {
    pub(super) fn connected(socket: Socket) -> Self {
        Stream {
            socket,
            on_connect: None,
            on_read: None,
            reading: false,
            peer_ended: false,
            hung_up: false,
            read_again: false,
            writes: VecDeque::new(),
            written: VecDeque::new(),
            ended: false,
            on_ended: None,
        }
    }

    pub(crate) fn close_socket(&mut self, registry: &Registry) {
        self.socket.close(registry);
    }

    /// Every callback that the stream still owes when it is closed, in libuv's order: of the
    /// connection, of finished writes, of those that will never be, of the end.
    pub(crate) fn into_owed(self) -> Vec<Owed<R>> {
        let canceled = |on_result, call| (on_result, Err(closed(call)));
        let connect = self.on_connect.map(|on_connect| canceled(on_connect, "connect"));
        let writes = self.writes.into_iter().map(|write| canceled(write.on_written, "write"));
        let end = self.on_ended.map(|on_ended| canceled(on_ended, "shutdown"));
        connect.into_iter().chain(self.written).chain(writes).chain(end).collect()
    }

    fn owes(&self) -> bool {
        let writing = !self.writes.is_empty() || !self.written.is_empty();
        writing || self.on_connect.is_some() || self.on_ended.is_some()
    }

    /// Writes what the socket takes. Returns the first write that is finished, with its result.
    fn flush_one(&mut self) -> Option<Owed<R>> {
        let write = self.writes.front_mut()?;
        loop {
            if write.written == write.bytes.len() {
                let write = self.writes.pop_front()?;
                return Some((write.on_written, Ok(())));
            }
            match self.socket.write(&write.bytes[write.written..]) {
                Ok(bytes) => write.written += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let write = self.writes.pop_front()?;
                    return Some((write.on_written, Err(SysError::new("write", error))));
                }
            }
        }
    }
}

impl<R: Record> Loop<R> {
    /// Connects to an address. The callback runs when the connection stands or has failed
    /// (call `connect`), as with `ECONNREFUSED`.
    ///
    /// # Errors
    /// The system's, when not even an attempt can be made: `EMFILE`, `ENETUNREACH`.
    pub fn tcp_connect(
        &mut self,
        address: SocketAddr,
        on_connect: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> Result<HandleId, SysError> {
        let about = About::Address(address);
        let on_connect = told_of(about.clone(), on_connect);
        match TcpStream::connect(address) {
            Ok(socket) => self.connect(Socket::Tcp(socket), on_connect, None),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.connect(Socket::Gone, on_connect, Some(error))
            }
            Err(error) => Err(SysError::new("connect", error).about(about)),
        }
    }

    /// Connects to a Unix socket. The callback runs when the connection stands or has failed
    /// (call `connect`): `ENOENT` when there is no such file, `ECONNREFUSED` when nobody listens,
    /// `EAGAIN` when too many wait to be accepted.
    ///
    /// # Errors
    /// When the loop can't watch one more descriptor.
    pub fn unix_connect(
        &mut self,
        path: impl AsRef<Path>,
        on_connect: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> Result<HandleId, SysError> {
        let path = path.as_ref();
        let on_connect = told_of(About::SocketPath(path.to_owned()), on_connect);
        match UnixStream::connect(path) {
            Ok(socket) => self.connect(Socket::Unix(socket), on_connect, None),
            Err(error) => self.connect(Socket::Gone, on_connect, Some(error)),
        }
    }

    /// An error that is there already is told in the pending phase.
    fn connect(
        &mut self,
        socket: Socket,
        on_connect: OnResult<R>,
        error: Option<io::Error>,
    ) -> Result<HandleId, SysError> {
        let mut stream = Stream::connected(socket);
        stream.on_connect = Some(on_connect);
        let id = self.add_socket("connect", Kind::Stream(stream), true)?;
        self.update_stream(id);
        if let Some(error) = error {
            let error = SysError::new("connect", error);
            self.put_off(move |lp| lp.end_connect(id, Err(error)));
        }
        Ok(id)
    }

    /// Sends small writes at once instead of waiting for more (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The system's (call `setsockopt`): `ENOTSUP` for a Unix socket, `EBADF` for a handle that is
    /// no open stream.
    pub fn tcp_nodelay(&mut self, id: HandleId, on: bool) -> Result<(), SysError> {
        let Some(stream) = self.stream(id) else {
            return Err(SysError::errno_of("setsockopt", libc::EBADF, About::Socket));
        };
        stream.socket.set_nodelay(on).map_err(|error| SysError::new("setsockopt", error))
    }

    /// Reads from a stream whenever there is something, until [`Loop::read_stop`], its end or an
    /// error.
    pub fn read_start(
        &mut self,
        id: HandleId,
        on_read: impl FnMut(&mut Self, ReadEvent<'_>) + 'static,
    ) {
        let Some(stream) = self.stream(id) else { return };
        stream.reading = true;
        stream.on_read = Some(Box::new(on_read));
        // What arrived before has been announced already and would not be again.
        self.read_again(id);
        self.update_stream(id);
    }

    /// Stops reading. What arrives waits in the kernel.
    pub fn read_stop(&mut self, id: HandleId) {
        if let Some(stream) = self.stream(id) {
            stream.reading = false;
        }
        self.update_stream(id);
    }

    /// Writes to a stream. The callback runs when the kernel has taken everything, or an error has
    /// come (call `write`): `EPIPE` behind the end, `EBADF` for a handle that is no open stream,
    /// `ECANCELED` when the stream is closed before, or its connection fails. It runs in the poll
    /// phase, or in the pending phase where nothing had to be waited for.
    pub fn write(
        &mut self,
        id: HandleId,
        bytes: impl Into<Vec<u8>>,
        on_written: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) {
        let on_written: OnResult<R> = Box::new(on_written);
        let Some(stream) = self.stream(id).filter(|stream| !stream.ended) else {
            let errno = if self.stream(id).is_some() { libc::EPIPE } else { libc::EBADF };
            let error = SysError::errno_of("write", errno, About::Socket);
            self.put_off(|lp| on_written(lp, Err(error)));
            return;
        };
        stream.writes.push_back(PendingWrite { bytes: bytes.into(), written: 0, on_written });
        if stream.writes.len() == 1 {
            let finished = self.flush_writes(id);
            self.put_off_writes(id, finished);
        }
        self.update_stream(id);
    }

    /// Writes what the kernel takes at once (libuv's `uv_try_write`), and returns how much that is:
    /// nothing while other writes, or the connection, are waited for.
    ///
    /// # Errors
    /// As [`Loop::write`] tells its callback.
    pub fn try_write(&mut self, id: HandleId, bytes: &[u8]) -> Result<usize, SysError> {
        let Some(stream) = self.stream(id).filter(|stream| !stream.ended) else {
            return Err(SysError::errno_of("write", libc::EPIPE, About::Socket));
        };
        if stream.on_connect.is_some() || !stream.writes.is_empty() {
            return Ok(0);
        }
        match stream.socket.write(bytes) {
            Ok(written) => Ok(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(SysError::new("write", error)),
        }
    }

    /// Ends our side of a stream when all is written; the other side sees the end.
    pub fn end(&mut self, id: HandleId) {
        self.end_with(id, |_, _| {});
    }

    /// As [`Loop::end`], with a callback (libuv's `uv_shutdown`), which runs behind those of all
    /// writes. Its error (call `shutdown`) is `ENOTCONN` for a stream that was ended before or has
    /// no connection, `ECANCELED` when it is closed before.
    pub fn end_with(
        &mut self,
        id: HandleId,
        on_ended: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) {
        let on_ended: OnResult<R> = Box::new(on_ended);
        let Some(stream) = self.stream(id).filter(|stream| !stream.ended) else {
            let error = SysError::errno_of("shutdown", libc::ENOTCONN, About::Socket);
            self.put_off(|lp| on_ended(lp, Err(error)));
            return;
        };
        stream.ended = true;
        stream.on_ended = Some(on_ended);
        if stream.writes.is_empty() && stream.on_connect.is_none() {
            self.put_off(move |lp| lp.finish_end(id));
        }
        self.update_stream(id);
    }

    fn stream(&mut self, id: HandleId) -> Option<&mut Stream<R>> {
        match &mut self.handles.get_mut(id).filter(|handle| !handle.closing)?.kind {
            Kind::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    fn update_stream(&mut self, id: HandleId) {
        self.handles.update(id, |handle| {
            if let Kind::Stream(stream) = &handle.kind {
                handle.owes = stream.owes();
                handle.active = (stream.reading || handle.owes) && !handle.closing;
            }
        });
    }

    fn read_again(&mut self, id: HandleId) {
        if let Some(stream) = self.stream(id)
            && !std::mem::replace(&mut stream.read_again, true)
        {
            self.io.untold.push(id);
        }
    }

    fn read_on(&mut self, id: HandleId) {
        if let Some(stream) = self.stream(id)
            && !std::mem::replace(&mut stream.read_again, true)
        {
            self.io.unread.push(id);
        }
    }

    /// Writes what the socket takes. Returns how many writes that has finished.
    fn flush_writes(&mut self, id: HandleId) -> usize {
        let Some(stream) = self.stream(id).filter(|stream| stream.on_connect.is_none()) else {
            return 0;
        };
        let mut finished = 0;
        while let Some(owed) = stream.flush_one() {
            stream.written.push_back(owed);
            finished += 1;
        }
        finished
    }

    /// Runs the callback of the write that was finished first, unless closing has come before.
    fn finish_write(&mut self, id: HandleId) {
        let owed = self.stream(id).and_then(|stream| stream.written.pop_front());
        if let Some((on_written, result)) = owed {
            on_written(self, result);
        }
        self.update_stream(id);
    }

    /// Ends our side, unless that has happened or closing has come before.
    fn finish_end(&mut self, id: HandleId) {
        let Some(stream) = self.stream(id) else { return };
        if let Some(on_ended) = stream.on_ended.take() {
            let result = stream.socket.shut_down();
            on_ended(self, result.map_err(|error| SysError::new("shutdown", error)));
        }
        self.update_stream(id);
    }

    pub(crate) fn stream_ready(&mut self, ready: Ready) {
        let id = ready.handle;
        // Every event tells that a socket is writable, and mostly nothing waits for that. What is
        // written from now on finds out by itself.
        let awaited = ready.writable && self.stream(id).is_some_and(|stream| stream.owes());
        if awaited {
            self.finish_connect(id);
        }
        if let Some(stream) = self.stream(id) {
            stream.peer_ended |= ready.ended;
            stream.hung_up |= ready.hung_up;
        }
        if ready.readable {
            self.read_ready(id);
        }
        if awaited {
            self.write_ready(id);
        }
        self.update_stream(id);
    }

    /// Goes on writing, and runs the callbacks of what is finished; behind the last, that of the
    /// end.
    fn write_ready(&mut self, id: HandleId) {
        for _ in 0..self.flush_writes(id) {
            self.owe(move |lp| lp.finish_write(id));
        }
        if let Some(stream) = self.stream(id)
            && stream.on_ended.is_some()
            && stream.writes.is_empty()
            && stream.on_connect.is_none()
        {
            self.put_off(move |lp| lp.finish_end(id));
        }
        self.run_owed();
    }

    fn put_off_writes(&mut self, id: HandleId, count: usize) {
        for _ in 0..count {
            self.put_off(move |lp| lp.finish_write(id));
        }
    }

    fn finish_connect(&mut self, id: HandleId) {
        let Some(stream) = self.stream(id).filter(|stream| stream.on_connect.is_some()) else {
            return;
        };
        let result = match stream.socket.is_connected() {
            // Not yet: another event will tell.
            Ok(false) => return,
            Ok(true) => Ok(()),
            Err(error) => Err(SysError::new("connect", error)),
        };
        self.callback(|lp| lp.end_connect(id, result));
        // Reading that was asked for meanwhile has waited for this.
        if self.stream(id).is_some_and(|stream| stream.reading) {
            self.read_again(id);
        }
    }

    /// Tells what became of a connection, unless closing has come before. One that failed takes
    /// what was to be written with it.
    fn end_connect(&mut self, id: HandleId, result: Result<(), SysError>) {
        let Some(stream) = self.stream(id) else { return };
        let Some(on_connect) = stream.on_connect.take() else { return };
        let failed = result.is_err();
        on_connect(self, result);
        if failed && let Some(stream) = self.stream(id) {
            let writes = std::mem::take(&mut stream.writes);
            let count = writes.len();
            let canceled = |write: PendingWrite<R>| (write.on_written, Err(closed("write")));
            stream.written.extend(writes.into_iter().map(canceled));
            let ends = stream.on_ended.is_some();
            self.put_off_writes(id, count);
            if ends {
                self.put_off(move |lp| lp.finish_end(id));
            }
        }
        self.update_stream(id);
    }

    fn read_ready(&mut self, id: HandleId) {
        if let Some(stream) = self.stream(id) {
            stream.read_again = false;
            // A read would take the error that the connection's callback is to be told.
            if stream.on_connect.is_some() {
                return;
            }
        }
        let mut buffer = std::mem::take(&mut self.io.read_buffer);
        buffer.resize(READ_BYTES, 0);
        for reads in 0.. {
            let enough = reads == READS_A_TURN || self.rejections.fatal();
            let Some(stream) = self.stream(id).filter(|stream| stream.reading) else { break };
            if enough {
                self.read_on(id);
                break;
            }
            let event = match stream.socket.read(&mut buffer) {
                Ok(0) => ReadEvent::End,
                Ok(bytes) => ReadEvent::Data(&buffer[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => ReadEvent::Error(SysError::new("read", error)),
            };
            if !matches!(event, ReadEvent::Data(_)) {
                stream.reading = false;
                self.update_stream(id);
            }
            // What did not fill the buffer was all there is for now. An end that stands behind it
            // is for the next poll, unless we have ended our side, too: so libuv.
            let is_last = matches!(event, ReadEvent::Data(bytes) if bytes.len() < READ_BYTES);
            self.deliver(id, event);
            if is_last {
                let Some(stream) = self.stream(id).filter(|stream| stream.reading) else { break };
                if stream.hung_up {
                    stream.reading = false;
                    self.update_stream(id);
                    self.deliver(id, ReadEvent::End);
                } else if stream.peer_ended {
                    self.read_on(id);
                }
                break;
            }
        }
        self.io.read_buffer = buffer;
    }

    fn deliver(&mut self, id: HandleId, event: ReadEvent<'_>) {
        let Some(mut on_read) = self.stream(id).and_then(|stream| stream.on_read.take()) else {
            return;
        };
        self.callback(|lp| {
            on_read(lp, event);
            if let Some(stream) = lp.stream(id) {
                stream.on_read.get_or_insert(on_read);
            }
        });
    }
}

/// The callback of a connection, whose errors tell what it was to.
fn told_of<R: Record>(
    about: About,
    on_connect: impl FnOnce(&mut Loop<R>, Result<(), SysError>) + 'static,
) -> OnResult<R> {
    Box::new(move |lp, result| on_connect(lp, result.map_err(|error| error.about(about))))
}
