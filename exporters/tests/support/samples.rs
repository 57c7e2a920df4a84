//! Pages, read back: what each format tells, as one map of values.

use std::collections::BTreeMap;

use loopscope_exporters::metrics;
use loopscope_exporters::protobuf::{LabelPair, MetricFamily, MetricType};
use prost::Message;
use serde_json::Value as Json;

use super::ALL_NAMES;

/// Labels by their names.
pub(crate) type Labels = BTreeMap<String, String>;

/// The values of all series. Bounds are as in Rust, whatever the page has.
pub(crate) type Samples = BTreeMap<(String, Labels), f64>;

/// An exemplar: of which series, its own labels, its value and its time.
#[derive(Debug, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) series: (String, Labels),
    pub(crate) labels: Labels,
    pub(crate) value: f64,
    pub(crate) seconds: Option<f64>,
}

/// What a page of text has.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) samples: Samples,
    pub(crate) exemplars: Vec<Exemplar>,
    /// Of each family: its name, then what TYPE and UNIT say.
    pub(crate) families: Vec<(String, String, Option<String>)>,
    pub(crate) ended: bool,
}

impl Page {
    /// Reads either format of text.
    ///
    /// # Panics
    /// At anything that is no line of theirs, and at a series that is told twice.
    pub(crate) fn parse(text: &str) -> Page {
        let mut page = Page::default();
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "lines");
        for line in text.lines() {
            assert!(!page.ended, "a line behind the end: {line}");
            match line.strip_prefix("# ") {
                Some(about) => page.about(about),
                None => page.sample(line),
            }
        }
        page
    }

    fn about(&mut self, about: &str) {
        let mut words = about.splitn(3, ' ');
        let (word, name) = (words.next().unwrap(), words.next().unwrap_or_default());
        let rest = words.next().unwrap_or_default().to_owned();
        let last = self.families.last_mut().filter(|(last, ..)| last == name);
        match (word, last) {
            ("EOF", _) => self.ended = true,
            ("TYPE", None) => self.families.push((name.to_owned(), rest, None)),
            ("TYPE", Some(last)) => last.1 = rest,
            ("UNIT", Some(last)) => last.2 = Some(rest),
            ("HELP", Some(_)) => {}
            ("HELP", None) => self.families.push((name.to_owned(), String::new(), None)),
            _ => panic!("{about}"),
        }
    }

    fn sample(&mut self, line: &str) {
        let (series, rest) = series(line);
        let (value, exemplar) = match rest.split_once(" # ") {
            Some((value, exemplar)) => (value, Some(exemplar)),
            None => (rest, None),
        };
        if let Some(text) = exemplar {
            let ((_, labels), rest) = self::series(text);
            let mut numbers = rest.split(' ').map(|text| text.parse().unwrap());
            let (value, seconds) = (numbers.next().unwrap(), numbers.next());
            assert_eq!(numbers.next(), None, "{line}");
            self.exemplars.push(Exemplar { series: series.clone(), labels, value, seconds });
        }
        put(&mut self.samples, series, value.parse().unwrap_or_else(|_| panic!("{line}")));
    }
}

fn put(samples: &mut Samples, series: (String, Labels), value: f64) {
    assert_eq!(samples.insert(series.clone(), value), None, "twice: {series:?}");
}

/// The name and the labels before a value, and what follows the space.
fn series(line: &str) -> ((String, Labels), &str) {
    let name = &line[..line.find(['{', ' ']).unwrap()];
    let mut labels = Labels::new();
    let mut rest = &line[name.len()..];
    while let Some(label) = rest.strip_prefix(['{', ',']) {
        let (key, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        let (value, behind) = quoted(value);
        labels.insert(key.to_owned(), if key == "le" { bound(&value) } else { value });
        rest = behind.strip_prefix('}').unwrap_or(behind);
        if rest.len() != behind.len() {
            break;
        }
    }
    ((name.to_owned(), labels), rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}")))
}

/// A text up to its quote, and what is behind that.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next().unwrap().1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            _ => value.push(char),
        }
    }
    panic!("no end: {text}");
}

/// A bound as Rust writes the number.
fn bound(le: &str) -> String {
    le.parse::<f64>().unwrap().to_string()
}

/// The families of a page in protobuf.
pub(crate) fn families(mut page: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !page.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut page).unwrap());
    }
    families
}

/// The values of those, with classic buckets.
pub(crate) fn samples_of(families: &[MetricFamily]) -> Samples {
    let mut samples = Samples::new();
    for family in families {
        for metric in &family.metric {
            let labels = labels_of(&metric.label);
            let mut put = |suffix: &str, le: Option<f64>, value| {
                let le = le.map(|le| ("le".to_owned(), le.to_string()));
                let labels = labels.clone().into_iter().chain(le).collect();
                put(&mut samples, (format!("{}{suffix}", family.name), labels), value);
            };
            match MetricType::try_from(family.r#type.unwrap()).unwrap() {
                MetricType::Counter => put("", None, metric.counter.unwrap().value.unwrap()),
                MetricType::Gauge => put("", None, metric.gauge.unwrap().value.unwrap()),
                MetricType::Histogram => {
                    let of = metric.histogram.as_ref().unwrap();
                    for bucket in &of.bucket {
                        let count = bucket.cumulative_count.unwrap() as f64;
                        put("_bucket", bucket.upper_bound, count);
                    }
                    put("_sum", None, of.sample_sum.unwrap());
                    put("_count", None, of.sample_count.unwrap() as f64);
                }
            }
        }
    }
    samples
}

pub(crate) fn labels_of(pairs: &[LabelPair]) -> Labels {
    let labels: Labels = pairs.iter().map(|p| (p.name.clone(), p.value.clone())).collect();
    assert_eq!(labels.len(), pairs.len(), "{pairs:?}");
    labels
}

/// The values of a line of JSON.
pub(crate) fn samples_of_line(line: &str) -> Samples {
    let json: Json = serde_json::from_str(line).unwrap();
    let mut samples = Samples::new();
    for of_loop in json["loops"].as_array().unwrap() {
        let labels = of_loop.as_object().unwrap().iter().filter(|(name, _)| *name != "metrics");
        let text = |value: &Json| match value {
            Json::String(text) => text.clone(),
            number => number.to_string(),
        };
        let labels = labels.map(|(name, value)| (name.clone(), text(value))).collect();
        read_metrics(&mut samples, &labels, &of_loop["metrics"]);
    }
    read_metrics(&mut samples, &Labels::new(), &json["agent"]);
    samples
}

fn read_metrics(samples: &mut Samples, labels: &Labels, json: &Json) {
    for (name, value) in json.as_object().unwrap() {
        let metric = metrics::page(ALL_NAMES).find(|metric| metric.name == name).unwrap();
        let names: Vec<&str> = metric.labels.iter().map(|label| label.name).collect();
        read_metric(samples, name, labels.clone(), &names, value);
    }
}

fn read_metric(samples: &mut Samples, name: &str, labels: Labels, names: &[&str], value: &Json) {
    if let Some((label, others)) = names.split_first() {
        for (text, value) in value.as_object().unwrap() {
            let mut labels = labels.clone();
            labels.insert((*label).to_owned(), text.clone());
            read_metric(samples, name, labels, others, value);
        }
        return;
    }
    let Some(histogram) = value.as_object() else {
        return put(samples, (name.to_owned(), labels), value.as_f64().unwrap());
    };
    for (key, suffix) in [("sum", "_sum"), ("count", "_count")] {
        let series = (format!("{name}{suffix}"), labels.clone());
        put(samples, series, histogram[key].as_f64().unwrap());
    }
    let bucket = |le: String| {
        let le = ("le".to_owned(), le);
        (format!("{name}_bucket"), labels.clone().into_iter().chain([le]).collect())
    };
    for (le, count) in histogram["buckets"].as_object().unwrap() {
        put(samples, bucket(bound(le)), count.as_f64().unwrap());
    }
    put(samples, bucket(f64::INFINITY.to_string()), histogram["count"].as_f64().unwrap());
}
