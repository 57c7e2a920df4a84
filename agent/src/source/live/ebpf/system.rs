//! bpf(2), and the mapping of a map's memory: what the kernel offers and no safe interface does.
//!
//! Cost: a system call each. A mapped map is read without one.
//!
//! **Invariant**: everything made here is a descriptor or a mapping that the kernel takes back when
//! the process ends, however it ends. Nothing is pinned.
#![allow(unsafe_code)] // A system call with a union of structs, and memory shared with the kernel.

use std::ffi::{CStr, CString};
use std::io;
use std::mem;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::AtomicU64;

use aya_obj::generated::{
    BPF_F_RDONLY_PROG, bpf_attach_type, bpf_attr, bpf_cmd, bpf_insn, bpf_prog_type,
    perf_event_attr, perf_sw_ids, perf_type_id,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// The longest name that the kernel takes for a map or a program, without its end.
const NAME_LENGTH: usize = 15;

/// What a map is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct MapShape {
    pub(super) kind: u32,
    pub(super) key_bytes: u32,
    pub(super) value_bytes: u32,
    pub(super) entries: u32,
    pub(super) flags: u32,
}

impl MapShape {
    /// Whether programs can't write it, so that the kernel takes its content for constant.
    pub(super) fn is_constant(self) -> bool {
        self.flags & BPF_F_RDONLY_PROG != 0
    }
}

/// Makes a map. Its name is for people who list maps.
pub(super) fn create_map(name: &str, shape: MapShape) -> io::Result<OwnedFd> {
    let mut attr = empty();
    // SAFETY: all variants of the union are integers, and it was zeroed.
    let map = unsafe { &mut attr.__bindgen_anon_1 };
    map.map_type = shape.kind;
    map.key_size = shape.key_bytes;
    map.value_size = shape.value_bytes;
    map.max_entries = shape.entries;
    map.map_flags = shape.flags;
    put_name(&mut map.map_name, name);
    descriptor(bpf_cmd::BPF_MAP_CREATE, &mut attr)
}

/// Sets the value of a key; a queue has no key and takes the value at its end.
pub(super) fn update(map: BorrowedFd<'_>, key: &[u8], value: &[u8]) -> io::Result<()> {
    let mut attr = of_element(map, key);
    // SAFETY: as above.
    let element = unsafe { &mut attr.__bindgen_anon_2 };
    element.__bindgen_anon_1.value = value.as_ptr() as u64;
    call(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attr).map(drop)
}

/// Reads the value of a key into `value`, which is as long as the map's values are.
pub(super) fn lookup(map: BorrowedFd<'_>, key: &[u8], value: &mut [u8]) -> io::Result<()> {
    let mut attr = of_element(map, key);
    // SAFETY: as above.
    let element = unsafe { &mut attr.__bindgen_anon_2 };
    element.__bindgen_anon_1.value = value.as_mut_ptr() as u64;
    call(bpf_cmd::BPF_MAP_LOOKUP_ELEM, &mut attr).map(drop)
}

/// Takes the oldest value out of a queue, into `value`, which is as long as its values are.
pub(super) fn pop(queue: BorrowedFd<'_>, value: &mut [u8]) -> io::Result<()> {
    let mut attr = of_element(queue, &[]);
    // SAFETY: as above.
    let element = unsafe { &mut attr.__bindgen_anon_2 };
    element.__bindgen_anon_1.value = value.as_mut_ptr() as u64;
    call(bpf_cmd::BPF_MAP_LOOKUP_AND_DELETE_ELEM, &mut attr).map(drop)
}

/// Takes a key out of a map.
pub(super) fn delete(map: BorrowedFd<'_>, key: &[u8]) -> io::Result<()> {
    call(bpf_cmd::BPF_MAP_DELETE_ELEM, &mut of_element(map, key)).map(drop)
}

/// From here on nobody can change the map, so that the verifier may count on its content.
pub(super) fn freeze(map: BorrowedFd<'_>) -> io::Result<()> {
    call(bpf_cmd::BPF_MAP_FREEZE, &mut of_element(map, &[])).map(drop)
}

fn of_element(map: BorrowedFd<'_>, key: &[u8]) -> bpf_attr {
    let mut attr = empty();
    // SAFETY: as above.
    let element = unsafe { &mut attr.__bindgen_anon_2 };
    element.map_fd = map.as_raw_fd() as u32;
    element.key = if key.is_empty() { 0 } else { key.as_ptr() as u64 };
    attr
}

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// To be run by probes that [`link_uprobes`] sets.
    Uprobes,
    /// To be run at the samples of a thread: [`link_sampling`].
    Sampling,
    /// To be run by [`run`].
    Own,
    /// To be run where the kernel passes a point of its own: [`link_tracepoint`].
    Tracepoint,
}

impl Kind {
    /// The type of the program, and where it is expected to be attached.
    fn numbers(self) -> (u32, u32) {
        let program = match self {
            Kind::Uprobes => bpf_prog_type::BPF_PROG_TYPE_KPROBE,
            Kind::Sampling => bpf_prog_type::BPF_PROG_TYPE_PERF_EVENT,
            Kind::Own | Kind::Tracepoint => bpf_prog_type::BPF_PROG_TYPE_RAW_TRACEPOINT,
        };
        let attach = match self {
            Kind::Uprobes => bpf_attach_type::BPF_TRACE_UPROBE_MULTI as u32,
            Kind::Sampling | Kind::Own | Kind::Tracepoint => 0,
        };
        (program as u32, attach)
    }
}

/// Loads a program. On failure `log` has the verifier's words, if there are any.
pub(super) fn load_program(
    kind: Kind,
    name: &str,
    license: &CStr,
    instructions: &[bpf_insn],
    log: &mut [u8],
) -> io::Result<OwnedFd> {
    let mut attr = empty();
    let (program_type, attach_type) = kind.numbers();
    // SAFETY: as above.
    let program = unsafe { &mut attr.__bindgen_anon_3 };
    program.prog_type = program_type;
    program.expected_attach_type = attach_type;
    program.insns = instructions.as_ptr() as u64;
    program.insn_cnt = instructions.len() as u32;
    program.license = license.as_ptr() as u64;
    put_name(&mut program.prog_name, name);
    if !log.is_empty() {
        program.log_level = 1;
        program.log_buf = log.as_mut_ptr() as u64;
        program.log_size = log.len() as u32;
    }
    descriptor(bpf_cmd::BPF_PROG_LOAD, &mut attr)
}

/// Probes of one file, for one process.
#[derive(Debug)]
pub(super) struct Uprobes<'a> {
    pub(super) path: &'a CStr,
    /// Offsets in the file.
    pub(super) offsets: &'a [u64],
    /// What the program is told at each.
    pub(super) cookies: &'a [u64],
    /// The process. Its threads are included, its children aren't.
    pub(super) pid: u32,
}

/// Sets probes in a file that a process maps. They are gone when the descriptor is closed.
pub(super) fn link_uprobes(program: BorrowedFd<'_>, uprobes: &Uprobes<'_>) -> io::Result<OwnedFd> {
    assert_eq!(uprobes.offsets.len(), uprobes.cookies.len(), "a cookie for each offset");
    let mut attr = empty();
    // SAFETY: as above.
    let link = unsafe { &mut attr.link_create };
    link.__bindgen_anon_1.prog_fd = program.as_raw_fd() as u32;
    link.attach_type = bpf_attach_type::BPF_TRACE_UPROBE_MULTI as u32;
    // SAFETY: as above.
    let multi = unsafe { &mut link.__bindgen_anon_3.uprobe_multi };
    multi.path = uprobes.path.as_ptr() as u64;
    multi.offsets = uprobes.offsets.as_ptr() as u64;
    multi.cookies = uprobes.cookies.as_ptr() as u64;
    multi.cnt = uprobes.offsets.len() as u32;
    multi.pid = uprobes.pid;
    descriptor(bpf_cmd::BPF_LINK_CREATE, &mut attr)
}

/// Lets a program of [`Kind::Tracepoint`] run whenever the kernel passes this point, until the
/// descriptor is closed.
pub(super) fn link_tracepoint(program: BorrowedFd<'_>, point: &CStr) -> io::Result<OwnedFd> {
    let mut attr = empty();
    // SAFETY: as above.
    let tracepoint = unsafe { &mut attr.raw_tracepoint };
    tracepoint.name = point.as_ptr() as u64;
    tracepoint.prog_fd = program.as_raw_fd() as u32;
    descriptor(bpf_cmd::BPF_RAW_TRACEPOINT_OPEN, &mut attr)
}

/// Runs a program of [`Kind::Own`] once, on this thread.
pub(super) fn run(program: BorrowedFd<'_>) -> io::Result<()> {
    let mut attr = empty();
    // SAFETY: as above.
    let test = unsafe { &mut attr.test };
    test.prog_fd = program.as_raw_fd() as u32;
    call(bpf_cmd::BPF_PROG_TEST_RUN, &mut attr).map(drop)
}

/// An event each time that the thread `tid` has been on a CPU for so long. It counts until the
/// descriptor is closed.
pub(super) fn open_sampling(tid: u32, period_ns: u64) -> io::Result<OwnedFd> {
    open_event(tid as libc::pid_t, perf_sw_ids::PERF_COUNT_SW_CPU_CLOCK, period_ns)
}

/// An event of the calling thread that never comes.
pub(super) fn open_nothing() -> io::Result<OwnedFd> {
    const OWN: libc::pid_t = 0;
    open_event(OWN, perf_sw_ids::PERF_COUNT_SW_DUMMY, 0)
}

fn open_event(tid: libc::pid_t, what: perf_sw_ids, period_ns: u64) -> io::Result<OwnedFd> {
    const CLOSE_ON_EXEC: libc::c_ulong = 8;
    const ANY_CPU: libc::c_int = -1;
    const NO_GROUP: libc::c_int = -1;
    // SAFETY: all fields are integers, or unions and bit fields of them, of which zero is a value.
    let mut attr: perf_event_attr = unsafe { mem::zeroed() };
    attr.type_ = perf_type_id::PERF_TYPE_SOFTWARE as u32;
    attr.size = size_of::<perf_event_attr>() as u32;
    attr.config = what as u64;
    attr.__bindgen_anon_1.sample_period = period_ns;
    let attr = &raw const attr;
    // SAFETY: the attributes are borrowed for the call, and say themselves how large they are.
    let fd = unsafe {
        libc::syscall(libc::SYS_perf_event_open, attr, tid, ANY_CPU, NO_GROUP, CLOSE_ON_EXEC)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it for us; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Runs a program of [`Kind::Sampling`] at each of these events, with this cookie.
pub(super) fn link_sampling(
    program: BorrowedFd<'_>,
    event: BorrowedFd<'_>,
    cookie: u64,
) -> io::Result<OwnedFd> {
    let mut attr = empty();
    // SAFETY: as above.
    let link = unsafe { &mut attr.link_create };
    link.__bindgen_anon_1.prog_fd = program.as_raw_fd() as u32;
    link.__bindgen_anon_2.target_fd = event.as_raw_fd() as u32;
    link.attach_type = bpf_attach_type::BPF_PERF_EVENT as u32;
    // SAFETY: as above.
    let perf_event = unsafe { &mut link.__bindgen_anon_3.perf_event };
    perf_event.bpf_cookie = cookie;
    descriptor(bpf_cmd::BPF_LINK_CREATE, &mut attr)
}

fn empty() -> bpf_attr {
    // SAFETY: all variants of the union are integers, of which zero is a value.
    unsafe { mem::zeroed() }
}

fn put_name(to: &mut [std::ffi::c_char], name: &str) {
    let name = CString::new(&name[..name.len().min(NAME_LENGTH)]).unwrap_or_default();
    for (to, &byte) in to.iter_mut().zip(name.as_bytes()) {
        *to = byte as std::ffi::c_char;
    }
}

fn call(command: bpf_cmd, attr: &mut bpf_attr) -> io::Result<i64> {
    // SAFETY: what the pointers in it point to is borrowed by the callers for the call, and the
    // sizes beside them are those of what they point to.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command as libc::c_long, &raw mut *attr, size_of::<bpf_attr>())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn descriptor(command: bpf_cmd, attr: &mut bpf_attr) -> io::Result<OwnedFd> {
    let fd = call(command, attr)?;
    // SAFETY: the kernel has just made it for us; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// The memory of an array map, shared with the kernel.
#[derive(Debug)]
pub(super) struct Words {
    start: *mut AtomicU64,
    count: usize,
}

// SAFETY: it is memory of the process, and all access to it is atomic.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// Maps the first `bytes` of an array map that was made to be mapped.
    pub(super) fn map(map: &OwnedFd, bytes: usize) -> io::Result<Words> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses the place, so no other mapping is touched.
        let start = unsafe {
            mmap(std::ptr::null_mut(), bytes, protection, MapFlags::SHARED, map.as_fd(), 0)
        }?;
        Ok(Words { start: start.cast(), count: bytes / size_of::<u64>() })
    }
}

impl Deref for Words {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: it was mapped with this size, at the start of a page, and lives as long as self.
        unsafe { std::slice::from_raw_parts(self.start, self.count) }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this size, and nothing borrowed from it outlives it.
        // That it fails can't be: both are as mmap gave them.
        let _ = unsafe { munmap(self.start.cast(), self.count * size_of::<u64>()) };
    }
}

// A function that does nothing, with an instruction at its start that the kernel need not step.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".globl loopscope_probe_point",
    ".type loopscope_probe_point, @function",
    "loopscope_probe_point:",
    "nop",
    "ret",
    ".size loopscope_probe_point, . - loopscope_probe_point",
);

#[cfg(not(target_arch = "x86_64"))]
#[unsafe(no_mangle)]
extern "C" fn loopscope_probe_point() {}

#[cfg(target_arch = "x86_64")]
// SAFETY: it is defined above, with this signature.
unsafe extern "C" {
    safe fn loopscope_probe_point();
}

/// The address of a function to be probed for a trial.
pub(super) fn probe_point() -> u64 {
    loopscope_probe_point as extern "C" fn() as usize as u64
}

/// Calls it.
pub(super) fn call_probe_point() {
    loopscope_probe_point();
}
