//! rotel, an OpenTelemetry receiver, and what it prints of the metrics and logs that it was sent.

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
            .args(["--debug-log", "metrics", "--debug-log", "logs"])
            .args(["--debug-log-verbosity", "detailed"])
            .arg("--pid-file")
            .arg(folder.join("rotel.pid"))
            .arg("--log-file")
            .arg(folder.join("rotel-agent.log"))
            .stdin(Stdio::null());
        let mut server = Server::start("rotel", command, folder);
        server.until("rotel listens", || TcpStream::connect(address).is_ok());
        Rotel { server, address }
    }

    /// Waits for a request with metrics and for so many log records, ends it so that all of it has
    /// been printed, and reads that.
    pub(crate) fn received(&mut self, records: usize) -> Received {
        let log = self.server.path().to_owned();
        self.server.until("all is printed", || {
            let text = read(&log);
            text.contains("ResourceMetrics #") && text.matches("LogRecord #").count() >= records
        });
        let status = self.server.end();
        assert!(status.success(), "rotel ended with {status}");
        Received::parse(&self.server.log())
    }
}

/// What was received. Of metrics the last request wins, which with cumulative figures has it all.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) metrics: BTreeMap<String, Metric>,
    pub(crate) records: Vec<Record>,
}

/// One log record, as it was printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) resource: BTreeMap<String, String>,
    /// `Timestamp`, `SeverityText`, `EventName`, `Body` and the like.
    pub(crate) about: BTreeMap<String, String>,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// What stands before the records of a process.
#[derive(Debug, Default)]
struct Resource {
    attributes: BTreeMap<String, String>,
    is_complete: bool,
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
        let mut logs: Option<Resource> = None;
        for line in text.lines() {
            if line.starts_with("ResourceMetrics #") {
                let records = received.records;
                (received, metric) = (Received { records, ..Received::default() }, None);
                logs = None;
            } else if line.starts_with("ResourceLog #") {
                logs = Some(Resource::default());
            } else if let Some(resource) = &mut logs {
                received.read_log(resource, line);
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

    /// A line behind the head of a resource with logs.
    fn read_log(&mut self, resource: &mut Resource, line: &str) {
        if line.starts_with("LogRecord #") {
            let resource = resource.attributes.clone();
            self.records.push(Record { resource, ..Record::default() });
        }
        resource.is_complete |= line.starts_with("ScopeLogs #");
        let pair = line.trim_start().strip_prefix("-> ");
        let pair = pair.and_then(|pair| pair.split_once(": "));
        match (pair, self.records.last_mut().filter(|_| resource.is_complete)) {
            (Some((name, value)), None) => put(&mut resource.attributes, name, value),
            (Some((name, value)), Some(record)) => put(&mut record.attributes, name, value),
            (None, Some(record)) => {
                if let Some((name, value)) = line.split_once(": ") {
                    put(&mut record.about, name, value);
                }
            }
            (None, None) => {}
        }
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

/// Puts a value without what says its type.
fn put(map: &mut BTreeMap<String, String>, name: &str, value: &str) {
    let typed = value.split_once('(').filter(|(kind, _)| ["Str", "Int", "Double"].contains(kind));
    let value = typed.and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(value);
    map.insert(name.to_owned(), value.to_owned());
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
