//! `unsafe` stands in few named files, each use with its reason.

use crate::tree::{self, File, code, has_word};

const NAMED: [&str; 10] = [
    "agent/src/source/live/ebpf/system.rs",
    "bench/src/counting.rs",
    "bench/src/peers/libuv.rs",
    "loop-core/src/clock/tsc.rs",
    "loop-core/src/counters/linux/system.rs",
    "loop-core/src/task.rs",
    "loop-core/tests/soak/live.rs",
    "workloads/src/script/engine/quickjs/memory.rs",
    "workloads/src/script/engine/quickjs/raw.rs",
    "workloads/src/script/host/current.rs",
];

/// Roots of crates that have none.
const FORBIDDING: [&str; 2] = ["agent/src/main.rs", "exporters/src/lib.rs"];

/// How far above a block its reason may begin, in lines.
const REASON_LINES_MAX: usize = 6;

fn check(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let path = &file.path;
        if FORBIDDING.contains(&path.as_str()) && !file.text.contains("#![forbid(unsafe_code)]") {
            complaints.push(format!("{path}: lacks `#![forbid(unsafe_code)]`"));
        }
        let lines: Vec<&str> = file.text.lines().collect();
        for (index, line) in lines.iter().map(|line| code(line)).enumerate() {
            if !has_word(&line, "unsafe") {
                continue;
            }
            let number = index + 1;
            if !NAMED.contains(&path.as_str()) {
                complaints.push(format!("{path}:{number}: `unsafe` outside of the named files"));
            }
            let above = &lines[index.saturating_sub(REASON_LINES_MAX)..index];
            let reason = above.iter().any(|line| line.contains("// SAFETY: "));
            if (line.contains("unsafe {") || line.contains("unsafe impl")) && !reason {
                complaints.push(format!("{path}:{number}: no `// SAFETY:` above"));
            }
        }
    }
    complaints
}

#[test]
fn unsafe_code_is_named_and_reasoned() {
    let files = tree::files(&["rs"]);
    for named in NAMED.iter().chain(&FORBIDDING) {
        assert!(files.iter().any(|file| file.path == *named), "{named} is gone: unlist it");
    }
    crate::assert_none(check(&files));
}

#[test]
fn unsafe_code_elsewhere_or_without_a_reason_is_found() {
    let complaints = |path: &str, text: &str| check(&[File::of(path, text)]);
    let reasoned = "// SAFETY: it is.\nunsafe { a() }";
    assert!(complaints(NAMED[0], reasoned).is_empty());
    assert_eq!(complaints("agent/src/a.rs", reasoned).len(), 1);
    assert_eq!(complaints(NAMED[0], "// It is.\nunsafe { a() }").len(), 1);
    assert!(complaints("agent/src/a.rs", "// unsafe\n#![deny(unsafe_code)]").is_empty());
    assert_eq!(complaints("exporters/src/lib.rs", "//! No attribute.").len(), 1);
}
