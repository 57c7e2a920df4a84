//! Where data lies: the main thread's loop, and what V8 says about its queues.

use iced_x86::Register;

use super::{Data, PoolData, evidence::Evidence, isolate, v8::V8, versions::loaded};

pub(super) const DEFAULT_LOOP: &str = "default_loop_struct";
pub(super) const UV_DEFAULT_LOOP: &str = "uv_default_loop";
pub(super) const UV_LOOP_INIT: &str = "uv_loop_init";
pub(super) const QUEUE_VTABLE: &str = "_ZTVN2v88internal14MicrotaskQueueE";
pub(super) const FINISHED_OFFSET: &str =
    "_ZN2v88internal14MicrotaskQueue29kFinishedMicrotaskCountOffsetE";
pub(super) const SIZE_OFFSET: &str = "_ZN2v88internal14MicrotaskQueue11kSizeOffsetE";

/// Of libuv's pool of threads: two queues, and two entries that are no jobs.
pub(super) const POOL: [&str; 4] =
    ["wq", "slow_io_pending_wq", "run_slow_work_message", "exit_message"];

/// `sizeof(uv_loop_t)` in all of libuv 1.x, whose ABI it is a part of.
const LOOP_BYTES: u64 = 848;

/// The offsets are told twice: by a constant, and by the code that uses them.
pub(super) fn data(uv: Option<&Evidence<'_>>, v8: Option<&V8<'_>>) -> Data {
    let constant = |name| v8.and_then(|v8| Some((v8, offset(v8.evidence(), name)?)));
    Data {
        default_loop: uv.and_then(default_loop),
        microtask_queue_vtable: v8.and_then(|v8| vtable(v8.evidence())),
        finished_count_offset: constant(FINISHED_OFFSET)
            .and_then(|(v8, offset)| v8.is_read_behind_drain(offset).then_some(offset)),
        size_offset: constant(SIZE_OFFSET)
            .and_then(|(v8, offset)| v8.is_tested_for_empty(offset).then_some(offset)),
        pool: uv.and_then(pool),
        queue_in_isolate: v8.and_then(|v8| isolate::queue_in_isolate(v8.evidence())),
    }
}

/// By its symbol and by what `uv_default_loop` initialises: both if both are there.
fn default_loop(uv: &Evidence<'_>) -> Option<(usize, u64)> {
    let symbol = match uv.one(DEFAULT_LOOP) {
        Ok(symbol) => Some((symbol.size == LOOP_BYTES).then_some(symbol.address)?),
        Err(_) => None,
    };
    let address = match (symbol, initialised(uv)) {
        (Some(symbol), Some(initialised)) => (symbol == initialised).then_some(symbol)?,
        (symbol, initialised) => symbol.or(initialised)?,
    };
    let end = address.checked_add(LOOP_BYTES)?;
    let holds = uv.image.load_segments().iter().any(|segment| {
        let range = segment.address..=segment.address + segment.memory_size;
        segment.writable && range.contains(&address) && range.contains(&end)
    });
    holds.then_some((uv.module, address))
}

/// The names are libuv's own and short: what is not what it should be is left out.
fn pool(uv: &Evidence<'_>) -> Option<PoolData> {
    const QUEUE_BYTES: u64 = 16;
    let of = |name| {
        let symbol = uv.one(name).ok()?;
        let end = symbol.address.checked_add(QUEUE_BYTES)?;
        let holds = uv.image.load_segments().iter().any(|segment| {
            let range = segment.address..=segment.address + segment.memory_size;
            segment.writable && range.contains(&symbol.address) && range.contains(&end)
        });
        let fits = !symbol.function && symbol.size == QUEUE_BYTES && holds;
        fits.then_some(symbol.address)
    };
    let [waiting, slow, slow_mark, exit_mark] = POOL.map(of);
    Some(PoolData {
        module: uv.module,
        waiting: waiting?,
        slow: slow?,
        slow_mark: slow_mark?,
        exit_mark: exit_mark?,
    })
}

/// `uv_default_loop` calls `uv_loop_init(&default_loop_struct)` when it is called first.
fn initialised(uv: &Evidence<'_>) -> Option<u64> {
    let function = uv.function_named(UV_DEFAULT_LOOP).ok()?;
    let init = uv.one(UV_LOOP_INIT).ok()?.address;
    let mut calls = function.callees().filter(|&(_, callee)| {
        callee == init || uv.name_of_stub(callee).as_deref() == Some(UV_LOOP_INIT)
    });
    let (Some((call, _)), None) = (calls.next(), calls.next()) else { return None };
    let before = &function.instructions[..function.index_of(call.ip())?];
    let last = before.iter().rev().find(|one| {
        one.op0_kind() == iced_x86::OpKind::Register
            && one.op0_register().full_register() == Register::RDI
    })?;
    match last.op1_kind() {
        // mov rdi, rbp: the address went to another register first.
        iced_x86::OpKind::Register => loaded(before, last.op1_register()),
        _ => loaded(before, Register::RDI),
    }
}

/// ```text
/// 0 | 0 or the address of its type | its functions ...
/// ```
fn vtable(v8: &Evidence<'_>) -> Option<(usize, u64)> {
    let symbol = v8.one(QUEUE_VTABLE).ok()?;
    let whole = symbol.size >= 32 && symbol.size.is_multiple_of(8);
    if symbol.function || !whole || !symbol.address.is_multiple_of(8) {
        return None;
    }
    let bytes = v8.image.bytes_at(symbol.address, usize::try_from(symbol.size).ok()?)?;
    let words = bytes.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_le_bytes));
    let words: Vec<u64> = words.collect();
    let (head, functions) = words.split_at(2);
    // In a shared library the loader fills them in: the file has zeros.
    let filled_in = functions.iter().all(|&function| function == 0);
    let are_functions = functions.iter().all(|&one| v8.function_at(one).is_some());
    let fits = head[0] == 0 && !v8.image.is_code(head[1]) && (filled_in || are_functions);
    fits.then_some((v8.module, symbol.address))
}

/// An offset that V8 keeps as a constant of 8 bytes for its own generated code.
fn offset(v8: &Evidence<'_>, name: &str) -> Option<u64> {
    let symbol = v8.one(name).ok().filter(|symbol| symbol.size == 8)?;
    let bytes = v8.image.bytes_at(symbol.address, 8)?;
    bytes.try_into().map(u64::from_le_bytes).ok()
}
