//! The process: its arguments and environment, its output, its end.

use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use loop_core::{Clock, SysError, snapshot::ClockKind};

use super::{NOTHING, Returned, Table, texts};
use crate::script::LastLine;
use crate::script::calls::Calls;
use crate::script::lambda::Answer;
use crate::script::library;
use crate::script::trace::Trace;
use crate::script::value::{Thrown, Value};

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its file.
    pub(crate) file: PathBuf,
    /// Its source, where that is not in the file.
    pub(crate) source: Option<&'static str>,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The clock of its loop.
    pub(crate) clock: Clock,
    /// Whether it exports a handler to be invoked, as AWS Lambda does.
    pub(crate) lambda: bool,
    /// Is told of what goes to standard output.
    pub(crate) last_line: LastLine,
    /// Where what it does is recorded.
    pub(crate) trace: Option<Trace>,
}

impl Program {
    pub(super) fn is_virtual(&self) -> bool {
        self.clock.kind() == ClockKind::Virtual
    }

    /// The source of a file, the program's own wherever that is.
    fn text_of(&self, file: &str) -> Option<String> {
        let own = self.source.filter(|_| Path::new(file) == self.file).map(str::to_owned);
        own.or_else(|| std::fs::read_to_string(file).ok())
    }
}

pub(super) fn add(table: &mut Table, program: &Program) {
    let mut argv = vec![executable(), program.file.to_string_lossy().into_owned()];
    argv.extend(program.arguments.iter().cloned());
    table.add("argv", move |_| Ok(texts(argv.iter().cloned())));
    let (own, source) = (program.clone(), program.source);
    table.add("sourceText", move |arguments| {
        Ok(own.text_of(arguments.text(0)).map_or(Value::Undefined, Value::Text))
    });
    let (own, calls) = (program.clone(), RefCell::new(HashMap::<String, Calls>::new()));
    // `(file, line, column, name) -> [line, column]` of the call of that name around the place.
    table.add("callBegins", move |arguments| {
        let mut calls = calls.borrow_mut();
        let file = arguments.text(0);
        if !calls.contains_key(file) {
            calls.insert(file.to_owned(), Calls::of(own.text_of(file).unwrap_or_default()));
        }
        let (line, column) = (arguments.id(1), arguments.id(2));
        let begin = calls.get(file).and_then(|of| of.begin(line, column, arguments.text(3)));
        Ok(begin.map_or(Value::Undefined, |(line, column)| {
            Value::List(vec![Value::Number(line as f64), Value::Number(column as f64)])
        }))
    });
    table.add("mainSource", move |_| Ok(source.map_or(Value::Undefined, Value::from)));
    table.share("endIfMemoryIsFull", |shared, _| match shared.memory_is_full.get() {
        true => Err(Thrown::Halt),
        false => NOTHING,
    });
    let lambda = program.lambda;
    table.add("isLambda", move |_| Ok(Value::Bool(lambda)));
    // `(when the loop is empty, whether it failed, text)`: an invocation has a result.
    table.share("lambdaEnds", |shared, arguments| {
        let [when_empty, failed] = [0, 1].map(|index| arguments.truth(index));
        let text = arguments.text(2).to_owned();
        shared.answer.replace(Some(Answer { failed, text }));
        if !when_empty {
            shared.with_loop(|lp| lp.freeze());
        }
        NOTHING
    });
    add_about_itself(table);
    add_about_system(table);
    let last_line = program.last_line.clone();
    table.add("writeStdout", move |mut arguments| {
        let bytes = arguments.bytes(0);
        last_line.note(&bytes);
        write(&mut io::stdout().lock(), &bytes)
    });
    table.add("writeStderr", |mut arguments| write(&mut io::stderr().lock(), &arguments.bytes(0)));
    table.share("halt", |shared, arguments| {
        shared.status.set(Some(arguments.number(0) as i32));
        Err(Thrown::Halt)
    });
}

/// What the library asks of itself and of this program.
fn add_about_itself(table: &mut Table) {
    table.add("librarySource", |arguments| {
        Ok(library::source(arguments.text(0)).map_or(Value::Undefined, Value::from))
    });
    table.add("libraryNames", |_| Ok(texts(library::names().map(str::to_owned))));
    table.add("version", |_| Ok(env!("CARGO_PKG_VERSION").into()));
}

/// What the system says of this process.
fn add_about_system(table: &mut Table) {
    table.add("environment", |_| {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Ok(Value::List(env::vars_os().map(|(k, v)| texts([text(k), text(v)])).collect()))
    });
    table.add("cwd", |_| {
        let path = env::current_dir().map_err(|error| SysError::new("uv_cwd", error))?;
        Ok(path.to_string_lossy().as_ref().into())
    });
    table.add("userId", |_| Ok(Value::Number(rustix::process::getuid().as_raw().into())));
    table.add("cpuTime", |_| Ok(cpu_time()));
    table.add("pid", |_| Ok(Value::Number(std::process::id().into())));
    table.add("platform", |_| Ok(platform().into()));
    table.add("arch", |_| Ok(architecture().into()));
    table.add("memoryUsed", |_| Ok(Value::Number(resident_bytes())));
    table.add("isTerminal", |arguments| {
        use std::io::IsTerminal;
        Ok(Value::Bool(match arguments.id(0) {
            1 => io::stdout().is_terminal(),
            2 => io::stderr().is_terminal(),
            _ => io::stdin().is_terminal(),
        }))
    });
}

fn write(to: &mut impl Write, bytes: &[u8]) -> Returned {
    let written = to.write_all(bytes).and_then(|()| to.flush());
    written.map_err(|error| SysError::new("write", error))?;
    NOTHING
}

fn executable() -> String {
    env::current_exe().map_or_else(|_| "loopscope".to_owned(), |path| path.display().to_string())
}

fn platform() -> &'static str {
    match env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    }
}

fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "x86" => "ia32",
        other => other,
    }
}

/// The time this process has computed, in microseconds: in user mode, and in the kernel.
fn cpu_time() -> Value {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything, the fields are numbers; these two count ticks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    let us = 1e6 / rustix::param::clock_ticks_per_second() as f64;
    let mut times: Vec<_> = ticks.map(|ticks| Value::Number(ticks * us)).collect();
    times.resize(2, Value::Number(0.0));
    Value::List(times)
}

/// The memory of this process that is in use, in bytes; 0 where the system does not tell.
fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(0.0) * rustix::param::page_size() as f64
}
