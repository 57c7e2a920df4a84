//! Helpers of the tests of this module.

use std::{
    fs::File,
    io::{Seek, Write},
};

/// A file that holds these bytes and has no name.
pub(super) fn file_of(bytes: &[u8]) -> File {
    let path = std::env::temp_dir();
    let mut file = tempfile(&path);
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn tempfile(directory: &std::path::Path) -> File {
    let id = std::thread::current().id();
    let path = directory.join(format!("loopscope-elf-{}-{id:?}", std::process::id()));
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
    let file = file.unwrap();
    std::fs::remove_file(path).unwrap();
    file
}
