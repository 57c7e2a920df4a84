//! The machine and its user, for the module `os`. What the system does not tell is empty or 0.

use std::env;
use std::fs;

use super::{Table, texts};
use crate::script::value::Value;

pub(super) fn add(table: &mut Table) {
    table.add("cpus", |_| {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Value::Number(count as f64))
    });
    let named = |read: fn(&rustix::system::Uname) -> String| {
        move |_| Ok(Value::Text(read(&rustix::system::uname())))
    };
    table.add("hostname", named(|name| name.nodename().to_string_lossy().into_owned()));
    table.add("release", named(|name| name.release().to_string_lossy().into_owned()));
    table.add("osVersion", named(|name| name.version().to_string_lossy().into_owned()));
    table.add("machine", named(|name| name.machine().to_string_lossy().into_owned()));
    table.add("uptime", |_| Ok(numbers("/proc/uptime", 1)[0].clone()));
    table.add("loadAverages", |_| Ok(Value::List(numbers("/proc/loadavg", 3))));
    table.add("memory", |_| Ok(Value::List(["MemTotal:", "MemAvailable:"].map(memory).to_vec())));
    table.add("env", |arguments| {
        Ok(env::var(arguments.text(0)).map_or(Value::Undefined, Value::Text))
    });
    table.add("user", |_| {
        let uid = Value::Number(rustix::process::getuid().as_raw().into());
        let gid = Value::Number(rustix::process::getgid().as_raw().into());
        let Value::List(names) = texts(["USER", "HOME", "SHELL"].map(variable)) else {
            return Ok(Value::Undefined);
        };
        Ok(Value::List([uid, gid].into_iter().chain(names).collect()))
    });
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// The first numbers in a file of the kernel's.
fn numbers(file: &str, count: usize) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let found = text.split_whitespace().filter_map(|word| word.parse().ok()).map(Value::Number);
    let mut numbers: Vec<_> = found.take(count).collect();
    numbers.resize(count, Value::Number(0.0));
    numbers
}

/// A row of `/proc/meminfo`, in bytes.
fn memory(name: &str) -> Value {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let row = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = row.and_then(|row| row.split_whitespace().next()?.parse::<f64>().ok());
    Value::Number(kib.unwrap_or(0.0) * 1024.0)
}
