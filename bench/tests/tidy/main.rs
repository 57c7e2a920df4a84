//! Tidiness of the whole tree, as plain tests: what a reviewer would otherwise have to look for.
//!
//! Each check is a function from files to complaints, so that it can be shown to fail, too.

mod crates;
mod links;
mod metrics;
mod modules;
mod sizes;
mod tree;
mod unsafety;
mod words;

/// Fails with all complaints at once.
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
