//! The standard `OTEL_*` variables, as the OpenTelemetry specification has them.
//!
//! A variable for metrics outranks the general one. Empty is unset. A number that can't be read is
//! told and its default taken, as the specification asks; an endpoint that can't be used is an
//! error, for then nothing would ever arrive.

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};

use super::pairs;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const METRICS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
const INTERVAL_DEFAULT_MS: u64 = 60_000;
const TIMEOUT_DEFAULT_MS: u64 = 10_000;

/// A year: longer makes no sense, and the sum with a time of day could overflow.
const NUMBER_MAX_MS: u64 = 365 * 24 * 3_600_000;

const SERVICE_NAME_DEFAULT: &str = "loopscope";

/// Where to push, how often, and in whose name.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where requests are posted to.
    pub endpoint: Uri,
    /// Headers of each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long a request may take.
    pub timeout: Duration,
    /// From one push to the next.
    pub interval: Duration,
    /// Attributes of the resource.
    pub resource: Vec<(String, String)>,
    /// What was wrong and has been left out.
    pub warnings: Vec<String>,
}

/// Why nothing can be pushed although a variable asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The endpoint is no URL of the kind that can be pushed to.
    Endpoint {
        /// The variable it comes from.
        variable: &'static str,
        /// What it says.
        value: String,
    },
    /// The endpoint wants TLS.
    Https {
        /// The variable it comes from.
        variable: &'static str,
    },
    /// A protocol other than protobuf over HTTP is asked for.
    Protocol {
        /// The protocol.
        value: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Endpoint { variable, value } => {
                write!(f, "{variable} `{value}` is no http URL; write http://localhost:4318")
            }
            ConfigError::Https { variable } => write!(
                f,
                "{variable} asks for https, which this build can't speak; point it to a Collector \
                 on this host over http"
            ),
            ConfigError::Protocol { value } => write!(
                f,
                "OTLP protocol `{value}` is not supported; set OTEL_EXPORTER_OTLP_PROTOCOL to \
                 http/protobuf and the endpoint to the Collector's port for it (4318)"
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The endpoint as it may be told: without a user's name and password.
    pub fn place(&self) -> String {
        let host = self.endpoint.host().unwrap_or_default();
        let port = self.endpoint.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("http://{host}{port}{}", self.endpoint.path())
    }

    /// Reads the variables through `var`. `None`: nothing asks for a push.
    ///
    /// # Errors
    /// [`ConfigError`] when a push is asked for that could never succeed.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Result<Option<Config>, ConfigError> {
        let set = |name: &str| var(name).filter(|value| !value.trim().is_empty());
        let off = set("OTEL_SDK_DISABLED").is_some_and(|v| v.trim().eq_ignore_ascii_case("true"));
        if off || set("OTEL_METRICS_EXPORTER").is_some_and(|v| !v.contains("otlp")) {
            return Ok(None);
        }
        let endpoint = match (set(METRICS_ENDPOINT), set(ENDPOINT)) {
            (Some(url), _) => endpoint(METRICS_ENDPOINT, &url, "/")?,
            (None, Some(base)) => endpoint(ENDPOINT, &base, "/v1/metrics")?,
            (None, None) => return Ok(None),
        };
        let of_metrics = |name: &str| {
            set(&format!("OTEL_EXPORTER_OTLP_METRICS_{name}"))
                .or_else(|| set(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        if let Some(value) = of_metrics("PROTOCOL").filter(|value| value != "http/protobuf") {
            return Err(ConfigError::Protocol { value });
        }
        let mut warnings = Vec::new();
        if of_metrics("COMPRESSION").is_some_and(|value| value != "none") {
            warnings.push("OTLP is pushed uncompressed; this build has no compression".to_owned());
        }
        let timeout = of_metrics("TIMEOUT");
        let timeout_ms = number("OTLP timeout", timeout, TIMEOUT_DEFAULT_MS, &mut warnings);
        let interval = set("OTEL_METRIC_EXPORT_INTERVAL");
        let interval_ms =
            number("OTEL_METRIC_EXPORT_INTERVAL", interval, INTERVAL_DEFAULT_MS, &mut warnings);
        let headers = headers(of_metrics("HEADERS").as_deref(), &mut warnings);
        let attributes = set("OTEL_RESOURCE_ATTRIBUTES");
        let resource = resource(attributes.as_deref(), set("OTEL_SERVICE_NAME"), &mut warnings);
        Ok(Some(Config {
            endpoint,
            headers,
            timeout: Duration::from_millis(timeout_ms),
            interval: Duration::from_millis(interval_ms),
            resource,
            warnings,
        }))
    }
}

/// The URL with `path` appended: nothing but `/` for a URL that is meant as it stands.
fn endpoint(variable: &'static str, value: &str, path: &str) -> Result<Uri, ConfigError> {
    let bad = || ConfigError::Endpoint { variable, value: value.to_owned() };
    let trimmed = value.trim();
    let given: Uri = trimmed.parse().map_err(|_| bad())?;
    match given.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(ConfigError::Https { variable }),
        _ => return Err(bad()),
    }
    if given.host().is_none_or(str::is_empty) || has_unusable_port(&given) {
        return Err(bad());
    }
    if path == "/" {
        return Ok(given);
    }
    if given.query().is_some() {
        return Err(bad());
    }
    let base = trimmed.trim_end_matches('/');
    format!("{base}{path}").parse().map_err(|_| bad())
}

/// Whether a port is written that is none: left alone, it would be taken for 80.
fn has_unusable_port(url: &Uri) -> bool {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let behind_address = host.rsplit(']').next().unwrap_or_default();
    behind_address.contains(':') && url.port_u16().is_none()
}

fn number(name: &str, value: Option<String>, default: u64, warnings: &mut Vec<String>) -> u64 {
    let Some(value) = value else { return default };
    match value.trim().parse() {
        Ok(number) if (1..=NUMBER_MAX_MS).contains(&number) => number,
        _ => {
            warnings
                .push(format!("{name} `{value}` is no number of milliseconds; {default} is taken"));
            default
        }
    }
}

fn headers(text: Option<&str>, warnings: &mut Vec<String>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for pair in pairs::parse(text.unwrap_or_default()) {
        let header = pair.ok().and_then(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            let mut value = HeaderValue::try_from(value).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        match header {
            Some(header) => headers.push(header),
            // Not repeated: headers hold secrets.
            None => warnings.push("a pair in the OTLP headers can't be read; left out".to_owned()),
        }
    }
    headers
}

fn resource(
    attributes: Option<&str>,
    service_name: Option<String>,
    warnings: &mut Vec<String>,
) -> Vec<(String, String)> {
    let mut resource = vec![
        ("service.name".to_owned(), SERVICE_NAME_DEFAULT.to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let mut set =
        |name: String, value: String| match resource.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => resource.push((name, value)),
        };
    for pair in pairs::parse(attributes.unwrap_or_default()) {
        match pair {
            Ok((name, value)) => set(name, value),
            Err(text) => warnings
                .push(format!("OTEL_RESOURCE_ATTRIBUTES: `{text}` is no name=value; left out")),
        }
    }
    if let Some(name) = service_name {
        set("service.name".to_owned(), name);
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Config>, ConfigError> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Config::read(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    fn config(variables: &[(&str, &str)]) -> Config {
        read(variables).expect("is valid").expect("asks for a push")
    }

    #[test]
    fn only_an_endpoint_asks_for_a_push() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(ENDPOINT, "  "), ("OTEL_SERVICE_NAME", "x")]), Ok(None));
        assert_eq!(read(&[(ENDPOINT, "http://h"), ("OTEL_SDK_DISABLED", "TRUE")]), Ok(None));
        assert_eq!(read(&[(ENDPOINT, "http://h"), ("OTEL_METRICS_EXPORTER", "none")]), Ok(None));
    }

    #[test]
    fn a_port_that_is_none_is_refused() {
        for url in ["http://h:99999", "http://h:", "http://h:x", "http://[::1]:70000"] {
            let read = Config::read(|name| (name == ENDPOINT).then(|| url.to_owned()));
            assert!(read.is_err(), "{url}");
        }
        let read = Config::read(|name| (name == ENDPOINT).then(|| "http://u@[::1]:4318".into()));
        assert!(read.unwrap().is_some());
    }

    #[test]
    fn a_path_is_appended_to_the_general_endpoint_only() {
        let general = |url| config(&[(ENDPOINT, url)]).endpoint.to_string();
        assert_eq!(general("http://localhost:4318"), "http://localhost:4318/v1/metrics");
        assert_eq!(general("http://localhost:4318/"), "http://localhost:4318/v1/metrics");
        assert_eq!(general("http://h/otlp/"), "http://h/otlp/v1/metrics");
        let own = |url| config(&[(METRICS_ENDPOINT, url), (ENDPOINT, "x")]).endpoint.to_string();
        assert_eq!(own("http://h:4318"), "http://h:4318/");
        assert_eq!(own("http://h/push"), "http://h/push");
    }

    #[test]
    fn what_could_never_succeed_is_refused_with_the_cure() {
        let check = |variables: &[(&str, &str)], want: &str| {
            let error = read(variables).expect_err(want).to_string();
            assert!(error.contains(want) && error.contains("; "), "{error}");
        };
        check(&[(ENDPOINT, "https://h:4318")], "https");
        check(&[(ENDPOINT, "localhost:4318")], "http://localhost:4318");
        check(&[(ENDPOINT, "/x y")], "no http URL");
        check(&[(ENDPOINT, "http://h"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "grpc");
    }

    #[test]
    fn bad_numbers_are_told_and_their_defaults_taken() {
        let config = config(&[
            (ENDPOINT, "http://h"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "soon"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ]);
        assert_eq!(config.interval, Duration::from_secs(60));
        assert_eq!(config.timeout, Duration::from_millis(1_500));
        assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    }

    #[test]
    fn headers_and_attributes_are_decoded_and_secrets_kept() {
        let config = config(&[
            (ENDPOINT, "http://h"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x=y, bad header=1,api-key=k"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment=pro%2Cd,oops"),
            ("OTEL_SERVICE_NAME", "shop"),
        ]);
        let headers: Vec<_> =
            config.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(headers, [("authorization", &b"Bearer x=y"[..]), ("api-key", b"k")]);
        assert!(!format!("{config:?}").contains("Bearer"));
        let named = self::config(&[(ENDPOINT, "http://me:secret@h:1/x")]);
        assert_eq!(named.place(), "http://h:1/x/v1/metrics");
        assert_eq!(config.resource[0], ("service.name".to_owned(), "shop".to_owned()));
        assert_eq!(config.resource[2].1, "pro,d");
        assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    }
}
