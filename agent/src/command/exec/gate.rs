//! The gate: a process that waits until it is observed, and then becomes the command.
//!
//! ```text
//! loopscope exec                         loopscope exec-gate SOCKET -- CMD
//!   listens on SOCKET, starts it  ──────>  connects
//!   knows its pid, attaches
//!   writes a byte                 ──────>  exec CMD: the pid stays, the socket closes
//!   reads the end, or why not     <──────  or writes the error's number
//! ```
//!
//! Standard input, output and error are the command's all the time. The socket has no place in the
//! file system, and closes by itself when the command begins.
//!
//! **Invariant**: without the byte nothing of the command runs. A gate whose loopscope has gone
//! ends.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{self, Child, Command};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::net::sockopt::socket_peercred;
use rustix::process::Pid;

use crate::cli::ExecGateArgs;
use crate::exit::{Exit, Failure};

/// Our own program, also if its file was replaced.
const SELF: &str = "/proc/self/exe";

const GO: u8 = b'g';

/// How often it is looked whether the process has come; it takes some milliseconds.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// A process that waits to become the command.
#[derive(Debug)]
pub(in crate::command) struct Gate {
    child: Child,
    stream: UnixStream,
}

impl Gate {
    /// Starts the process with our variables and these.
    pub(super) fn start(
        command: &[OsString],
        environment: Vec<(&'static str, OsString)>,
    ) -> io::Result<Gate> {
        Gate::prepared(command, |gate| {
            gate.envs(environment);
        })
    }

    /// The same with what `prepare` sets, as variables, and files instead of our own.
    pub(in crate::command) fn prepared(
        command: &[OsString],
        prepare: impl FnOnce(&mut Command),
    ) -> io::Result<Gate> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("loopscope-gate-{}-{}", process::id(), since.as_nanos());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        let mut gate = Command::new(SELF);
        gate.arg("exec-gate").arg(name).arg("--").args(command);
        prepare(&mut gate);
        let mut child = gate.spawn()?;
        let stream = accept(&listener, &mut child)?;
        Ok(Gate { child, stream })
    }

    pub(in crate::command) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it become the command.
    ///
    /// # Errors
    /// Why it can't be run.
    pub(in crate::command) fn open(mut self) -> io::Result<Child> {
        let mut why = Vec::new();
        self.stream.write_all(&[GO])?;
        self.stream.read_to_end(&mut why)?;
        match <[u8; 4]>::try_from(why.as_slice()) {
            Ok(number) => {
                self.child.wait()?;
                Err(io::Error::from_raw_os_error(i32::from_ne_bytes(number)))
            }
            // Nothing was written: it has become the command.
            Err(_) => Ok(self.child),
        }
    }

    /// Ends it before it becomes anything.
    pub(in crate::command) fn close(mut self) {
        drop(self.stream);
        // It ends because the socket does.
        let _ = self.child.wait();
    }
}

/// Waits for our own process; whoever else connects is left out.
fn accept(listener: &UnixListener, child: &mut Child) -> io::Result<UnixStream> {
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                if socket_peercred(&stream)?.pid == Pid::from_child(child) {
                    stream.set_nonblocking(false)?;
                    return Ok(stream);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(LOOK_EVERY),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if child.try_wait()?.is_some() {
            return Err(io::Error::other("the process that was to become it has ended"));
        }
    }
}

/// The body of the process. It returns only where the command can't be run.
pub(in crate::command) fn pass(args: &ExecGateArgs) -> Failure {
    match wait(&args.socket) {
        Ok(mut stream) => {
            let error = become_command(&args.command);
            let number = error.raw_os_error().unwrap_or(rustix::io::Errno::INVAL.raw_os_error());
            // Without a reader nobody wants to know.
            let _ = stream.write_all(&number.to_ne_bytes());
            process::exit(i32::from(Exit::RunFailed.code()))
        }
        Err(error) => Failure::usage(format!(
            "`exec-gate` is for loopscope itself ({error}); use `loopscope exec -- CMD`"
        )),
    }
}

fn wait(socket: &str) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(socket)?)?;
    let mut go = [0];
    if stream.read_exact(&mut go).is_err() {
        // The observer did not come about, and has said why.
        process::exit(i32::from(Exit::RunFailed.code()));
    }
    Ok(stream)
}

fn become_command(command: &[OsString]) -> io::Error {
    let program = command.first().map_or(OsStr::new(""), OsString::as_os_str);
    Command::new(program).args(command.iter().skip(1)).exec()
}
