//! `fs` and `fs/promises` on the host do what Node's do, in as many turns of the loop.

mod child;
mod host;

#[test]
fn runs_the_script_of_a_test() {
    child::run();
}

#[test]
fn errors_are_worded_as_in_node() {
    host::same_as_node("fs_errors.js", 100);
}

#[test]
fn files_are_read_and_written_as_in_node() {
    host::same_as_node("fs_calls.js", 30);
}

#[test]
fn an_operation_takes_as_many_turns_as_in_node() {
    host::same_as_node("fs_turns.js", 25);
}
