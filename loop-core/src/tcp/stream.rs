//! Streams: connecting, reading, writing.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::Registry;
use mio::net::TcpStream;

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
    Error(io::Error),
}

type OnRead<R> = Box<dyn FnMut(&mut Loop<R>, ReadEvent<'_>)>;
pub(crate) type OnResult<R> = Box<dyn FnOnce(&mut Loop<R>, io::Result<()>)>;

/// A callback with what it is to be told.
pub(crate) type Owed<R> = (OnResult<R>, io::Result<()>);

struct PendingWrite<R: Record> {
    bytes: Vec<u8>,
    written: usize,
    on_written: OnResult<R>,
}

/// A connected or connecting socket.
pub(crate) struct Stream<R: Record> {
    socket: TcpStream,
    on_connect: Option<OnResult<R>>,
    on_read: Option<OnRead<R>>,
    reading: bool,
    /// Whether it is on the list of streams to be read again.
    read_again: bool,
    writes: VecDeque<PendingWrite<R>>,
    /// Callbacks of writes that are finished, which the pending phase runs.
    written: VecDeque<Owed<R>>,
    /// Whether to end our side when all is written.
    ending: bool,
}

impl<R: Record> Stream<R> {
    pub(crate) fn connected(socket: TcpStream) -> Self {
        Stream {
            socket,
            on_connect: None,
            on_read: None,
            reading: false,
            read_again: false,
            writes: VecDeque::new(),
            written: VecDeque::new(),
            ending: false,
        }
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub(super) fn socket_mut(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) {
        // Fails only for a socket that isn't registered, which is what is wanted.
        let _ = registry.deregister(&mut self.socket);
    }

    /// Every callback that the stream still owes when it is closed, in libuv's order: of the
    /// connection, of finished writes, of those that will never be.
    pub(crate) fn into_owed(self) -> Vec<Owed<R>> {
        let closed = || io::Error::new(io::ErrorKind::ConnectionAborted, "the stream was closed");
        let connect = self.on_connect.map(|on_connect| (on_connect, Err(closed())));
        let unwritten = self.writes.into_iter().map(|write| (write.on_written, Err(closed())));
        connect.into_iter().chain(self.written).chain(unwritten).collect()
    }

    fn is_active(&self) -> bool {
        let writing = !self.writes.is_empty() || !self.written.is_empty();
        self.reading || self.on_connect.is_some() || writing
    }

    /// Writes what the socket takes. Returns the first write that is finished, with its result.
    fn flush_one(&mut self) -> Option<(OnResult<R>, io::Result<()>)> {
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
                    return Some((write.on_written, Err(error)));
                }
            }
        }
    }
}

impl<R: Record> Loop<R> {
    /// Connects to an address. The callback runs when the connection stands or has failed.
    ///
    /// # Errors
    /// The system's, when not even an attempt can be made.
    pub fn tcp_connect(
        &mut self,
        address: SocketAddr,
        on_connect: impl FnOnce(&mut Self, io::Result<()>) + 'static,
    ) -> io::Result<HandleId> {
        let mut stream = Stream::connected(TcpStream::connect(address)?);
        stream.on_connect = Some(Box::new(on_connect));
        let id = self.handles.insert(Kind::Stream(stream), true);
        self.register(id)?;
        Ok(id)
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
    /// come; in the pending phase if that is at once.
    pub fn write(
        &mut self,
        id: HandleId,
        bytes: impl Into<Vec<u8>>,
        on_written: impl FnOnce(&mut Self, io::Result<()>) + 'static,
    ) {
        let on_written: OnResult<R> = Box::new(on_written);
        let Some(stream) = self.stream(id).filter(|stream| !stream.ending) else {
            let closed = io::Error::from(io::ErrorKind::BrokenPipe);
            self.put_off(|lp| on_written(lp, Err(closed)));
            return;
        };
        stream.writes.push_back(PendingWrite { bytes: bytes.into(), written: 0, on_written });
        if stream.writes.len() == 1 && stream.on_connect.is_none() {
            self.flush_writes(id);
        }
        self.update_stream(id);
    }

    /// Ends our side of a stream when all is written; the other side sees the end.
    pub fn end(&mut self, id: HandleId) {
        if let Some(stream) = self.stream(id) {
            stream.ending = true;
            if stream.writes.is_empty() && stream.on_connect.is_none() {
                shut_down(stream);
            }
        }
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
                handle.active = stream.is_active() && !handle.closing;
            }
        });
    }

    fn read_again(&mut self, id: HandleId) {
        if let Some(stream) = self.stream(id)
            && !std::mem::replace(&mut stream.read_again, true)
        {
            self.io.readable.push(id);
        }
    }

    fn flush_writes(&mut self, id: HandleId) {
        let connected = self.stream(id).is_some_and(|stream| stream.on_connect.is_none());
        while connected && let Some(owed) = self.stream(id).and_then(Stream::flush_one) {
            if let Some(stream) = self.stream(id) {
                stream.written.push_back(owed);
            }
            self.put_off(move |lp| lp.finish_write(id));
        }
        if let Some(stream) = self.stream(id)
            && stream.ending
            && stream.writes.is_empty()
        {
            shut_down(stream);
        }
    }

    /// Runs the callback of the write that was finished first, unless closing has come before.
    fn finish_write(&mut self, id: HandleId) {
        let owed = self.stream(id).and_then(|stream| stream.written.pop_front());
        if let Some((on_written, result)) = owed {
            on_written(self, result);
        }
        self.update_stream(id);
    }

    pub(crate) fn stream_ready(&mut self, ready: Ready) {
        let id = ready.handle;
        if ready.writable {
            self.finish_connect(id);
            self.flush_writes(id);
        }
        if ready.readable {
            self.read_ready(id);
        }
        self.update_stream(id);
    }

    fn finish_connect(&mut self, id: HandleId) {
        let Some(stream) = self.stream(id).filter(|stream| stream.on_connect.is_some()) else {
            return;
        };
        let result = match stream.socket.take_error() {
            Ok(Some(error)) | Err(error) => Err(error),
            Ok(None) => match stream.socket.peer_addr() {
                // Not yet: another event will tell.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return,
                Err(error) => Err(error),
                Ok(_) => Ok(()),
            },
        };
        if let Some(on_connect) = stream.on_connect.take() {
            self.callback(|lp| on_connect(lp, result));
        }
        // Reading that was asked for meanwhile has waited for this.
        if self.stream(id).is_some_and(|stream| stream.reading) {
            self.read_again(id);
        }
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
            let Some(stream) = self.stream(id).filter(|stream| stream.reading) else { break };
            if reads == READS_A_TURN {
                self.read_again(id);
                break;
            }
            let event = match stream.socket.read(&mut buffer) {
                Ok(0) => ReadEvent::End,
                Ok(bytes) => ReadEvent::Data(&buffer[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => ReadEvent::Error(error),
            };
            stream.reading = matches!(event, ReadEvent::Data(_));
            self.deliver(id, event);
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

fn shut_down<R: Record>(stream: &mut Stream<R>) {
    // The other side may have reset the connection; then there is nothing left to end.
    let _ = stream.socket.shutdown(Shutdown::Write);
    stream.ending = false;
}
