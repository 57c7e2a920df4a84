//! One OTLP request over HTTP: posted, and its answer judged.

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::Config;

/// An answer is a few bytes; more than this is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Why a push failed. The names are label values of `export_failures_total`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushError {
    /// No connection, or it broke.
    Connect(String),
    /// No answer in time.
    Timeout(Duration),
    /// The receiver refuses the request, or a part of its points.
    Rejected(String),
    /// The receiver has a problem of its own.
    Server(StatusCode),
    /// The snapshot could not be encoded, or the request not be made.
    Encode(String),
}

impl PushError {
    /// The reason as a label value.
    pub fn reason(&self) -> &'static str {
        match self {
            PushError::Connect(_) => "connect",
            PushError::Timeout(_) => "timeout",
            PushError::Rejected(_) => "rejected",
            PushError::Server(_) => "server",
            PushError::Encode(_) => "encode",
        }
    }
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PushError::Connect(why) => {
                write!(f, "no connection ({why}); is the Collector up, and the endpoint right?")
            }
            PushError::Timeout(after) => write!(
                f,
                "no answer within {} ms; raise OTEL_EXPORTER_OTLP_TIMEOUT or look at the Collector",
                after.as_millis()
            ),
            PushError::Rejected(why) => {
                write!(f, "refused ({why}); check the endpoint's path and the headers")
            }
            PushError::Server(status) => {
                write!(f, "the receiver answered {status}; look at its log")
            }
            PushError::Encode(why) => write!(f, "the request can't be made ({why})"),
        }
    }
}

impl std::error::Error for PushError {}

/// Posts requests, keeping a connection open between them.
#[derive(Debug)]
pub(super) struct Poster {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Poster {
    pub(super) fn new() -> Self {
        Poster { client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Posts one request and waits for its answer, no longer than `timeout`.
    pub(super) async fn post(
        &self,
        config: &Config,
        content_type: &str,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<(), PushError> {
        let answered = tokio::time::timeout(timeout, self.exchange(config, content_type, body));
        answered.await.unwrap_or(Err(PushError::Timeout(timeout)))
    }

    async fn exchange(
        &self,
        config: &Config,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(), PushError> {
        let mut request = Request::post(config.endpoint.clone())
            .header(header::CONTENT_TYPE, content_type)
            .header(header::USER_AGENT, concat!("loopscope/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &config.headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| PushError::Encode(error.to_string()))?;
        let response = self.client.request(request).await.map_err(|error| connect(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(status));
        }
        let answer = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let answer = answer.map_err(|error| PushError::Connect(error.to_string()))?.to_bytes();
        judge(&answer)
    }
}

/// What lies behind the client's own words, which are only that sending failed.
fn connect(error: &dyn std::error::Error) -> PushError {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    PushError::Connect(deepest.to_string())
}

fn refused(status: StatusCode) -> PushError {
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        PushError::Server(status)
    } else {
        PushError::Rejected(format!("status {status}"))
    }
}

/// A receiver may take a request and yet drop points of it. One that answers with something else
/// than the message of the specification has taken all.
fn judge(answer: &Bytes) -> Result<(), PushError> {
    let partial = ExportMetricsServiceResponse::decode(answer.clone()).ok();
    match partial.and_then(|response| response.partial_success) {
        Some(partial) if partial.rejected_data_points > 0 => Err(PushError::Rejected(format!(
            "{} points: {}",
            partial.rejected_data_points, partial.error_message
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    #[test]
    fn dropped_points_are_a_failure_and_an_empty_answer_is_none() {
        let answer = |rejected| {
            let partial = ExportMetricsPartialSuccess {
                rejected_data_points: rejected,
                error_message: "too old".to_owned(),
            };
            let response = ExportMetricsServiceResponse { partial_success: Some(partial) };
            judge(&Bytes::from(response.encode_to_vec()))
        };
        assert_eq!(judge(&Bytes::new()), Ok(()));
        assert_eq!(judge(&Bytes::from_static(b"{}")), Ok(()));
        assert_eq!(answer(0), Ok(()));
        assert_eq!(answer(3).unwrap_err().reason(), "rejected");
    }

    #[test]
    fn a_status_tells_whose_fault_it_is() {
        assert_eq!(refused(StatusCode::NOT_FOUND).reason(), "rejected");
        assert_eq!(refused(StatusCode::TOO_MANY_REQUESTS).reason(), "server");
        assert_eq!(refused(StatusCode::BAD_GATEWAY).reason(), "server");
    }
}
