//! Connections with limits: how many at once, and how long one may say nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at once; more wait in the kernel's queue. A few scrapers and a browser or two hold
/// ten, and 64 pages in the making are 64 x 60 KB.
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
    slots: Arc<Semaphore>,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener) -> Self {
        Bounded { listener, slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed, so that there is always a slot in the end.
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        let patience = Box::pin(sleep(REQUEST_MAX));
        (Connection { stream, patience, answered: false, _slot: slot }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its peer takes too long, and gives its slot back.
pub(super) struct Connection {
    stream: TcpStream,
    patience: Pin<Box<Sleep>>,
    answered: bool,
    _slot: Option<OwnedSemaphorePermit>,
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
        match self.patience.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.bound(cx, answer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.answered = true;
        let answer = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bound(cx, answer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
