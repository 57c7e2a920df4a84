//! UDP: datagrams sent and received.
//!
//! Cost: a datagram received is a `recvfrom` into the loop's one buffer, without an allocation; one
//! sent is its bytes, a box for its callback and a `sendto`.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};

use super::{OnResult, Owed, closed};
use crate::error::{About, SysError};
use crate::event_loop::Loop;
use crate::handle::{HandleId, Kind};
use crate::io::Ready;
use crate::limits::{READ_BYTES, READS_A_TURN};
use crate::recorder::Record;

/// What a callback for datagrams gets.
#[derive(Debug)]
pub enum UdpEvent<'a> {
    /// One datagram, whole; it may be empty.
    Datagram {
        /// What is in it.
        bytes: &'a [u8],
        /// Who has sent it.
        from: SocketAddr,
    },
    /// Receiving failed (call `recv`), as with `ECONNREFUSED` on a connected socket to whose far
    /// end nobody listens. Receiving goes on.
    Error(SysError),
}

type OnDatagram<R> = Box<dyn FnMut(&mut Loop<R>, UdpEvent<'_>)>;

struct PendingSend<R: Record> {
    bytes: Vec<u8>,
    to: Option<SocketAddr>,
    on_sent: OnResult<R>,
}

/// A bound socket.
pub(crate) struct Udp<R: Record> {
    socket: UdpSocket,
    connected: bool,
    on_datagram: Option<OnDatagram<R>>,
    receiving: bool,
    /// Whether it is on the list of sockets to be read again.
    read_again: bool,
    sends: VecDeque<PendingSend<R>>,
    /// Callbacks of what is sent that have yet to run.
    sent: VecDeque<Owed<R>>,
}

impl<R: Record> Udp<R> {
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) {
        // Fails only for a socket that isn't registered, which is what is wanted.
        let _ = registry.deregister(&mut self.socket);
    }

    /// Every callback that is still owed when the socket is closed.
    pub(crate) fn into_owed(self) -> Vec<Owed<R>> {
        let unsent = self.sends.into_iter().map(|send| (send.on_sent, Err(closed("send"))));
        self.sent.into_iter().chain(unsent).collect()
    }

    /// Sends what the kernel takes. Returns how many datagrams have come to their end by that.
    fn flush(&mut self) -> usize {
        let mut finished = 0;
        while let Some(send) = self.sends.front() {
            let result = match send.to {
                Some(to) => self.socket.send_to(&send.bytes, to),
                None => self.socket.send(&send.bytes),
            };
            let result = match result {
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result.map(drop).map_err(|error| SysError::new("send", error)),
            };
            if let Some(send) = self.sends.pop_front() {
                let about = send.to.map_or(About::Socket, About::Address);
                self.sent.push_back((send.on_sent, result.map_err(|error| error.about(about))));
                finished += 1;
            }
        }
        finished
    }
}

impl<R: Record> Loop<R> {
    /// Makes a UDP socket on an address; port 0 lets the kernel choose one. It keeps the loop alive
    /// while it receives or has something to send.
    ///
    /// # Errors
    /// The system's (call `bind`), as when the port is taken: `EADDRINUSE`.
    pub fn udp_bind(&mut self, address: SocketAddr) -> Result<HandleId, SysError> {
        let socket = UdpSocket::bind(address)
            .map_err(|error| SysError::new("bind", error).about(About::Address(address)))?;
        let udp = Udp {
            socket,
            connected: false,
            on_datagram: None,
            receiving: false,
            read_again: false,
            sends: VecDeque::new(),
            sent: VecDeque::new(),
        };
        self.add_socket("bind", Kind::Udp(Box::new(udp)), false)
    }

    /// Gives a UDP socket its far end: it sends there, receives from there alone, and hears when
    /// nobody listens there. It may be given another one later.
    ///
    /// # Errors
    /// The system's (call `connect`); `EBADF` for a handle that is no open UDP socket.
    pub fn udp_connect(&mut self, id: HandleId, address: SocketAddr) -> Result<(), SysError> {
        let about = About::Address(address);
        let Some(udp) = self.udp(id) else {
            return Err(SysError::errno_of("connect", libc::EBADF, about));
        };
        udp.socket
            .connect(address)
            .map_err(|error| SysError::new("connect", error).about(about))?;
        udp.connected = true;
        Ok(())
    }

    /// Sends a datagram: to an address, or to the far end of a connected socket. The callback runs
    /// when the kernel has taken it, or an error has come (call `send`): in the pending phase, or
    /// in the poll phase when it had to wait. The errors are the system's, such as `EMSGSIZE`;
    /// `EDESTADDRREQ` without an address and a far end, `EISCONN` with both, `ECANCELED` when the
    /// socket is closed before, `EBADF` for a handle that is no open UDP socket.
    pub fn udp_send(
        &mut self,
        id: HandleId,
        bytes: impl Into<Vec<u8>>,
        to: Option<SocketAddr>,
        on_sent: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) {
        let on_sent: OnResult<R> = Box::new(on_sent);
        let refused = match (self.udp(id).map(|udp| udp.connected), to) {
            (None, _) => Some(libc::EBADF),
            (Some(true), Some(_)) => Some(libc::EISCONN),
            (Some(false), None) => Some(libc::EDESTADDRREQ),
            _ => None,
        };
        if let Some(errno) = refused {
            let error = SysError::errno_of("send", errno, to.map_or(About::Socket, About::Address));
            self.put_off(|lp| on_sent(lp, Err(error)));
        } else if let Some(udp) = self.udp(id) {
            udp.sends.push_back(PendingSend { bytes: bytes.into(), to, on_sent });
            // Behind others it waits as they do.
            let finished = if udp.sends.len() == 1 { udp.flush() } else { 0 };
            self.put_off_sends(id, finished);
            self.update_udp(id);
        }
    }

    /// Receives datagrams until [`Loop::udp_recv_stop`], errors or not.
    pub fn udp_recv_start(
        &mut self,
        id: HandleId,
        on_datagram: impl FnMut(&mut Self, UdpEvent<'_>) + 'static,
    ) {
        let Some(udp) = self.udp(id) else { return };
        udp.receiving = true;
        udp.on_datagram = Some(Box::new(on_datagram));
        // What arrived before has been announced already and would not be again.
        self.receive_again(id);
        self.update_udp(id);
    }

    /// Stops receiving. What arrives waits in the kernel, as far as there is room.
    pub fn udp_recv_stop(&mut self, id: HandleId) {
        if let Some(udp) = self.udp(id) {
            udp.receiving = false;
        }
        self.update_udp(id);
    }

    fn udp(&mut self, id: HandleId) -> Option<&mut Udp<R>> {
        match &mut self.handles.get_mut(id).filter(|handle| !handle.closing)?.kind {
            Kind::Udp(udp) => Some(udp),
            _ => None,
        }
    }

    fn update_udp(&mut self, id: HandleId) {
        self.handles.update(id, |handle| {
            if let Kind::Udp(udp) = &handle.kind {
                handle.owes = !udp.sends.is_empty() || !udp.sent.is_empty();
                handle.active = (udp.receiving || handle.owes) && !handle.closing;
            }
        });
    }

    fn receive_again(&mut self, id: HandleId) {
        if let Some(udp) = self.udp(id)
            && !std::mem::replace(&mut udp.read_again, true)
        {
            self.io.readable.push(id);
        }
    }

    fn put_off_sends(&mut self, id: HandleId, count: usize) {
        for _ in 0..count {
            self.put_off(move |lp| lp.finish_send(id));
        }
    }

    /// Runs the callback of what was sent first, unless closing has come before.
    fn finish_send(&mut self, id: HandleId) {
        let owed = self.udp(id).and_then(|udp| udp.sent.pop_front());
        if let Some((on_sent, result)) = owed {
            on_sent(self, result);
        }
        self.update_udp(id);
    }

    pub(crate) fn udp_ready(&mut self, ready: Ready) {
        let id = ready.handle;
        if ready.readable {
            self.receive_ready(id);
        }
        if ready.writable {
            for _ in 0..self.udp(id).map_or(0, Udp::flush) {
                self.owe(move |lp| lp.finish_send(id));
            }
            self.run_owed();
        }
        self.update_udp(id);
    }

    fn receive_ready(&mut self, id: HandleId) {
        if let Some(udp) = self.udp(id) {
            udp.read_again = false;
        }
        let mut buffer = std::mem::take(&mut self.io.read_buffer);
        buffer.resize(READ_BYTES, 0);
        for reads in 0.. {
            let enough = reads == READS_A_TURN || self.rejections.fatal();
            let Some(udp) = self.udp(id).filter(|udp| udp.receiving) else { break };
            if enough {
                self.receive_again(id);
                break;
            }
            match udp.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    self.deliver_datagram(id, UdpEvent::Datagram { bytes: &buffer[..length], from })
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let error = SysError::new("recv", error);
                    self.deliver_datagram(id, UdpEvent::Error(error));
                    // Datagrams may stand behind the error; others have their turn first.
                    self.receive_again(id);
                    break;
                }
            }
        }
        self.io.read_buffer = buffer;
    }

    fn deliver_datagram(&mut self, id: HandleId, event: UdpEvent<'_>) {
        let Some(mut on_datagram) = self.udp(id).and_then(|udp| udp.on_datagram.take()) else {
            return;
        };
        self.callback(|lp| {
            on_datagram(lp, event);
            if let Some(udp) = lp.udp(id) {
                udp.on_datagram.get_or_insert(on_datagram);
            }
        });
    }
}
