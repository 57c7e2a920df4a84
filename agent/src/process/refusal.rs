//! Why a process can't be observed: one line that says what is wrong and what to do.

use std::fmt;

use crate::exit::{Cause, Failure};

/// Of what kind a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No process has this number, or it is that of a thread.
    NotFound,
    /// It has ended, or did while it was looked at.
    Ended,
    /// It is a thread of the kernel.
    KernelThread,
    /// The kernel does not let us look at it.
    NoRights,
    /// It is no Node.
    NotNode,
    /// What is needed of it can't be read, for another reason.
    Unreadable,
}

/// Why a process can't be observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Decides the exit code.
    pub kind: Kind,
    /// What to tell.
    pub cause: Cause,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: Kind, what: impl Into<String>, cure: impl Into<String>) -> Refusal {
        Refusal { kind, cause: Cause::new(what, cure) }
    }

    /// The process is of another kind. `name` is what people call it.
    pub fn not_node(pid: u32, name: &str) -> Refusal {
        let what = format!("process {pid} ({name}) is no Node.js");
        Refusal::new(Kind::NotNode, what, "`loopscope doctor` lists those that are")
    }

    /// The process was there, and no longer is.
    pub fn ended(pid: u32) -> Refusal {
        let what = format!("process {pid} has ended");
        Refusal::new(Kind::Ended, what, "`loopscope doctor` lists those that run")
    }

    pub(super) fn not_found(pid: u32) -> Refusal {
        let what = format!("there is no process {pid}");
        Refusal::new(Kind::NotFound, what, "`loopscope doctor` lists those that can be observed")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Refusal {}

/// A number that names no process is bad input (2); the others are refused (5).
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        match refusal.kind {
            Kind::NotFound | Kind::Ended => Failure::usage(refusal),
            Kind::KernelThread | Kind::NoRights | Kind::NotNode | Kind::Unreadable => {
                Failure::refused(refusal)
            }
        }
    }
}
