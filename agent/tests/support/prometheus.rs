//! A real Prometheus: scraping what a test names, asked by its HTTP API.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
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
        let targets: Vec<String> = targets.iter().map(SocketAddr::to_string).collect();
        let config = folder.join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: {SCRAPE_INTERVAL}, scrape_timeout: {SCRAPE_INTERVAL}}}\n\
             scrape_configs:\n\
             - job_name: loopscope\n  static_configs: [{{targets: {targets:?}}}]\n"
        );
        fs::write(&config, text).expect("the config can be written");
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null());
        let mut server = Server::start("prometheus", command, folder);
        // The line `msg="Listening on" address=127.0.0.1:39603`: the port that it was given.
        let told = server.told("msg=\"Listening on\" ");
        let address = told.rsplit('=').next().and_then(|text| text.parse().ok());
        let api = Api { address: address.unwrap_or_else(|| panic!("no address in `{told}`")) };
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

/// The HTTP API.
#[derive(Debug)]
pub(crate) struct Api {
    address: SocketAddr,
}

impl Api {
    /// What a query has now, by series.
    pub(crate) fn query(&self, expr: &str) -> Vec<(Labels, f64)> {
        let series = self.evaluate(expr, "vector");
        series.iter().map(|one| (labels(one), sample(&one["value"]).1)).collect()
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
    let labels = series["metric"].as_object().expect("labels").iter();
    let labels = labels.filter(|(name, _)| *name != "__name__");
    labels.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned())).collect()
}

/// A pair of a number and a text, which also has `NaN` and `+Inf`.
fn sample(pair: &Value) -> Sample {
    let value = pair[1].as_str().and_then(|text| text.parse().ok());
    (pair[0].as_f64().expect("a time"), value.expect("a value"))
}
