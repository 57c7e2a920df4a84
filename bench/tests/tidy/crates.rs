//! Data flows one way between crates: `loop-core <- exporters <- agent`, `loop-core <- workloads <-
//! agent`; `bench` may use all of them.

use crate::tree::{self, File};

/// The folder of each crate, its name, and those of ours that it may depend on.
const CRATES: [(&str, &str, &[&str]); 5] = [
    ("loop-core", "loop-core", &[]),
    ("exporters", "loopscope-exporters", &["loop-core"]),
    ("workloads", "loopscope-workloads", &["loop-core"]),
    ("agent", "loopscope", &["loop-core", "loopscope-exporters", "loopscope-workloads"]),
    (
        "bench",
        "loopscope-bench",
        &["loop-core", "loopscope-exporters", "loopscope-workloads", "loopscope"],
    ),
];

/// Dependencies for tests count, too: a test that needs what is downstream belongs there.
fn check(manifests: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (folder, _, allowed) in CRATES {
        let path = format!("{folder}/Cargo.toml");
        let Some(manifest) = manifests.iter().find(|file| file.path == path) else {
            complaints.push(format!("{path}: there is no such file"));
            continue;
        };
        for (line, name) in dependencies(manifest) {
            let ours = CRATES.iter().any(|(_, ours, _)| *ours == name);
            if ours && !allowed.contains(&name) {
                complaints.push(format!("{path}:{line}: {folder} may not depend on {name}"));
            }
        }
    }
    complaints
}

/// The names in all tables of dependencies, with their lines.
fn dependencies(manifest: &File) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut within = false;
    for (number, line) in manifest.lines() {
        if line.starts_with('[') {
            within = line.ends_with("dependencies]");
        } else if within && let Some(end) = line.find(['.', ' ', '=']) {
            found.push((number, &line[..end]));
        }
    }
    found
}

#[test]
fn crates_depend_one_way() {
    crate::assert_none(check(&tree::files(&["toml"])));
}

#[test]
fn a_dependency_upwards_is_found() {
    let mut manifests: Vec<File> = CRATES
        .iter()
        .map(|(folder, ..)| File::of(&format!("{folder}/Cargo.toml"), "[dependencies]\nx = \"1\""))
        .collect();
    assert!(check(&manifests).is_empty());
    manifests[0].text = "[package]\nname = \"a\"\n[dev-dependencies]\nloopscope = {}".to_owned();
    assert_eq!(
        check(&manifests),
        ["loop-core/Cargo.toml:4: loop-core may not depend on loopscope"]
    );
    assert_eq!(check(&[]).len(), CRATES.len());
}
