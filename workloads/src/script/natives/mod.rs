//! The native functions of the library: what only Rust can do.
//!
//! They are thin: arguments are checked, and errors worded, by the library in JavaScript.

mod clock;
mod errno;
mod files;
mod machine;
mod net;
mod perf;
mod process;
mod text;
mod timers;
mod trace;

use std::rc::Rc;

#[cfg(test)]
pub(crate) use files::is_operation as is_file_operation;
pub(crate) use process::Program;

use super::engine::Native;
use super::host::Shared;
use super::value::{Arguments, Thrown, Value};

/// What a native function returns.
type Returned = Result<Value, Thrown>;

/// The native functions by name, as they are made.
struct Table {
    shared: Rc<Shared>,
    natives: Vec<(&'static str, Native)>,
}

impl Table {
    /// Adds one that needs nothing but its arguments.
    fn add(&mut self, name: &'static str, native: impl Fn(Arguments) -> Returned + 'static) {
        self.natives.push((name, Box::new(native)));
    }

    /// Adds one that uses what all share.
    fn share(
        &mut self,
        name: &'static str,
        native: impl Fn(&Rc<Shared>, Arguments) -> Returned + 'static,
    ) {
        let shared = Rc::clone(&self.shared);
        self.add(name, move |arguments| native(&shared, arguments));
    }
}

/// All of them.
pub(crate) fn all(shared: &Rc<Shared>, program: &Program) -> Vec<(&'static str, Native)> {
    let mut table = Table { shared: Rc::clone(shared), natives: Vec::new() };
    clock::add(&mut table, program);
    files::add(&mut table);
    machine::add(&mut table);
    net::add(&mut table, program);
    perf::add(&mut table);
    process::add(&mut table, program);
    text::add(&mut table);
    timers::add(&mut table);
    trace::add(&mut table, program);
    table.natives
}

/// Whether it may wait, or compute for long.
pub(crate) fn may_wait(name: &str) -> bool {
    const OTHERS: [&str; 4] = ["readSource", "rewriteImports", "writeStderr", "writeStdout"];
    files::is_operation(name) || OTHERS.contains(&name)
}

/// For those that return nothing.
const NOTHING: Returned = Ok(Value::Undefined);

fn texts(texts: impl IntoIterator<Item = String>) -> Value {
    Value::List(texts.into_iter().map(Value::Text).collect())
}
