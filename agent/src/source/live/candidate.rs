//! A process before anything is set in the kernel: what it is, and where things lie in it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use super::layout::{UvLayout, uv_layout};
use super::memory::Memory;
use crate::elf::Image;
use crate::plan::{self, Plan};
use crate::process::{FileState, Kind, MappedFile, ProcFs, Process, Refusal};

/// A Node, and its files.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) process: Process,
    pub(super) memory: Memory,
    pub(super) plan: Arc<Plan>,
    pub(super) layout: &'static UvLayout,
    pub(super) files: Vec<MappedFile>,
}

/// The plans that were made, by the files they were made from: processes mostly execute the same
/// Node. `None` stands for files that are none.
#[derive(Debug, Default)]
pub(super) struct Plans(BTreeMap<Vec<FileState>, Option<Arc<Plan>>>);

/// What Node is called, as a file.
const NAMES: [&str; 2] = ["node", "nodejs"];

/// How many are kept.
const PLANS_MAX: usize = 64;

impl Plans {
    /// Looks at a process.
    ///
    /// # Errors
    /// Why it can't be observed.
    pub(super) fn find(&mut self, pid: u32) -> Result<Candidate, Refusal> {
        let process = Process::open(pid)?;
        let unreadable = |what: String| {
            let cure = "`loopscope doctor` says what can be seen of it";
            Refusal::new(Kind::Unreadable, format!("process {pid}: {what}"), cure)
        };
        let files = process.modules().map_err(|error| unreadable(error.to_string()))?;
        let plan = self.plan_of(&files).map_err(unreadable)?;
        let plan = plan.ok_or_else(|| Refusal::not_node(pid, process.name()))?;
        let layout = plan.versions.uv.and_then(uv_layout);
        let layout =
            layout.ok_or_else(|| unreadable("its version of libuv isn't known".to_owned()))?;
        let memory =
            Memory::open(process.identity()).map_err(|error| process.memory_refusal(&error))?;
        Ok(Candidate { process, memory, plan, layout, files })
    }

    /// Whether a process executes what is known to be a Node. One small look.
    pub(super) fn is_node(&self, pid: u32) -> bool {
        let executed = fs::metadata(ProcFs::default().path(pid, "exe"));
        executed.is_ok_and(|executed| self.is_known(&FileState::of(&executed)))
    }

    /// Whether a file that was executed is a Node: a known one, or one that has Node's name.
    pub(super) fn is_node_file(&self, file: &Path) -> bool {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| NAMES.contains(&name))
            || fs::metadata(file).is_ok_and(|file| self.is_known(&FileState::of(&file)))
    }

    fn is_known(&self, file: &FileState) -> bool {
        let mut known = self.0.iter().filter(|(_, plan)| plan.is_some());
        known.any(|(files, _)| files.contains(file))
    }

    /// The plan for a process of these files; `None`: it is no Node.
    fn plan_of(&mut self, files: &[MappedFile]) -> Result<Option<Arc<Plan>>, String> {
        let key: Vec<FileState> = files.iter().map(|file| file.state).collect();
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let images = images(files)?;
        let plan = plan::plan(&images).ok().map(Arc::new);
        self.keep(key, plan.clone());
        Ok(plan)
    }

    fn keep(&mut self, key: Vec<FileState>, plan: Option<Arc<Plan>>) {
        if self.0.len() >= PLANS_MAX {
            self.0.clear();
        }
        self.0.insert(key, plan);
    }

    /// A program that is about to be executed, if it is a Node in one file. `None`: it is another
    /// one, or a script, or linked to Node.
    pub(super) fn program(&mut self, path: &Path) -> Option<Program> {
        let file = File::open(path).ok()?;
        let state = FileState::of(&file.metadata().ok()?);
        let image = Image::read(file.try_clone().ok()?).ok()?;
        let plan = Arc::new(plan::plan(&[image]).ok()?);
        let layout = uv_layout(plan.versions.uv?)?;
        self.keep(vec![state], Some(Arc::clone(&plan)));
        Some(Program { file, state, plan, layout })
    }
}

fn images(files: &[MappedFile]) -> Result<Vec<Image>, String> {
    let read = |file: &MappedFile| {
        let name = file.path.display();
        let opened = file.open().map_err(|error| format!("{name}: {error}"))?;
        Image::read(opened).map_err(|error| format!("{name}: {error}"))
    };
    files.iter().map(read).collect()
}

/// A program that is about to be executed.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) file: File,
    state: FileState,
    pub(super) plan: Arc<Plan>,
    pub(super) layout: &'static UvLayout,
}

impl Program {
    /// Whether it is one of these.
    pub(super) fn is_in(&self, files: &[MappedFile]) -> bool {
        files.iter().any(|file| file.state == self.state)
    }
}
