//! A real Prometheus: scraping what a test names, asked by its HTTP API.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::http;
use super::server::Server;

/// Short enough for many scrapes of one block, long enough that none times out on a busy machine.
const SCRAPE_INTERVAL: &str = "500ms";

/// One scraped value: when, in seconds, and what.
pub(crate) type Sample = (f64, f64);

/// The labels of a series, without the metric's name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A running Prometheus.
#[derive(Debug)]
pub(crate) struct Prometheus {
    pub(crate) server: Server,
    pub(crate) api: Api,
}

impl Prometheus {
    /// Starts `program` with its data in `folder`, and waits until it answers.
    pub(crate) fn start(program: &Path, folder: &Path, targets: &[SocketAddr]) -> Prometheus {
        Prometheus::start_with(program, folder, targets, &[])
    }

    /// The same with features that are off by default.
    pub(crate) fn start_with(
        program: &Path,
        folder: &Path,
        targets: &[SocketAddr],
        features: &[&str],
    ) -> Prometheus {
        let config = write_config(folder, targets);
        Prometheus::start_by(program, folder, &config, features)
    }

    /// The same with these jobs, as its configuration has them.
    pub(crate) fn start_jobs(program: &Path, folder: &Path, jobs: &str) -> Prometheus {
        let config = write_jobs(folder, jobs);
        Prometheus::start_by(program, folder, &config, &[])
    }

    /// The same with `more` lines in its configuration, too.
    pub(crate) fn with_config(
        program: &Path,
        folder: &Path,
        targets: &[SocketAddr],
        more: &str,
        features: &[&str],
    ) -> Prometheus {
        let evaluated = format!(", evaluation_interval: {SCRAPE_INTERVAL}");
        let config = write(folder, &evaluated, &format!("{}{more}", job(targets)));
        Prometheus::start_by(program, folder, &config, features)
    }

    fn start_by(program: &Path, folder: &Path, config: &Path, features: &[&str]) -> Prometheus {
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .args(features.iter().map(|feature| format!("--enable-feature={feature}")))
            .stdin(Stdio::null());
        let mut server = Server::start("prometheus", command, folder);
        // The line `msg="Listening on" address=127.0.0.1:39603`: the port that it was given.
        let told = server.told("msg=\"Listening on\" ");
        let address = told.rsplit('=').next().and_then(|text| text.parse().ok());
        let api = Api::of(address.unwrap_or_else(|| panic!("no address in `{told}`")));
        server.until("Prometheus is ready", || {
            http::get(api.address, "/-/ready").is_ok_and(|(status, _)| status == 200)
        });
        Prometheus { server, api }
    }

    /// Waits until something holds of what was scraped.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut(&Api) -> bool) {
        self.server.until(what, || holds(&self.api));
    }
}

/// Writes what to scrape, and how often, into `folder`.
pub(crate) fn write_config(folder: &Path, targets: &[SocketAddr]) -> PathBuf {
    write_jobs(folder, &job(targets))
}

fn job(targets: &[SocketAddr]) -> String {
    let targets: Vec<String> = targets.iter().map(SocketAddr::to_string).collect();
    format!("- job_name: loopscope\n  static_configs: [{{targets: {targets:?}}}]\n")
}

fn write_jobs(folder: &Path, jobs: &str) -> PathBuf {
    write(folder, "", jobs)
}

/// What only Prometheus knows stands in `more`: VictoriaMetrics refuses it.
fn write(folder: &Path, more: &str, jobs: &str) -> PathBuf {
    let config = folder.join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: {SCRAPE_INTERVAL}, scrape_timeout: {SCRAPE_INTERVAL}{more}}}\n\
         scrape_configs:\n{jobs}"
    );
    fs::write(&config, text).expect("the config can be written");
    config
}

/// The HTTP API.
#[derive(Debug)]
pub(crate) struct Api {
    address: SocketAddr,
}

/// A value that stands for others: its own labels, itself, and when it was seen in seconds.
pub(crate) type Exemplar = (Labels, f64, f64);

impl Api {
    /// That of a server at this address.
    pub(crate) fn of(address: SocketAddr) -> Api {
        Api { address }
    }

    /// The exemplars of a selector's series.
    pub(crate) fn exemplars(&self, selector: &str) -> Vec<(Labels, Vec<Exemplar>)> {
        let found = self.get(&format!("/api/v1/query_exemplars?query={}", http::encode(selector)));
        let exemplar = |one: &Value| {
            let value = one["value"].as_str().and_then(|text| text.parse().ok());
            let at = one["timestamp"].as_f64().expect("a time");
            (texts(&one["labels"]), value.expect("a value"), at)
        };
        let series = found.as_array().expect("a list").iter().map(|one| {
            let exemplars = one["exemplars"].as_array().expect("a list").iter().map(exemplar);
            (texts(&one["seriesLabels"]), exemplars.collect())
        });
        series.collect()
    }

    /// The unit that the scraped page tells of a metric.
    pub(crate) fn unit(&self, metric: &str) -> Option<String> {
        let found = self.get(&format!("/api/v1/targets/metadata?metric={metric}"));
        Some(found[0]["unit"].as_str()?.to_owned())
    }

    /// What a query has now, by series; of a native histogram the count.
    pub(crate) fn query(&self, expr: &str) -> Vec<(Labels, f64)> {
        let series = self.evaluate(expr, "vector");
        let value = |one: &Value| match &one["histogram"][1]["count"] {
            Value::String(count) => count.parse().expect("a count"),
            _ => sample(&one["value"]).1,
        };
        series.iter().map(|one| (labels(one), value(one))).collect()
    }

    /// The value of the only series of a query; `None` as long as there is none.
    pub(crate) fn value(&self, expr: &str) -> Option<f64> {
        let found = self.query(expr);
        assert!(found.len() <= 1, "{expr}: {found:?}");
        found.first().map(|(_, value)| *value)
    }

    /// What was scraped of the only series of a selector, as it was scraped: with no look-back,
    /// which would tell an old value as a new one.
    pub(crate) fn samples(&self, selector: &str) -> Vec<Sample> {
        let series = self.evaluate(&format!("{selector}[1h]"), "matrix");
        assert!(series.len() <= 1, "{selector}: {series:?}");
        let values = series.first().and_then(|one| one["values"].as_array());
        values.into_iter().flatten().map(sample).collect()
    }

    /// What a query has at one time, in seconds, as Prometheus tells it.
    pub(crate) fn at(&self, expr: &str, time: u64) -> Value {
        let expr = http::encode(expr);
        self.get(&format!("/api/v1/query?query={expr}&time={time}"))["result"].clone()
    }

    /// What a query has over a stretch of time, as Prometheus tells it.
    pub(crate) fn range(&self, expr: &str, times: (u64, u64), step: u64) -> Value {
        let (expr, (from, to)) = (http::encode(expr), times);
        let path = format!("/api/v1/query_range?query={expr}&start={from}&end={to}&step={step}");
        self.get(&path)["result"].clone()
    }

    /// The values that a label has in a selector's series: what a dashboard's variable asks for.
    pub(crate) fn label_values(&self, label: &str, selector: &str) -> Vec<String> {
        let matching = http::encode(selector);
        let data = self.get(&format!("/api/v1/label/{label}/values?match%5B%5D={matching}"));
        let values = data.as_array().expect("a list").iter();
        values.map(|value| value.as_str().expect("a text").to_owned()).collect()
    }

    fn evaluate(&self, expr: &str, kind: &str) -> Vec<Value> {
        let data = self.get(&format!("/api/v1/query?query={}", http::encode(expr)));
        assert_eq!(data["resultType"], kind, "{expr}");
        data["result"].as_array().expect("a list").clone()
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = http::get(self.address, path).expect("Prometheus answers");
        assert_eq!(status, 200, "{path}: {body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(answer["status"], "success", "{path}: {body}");
        assert!(answer["warnings"].is_null(), "{path}: {body}");
        answer["data"].clone()
    }
}

fn labels(series: &Value) -> Labels {
    texts(&series["metric"])
}

fn texts(labels: &Value) -> Labels {
    let labels = labels.as_object().expect("labels").iter();
    let labels = labels.filter(|(name, _)| *name != "__name__");
    labels.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned())).collect()
}

/// A pair of a number and a text, which also has `NaN` and `+Inf`.
fn sample(pair: &Value) -> Sample {
    let value = pair[1].as_str().and_then(|text| text.parse().ok());
    (pair[0].as_f64().expect("a time"), value.expect("a value"))
}
