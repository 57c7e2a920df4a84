//! What the system answers when it refuses something: one error for all input and output.
//!
//! ```text
//!  sockets:  connect ECONNREFUSED 127.0.0.1:1        listen EADDRINUSE: address already in use ...
//!  names:    getaddrinfo ENOTFOUND nosuch.invalid
//!  files:    ENOENT: no such file or directory, open '/x'
//! ```
//!
//! These are the words of Node, with libuv's names and texts.
//!
//! Cost: one allocation an error, so that a result is a pointer where all goes well.

mod names;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A call of the system that failed: which, why, and on what.
///
/// It becomes an [`io::Error`] of the same kind and text, and is found in that again.
#[derive(Clone, PartialEq, Eq)]
pub struct SysError(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    call: &'static str,
    code: ErrorCode,
    about: About,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The system's number (`errno`).
    Errno(i32),
    /// A name could not be looked up, and the resolver has its own reasons.
    Lookup(LookupFailure),
    /// Neither is known.
    Unknown(io::ErrorKind),
}

/// The resolver's reasons (`EAI_*` of `getaddrinfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupFailure {
    /// There is no such name, or it has no address: `ENOTFOUND`.
    NotFound,
    /// The server could not be asked now: `EAI_AGAIN`.
    TryAgain,
    /// The server refuses: `EAI_FAIL`.
    Failed,
}

/// What a call was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A socket without a known address.
    Socket,
    Address(SocketAddr),
    SocketPath(PathBuf),
    Host(String),
    Signal(i32),
    /// An open file.
    File,
    Path(PathBuf),
    Paths(PathBuf, PathBuf),
}

impl SysError {
    /// An error of the named call, from what the standard library made of it. One that is a
    /// [`SysError`] already stays as it is.
    pub fn new(call: &'static str, error: io::Error) -> SysError {
        let code = match names::errno_of(&error) {
            Some(errno) => ErrorCode::Errno(errno),
            None => ErrorCode::Unknown(error.kind()),
        };
        match error.downcast::<SysError>() {
            Ok(known) => known,
            Err(_) => SysError::of(call, code, About::Socket),
        }
    }

    pub(crate) fn of(call: &'static str, code: ErrorCode, about: About) -> SysError {
        SysError(Box::new(Parts { call, code, about }))
    }

    pub(crate) fn errno_of(call: &'static str, errno: i32, about: About) -> SysError {
        SysError::of(call, ErrorCode::Errno(errno), about)
    }

    /// An error of `getaddrinfo`.
    pub(crate) fn lookup(host: &str, error: io::Error) -> SysError {
        let about = About::Host(host.to_owned());
        match names::lookup_failure(&error) {
            Some(failure) => SysError::of("getaddrinfo", ErrorCode::Lookup(failure), about),
            None => SysError::new("getaddrinfo", error).about(about),
        }
    }

    pub(crate) fn canceled(call: &'static str, about: About) -> SysError {
        SysError::errno_of(call, libc::ECANCELED, about)
    }

    pub(crate) fn about(mut self, about: About) -> SysError {
        self.0.about = about;
        self
    }

    /// The call that failed: `connect`, `listen`, `bind`, `accept`, `read`, `write`, `shutdown`,
    /// `send`, `recv`, `getaddrinfo`, `signal_start`, or that of a file: `open`, `scandir`...
    pub fn call(&self) -> &'static str {
        self.0.call
    }

    /// Why it failed.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The system's number of the error; `None` where the reason is the resolver's or unknown.
    pub fn errno(&self) -> Option<i32> {
        match self.0.code {
            ErrorCode::Errno(errno) => Some(errno),
            ErrorCode::Lookup(_) | ErrorCode::Unknown(_) => None,
        }
    }

    /// The name of the reason as libuv and Node print it, such as `ECONNREFUSED` or `ENOTFOUND`;
    /// `UNKNOWN` where libuv has none.
    pub fn name(&self) -> &'static str {
        match self.0.code {
            ErrorCode::Errno(errno) => names::of_errno(errno).map_or("UNKNOWN", |(name, _)| name),
            ErrorCode::Lookup(LookupFailure::NotFound) => "ENOTFOUND",
            ErrorCode::Lookup(LookupFailure::TryAgain) => "EAI_AGAIN",
            ErrorCode::Lookup(LookupFailure::Failed) => "EAI_FAIL",
            ErrorCode::Unknown(_) => "UNKNOWN",
        }
    }

    /// Whether nothing had failed: it was canceled, or its handle was closed (`ECANCELED`).
    pub fn is_canceled(&self) -> bool {
        self.errno() == Some(libc::ECANCELED)
    }

    /// The standard library's class of the reason.
    pub fn kind(&self) -> io::ErrorKind {
        match self.0.code {
            ErrorCode::Errno(errno) => io::Error::from_raw_os_error(errno).kind(),
            ErrorCode::Lookup(LookupFailure::NotFound) => io::ErrorKind::NotFound,
            ErrorCode::Lookup(_) => io::ErrorKind::Other,
            ErrorCode::Unknown(kind) => kind,
        }
    }

    /// The address concerned, where it is one of the internet.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.0.about {
            About::Address(address) => Some(address),
            _ => None,
        }
    }

    /// The path concerned, of a file or a Unix socket; of two the first.
    pub fn path(&self) -> Option<&Path> {
        match &self.0.about {
            About::SocketPath(path) | About::Path(path) | About::Paths(path, _) => Some(path),
            _ => None,
        }
    }

    /// The name that was looked up.
    pub fn host(&self) -> Option<&str> {
        match &self.0.about {
            About::Host(host) => Some(host),
            _ => None,
        }
    }

    /// The reason in words.
    fn write_text(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.code {
            ErrorCode::Errno(errno) => match names::of_errno(errno) {
                Some((_, text)) => f.write_str(text),
                None => write!(f, "{}", io::Error::from_raw_os_error(errno)),
            },
            ErrorCode::Lookup(_) => f.write_str("the name could not be looked up"),
            ErrorCode::Unknown(kind) => write!(f, "{kind}"),
        }
    }
}

impl fmt::Display for SysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { call, about, .. } = &*self.0;
        let name = self.name();
        if let About::File | About::Path(_) | About::Paths(..) = about {
            write!(f, "{name}: ")?;
            self.write_text(f)?;
            write!(f, ", {call}")?;
        } else {
            write!(f, "{call} {name}")?;
            // Node says more of these alone, and of what has no name.
            if *call == "listen" || name == "UNKNOWN" {
                f.write_str(": ")?;
                self.write_text(f)?;
            }
        }
        match about {
            About::Socket | About::File => Ok(()),
            About::Address(address) => write!(f, " {}:{}", address.ip(), address.port()),
            About::SocketPath(path) => write!(f, " {}", path.display()),
            About::Host(host) => write!(f, " {host}"),
            About::Signal(signum) => write!(f, " {signum}"),
            About::Path(path) => write!(f, " '{}'", path.display()),
            About::Paths(from, to) => write!(f, " '{}' -> '{}'", from.display(), to.display()),
        }
    }
}

impl fmt::Debug for SysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { call, code, about } = &*self.0;
        let mut fields = f.debug_struct("SysError");
        fields.field("call", call).field("name", &self.name()).field("code", code);
        fields.field("about", about).finish()
    }
}

impl std::error::Error for SysError {}

impl From<SysError> for io::Error {
    fn from(error: SysError) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}
