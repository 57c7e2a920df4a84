//! How often a loop that is held up is looked at, each with its reason.

/// The part of the stall threshold that a turn must have been open for: a stall is then known from
/// its first fifth on, and what is no stall costs nothing.
pub(super) const OPEN_PARTS: u64 = 5;

/// A wait for events that begins so long after the poll was entered has begun before, too: from the
/// one to the other libuv takes some microseconds.
pub(super) const BEGUN_AGAIN_NS: u64 = 200_000;

/// How often loops are looked at of which none is open for so long, in nanoseconds, where stalls
/// are of the usual length.
const IDLE_PAUSE_NS: u64 = 10_000_000;

/// The same where processes are watched that nobody has named, for as long as they run: it costs
/// two thirds, and of the shortest stall the second half is still seen.
const WATCH_PAUSE_NS: u64 = 15_000_000;

/// So many loops are looked at as often as one; of more, each is less often, so that all of them
/// cost as much,
const CHEAP_LOOPS: u64 = 8;

/// and this is the longest pause: of the shortest stall the last fifth is still seen.
const LONGEST_PAUSE_NS: u64 = 20_000_000;

/// What stalls usually last, at least.
const USUAL_NS: u64 = 50_000_000;

/// Nothing is looked at more often: what is shorter would need as many looks as it has samples.
const SHORTEST_PAUSE_NS: u64 = 500_000;

/// How often loops are looked at of which none is open for a fifth of the threshold. Stalls that
/// are shorter are looked for more often: the second look at a turn is the first that tells.
pub(super) fn idle_pause_ns(threshold_ns: u64, whole_host: bool, loops: usize) -> u64 {
    let few_ns = if whole_host { WATCH_PAUSE_NS } else { IDLE_PAUSE_NS };
    let many_ns = IDLE_PAUSE_NS * (loops as u64) / CHEAP_LOOPS;
    let usual_ns = many_ns.clamp(few_ns, LONGEST_PAUSE_NS);
    (usual_ns * threshold_ns.min(USUAL_NS) / USUAL_NS).max(SHORTEST_PAUSE_NS)
}

/// For how long, where a host is watched, the kernel is kept ready to sample threads behind a loop
/// that was held up.
pub(super) const READY_NS: u64 = 60_000_000_000;

/// How a loop is looked at that has been held up for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// From one sample of a thread that is on a CPU to the next.
    pub(super) period_ns: u64,
    /// From one look at what it waits for to the next. The kernel keeps 32 samples meanwhile.
    pub(super) pause_ns: u64,
}

/// The longer a stall is, the less often it has to be looked at to tell its parts to a percent or
/// two.
const PACES: [(u64, Pace); 5] = [
    (8_000_000, Pace { period_ns: 200_000, pause_ns: 500_000 }),
    (50_000_000, Pace { period_ns: 1_000_000, pause_ns: 2_000_000 }),
    (300_000_000, Pace { period_ns: 2_000_000, pause_ns: 3_000_000 }),
    (2_000_000_000, Pace { period_ns: 4_000_000, pause_ns: 5_000_000 }),
    (u64::MAX, Pace { period_ns: 10_000_000, pause_ns: 20_000_000 }),
];

/// The most samples between two looks: an eighth of what the kernel keeps, as looks may be late.
const SAMPLES_A_LOOK: u64 = 4;

/// The pace for a turn that is open for so long, of which its thread ran for `ran_ns`, looked at so
/// many times less often than usual. Who waits is not sampled: what runs behind a long wait is
/// looked at as closely as if there had been none.
pub(super) fn pace(open_ns: u64, ran_ns: u64, slower: u64) -> Pace {
    let of = |ns: u64| {
        let fits = PACES.iter().find(|(upto_ns, _)| ns < *upto_ns);
        fits.map_or(PACES[PACES.len() - 1].1, |(_, pace)| *pace)
    };
    let pause_ns = of(open_ns).pause_ns;
    let period_ns = of(ran_ns.min(open_ns)).period_ns.max(pause_ns / SAMPLES_A_LOOK);
    Pace { period_ns: period_ns * slower, pause_ns: pause_ns * slower }
}

/// The part of the time in which a loop is held up that looking at it may take of a CPU before the
/// next stalls are looked at half as often.
pub(super) const SHARE: f64 = 0.01;

/// The CPU time that is saved for stalls to come: what some twenty of 100 ms take, or some seconds
/// of shorter ones that follow one another.
pub(super) const BURST_NS: i64 = 50_000_000;

/// For how long the files of a process' control group stay open behind the beginning of a stall.
pub(super) const GROUP_KEPT_NS: u64 = 1_000_000_000;

/// How often a wait that goes on is counted, and the time for which a control group was throttled,
/// in nanoseconds. They are also when they are over.
pub(super) const COUNTED_NS: u64 = 20_000_000;

/// By how much a look must be late for the machine to be asked whether it stood still: what is
/// shorter has other reasons, and is no stall by itself.
pub(super) const SILENCE_NS: u64 = 25_000_000;

/// Ended stretches that are kept for each loop: as many as stalls.
pub(super) const EPISODES_KEPT: usize = 64;

/// Waits for events whose times are kept for each loop. A stall is asked for within 100 ms.
pub(super) const WAITED_KEPT: usize = 64;

/// Things waited for that are told apart in one stall.
pub(super) const WAITS_MAX: usize = 16;

/// Sockets and pipes whose other ends are remembered in one stall.
pub(super) const PEERS_KEPT: usize = 64;

/// Processes that are looked at for the other end of a pipe, and descriptors of all of them: no
/// other loop is looked at meanwhile.
pub(super) const RELATIVES_MAX: usize = 64;
pub(super) const DESCRIPTORS_MAX: usize = 4_096;

/// Bytes of a path that a system call was given.
pub(super) const PATH_BYTES_MAX: usize = 4_096;

/// Bytes of a waiting thread's stack that are looked through for its frames.
pub(super) const STACK_BYTES_MAX: usize = 64 << 10;

/// The same of a thread that was on a CPU, which happens at each sample.
pub(super) const LEAF_STACK_BYTES_MAX: usize = 16 << 10;

/// Bytes of a compiled script, and of its source map, which may hold the sources, too.
pub(super) const SCRIPT_BYTES_MAX: u64 = 16 << 20;
pub(super) const MAP_BYTES_MAX: u64 = 48 << 20;

/// Scripts whose files are looked at in a process.
pub(super) const SCRIPTS_MAX: usize = 4_096;

/// Bytes that all maps of a process take.
pub(super) const MAPS_BYTES_MAX: usize = 128 << 20;

/// Scripts without their maps that are told by name.
pub(super) const UNMAPPED_TOLD: usize = 8;

/// Bytes that are read of what V8 writes of its code: the last ones.
pub(super) const PERF_MAP_BYTES_MAX: u64 = 64 << 20;

/// How often that is looked at, in nanoseconds.
pub(super) const PERF_MAP_NS: u64 = 1_000_000_000;

const _: () = assert!(PACES[0].1.pause_ns <= SAMPLES_A_LOOK * PACES[0].1.period_ns);
const _: () = assert!(PACES[1].1.pause_ns <= SAMPLES_A_LOOK * PACES[1].1.period_ns);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_stalls_are_looked_for_more_often() {
        let pauses = [1, 2, 10, 50, 500].map(|ms| idle_pause_ns(ms * 1_000_000, false, 1));
        assert_eq!(pauses, [500_000, 500_000, 2_000_000, 10_000_000, 10_000_000]);
        assert_eq!(idle_pause_ns(50_000_000, true, 1), 15_000_000);
    }

    #[test]
    fn many_loops_are_looked_at_less_often_and_the_shortest_stall_is_still_seen_twice() {
        let pauses = [0, 8, 12, 16, 300].map(|loops| idle_pause_ns(USUAL_NS, false, loops));
        assert_eq!(pauses, [10_000_000, 10_000_000, 15_000_000, 20_000_000, 20_000_000]);
        assert_eq!(idle_pause_ns(USUAL_NS, true, 8), 15_000_000);
        assert_eq!(idle_pause_ns(5_000_000, false, 300), 2_000_000);
        const { assert!(2 * LONGEST_PAUSE_NS < USUAL_NS) };
    }

    #[test]
    fn usual_stalls_are_not_looked_at_as_closely_as_the_shortest() {
        assert_eq!(pace(USUAL_NS / OPEN_PARTS, u64::MAX, 1).period_ns, 1_000_000);
    }

    #[test]
    fn what_runs_behind_a_long_wait_is_sampled_as_if_there_had_been_none() {
        let ms = |open: u64, ran: u64, slower: u64| {
            let Pace { period_ns, pause_ns } = pace(open * 1_000_000, ran * 1_000_000, slower);
            (period_ns / 1_000, pause_ns / 1_000)
        };
        assert_eq!(ms(320, 320, 1), (4_000, 5_000));
        assert_eq!(ms(320, 60, 1), (2_000, 5_000));
        assert_eq!(ms(320, 20, 1), (1_250, 5_000), "no sample is overwritten");
        assert_eq!(ms(60_000, 20, 1), (5_000, 20_000));
        assert_eq!(ms(320, 20, 4), (5_000, 20_000));
        assert_eq!(ms(30, 900, 1), (1_000, 2_000), "of another turn, too");
    }
}
