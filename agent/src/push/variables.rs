//! The standard `OTEL_*` variables, as the OpenTelemetry specification has them.
//!
//! A variable for one signal (`OTEL_EXPORTER_OTLP_METRICS_...`, `..._LOGS_...`) outranks the
//! general one. Empty is unset. A number that can't be read is told and its default taken, as the
//! specification asks; an endpoint that can't be used is an error, for then nothing would ever
//! arrive.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};

use super::config::{
    Compression, Config, ConfigError, Endpoint, LOGS_INTERVAL, METRICS_INTERVAL, TIMEOUT, TlsFiles,
};
use super::pairs;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// A year: longer makes no sense, and the sum with a time of day could overflow.
const NUMBER_MAX_MS: u64 = 365 * 24 * 3_600_000;

/// What the variables of a kind of data are called.
struct Signal {
    /// Says which exporters it goes to.
    exporter: &'static str,
    /// Its own endpoint, taken as it stands.
    endpoint: &'static str,
    /// What all of its own variables begin with.
    prefix: &'static str,
    /// Where it goes below the general endpoint.
    path: &'static str,
    /// How long an export may take, however many requests that is.
    export_timeout: &'static str,
}

const METRICS: Signal = Signal {
    exporter: "OTEL_METRICS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    prefix: "OTEL_EXPORTER_OTLP_METRICS_",
    path: "/v1/metrics",
    export_timeout: "OTEL_METRIC_EXPORT_TIMEOUT",
};

const LOGS: Signal = Signal {
    exporter: "OTEL_LOGS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    prefix: "OTEL_EXPORTER_OTLP_LOGS_",
    path: "/v1/logs",
    export_timeout: "OTEL_BLRP_EXPORT_TIMEOUT",
};

/// Variables that ask for what is always done otherwise: with the value that is done anyway.
const FIXED: [(&str, &str); 2] = [
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative"),
    (
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2_exponential_bucket_histogram",
    ),
];

impl Config {
    /// Reads the variables through `var`. `None`: nothing asks for a push.
    ///
    /// # Errors
    /// [`ConfigError`] when a push is asked for that could never succeed.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Result<Option<Config>, ConfigError> {
        let mut reader = Reader { var, warnings: Vec::new() };
        if reader.set("OTEL_SDK_DISABLED").is_some_and(|v| v.trim().eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let metrics = reader.endpoint(&METRICS)?;
        let logs = reader.endpoint(&LOGS)?;
        if metrics.is_none() && logs.is_none() {
            return Ok(None);
        }
        let metrics_interval = reader.time("OTEL_METRIC_EXPORT_INTERVAL", METRICS_INTERVAL);
        let logs_interval = reader.time("OTEL_BLRP_SCHEDULE_DELAY", LOGS_INTERVAL);
        for (name, fixed) in FIXED {
            let other = reader.set(name).filter(|value| !value.trim().eq_ignore_ascii_case(fixed));
            if let Some(value) = other.filter(|_| metrics.is_some()) {
                reader.warnings.push(format!("{name} `{value}`: {fixed} is pushed all the same"));
            }
        }
        let resource = reader.resource();
        // Both signals may have read the same variable.
        let mut warnings = reader.warnings;
        let mut told = BTreeSet::new();
        warnings.retain(|warning| told.insert(warning.clone()));
        Ok(Some(Config { metrics, logs, metrics_interval, logs_interval, resource, warnings }))
    }
}

/// Reads variables, and notes what is wrong with them.
struct Reader<V> {
    var: V,
    warnings: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn set(&self, name: &str) -> Option<String> {
        (self.var)(name).filter(|value| !value.trim().is_empty())
    }

    /// The value of a signal's own variable, else of the general one.
    fn of(&self, signal: &Signal, name: &str) -> Option<String> {
        self.set(&format!("{}{name}", signal.prefix))
            .or_else(|| self.set(&format!("OTEL_EXPORTER_OTLP_{name}")))
    }

    /// Where a signal goes; `None`: nothing asks for it.
    fn endpoint(&mut self, signal: &Signal) -> Result<Option<Endpoint>, ConfigError> {
        let exporters = self.set(signal.exporter);
        if exporters.is_some_and(|all| !all.split(',').any(|one| one.trim() == "otlp")) {
            return Ok(None);
        }
        let url = match (self.set(signal.endpoint), self.set(ENDPOINT)) {
            (Some(url), _) => endpoint(signal.endpoint, &url, "/")?,
            (None, Some(base)) => endpoint(ENDPOINT, &base, signal.path)?,
            (None, None) => return Ok(None),
        };
        if let Some(value) = self.of(signal, "PROTOCOL").filter(|v| v.trim() != "http/protobuf") {
            return Err(ConfigError::Protocol { value });
        }
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            self.warnings.push(
                "a user and a password in an OTLP endpoint are not sent; put \
                 `authorization=Basic%20...` into OTEL_EXPORTER_OTLP_HEADERS"
                    .to_owned(),
            );
        }
        let timeout = self.timeout(signal);
        let compression = self.compression(signal);
        let headers = headers(self.of(signal, "HEADERS").as_deref(), &mut self.warnings);
        Ok(Some(Endpoint { url, headers, timeout, compression, tls: self.tls(signal)? }))
    }

    fn timeout(&mut self, signal: &Signal) -> Duration {
        let own = format!("{}TIMEOUT", signal.prefix);
        let name = if self.set(&own).is_some() { &own } else { "OTEL_EXPORTER_OTLP_TIMEOUT" };
        let timeout = self.time(name, TIMEOUT);
        timeout.min(self.time(signal.export_timeout, timeout))
    }

    fn compression(&mut self, signal: &Signal) -> Compression {
        match self.of(signal, "COMPRESSION").as_deref().map(str::trim) {
            None | Some("none") => Compression::None,
            Some("gzip") => Compression::Gzip,
            Some(other) => {
                let told = format!("OTLP compression `{other}` is not known; gzip or none is");
                self.warnings.push(told);
                Compression::None
            }
        }
    }

    fn tls(&self, signal: &Signal) -> Result<TlsFiles, ConfigError> {
        let file = |name| self.of(signal, name).map(|path| PathBuf::from(path.trim()));
        let client = match (file("CLIENT_CERTIFICATE"), file("CLIENT_KEY")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(ConfigError::HalfClient),
        };
        Ok(TlsFiles { authorities: file("CERTIFICATE"), client })
    }

    /// A time in milliseconds.
    fn time(&mut self, name: &str, default: Duration) -> Duration {
        let Some(value) = self.set(name) else { return default };
        match value.trim().parse() {
            Ok(number) if (1..=NUMBER_MAX_MS).contains(&number) => Duration::from_millis(number),
            _ => {
                let default_ms = default.as_millis();
                self.warnings.push(format!(
                    "{name} `{value}` is no number of milliseconds; {default_ms} is taken"
                ));
                default
            }
        }
    }

    /// The attributes that are given; a name of the service outranks those.
    fn resource(&mut self) -> Vec<(String, String)> {
        let mut resource: Vec<(String, String)> = Vec::new();
        let mut set =
            |name: String, value: String| match resource.iter_mut().find(|(of, _)| *of == name) {
                Some(known) => known.1 = value,
                None => resource.push((name, value)),
            };
        let attributes = self.set("OTEL_RESOURCE_ATTRIBUTES");
        for pair in pairs::parse(attributes.as_deref().unwrap_or_default()) {
            match pair {
                Ok((name, value)) => set(name, value),
                Err(text) => self
                    .warnings
                    .push(format!("OTEL_RESOURCE_ATTRIBUTES: `{text}` is no name=value; left out")),
            }
        }
        if let Some(name) = self.set("OTEL_SERVICE_NAME") {
            set("service.name".to_owned(), name);
        }
        resource
    }
}

/// The URL with `path` appended: nothing but `/` for a URL that is meant as it stands.
fn endpoint(variable: &'static str, value: &str, path: &str) -> Result<Uri, ConfigError> {
    let bad = || ConfigError::Endpoint { variable, value: without_secrets(value).to_owned() };
    let trimmed = value.trim();
    let given: Uri = trimmed.parse().map_err(|_| bad())?;
    match given.scheme_str() {
        Some("http" | "https") => {}
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

/// What may be told of a URL: not what stands before an `@`, and no query.
fn without_secrets(url: &str) -> &str {
    let behind = url.rsplit('@').next().unwrap_or_default();
    behind.split('?').next().unwrap_or_default()
}

/// Whether a port is written that is none: left alone, it would be taken for 80.
fn has_unusable_port(url: &Uri) -> bool {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let behind_address = host.rsplit(']').next().unwrap_or_default();
    behind_address.contains(':') && url.port_u16().is_none()
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
        let none = [("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "none")];
        assert_eq!(read(&[(ENDPOINT, "http://h"), none[0], none[1]]), Ok(None));
    }

    #[test]
    fn each_signal_is_asked_for_by_itself() {
        let on = |variables: &[(&str, &str)]| {
            let config = config(variables);
            (config.metrics.is_some(), config.logs.is_some())
        };
        assert_eq!(on(&[(ENDPOINT, "http://h")]), (true, true));
        assert_eq!(on(&[(METRICS.endpoint, "http://h")]), (true, false));
        assert_eq!(on(&[(LOGS.endpoint, "http://h")]), (false, true));
        let base = (ENDPOINT, "http://h");
        assert_eq!(on(&[base, ("OTEL_LOGS_EXPORTER", "none")]), (true, false));
        assert_eq!(on(&[base, ("OTEL_LOGS_EXPORTER", "console, otlp")]), (true, true));
        assert_eq!(on(&[base, ("OTEL_METRICS_EXPORTER", "prometheus")]), (false, true));
    }

    #[test]
    fn a_signal_has_its_own_ways() {
        let config = config(&[
            (ENDPOINT, "https://h:4318"),
            (LOGS.endpoint, "http://other/logs"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "700"),
            ("OTEL_BLRP_EXPORT_TIMEOUT", "900"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "250"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
            ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/metrics.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/us.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/us.key"),
        ]);
        let (metrics, logs) = (config.metrics.unwrap(), config.logs.unwrap());
        assert_eq!(
            (metrics.place(), metrics.is_https()),
            ("https://h:4318/v1/metrics".into(), true)
        );
        assert_eq!((logs.place(), logs.is_https()), ("http://other/logs".into(), false));
        assert_eq!(metrics.compression, Compression::Gzip);
        assert_eq!(logs.compression, Compression::None);
        assert_eq!(metrics.timeout, Duration::from_millis(700));
        assert_eq!(logs.timeout, Duration::from_millis(900));
        assert_eq!(config.logs_interval, Duration::from_millis(250));
        assert_eq!(metrics.tls.authorities, Some("/metrics.pem".into()));
        assert_eq!(logs.tls.authorities, Some("/ca.pem".into()));
        assert_eq!(logs.tls.client, Some(("/us.pem".into(), "/us.key".into())));
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
        let general = |url| config(&[(ENDPOINT, url)]).metrics.unwrap().url.to_string();
        assert_eq!(general("http://localhost:4318"), "http://localhost:4318/v1/metrics");
        assert_eq!(general("http://localhost:4318/"), "http://localhost:4318/v1/metrics");
        assert_eq!(general("http://h/otlp/"), "http://h/otlp/v1/metrics");
        let logs = config(&[(ENDPOINT, "http://h/otlp/")]).logs.unwrap().url.to_string();
        assert_eq!(logs, "http://h/otlp/v1/logs");
        let own = |url| config(&[(METRICS.endpoint, url)]).metrics.unwrap().url.to_string();
        assert_eq!(own("http://h:4318"), "http://h:4318/");
        assert_eq!(own("http://h/push"), "http://h/push");
    }

    #[test]
    fn what_could_never_succeed_is_refused_with_the_cure() {
        let check = |variables: &[(&str, &str)], want: &str| {
            let error = read(variables).expect_err(want).to_string();
            assert!(error.contains(want) && error.contains("; "), "{error}");
        };
        check(&[(ENDPOINT, "localhost:4318")], "http://localhost:4318");
        check(&[(ENDPOINT, "/x y")], "no http or https URL");
        let half = ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/k");
        check(&[(ENDPOINT, "https://h"), half], "needs its key");
        let told = read(&[(ENDPOINT, "ftp://me:secret@h")]).unwrap_err().to_string();
        assert!(!told.contains("secret"), "{told}");
        let told = read(&[(ENDPOINT, "http://h?key=secret")]).unwrap_err().to_string();
        assert!(!told.contains("secret"), "{told}");
        check(&[(ENDPOINT, "http://h"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "grpc");
    }

    #[test]
    fn bad_numbers_are_told_and_their_defaults_taken() {
        let config = config(&[
            (ENDPOINT, "http://h"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "soon"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ]);
        assert_eq!(config.metrics_interval, METRICS_INTERVAL);
        assert_eq!(config.metrics.unwrap().timeout, Duration::from_millis(1_500));
        assert_eq!(config.warnings.len(), 3, "{:?}", config.warnings);
    }

    #[test]
    fn headers_and_attributes_are_decoded_and_secrets_kept() {
        let config = config(&[
            (ENDPOINT, "http://h"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x=y, bad header=1,api-key=k"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment=pro%2Cd,oops"),
            ("OTEL_SERVICE_NAME", "shop"),
        ]);
        let metrics = config.metrics.as_ref().unwrap();
        let headers: Vec<_> =
            metrics.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(headers, [("authorization", &b"Bearer x=y"[..]), ("api-key", b"k")]);
        let named = self::config(&[(ENDPOINT, "http://me:secret@h:1/x")]);
        assert_eq!(named.places()[0], "http://h:1/x/v1/metrics");
        assert!(named.warnings[0].contains("Basic") && !named.warnings[0].contains("secret"));
        assert_eq!(config.resource[0], ("service.name".to_owned(), "shop".to_owned()));
        assert_eq!(config.resource[1].1, "pro,d");
        assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    }
}
