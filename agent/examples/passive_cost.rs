//! What the passive tier costs the agent: looks at a running Node.js for some seconds.
//!
//! `cargo run --release -p loopscope --example passive_cost -- PID [SECONDS [THRESHOLD_MS]]` prints
//! how often it looked, the CPU time of a tick and its share of a core.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u64> =
        std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let [pid, rest @ ..] = numbers.as_slice() else {
        return Err("name a process: passive_cost PID [SECONDS [THRESHOLD_MS]]".into());
    };
    let seconds = rest.first().copied().unwrap_or(5);
    let threshold_ns = rest.get(1).copied().unwrap_or(50) * 1_000_000;
    live::measure(u32::try_from(*pid)?, seconds * 1_000_000_000, threshold_ns)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the passive tier needs Linux");
}

#[cfg(target_os = "linux")]
mod live {
    use std::error::Error;
    use std::sync::Arc;
    use std::thread::sleep;
    use std::time::Duration;

    use loopscope::elf::Image;
    use loopscope::plan;
    use loopscope::process::Process;
    use loopscope::source::live::clock::monotonic_ns;
    use loopscope::source::live::layout::uv_layout;
    use loopscope::source::live::loops::Places;
    use loopscope::source::live::memory::Memory;
    use loopscope::source::live::passive::{Options, Passive};
    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn measure(
        pid: u32,
        length_ns: u64,
        threshold_ns: u64,
    ) -> Result<(), Box<dyn Error>> {
        let mut passive = open(pid, threshold_ns)?;
        let (begun_ns, begun_cpu_ns) = (monotonic_ns(), cpu_ns());
        let mut ticks = 0_u64;
        let mut now_ns = begun_ns;
        while now_ns < begun_ns + length_ns && !passive.state().is_over {
            let due_ns = passive.tick(now_ns);
            ticks += 1;
            sleep(Duration::from_nanos(due_ns.saturating_sub(monotonic_ns())));
            now_ns = monotonic_ns();
        }
        let (wall_ns, cpu_ns) = (now_ns - begun_ns, cpu_ns() - begun_cpu_ns);
        let loops = passive.loops();
        let stalls: u64 = loops.iter().map(|seen| seen.stall_totals.total_count()).sum();
        println!(
            "{} loops, {stalls} stalls; {:.1} ticks a second of {:.1} us: {:.3} % of a core",
            loops.len(),
            ticks as f64 * 1e9 / wall_ns as f64,
            cpu_ns as f64 / 1e3 / ticks.max(1) as f64,
            cpu_ns as f64 * 100.0 / wall_ns as f64,
        );
        Ok(())
    }

    fn open(pid: u32, threshold_ns: u64) -> Result<Passive, Box<dyn Error>> {
        let process = Process::open(pid).map_err(|refusal| refusal.cause.to_string())?;
        let files = process.modules()?;
        let mut images = Vec::new();
        for file in &files {
            images.push(Image::read(file.open()?)?);
        }
        let plan = plan::plan(&images)?;
        let layout = plan.versions.uv.and_then(uv_layout).ok_or("its libuv isn't known")?;
        let memory = Memory::open(process.identity())?;
        let places = Places::of(&plan, &files);
        let options = Options { threshold_ns, called_pause_ns: None };
        Ok(Passive::new(Arc::new(process), Arc::new(memory), layout, places, options))
    }

    /// What this thread has had of a CPU, the wake-ups included.
    fn cpu_ns() -> u64 {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }
}
