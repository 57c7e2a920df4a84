//! Runs programs: each in a folder of its own, by Node or by loopscope, never for longer than a
//! limit.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::tree::Program;

/// Many times what a program takes.
const LIMIT: Duration = Duration::from_secs(8);

/// What programs read.
const DATA: &str = "{\"name\": \"data\", \"list\": [1, 2, 3]}\n";

/// V8 collects its young objects in a task of its own when they are many, as behind a busy loop,
/// and behind that Node looks at its queues once more. That shows where an exception has left
/// something, and hangs on how fast the machine is.
const NO_TASKS: &str = "--no-minor-gc-task";

/// What a run showed. Standard error is for people to read and not compared.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) status: Status,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Whether the program is no program, as one from which too much was taken.
    pub(crate) fn is_wrong(&self) -> bool {
        let wrong = |name| self.stderr.contains(name) || self.stdout.contains(name);
        let lacks = self.stderr.contains("ERR_MODULE_NOT_FOUND");
        wrong("SyntaxError") || wrong("ReferenceError") || lacks
    }
}

impl PartialEq for Outcome {
    fn eq(&self, other: &Outcome) -> bool {
        self.status == other.status && self.stdout == other.stdout
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Code(i32),
    /// Ended by a signal, of its own or of the system.
    Killed,
    /// Ended by us at the limit.
    Hung,
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Code(code) => write!(out, "{code}"),
            Status::Killed => out.write_str("killed"),
            Status::Hung => out.write_str("hung"),
        }
    }
}

/// What runs a program: a command whose last argument is the program's main file.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    program: OsString,
    args: Vec<OsString>,
    /// What the program finds in `process.argv`.
    script_args: Vec<String>,
}

impl Runner {
    fn new(program: impl Into<OsString>, args: &[&OsStr]) -> Runner {
        let args = args.iter().map(OsString::from).collect();
        Runner { program: program.into(), args, script_args: Vec::new() }
    }

    /// The Node of the search path, if there is one.
    pub(crate) fn node() -> Option<Runner> {
        let runners = [Runner::new("node", &[NO_TASKS.as_ref()]), Runner::new("node", &[])];
        runners.into_iter().find(Runner::starts)
    }

    fn starts(&self) -> bool {
        let mut command = Command::new(&self.program);
        command.args(&self.args).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// The program under test, without a report; or the one that `LOOPSCOPE_ORDER_OURS` names,
    /// which
    /// gets the file alone.
    pub(crate) fn ours() -> Runner {
        if let Some(program) = std::env::var_os("LOOPSCOPE_ORDER_OURS") {
            return Runner::new(program, &[]);
        }
        Runner::new(env!("CARGO_BIN_EXE_loopscope"), &["run", "--report", "none"].map(OsStr::new))
    }

    /// The program under test, telling what ran as JSON.
    pub(crate) fn explaining() -> Runner {
        let args = ["explain", "--report", "json"].map(OsStr::new);
        Runner::new(env!("CARGO_BIN_EXE_loopscope"), &args)
    }

    /// With more arguments, before the program's main file.
    pub(crate) fn with(mut self, args: &[&str]) -> Runner {
        self.args.extend(args.iter().map(OsString::from));
        self
    }

    /// With arguments for the program, behind `--`, which a script skips.
    pub(crate) fn with_script_args(mut self, args: &[String]) -> Runner {
        self.script_args = args.to_vec();
        self
    }

    /// Runs the program that was written into `folder`.
    pub(crate) fn run(&self, folder: &Path, main: &str) -> Outcome {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("LOOPSCOPE_") || text.starts_with("NODE_") {
                command.env_remove(&name);
            }
        }
        command.args(&self.args).arg(main);
        if !self.script_args.is_empty() {
            command.arg("--").args(&self.script_args);
        }
        command.current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        finish(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }
}

fn finish(mut child: Child) -> Outcome {
    let stdout = take(child.stdout.take());
    let stderr = take(child.stderr.take());
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status.code().map_or(Status::Killed, Status::Code),
            None if start.elapsed() > LIMIT => {
                child.kill().expect("a child can be ended");
                child.wait().expect("a child can be waited for");
                break Status::Hung;
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |pipe: thread::JoinHandle<String>| pipe.join().expect("the reader ends");
    Outcome { stdout: text(stdout), stderr: text(stderr), status }
}

fn take(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A folder for programs, one at a time.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// `name` is one that no other thread uses.
    pub(crate) fn new(name: &str) -> Folder {
        let folder = format!("differential-{}-{name}", std::process::id());
        Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a program, and nothing of the one before is left.
    pub(crate) fn write(&self, files: impl IntoIterator<Item = (String, String)>) {
        let _ = fs::remove_dir_all(&self.0);
        fs::create_dir_all(self.0.join("folder")).expect("the folder can be made");
        let write = |name: &str, text: &str| {
            fs::write(self.0.join(name), text).expect("a file can be written");
        };
        write("data.json", DATA);
        write("folder/only", "");
        files.into_iter().for_each(|(name, text)| write(&name, &text));
    }

    pub(crate) fn write_program(&self, program: &Program) {
        self.write(program.files.iter().map(|file| (file.name.clone(), file.text())));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
