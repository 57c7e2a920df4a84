//! What workloads need of the machine: descriptors, CPUs to run on, work that counts CPU time.
//!
//! **Invariant**: whatever is started here is stopped when its value is dropped, also by a panic.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use loop_core::units::format_count;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Descriptors that a process has open besides those of the workload: standard streams, polls,
/// sockets of exporters.
const OTHER_DESCRIPTORS: u64 = 64;

/// The machine does not have, or does not allow, what a workload needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is missing, and what to do.
    problem: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Refused {}

/// Sees to it that this process may have so many connections to itself, two descriptors each.
pub(crate) fn allow_connections(connections: u64) -> Result<(), Refused> {
    let wanted = 2 * connections + OTHER_DESCRIPTORS;
    let limit = getrlimit(Resource::Nofile);
    let enough = |bound: Option<u64>| bound.is_none_or(|bound| bound >= wanted);
    if enough(limit.current) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    if enough(limit.maximum) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let allowed = limit.maximum.or(limit.current).unwrap_or(0);
    Err(too_few_descriptors(connections, wanted, allowed))
}

fn too_few_descriptors(connections: u64, wanted: u64, allowed: u64) -> Refused {
    let cure = match allowed.saturating_sub(OTHER_DESCRIPTORS) / 2 {
        0 => "raise the limit (`ulimit -n`)".to_owned(),
        fits => format!("ask for --count {fits} or less, or raise the limit (`ulimit -Hn`)"),
    };
    Refused {
        problem: format!(
            "{} connections take {} descriptors and only {} are allowed; {cure}",
            format_count(connections),
            format_count(wanted),
            format_count(allowed),
        ),
    }
}

/// Sees whether threads can be bound to a CPU here.
pub(crate) fn allow_pinning() -> Result<(), Refused> {
    affinity::pin_here().map(drop).map_err(|error| Refused {
        problem: format!("threads can't be bound to a CPU here ({error}); this needs Linux"),
    })
}

/// Works until the thread has used so much CPU time. Unlike a wait by the clock it takes longer
/// where the CPU is given to others meanwhile.
pub(crate) fn use_cpu(work: Duration) {
    let end = cpu_time() + work;
    while cpu_time() < end {
        std::hint::spin_loop();
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Busy threads on the CPU of the thread that made them.
pub(crate) struct Neighbours {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// The maker is bound to that CPU, and gets the others back with this.
    pinned: Option<affinity::Pinned>,
}

/// How neighbours share the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// As anybody: each gets as much of it as the others, and the maker can't go elsewhere.
    Equal,
    /// They leave it to others (`nice -n 19`), and the maker may go elsewhere.
    GiveWay,
}

impl Neighbours {
    /// Starts so many.
    pub(crate) fn start(count: u64, manners: Manners) -> io::Result<Neighbours> {
        let pinned = affinity::pin_here()?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut neighbours = Neighbours { stop, threads: Vec::new(), pinned: Some(pinned) };
        for number in 0..count {
            let stop = Arc::clone(&neighbours.stop);
            let name = format!("neighbour-{number}");
            // A thread begins with the CPUs of the one that starts it.
            let thread = thread::Builder::new().name(name).spawn(move || spin(&stop, manners))?;
            neighbours.threads.push(thread);
        }
        if manners == Manners::GiveWay {
            neighbours.pinned = None;
        }
        Ok(neighbours)
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It only spins: it can't have panicked.
            let _ = thread.join();
        }
    }
}

fn spin(stop: &AtomicBool, manners: Manners) {
    if manners == Manners::GiveWay {
        affinity::give_way();
    }
    while !stop.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}

#[cfg(target_os = "linux")]
mod affinity {
    //! CPUs of a thread, as Linux has them.

    use std::io;

    use rustix::process::setpriority_process;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// A thread bound to one CPU until this is dropped.
    pub(super) struct Pinned(CpuSet);

    /// Binds this thread to the CPU it runs on.
    pub(super) fn pin_here() -> io::Result<Pinned> {
        let before = sched_getaffinity(None)?;
        let mut here = CpuSet::new();
        here.set(sched_getcpu());
        sched_setaffinity(None, &here)?;
        Ok(Pinned(before))
    }

    impl Drop for Pinned {
        fn drop(&mut self) {
            // It was allowed before; if it no longer is, the thread stays where it is.
            let _ = sched_setaffinity(None, &self.0);
        }
    }

    /// Leaves the CPU to others. On Linux this holds for the calling thread alone.
    pub(super) fn give_way() {
        // To be nicer is always allowed.
        let _ = setpriority_process(None, 19);
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    //! Where a thread can't be bound to a CPU: the same names, and a refusal.

    use std::io;

    /// There is none.
    pub(super) enum Pinned {}

    pub(super) fn pin_here() -> io::Result<Pinned> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    pub(super) fn give_way() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_connections_are_refused_with_the_number_that_fits() {
        let Some(allowed) = getrlimit(Resource::Nofile).maximum else { return };
        let refused = allow_connections(allowed).unwrap_err().to_string();
        let fits = (allowed - OTHER_DESCRIPTORS) / 2;
        assert!(refused.contains(&format!("--count {fits} ")), "{refused}");
        assert!(refused.contains("ulimit -Hn"), "{refused}");
        assert_eq!(allow_connections(fits), Ok(()));
    }

    #[test]
    fn where_nothing_fits_no_count_is_asked_for() {
        for allowed in [0, 8, OTHER_DESCRIPTORS + 1] {
            let refused = too_few_descriptors(2_000, 4_064, allowed).to_string();
            let told = refused.contains("`ulimit -n`") && !refused.contains("--count");
            assert!(told, "{refused}");
        }
        let refused = too_few_descriptors(2_000, 4_064, OTHER_DESCRIPTORS + 2).to_string();
        assert!(refused.contains("--count 1 or less"), "{refused}");
    }

    #[test]
    fn work_is_cpu_time() {
        let before = cpu_time();
        use_cpu(Duration::from_millis(3));
        assert!(cpu_time() - before >= Duration::from_millis(3));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_thread_gets_its_cpus_back() {
        let allowed = || rustix::thread::sched_getaffinity(None).unwrap().count();
        let before = allowed();
        drop(Neighbours::start(3, Manners::GiveWay).unwrap());
        assert_eq!(allowed(), before);
        let neighbours = Neighbours::start(3, Manners::Equal).unwrap();
        assert_eq!(allowed(), 1);
        drop(neighbours);
        assert_eq!(allowed(), before);
    }
}
