//! Prints the stack of each thread of a Node.js process that waits, or of one thread.
//!
//! `cargo run --release -p loopscope --example node_stack -- PID [TID]` prints innermost frames
//! first: kind, name, file, line; and what naming them takes, the first time and again. It needs
//! the rights that `ptrace` would, and stops nothing.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u32> =
        std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let [pid, rest @ ..] = numbers.as_slice() else {
        return Err("name a process: node_stack PID [TID]".into());
    };
    live::print(*pid, rest.first().copied())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("stacks are read on Linux only");
}

#[cfg(target_os = "linux")]
mod live {
    use std::error::Error;
    use std::fs;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use loopscope::elf::Image;
    use loopscope::plan;
    use loopscope::process::{Mapping, Process};
    use loopscope::source::live::memory::Memory;
    use loopscope::v8::unwind::{self, Registers};
    use loopscope::v8::{CodeMap, Frame, Layout, RawFrame, ReadMemory, Symbolizer};

    /// How often frames are named again; the quickest counts.
    const AGAIN: u32 = 1_000;

    struct Target(Memory);

    impl ReadMemory for Target {
        fn read(&self, address: u64, buf: &mut [u8]) -> bool {
            self.0.read(address, buf).is_ok()
        }
    }

    pub(super) fn print(pid: u32, tid: Option<u32>) -> Result<(), Box<dyn Error>> {
        let process = Process::open(pid)?;
        let maps = process.maps()?;
        let memory = Target(Memory::open(process.identity())?);
        let mut layout = Err("no file of it has V8 in it".to_owned());
        let modules = process.modules()?;
        let images: Vec<Image> =
            modules.iter().filter_map(|file| Image::read(file.open().ok()?).ok()).collect();
        let versions = plan::plan(&images)?.versions;
        for (file, image) in modules.iter().zip(&images) {
            match Layout::of(image, &versions) {
                Ok(found) => layout = Ok(found),
                Err(missing) if file.holds.node && layout.is_err() => {
                    layout = Err(missing.to_string());
                }
                Err(_) => {}
            }
        }
        let code = Arc::new(CodeMap::of(&process)?);
        let mut symbolizer = Symbolizer::new(Arc::new(layout?), Arc::clone(&code));
        let tids = match tid {
            Some(tid) => vec![tid],
            None => threads(pid)?,
        };
        for tid in tids {
            println!("thread {tid}:");
            let Some(raw) = waiting((pid, tid), &maps, &memory, &code) else {
                println!("  does not wait");
                continue;
            };
            let (frames, first) = timed(|| symbolizer.frames(&memory, &raw));
            let again = (0..AGAIN).map(|_| timed(|| symbolizer.frames(&memory, &raw)).1).min();
            frames.iter().for_each(print_frame);
            let (frames, again) = (frames.len(), again.unwrap_or(first));
            println!("  {frames} frames named in {first:.1?}, and again in {again:.1?}");
        }
        Ok(())
    }

    fn waiting(
        (pid, tid): (u32, u32),
        maps: &[Mapping],
        memory: &Target,
        code: &CodeMap,
    ) -> Option<Vec<RawFrame>> {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")).ok()?;
        let mut words = text.split_ascii_whitespace().rev();
        let mut number = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        let (pc, sp) = (number()?, number()?);
        let map = maps.iter().find(|map| (map.start..map.end).contains(&sp))?;
        let mut stack = vec![0; (map.end - sp).min(1 << 20) as usize];
        memory.0.read(sp, &mut stack).ok()?;
        let is_code = |address: u64| {
            maps.iter().any(|map| map.executable && (map.start..map.end).contains(&address))
        };
        let at = Registers { pc, sp, fp: None };
        Some(unwind::unwound(at, &stack, &is_code, code))
    }

    fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
        let start = Instant::now();
        let made = work();
        (made, start.elapsed())
    }

    fn print_frame(frame: &Frame) {
        let Frame { kind, name, file, line, column, begins, .. } = frame;
        let number = |number: &Option<u32>| number.map_or("?".to_owned(), |one| one.to_string());
        let at = file.as_ref().map(|file| {
            format!(" {file}:{}:{} from {}", number(line), number(column), number(begins))
        });
        println!("  {:<10} {name}{}", format!("{kind:?}"), at.unwrap_or_default());
    }

    fn threads(pid: u32) -> Result<Vec<u32>, Box<dyn Error>> {
        let names = fs::read_dir(format!("/proc/{pid}/task"))?;
        let tids = names.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(tids.collect())
    }
}
