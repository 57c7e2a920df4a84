//! The releases of Node that `.ci/node-versions` fetched.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Where they are: one folder each, and Debian's beside them.
fn folder() -> PathBuf {
    let fallback = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/node");
    env::var_os("LOOPSCOPE_NODES").map_or_else(fallback, PathBuf::from)
}

/// Each official release with its version, oldest first.
pub(crate) fn official() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder()).into_iter().flatten().flatten();
    let mut found: Vec<(Vec<u32>, String, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().into_string().ok()?;
            let numbers =
                version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            let program = entry.path().join("bin/node");
            program.is_file().then_some((numbers, version, program))
        })
        .collect();
    found.sort();
    if found.is_empty() {
        println!("SKIPPED: plans of Node's releases: `.ci/node-versions` fetches them");
    }
    found.into_iter().map(|(_, version, program)| (version, program)).collect()
}

/// The files of Debian's Node: the program, libnode and libuv.
pub(crate) fn debian() -> Option<Vec<PathBuf>> {
    let root = folder().join("debian/usr");
    let library = |name: &str| {
        let entries = fs::read_dir(root.join("lib/x86_64-linux-gnu")).ok()?;
        let mut paths = entries.flatten().map(|entry| entry.path());
        paths.find(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.starts_with(name) && path.is_file() && !path.is_symlink()
        })
    };
    let files = [root.join("bin/node"), library("libnode.so")?, library("libuv.so")?];
    Some(files.to_vec())
}
