//! Batches of programs, on all processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::generate;
use super::judge::{Difference, Pair, Verdict};
use super::random::Random;
use super::run::Folder;
use super::show::{Coverage, side_by_side};
use super::shrink::shrink;
use super::tree::Program;

/// What came of a batch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) same: usize,
    /// Their seeds.
    pub(crate) races: Vec<u64>,
    pub(crate) unsteady: Vec<(u64, Difference)>,
    pub(crate) different: Vec<(u64, Difference)>,
    pub(crate) coverage: Coverage,
}

impl Batch {
    pub(crate) fn run(&self) -> usize {
        self.same + self.races.len() + self.unsteady.len() + self.different.len()
    }

    fn add(&mut self, seed: u64, program: &Program, verdict: Verdict) {
        self.coverage.add(&program.own_text());
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Race => self.races.push(seed),
            Verdict::Unsteady(difference) => self.unsteady.push((seed, *difference)),
            Verdict::Different(difference) => self.different.push((seed, *difference)),
        }
    }
}

/// The seeds of a batch's programs.
pub(crate) fn seeds(batch_seed: u64, count: usize) -> Vec<u64> {
    let mut random = Random::new(batch_seed);
    (0..count).map(|_| random.next()).collect()
}

/// Runs the programs of all seeds, or until so many differ.
pub(crate) fn run(name: &str, pair: &Pair, seeds: &[u64], enough: usize) -> Batch {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let batch = Mutex::new(Batch::default());
    // Programs wait for timers, so there may be more of them than processors.
    let threads = thread::available_parallelism().map_or(2, usize::from) + 1;
    thread::scope(|scope| {
        for number in 0..threads {
            let (next, stop, batch) = (&next, &stop, &batch);
            scope.spawn(move || {
                let folder = Folder::new(&format!("{name}-{number}"));
                while !stop.load(Ordering::Relaxed) {
                    let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    let program = generate::program(seed);
                    let verdict = pair.judge(&program, &folder);
                    let mut batch = batch.lock().expect("no thread panics");
                    batch.add(seed, &program, verdict);
                    if batch.different.len() >= enough {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    batch.into_inner().expect("no thread panicked")
}

/// A difference as a person wants it: the smallest program found, both outputs, how to see it
/// again.
pub(crate) fn tell(pair: &Pair, seed: u64, first: &Difference) -> String {
    let folder = Folder::new(&format!("shrink-{seed:x}"));
    let mut last = first.clone();
    let small = shrink(&generate::program(seed), |program| {
        let found = pair.still_differs(program, &folder);
        found.is_some_and(|difference| {
            last = difference;
            true
        })
    });
    format!(
        "seed {seed:#x}\n  to see it again: LOOPSCOPE_ORDER_PROGRAM={seed:#x} cargo test -p \
         loopscope \
         --test differential -- --nocapture programs\n{}\n{}",
        small.own_text(),
        side_by_side(&last)
    )
}
