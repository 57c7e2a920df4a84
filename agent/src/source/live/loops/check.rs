//! Whether what lies at an address is a loop that runs JavaScript.
//!
//! libuv leaves marks that nothing else bears: the handle that wakes the loop points back to it,
//! and so does the first of its handles; its descriptor is one of epoll; it measures its idle time;
//! and its times fit together and to the clock. All of them have to hold, for any version of
//! libuv, known or not.
//!
//! Cost: 4 reads of memory and one of a link, about 10 µs.

use std::fs;
use std::path::Path;

use super::super::layout::UvLayout;
use super::super::memory::{Memory, u32_at, u64_at};
use super::reading::Fields;

/// How far a clock may be ahead of ours for having been read later, or rounded.
const AHEAD_NS: u64 = 1_000_000_000;
const NS_IN_MS: u64 = 1_000_000;

/// What speaks against a loop at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing can be read there.
    Unreadable,
    /// It does not point to itself as a loop does.
    NoLoop,
    /// It is a loop, but none that Node runs JavaScript on: it doesn't measure its idle time.
    NoJavaScript,
    /// Its times don't fit together: the offsets are not those of this version.
    Times,
}

impl Doubt {
    /// For people: why the main thread's loop can't be observed.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Doubt::Unreadable => "the memory of its loop can't be read",
            Doubt::NoLoop => "libuv has not made its loop yet",
            Doubt::NoJavaScript => "Node has not set its loop up yet",
            Doubt::Times => "its libuv is of a version whose figures can't be read",
        }
    }
}

/// The address of the internal fields of the loop at `address`. `files` is `/proc/PID/fd`, `now_ns`
/// the target's clock.
pub(super) fn check(
    memory: &Memory,
    layout: &UvLayout,
    address: u64,
    files: &Path,
    now_ns: u64,
) -> Result<u64, Doubt> {
    let bytes: [u8; UvLayout::LOOP_BYTES] = read(memory, address)?;
    let word = |offset| u64_at(&bytes, offset).unwrap_or_default();
    if word(layout.own_address) != address || !is_in_list(memory, &bytes, layout, address)? {
        return Err(Doubt::NoLoop);
    }
    let descriptor = u32_at(&bytes, layout.backend_fd).unwrap_or_default();
    let link = fs::read_link(files.join(descriptor.to_string())).map_err(|_| Doubt::NoLoop)?;
    if link != Path::new("anon_inode:[eventpoll]") {
        return Err(Doubt::NoLoop);
    }
    let internal_fields = word(layout.internal_fields);
    let fields = Fields::read(memory, internal_fields, layout).map_err(|_| Doubt::Unreadable)?;
    // No version has more bits than these.
    if fields.flags > 0xffff {
        return Err(Doubt::Times);
    }
    if fields.flags & UvLayout::IDLE_TIME == 0 {
        return Err(Doubt::NoJavaScript);
    }
    let fits = times_fit(word(layout.time), &fields, now_ns);
    fits.then_some(internal_fields).ok_or(Doubt::Times)
}

/// Whether the first of the loop's handles points back to the loop.
fn is_in_list(
    memory: &Memory,
    bytes: &[u8],
    layout: &UvLayout,
    address: u64,
) -> Result<bool, Doubt> {
    let first = u64_at(bytes, layout.handle_queue).unwrap_or_default();
    let [_, previous] = two(read(memory, first)?);
    Ok(previous == address + layout.handle_queue)
}

fn read<const N: usize>(memory: &Memory, address: u64) -> Result<[u8; N], Doubt> {
    memory.bytes(address).map_err(|_| Doubt::Unreadable)
}

fn two(bytes: [u8; 16]) -> [u64; 2] {
    [0, 8].map(|offset| u64_at(&bytes, offset).unwrap_or_default())
}

/// A loop has not waited for longer than the machine runs, did not begin to wait in the future or
/// before its clock was last set, and its clock is not ahead of ours.
fn times_fit(time_ms: u64, fields: &Fields, now_ns: u64) -> bool {
    let latest_ns = now_ns.saturating_add(AHEAD_NS);
    let time_ns = time_ms.saturating_mul(NS_IN_MS);
    let entry_fits = match fields.entry_ns {
        0 => true,
        entry_ns => entry_ns <= latest_ns && entry_ns.saturating_add(AHEAD_NS) >= time_ns,
    };
    let events_fit = match (fields.events, fields.events_waiting) {
        (Some(all), Some(waiting)) => waiting <= all,
        _ => true,
    };
    time_ms > 0 && time_ns <= latest_ns && fields.idle_ns <= latest_ns && entry_fits && events_fit
}
