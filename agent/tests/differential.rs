//! Node's order of events: random scheduling programs, run by loopscope and by the Node of the search
//! path, must print the same and end with the same status.
//!
//! `LOOPSCOPE_ORDER_PROGRAMS=5000 cargo test -p loopscope --test differential -- --nocapture` looks
//! further, `LOOPSCOPE_ORDER_SEED` repeats a batch, `LOOPSCOPE_ORDER_PROGRAM` one program,
//! `LOOPSCOPE_ORDER_RUNS=3` has Node run each program three times first, which counts its races.
//! Without a Node what it printed on an earlier day serves (`differential/recorded`).

#[path = "differential/mod.rs"]
mod differential;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use differential::batch::{self, seeds};
use differential::judge::Pair;
use differential::mutants::MUTANTS;
use differential::run::{Folder, Runner};
use differential::show::first_difference;

/// Programs that CI tries.
const PROGRAMS: usize = 300;

/// Within so many programs each broken rule must show.
const MUTANT_PROGRAMS: usize = 150;

/// So many differences end a batch.
const ENOUGH: usize = 20;

/// How many differences are shown in full.
const SHOWN: usize = 5;

/// A number from the environment, written as decimal or with `0x`.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Some(parsed.unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn time_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_nanos() as u64
}

#[test]
fn random_programs_run_as_in_node() {
    let Some(node) = Runner::node() else {
        println!("SKIPPED: random programs: no `node` in the search path");
        return;
    };
    let runs = number("LOOPSCOPE_ORDER_RUNS").unwrap_or(1) as usize;
    let pair = Pair { node, ours: Runner::ours(), runs };
    let seed = number("LOOPSCOPE_ORDER_SEED").unwrap_or_else(time_seed);
    let count = number("LOOPSCOPE_ORDER_PROGRAMS").unwrap_or(PROGRAMS as u64) as usize;
    let one = number("LOOPSCOPE_ORDER_PROGRAM");
    let seeds = one.map_or_else(|| seeds(seed, count), |seed| vec![seed]);
    println!("LOOPSCOPE_ORDER_SEED={seed:#x}, {} programs", seeds.len());
    let start = Instant::now();
    let batch = batch::run("programs", &pair, &seeds, ENOUGH);
    print!("{}", batch.coverage.table());
    println!(
        "{} programs in {:.0?}: {} the same, {} races of Node left out {:x?}, {} unsteady, {} differ",
        batch.run(),
        start.elapsed(),
        batch.same,
        batch.races.len(),
        batch.races,
        batch.unsteady.len(),
        batch.different.len(),
    );
    for (seed, difference) in batch.different.iter().chain(&batch.unsteady) {
        println!("  {seed:#x}: {}", first_difference(difference));
    }
    let unsteady_max = 1 + batch.run() / 200;
    let too_many = batch.unsteady.len() > unsteady_max;
    let shown = batch.different.iter().chain(batch.unsteady.iter().filter(|_| too_many));
    let told: Vec<String> =
        shown.take(SHOWN).map(|(seed, first)| batch::tell(&pair, *seed, first)).collect();
    assert!(told.is_empty(), "{} programs differ:\n{}", batch.different.len(), told.join("\n"));
}

/// The test must be able to fail: each rule that is broken shows within some programs.
#[test]
fn broken_rules_are_noticed() {
    let Some(node) = Runner::node() else {
        println!("SKIPPED: broken rules: no `node` in the search path");
        return;
    };
    let seeds = seeds(number("LOOPSCOPE_ORDER_SEED").unwrap_or(1), MUTANT_PROGRAMS);
    let folder = Folder::new("mutants");
    let files = MUTANTS.iter().enumerate();
    folder.write(files.map(|(index, (_, text))| (format!("{index}.js"), (*text).to_owned())));
    let mut missed = Vec::new();
    for (index, (rule, _)) in MUTANTS.iter().enumerate() {
        let ours = Runner::altered(&folder.path().join(format!("{index}.js")));
        let pair = Pair { node: node.clone(), ours, runs: 1 };
        let batch = batch::run(&format!("mutant-{index}"), &pair, &seeds, 1);
        println!("{:3} programs until it shows: {rule}", batch.run());
        if batch.different.is_empty() {
            missed.push(*rule);
        }
    }
    assert!(missed.is_empty(), "not noticed within {MUTANT_PROGRAMS} programs: {missed:?}");
}
