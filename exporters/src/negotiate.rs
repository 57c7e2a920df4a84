//! Which format a server wants, and whether packed, by the headers that it sends.
//!
//! ```text
//!  Accept: application/openmetrics-text;version=1.0.0;q=0.5, text/plain;version=0.0.4;q=0.3, */*
//!          └ a media range ─────────┘ └ parameters ┘ └ weight, 1 where it is missing
//! ```
//!
//! The format that is named with the highest weight wins; among equals the one named first. A range
//! with a star stands for the text format, and never for one that only those read who name it.
//! What can't be read is passed over, and where nothing is left the text format is told: an answer
//! that a person can read is better than none.
//!
//! All our names are plain ones, so that every kind of `escaping` leaves them as they are.

use crate::{Exporter, OpenMetrics, PrometheusText, Protobuf};

/// A format of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0 as text.
    OpenMetrics,
    /// Prometheus' protobuf, delimited.
    Protobuf,
}

impl Format {
    /// The format that a value of `Accept` asks for; several headers are joined by commas.
    pub fn of(accept: &str) -> Format {
        let mut best: Option<(u32, Format)> = None;
        for range in split(accept, ',').filter_map(Range::parse) {
            let Some(format) = range.format() else { continue };
            if range.weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((range.weight, format));
            }
        }
        best.map_or(Format::Text, |(_, format)| format)
    }

    /// What writes it.
    pub fn exporter(self) -> &'static dyn Exporter {
        match self {
            Format::Text => &PrometheusText,
            Format::OpenMetrics => &OpenMetrics,
            Format::Protobuf => &Protobuf,
        }
    }
}

/// Whether a value of `Accept-Encoding` takes gzip.
pub fn takes_gzip(accept_encoding: &str) -> bool {
    let mut named = None;
    let mut any = false;
    for range in split(accept_encoding, ',').filter_map(Range::parse) {
        match range.name.as_str() {
            "gzip" | "x-gzip" => named = Some(range.weight > 0),
            "*" => any = range.weight > 0,
            _ => {}
        }
    }
    named.unwrap_or(any)
}

/// One alternative of a header.
struct Range {
    /// Media type or encoding, in small letters.
    name: String,
    /// Name in small letters, and value.
    parameters: Vec<(String, String)>,
    /// In thousandths, which is all that the grammar has.
    weight: u32,
}

impl Range {
    /// `None` where it can't be read.
    fn parse(text: &str) -> Option<Range> {
        let mut parts = split(text, ';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        let mut range = Range { name, parameters: Vec::new(), weight: WEIGHT_MAX };
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), unquoted(value.trim()));
            match name.as_str() {
                "q" => range.weight = weight(&value)?,
                _ => range.parameters.push((name, value)),
            }
        }
        Some(range)
    }

    /// The format that it names; `None`: none of ours.
    fn format(&self) -> Option<Format> {
        let is = |name: &str, value: &str| {
            let mut of_name = self.parameters.iter().filter(|(key, _)| key == name);
            of_name.next().is_some_and(|(_, found)| found.eq_ignore_ascii_case(value))
        };
        let lacks = |name: &str| self.parameters.iter().all(|(key, _)| key != name);
        let (format, fits) = match self.name.as_str() {
            "*/*" | "text/*" => (Format::Text, true),
            "text/plain" => (Format::Text, lacks("version") || is("version", "0.0.4")),
            "application/openmetrics-text" => {
                (Format::OpenMetrics, lacks("version") || is("version", "1.0.0"))
            }
            "application/vnd.google.protobuf" => (
                Format::Protobuf,
                is("proto", "io.prometheus.client.MetricFamily") && is("encoding", "delimited"),
            ),
            _ => return None,
        };
        fits.then_some(format)
    }
}

const WEIGHT_MAX: u32 = 1_000;

/// `1`, `0.75` and the like, in thousandths.
fn weight(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !matches!(whole, "0" | "1") {
        return None;
    }
    let is_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u32 = format!("{fraction:0<3}").parse().ok().filter(|_| is_digits)?;
    let weight = if whole == "1" { WEIGHT_MAX + thousandths } else { thousandths };
    (weight <= WEIGHT_MAX).then_some(weight)
}

/// The parts of a list; what stands in quotes is not cut.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |found: char| {
        let is_escaped = std::mem::take(&mut escaped);
        match found {
            '\\' if quoted && !is_escaped => escaped = true,
            '"' if !is_escaped => quoted = !quoted,
            _ => return found == separator && !quoted,
        }
        false
    })
}

/// A value without the quotes that it may stand in.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| text.to_owned(), |inner| inner.replace('\\', ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What servers send, with the format that they must get.
    const SENT: [(&str, &str, Format); 9] = [
        (
            "Prometheus 2.42",
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;\
             version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format::OpenMetrics,
        ),
        (
            "Prometheus 2.42 with native histograms",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
             encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,\
             application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,\
             */*;q=0.1",
            Format::Protobuf,
        ),
        (
            "Prometheus 2.53",
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;\
             version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            Format::OpenMetrics,
        ),
        (
            "Prometheus 2.53 with native histograms",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
             encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,\
             application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,\
             */*;q=0.1",
            Format::Protobuf,
        ),
        (
            "Prometheus 3.5",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;\
             escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            Format::OpenMetrics,
        ),
        (
            "Prometheus 3.5 with native histograms",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
             encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;\
             escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,\
             */*;q=0.1",
            Format::Protobuf,
        ),
        ("VictoriaMetrics", "text/plain;version=0.0.4;q=1,*/*;q=0.1", Format::Text),
        ("curl", "*/*", Format::Text),
        (
            "a browser",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
            Format::Text,
        ),
    ];

    #[test]
    fn servers_get_what_they_ask_for() {
        for (server, accept, want) in SENT {
            assert_eq!(Format::of(accept), want, "{server}");
        }
    }

    #[test]
    fn the_heaviest_that_we_have_wins_and_the_first_among_equals() {
        use Format::{OpenMetrics, Protobuf, Text};
        let open = "application/openmetrics-text";
        let proto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily";
        for (accept, want) in [
            (format!("text/plain;q=0.5, {open};q=0.501"), OpenMetrics),
            (format!("{open};q=0.5, text/plain;q=0.501"), Text),
            (format!("{open}, text/plain"), OpenMetrics),
            (format!("text/plain, {open}"), Text),
            (format!("{open};q=0"), Text),
            (format!("{open};q=0, */*"), Text),
            (format!("{open};version=2.0.0, text/plain;q=0.1"), Text),
            (format!("{open};version=0.0.1"), Text),
            (format!("{open}; Version=\"1.0.0\" ; charset=utf-8"), OpenMetrics),
            (open.to_uppercase(), OpenMetrics),
            (format!("text/plain;version=0.0.5, {open};q=0.1"), OpenMetrics),
            (format!("{proto};encoding=delimited"), Protobuf),
            (format!("{proto};encoding=\"delimited\";q=0.2, text/*;q=0.1"), Protobuf),
            (format!("{proto};encoding=text"), Text),
            (proto.to_owned(), Text),
            ("application/vnd.google.protobuf;encoding=delimited".into(), Text),
            ("application/*".into(), Text),
        ] {
            assert_eq!(Format::of(&accept), want, "{accept}");
        }
    }

    #[test]
    fn what_cant_be_read_is_passed_over() {
        let open = "application/openmetrics-text";
        for accept in ["", ",", ";;;", "q=1", ";q=1", "text/html;q=x", "\"", "a/b;\"", "🦀,=", "*"]
        {
            assert_eq!(Format::of(accept), Format::Text, "{accept}");
            assert_eq!(Format::of(&format!("{open},{accept}")), Format::OpenMetrics, "{accept}");
        }
        for weight in ["2", "-1", "0.1234", "1.001", "0,5", "", "nan", "0.+5", ".5"] {
            assert_eq!(Format::of(&format!("{open};q={weight}")), Format::Text, "{weight}");
        }
        for weight in ["1", "1.", "1.000", "0.5", "0.001"] {
            assert_eq!(Format::of(&format!("{open};q={weight}")), Format::OpenMetrics, "{weight}");
        }
        let quoted = format!("text/html;a=\"x, {open}\";q=0.1");
        assert_eq!(Format::of(&quoted), Format::Text, "a comma in quotes");
        let quoted = format!("text/html;a=\"x\\\", \", {open}");
        assert_eq!(Format::of(&quoted), Format::OpenMetrics, "a quote in quotes");
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_or_anything_goes() {
        for text in ["gzip", "deflate, GZIP;q=0.5", "*", "identity;q=0.5, *;q=0.1", "x-gzip"] {
            assert!(takes_gzip(text), "{text}");
        }
        for text in ["", "identity", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "br", "gzip;q=x"] {
            assert!(!takes_gzip(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_header_has_an_answer(text in ".{0,200}", list in "[a-z/*;,=q.0-9\" \\\\]{0,200}") {
            for text in [text, list] {
                let _ = (Format::of(&text), takes_gzip(&text));
            }
        }
    }
}
