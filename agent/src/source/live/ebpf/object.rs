//! Loads the kernel side: the object that is compiled in, fitted to the running kernel.
//!
//! Cost: most of it in the kernel's verifier, once; the kernel's own types are read to find the
//! offsets of a few fields and forgotten again.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use aya_obj::btf::Btf;
use aya_obj::{Map, Object};

use super::system::{self, Kind, MapShape};

/// The object, made from `agent/bpf/loop.bpf.c`.
static OBJECT: &[u8] = include_bytes!("../../../../bpf/loop.bpf.o");

/// The programs in it: for probes, for samples, for the scheduler's clock, and for executions.
const PROGRAMS: [(&str, Kind); 4] = [
    ("loopscope_hit", Kind::Uprobes),
    ("loopscope_sample", Kind::Sampling),
    ("loopscope_clock", Kind::Own),
    ("loopscope_exec", Kind::Tracepoint),
];

/// How much of the verifier's words is kept: they end with what it objects to.
const LOG_BYTES: usize = 1 << 20;

/// Why the kernel side is not there.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// The kernel's types can't be read.
    Types(String),
    /// A map can't be made.
    Map(&'static str, io::Error),
    /// The program is refused. The second has the verifier's last words.
    Program(io::Error, String),
    /// The object does not fit this kernel.
    Object(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Types(error) => {
                write!(f, "the kernel's types (/sys/kernel/btf/vmlinux) can't be read: {error}")
            }
            LoadError::Map(_, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(f, "the kernel does not let this user set probes: {error}")
            }
            LoadError::Map(name, error) => {
                write!(f, "the kernel map {name} can't be made: {error}")
            }
            LoadError::Program(error, last) if last.is_empty() => {
                write!(f, "the kernel does not take the program: {error}")
            }
            LoadError::Program(error, last) => {
                write!(f, "the kernel does not take the program: {error} ({last})")
            }
            LoadError::Object(error) => {
                write!(f, "the program does not fit this kernel: {error}")
            }
        }
    }
}

impl std::error::Error for LoadError {}

/// What is in the kernel.
#[derive(Debug)]
pub(super) struct Loaded {
    programs: [OwnedFd; PROGRAMS.len()],
    maps: HashMap<&'static str, OwnedFd>,
}

/// The maps of the object that the agent uses.
const MAPS: [&str; 9] = [
    "slots",
    "free_slots",
    "threads",
    "further_loops",
    "targets",
    "losses",
    "samplers",
    "scheduler",
    "executions",
];

impl Loaded {
    /// The program that probes run.
    pub(super) fn hit(&self) -> BorrowedFd<'_> {
        self.programs[0].as_fd()
    }

    /// The program that samples run.
    pub(super) fn sample(&self) -> BorrowedFd<'_> {
        self.programs[1].as_fd()
    }

    /// The program that tells of the scheduler's clock.
    pub(super) fn clock(&self) -> BorrowedFd<'_> {
        self.programs[2].as_fd()
    }

    /// The program that tells what is executed.
    pub(super) fn exec(&self) -> BorrowedFd<'_> {
        self.programs[3].as_fd()
    }

    /// One of [`MAPS`].
    pub(super) fn map(&self, name: &'static str) -> &OwnedFd {
        &self.maps[name]
    }
}

/// Loads the object for room of `slots` loops.
///
/// # Errors
/// What the kernel does not have, or does not allow.
pub(super) fn load(slots: u32) -> Result<Loaded, LoadError> {
    let mut object = Object::parse(OBJECT).map_err(|error| LoadError::Object(error.to_string()))?;
    fit(&mut object)?;
    let made = make_maps(&mut object, slots)?;
    relocate(&mut object, &made).map_err(LoadError::Object)?;
    let programs = PROGRAMS.map(|(name, kind)| load_program(&object, name, kind));
    let [hit, sample, clock, exec] = programs;
    let programs = [hit?, sample?, clock?, exec?];
    let maps = made.into_iter().filter_map(|(name, fd)| {
        let known = MAPS.into_iter().find(|known| *known == name)?;
        Some((known, fd))
    });
    let maps: HashMap<_, _> = maps.collect();
    match MAPS.into_iter().find(|name| !maps.contains_key(name)) {
        Some(name) => Err(LoadError::Object(format!("it lacks the map {name}"))),
        None => Ok(Loaded { programs, maps }),
    }
}

/// Puts in what only this machine knows: the offsets in the kernel's structs, our PID namespace.
fn fit(object: &mut Object) -> Result<(), LoadError> {
    let types = Btf::from_sys_fs().map_err(|error| LoadError::Types(error.to_string()))?;
    object.relocate_btf(&types).map_err(|error| LoadError::Object(error.to_string()))?;
    let namespace = fs::metadata("/proc/self/ns/pid")
        .map_err(|error| LoadError::Object(format!("/proc/self/ns/pid: {error}")))?;
    let inode = namespace.ino().to_ne_bytes();
    let globals = HashMap::from([("pid_namespace_inode", (&inode[..], true))]);
    object.patch_map_data(globals).map_err(|error| LoadError::Object(error.to_string()))
}

type Made = HashMap<String, OwnedFd>;

fn make_maps(object: &mut Object, slots: u32) -> Result<Made, LoadError> {
    let mut made = Made::new();
    for (name, map) in &mut object.maps {
        if matches!(name.as_str(), "slots" | "free_slots") {
            map.set_max_entries(slots);
        }
        // Named as what they belong to, for who lists the maps of the machine.
        let shown = format!("loopscope_{}", name.trim_start_matches('.'));
        let known = MAPS.into_iter().find(|known| known == name).unwrap_or("of constants");
        let fd = make_map(&shown, map).map_err(|error| LoadError::Map(known, error))?;
        made.insert(name.clone(), fd);
    }
    Ok(made)
}

fn make_map(name: &str, map: &Map) -> io::Result<OwnedFd> {
    let shape = MapShape {
        kind: map.map_type(),
        key_bytes: map.key_size(),
        value_bytes: map.value_size(),
        entries: map.max_entries(),
        flags: map.map_flags(),
    };
    let fd = system::create_map(name, shape)?;
    if !map.data().is_empty() {
        system::update(fd.as_fd(), &0u32.to_ne_bytes(), map.data())?;
    }
    if shape.is_constant() {
        system::freeze(fd.as_fd())?;
    }
    Ok(fd)
}

fn relocate(object: &mut Object, made: &Made) -> Result<(), String> {
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let maps: Vec<(String, i32, Map)> = object
        .maps
        .iter()
        .map(|(name, map)| (name.clone(), made[name].as_raw_fd(), map.clone()))
        .collect();
    let maps = maps.iter().map(|(name, fd, map)| (name.as_str(), *fd, map));
    object.relocate_maps(maps, &sections).map_err(|error| error.to_string())?;
    object.relocate_calls(&sections).map_err(|error| error.to_string())
}

fn load_program(object: &Object, name: &str, kind: Kind) -> Result<OwnedFd, LoadError> {
    let program = object.programs.get(name);
    let function = program.and_then(|program| object.functions.get(&program.function_key()));
    let (Some(program), Some(function)) = (program, function) else {
        return Err(LoadError::Object(format!("it lacks the program {name}")));
    };
    let load = |log: &mut [u8]| {
        system::load_program(kind, name, &program.license, &function.instructions, log)
    };
    // The verifier's words cost memory and time, so they are asked for only where it objects.
    load(&mut []).or_else(|_| {
        let mut log = vec![0; LOG_BYTES];
        load(&mut log).map_err(|error| LoadError::Program(error, last_words(&log)))
    })
}

/// The last line but the statistics.
fn last_words(log: &[u8]) -> String {
    let log = String::from_utf8_lossy(log.split(|&byte| byte == 0).next().unwrap_or_default());
    let lines = log.lines().rev().map(str::trim);
    let line = lines.into_iter().find(|line| !line.is_empty() && !line.starts_with("processed "));
    line.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifiers_objection_is_found() {
        let log = b"0: R1=ctx()\nR2 invalid mem access 'scalar'\nprocessed 3 insns\n\0\0\0";
        assert_eq!(last_words(log), "R2 invalid mem access 'scalar'");
        assert_eq!(last_words(&[0; 8]), "");
    }
}
