//! `perf_hooks` and `structuredClone` on the host: what does not depend on time is Node's, the rest
//! is the recorder's.

mod child;
mod host;

#[test]
fn runs_the_script_of_a_test() {
    child::run();
}

#[test]
fn marks_and_histograms_are_as_in_node() {
    host::same_as_node("perf.js", 15);
}

#[test]
fn a_block_is_a_delay_of_the_recorders() {
    let printed = host::on_host("perf_delay.js");
    assert_eq!(printed, "begin seen\ndelays seen\nutilization seen\nreset\n");
}

#[test]
fn values_are_cloned_as_in_node() {
    host::same_as_node("structured_clone.js", 10);
}
