//! A Node.js that waits, and what is read of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use loopscope::elf::Image;
use loopscope::plan::Versions;
use loopscope::process::{Mapping, Process};
use loopscope::source::live::memory::Memory;
use loopscope::v8::unwind::{self, Registers};
use loopscope::v8::{CodeMap, Frame, Kind, Layout, RawFrame, ReadMemory, Symbolizer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::nodes::Node;

/// Ten times what the slowest target needs.
const HANGS: Duration = Duration::from_secs(60);

/// The memory of a target.
pub(crate) struct Target {
    memory: Memory,
    maps: Vec<Mapping>,
    code: Arc<CodeMap>,
    layout: Arc<Layout>,
}

impl ReadMemory for Target {
    fn read(&self, address: u64, buf: &mut [u8]) -> bool {
        self.memory.read(address, buf).is_ok()
    }
}

impl Target {
    pub(crate) fn open(pid: u32, node: &str) -> Target {
        let versions = Versions { node: Some(node.to_owned()), ..Versions::default() };
        let process = Process::open(pid).expect("it runs");
        let modules = process.modules().expect("its files can be read");
        let layout = modules.iter().find_map(|file| {
            let image = Image::read(file.open().expect("it is open")).expect("it is an image");
            Layout::of(&image, &versions).ok()
        });
        Target {
            memory: Memory::open(process.identity()).expect("its memory can be read"),
            maps: process.maps().expect("it runs"),
            code: Arc::new(CodeMap::of(&process).expect("it runs")),
            layout: Arc::new(layout.expect("its layout is known")),
        }
    }

    pub(crate) fn symbolizer(&self) -> Symbolizer {
        Symbolizer::new(Arc::clone(&self.layout), Arc::clone(&self.code))
    }

    /// The raw frames of a thread that waits.
    pub(crate) fn raw(&self, pid: u32, tid: u32) -> Option<Vec<RawFrame>> {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")).ok()?;
        let mut words = text.split_ascii_whitespace().rev();
        let mut number = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        let (pc, sp) = (number()?, number()?);
        let map = self.maps.iter().find(|map| (map.start..map.end).contains(&sp))?;
        let mut stack = vec![0; (map.end - sp).min(1 << 20) as usize];
        self.memory.read(sp, &mut stack).ok()?;
        let is_code = |address: u64| {
            let holds = |map: &&Mapping| (map.start..map.end).contains(&address);
            self.maps.iter().find(holds).is_some_and(|map| map.executable)
        };
        let at = Registers { pc, sp, fp: None };
        Some(unwind::unwound(at, &stack, &is_code, &*self.code))
    }
}

/// A Node.js that has told who waits in it.
pub(crate) struct Waiting {
    child: Child,
    errors: BufReader<ChildStderr>,
    node: String,
}

/// A frame, as V8 tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
}

impl Waiting {
    pub(crate) fn start(node: &Node, arguments: &[&str]) -> Waiting {
        let mut command = Command::new(&node.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("Node starts");
        let errors = BufReader::new(child.stderr.take().expect("it is piped"));
        Waiting { child, errors, node: node.version.clone() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The line that it writes before it waits.
    pub(crate) fn truth(&mut self) -> Vec<Site> {
        let mut text = String::new();
        self.errors.read_line(&mut text).expect("it writes text");
        let sites: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("it says {text}"));
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let string = |value: &Value| value.as_str().map(str::to_owned);
        let site = |site: &Value| Site {
            name: string(&site["name"]).unwrap_or_default(),
            file: string(&site["file"]),
            line: number(&site["line"]),
            column: number(&site["column"]),
        };
        sites.as_array().expect("a list").iter().map(site).collect()
    }

    /// The frames of the thread that waits: the one whose stack has the function `waits`.
    pub(crate) fn frames(&self, waits: &str) -> Vec<Frame> {
        let pid = self.pid();
        let begun = Instant::now();
        let target = Target::open(pid, &self.node);
        let mut symbolizer = target.symbolizer();
        let mut last = Vec::new();
        while begun.elapsed() < HANGS {
            for tid in threads(pid) {
                let Some(raw) = target.raw(pid, tid) else { continue };
                let frames = symbolizer.frames(&target, &raw);
                let waits_in =
                    |frame: &Frame| frame.kind == Kind::JavaScript && frame.name.ends_with(waits);
                if frames.iter().any(waits_in) {
                    return frames;
                }
                if tid == pid {
                    last = frames;
                }
            }
            sleep(Duration::from_millis(10));
        }
        panic!("no thread waits in {waits}: {last:#?}");
    }
}

impl Waiting {
    /// The main thread's frames at some instants. It is stopped for each, as the kernel tells
    /// nothing of a thread that runs.
    pub(crate) fn samples(&self, count: usize) -> Vec<Vec<Frame>> {
        let pid = self.pid();
        let target = Target::open(pid, &self.node);
        let mut symbolizer = target.symbolizer();
        let mut samples = Vec::new();
        let begun = Instant::now();
        while samples.len() < count && begun.elapsed() < HANGS {
            signal(pid, Signal::STOP);
            let stopped = || target.raw(pid, pid);
            let raw = (0..1_000).find_map(|_| {
                sleep(Duration::from_millis(1));
                stopped()
            });
            samples.extend(raw.map(|raw| symbolizer.frames(&target, &raw)));
            signal(pid, Signal::CONT);
            sleep(Duration::from_millis(7));
        }
        samples
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("it is not zero");
    kill_process(pid, signal).expect("it runs");
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn threads(pid: u32) -> Vec<u32> {
    let names = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    names.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
