//! `METRICS.md` is what the list says.

mod support;

#[test]
fn the_table_of_metrics_is_the_list() {
    support::golden("METRICS.md", &loopscope_exporters::metrics::markdown());
}
