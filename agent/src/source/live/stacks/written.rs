//! What a process that was told to writes of its code: `/tmp/perf-PID.map`.
//!
//! It is looked at only where V8's memory doesn't tell which function runs, at most once a second,
//! and believed only if the process' own user has written it.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::limits::{PERF_MAP_BYTES_MAX, PERF_MAP_NS};
use crate::process::{FileState, Process, last_lines};
use crate::source::live::clock::monotonic_ns;
use crate::v8::{Frame, Kind, PerfMap, RawFrame};

/// See the module.
#[derive(Debug)]
pub(super) struct Written {
    process: Arc<Process>,
    path: PathBuf,
    looked_ns: Option<u64>,
    state: Option<FileState>,
    map: PerfMap,
}

impl Written {
    /// What this process writes.
    pub(super) fn new(process: Arc<Process>) -> Written {
        let path = PathBuf::from(format!("/tmp/perf-{}.map", process.own_pid()));
        Written { process, path, looked_ns: None, state: None, map: PerfMap::default() }
    }

    /// The function at an address, if that was written.
    pub(super) fn frame(&mut self, pc: u64) -> Option<Frame> {
        let now_ns = monotonic_ns();
        if self.looked_ns.is_none_or(|then_ns| now_ns >= then_ns + PERF_MAP_NS) {
            self.looked_ns = Some(now_ns);
            self.look();
        }
        self.map.frame(pc)
    }

    /// The functions of a stack, innermost first, as far as they were written; what executes now
    /// stays in any case. Empty where none of them is a script's.
    pub(super) fn frames(&mut self, raw: &[RawFrame]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for (callees, of) in raw.iter().enumerate() {
            // Who has called goes on behind the call, where another function may begin.
            let pc = if callees == 0 { of.pc } else { of.pc.saturating_sub(1) };
            let known = self.frame(pc).or_else(|| (callees == 0).then(Frame::unknown));
            frames.extend(known.map(|frame| Frame { fp: of.fp, ..frame }));
        }
        let is_told = frames.iter().any(|frame| frame.kind == Kind::JavaScript);
        if is_told { frames } else { Vec::new() }
    }

    /// Whether nothing was written, as far as it was looked.
    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    fn look(&mut self) {
        let Ok(file) = self.process.open_file(&self.path) else { return };
        let Ok(found) = file.metadata() else { return };
        let state = FileState::of(&found);
        if self.state == Some(state) || !self.is_own(found.uid()) {
            return;
        }
        self.read(&file, state);
    }

    fn read(&mut self, file: &File, state: FileState) {
        let bytes = last_lines(file, PERF_MAP_BYTES_MAX).unwrap_or_default();
        (self.map, self.state) = (PerfMap::parse(&bytes), Some(state));
    }

    /// Whether the process is run by this user.
    fn is_own(&self, user: u32) -> bool {
        std::fs::metadata(self.process.path("")).is_ok_and(|process| process.uid() == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_has_written_is_read() {
        let process = Process::open(std::process::id()).expect("that is this one");
        let mut written = Written::new(Arc::new(process));
        assert_eq!(written.frame(0x1008), None, "nothing is written");
        let path = written.path.clone();
        std::fs::write(&path, "1000 10 JS:*work /app/a.js:3:14\n").expect("it can be written");
        assert_eq!(written.frame(0x1008), None, "it was looked at just now");
        written.looked_ns = None;
        let frame = written.frame(0x1008).expect("it is written");
        assert_eq!((frame.name.as_str(), frame.begins), ("work", Some(3)));
        let at = |pc| RawFrame { pc, fp: pc + 7, ..RawFrame::default() };
        let told = |written: &mut Written, raw: &[RawFrame]| {
            let frames = written.frames(raw).into_iter();
            frames.map(|frame| (frame.kind, frame.name, frame.fp)).collect::<Vec<_>>()
        };
        let (unknown, work) =
            ((Kind::Unknown, String::new(), 16), |fp| (Kind::JavaScript, "work".to_owned(), fp));
        assert_eq!(told(&mut written, &[at(9), at(0x1010), at(5)]), [unknown, work(0x1017)]);
        assert_eq!(told(&mut written, &[at(0x1000)]), [work(0x1007)]);
        assert_eq!(told(&mut written, &[at(0x1010), at(5)]), [], "it begins behind it");
        assert!(!written.is_empty());
        let other = std::os::unix::fs::chown(&path, Some(65_534), None).is_ok();
        (written.looked_ns, written.map) = (None, PerfMap::default());
        assert!(!other || written.frame(0x1008).is_none(), "it is somebody else's");
        std::fs::remove_file(&path).expect("it was made here");
    }
}
