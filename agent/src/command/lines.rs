//! Lines of JSON in a file, for whoever ships logs: each stall, and all metrics once a minute and
//! at the end.
//!
//! It reads as any other reader does, so what ends between two minutes is in a line, once.
//!
//! **Invariant**: a line that can't be written ends nothing. It is counted, and told once, until
//! one can be written again. A line that was cut off stands by itself.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loopscope_exporters::{Exporter, JsonLines, StallMarks};
use tracing::{info, warn};

use crate::exit::Failure;
use crate::monitor::Monitor;
use crate::source::Observe;

/// How often all metrics are written.
const METRICS: Duration = Duration::from_secs(60);

/// What it is called as a reader, and in `export_failures_total`.
const EXPORTER: &str = "json-lines";

/// Why lines are lost.
const WRITE: &str = "write";

/// See the module.
pub(super) struct Lines {
    path: PathBuf,
    out: Out<File>,
    due: Instant,
    fails: bool,
}

/// What is written to.
#[derive(Debug)]
struct Out<W> {
    to: W,
    /// Whether it ends in the midst of a line.
    is_torn: bool,
}

impl Lines {
    /// Opens the file, and keeps what is in it.
    pub(super) fn open(path: &Path) -> Result<Lines, Failure> {
        let out = append(path).map_err(|error| {
            let path = path.display();
            Failure::usage(format!("{path} can't be written ({error}); name another --output"))
        })?;
        Ok(Lines { path: path.to_owned(), out, due: Instant::now() + METRICS, fails: false })
    }

    /// From now on it reads.
    pub(super) fn begin(&mut self, monitor: &Monitor) {
        self.due = Instant::now() + METRICS;
        monitor.reads_every(EXPORTER, METRICS);
        monitor.export_dropped(EXPORTER, WRITE, 0);
    }

    /// Opens it again: it may have been moved away.
    pub(super) fn reopen(&mut self) {
        match append(&self.path) {
            Ok(out) => self.out = out,
            Err(error) => warn!("{} can't be opened again ({error})", self.path.display()),
        }
    }

    /// Writes the stalls that are new behind `marks`, and all metrics if it is time or `last`.
    pub(super) fn write(
        &mut self,
        observed: &dyn Observe,
        monitor: &Monitor,
        marks: &mut StallMarks,
        last: bool,
    ) {
        let reading = (last || Instant::now() >= self.due).then(|| monitor.read_by(EXPORTER));
        let mut snapshot = observed.snapshot();
        let new = if last { marks.take_last(&snapshot) } else { marks.take(&snapshot) };
        let mut bytes = Vec::new();
        for stall in &new.stalls {
            // A vector takes everything.
            let _ = JsonLines::write_stall(&snapshot, stall.observed, stall.stall, &mut bytes);
        }
        if let Some(reading) = reading {
            self.due = Instant::now() + METRICS;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let unix_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
            let mut stats = monitor.stats(observed, &snapshot);
            monitor.leave_out(reading, &mut snapshot, &mut stats);
            let _ = JsonLines { unix_ns }.export(&snapshot, &stats, &mut bytes);
        }
        let (lost, ended) = self.out.put(&bytes);
        if lost > 0 {
            monitor.export_failed(EXPORTER, WRITE);
            monitor.export_dropped(EXPORTER, WRITE, lost);
        }
        self.tell(&bytes, ended);
    }

    fn tell(&mut self, bytes: &[u8], ended: io::Result<()>) {
        match (ended, self.fails) {
            (Ok(()), true) if !bytes.is_empty() => {
                info!("{} can be written again", self.path.display());
                self.fails = false;
            }
            (Err(error), false) => {
                warn!("{} can't be written ({error}); its lines are lost", self.path.display());
                self.fails = true;
            }
            _ => {}
        }
    }
}

impl<W: Write> Out<W> {
    /// Writes whole lines. Returns how many of them are not there, or not whole, and why.
    fn put(&mut self, lines: &[u8]) -> (u64, io::Result<()>) {
        let ends = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        if self.is_torn && !lines.is_empty() {
            // What was cut off is no part of the next line.
            if let (0, ended) = self.all(b"\n") {
                return (ends(lines), ended);
            }
            self.is_torn = false;
        }
        let (written, ended) = self.all(lines);
        if let Some(&byte) = lines[..written].last() {
            self.is_torn = byte != b'\n';
        }
        (ends(lines) - ends(&lines[..written]), ended)
    }

    /// Writes as much as can be. Returns how much that is.
    fn all(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut written = 0;
        while written < bytes.len() {
            match self.to.write(&bytes[written..]) {
                Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (written, Err(error)),
            }
        }
        (written, Ok(()))
    }
}

/// Opens it behind what is there.
fn append(path: &Path) -> io::Result<Out<File>> {
    let to = OpenOptions::new().append(true).create(true).open(path)?;
    let is_file = to.metadata().is_ok_and(|about| about.is_file());
    Ok(Out { to, is_torn: is_file && is_torn(path).unwrap_or(false) })
}

/// Whether a file ends in the midst of a line: whoever wrote it before was killed, or had no room.
fn is_torn(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes and then no more.
    #[derive(Debug, Default)]
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room).min(3);
            if taken == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.bytes.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_not_written_is_counted_and_a_torn_line_stands_by_itself() {
        let mut out = Out { to: Disk::default(), is_torn: false };
        let mut put = |room: usize, lines: &str| {
            out.to.room += room;
            let (lost, ended) = out.put(lines.as_bytes());
            let text = String::from_utf8(out.to.bytes.clone()).unwrap();
            (lost, ended.is_ok(), text)
        };
        let told = |lost, ok, text: &str| (lost, ok, text.to_owned());
        assert_eq!(put(8, "{1}\n{2}\n"), told(0, true, "{1}\n{2}\n"));
        assert_eq!(put(6, "{3}\n{4}\n{5}\n"), told(2, false, "{1}\n{2}\n{3}\n{4"));
        assert_eq!(put(0, "{6}\n"), told(1, false, "{1}\n{2}\n{3}\n{4"));
        assert_eq!(put(0, ""), told(0, true, "{1}\n{2}\n{3}\n{4"), "nothing to be written");
        assert_eq!(put(9, "{7}\n{8}\n"), told(0, true, "{1}\n{2}\n{3}\n{4\n{7}\n{8}\n"));
        assert_eq!(put(0, "{9}\n"), told(1, false, "{1}\n{2}\n{3}\n{4\n{7}\n{8}\n"));
        assert_eq!(put(4, "{9}\n"), told(0, true, "{1}\n{2}\n{3}\n{4\n{7}\n{8}\n{9}\n"));
    }

    #[test]
    fn what_another_one_left_is_no_part_of_a_line() {
        let path = std::env::temp_dir().join(format!("loopscope-lines-{}", std::process::id()));
        for (before, after) in [("", "{}\n"), ("{1}\n", "{1}\n{}\n"), ("{1", "{1\n{}\n")] {
            std::fs::write(&path, before).unwrap();
            let (lost, ended) = append(&path).unwrap().put(b"{}\n");
            assert_eq!((lost, ended.is_ok()), (0, true));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
        }
        std::fs::remove_file(&path).unwrap();
    }
}
