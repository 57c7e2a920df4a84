//! Files: each operation is one function, done at once or by a thread of the pool.

use std::collections::HashMap;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use loop_core::SysError;

use super::{Returned, Table};
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
        file(files, arguments, "fstat").and_then(|file| {
            file.metadata().map(|found| stat(&found)).map_err(|error| Fault::System("fstat", error))
        })
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
    ("rm", |_, arguments| nothing("rm", fs::remove_dir_all(arguments.text(0)))),
    ("mkdir", make_directory),
    ("mkdtemp", |_, arguments| call("mkdtemp", make_temporary(arguments.text(0)))),
    ("rename", |_, arguments| nothing("rename", fs::rename(arguments.text(0), arguments.text(1)))),
    ("copyfile", |_, arguments| {
        nothing("copyfile", fs::copy(arguments.text(0), arguments.text(1)).map(drop))
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
                caller.call(lp, Entry::Event, &[Value::Number(request), error, value]);
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
        let mut failure = Failure::from(SysError::new(call, error));
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
const EACCES: i32 = 13;

/// Whether this argument of a call is a path.
fn has_path(call: &str, index: usize) -> bool {
    index == 0 || matches!(call, "rename" | "copyfile" | "symlink")
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
    table(files).get(&descriptor).cloned().ok_or(Fault::BadDescriptor(call))
}

/// `(path, flags, mode) -> descriptor`, with flags as Node writes them.
fn open(files: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let flags = arguments.text(1);
    let mut options = OpenOptions::new();
    let both = flags.contains('+');
    options.read(flags.starts_with('r') || both).mode(arguments.count(2).unwrap_or(0o666) as u32);
    match flags.as_bytes().first() {
        Some(b'w') => options.write(true).create(true).truncate(true),
        Some(b'a') => options.append(true).create(true),
        _ => options.write(both),
    };
    if flags.contains('x') {
        options.create_new(true).truncate(false);
    }
    let opened = options.open(arguments.text(0)).map_err(|error| Fault::System("open", error))?;
    let descriptor = opened.as_raw_fd();
    table(files).insert(descriptor, Arc::new(opened));
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
            from.read_at(&mut buffer, offset).map(|read| {
                buffer.truncate(read);
                Value::Bytes(buffer)
            })
        }
        None => take(&mut &*from, bytes),
    };
    call("read", result)
}

fn take(from: &mut impl Read, bytes: usize) -> io::Result<Value> {
    let mut buffer = vec![0; bytes];
    let read = from.read(&mut buffer)?;
    buffer.truncate(read);
    Ok(Value::Bytes(buffer))
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

/// `(path, with parents, mode)`.
fn make_directory(_: &Open, arguments: &mut Arguments) -> Result<Value, Fault> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(arguments.truth(1)).mode(arguments.count(2).unwrap_or(0o777) as u32);
    nothing("mkdir", builder.create(arguments.text(0)))
}

/// A new directory whose name begins with this.
fn make_temporary(prefix: &str) -> io::Result<Value> {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = seed.map_or(0, |since| since.as_nanos() as u64) ^ u64::from(std::process::id());
    for attempt in 0..100_u64 {
        let name = format!("{prefix}{:06x}", (seed.wrapping_add(attempt * 7919)) & 0xff_ffff);
        match fs::DirBuilder::new().mode(0o700).create(&name) {
            Ok(()) => return Ok(name.into()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from_raw_os_error(EACCES))
}

/// Names in a directory, each with what it is, sorted as Node has them: by the directory's order.
fn scan(directory: &str) -> io::Result<Value> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = kind(entry.file_type()?);
        names.push(Value::List(vec![path(entry.file_name()), Value::Number(kind)]));
    }
    Ok(Value::List(names))
}

/// `S_IFMT` of a type, shifted as Node's `UV_DIRENT_*` numbers.
fn kind(of: FileType) -> f64 {
    if of.is_file() {
        1.0
    } else if of.is_dir() {
        2.0
    } else if of.is_symlink() {
        3.0
    } else {
        0.0
    }
}

/// Numbers in the order of Node's `Stats`, times in milliseconds.
fn stat(found: &Metadata) -> Value {
    let ms = |seconds: i64, ns: i64| seconds as f64 * 1e3 + ns as f64 / 1e6;
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
        ms(found.atime(), found.atime_nsec()),
        ms(found.mtime(), found.mtime_nsec()),
        ms(found.ctime(), found.ctime_nsec()),
    ];
    Value::List(numbers.map(Value::Number).to_vec())
}
