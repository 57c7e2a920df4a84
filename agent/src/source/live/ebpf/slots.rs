//! What the kernel side counts, as values: the mirror of `agent/bpf/shared.h`.
//!
//! A slot is read word by word, in the order in which the C struct declares its fields. Its writer
//! is the observed loop's own thread, which does not wait for us: a histogram may hold one value
//! more than its sum, for as long as the next read.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use loop_core::buckets::{BUCKETS, Scale};
use loop_core::snapshot::Histogram;

/// The phases that have a probe, in the order of the C enum.
pub(crate) const PHASES: usize = 5;

/// Kinds of collection that have a histogram each.
pub(crate) const COLLECTIONS: usize = 3;

/// Which of them is of mark-compact collections. The others are of what is young.
pub(crate) const MARK_COMPACT: usize = 1;

/// How many stalls a slot keeps.
pub(crate) const STALLS: usize = 64;

const HISTOGRAM_WORDS: usize = 3 + BUCKETS;
const ACCOUNT_WORDS: usize = 5;
const TURN_WORDS: usize = PHASES + 9;
const STALL_WORDS: usize = 4 + TURN_WORDS + ACCOUNT_WORDS;
const HEAD_WORDS: usize = 8 + ACCOUNT_WORDS + TURN_WORDS + 14;
const TOTALS: usize = 11;
const HISTOGRAMS: usize = 3 + PHASES + 2 + COLLECTIONS;

/// The size of a slot in words of eight bytes.
pub(crate) const SLOT_WORDS: usize =
    HEAD_WORDS + TOTALS + HISTOGRAMS * HISTOGRAM_WORDS + STALLS * STALL_WORDS;

/// Where it stands when the thread of a slot began: what is written last when a slot is given.
const THREAD_START: usize = 2;

/// Where it stands how deep drains are within one another, and whether a turn is void.
const VOID: usize = HEAD_WORDS - 1;

/// Where a histogram's smallest value lies in it.
const MIN_WORD: usize = 1;

/// What the kernel accounts to a thread; times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) cpu_ns: u64,
    pub(crate) run_delay_ns: u64,
    pub(crate) faults: u64,
    pub(crate) switches: u64,
    /// How many of those were waits.
    pub(crate) waits: u64,
}

/// What a turn is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) phase_ns: [u64; PHASES],
    /// Events that the poll has handled.
    pub(crate) events: u64,
    pub(crate) microtasks: u64,
    /// The longest drain: how many ran in it, and how many waited when it began.
    pub(crate) drain_jobs: u64,
    pub(crate) drain_queued: u64,
    /// Time on a CPU in drains.
    pub(crate) drain_cpu_ns: u64,
    /// Time in collections but that in which the thread could have run and had no CPU.
    pub(crate) gc_ns: u64,
    /// Of that, time on a CPU. In the rest it waited for threads of V8 that collect, too.
    pub(crate) gc_cpu_ns: u64,
    /// And of that, what lies in drains.
    pub(crate) gc_in_drain_cpu_ns: u64,
    /// Entries of other loops on the same thread, as a synchronous child process has one.
    pub(crate) nested: u64,
}

/// A stall that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) number: u64,
    /// By the monotonic clock.
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    /// When the poll was entered before it.
    pub(crate) boundary_ns: u64,
    pub(crate) turn: Turn,
    pub(crate) account: Account,
}

/// Who has a slot, and what runs now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) target: u32,
    pub(crate) tid: u32,
    /// Process and thread id as the kernel has them: the key of the map of threads.
    pub(crate) thread: u64,
    /// When the thread began, by the clock that counts sleep; 0: the slot is free.
    pub(crate) thread_start_ns: u64,
    /// Address of the loop; 0 while only its thread is known.
    pub(crate) address: u64,
    /// Address of its internal fields.
    pub(crate) fields: u64,
    /// When the poll was entered last; 0: not yet.
    pub(crate) boundary_ns: u64,
    pub(crate) boundary_idle_ns: u64,
    pub(crate) boundary_account: Account,
    pub(crate) turn: Turn,
    pub(crate) phase: u32,
    pub(crate) phase_start_ns: u64,
    /// Since when a drain runs; 0: none does.
    pub(crate) drain_start_ns: u64,
    pub(crate) queue: u64,
    pub(crate) drain_base: u64,
    /// How many microtasks waited when it began.
    pub(crate) drain_size: u64,
    /// Since when a collection runs, if `gc_depth` isn't 0.
    pub(crate) gc_start_ns: u64,
    pub(crate) gc_depth: u32,
    /// Whether a poll was entered since `boundary_ns` that could not be read, so that it is not
    /// known how long the turn has lasted.
    pub(crate) is_void: bool,
    pub(crate) totals: Totals,
}

/// What was counted since the slot was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) hits: u64,
    pub(crate) turns: u64,
    pub(crate) active_ns: u64,
    pub(crate) idle_ns: u64,
    pub(crate) microtasks: u64,
    pub(crate) nested_hits: u64,
    /// Reads of the target's memory that failed.
    pub(crate) faults: u64,
    /// Ends without a beginning, or the other way round.
    pub(crate) unpaired: u64,
    /// Drains within a drain of another queue.
    pub(crate) nested_drains: u64,
    pub(crate) stalls: u64,
    pub(crate) stall_ns: u64,
}

/// All of a slot.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) head: Head,
    pub(crate) turn_ns: Histogram,
    pub(crate) poll_wait_ns: Histogram,
    pub(crate) lateness_ns: Histogram,
    pub(crate) phase_ns: [Histogram; PHASES],
    pub(crate) drain_length: Histogram,
    pub(crate) drain_ns: Histogram,
    pub(crate) gc_ns: [Histogram; COLLECTIONS],
    /// Oldest first.
    pub(crate) stalls: Vec<Ended>,
}

/// Empties a slot, to be given to a loop. Only for one that no probe can reach.
pub(crate) fn clear(slot: &[AtomicU64]) {
    slot.iter().for_each(|word| word.store(0, Ordering::Relaxed));
    for histogram in 0..HISTOGRAMS {
        let start = HEAD_WORDS + TOTALS + histogram * HISTOGRAM_WORDS;
        slot[start + MIN_WORD].store(u64::MAX, Ordering::Relaxed);
    }
}

/// How long the turn of a slot lasts is not known, nor whether it is one. Only for a slot that no
/// probe can reach just now.
pub(crate) fn void_turn(slot: &[AtomicU64]) {
    // Above the depth of drains, which is 0: none of them is seen to its end.
    slot[VOID].store(1 << 32, Ordering::Relaxed);
}

/// Whether a loop has this slot. Who it is can be read behind that, as it was written before.
pub(crate) fn is_given(slot: &[AtomicU64]) -> bool {
    slot[THREAD_START].load(Ordering::Acquire) != 0
}

/// Reads who has a slot and what runs, without its histograms.
pub(crate) fn head(slot: &[AtomicU64]) -> Head {
    Words(slot).head()
}

/// Reads a whole slot.
pub(crate) fn read(slot: &[AtomicU64]) -> Reading {
    let mut words = Words(slot);
    Reading {
        head: words.head(),
        turn_ns: words.histogram(Scale::Time),
        poll_wait_ns: words.histogram(Scale::Time),
        lateness_ns: words.histogram(Scale::Time),
        phase_ns: std::array::from_fn(|_| words.histogram(Scale::Time)),
        drain_length: words.histogram(Scale::Length),
        drain_ns: words.histogram(Scale::Time),
        gc_ns: std::array::from_fn(|_| words.histogram(Scale::Time)),
        stalls: words.stalls(),
    }
}

/// What is left to read of a slot.
struct Words<'a>(&'a [AtomicU64]);

impl Words<'_> {
    fn next(&mut self) -> u64 {
        let (first, rest) = self.0.split_first().expect("a slot has all of its words");
        self.0 = rest;
        first.load(Ordering::Relaxed)
    }

    /// Two fields of four bytes, in their order.
    fn pair(&mut self) -> (u32, u32) {
        let bytes = self.next().to_ne_bytes();
        let half = |at: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
        (half(0), half(4))
    }

    fn account(&mut self) -> Account {
        Account {
            cpu_ns: self.next(),
            run_delay_ns: self.next(),
            faults: self.next(),
            switches: self.next(),
            waits: self.next(),
        }
    }

    fn turn(&mut self) -> Turn {
        Turn {
            phase_ns: std::array::from_fn(|_| self.next()),
            events: self.next(),
            microtasks: self.next(),
            drain_jobs: self.next(),
            drain_queued: self.next(),
            drain_cpu_ns: self.next(),
            gc_ns: self.next(),
            gc_cpu_ns: self.next(),
            gc_in_drain_cpu_ns: self.next(),
            nested: self.next(),
        }
    }

    fn head(&mut self) -> Head {
        let (target, tid) = self.pair();
        let mut head = Head { target, tid, ..Head::default() };
        head.thread = self.next();
        head.thread_start_ns = self.next();
        head.address = self.next();
        head.fields = self.next();
        let _nested_loop = self.next();
        head.boundary_ns = self.next();
        head.boundary_idle_ns = self.next();
        head.boundary_account = self.account();
        head.turn = self.turn();
        (head.phase, _) = self.pair();
        head.phase_start_ns = self.next();
        let _phase_idle_ns = self.next();
        let _phase_events = self.next();
        head.drain_start_ns = self.next();
        let _drain_cpu_ns = self.next();
        head.queue = self.next();
        head.drain_base = self.next();
        head.drain_size = self.next();
        head.gc_start_ns = self.next();
        let _gc_delay_ns = self.next();
        let _gc_cpu_ns = self.next();
        (head.gc_depth, _) = self.pair();
        let (_drain_depth, is_void) = self.pair();
        head.is_void = is_void != 0;
        head.totals = self.totals();
        head
    }

    fn totals(&mut self) -> Totals {
        Totals {
            hits: self.next(),
            turns: self.next(),
            active_ns: self.next(),
            idle_ns: self.next(),
            microtasks: self.next(),
            nested_hits: self.next(),
            faults: self.next(),
            unpaired: self.next(),
            nested_drains: self.next(),
            stalls: self.next(),
            stall_ns: self.next(),
        }
    }

    fn histogram(&mut self, scale: Scale) -> Histogram {
        let (sum, min, max) = (self.next(), self.next(), self.next());
        let counts = (0..BUCKETS).map(|_| self.next()).collect();
        Histogram { scale, counts, sum: u128::from(sum), min, max }
    }

    /// Those that are whole: one that is written meanwhile has another number behind than before.
    fn stalls(&mut self) -> Vec<Ended> {
        let mut stalls: Vec<Ended> = self.0.chunks_exact(STALL_WORDS).filter_map(stall).collect();
        stalls.sort_unstable_by_key(|stall| stall.number);
        stalls
    }
}

fn stall(words: &[AtomicU64]) -> Option<Ended> {
    let number = words[0].load(Ordering::Acquire);
    let mut rest = Words(&words[1..]);
    let stall = Ended {
        number,
        start_ns: rest.next(),
        duration_ns: rest.next(),
        boundary_ns: rest.next(),
        turn: rest.turn(),
        account: rest.account(),
    };
    fence(Ordering::Acquire);
    (number != 0 && words[0].load(Ordering::Relaxed) == number).then_some(stall)
}

impl Reading {
    /// A loop that has hit no probe.
    pub(crate) fn empty() -> Reading {
        let time = || Histogram::new(Scale::Time);
        Reading {
            head: Head::default(),
            turn_ns: time(),
            poll_wait_ns: time(),
            lateness_ns: time(),
            phase_ns: std::array::from_fn(|_| time()),
            drain_length: Histogram::new(Scale::Length),
            drain_ns: time(),
            gc_ns: std::array::from_fn(|_| time()),
            stalls: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> Vec<AtomicU64> {
        let slot: Vec<AtomicU64> = (0..SLOT_WORDS).map(|_| AtomicU64::new(7)).collect();
        clear(&slot);
        slot
    }

    #[test]
    fn a_turn_that_is_not_known_is_void() {
        let slot = slot();
        void_turn(&slot);
        assert!(head(&slot).is_void);
    }

    #[test]
    fn an_empty_slot_holds_nothing() {
        let reading = read(&slot());
        let empty = Reading::empty();
        assert_eq!((reading.head, &reading.turn_ns), (empty.head, &empty.turn_ns));
        assert_eq!(reading.turn_ns, Histogram::new(Scale::Time));
        assert_eq!(reading.drain_length, Histogram::new(Scale::Length));
        assert!(reading.stalls.is_empty());
    }

    /// The array `layout` in the object.
    fn layout_of_the_object() -> Vec<usize> {
        use object::{Object, ObjectSection, ObjectSymbol};
        let bytes: &[u8] = include_bytes!("../../../../bpf/loop.bpf.o");
        let object = object::File::parse(bytes).unwrap();
        let symbol = object.symbols().find(|symbol| symbol.name() == Ok("layout")).unwrap();
        let section = object.section_by_index(symbol.section_index().unwrap()).unwrap();
        let data = section.data_range(symbol.address(), symbol.size()).unwrap().unwrap();
        let words = data.chunks_exact(4);
        words.map(|word| u32::from_ne_bytes(word.try_into().unwrap()) as usize).collect()
    }

    #[test]
    fn the_kernel_side_has_the_same_layout() {
        let totals = HEAD_WORDS;
        let histograms = HEAD_WORDS + TOTALS;
        let in_words = [
            SLOT_WORDS,
            usize::MAX, // The target, in bytes below.
            STALL_WORDS,
            THREAD_START,
            3,
            8,
            8 + ACCOUNT_WORDS,
            8 + ACCOUNT_WORDS + TURN_WORDS,
            8 + ACCOUNT_WORDS + TURN_WORDS + 4,
            totals - 2,
            totals,
            totals + TOTALS - 1,
            histograms + 2 * HISTOGRAM_WORDS,
            histograms + 3 * HISTOGRAM_WORDS,
            histograms + (3 + PHASES) * HISTOGRAM_WORDS,
            histograms + (5 + PHASES) * HISTOGRAM_WORDS,
            histograms + HISTOGRAMS * HISTOGRAM_WORDS,
            4,
            4 + TURN_WORDS,
        ];
        let mut want: Vec<usize> = in_words.iter().map(|words| words.wrapping_mul(8)).collect();
        let target = crate::source::live::ebpf::Layout::default().bytes();
        want[1] = target.len();
        // What is known of a target stands in its last four bytes.
        want.push(target.len() - 4);
        want.extend(crate::source::live::ebpf::samples::layout());
        want.extend(crate::source::live::ebpf::executed::layout());
        want.push(size_of::<crate::source::live::ebpf::Losses>());
        assert_eq!(layout_of_the_object(), want);
    }

    #[test]
    fn a_stall_that_is_being_written_is_left_out() {
        let slot = slot();
        let first = SLOT_WORDS - STALLS * STALL_WORDS;
        for (index, number) in [(0, 65), (1, 0), (2, 3)] {
            slot[first + index * STALL_WORDS].store(number, Ordering::Relaxed);
        }
        let numbers: Vec<u64> = read(&slot).stalls.iter().map(|stall| stall.number).collect();
        assert_eq!(numbers, [3, 65]);
    }
}
