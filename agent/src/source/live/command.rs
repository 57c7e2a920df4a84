//! A command that is about to be started, observed from its first turn on.
//!
//! ```text
//! gate (waits) ── probes set into the program, for the gate's process ── it becomes the program
//! ```
//!
//! The kernel sets the probes when the process maps the program, before the first instruction of
//! it runs. Where the command is a wrapper (a shell, npm), its children are looked for instead, and
//! a Node among them is observed from some milliseconds on after it was started. Daemons, who have
//! no parent any more, are looked for by their variables.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::candidate::{Candidate, Plans, Program};
use super::clock::Shift;
use super::ebpf::Kernel;
use super::probes::{self, Probes};
use super::session::{Ended, Live, Options, Shared, not_allowed};
use super::set::Set;
use crate::exit::Failure;
use crate::process::Process;
use crate::source::{Observe, Observer};

/// The number of the first target: the command is observed before all others.
pub(super) const FIRST: u32 = 0;

/// How many processes that a command leaves behind are told each by itself.
const LEFT_TOLD: usize = 4;

/// Probes that are set into a program which a process is about to execute.
#[derive(Debug)]
pub(super) struct Prepared {
    pid: u32,
    program: Program,
    set: Set,
}

impl Prepared {
    fn new(
        shared: &Shared,
        kernel: &Arc<Kernel>,
        pid: u32,
        program: Program,
    ) -> io::Result<Prepared> {
        let Options { stall_threshold_ns, tier, .. } = shared.options;
        // It is started in our namespaces.
        let shift = Shift::default();
        let layout = probes::layout(stall_threshold_ns, shift, program.layout, &program.plan);
        let probes = Probes::before(tier, &program.plan, &program.file, layout);
        kernel.set_target(FIRST, &probes.layout)?;
        let set = Set::link(kernel, FIRST, probes, pid)?;
        Ok(Prepared { pid, program, set })
    }

    /// Whether this is the process, and it executes the program.
    pub(super) fn is_of(&self, candidate: &Candidate) -> bool {
        candidate.process.identity().pid == self.pid && self.program.is_in(&candidate.files)
    }

    /// The probes, of the process that it has become.
    pub(super) fn set(self) -> Set {
        self.set
    }
}

/// The file that is run by this name.
fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What a reader of the report must know of the end.
fn notes(ended: &Ended) -> Vec<String> {
    let mut notes = Vec::new();
    if !ended.was_node {
        notes.push("no Node.js was seen in the command: is it Node.js?".to_owned());
    }
    notes.extend(ended.unseen.notes());
    for (pid, name, observed) in ended.left.iter().take(LEFT_TOLD) {
        let until = if *observed { "the report ends here" } else { "nothing was observed of it" };
        notes.push(format!(
            "process {pid} ({name}) goes on behind the command, and {until}; \
             `loopscope attach {pid}` observes it"
        ));
    }
    if let Some(more) = ended.left.len().checked_sub(LEFT_TOLD).filter(|&more| more > 0) {
        notes.push(format!("{more} more Node.js processes go on behind the command"));
    }
    notes
}

/// Observes a command by probes in the kernel.
#[derive(Debug)]
pub struct LiveCommand {
    options: Options,
    live: OnceLock<Arc<Live>>,
    /// Whether the probes were in the program before it was executed.
    is_prepared: AtomicBool,
}

impl LiveCommand {
    /// An observer of a command, and of what it starts.
    pub fn new(options: Options) -> LiveCommand {
        let options = Options { children: true, ..options };
        LiveCommand { options, live: OnceLock::new(), is_prepared: AtomicBool::new(false) }
    }
}

impl Observer for LiveCommand {
    fn attach(&self, pid: u32, program: &Path) -> Result<Arc<dyn Observe>, Failure> {
        let mut plans = Plans::default();
        let program = plans.program(program);
        // A wrapper will most likely start this one. What has to be known of it takes some of the
        // 40 ms in which a Node starts, so it is read now.
        let likely = program.is_none().then(|| plans.program(&on_path("node")?)).flatten();
        let live = Arc::new(Live::new(self.options, plans)?);
        let shared = live.shared();
        for Program { file, plan, .. } in program.iter().chain(&likely) {
            shared.stacks.prepare(file, &plan.versions);
        }
        let prepared = program.zip(shared.kernel.as_ref().ok());
        let prepared =
            prepared.map(|(program, kernel)| Prepared::new(shared, kernel, pid, program));
        let prepared = prepared.transpose().map_err(|error| {
            not_allowed(format!("the probes can't be set into the command ({error})"))
        })?;
        self.is_prepared.store(prepared.is_some(), Ordering::Relaxed);
        live.expect(Process::open(pid)?, prepared);
        live.start(|| {})?;
        // Set once, here: a command is attached to once.
        let _ = self.live.set(Arc::clone(&live));
        Ok(live)
    }

    fn sees_first_turn(&self) -> bool {
        self.is_prepared.load(Ordering::Relaxed)
    }

    fn ended(&self) -> Vec<String> {
        self.live.get().map_or_else(Vec::new, |live| notes(&live.end()))
    }

    fn missed(&self) -> u64 {
        self.live.get().map_or(0, |live| live.missed())
    }
}
