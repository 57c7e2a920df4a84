//! Ticks, timers and immediates where a queue grows and a slot is used again.

mod child;
mod host;

#[test]
fn runs_the_script_of_a_test() {
    child::run();
}

#[test]
fn queues_grow_and_slots_are_used_again_as_in_node() {
    host::same_as_node("queues.js", 6);
}
