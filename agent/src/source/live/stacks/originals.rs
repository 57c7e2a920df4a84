//! The sources of compiled scripts: `--source-maps`.
//!
//! A script's file is read when a frame of it is seen first, by the path that V8 has, in the root
//! of the process, and the map that it names beside it. What is on disk is taken for what was
//! loaded.
//!
//! Cost: a search for each frame. At the first frame of a script its map is read, and no other
//! stack is looked at meanwhile.
//!
//! **Invariant**: a frame of which the map doesn't tell the place stays as it is.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use loop_core::snapshot::Limit;

use super::limits::{MAP_BYTES_MAX, MAPS_BYTES_MAX, SCRIPT_BYTES_MAX, SCRIPTS_MAX, UNMAPPED_TOLD};
use crate::process::Process;
use crate::sourcemap::{Broken, Compiled, Reference, SourceMap, reference};
use crate::v8::{Frame, Kind, TOP_LEVEL};

/// See the module.
#[derive(Debug)]
pub(super) struct Originals {
    process: Arc<Process>,
    /// By path; `None`: it was not compiled, or can't be told.
    scripts: HashMap<String, Option<Compiled>>,
    bytes: usize,
    /// Scripts whose maps can't be used, and why.
    unmapped: Vec<(String, String)>,
    /// More of those.
    more: u64,
}

impl Originals {
    /// Of the scripts of a process.
    pub(super) fn new(process: Arc<Process>) -> Originals {
        Originals { process, scripts: HashMap::new(), bytes: 0, unmapped: Vec::new(), more: 0 }
    }

    /// Tells frames by their sources, where those are known.
    pub(super) fn tell(&mut self, frames: &mut [Frame]) {
        for frame in frames.iter_mut().filter(|frame| frame.kind == Kind::JavaScript) {
            let file = frame.file.as_deref().filter(|file| file.starts_with('/'));
            let compiled = file.and_then(|file| self.script(file));
            compiled.into_iter().for_each(|compiled| tell(frame, compiled));
        }
    }

    /// What is not told by its source.
    pub(super) fn limits(&self) -> Vec<Limit> {
        let told = self.unmapped.iter().map(|(file, why)| {
            let what = format!("the source of the compiled script {}", word(file));
            Limit { what, why: why.clone() }
        });
        let more = (self.more > 0).then(|| {
            let what = format!("the sources of {} more compiled scripts", self.more);
            Limit { what, why: "their source maps can't be used, either".to_owned() }
        });
        told.chain(more).collect()
    }

    fn script(&mut self, file: &str) -> Option<&Compiled> {
        if !self.scripts.contains_key(file) && self.scripts.len() < SCRIPTS_MAX {
            let compiled = self.read(file).unwrap_or_else(|why| {
                self.note(file, why);
                None
            });
            self.bytes += compiled.as_ref().map_or(0, Compiled::bytes);
            self.scripts.insert(file.to_owned(), compiled);
        }
        self.scripts.get(file)?.as_ref()
    }

    fn note(&mut self, file: &str, why: String) {
        match self.unmapped.len() < UNMAPPED_TOLD {
            true => self.unmapped.push((file.to_owned(), why)),
            false => self.more += 1,
        }
    }

    /// A script and its map. `Ok(None)`: it names none.
    fn read(&self, file: &str) -> Result<Option<Compiled>, String> {
        let path = Path::new(file);
        // A file that can't be read may well be none, such as one in a program's own archive.
        let Ok(script) = self.process.read_file(path, SCRIPT_BYTES_MAX) else { return Ok(None) };
        let inline = || format!("the source map in {}", word(file));
        let broken = |map: String| move |why: Broken| format!("{map} {why}");
        let Some(found) = reference(&script) else { return Ok(None) };
        let mut at = path.to_owned();
        let (map, bytes) = match found.map_err(broken(inline()))? {
            Reference::Inline(bytes) => (inline(), bytes),
            Reference::File(name) => {
                at = path.with_file_name(name);
                let map = format!("its source map {}", word(&at.to_string_lossy()));
                let bytes = self.process.read_file(&at, MAP_BYTES_MAX);
                let bytes = bytes.map_err(|error| format!("{map} can't be read: {}", why(&error)));
                (map, bytes?)
            }
        };
        let folder = at.parent().unwrap_or(path).to_string_lossy();
        let found = SourceMap::parse(&bytes, &folder).map_err(broken(map.clone()))?;
        let compiled = Compiled::new(&script, found);
        if self.bytes + compiled.bytes() > MAPS_BYTES_MAX {
            return Err(format!("{map} and others before take too much memory"));
        }
        Ok(Some(compiled))
    }
}

/// A path as one word, so that `--redact` hides all of it.
fn word(path: &str) -> String {
    path.replace(' ', "%20")
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "loopscope may not".to_owned(),
        _ => error.to_string(),
    }
}

/// Tells a frame by its source, if the place where it runs or else where it begins is known.
fn tell(frame: &mut Frame, compiled: &Compiled) {
    let original = |place: Option<(u32, u32)>| {
        place.and_then(|(line, column)| compiled.original(line, column))
    };
    let begin = frame.begins.zip(frame.begins_column);
    let (runs, begins) = (original(frame.line.zip(frame.column)), original(begin));
    let Some(source) = runs.or(begins).map(|place| place.source) else { return };
    let name = begin.and_then(|begin| compiled.function(&frame.name, begin));
    if let Some(name) = name.filter(|name| !is_called(&frame.name, name)) {
        frame.name = name.to_owned();
    }
    let begins = begins.filter(|place| place.source == source);
    frame.line = runs.map(|place| place.line);
    frame.column = runs.map(|place| place.column);
    frame.begins = begins.map(|place| place.line);
    frame.begins_column = begins.map(|place| place.column);
    frame.file = Some(source.to_owned());
}

/// Whether a function is called so already, perhaps with its class.
fn is_called(name: &str, original: &str) -> bool {
    name == TOP_LEVEL || name.rsplit('.').next() == Some(original)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// From line 1, column 1 on: line 4 of the source, where `a` is called `work`.
    const MAP: &str =
        r#"{"version":3,"sources":["../a.ts"],"names":["work"],"mappings":"AAGA,SAASA"}"#;

    fn folder(test: &str) -> PathBuf {
        let name = format!("loopscope-originals-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name).join("dist");
        fs::create_dir_all(&folder).expect("it can be made");
        folder
    }

    fn frame(file: &Path) -> Frame {
        Frame {
            kind: Kind::JavaScript,
            name: "a".to_owned(),
            file: Some(file.to_string_lossy().into_owned()),
            line: Some(1),
            column: Some(16),
            begins: Some(1),
            begins_column: Some(11),
            fp: 0,
        }
    }

    fn originals() -> Originals {
        let process = Process::open(std::process::id()).expect("that is this one");
        Originals::new(Arc::new(process))
    }

    #[test]
    fn a_frame_is_told_by_its_source() {
        let folder = folder("told");
        let script = folder.join("a.js");
        fs::write(&script, "function a(){f()}\n//# sourceMappingURL=a.js.map").expect("written");
        fs::write(folder.join("a.js.map"), MAP).expect("written");
        let internal = frame(Path::new("node:fs"));
        let mut frames = [frame(&script), internal.clone()];
        let mut originals = originals();
        originals.tell(&mut frames);
        let source = folder.with_file_name("a.ts").to_string_lossy().into_owned();
        assert_eq!(frames[0].file, Some(source));
        let told = (frames[0].name.as_str(), frames[0].line, frames[0].begins);
        assert_eq!(told, ("work", Some(4), Some(4)));
        assert_eq!(frames[1], internal);
        assert!(originals.limits().is_empty());
        fs::remove_dir_all(folder.parent().expect("it has one")).expect("it was made here");
    }

    #[test]
    fn a_map_that_is_missing_or_broken_leaves_the_script_and_is_told_once() {
        let folder = folder("broken");
        let mut originals = originals();
        for (name, url) in
            [("missing", "none.map"), ("too broken", "data:;base64,e30="), ("no", "")]
        {
            let script = folder.join(name);
            let comment = if url.is_empty() { "" } else { "//# sourceMappingURL=" };
            fs::write(&script, format!("a()\n{comment}{url}")).expect("written");
            let seen = frame(&script);
            for _ in 0..2 {
                let mut frames = [seen.clone()];
                originals.tell(&mut frames);
                assert_eq!(frames[0], seen);
            }
        }
        let limits: Vec<String> = originals.limits().into_iter().map(|limit| limit.why).collect();
        assert_eq!(limits.len(), 2, "{limits:?}");
        assert!(limits[0].ends_with("none.map can't be read: it does not exist"), "{limits:?}");
        assert!(limits[1].ends_with("too%20broken is no source map"), "{limits:?}");
        (0..2 * UNMAPPED_TOLD).for_each(|_| originals.note("/a.js", String::new()));
        assert_eq!(originals.limits().len(), UNMAPPED_TOLD + 1);
        fs::remove_dir_all(folder.parent().expect("it has one")).expect("it was made here");
    }
}
