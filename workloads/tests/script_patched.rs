//! The library works whatever a program does to the methods of the built-in prototypes.

mod child;

use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const THREADS: usize = 2;
/// What the engine itself calls: for `concat` a template literal, a program's own as well.
const OF_THE_ENGINE: &str = "String concat";

#[test]
fn runs_the_script_of_a_test() {
    child::run();
}

/// What the program prints, and how it ends, after this has been done to a prototype.
fn run(what: &str) -> Output {
    child::of("patched.js", what).output().unwrap()
}

fn shown(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let out = child::printed(&out);
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{out}\n{errors}\n{}", output.status)
}

/// The first line that is not as it should be.
fn difference(found: &str, wanted: &str) -> Option<String> {
    let mut lines = found.lines().zip(wanted.lines());
    let differs = || format!("{} lines for {}", found.lines().count(), wanted.lines().count());
    let first = lines.find(|(found, wanted)| found != wanted);
    let first = first.map(|(found, wanted)| format!("{found:?} for {wanted:?}"));
    (found != wanted).then(|| first.unwrap_or_else(differs))
}

#[test]
fn no_method_of_a_prototype_is_needed() {
    let wanted = shown(&run("none"));
    assert!(
        wanted.contains("TypeError: uncaught"),
        "the program did not end as it should: {wanted}"
    );
    let listed = shown(&run("list"));
    let names: Vec<_> = listed
        .lines()
        .filter(|line| line.split(' ').count() == 2 && *line != OF_THE_ENGINE)
        .map(|name| format!("{name} throws"))
        .chain(["all go".to_owned(), "more".to_owned()])
        .collect();
    assert!(names.len() > 200, "{listed}");
    let next = AtomicUsize::new(0);
    let work = || {
        let mut differ = Vec::new();
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = difference(&shown(&run(name)), &wanted);
            differ.extend(found.map(|found| format!("{name}: {found}")));
        }
        differ
    };
    let differ: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn what_the_engine_needs_ends_the_program_by_its_own_error() {
    let ended = shown(&run(&format!("{OF_THE_ENGINE} throws")));
    assert!(ended.contains("Error: what the library should not call"), "{ended}");
    assert!(ended.ends_with("exit status: 1"), "{ended}");
}
