//! The HTTP side: `/metrics`, `/-/healthy`, `/-/ready` and a landing page.
//!
//! Cost: a scrape takes a snapshot and writes some 60 KB a loop, on the network thread.
//!
//! **Invariant**: a page never waits for the observed loop. While the loop is blocked, `/metrics`
//! shows its open turn growing.

mod connection;
mod landing;
mod process;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use loopscope_exporters::{Exporter, PrometheusText};

use crate::monitor::Monitor;
use crate::source::Observe;
use crate::terminal::tell;
use connection::Bounded;
use process::ProcessMetrics;

/// What the pages are made of.
pub struct Site {
    observed: Arc<dyn Observe>,
    monitor: Arc<Monitor>,
    process: ProcessMetrics,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("monitor", &self.monitor).finish_non_exhaustive()
    }
}

impl Site {
    /// Pages about what is observed, and about this process itself.
    pub fn new(observed: Arc<dyn Observe>, monitor: Arc<Monitor>) -> Self {
        Site { observed, monitor, process: ProcessMetrics::new() }
    }
}

/// Why an address can't be served.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, error) = (self.address, &self.error);
        match error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "{address} is taken by another process; choose another port with --listen, or \
                 port 0 for any free one"
            ),
            io::ErrorKind::PermissionDenied => {
                write!(f, "{address} needs more rights; choose a port from 1024 on with --listen")
            }
            io::ErrorKind::AddrNotAvailable => write!(
                f,
                "{address} is no address of this machine; choose one of its own with --listen, \
                 as in 127.0.0.1:9797"
            ),
            _ => write!(f, "{address} can't be listened on ({error}); choose another --listen"),
        }
    }
}

impl std::error::Error for BindError {}

/// Takes the address, before anything else has begun.
///
/// # Errors
/// [`BindError`]; nothing is left behind.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|error| BindError { address, error })
}

/// Serves until `stop` is done and open requests have been answered. Must be called on a runtime.
///
/// # Errors
/// When the listener can't be watched by the runtime.
pub fn serve(
    listener: TcpListener,
    site: Arc<Site>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<impl Future<Output = ()> + Send> {
    let listener = Bounded::new(tokio::net::TcpListener::from_std(listener)?);
    let app = router(site);
    Ok(async move {
        if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop).await {
            tell(&format!("serving /metrics has ended: {error}"));
        }
    })
}

fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(landing_page))
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(|| async { "loopscope is healthy.\n" }))
        .route("/-/ready", get(|| async { "loopscope is ready.\n" }))
        .fallback(|| async { (StatusCode::NOT_FOUND, "No such page; / lists them.\n") })
        .with_state(site)
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let snapshot = site.observed.snapshot();
    let stats = site.monitor.stats(&snapshot);
    let mut page = Vec::new();
    let written = PrometheusText
        .export(&snapshot, &stats, &mut page)
        .and_then(|()| site.process.write(&mut page));
    match written {
        Ok(()) => ([(header::CONTENT_TYPE, PrometheusText.content_type())], page).into_response(),
        Err(error) => {
            site.monitor.export_failed("prometheus", "encode");
            let message = format!("The metrics can't be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
        }
    }
}

async fn landing_page(State(site): State<Arc<Site>>) -> Html<String> {
    Html(landing::page(&site.observed.snapshot()))
}
