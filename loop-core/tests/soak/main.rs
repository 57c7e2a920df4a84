//! A loop under mixed load leaks nothing: after each round no handle is left, and descriptors,
//! threads and memory are what they were when the loop was warm.
//!
//! `LOOPSCOPE_SOAK_SECONDS=600 cargo test -p loop-core --release --test soak -- --nocapture`
//! goes on for ten minutes; without the variable it is three seconds.

mod live;
mod load;

use std::time::{Duration, Instant};

use loop_core::snapshot::LoopSnapshot;
use loop_core::{Loop, Options, RunMode, RunStatus};

use live::{Held, Live, held};

#[global_allocator]
static LIVE: Live = Live;

const SECONDS: u64 = 3;

/// Rounds before the levels are taken: each load has come several times, so that whatever grows to
/// the largest load has grown.
const WARM_UP: u64 = 5 * load::LOADS;

/// Blocks of memory by which a round's end may differ from another's: a queue that the system's
/// timing leaves in another state. A leak of one block a round is more after this many rounds.
const BLOCKS_MORE: i64 = 40;

/// Bytes likewise: such a queue may be of another size.
const BYTES_MORE: i64 = 256 * 1024;

/// How long the threads of a loop that is gone may take to end.
const THREADS_END: Duration = Duration::from_secs(30);

/// What a process can run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    descriptors: usize,
    threads: usize,
    memory: Held,
}

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn level() -> Level {
    let memory = held();
    Level { descriptors: entries("/proc/self/fd"), threads: entries("/proc/self/task"), memory }
}

/// Runs a loop until nothing is left, thawing it as often as it is frozen.
fn run_out(lp: &mut Loop) {
    loop {
        match lp.run(RunMode::Default).unwrap() {
            RunStatus::Done => return,
            RunStatus::Frozen => lp.pass(Duration::from_micros(200)),
            other => panic!("nothing stops this loop: {other:?}"),
        }
    }
}

/// A loop that is dropped with everything pending takes its descriptors and threads with it.
fn drop_a_busy_loop(round: u64) {
    let mut lp = Loop::new(Options { thread_pool_size: Some(2), ..Options::default() }).unwrap();
    load::start(&mut lp, round);
    lp.run(RunMode::NoWait).unwrap();
    drop(lp);
}

/// Waits until the threads of loops that are gone have ended.
fn wait_for_threads(threads: usize) {
    let give_up = Instant::now() + THREADS_END;
    while entries("/proc/self/task") > threads {
        assert!(Instant::now() < give_up, "{} threads are left", entries("/proc/self/task"));
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_loop_under_mixed_load_leaks_nothing() {
    let seconds = std::env::var("LOOPSCOPE_SOAK_SECONDS");
    let seconds = seconds.map_or(SECONDS, |text| text.parse().expect("whole seconds"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let options = Options { thread_pool_size: Some(4), detail: true, ..Options::default() };
    let mut lp = Loop::new(options).unwrap();
    let reader = lp.reader();
    let mut seen = LoopSnapshot::default();
    let (mut warm, mut most) = (None, level());
    let mut round = 0;
    while round <= WARM_UP || Instant::now() < end {
        load::start(&mut lp, round);
        run_out(&mut lp);
        assert!(!lp.is_alive(), "round {round}: something is left");
        if let Some(Level { threads, .. }) = warm {
            drop_a_busy_loop(round);
            wait_for_threads(threads);
        }
        reader.snapshot_into(&mut seen);
        let now = level();
        round += 1;
        if round == WARM_UP {
            drop_a_busy_loop(round);
            wait_for_threads(now.threads);
            warm = Some(level());
        }
        if let Some(warm) = warm {
            check(round, warm, now);
            most = higher(most, now);
        }
    }
    let warm = warm.expect("the warm-up is over");
    print(round, seconds, &seen, [warm, most, level()]);
}

fn check(round: u64, warm: Level, now: Level) {
    let same = (now.descriptors, now.threads) == (warm.descriptors, warm.threads);
    let blocks_more = now.memory.blocks - warm.memory.blocks;
    let bytes_more = now.memory.bytes - warm.memory.bytes;
    let bounded = blocks_more <= BLOCKS_MORE && bytes_more <= BYTES_MORE;
    assert!(same && bounded, "round {round}: {now:?}, warm {warm:?}");
}

fn higher(a: Level, b: Level) -> Level {
    Level {
        descriptors: a.descriptors.max(b.descriptors),
        threads: a.threads.max(b.threads),
        memory: Held {
            blocks: a.memory.blocks.max(b.memory.blocks),
            bytes: a.memory.bytes.max(b.memory.bytes),
        },
    }
}

fn print(rounds: u64, seconds: u64, seen: &LoopSnapshot, levels: [Level; 3]) {
    println!("{rounds} rounds in {seconds} s or more, {} turns", seen.turns.unwrap());
    println!(
        "{} timers, {} immediates, {} microtasks, {} jobs, frozen {} ms",
        seen.timers.unwrap(),
        seen.immediates.unwrap(),
        seen.microtasks.unwrap(),
        seen.thread_pool.run_ns.as_ref().unwrap().count(),
        seen.frozen_ns.unwrap() / 1_000_000,
    );
    for (name, level) in ["warm", "most", "end"].into_iter().zip(levels) {
        let Level { descriptors, threads, memory } = level;
        let Held { blocks, bytes } = memory;
        println!(
            "{name}: {descriptors} descriptors, {threads} threads, {blocks} blocks, {bytes} bytes"
        );
    }
}
