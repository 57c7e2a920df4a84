//! Files: each operation is one function, done at once or by a thread of the pool.

use std::collections::HashMap;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use loop_core::SysError;

use super::{Returned, Table, errno};
use crate::script::engine::Entry;
use crate::script::value::{Arguments, Failure, Value};

/// Files that scripts have open, by descriptor.
type Open = Arc<Mutex<HashMap<i32, Arc<File>>>>;

type Operation = fn(&Open, &mut Arguments) -> Result<Value, Fault>;

/// Why an operation failed.
enum Fault {
    /// The call, and its error; the path is in the arguments.
    System(&'static str, io::Error),
    /// A descriptor that is not open.
    BadDescriptor(&'static str),
}

/// The operations, by the name of the system's call.
const OPERATIONS: &[(&str, Operation)] = &[
    ("open", open),
    ("close", close),
    ("read", read),
    ("write", write),
    ("fstat", |files, arguments| {
        call("fstat", file(files, arguments, "fstat")?.metadata().map(|found| stat(&found)))
    }),
    ("stat", |_, arguments| {
        call("stat", fs::metadata(arguments.text(0)).map(|found| stat(&found)))
    }),
    ("lstat", |_, arguments| {
        call("lstat", fs::symlink_metadata(arguments.text(0)).map(|found| stat(&found)))
    }),
    ("scandir", |_, arguments| call("scandir", scan(arguments.text(0)))),
    ("unlink", |_, arguments| nothing("unlink", fs::remove_file(arguments.text(0)))),
    ("rmdir", |_, arguments| nothing("rmdir", fs::remove_dir(arguments.text(0)))),
    ("mkdir", make_directory),
    ("mkdtemp", make_temporary),
    ("rename", |_, arguments| nothing("rename", fs::rename(arguments.text(0), arguments.text(1)))),
    ("copyfile", copy),
    ("link", |_, arguments| nothing("link", fs::hard_link(arguments.text(0), arguments.text(1)))),
    ("fsync", |files, arguments| nothing("fsync", file(files, arguments, "fsync")?.sync_all())),
    ("fdatasync", |files, arguments| {
        nothing("fdatasync", file(files, arguments, "fdatasync")?.sync_data())
    }),
    ("readlink", |_, arguments| call("readlink", fs::read_link(arguments.text(0)).map(path))),
    ("symlink", |_, arguments| {
        nothing("symlink", std::os::unix::fs::symlink(arguments.text(0), arguments.text(1)))
    }),
    ("realpath", |_, arguments| call("realpath", fs::canonicalize(arguments.text(0)).map(path))),
    ("access", access),
    ("chmod", |_, arguments| {
        let mode = fs::Permissions::from_mode(arguments.id(1) as u32);
        nothing("chmod", fs::set_permissions(arguments.text(0), mode))
    }),
    ("ftruncate", |files, arguments| {
        let file = file(files, arguments, "ftruncate")?;
        nothing("ftruncate", file.set_len(arguments.id(1)))
    }),
];

/// Whether this is a synchronous operation.
pub(crate) fn is_operation(name: &str) -> bool {
    OPERATIONS.iter().any(|(operation, _)| *operation == name)
}

pub(super) fn add(table: &mut Table) {
    let files = Open::default();
    for &(name, operation) in OPERATIONS {
        let at_once = Arc::clone(&files);
        table.add(name, move |mut arguments| {
            operation(&at_once, &mut arguments).map_err(|fault| fault.told(&arguments).into())
        });
    }
    table.add("isFile", |arguments| Ok(Path::new(arguments.text(0)).is_file().into()));
    table.add("isDirectory", |arguments| Ok(Path::new(arguments.text(0)).is_dir().into()));
    table.add("readSource", |arguments| {
        let bytes = fs::read(arguments.text(0)).ok();
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(text.map_or(Value::Undefined, Value::Text))
    });
    // `(request, operation, ...)`: tells the request the result, by the pool.
    table.share("queueFile", move |shared, mut arguments| -> Returned {
        let request = arguments.number(0);
        let index = OPERATIONS.iter().position(|(name, _)| *name == arguments.text(1));
        let operation = index.map_or(open as Operation, |index| OPERATIONS[index].1);
        arguments.0.drain(..2);
        let caller = shared.caller();
        let files = Arc::clone(&files);
        let work = move || {
            let result = operation(&files, &mut arguments);
            result.map_err(|fault| fault.told(&arguments))
        };
        shared.with_loop(|lp| {
            lp.queue_work(work, move |lp, result| {
                let (error, value) = match result {
                    Ok(Ok(value)) => (Value::Null, value),
                    Ok(Err(failure)) => (failure.into(), Value::Undefined),
                    Err(error) => (Failure::new(error.to_string()).into(), Value::Undefined),
                };
                caller.call(lp, Entry::Event, [Value::Number(request), error, value]);
            })
        });
        Ok(Value::Undefined)
    });
}

impl Fault {
    /// The error as scripts see it.
    fn told(self, arguments: &Arguments) -> Failure {
        let (call, error) = match self {
            Fault::System(call, error) => (call, error),
            Fault::BadDescriptor(call) => (call, io::Error::from_raw_os_error(EBADF)),
        };
        let words = error.raw_os_error().and_then(errno::words);
        let error = SysError::new(call, error);
        let name = error.name();
        let message = words.map(|words| format!("{name}: {words}, {call}"));
        let mut failure = Failure::from(error);
        if let Some(message) = message {
            failure.message = message;
        }
        let texts = [0, 1].map(|index| arguments.has_text(index).filter(|_| has_path(call, index)));
        for (name, text) in ["path", "dest"].into_iter().zip(texts) {
            let Some(text) = text else { continue };
            let arrow = if name == "path" { " " } else { " -> " };
            failure.message = format!("{}{arrow}'{text}'", failure.message);
            failure.properties.push((name, text.into()));
        }
        failure
    }
}

const EBADF: i32 = 9;
const EEXIST: i32 = 17;
const EISDIR: i32 = 21;

/// Whether this argument of a call is a path.
fn has_path(call: &str, index: usize) -> bool {
    index == 0 || matches!(call, "rename" | "copyfile" | "symlink" | "link")
}

fn call(name: &'static str, result: io::Result<Value>) -> Result<Value, Fault> {
    result.map_err(|error| Fault::System(name, error))
}

fn nothing(name: &'static str, result: io::Result<()>) -> Result<Value, Fault> {
    call(name, result.map(|()| Value::Undefined))
}

fn path(path: impl AsRef<Path>) -> Value {
    path.as_ref().to_string_lossy().as_ref().into()
}

fn table(files: &Open) -> std::sync::MutexGuard<'_, HashMap<i32, Arc<File>>> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

fn file(files: &Open, arguments: &Arguments, call: &'static str) -> Result<Arc<File>, Fault> {
    let descriptor = arguments.number(0) as i32;
    if let Some(standard) = standard(descriptor) {
        let file = standard.map_err(|error| Fault::System(call, error))?;
        return Ok(Arc::new(File::from(file)));
    }
    table(files).get(&descriptor).cloned().ok_or(Fault::BadDescriptor(call))
}

/// The program's own input and outputs, by another descriptor.
fn standard(descriptor: i32) -> Option<io::Result<OwnedFd>> {
    match descriptor {
        0 => Some(io::stdin().as_fd().try_clone_to_owned()),
        1 => Some(io::stdout().as_fd().try_clone_to_owned()),
        2 => Some(io::stderr().as_fd().try_clone_to_owned()),
        _ => None,
    }
}

/// `(path, flags, mode) -> descriptor`, with the system's flags.
fn open(files: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::from_bits_retain(arguments.id(1) as u32) | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(arguments.count(2).unwrap_or(0o666) as u32);
    let opened = rustix::fs::open(arguments.text(0), flags, mode)
        .map_err(|error| Fault::System("open", error.into()))?;
    let descriptor = opened.as_raw_fd();
    table(files).insert(descriptor, Arc::new(File::from(opened)));
    Ok(Value::Number(descriptor.into()))
}

/// `(descriptor)`.
fn close(files: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let descriptor = arguments.number(0) as i32;
    match table(files).remove(&descriptor) {
        Some(_closed) => Ok(Value::Undefined),
        None => Err(Fault::BadDescriptor("close")),
    }
}

/// `(descriptor, bytes, position or -1) -> bytes`.
fn read(files: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let bytes = arguments.id(1) as usize;
    let position = arguments.count(2);
    let from: Arc<File> = match arguments.number(0) as i32 {
        0 => return call("read", take(&mut io::stdin().lock(), bytes)),
        _ => file(files, arguments, "read")?,
    };
    let result = match position {
        Some(offset) => {
            let mut buffer = vec![0; bytes];
            from.read_at(&mut buffer, offset).map(|read| fitted(buffer, read))
        }
        None => take(&mut &*from, bytes),
    };
    call("read", result)
}

fn take(from: &mut impl Read, bytes: usize) -> io::Result<Value> {
    let mut buffer = vec![0; bytes];
    let read = from.read(&mut buffer)?;
    Ok(fitted(buffer, read))
}

/// What was read, without the room that was not needed: the engine may keep it.
fn fitted(mut buffer: Vec<u8>, read: usize) -> Value {
    buffer.truncate(read);
    buffer.shrink_to_fit();
    Value::Bytes(buffer)
}

/// `(descriptor, bytes, position or -1) -> how many were written`.
fn write(files: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let bytes = arguments.bytes(1);
    let position = arguments.count(2);
    let written = match arguments.number(0) as i32 {
        1 => io::stdout().lock().write_all(&bytes).map(|()| bytes.len()),
        2 => io::stderr().lock().write_all(&bytes).map(|()| bytes.len()),
        _ => {
            let to = file(files, arguments, "write")?;
            match position {
                Some(offset) => to.write_at(&bytes, offset),
                None => (&*to).write(&bytes),
            }
        }
    };
    call("write", written.map(|written| Value::Number(written as f64)))
}

/// `(path, mode)`, where mode 2 asks for writing, 1 for executing.
fn access(_: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    use rustix::fs::Access;
    let asked = arguments.id(1);
    let mut mode = Access::EXISTS;
    for (bit, right) in [(4, Access::READ_OK), (2, Access::WRITE_OK), (1, Access::EXEC_OK)] {
        if asked & bit != 0 {
            mode |= right;
        }
    }
    nothing("access", rustix::fs::access(arguments.text(0), mode).map_err(io::Error::from))
}

/// `(path, mode)`.
fn make_directory(_: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let mode = arguments.count(1).unwrap_or(0o777) as u32;
    nothing("mkdir", fs::DirBuilder::new().mode(mode).create(arguments.text(0)))
}

/// `(prefix) -> path`: a new directory whose name begins with this. Errors show six letters behind
/// it, as those of `mkdtemp(3)` do.
fn make_temporary(_: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let prefix = arguments.text(0).to_owned();
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = seed.map_or(0, |since| since.as_nanos() as u64) ^ u64::from(std::process::id());
    let mut error = io::Error::from_raw_os_error(EEXIST);
    for attempt in 0..100_u64 {
        let name = format!("{prefix}{:06x}", (seed.wrapping_add(attempt * 7919)) & 0xff_ffff);
        match fs::DirBuilder::new().mode(0o700).create(&name) {
            Ok(()) => return Ok(name.into()),
            Err(failed) => error = failed,
        }
        if error.kind() != io::ErrorKind::AlreadyExists {
            break;
        }
    }
    arguments.0[0] = Value::Text(prefix + "XXXXXX");
    Err(Fault::System("mkdtemp", error))
}

/// `(from, to, mode)`, where mode 1 wants no file there.
fn copy(_: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let to = arguments.text(1);
    if arguments.id(2) & 1 != 0 && fs::symlink_metadata(to).is_ok() {
        return Err(Fault::System("copyfile", io::Error::from_raw_os_error(EEXIST)));
    }
    if Path::new(arguments.text(0)).is_dir() {
        return Err(Fault::System("copyfile", io::Error::from_raw_os_error(EISDIR)));
    }
    nothing("copyfile", fs::copy(arguments.text(0), to).map(drop))
}

/// Names in a directory, each with what it is, in the order of their bytes.
fn scan(directory: &str) -> io::Result<Value> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        names.push((entry.file_name(), kind(entry.file_type()?)));
    }
    names.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let listed = |(name, kind)| Value::List(vec![path(name), Value::Number(kind)]);
    Ok(Value::List(names.into_iter().map(listed).collect()))
}

/// Node's `UV_DIRENT_*` number of a type.
fn kind(of: FileType) -> f64 {
    let kinds = [
        of.is_file(),
        of.is_dir(),
        of.is_symlink(),
        of.is_fifo(),
        of.is_socket(),
        of.is_char_device(),
        of.is_block_device(),
    ];
    kinds.iter().position(|&is| is).map_or(0.0, |index| index as f64 + 1.0)
}

/// Numbers in the order of Node's `Stats`, then seconds and nanoseconds of each time. A system that
/// does not know when a file was made is told the last change of its state.
fn stat(found: &Metadata) -> Value {
    let born = found.created().ok().and_then(|born| {
        let since = born.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some([since.as_secs() as f64, f64::from(since.subsec_nanos())])
    });
    let changed = [found.ctime() as f64, found.ctime_nsec() as f64];
    let [born_s, born_ns] = born.unwrap_or(changed);
    let numbers = [
        found.dev() as f64,
        f64::from(found.mode()),
        found.nlink() as f64,
        f64::from(found.uid()),
        f64::from(found.gid()),
        found.rdev() as f64,
        found.blksize() as f64,
        found.ino() as f64,
        found.size() as f64,
        found.blocks() as f64,
        found.atime() as f64,
        found.atime_nsec() as f64,
        found.mtime() as f64,
        found.mtime_nsec() as f64,
        changed[0],
        changed[1],
        born_s,
        born_ns,
    ];
    Value::List(numbers.map(Value::Number).to_vec())
}
