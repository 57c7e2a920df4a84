//! Connections with limits: how many at once, and how long one may say nothing.

//! When all places are taken and somebody new comes, whoever has had a place for longest without
//! asking for anything, or has held up an answer for longest, gives it up: so slow clients, however
//! many, keep nobody out. A scraper that loses its idle connection makes another one.
//!
//! **Invariant**: at most [`CONNECTIONS_MAX`] connections and one that is about to be one, whatever
//! is spoken on them; a TLS handshake is a part of the first request, and has its time.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::Accept;
use tokio_rustls::server::TlsStream;

use super::web::Access;

/// Connections at once; more wait in the kernel's queue. A few scrapers and a browser or two hold
/// ten, and 64 pages in the making are 64 x 60 KB.
const CONNECTIONS_MAX: usize = 64;

/// A connection that neither sends nor takes anything for so long is closed: twice the longest
/// scrape interval in common use, so that a scraper's connection stays open between scrapes.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// A new connection that has not sent a whole request by then is closed, however slowly it goes on
/// sending: it must not keep others out.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// What everybody has, however many wait: three round trips across the world.
const GRACE: Duration = Duration::from_millis(250);

/// A listener that keeps to the limits.
pub(super) struct Bounded {
    listener: TcpListener,
    access: Arc<Access>,
    slots: Arc<Semaphore>,
    seats: Arc<Seats>,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, access: Arc<Access>) -> Self {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Bounded { listener, access, slots, seats: Arc::default() }
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
        Seats::take(&self.seats, slot)
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

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Peer {
        Peer(stream.remote_addr().ip())
    }
}

/// Who has a place.
#[derive(Default)]
struct Seats(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    last: u64,
    all: BTreeMap<u64, Sitting>,
}

struct Sitting {
    /// Whether it has been answered before.
    answered: bool,
    /// When it came, or its last answer began.
    since: Instant,
    /// Asks it to leave; `None`: it was asked.
    leave: Option<oneshot::Sender<()>>,
}

impl Seats {
    fn take(seats: &Arc<Seats>, slot: Option<OwnedSemaphorePermit>) -> Seat {
        let (leave, asked) = oneshot::channel();
        let mut taken = seats.taken();
        taken.last += 1;
        let number = taken.last;
        let since = Instant::now();
        taken.all.insert(number, Sitting { answered: false, since, leave: Some(leave) });
        Seat { number, seats: Arc::clone(seats), asked: Some(asked), _slot: slot }
    }

    /// Asks the one that can be spared: those who have asked for nothing yet come first.
    fn ask_to_leave(&self, now: Instant) {
        let mut taken = self.taken();
        let asked_before = |one: &Sitting| one.leave.is_none();
        let is_spared = |one: &Sitting| now.duration_since(one.since) < GRACE;
        let candidates = taken.all.values_mut().filter(|one| !asked_before(one) && !is_spared(one));
        let longest = candidates.min_by_key(|one| (one.answered, one.since));
        if let Some(leave) = longest.and_then(|one| one.leave.take()) {
            // An error: it has just left by itself.
            let _ = leave.send(());
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, given back when it is dropped.
struct Seat {
    number: u64,
    seats: Arc<Seats>,
    asked: Option<oneshot::Receiver<()>>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Seat {
    /// Notes that an answer begins.
    fn answers(&self) {
        if let Some(sitting) = self.seats.taken().all.get_mut(&self.number) {
            (sitting.answered, sitting.since) = (true, Instant::now());
        }
    }

    /// Whether it is asked to leave.
    fn is_asked(&mut self, cx: &mut Context<'_>) -> bool {
        let asked = self.asked.as_mut().is_some_and(|asked| Pin::new(asked).poll(cx).is_ready());
        if asked {
            self.asked = None;
        }
        asked
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().all.remove(&self.number);
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
        self.with(cx, |stream, cx| stream.poll_write(cx, bytes))
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

    /// Whether it is asked to leave.
    async fn is_asked(seat: &mut Seat) -> bool {
        poll_fn(|cx| Poll::Ready(seat.is_asked(cx))).await
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_asked_for_nothing_gives_way_first_and_who_has_just_come_never() {
        let seats = Arc::new(Seats::default());
        let take = || Seats::take(&seats, None);
        let (mut answered, mut silent) = (take(), take());
        answered.answers();
        tokio::time::advance(Duration::from_secs(5)).await;
        let mut slow = take();
        slow.answers();
        tokio::time::advance(GRACE).await;
        let mut fresh = take();
        let mut asked = Vec::new();
        for _ in 0..4 {
            seats.ask_to_leave(Instant::now());
            for (name, seat) in [
                ("silent", &mut silent),
                ("answered", &mut answered),
                ("slow", &mut slow),
                ("fresh", &mut fresh),
            ] {
                asked.extend(is_asked(seat).await.then_some(name));
            }
        }
        assert_eq!(asked, ["silent", "answered", "slow"]);
        tokio::time::advance(GRACE).await;
        drop((silent, answered, slow));
        assert_eq!(seats.taken().all.len(), 1);
        seats.ask_to_leave(Instant::now());
        assert!(is_asked(&mut fresh).await);
    }

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
            seat: Seats::take(&Arc::default(), None),
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
