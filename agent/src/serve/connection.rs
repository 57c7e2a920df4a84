//! Connections with limits: how many at once, and how long one may say nothing.
//!
//! **Invariant**: at most [`CONNECTIONS_MAX`] connections and one that is about to be one, whatever
//! is spoken on them; a TLS handshake is a part of the first request, and has its time.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::Accept;
use tokio_rustls::server::TlsStream;

use super::room::{Room, Share};
use super::seats::{GRACE, Peer, Seat, Seats};
use super::web::Access;

/// Connections at once; more wait in the kernel's queue. A few scrapers and a browser or two hold
/// ten.
const CONNECTIONS_MAX: usize = 64;

/// A connection that neither sends nor takes anything for so long is closed: twice the longest
/// scrape interval in common use, so that a scraper's connection stays open between scrapes.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// A new connection that has not sent a whole request by then is closed, however slowly it goes on
/// sending: it must not keep others out.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// A listener that keeps to the limits.
pub(super) struct Bounded {
    listener: TcpListener,
    access: Arc<Access>,
    slots: Arc<Semaphore>,
    seats: Arc<Seats>,
    room: Arc<Room>,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, access: Arc<Access>) -> Self {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Bounded { listener, access, slots, seats: Arc::default(), room: Arc::default() }
    }

    /// A place, made free if there is none.
    async fn seat(&self) -> Seat {
        let mut slot = Arc::clone(&self.slots).try_acquire_owned().ok();
        while slot.is_none() {
            self.seats.ask_to_leave(Instant::now());
            let next = timeout(GRACE, Arc::clone(&self.slots).acquire_owned()).await;
            // The semaphore is never closed.
            slot = next.ok().and_then(Result::ok);
        }
        Seats::take(&self.seats, Share::new(&self.room), slot)
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        let seat = self.seat().await;
        let stream = match &self.access.policy().tls {
            Some(tls) => Stream::Handshake(Box::new(tls.accept(stream))),
            None => Stream::Plain(stream),
        };
        let patience = Box::pin(sleep(REQUEST_MAX));
        (Connection { stream, patience, answered: false, heard: false, seat }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Peer {
        stream.io().seat.peer(stream.remote_addr().ip())
    }
}

/// What is spoken on a connection.
enum Stream {
    Plain(TcpStream),
    /// TLS whose keys are not agreed upon yet.
    Handshake(Box<Accept<TcpStream>>),
    Tls(Box<TlsStream<TcpStream>>),
    /// The handshake has failed, and must not be gone on with.
    Failed,
}

/// Something that bytes go into and come out of.
trait Bytes: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Bytes for T {}

impl Stream {
    /// The stream behind the handshake, which is gone on with.
    fn ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Bytes>>> {
        if let Stream::Handshake(handshake) = self {
            *self = match ready!(Pin::new(handshake.as_mut()).poll(cx)) {
                Ok(stream) => Stream::Tls(Box::new(stream)),
                Err(error) => {
                    *self = Stream::Failed;
                    return Poll::Ready(Err(error));
                }
            };
        }
        match self {
            Stream::Plain(stream) => Poll::Ready(Ok(Pin::new(stream))),
            Stream::Tls(stream) => Poll::Ready(Ok(Pin::new(stream.as_mut()))),
            Stream::Handshake(_) => Poll::Pending,
            Stream::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

/// A connection that ends when its peer takes too long, and gives its place back.
pub(super) struct Connection {
    stream: Stream,
    patience: Pin<Box<Sleep>>,
    answered: bool,
    /// Whether something has come since it was answered last.
    heard: bool,
    seat: Seat,
}

impl Connection {
    /// Passes on what the stream answered; silence for too long is an error.
    fn bound<T>(
        &mut self,
        cx: &mut Context<'_>,
        answer: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if answer.is_ready() {
            if self.answered {
                self.patience.as_mut().reset(Instant::now() + SILENCE_MAX);
            }
            return answer;
        }
        if self.seat.is_asked(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        match self.patience.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Does something with the stream, when it is ready for it.
    fn with<T>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut dyn Bytes>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let answer = match self.stream.ready(cx) {
            Poll::Ready(Ok(stream)) => act(stream, cx),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        };
        self.bound(cx, answer)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let answer = self.with(cx, |stream, cx| stream.poll_read(cx, buffer));
        self.heard |= buffer.filled().len() > before;
        answer
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if std::mem::take(&mut self.heard) {
            self.answered = true;
            self.seat.answers();
        }
        let written = self.with(cx, |stream, cx| stream.poll_write(cx, bytes));
        if let Poll::Ready(Ok(count)) = written {
            self.seat.written(count);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;
    use std::path::Path;

    use super::super::web::{TlsServer, WebConfig};
    use super::*;

    /// A connection on which somebody speaks who knows nothing of TLS.
    async fn plain_words_to_tls() -> Connection {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
        let (cert_file, key_file) = (folder.join("server.pem"), folder.join("server.key"));
        let tls = Some(TlsServer { cert_file, key_file, ..TlsServer::default() });
        let access = Access::of(&WebConfig { tls, ..WebConfig::default() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let policy = access.policy();
        Connection {
            stream: Stream::Handshake(Box::new(policy.tls.as_ref().unwrap().accept(stream))),
            patience: Box::pin(sleep(REQUEST_MAX)),
            answered: false,
            heard: false,
            seat: Seats::take(&Arc::default(), Share::new(&Arc::default()), None),
        }
    }

    #[tokio::test]
    async fn a_handshake_that_has_failed_is_not_gone_on_with() {
        let mut connection = plain_words_to_tls().await;
        let mut bytes = [0];
        for _ in 0..2 {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = poll_fn(|cx| Pin::new(&mut connection).poll_read(cx, &mut buffer)).await;
            assert!(read.is_err());
        }
        assert!(poll_fn(|cx| Pin::new(&mut connection).poll_shutdown(cx)).await.is_err());
    }
}
