//! Lists the JavaScript library, so that a file in its folder is a part of it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join(LIBRARY);
    println!("cargo:rerun-if-changed={LIBRARY}");
    let mut files = Vec::new();
    find(&folder, &mut files)?;
    let mut named: Vec<_> = files.iter().map(|file| (name(&folder, file), file)).collect();
    named.sort();
    let rows =
        named.iter().map(|(name, file)| format!("    ({name:?}, include_str!({file:?})),\n"));
    let list = format!("const FILES: &[(&str, &str)] = &[\n{}];\n", rows.collect::<String>());
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("library.rs"), list)
}

const LIBRARY: &str = "src/script/lib";

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "js") {
            files.push(path);
        }
    }
    Ok(())
}

/// As `require` names it: its path without the end.
fn name(folder: &Path, file: &Path) -> String {
    let inner = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    inner.to_string_lossy().replace('\\', "/")
}
