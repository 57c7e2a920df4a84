//! The very file that a process has mapped, opened, whatever became of its path meanwhile.
//!
//! A path tells little: the process may see another root, the file may have been removed or
//! replaced by an upgrade. So there are three ways to it, and the file found is compared with what
//! the kernel says is mapped, and where its numbers don't agree, byte by byte with the process'
//! memory ([`same_file`](super::same_file)).
//!
//! **Invariant**: a [`MappedFile`] is the file that is mapped, or there is none.

use std::collections::BTreeMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use super::exports::{self, Holds, Load};
use super::maps::Mapping;
use super::{Process, same_file};

/// A file, as `stat` tells it from others that exist at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FileId {
    /// The device.
    pub dev: u64,
    /// The inode on it.
    pub inode: u64,
}

/// A file and its state: another file that is given the same inode later has another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FileState {
    /// Which file.
    pub id: FileId,
    /// Its length in bytes.
    pub bytes: u64,
    /// When its content was changed, in seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When it was changed in any way, its links too.
    pub changed: (i64, i64),
}

impl FileState {
    /// Of a file, as `stat` tells it.
    pub fn of(found: &Metadata) -> FileState {
        FileState {
            id: FileId { dev: found.dev(), inode: found.ino() },
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// A file with code that a process has mapped. It keeps the file open.
#[derive(Clone, Debug)]
pub struct MappedFile {
    /// As the process sees it.
    pub path: PathBuf,
    /// Which file it is, as `stat` tells it.
    pub file_id: FileId,
    /// Its state when it was opened: what was found out about a file holds for as long as that.
    pub state: FileState,
    /// All mappings of it, by address. V8 maps a part of Node's code a second time.
    pub mappings: Vec<Mapping>,
    /// It is no longer where it was.
    pub deleted: bool,
    /// What it exports.
    pub holds: Holds,
    loads: Vec<Load>,
    bias: Option<u64>,
    file: Arc<File>,
}

impl MappedFile {
    /// The file.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn open(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// A path by which the kernel finds this very file, for this process and as long as this value
    /// lives, even if the process has ended and its number was given out again.
    pub fn probe_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// Where a byte of the loaded file lies in the process, by its address in the ELF file.
    /// `None`: nothing is loaded there, or the file is not mapped as its head says.
    pub fn address_of(&self, elf_address: u64) -> Option<u64> {
        let within = |load: &Load| {
            elf_address.checked_sub(load.address).is_some_and(|into| into < load.memory_bytes)
        };
        self.loads.iter().any(within).then_some(())?;
        Some(self.bias?.wrapping_add(elf_address))
    }

    /// What to add to an address in the ELF file to have the one in the process: 0 unless it is
    /// position-independent. `None`: it is not mapped as its head says.
    pub fn bias(&self) -> Option<u64> {
        self.bias
    }
}

/// The distance between a file's addresses and the process', by its first stretch.
fn bias(loads: &[Load], mappings: &[Mapping]) -> Option<u64> {
    const PAGE_MASK: u64 = !0xfff;
    let first = loads.iter().find(|load| load.file_bytes > 0)?;
    let begin = first.offset & PAGE_MASK;
    let mapping = mappings.iter().find(|mapping| mapping.offset == begin)?;
    Some(mapping.start.wrapping_sub(first.address & PAGE_MASK))
}

/// The files with code of a process.
#[derive(Debug, Default)]
pub struct Modules {
    /// Those that export what Node or libuv does, or may hold anything.
    pub files: Vec<MappedFile>,
    /// Those that could not be opened, and why.
    pub unopened: Vec<(PathBuf, io::Error)>,
}

impl Process {
    /// The files with code that may hold Node or libuv, by address.
    ///
    /// # Errors
    /// The process has ended or executes another program; or none of the files that could be
    /// opened holds Node, and one could not be opened.
    pub fn modules(&self) -> io::Result<Vec<MappedFile>> {
        let mut modules = self.all_modules()?;
        let found = modules.files.iter().any(|file| file.holds.node);
        match modules.unopened.pop().filter(|_| !found) {
            Some((_, error)) => Err(error),
            None => Ok(modules.files),
        }
    }

    /// As [`Process::modules`], with what could not be opened.
    ///
    /// # Errors
    /// The process has ended or executes another program.
    pub fn all_modules(&self) -> io::Result<Modules> {
        let mut groups: BTreeMap<((u32, u32), u64), Vec<Mapping>> = BTreeMap::new();
        for mapping in self.maps()?.into_iter().filter(Mapping::has_file) {
            groups.entry((mapping.dev, mapping.inode)).or_default().push(mapping);
        }
        let mut modules = Modules::default();
        let with_code = |group: &Vec<Mapping>| group.iter().any(|mapping| mapping.executable);
        for mappings in groups.into_values().filter(with_code) {
            match self.open_mapped(&mappings) {
                Ok(file) => {
                    let holds = exports::holds(&file);
                    if holds.something() {
                        modules.files.push(mapped(file, mappings, holds)?);
                    }
                }
                Err(error) => modules.unopened.push((mappings[0].path.clone(), error)),
            }
        }
        self.confirm()?;
        modules.files.sort_by_key(|file| file.mappings[0].start);
        Ok(modules)
    }

    /// Every file with code, whatever it holds: its mappings, and the file if it could be opened.
    ///
    /// # Errors
    /// The process has ended or executes another program.
    pub fn code_files(&self) -> io::Result<Vec<(Vec<Mapping>, Option<File>)>> {
        let mut groups: BTreeMap<((u32, u32), u64), Vec<Mapping>> = BTreeMap::new();
        for mapping in self.maps()?.into_iter().filter(Mapping::has_file) {
            groups.entry((mapping.dev, mapping.inode)).or_default().push(mapping);
        }
        let with_code = |group: &Vec<Mapping>| group.iter().any(|mapping| mapping.executable);
        let groups = groups.into_values().filter(with_code);
        let files = groups.map(|mappings| {
            let file = self.open_mapped(&mappings).ok();
            (mappings, file)
        });
        let files = files.collect();
        self.confirm()?;
        Ok(files)
    }

    /// Opens the file of these mappings.
    fn open_mapped(&self, mappings: &[Mapping]) -> io::Result<File> {
        let mapping = &mappings[0];
        let (start, end) = (mapping.start, mapping.end);
        // A link of the kernel's to the file itself; for it more rights are needed.
        if let Ok(file) = open_regular(&self.path(&format!("map_files/{start:x}-{end:x}"))) {
            return Ok(file);
        }
        let mut paths = vec![self.path("exe")];
        if !mapping.deleted {
            let mut inner = self.path("root").into_os_string();
            inner.push(&mapping.path);
            paths.push(inner.into());
        }
        let mut why = None;
        let mut others = Vec::new();
        for path in paths {
            match open_regular(&path) {
                Ok(file) if has_numbers(&file, mapping) => return Ok(file),
                Ok(file) => {
                    others.push(file);
                    why = None;
                }
                Err(error) => why = Some(error),
            }
        }
        let memory = self.path("mem");
        let same = |file: &File| same_file::is_mapped(&memory, mappings, file);
        others.into_iter().find(same).ok_or_else(|| unopened(mapping, why))
    }
}

/// Whether the kernel tells the same numbers of a file and of what is mapped.
fn has_numbers(file: &File, mapping: &Mapping) -> bool {
    file.metadata().is_ok_and(|found| {
        let dev = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
        (dev, found.ino()) == (mapping.dev, mapping.inode)
    })
}

fn unopened(mapping: &Mapping, why: Option<io::Error>) -> io::Error {
    let path = mapping.path.display();
    let what = if mapping.deleted { "was removed or replaced" } else { "can't be found" };
    let why = why.map_or(String::new(), |error| format!(" ({error})"));
    let cure = "run as root, or with CAP_CHECKPOINT_RESTORE";
    io::Error::other(format!("{path}, which is mapped, {what}{why}; {cure}"))
}

fn mapped(file: File, mappings: Vec<Mapping>, holds: Holds) -> io::Result<MappedFile> {
    let loads = exports::loads(&file);
    let state = FileState::of(&file.metadata()?);
    Ok(MappedFile {
        path: mappings[0].path.clone(),
        file_id: state.id,
        state,
        deleted: mappings[0].deleted,
        bias: bias(&loads, &mappings),
        loads,
        mappings,
        holds,
        file: Arc::new(file),
    })
}

/// Opens a plain file, and nothing that does something when it is opened, such as a pipe.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let regular = |found: Metadata| {
        let error = || io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file");
        found.is_file().then_some(()).ok_or_else(error)
    };
    regular(std::fs::metadata(path)?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    regular(file.metadata()?)?;
    Ok(file)
}
