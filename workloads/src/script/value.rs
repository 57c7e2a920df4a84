//! What passes between the engine and the host: plain values, no handles into the engine.
//!
//! **Invariant**: a JavaScript object never leaves the engine. The library keeps callbacks,
//! promises and buffers on its side and gives the host numbers for them.

use std::fmt;

use loop_core::{ErrorCode, SysError};

/// A value as both sides know it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// An `ArrayBuffer`, or a view of one: by copy to the host, many without one to the engine.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    /// An error object, made when it gets there.
    Error(Box<Failure>),
}

/// An error that a native function throws or a callback is given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// What stands on the error beside its message, in order.
    pub(crate) properties: Vec<(&'static str, Value)>,
}

/// How a native function ends but by returning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Thrown {
    /// It throws.
    Error(Box<Failure>),
    /// JavaScript ends here; nothing catches that.
    Halt,
}

impl From<Failure> for Thrown {
    fn from(failure: Failure) -> Thrown {
        Thrown::Error(Box::new(failure))
    }
}

impl From<SysError> for Thrown {
    fn from(error: SysError) -> Thrown {
        Failure::from(error).into()
    }
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), properties: Vec::new() }
    }
}

impl From<SysError> for Failure {
    /// As Node's system errors: `errno`, `code`, `syscall`, and what the call was about.
    fn from(error: SysError) -> Failure {
        let mut properties = Vec::new();
        if let ErrorCode::Errno(errno) = error.code() {
            properties.push(("errno", Value::from(-f64::from(errno))));
        }
        properties.push(("code", Value::from(error.name())));
        properties.push(("syscall", Value::from(error.call())));
        if let Some(path) = error.path() {
            properties.push(("path", Value::from(path.to_string_lossy().as_ref())));
        }
        if let Some(address) = error.address() {
            properties.push(("address", Value::from(address.ip().to_string().as_str())));
            properties.push(("port", Value::from(f64::from(address.port()))));
        }
        if let Some(host) = error.host() {
            properties.push(("hostname", Value::from(host)));
        }
        Failure { message: error.to_string(), properties }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<Failure> for Value {
    fn from(failure: Failure) -> Value {
        Value::Error(Box::new(failure))
    }
}

/// The arguments of a native function. What the library passes wrong reads as a default: the
/// library checks what users give it.
#[derive(Debug)]
pub(crate) struct Arguments(pub(crate) Vec<Value>);

impl Arguments {
    fn get(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::Undefined)
    }

    pub(crate) fn number(&self, index: usize) -> f64 {
        match self.get(index) {
            Value::Number(number) => *number,
            _ => 0.0,
        }
    }

    /// A number that is not there, or below 0, is `None`.
    pub(crate) fn count(&self, index: usize) -> Option<u64> {
        match self.get(index) {
            Value::Number(number) if *number >= 0.0 => Some(*number as u64),
            _ => None,
        }
    }

    /// A number, where there is one.
    pub(crate) fn has_number(&self, index: usize) -> Option<f64> {
        match self.get(index) {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn id(&self, index: usize) -> u64 {
        self.number(index) as u64
    }

    pub(crate) fn truth(&self, index: usize) -> bool {
        *self.get(index) == Value::Bool(true)
    }

    pub(crate) fn text(&self, index: usize) -> &str {
        match self.get(index) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    pub(crate) fn has_text(&self, index: usize) -> Option<&str> {
        match self.get(index) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Bytes, those of a text included.
    pub(crate) fn bytes(&mut self, index: usize) -> Vec<u8> {
        match self.0.get_mut(index).map(|value| std::mem::replace(value, Value::Undefined)) {
            Some(Value::Bytes(bytes)) => bytes,
            Some(Value::Text(text)) => text.into_bytes(),
            _ => Vec::new(),
        }
    }
}
