//! rotel, an OpenTelemetry receiver, and what it prints of the metrics that it was sent.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use super::free_address;
use super::server::{Server, read};

/// A running receiver.
#[derive(Debug)]
pub(crate) struct Rotel {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
}

impl Rotel {
    /// Starts `program`, and waits until it listens for OTLP over HTTP.
    pub(crate) fn start(program: &Path, folder: &Path) -> Rotel {
        let address = free_address();
        let mut command = Command::new(program);
        command
            .args(["start", "--exporter", "blackhole", "--otlp-grpc-endpoint", "127.0.0.1:0"])
            .args(["--otlp-http-endpoint", &address.to_string()])
            .args(["--debug-log", "metrics", "--debug-log-verbosity", "detailed"])
            .arg("--pid-file")
            .arg(folder.join("rotel.pid"))
            .arg("--log-file")
            .arg(folder.join("rotel-agent.log"))
            .stdin(Stdio::null());
        let mut server = Server::start("rotel", command, folder);
        server.until("rotel listens", || TcpStream::connect(address).is_ok());
        Rotel { server, address }
    }

    /// Waits for a request, ends it so that all of it has been printed, and reads that.
    pub(crate) fn received(&mut self) -> Received {
        let log = self.server.path().to_owned();
        self.server.until("a request is printed", || read(&log).contains("ResourceMetrics #"));
        let status = self.server.end();
        assert!(status.success(), "rotel ended with {status}");
        Received::parse(&self.server.log())
    }
}

/// What was received. The last request wins, which with cumulative figures has it all.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) metrics: BTreeMap<String, Metric>,
}

/// One metric, as it was printed.
#[derive(Debug, Default)]
pub(crate) struct Metric {
    /// `Unit`, `DataType`, `AggregationTemporality` and the like.
    pub(crate) about: BTreeMap<String, String>,
    pub(crate) points: Vec<Point>,
}

/// One data point.
#[derive(Debug, Default)]
pub(crate) struct Point {
    pub(crate) attributes: BTreeMap<String, String>,
    /// `Count`, `Sum`, `Min`, `Max` or `Value`.
    pub(crate) figures: BTreeMap<String, f64>,
    /// From, to, and how many in between.
    pub(crate) buckets: Vec<(f64, f64, f64)>,
}

impl Received {
    fn parse(text: &str) -> Received {
        let mut received = Received::default();
        let mut metric = None;
        for line in text.lines() {
            if line.starts_with("ResourceMetrics #") {
                (received, metric) = (Received::default(), None);
            } else if line.starts_with("Metric #") {
                metric = None;
            } else if let Some(pair) = line.trim_start().strip_prefix("-> ") {
                let (name, value) = pair.split_once(": ").expect("a name and a value");
                received.put(&mut metric, name, value);
            } else if let Some(metric) = metric.as_ref().and_then(|m| received.metrics.get_mut(m)) {
                metric.read_point(line);
            }
        }
        received
    }

    /// A pair is an attribute of the resource, says something of a metric, or belongs to a point:
    /// what came before it tells.
    fn put(&mut self, metric: &mut Option<String>, name: &str, value: &str) {
        let text = value.strip_prefix("Str(").and_then(|rest| rest.strip_suffix(')'));
        if name == "Name" {
            *metric = Some(value.to_owned());
            self.metrics.insert(value.to_owned(), Metric::default());
            return;
        }
        let Some(metric) = metric.as_ref().and_then(|metric| self.metrics.get_mut(metric)) else {
            self.resource.insert(name.to_owned(), text.unwrap_or(value).to_owned());
            return;
        };
        let pairs = metric.points.last_mut().map_or(&mut metric.about, |p| &mut p.attributes);
        pairs.insert(name.to_owned(), text.unwrap_or(value).to_owned());
    }
}

impl Metric {
    fn read_point(&mut self, line: &str) {
        if line.contains("DataPoints #") {
            self.points.push(Point::default());
        }
        let Some(point) = self.points.last_mut() else { return };
        if let Some(bucket) = line.strip_prefix("Bucket ").and_then(bucket) {
            point.buckets.push(bucket);
        } else if let Some((name, value)) = line.split_once(": ")
            && let Ok(value) = value.parse()
        {
            point.figures.insert(name.to_owned(), value);
        }
    }

    /// The only point with this attribute.
    pub(crate) fn point(&self, name: &str, value: &str) -> &Point {
        let with = |point: &&Point| point.attributes.get(name).is_some_and(|have| have == value);
        let mut found = self.points.iter().filter(with);
        let first = found.next().unwrap_or_else(|| panic!("no {name}={value} in {self:?}"));
        assert!(found.next().is_none(), "two of {name}={value} in {self:?}");
        first
    }
}

/// A line `(0.0001, 0.0002], Count: 1`.
fn bucket(text: &str) -> Option<(f64, f64, f64)> {
    let (range, count) = text.split_once(", Count: ")?;
    let range = range.trim_matches(|c| "([)]".contains(c));
    let (from, to) = range.split_once(", ")?;
    Some((from.parse().ok()?, to.parse().ok()?, count.parse().ok()?))
}
