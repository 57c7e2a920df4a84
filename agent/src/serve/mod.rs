//! The HTTP side: `/metrics`, `/-/healthy`, `/-/ready` and a page for people.
//!
//! Cost: a scrape takes a snapshot, and then writes some 60 KB a loop, on the network thread and
//! under no lock.
//!
//! Who may see them, and through what, says [`web`]. What is on its way to slow clients is bounded
//! in bytes, over all of them: where there is no room for a page in time, the answer is 503.
//!
//! **Invariant**: a page never waits for the observed loop. While the loop is blocked, `/metrics`
//! shows its open turn growing.

mod connection;
mod page;
mod process;
mod room;
mod scrape;
mod seats;
pub mod web;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use loop_core::snapshot::Snapshot;
use loopscope_exporters::SelfStats;

use crate::monitor::Monitor;
use crate::now::{Look, Now};
use crate::readers;
use crate::source::Observe;
use crate::terminal::tell;
use connection::Bounded;
use process::ProcessMetrics;
use scrape::Wanted;
use seats::Peer;
use web::Access;

/// Connections that wait in the kernel's queue: where it is full, who connects tries again after
/// one second, then two, then four. A place is free for each within four seconds, however slow
/// those before it are.
#[cfg(target_os = "linux")]
const BACKLOG: i32 = 1_024;

/// The path of the metrics.
const METRICS: &str = "/metrics";

/// What failed scrapes are counted as, in `export_failures_total`.
const EXPORTER: &str = "prometheus";

/// What the pages are made of.
pub struct Site {
    observed: Arc<dyn Observe>,
    monitor: Arc<Monitor>,
    process: ProcessMetrics,
    access: Arc<Access>,
    stall_threshold_ns: u64,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("monitor", &self.monitor).finish_non_exhaustive()
    }
}

impl Site {
    /// Pages about what is observed, and about this process itself. A turn that lasts for
    /// `stall_threshold_ns` is a stall there.
    pub fn new(observed: Arc<dyn Observe>, monitor: Arc<Monitor>, stall_threshold_ns: u64) -> Self {
        let access = Arc::new(Access::open());
        Site { observed, monitor, process: ProcessMetrics::new(), access, stall_threshold_ns }
    }

    /// The same for those whom `access` lets in.
    #[must_use]
    pub fn behind(self, access: Arc<Access>) -> Self {
        Site { access, ..self }
    }

    /// What the agent knows of itself, its process included.
    fn stats(&self, snapshot: &Snapshot) -> SelfStats {
        SelfStats { process: self.process.read(), ..self.monitor.stats(&*self.observed, snapshot) }
    }

    fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let look = Look { unix_ns, stall_threshold_ns: self.stall_threshold_ns };
        Now::of(&self.observed.snapshot(), look)
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
        #[cfg(target_os = "linux")]
        rustix::net::listen(&listener, BACKLOG)?;
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
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let listener = Bounded::new(listener, Arc::clone(&site.access));
    let app = router(site);
    Ok(async move {
        let app = app.into_make_service_with_connect_info::<Peer>();
        if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop).await {
            tell(&format!("serving /metrics has ended: {error}"));
        }
    })
}

fn router(site: Arc<Site>) -> Router {
    let guard = from_fn_with_state(Arc::clone(&site.access), web::guard);
    Router::new()
        .route("/", get(people))
        .route("/api/now", get(now))
        .route(METRICS, get(metrics))
        .route_layer(from_fn_with_state(Arc::clone(&site), within_room))
        .route("/-/healthy", get(|| async { "loopscope is healthy.\n" }))
        .route("/-/ready", get(ready))
        .fallback(|| async { (StatusCode::NOT_FOUND, "No such page; / lists them.\n") })
        .layer(guard)
        .with_state(site)
}

/// Lets a page be made, if there is room for it.
async fn within_room(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let is_scrape = request.uri().path() == METRICS;
    // Its answer has a head alone.
    let is_head = request.method() == Method::HEAD;
    let bytes = |page: &Response| {
        let size = page.body().size_hint().exact().filter(|_| !is_head).unwrap_or(0);
        usize::try_from(size).unwrap_or(usize::MAX)
    };
    let who = reader(peer.address, request.headers());
    if let Some(page) = peer.page(next.run(request), bytes).await {
        return page;
    }
    if is_scrape {
        site.monitor.take_back(&who);
        site.monitor.export_failed(EXPORTER, "no_room");
    }
    let busy = "Too much is on its way to slow clients; ask again in a second.\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], busy).into_response()
}

async fn metrics(
    State(site): State<Arc<Site>>,
    ConnectInfo(Peer { address, .. }): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    let reading = site.monitor.read_by(&reader(address, &headers));
    let mut snapshot = site.observed.snapshot();
    let mut stats = site.stats(&snapshot);
    site.monitor.leave_out(reading, &mut snapshot, &mut stats);
    match Wanted::by(&headers).page(&snapshot, &stats) {
        Ok(page) => page,
        Err(error) => {
            site.monitor.export_failed(EXPORTER, "encode");
            let message = format!("The metrics can't be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
        }
    }
}

/// Who reads.
fn reader(address: IpAddr, headers: &HeaderMap) -> String {
    let name = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    readers::of_http(address, name.unwrap_or_default())
}

/// Who looks for processes is ready once it has looked.
async fn ready(State(site): State<Arc<Site>>) -> (StatusCode, &'static str) {
    match site.observed.census() {
        Some(census) if census.looks == 0 => {
            (StatusCode::SERVICE_UNAVAILABLE, "loopscope has not looked for processes yet.\n")
        }
        _ => (StatusCode::OK, "loopscope is ready.\n"),
    }
}

async fn people(State(site): State<Arc<Site>>) -> Html<String> {
    Html(page::page(&site.now()))
}

/// What the page shows, as JSON.
async fn now(State(site): State<Arc<Site>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    match serde_json::to_vec(&site.now()) {
        Ok(bytes) => (headers, bytes).into_response(),
        Err(error) => {
            let message = format!("What is so can't be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
        }
    }
}
