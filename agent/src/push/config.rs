//! Where to push, how, and in whose name: plain values, whoever they come from.
//!
//! **Invariant**: no secret is shown by `Debug` or told: neither a header's value nor what stands
//! before the `@` of a URL.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};

/// From one push of metrics to the next, where nothing else is said.
pub const METRICS_INTERVAL: Duration = Duration::from_secs(60);

/// From one look for new stalls to the next, where nothing else is said.
pub const LOGS_INTERVAL: Duration = Duration::from_secs(1);

/// How long a request may take, where nothing else is said.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What is pushed, where, how often, and in whose name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Where metrics go; `None`: they are not pushed.
    pub metrics: Option<Endpoint>,
    /// Where stalls go, as log records; `None`: they are not pushed.
    pub logs: Option<Endpoint>,
    /// From one push of metrics to the next; [`METRICS_INTERVAL`] where it is zero.
    pub metrics_interval: Duration,
    /// From one look for new stalls to the next; [`LOGS_INTERVAL`] where it is zero.
    pub logs_interval: Duration,
    /// Attributes of every resource, as the user gives them. They outrank what is found out.
    pub resource: Vec<(String, String)>,
    /// What was wrong and has been left out.
    pub warnings: Vec<String>,
}

impl Config {
    /// Whether anything is pushed.
    pub fn is_on(&self) -> bool {
        self.metrics.is_some() || self.logs.is_some()
    }

    /// The places that are pushed to, as they may be told.
    pub fn places(&self) -> Vec<String> {
        self.metrics.iter().chain(&self.logs).map(Endpoint::place).collect()
    }
}

/// Where requests of one kind are posted to.
#[derive(Clone, PartialEq)]
pub struct Endpoint {
    /// The whole URL, path included: `http` or `https`.
    pub url: Uri,
    /// Headers of each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long a request may take, its answer included.
    pub timeout: Duration,
    /// How bodies are compressed.
    pub compression: Compression,
    /// Who is trusted behind `https`, and as whom we come.
    pub tls: TlsFiles,
}

impl Endpoint {
    /// One with nothing but a URL.
    pub fn new(url: Uri) -> Endpoint {
        Endpoint {
            url,
            headers: Vec::new(),
            timeout: TIMEOUT,
            compression: Compression::default(),
            tls: TlsFiles::default(),
        }
    }

    /// The URL as it may be told: without a user's name and password, and without a query.
    pub fn place(&self) -> String {
        let scheme = self.url.scheme_str().unwrap_or("http");
        let host = self.url.host().unwrap_or_default();
        let port = self.url.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("{scheme}://{host}{port}{}", self.url.path())
    }

    /// Whether it is spoken to through TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Endpoint")
            .field("url", &self.place())
            .field("headers", &headers)
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .field("tls", &self.tls)
            .finish()
    }
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// By gzip.
    Gzip,
}

/// Files in PEM. They are read once, when the first request is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who signs the receiver's certificate; `None`: whom this system trusts.
    pub authorities: Option<PathBuf>,
    /// Our own certificate with its chain, and its key; `None`: we show none.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Why nothing can be pushed although it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The endpoint is no URL of the kind that can be pushed to.
    Endpoint {
        /// The variable it comes from.
        variable: &'static str,
        /// What it says, without what stands before an `@`.
        value: String,
    },
    /// A protocol other than protobuf over HTTP is asked for.
    Protocol {
        /// The protocol.
        value: String,
    },
    /// A file in PEM can't be used.
    Pem {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A client's certificate without its key, or the other way round.
    HalfClient,
    /// `https` is asked for, and this system names nobody whom it trusts.
    NoAuthorities,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Endpoint { variable, value } => write!(
                f,
                "{variable} `{value}` is no http or https URL; write http://localhost:4318"
            ),
            ConfigError::Protocol { value } => write!(
                f,
                "OTLP protocol `{value}` is not supported; set OTEL_EXPORTER_OTLP_PROTOCOL to \
                 http/protobuf and the endpoint to the Collector's port for it (4318)"
            ),
            ConfigError::Pem { file, why } => {
                write!(f, "{} can't be used for OTLP: {why}; it must be PEM", file.display())
            }
            ConfigError::HalfClient => write!(
                f,
                "a client certificate for OTLP needs its key, and a key its certificate; set both \
                 OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY"
            ),
            ConfigError::NoAuthorities => write!(
                f,
                "this system has no root certificates, so no https endpoint can be trusted; \
                 install ca-certificates, or name a file in OTEL_EXPORTER_OTLP_CERTIFICATE"
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let mut endpoint = Endpoint::new(Uri::from_static("https://me:secret@h:1/x?key=secret"));
        let value = HeaderValue::from_static("Bearer secret");
        endpoint.headers.push((HeaderName::from_static("authorization"), value));
        assert_eq!(endpoint.place(), "https://h:1/x");
        let config = Config { metrics: Some(endpoint), ..Config::default() };
        let shown = format!("{config:?}");
        assert!(!shown.contains("secret") && shown.contains("authorization"), "{shown}");
    }
}
