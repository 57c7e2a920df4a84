//! The private folder of one observation: where the command's processes leave their traces.
//!
//! ```text
//! loopscope-1234-5f3a9c/           mode 0700, removed at the end
//!   hand_over.cjs                  what each Node.js process loads first
//!   ask                            is touched when traces are wanted
//!   4711.node                      process 4711 is Node, and has started
//!   4711-1.json                    its trace; a new file after half a million events
//! ```
//!
//! A process that the command has left behind may start Node.js with its variables at any time, and
//! Node does not start without the file that it is to load. As long as there is one, the folder
//! stays, with a file that does nothing.
//!
//! **Invariant**: nothing is written outside of it, and it goes with its owner, or stays for those
//! that were told of it.

use std::collections::hash_map::RandomState;
use std::env;
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

/// The cheapest categories that tell of loops: collections, drains, phases, the main script.
const CATEGORIES: &str = "v8,v8.execute,node.environment,node.bootstrap";

const HAND_OVER: &str = include_str!("hand_over.cjs");

/// The folder; it is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    ask: File,
    stays: bool,
}

impl Folder {
    /// Makes it among the temporary files.
    pub(super) fn make() -> io::Result<Folder> {
        let random = RandomState::new().build_hasher().finish();
        let path = env::temp_dir().join(format!("loopscope-{}-{random:016x}", process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        let made = fs::write(path.join("hand_over.cjs"), HAND_OVER)
            .and_then(|()| File::create(path.join("ask")));
        match made {
            Ok(ask) => Ok(Folder { path, ask, stays: false }),
            Err(error) => {
                let _ = fs::remove_dir_all(&path);
                Err(error)
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What NODE_OPTIONS must say, behind what it says already; `None` where the folder's name
    /// can't be written there.
    pub(super) fn node_options(&self, before: &str, hands_over: bool) -> Option<String> {
        let folder = self.path.to_str()?;
        let quoted = |name: &str| {
            let escaped = format!("{folder}/{name}").replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"")
        };
        let mut options = format!(
            "{before} --trace-event-categories {CATEGORIES} --trace-event-file-pattern {}",
            quoted("${pid}-${rotation}.json")
        );
        if hands_over {
            options.push_str(&format!(" --require {}", quoted("hand_over.cjs")));
        }
        Some(options.trim_start().to_owned())
    }

    /// Leaves the folder to the processes that were started with it and still run, if any do.
    pub(super) fn leave(&mut self) -> bool {
        self.stays = self.is_used();
        if self.stays {
            // Where it can't be written, it stays as it is: then it hands over to nobody.
            let _ = fs::write(self.path.join("hand_over.cjs"), "");
        }
        self.stays
    }

    /// Whether its name is among the variables of a process.
    fn is_used(&self) -> bool {
        let name = self.path.as_os_str().as_encoded_bytes();
        let holds_name = |process: fs::DirEntry| {
            let variables = fs::read(process.path().join("environ")).unwrap_or_default();
            variables.windows(name.len()).any(|part| part == name)
        };
        fs::read_dir("/proc").is_ok_and(|processes| processes.flatten().any(holds_name))
    }

    /// Asks all processes to hand over what they have traced.
    pub(super) fn ask(&self) -> io::Result<()> {
        self.ask.set_modified(SystemTime::now())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.stays {
            // What can't be removed is left to whoever clears the temporary files.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_private_and_goes_with_its_owner() {
        let folder = Folder::make().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(path.join("7-1.json"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn options_stand_behind_what_was_set() {
        let folder = Folder::make().unwrap();
        let options = folder.node_options("--max-old-space-size=64", true).unwrap();
        assert!(options.starts_with("--max-old-space-size=64 --trace-event-categories v8,"));
        assert!(options.ends_with("/hand_over.cjs\""), "{options}");
        let options = folder.node_options("", false).unwrap();
        assert!(options.starts_with("--trace") && !options.contains("--require"), "{options}");
    }
}
