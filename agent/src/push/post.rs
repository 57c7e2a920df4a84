//! One OTLP request over HTTP: posted, and its answer judged.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::answer::{self, Taken};
use super::config::{Compression, ConfigError, Endpoint};
use super::tls;

/// An answer is a few bytes; more than this is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What is posted. The names are also paths, and say which answer is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Cumulative metrics.
    Metrics,
    /// Stalls as log records.
    Logs,
}

impl Signal {
    /// Its name as an exporter, in labels.
    pub(super) const fn exporter(self) -> &'static str {
        match self {
            Signal::Metrics => "otlp",
            Signal::Logs => "otlp-logs",
        }
    }
}

/// Why a push failed. The names are label values of `export_failures_total`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushError {
    /// No connection, or it broke.
    Connect(String),
    /// The other end can't be trusted, or does not trust us.
    Tls(String),
    /// No answer in time.
    Timeout(Duration),
    /// The receiver has too much to do, and may say when to come again.
    Throttled(Option<Duration>),
    /// The receiver has a problem of its own, and may say when to come again.
    Server(StatusCode, Option<Duration>),
    /// The receiver refuses the request, or a part of it.
    Rejected(String),
    /// What answers is no OTLP receiver, so that nobody knows whether anything has arrived.
    Garbage,
    /// The snapshot could not be encoded, or the request not be made.
    Encode(String),
}

impl PushError {
    /// The reason as a label value.
    pub fn reason(&self) -> &'static str {
        match self {
            PushError::Connect(_) => "connect",
            PushError::Tls(_) => "tls",
            PushError::Timeout(_) => "timeout",
            PushError::Throttled(_) => "throttled",
            PushError::Server(..) => "server",
            PushError::Rejected(_) => "rejected",
            PushError::Garbage => "garbage",
            PushError::Encode(_) => "encode",
        }
    }

    /// Whether the same request may succeed later: as the specification of OTLP has it, after 429,
    /// 502, 503 and 504, and where no answer has come at all. No other status is tried again.
    pub fn is_retryable(&self) -> bool {
        match self {
            PushError::Connect(_)
            | PushError::Tls(_)
            | PushError::Timeout(_)
            | PushError::Throttled(_) => true,
            PushError::Server(status, _) => matches!(status.as_u16(), 502..=504),
            PushError::Rejected(_) | PushError::Garbage | PushError::Encode(_) => false,
        }
    }

    /// When the receiver wants to see us again.
    pub(super) fn after(&self) -> Option<Duration> {
        match self {
            PushError::Throttled(after) | PushError::Server(_, after) => *after,
            _ => None,
        }
    }
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PushError::Connect(why) => {
                write!(f, "no connection ({why}); is the Collector up, and the endpoint right?")
            }
            PushError::Tls(why) => write!(
                f,
                "no trust ({why}); OTEL_EXPORTER_OTLP_CERTIFICATE names who signs the receiver's \
                 certificate"
            ),
            PushError::Timeout(after) => write!(
                f,
                "no answer within {} ms; raise OTEL_EXPORTER_OTLP_TIMEOUT or look at the Collector",
                after.as_millis()
            ),
            PushError::Throttled(_) => {
                write!(f, "the receiver answered 429, it has too much to do; look at its log")
            }
            PushError::Server(status, _) => {
                write!(f, "the receiver answered {status}; look at its log")
            }
            PushError::Rejected(why) => {
                write!(f, "refused ({why}); check the endpoint's path and the headers")
            }
            PushError::Garbage => {
                write!(f, "the answer is not OTLP; check the endpoint, path and port")
            }
            PushError::Encode(why) => write!(f, "the request can't be made ({why})"),
        }
    }
}

impl std::error::Error for PushError {}

/// Where requests go.
pub(super) trait Post {
    /// Posts one request, compressed as it must be, and waits for its answer.
    async fn post(&self, body: Bytes) -> Result<Taken, PushError>;

    /// Where that is, as it may be told.
    fn place(&self) -> String;
}

/// Posts requests to one place, keeping a connection open between them.
#[derive(Debug)]
pub(super) struct Poster {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pub(super) endpoint: Endpoint,
    signal: Signal,
}

impl Poster {
    /// Reads the files that `endpoint` names.
    pub(super) fn new(endpoint: Endpoint, signal: Signal) -> Result<Self, ConfigError> {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(1)
            .build(tls::connector(&endpoint)?);
        Ok(Poster { client, endpoint, signal })
    }

    async fn exchange(&self, body: Bytes) -> Result<Taken, PushError> {
        let mut request = Request::post(self.endpoint.url.clone())
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .header(header::USER_AGENT, concat!("loopscope/", env!("CARGO_PKG_VERSION")));
        if self.endpoint.compression == Compression::Gzip {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        for (name, value) in &self.endpoint.headers {
            request = request.header(name, value);
        }
        let request =
            request.body(Full::new(body)).map_err(|error| PushError::Encode(error.to_string()))?;
        let response = self.client.request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(status, response.headers(), SystemTime::now()));
        }
        match Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await {
            Ok(answer) => answer::judge(self.signal, &answer.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(PushError::Garbage),
            Err(error) => Err(broken(error.as_ref())),
        }
    }
}

impl Post for Poster {
    /// Waits no longer than the endpoint's timeout.
    async fn post(&self, body: Bytes) -> Result<Taken, PushError> {
        let timeout = self.endpoint.timeout;
        let answered = tokio::time::timeout(timeout, self.exchange(body));
        answered.await.unwrap_or(Err(PushError::Timeout(timeout)))
    }

    fn place(&self) -> String {
        self.endpoint.place()
    }
}

/// What lies behind the client's own words, which are only that sending failed.
fn broken(error: &(dyn std::error::Error + 'static)) -> PushError {
    let mut deepest = error;
    loop {
        if let Some(tls) = deepest.downcast_ref::<rustls::Error>() {
            return PushError::Tls(tls.to_string());
        }
        // What an I/O error was made of is not its source.
        let made_of = deepest.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match made_of.map(|inner| inner as &(dyn std::error::Error + 'static)) {
            Some(inner) => deepest = inner,
            None => match deepest.source() {
                Some(source) => deepest = source,
                None => return PushError::Connect(deepest.to_string()),
            },
        }
    }
}

fn refused(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> PushError {
    let after = || headers.get(header::RETRY_AFTER)?.to_str().ok().and_then(|t| wait(t, now));
    match status {
        StatusCode::TOO_MANY_REQUESTS => PushError::Throttled(after()),
        _ if status.is_server_error() => PushError::Server(status, after()),
        _ => PushError::Rejected(format!("status {status}")),
    }
}

/// How long a `Retry-After` asks to wait: a number of seconds, or a date.
fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that don't fit are a very long time.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_status_tells_whose_fault_it_is_and_whether_to_come_again() {
        let check = |status: u16, reason: &str, again: bool| {
            let status = StatusCode::from_u16(status).unwrap();
            let error = refused(status, &HeaderMap::new(), SystemTime::UNIX_EPOCH);
            assert_eq!((error.reason(), error.is_retryable()), (reason, again), "{status}");
        };
        for status in [429, 502, 503, 504] {
            check(status, if status == 429 { "throttled" } else { "server" }, true);
        }
        for status in [500, 501, 505] {
            check(status, "server", false);
        }
        for status in [301, 400, 401, 403, 404, 408, 413] {
            check(status, "rejected", false);
        }
    }

    #[test]
    fn a_wait_is_a_number_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(wait(" 120 ", now), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:50:07 GMT";
        assert_eq!(wait(date, now), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:07 GMT", now), Some(Duration::ZERO));
        assert_eq!((wait("soon", now), wait("-1", now), wait("", now)), (None, None, None));
        let longest = Some(Duration::from_secs(u64::MAX));
        assert_eq!(wait("99999999999999999999999", now), longest, "it asks for much, not nothing");
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("7"))]);
        let error = refused(StatusCode::SERVICE_UNAVAILABLE, &headers, now);
        assert_eq!(error.after(), Some(Duration::from_secs(7)));
    }
}
