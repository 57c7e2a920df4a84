//! The part of Node's API that is written in JavaScript, compiled into the program.
//!
//! Each file is the body of a function of `exports`, `require`, `module` and `internal`, except the
//! first, which gets `internal` alone and returns the functions that the host calls.

/// The file that loads the others.
pub(crate) const BOOTSTRAP: &str = "internal/bootstrap";

// `FILES`: name and source of each file in `lib`, sorted by name; made by the build script.
include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// The names of all files.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The source of a file of the library.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    let found = FILES.binary_search_by_key(&name, |(name, _)| name);
    found.ok().map(|index| FILES[index].1)
}

/// How a file of the library is called in stacks, as Node's own are.
pub(crate) fn file_of(name: &str) -> String {
    format!("node:{name}")
}

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn files_are_sorted() {
        assert!(FILES.is_sorted_by_key(|(name, _)| name));
    }
}
