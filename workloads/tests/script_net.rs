//! `net` on the host tells what Node's tells, in its order.

mod child;
mod host;

#[test]
fn runs_the_script_of_a_test() {
    child::run();
}

#[test]
fn sockets_tell_as_in_node() {
    host::same_as_node("net.js", 30);
}
