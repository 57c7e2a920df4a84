//! Processes that a command has started and that are nobody's children any more: daemons.
//!
//! A process whose parent has ended is given to process 1, or to whoever has asked for such. It is
//! one of the command's, as far as can be told, if it began behind the command and has all of its
//! variables.
//!
//! Cost: one small read for each process of the machine, once a second.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

use crate::process::{Identity, ProcFs, Process, children_of, environment_of, parent_of};

/// How often it is looked for them.
const LOOK_NS: u64 = 1_000_000_000;

/// Variables that a shell sets anew.
const CHANGING: [&str; 5] = ["PWD", "OLDPWD", "SHLVL", "_", "PATH"];

/// Looks for them.
#[derive(Debug)]
pub(super) struct Orphans {
    command: Identity,
    /// Who may be given orphans of the command.
    reapers: BTreeSet<u32>,
    /// What the command was started with.
    variables: Vec<Vec<u8>>,
    due_ns: Option<u64>,
}

impl Orphans {
    /// Those of this command, which was started with our own variables.
    pub(super) fn of(command: &Process) -> Orphans {
        let variables = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_none_or(|name| !CHANGING.contains(&name)));
        let variable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            [name.as_bytes(), b"=", value.as_bytes()].concat()
        };
        Orphans {
            command: command.identity(),
            reapers: reapers(),
            variables: variables.map(variable).collect(),
            due_ns: None,
        }
    }

    /// Those that are not in `family`, if it is time to look.
    pub(super) fn look(&mut self, family: &BTreeSet<u32>, now_ns: u64) -> Vec<u32> {
        if now_ns < *self.due_ns.get_or_insert(now_ns + LOOK_NS) {
            return Vec::new();
        }
        self.due_ns = Some(now_ns + LOOK_NS);
        self.look_now(family)
    }

    /// Those that are not in `family`.
    pub(super) fn look_now(&self, family: &BTreeSet<u32>) -> Vec<u32> {
        let given = children_of(&ProcFs::default(), &self.reapers).unwrap_or_default();
        let new = given.into_iter().filter(|pid| !family.contains(pid));
        new.filter(|&pid| self.is_ours(pid)).collect()
    }

    fn is_ours(&self, pid: u32) -> bool {
        let began_behind = Identity::of(pid)
            .is_ok_and(|identity| identity.start_ticks >= self.command.start_ticks);
        began_behind && self.has_variables(pid)
    }

    fn has_variables(&self, pid: u32) -> bool {
        let Ok(its) = environment_of(pid) else { return false };
        let its: BTreeSet<&[u8]> = its.split(|&byte| byte == 0).collect();
        self.variables.iter().all(|variable| its.contains(variable.as_slice()))
    }
}

/// Process 1, and those that we come from. Our own parent has children of its own, so it is one
/// only if it is process 1; and we ourselves are, if we are.
fn reapers() -> BTreeSet<u32> {
    let ours = std::process::id();
    let above = |pid: &u32| parent_of(*pid).filter(|&parent| parent > 0);
    let mut reapers: BTreeSet<u32> = std::iter::successors(Some(ours), above).skip(2).collect();
    reapers.insert(1);
    reapers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_one_is_given_orphans_and_our_parent_is_not() {
        let reapers = reapers();
        assert!(reapers.contains(&1));
        let parent = parent_of(std::process::id()).unwrap();
        assert!(parent == 1 || !reapers.contains(&parent));
    }
}
