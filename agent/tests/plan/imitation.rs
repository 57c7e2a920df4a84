//! A program that is built like Node, from a few bytes of code for each function.
//!
//! The machine code is written by hand; beside each line stands what it means.

use crate::writer::{Program, Slot};

pub(crate) const START: &str = "_ZN4node5StartEiPPc";
pub(crate) const BEGIN: &str = "_ZN4node11performance21MarkBootstrapCompleteERKN2v8\
     20FunctionCallbackInfoINS1_5ValueEEE";
pub(crate) const TRY_RUN: &str =
    "_ZN2v88internal9Execution16TryRunMicrotasksEPNS0_7IsolateEPNS0_14MicrotaskQueueE";
pub(crate) const RUN_MICROTASKS: &str =
    "_ZN2v88internal14MicrotaskQueue13RunMicrotasksEPNS0_7IsolateE";
pub(crate) const COLLECT: &str = "_ZN2v88internal4Heap24PerformGarbageCollectionENS0_\
     16GarbageCollectorENS0_23GarbageCollectionReasonEPKc";

pub(crate) const BEGIN_AT: u64 = 0x40_0100;
pub(crate) const TIMERS: u64 = 0x40_1000;
pub(crate) const IDLE: u64 = 0x40_1100;
pub(crate) const PREPARE: u64 = 0x40_1200;
pub(crate) const POLL: u64 = 0x40_1300;
pub(crate) const CHECK: u64 = 0x40_1400;
pub(crate) const UV_RUN: u64 = 0x40_1500;
pub(crate) const TRY_RUN_AT: u64 = 0x40_2000;
pub(crate) const RUN_MICROTASKS_AT: u64 = 0x40_2100;
pub(crate) const COLLECT_AT: u64 = 0x40_2200;
pub(crate) const COLLECTOR: u64 = 0x40_2300;
pub(crate) const TIMER_STOP: u64 = 0x40_3000;
pub(crate) const WAIT_STUB: u64 = 0x40_3100;
pub(crate) const LOOP: u64 = 0x60_0000;

const PUSH: &[u8] = &[0x55];
const POP_RET: &[u8] = &[0x5d, 0xc3];
const RET: &[u8] = &[0xc3];
/// `push rbp; pop rbp; ret`.
const EMPTY: &[u8] = &[0x55, 0x5d, 0xc3];

/// `push rbp; test esi, 0xfffffffd; pop rbp; ret`.
pub(crate) const COLLECTS: &[u8] = &[0x55, 0xf7, 0xc6, 0xfd, 0xff, 0xff, 0xff, 0x5d, 0xc3];

/// `call`, from an address behind some bytes.
pub(crate) fn call(function: u64, before: &[u8], target: u64) -> Vec<u8> {
    relative(0xe8, function, before, target)
}

/// `jmp`, the same.
pub(crate) fn jump(function: u64, before: &[u8], target: u64) -> Vec<u8> {
    relative(0xe9, function, before, target)
}

fn relative(opcode: u8, function: u64, before: &[u8], target: u64) -> Vec<u8> {
    let end = function + before.len() as u64 + 5;
    let mut bytes = before.to_vec();
    bytes.push(opcode);
    bytes.extend(((target as i64 - end as i64) as i32).to_le_bytes());
    bytes
}

/// `push rbp`, a call, then what is given.
pub(crate) fn calls_once(function: u64, target: u64, then: &[u8]) -> Vec<u8> {
    [&call(function, PUSH, target), then].concat()
}

/// Behind a drain: `mov eax, [rbx + 40]; test rdx, rdx; je +0; pop rbp; ret`.
pub(crate) const BEHIND_DRAIN: &[u8] =
    &[0x8b, 0x43, 0x28, 0x48, 0x85, 0xd2, 0x74, 0x00, 0x5d, 0xc3];
/// Behind a collection: `mov eax, [rbx + 8]; cmp eax, 1; ja +0; pop rbp; ret`.
pub(crate) const BEHIND_COLLECTION: &[u8] =
    &[0x8b, 0x43, 0x08, 0x83, 0xf8, 0x01, 0x77, 0x00, 0x5d, 0xc3];

/// `push rbp; mov rax, [rdi + queue]; mov rdx, [rdi + queue + 8]; call [rax - 8]; pop rbp; ret`.
fn runs_queue(queue: u8) -> Vec<u8> {
    let next = [0x48, 0x8b, 0x87, queue, 1, 0, 0];
    let previous = [0x48, 0x8b, 0x97, queue + 8, 1, 0, 0];
    [PUSH, &next, &previous, &[0xff, 0x50, 0xf8], POP_RET].concat()
}

/// `push rbp; mov rax, [rdi + 520]; mov rdx, [rdi + 544]; call uv_timer_stop; call [rax - 8]; ...`
fn runs_timers() -> Vec<u8> {
    let fields = [0x48, 0x8b, 0x87, 0x08, 2, 0, 0, 0x48, 0x8b, 0x97, 0x20, 2, 0, 0];
    let before = [PUSH, &fields].concat();
    [&call(TIMERS, &before, TIMER_STOP)[..], &[0xff, 0x50, 0xf8], POP_RET].concat()
}

/// `push rbp; mov edi, [rdi + 64]; call epoll_pwait; pop rbp; ret`.
fn polls() -> Vec<u8> {
    let before = [PUSH, &[0x8b, 0x7f, 0x40]].concat();
    [&call(POLL, &before, WAIT_STUB)[..], POP_RET].concat()
}

/// The whole program.
pub(crate) fn node() -> Program {
    let mut program = Program::new();
    program.function(START, 0x40_0000, EMPTY);
    program.function(BEGIN, BEGIN_AT, EMPTY);
    add_libuv(&mut program);
    add_v8(&mut program);
    add_versions(&mut program);
    program
}

fn add_libuv(program: &mut Program) {
    program.function("uv__run_timers", TIMERS, &runs_timers());
    program.function("uv__run_idle", IDLE, &runs_queue(0xa0));
    program.function("uv__run_prepare", PREPARE, &runs_queue(0x80));
    program.function("uv__io_poll", POLL, &polls());
    program.function("uv__run_check", CHECK, &runs_queue(0x90));
    let mut run = PUSH.to_vec();
    for phase in [TIMERS, IDLE, PREPARE, POLL, CHECK] {
        run = call(UV_RUN, &run, phase);
    }
    program.function("uv_run", UV_RUN, &[&run, POP_RET].concat());
    program.function("uv_timer_stop", TIMER_STOP, EMPTY);
    // jmp [slot]
    add_stub(program, (WAIT_STUB, 0x50_0000), &[], "epoll_pwait");
    program.zeros("default_loop_struct", LOOP, 848);
    program.function("uv_loop_init", 0x40_3200, EMPTY);
    // mov edi, loop; call uv_loop_init; ret
    let default = [&[0xbf], &(LOOP as u32).to_le_bytes()[..]].concat();
    let default = [&call(0x40_3300, &default, 0x40_3200)[..], RET].concat();
    program.function("uv_default_loop", 0x40_3300, &default);
}

/// A stub that jumps by a slot: `jmp [slot]`, with what stands before it.
pub(crate) fn add_stub(
    program: &mut Program,
    (stub, address): (u64, u64),
    before: &[u8],
    name: &str,
) {
    let end = stub + before.len() as u64 + 6;
    let relative = ((address - end) as u32).to_le_bytes();
    program.code(stub, &[before, &[0xff, 0x25], &relative, &[0x90; 10]].concat());
    program.slots.push(Slot { address, name: name.to_owned() });
}

fn add_v8(program: &mut Program) {
    program.function(TRY_RUN, TRY_RUN_AT, EMPTY);
    // push rbp; cmp qword [rdi + 8], 0; call; ...
    let before = [PUSH, &[0x48, 0x83, 0x7f, 0x08, 0x00]].concat();
    let run = [&call(RUN_MICROTASKS_AT, &before, TRY_RUN_AT)[..], BEHIND_DRAIN].concat();
    program.function(RUN_MICROTASKS, RUN_MICROTASKS_AT, &run);
    program.function(COLLECT, COLLECT_AT, COLLECTS);
    let collector = calls_once(COLLECTOR, COLLECT_AT, BEHIND_COLLECTION);
    program.code(COLLECTOR, &collector);
    let offsets = [("29kFinishedMicrotaskCountOffset", 40u64), ("11kSizeOffset", 8)];
    for (index, (name, offset)) in (0..).zip(offsets) {
        let name = format!("_ZN2v88internal14MicrotaskQueue{name}E");
        program.data(&name, 0x50_1000 + 16 * index, &offset.to_le_bytes());
    }
    let table = [0, 0, TRY_RUN_AT, COLLECT_AT].map(u64::to_le_bytes).concat();
    program.data("_ZTVN2v88internal14MicrotaskQueueE", 0x50_2000, &table);
}

fn add_versions(program: &mut Program) {
    // mov eax, number; ret
    let returns = |number: u32| [&[0xb8], &number.to_le_bytes()[..], RET].concat();
    program.function("uv_version", 0x40_4000, &returns(1 << 16 | 51 << 8 | 3));
    program.function("uv_version_string", 0x40_4100, &returns(0x50_3000));
    program.data("", 0x50_3000, b"1.51.3\0-------------------------");
    // mov qword [rsi], constant; ret
    let constant = [&[0x48, 0xc7, 0x06], &0x50_4000_u32.to_le_bytes()[..], RET].concat();
    program.function("napi_get_node_version", 0x40_4200, &constant);
    let numbers = [77u32, 8, 9, 0].map(u32::to_le_bytes).concat();
    program.data("", 0x50_4000, &numbers);
    for (part, number) in [("major", 14u32), ("minor", 6), ("build", 202), ("patch", 34)] {
        let name = format!("_ZN2v88internal7Version6{part}_E");
        program.data(&name, 0x50_5000 + 16 * u64::from(number), &number.to_le_bytes());
    }
}
