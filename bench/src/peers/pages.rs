//! A page for Prometheus by others: as many histograms as our page of one loop has, with the same
//! bounds, read and written out. An operation is a page.

use std::hint::black_box;

use prometheus::Encoder;
use prometheus_client::encoding::text;

use super::BOUNDS_SECONDS;
use crate::Failure;
use crate::measure::{Batch, Case};

/// Pages in a batch.
const PAGES: u64 = 20;

/// Values in each histogram. Their number changes what is printed by some digits only.
const VALUES: u32 = 1_000;

/// How many histograms a page in Prometheus' text format shows.
pub fn histograms_in(page: &str) -> usize {
    page.lines().filter(|line| line.contains("le=\"+Inf\"")).count()
}

/// `prometheus`: all families gathered, then encoded.
///
/// # Errors
/// Never, with these names.
pub fn prometheus(histograms: usize) -> Result<Case, Failure> {
    let registry = prometheus::Registry::new();
    for number in 0..histograms {
        let name = format!("histogram_{number}_seconds");
        let options = prometheus::HistogramOpts::new(name, "A histogram.")
            .buckets(BOUNDS_SECONDS.to_vec())
            .const_label("target", "bench")
            .const_label("thread", "main");
        let histogram = prometheus::Histogram::with_opts(options)?;
        values().for_each(|value| histogram.observe(value));
        registry.register(Box::new(histogram))?;
    }
    let encoder = prometheus::TextEncoder::new();
    let mut page = Vec::new();
    Ok(pages(move || {
        page.clear();
        encoder.encode(&black_box(&registry).gather(), &mut page)
    }))
}

/// `prometheus-client`, which encodes what it reads.
pub fn prometheus_client(histograms: usize) -> Case {
    let mut registry = prometheus_client::registry::Registry::default();
    for number in 0..histograms {
        let histogram = prometheus_client::metrics::histogram::Histogram::new(BOUNDS_SECONDS);
        values().for_each(|value| histogram.observe(value));
        let labels = [("target".into(), "bench".into()), ("thread".into(), "main".into())];
        registry.sub_registry_with_labels(labels.into_iter()).register(
            format!("histogram_{number}_seconds"),
            "A histogram",
            histogram,
        );
    }
    let mut page = String::new();
    pages(move || {
        page.clear();
        text::encode(&mut page, black_box(&registry))
    })
}

fn pages<E: Into<Failure>>(mut write: impl FnMut() -> Result<(), E> + 'static) -> Case {
    Box::new(move || Batch::try_timed(PAGES, || (0..PAGES).try_for_each(|_| write())))
}

fn values() -> impl Iterator<Item = f64> {
    (1..=VALUES).map(|number| f64::from(number) * 1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_are_counted_by_their_last_bucket() {
        let page = "a_bucket{le=\"1\"} 0\na_bucket{le=\"+Inf\"} 1\na_count 1\nb 3\n";
        assert_eq!(histograms_in(page), 1);
    }

    #[test]
    fn both_write_pages() {
        assert_eq!(prometheus(3).unwrap()().unwrap().operations, PAGES);
        assert_eq!(prometheus_client(3)().unwrap().operations, PAGES);
    }
}
