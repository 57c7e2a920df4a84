//! The names of what is on a stack of one process.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::mem::take;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use loop_core::snapshot::Limit;

use super::limits::{LEAF_STACK_BYTES_MAX, STACK_BYTES_MAX};
use super::originals::Originals;
use super::recent::{Last, Reads};
use super::written::Written;
use crate::elf::{Functions, Image};
use crate::plan::Versions;
use crate::process::{FileState, MappedFile, Mapping, Process};
use crate::source::live::clock::monotonic_ns;
use crate::source::live::ebpf::Sample;
use crate::source::live::memory::Memory;
use crate::v8::{
    CodeMap, CodeMapping, Frame, Kind, Layout, RawFrame, ReadMemory, Symbolizer, name_regexp,
    unwind::{self, Registers},
};

/// How often the process is asked anew what it executes: V8 makes room for more code as it goes.
const MAPS_NS: u64 = 1_000_000_000;

/// Code of the kernel that is mapped into each process: what tells the time.
const VDSO: &str = "[vdso]";

/// What helps where V8's metadata isn't known.
const BY_ITSELF: &str = "started with --perf-basic-prof it writes the names itself";

/// Files whose functions are kept. All are dropped when there are more.
const FILES_MAX: usize = 64;

/// The functions of files, for all processes that execute them.
#[derive(Debug, Default)]
pub(super) struct Files {
    functions: Mutex<HashMap<FileState, Option<Arc<Functions>>>>,
    /// Where V8 keeps things, of files that have it; or why that isn't known.
    layouts: Mutex<HashMap<FileState, Result<Arc<Layout>, String>>>,
}

impl Files {
    /// Reads a Node before it is executed, so that it is known as soon as that is.
    pub(super) fn prepare(&self, file: &File, versions: &Versions) {
        let Ok(metadata) = file.metadata() else { return };
        // Who needs it is told whether it can be read.
        let _ = self.layout_of(FileState::of(&metadata), self.functions(file), versions);
    }

    fn functions(&self, file: &File) -> Option<Arc<Functions>> {
        let state = FileState::of(&file.metadata().ok()?);
        let mut files = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(&state) {
            return known.clone();
        }
        if files.len() >= FILES_MAX {
            files.clear();
        }
        let image = file.try_clone().ok().and_then(|file| Image::read(file).ok());
        let functions = image.and_then(|image| Functions::of(image).ok()).map(Arc::new);
        files.insert(state, functions.clone());
        functions
    }

    fn layout(&self, file: &MappedFile, versions: &Versions) -> Result<Arc<Layout>, String> {
        let functions = file.open().ok().and_then(|file| self.functions(&file));
        self.layout_of(file.state, functions, versions)
    }

    fn layout_of(
        &self,
        state: FileState,
        functions: Option<Arc<Functions>>,
        versions: &Versions,
    ) -> Result<Arc<Layout>, String> {
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = layouts.get(&state) {
            return known.clone();
        }
        if layouts.len() >= FILES_MAX {
            layouts.clear();
        }
        let functions = functions.ok_or_else(|| "its symbols can't be read".to_owned());
        let layout = functions.and_then(|functions| {
            // It is needed with the first stall that waits, and then nobody is to wait for it.
            functions.unwind();
            let layout = Layout::of(functions.image(), versions);
            layout.map(Arc::new).map_err(|why| why.to_string())
        });
        layouts.insert(state, layout.clone());
        layout
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Names {
    process: Arc<Process>,
    files: Arc<Files>,
    layout: Option<Arc<Layout>>,
    /// Why nothing can be named.
    missing: Option<String>,
    symbolizer: Option<Symbolizer>,
    /// What is mapped to be executed, and when that was read.
    code: Vec<Range<u64>>,
    code_ns: u64,
    /// The files of that.
    mapped: Vec<Mapping>,
    /// The functions of those files, as far as they could be read.
    functions: BTreeMap<Inode, Option<Arc<Functions>>>,
    /// Those that could not be opened.
    unread: BTreeMap<Inode, String>,
    map: Arc<CodeMap>,
    written: Written,
    last: Last,
    reads: Reads,
    /// The sources of compiled scripts, where they are wanted.
    originals: Option<Originals>,
}

impl Names {
    /// Cost: where a file is seen first, its symbols are read, which takes some 50 ms.
    pub(super) fn new(
        process: Arc<Process>,
        modules: &[MappedFile],
        versions: &Versions,
        files: Arc<Files>,
    ) -> Names {
        let (mut layout, mut missing) = (None, None);
        for module in modules.iter().filter(|module| module.holds.node) {
            match files.layout(module, versions) {
                Ok(found) => layout = Some(found),
                Err(why) => missing = Some(format!("{why}; {BY_ITSELF}")),
            }
        }
        let mut names = Names {
            written: Written::new(Arc::clone(&process)),
            last: Last::default(),
            reads: Reads::default(),
            originals: None,
            process,
            files,
            missing: missing.filter(|_| layout.is_none()),
            layout,
            symbolizer: None,
            code: Vec::new(),
            code_ns: 0,
            mapped: Vec::new(),
            functions: BTreeMap::new(),
            unread: BTreeMap::new(),
            map: Arc::default(),
        };
        for module in modules {
            names.note_functions(&module.mappings, module.open().ok().as_ref());
        }
        names.look();
        names
    }

    /// Compiled scripts are told by their sources from now on.
    pub(super) fn tell_originals(&mut self) {
        self.originals = Some(Originals::new(Arc::clone(&self.process)));
    }

    /// What is not told by its source, or by its name.
    pub(super) fn unmapped(&self) -> Vec<Limit> {
        let unread = self.unread.values().map(|path| Limit {
            what: format!("the names of functions in {path}"),
            why: "the file can't be opened; run as root, or with CAP_CHECKPOINT_RESTORE".to_owned(),
        });
        let originals = self.originals.as_ref().map(Originals::limits).unwrap_or_default();
        unread.chain(originals).collect()
    }

    /// Why functions of scripts can't be named; `None`: they can.
    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref().filter(|_| self.written.is_empty())
    }

    /// Where V8 has what the kernel side has to copy.
    pub(super) fn shared_offset(&self) -> Option<u32> {
        self.layout.as_ref().map(|layout| layout.shared_offset())
    }

    /// The frames of a stack, innermost first. Empty where V8's metadata isn't known, and the
    /// process doesn't write the names itself.
    fn frames(&mut self, memory: &dyn ReadMemory, raw: &[RawFrame]) -> Vec<Frame> {
        self.look();
        let symbolizer = self.symbolizer.as_mut();
        let Some(symbolizer) = symbolizer else { return self.written.frames(raw) };
        let mut frames = symbolizer.frames(memory, raw);
        // What isn't known is never but the innermost.
        let unknown = frames.first_mut().filter(|frame| frame.kind == Kind::Unknown);
        if let Some((unknown, innermost)) = unknown.zip(raw.first()) {
            let written = self.written.frame(innermost.pc);
            let fp = unknown.fp;
            written.into_iter().for_each(|frame| *unknown = Frame { fp, ..frame });
        }
        self.originals.iter_mut().for_each(|originals| originals.tell(&mut frames));
        frames
    }

    /// The frames of a thread that was on a CPU. Where no frame pointers lead to its script, as in
    /// the C library and in cryptography, which is written in assembly, the stack is looked at: its
    /// innermost part as it was, the rest as it is some milliseconds later.
    pub(super) fn sampled(&mut self, memory: &Memory, sample: Sample) -> Arc<Vec<Frame>> {
        let now_ns = monotonic_ns();
        let (mut last, mut reads) = (take(&mut self.last), take(&mut self.reads));
        let (rest, known) = last.known(&sample.frames, now_ns);
        let is_new = known.is_empty();
        let mut frames = self.frames(&reads.of(memory, now_ns), &sample.frames[..rest]);
        frames.extend_from_slice(known);
        name_regexp(&mut frames);
        let frames = Arc::new(frames);
        let Sample { pc, sp, fp, frames: raw, stack, .. } = sample;
        last.named(raw, &frames, (is_new, now_ns));
        (self.last, self.reads) = (last, reads);
        if frames.iter().any(|frame| frame.kind == Kind::JavaScript) {
            return frames;
        }
        let at = Registers { pc, sp, fp: Some(fp) };
        let found = self.unwound(memory, at, &stack, LEAF_STACK_BYTES_MAX);
        if found.len() > frames.len() { Arc::new(found) } else { frames }
    }

    /// The frames of a thread that stands still there.
    pub(super) fn waiting(&mut self, memory: &Memory, sp: u64, pc: u64) -> Vec<Frame> {
        self.unwound(memory, Registers { pc, sp, fp: None }, &[], STACK_BYTES_MAX)
    }

    /// `kept` is what the innermost part of the stack was; what lies further out changes less.
    fn unwound(&mut self, memory: &Memory, at: Registers, kept: &[u8], bytes: usize) -> Vec<Frame> {
        self.look();
        let mut stack = stack(memory, at.sp, bytes);
        stack.splice(..kept.len().min(stack.len()), kept.iter().copied());
        let is_code = |address| {
            let at = self.code.partition_point(|range| range.end <= address);
            self.code.get(at).is_some_and(|range| range.contains(&address))
        };
        let raw = unwind::unwound(at, &stack, &is_code, &*self.map);
        // What stands still is told by what is there now.
        self.frames(&Of(memory), &raw)
    }

    /// Looks what is mapped, if that is long ago.
    fn look(&mut self) {
        let now_ns = monotonic_ns();
        if self.code_ns != 0 && now_ns < self.code_ns + MAPS_NS {
            return;
        }
        self.code_ns = now_ns;
        let Ok(maps) = self.process.maps() else { return };
        let code = maps.into_iter().filter(|mapping| mapping.executable);
        let code: Vec<Mapping> = code.collect();
        self.code = code.iter().map(|mapping| mapping.start..mapping.end).collect();
        let is_known = |mapping: &Mapping| mapping.has_file() || mapping.path.as_os_str() == VDSO;
        let mapped: Vec<Mapping> = code.into_iter().filter(is_known).collect();
        if mapped == self.mapped && self.symbolizer.is_some() {
            return;
        }
        let Some(layout) = self.layout.clone() else { return };
        self.read_functions(&mapped);
        let mappings = mapped.iter().map(|mapping| self.mapping(mapping)).collect();
        self.map = Arc::new(CodeMap::new(mappings));
        self.symbolizer = Some(Symbolizer::new(layout, Arc::clone(&self.map)));
        self.mapped = mapped;
    }

    /// Reads those of files that are new.
    fn read_functions(&mut self, mapped: &[Mapping]) {
        let is_mapped = |of: &Inode| mapped.iter().any(|mapping| inode(mapping) == *of);
        self.functions.retain(|of, _| is_mapped(of));
        self.unread.retain(|of, _| is_mapped(of));
        let is_known = |mapping: &Mapping| self.functions.contains_key(&inode(mapping));
        if mapped.iter().filter(|mapping| mapping.has_file()).all(is_known) {
            return;
        }
        let Ok(files) = self.process.code_files() else { return };
        for (mappings, file) in files {
            if !self.functions.contains_key(&inode(&mappings[0])) {
                self.note_functions(&mappings, file.as_ref());
            }
        }
    }

    fn note_functions(&mut self, mappings: &[Mapping], file: Option<&File>) {
        let functions = file.and_then(|file| self.files.functions(file));
        let Some(mapping) = mappings.first() else { return };
        self.functions.insert(inode(mapping), functions);
        if file.is_none() {
            self.unread.insert(inode(mapping), mapping.path.display().to_string());
        }
    }

    fn mapping(&self, mapping: &Mapping) -> CodeMapping {
        let name = mapping.path.file_name().unwrap_or(mapping.path.as_os_str()).to_string_lossy();
        CodeMapping {
            start: mapping.start,
            end: mapping.end,
            offset: mapping.offset,
            file: name.as_ref().into(),
            functions: self.functions.get(&inode(mapping)).cloned().flatten(),
        }
    }
}

/// The device and inode of what is mapped, as the kernel tells it there.
type Inode = ((u32, u32), u64);

fn inode(mapping: &Mapping) -> Inode {
    (mapping.dev, mapping.inode)
}

/// The bytes from the stack pointer on, up to where nothing is mapped.
fn stack(memory: &Memory, sp: u64, bytes_max: usize) -> Vec<u8> {
    const PAGE: u64 = 4_096;
    let mut bytes = vec![0; bytes_max];
    let mut read = 0;
    while read < bytes.len() {
        let from = sp.wrapping_add(read as u64);
        let length = ((PAGE - from % PAGE) as usize).min(bytes.len() - read);
        if memory.read(from, &mut bytes[read..read + length]).is_err() {
            break;
        }
        read += length;
    }
    bytes.truncate(read);
    bytes
}

/// The memory of the process, for the symbolizer.
struct Of<'a>(&'a Memory);

impl ReadMemory for Of<'_> {
    fn read(&self, address: u64, buf: &mut [u8]) -> bool {
        self.0.read(address, buf).is_ok()
    }
}
