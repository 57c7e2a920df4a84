//! Node's order of events: random scheduling programs, run by loopscope and by the Node of the
//! search path, must print the same and end with the same status.
//!
//! `LOOPSCOPE_ORDER_PROGRAMS=5000 cargo test -p loopscope --test differential -- --nocapture` looks
//! further, `LOOPSCOPE_ORDER_SEED` repeats a batch, `LOOPSCOPE_ORDER_PROGRAM` one program,
//! `LOOPSCOPE_ORDER_RUNS=3` has Node run each program three times first, which counts its races.
//! `cargo test -p loopscope --test differential broken -- --ignored --nocapture` shows that rules
//! which are broken are noticed. Without a Node what it printed on an earlier day serves
//! (`differential/recorded`).

#[path = "differential/mod.rs"]
mod differential;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use differential::batch::{self, seeds};
use differential::judge::{Difference, Pair};
use differential::mutants::MUTANTS;
use differential::run::{Folder, Runner, Status};
use differential::show::{first_difference, side_by_side};
use differential::{counts, generate, recorded};
use loopscope_workloads::scripts;

/// Programs that CI tries, of another seed each time.
const PROGRAMS: usize = 200;

/// Within so many programs each broken rule must show.
const MUTANT_PROGRAMS: usize = 150;

/// One of so many programs may be held up by a busy machine in loopscope and not in Node.
const UNSTEADY: usize = 200;

/// Of a hundred programs at most so many may be left out, as Node's own runs of them differ:
/// more, and the test looks at less than it says.
const LEFT_OUT_PERCENT: usize = 15;

/// Of fewer programs than this no share is asked.
const SHARED: usize = 25;

/// So many differences end a batch.
const ENOUGH: usize = 20;

/// Programs of which the drains are counted.
const COUNTED: u64 = 30;

/// How often a program that is known is run: one run may be held up by a busy machine.
const TRIES: usize = 3;

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

/// One test at a time: each keeps all processors busy, and what is timed must not wait for others.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn time_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_nanos() as u64
}

/// What is wrong where too many of a batch's programs are left out.
fn too_many_left_out(left_out: usize, of: usize) -> Option<String> {
    let too_many = of >= SHARED && left_out * 100 > of * LEFT_OUT_PERCENT;
    too_many.then(|| {
        format!("{left_out} of {of} programs left out, at most {LEFT_OUT_PERCENT} % may be")
    })
}

#[test]
fn too_many_that_are_left_out_are_a_failure() {
    assert_eq!(too_many_left_out(15, 100), None);
    assert_eq!(too_many_left_out(24, 24), None);
    let told = too_many_left_out(16, 100);
    assert_eq!(told.as_deref(), Some("16 of 100 programs left out, at most 15 % may be"));
}

#[test]
fn random_programs_run_as_in_node() {
    let _alone = alone();
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
        "{} programs in {:.0?}: {} the same, {} races of Node left out {:x?}, {} unsteady, {} \
         differ",
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
    let unsteady_max = 1 + batch.run() / UNSTEADY;
    let too_many = batch.unsteady.len() > unsteady_max;
    let shown = batch.different.iter().chain(batch.unsteady.iter().filter(|_| too_many));
    let told: Vec<String> =
        shown.take(SHOWN).map(|(seed, first)| batch::tell(&pair, *seed, first)).collect();
    assert!(told.is_empty(), "{} programs differ:\n{}", batch.different.len(), told.join("\n"));
    assert_eq!(too_many_left_out(batch.races.len(), batch.run()), None);
}

/// A difference that was found once does not come back. Without a Node its recorded output serves.
#[test]
fn programs_that_once_differed_run_as_in_node() {
    let _alone = alone();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/regressions");
    let mut files: Vec<String> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .filter(|name| !name.ends_with(".out"))
        .collect();
    files.sort();
    for file in &files {
        let recorded = folder.join(format!("{file}.out"));
        let shown = |runner: &Runner| {
            let outcome = runner.run(&folder, file);
            format!("{}exit status {}\n", outcome.stdout, outcome.status)
        };
        let node = Runner::node();
        if number("LOOPSCOPE_ORDER_RECORD").is_some() {
            let node = node.as_ref().expect("there is a `node`");
            fs::write(&recorded, shown(node)).expect("a file can be written");
        }
        let want = fs::read_to_string(&recorded).unwrap_or_default();
        for (whose, runner) in [("loopscope", Some(Runner::ours())), ("Node", node)] {
            let runs = |runner: &Runner| (0..TRIES).map(|_| shown(runner)).find(|got| *got == want);
            let runner = runner.filter(|runner| runs(runner).is_none());
            if let Some(runner) = runner {
                assert_eq!(shown(&runner), want, "{file}: {whose}, then what was recorded");
            }
        }
    }
    println!("{} programs that once differed are the same", files.len());
}

/// Where there is no Node these are all that is compared.
#[test]
fn recorded_programs_run_as_in_node() {
    let _alone = alone();
    let text = fs::read_to_string(recorded::folder().join("programs.txt")).expect("it is there");
    let programs = recorded::parse(&text);
    let folder = Folder::new("recorded");
    let mut different = Vec::new();
    for program in &programs {
        program.write(&folder);
        let runs = (0..TRIES).map(|_| Runner::ours().run(folder.path(), program.main()));
        let runs: Vec<_> = runs.take_while(|ours| *ours != program.expected).collect();
        if let [.., last] = &runs[..]
            && runs.len() == TRIES
        {
            let node = program.expected.clone();
            let difference = Difference { node, ours: last.clone() };
            different.push(format!("{}\n{}", program.seed, side_by_side(&difference)));
        }
    }
    println!("{} recorded programs, {} differ", programs.len(), different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Makes the recording anew, from programs that are not long and always the same in Node.
#[test]
#[ignore = "writes into the source"]
fn record_programs() {
    const WANTED: usize = 40;
    const LONGEST: usize = 2_600;
    let node = Runner::node().expect("there is a `node`");
    let folder = Folder::new("record");
    let mut text = String::new();
    let mut count = 0;
    for seed in seeds(number("LOOPSCOPE_ORDER_SEED").unwrap_or(4), WANTED * 8) {
        let program = generate::program(seed);
        if count == WANTED || program.own_text().len() > LONGEST {
            continue;
        }
        folder.write_program(&program);
        let first = node.run(folder.path(), program.main());
        let steady = (0..3).all(|_| node.run(folder.path(), program.main()) == first);
        // Where it stands in the file system must not be seen.
        let local = first.stdout.contains("differential");
        if steady && !local && matches!(first.status, Status::Code(_)) && first.stdout.len() > 60 {
            text += &recorded::line(seed, &program, &first);
            count += 1;
        }
    }
    let to = recorded::folder().join("programs.txt");
    fs::write(to, text).expect("a file can be written");
    println!("{count} programs recorded");
}

/// Each drain is as long as V8's own.
#[test]
fn drains_are_as_long_as_in_node() {
    let _alone = alone();
    let Some(node) = Runner::node() else {
        println!("SKIPPED: lengths of drains: no `node` in the search path");
        return;
    };
    let seed = number("LOOPSCOPE_ORDER_SEED").unwrap_or_else(time_seed);
    let count = number("LOOPSCOPE_ORDER_COUNTED").unwrap_or(COUNTED) as usize;
    println!("LOOPSCOPE_ORDER_SEED={seed:#x}, {count} programs");
    let one = number("LOOPSCOPE_ORDER_PROGRAM");
    let seeds = one.map_or_else(|| seeds(seed, count), |seed| vec![seed]);
    let counted = counts::run(&node, &seeds);
    let different = &counted.different;
    println!(
        "{} the same, {} left out, {} differ: {different:x?}",
        counted.same,
        counted.left_out,
        different.len()
    );
    let shown = different.iter().take(SHOWN).map(|seed| counts::tell(&node, *seed));
    let told = shown.collect::<Vec<_>>().join("\n");
    assert!(told.is_empty(), "drains differ:\n{told}");
    assert_eq!(too_many_left_out(counted.left_out, seeds.len()), None);
}

/// So are those of each call of `fs.promises` and of each way to import.
#[test]
fn drains_of_files_and_modules_are_as_long_as_in_node() {
    let _alone = alone();
    let Some(node) = Runner::node() else {
        println!("SKIPPED: lengths of drains: no `node` in the search path");
        return;
    };
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/drains");
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let text = fs::read_to_string(entry.path()).expect("text");
        (entry.file_name().into_string().expect("a plain name"), text)
    };
    let folder = Folder::new("drains");
    folder.write(fs::read_dir(from).expect("the folder is there").map(read));
    let check = |main: &&str| counts::check(&node, folder.path(), main, &[]);
    let all = ["files.js", "modules.mjs", "thrown.js"];
    let different: Vec<String> = all.iter().filter_map(check).collect();
    assert!(different.is_empty(), "drains differ:\n{}", different.join("\n"));
}

/// So are those of every script that is compiled in.
#[test]
fn drains_of_scripts_are_as_long_as_in_node() {
    let _alone = alone();
    let Some(node) = Runner::node() else {
        println!("SKIPPED: lengths of drains: no `node` in the search path");
        return;
    };
    let (next, different) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = |number: usize| {
        let folder = Folder::new(&format!("scripts-{number}"));
        folder.write([]);
        while let Some(script) = scripts().get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = counts::check_script(&node, script, folder.path());
            different.lock().expect("no thread panics").extend(found);
        }
    };
    thread::scope(|scope| {
        let work = &work;
        (0..3).for_each(|number| drop(scope.spawn(move || work(number))));
    });
    let different = different.into_inner().expect("no thread panicked");
    println!("{} scripts, {} differ", scripts().len(), different.len());
    assert!(different.is_empty(), "drains differ:\n{}", different.join("\n"));
}

/// The test must be able to fail: each rule that is broken shows within some programs.
#[test]
#[ignore = "takes minutes"]
fn broken_rules_are_noticed() {
    let _alone = alone();
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
        let preload = folder.path().join(format!("{index}.js"));
        let ours = node.clone().with(&["--require", preload.to_str().expect("UTF-8")]);
        let pair = Pair { node: node.clone(), ours, runs: 1 };
        let batch = batch::run(&format!("mutant-{index}"), &pair, &seeds, 1);
        println!("{:3} programs until it shows: {rule}", batch.run());
        if batch.different.is_empty() {
            missed.push(*rule);
        }
    }
    assert!(missed.is_empty(), "not noticed within {MUTANT_PROGRAMS} programs: {missed:?}");
}
