//! The passive tier by itself, without the agent around it: what it tells against what targets say.

use std::ops::Range;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::LoopSnapshot;
use loopscope::elf::Image;
use loopscope::plan;
use loopscope::process::Process;
use loopscope::source::live::clock::monotonic_ns;
use loopscope::source::live::layout::uv_layout;
use loopscope::source::live::loops::Places;
use loopscope::source::live::memory::Memory;
use loopscope::source::live::passive::{Options, Passive, State};
use serde_json::Value;

use crate::alone;
use crate::kernel::can_attach;
use crate::nodes::{self, Node};
use crate::target::Target;

const MS: u64 = 1_000_000;
const THRESHOLD_NS: u64 = 50 * MS;

/// Only a hang takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A running watch, and what it told when a stall was running.
struct Watching {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Watched>,
}

/// What it comes to.
struct Watched {
    passive: Passive,
    running: Vec<Running>,
    /// When it looked, by `CLOCK_MONOTONIC`: on a busy machine it may not have had a CPU.
    looks_ns: Vec<u64>,
}

/// A stall that was told while it went on: its loop, when it began, and how long it had lasted.
#[derive(Clone, Debug)]
struct Running {
    thread: String,
    start_unix_ns: u64,
    duration_ns: u64,
}

fn open(pid: u32) -> Passive {
    let process = Process::open(pid).unwrap_or_else(|error| panic!("{error:?}"));
    let files = process.modules().expect("its files can be read");
    let images: Vec<Image> =
        files.iter().map(|file| Image::read(file.open().unwrap()).unwrap()).collect();
    let plan = plan::plan(&images).expect("it is a Node");
    let layout = plan.versions.uv.and_then(uv_layout).expect("its libuv is known");
    let memory = Memory::open(process.identity()).expect("its memory can be read");
    let places = Places::of(&plan, &files);
    let options = Options { threshold_ns: THRESHOLD_NS, called_pause_ns: None };
    Passive::new(Arc::new(process), Arc::new(memory), layout, places, options)
}

impl Watching {
    fn start(pid: u32) -> Watching {
        let stop = Arc::new(AtomicBool::new(false));
        let mut passive = open(pid);
        let told_to_stop = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut running, mut looks_ns) = (Vec::new(), Vec::new());
            while !told_to_stop.load(Ordering::Relaxed) {
                looks_ns.push(monotonic_ns());
                let due_ns = passive.tick(monotonic_ns()).min(monotonic_ns() + 100 * MS);
                note_running(&passive.loops(), &mut running);
                sleep(Duration::from_nanos(due_ns.saturating_sub(monotonic_ns())));
            }
            passive.tick(u64::MAX / 2);
            Watched { passive, running, looks_ns }
        });
        Watching { stop, thread }
    }

    fn stop(self) -> Watched {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch does not panic")
    }
}

/// Keeps the longest duration that was told of each stall that was running.
fn note_running(loops: &[LoopSnapshot], all: &mut Vec<Running>) {
    for seen in loops {
        let Some(stall) = seen.stalls.last().filter(|stall| stall.running) else { continue };
        let is_same = |known: &&mut Running| {
            known.thread == seen.thread && known.start_unix_ns.abs_diff(stall.start_unix_ns) < MS
        };
        match all.iter_mut().find(is_same) {
            Some(known) => known.duration_ns = stall.duration_ns,
            None => all.push(Running {
                thread: seen.thread.clone(),
                start_unix_ns: stall.start_unix_ns,
                duration_ns: stall.duration_ns,
            }),
        }
    }
}

fn named<'a>(loops: &'a [LoopSnapshot], thread: &str) -> &'a LoopSnapshot {
    let found = loops.iter().find(|seen| seen.thread == thread);
    found.unwrap_or_else(|| panic!("no {thread} in {loops:?}"))
}

/// Whether this Node's libuv counts turns.
fn counts_turns(node: &Node) -> bool {
    node.line() > 18
}

#[test]
fn every_stall_is_seen_while_it_runs() {
    let _alone = alone();
    for node in nodes::both_ends("every_stall_is_seen_while_it_runs") {
        let mut target = Target::start(&node, "stalls.js");
        let watching = Watching::start(target.pid());
        target.go_and_be_done();
        let watched = watching.stop();
        let truth = target.end();
        let seen = named(&watched.passive.loops(), "main").clone();
        let stalls: Vec<Held> =
            truth["stalls"].as_array().into_iter().flatten().map(held).collect();
        let mut looked = 0;
        for (index, stall) in stalls.iter().enumerate() {
            let since_ns = index.checked_sub(1).map_or(0, |before| stalls[before].end_ns);
            let until_ns = stalls.get(index + 1).map_or(u64::MAX, |next| next.start_ns);
            let counted = stall.way != "sets timers" || counts_turns(&node);
            if counted && watched.looked_at(stall) {
                looked += 1;
                is_told(stall, since_ns..until_ns, &watched.running, &seen);
            }
        }
        let told = watched.running.len();
        println!("Node {}: {looked} of {} had to be told, {told} were", node.version, stalls.len());
        assert!(looked > stalls.len() / 2, "too few looks: {:?}", watched.looks_ns);
        assert_eq!(watched.passive.events().seen, seen.stall_totals.total_count());
        // What the target does beside them is short.
        assert!(seen.stall_totals.total_count() <= stalls.len() as u64, "{:?}", seen.stalls);
    }
}

/// How a target held its loop, by its own words, in `CLOCK_MONOTONIC`.
#[derive(Debug)]
struct Held {
    way: String,
    start_ns: u64,
    end_ns: u64,
}

fn held(truth: &Value) -> Held {
    let number = |name: &str| truth[name].as_f64().expect("a number") as u64;
    let way = truth["way"].as_str().expect("a word").to_owned();
    let start_ns = number("start_ns");
    Held { way, start_ns, end_ns: start_ns + number("duration_ns") }
}

impl Watched {
    /// Whether there was a look at it while it was a stall for certain.
    fn looked_at(&self, held: &Held) -> bool {
        let is_stall = held.start_ns + THRESHOLD_NS + 12 * MS..held.end_ns;
        self.looks_ns.iter().any(|look_ns| is_stall.contains(look_ns))
    }
}

/// It was told while it ran and is listed now, by a turn that began behind the stall before it and
/// ended before the next one.
fn is_told(held: &Held, within_ns: Range<u64>, running: &[Running], seen: &LoopSnapshot) {
    let unix_ns = |ns: u64| ns.saturating_add(unix_since());
    let begins = unix_ns(within_ns.start)..unix_ns(held.end_ns);
    let ran = running.iter().find(|ran| begins.contains(&ran.start_unix_ns));
    let ran = ran.unwrap_or_else(|| panic!("{held:?} was not told: {running:?}"));
    let ended = seen.stalls.iter().find(|stall| begins.contains(&stall.start_unix_ns));
    let ended = ended.unwrap_or_else(|| panic!("{held:?} is not listed: {:?}", seen.stalls));
    let told = format!("{held:?}: {ran:?}, {ended:?}");
    assert!(!ended.running && ended.duration_ns >= ran.duration_ns, "{told}");
    assert!(ended.start_unix_ns + ended.duration_ns < unix_ns(within_ns.end), "{told}");
    assert_eq!(ended.ledger_ns.total_ns(), ended.duration_ns);
}

/// What to add to `CLOCK_MONOTONIC` to have the time since the Unix epoch.
fn unix_since() -> u64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    unix.as_nanos() as u64 - monotonic_ns()
}

#[test]
fn one_that_began_before_is_as_old_as_it_is() {
    let _alone = alone();
    for node in nodes::both_ends("one_that_began_before_is_as_old_as_it_is") {
        for args in [&["--at-once"][..], &["--at-once", "--worker"]] {
            let begun = Instant::now();
            let mut target = Target::start_with(&node, "forever.js", args);
            sleep(Duration::from_millis(700));
            let passive = open(target.pid());
            let thread = if args.len() == 1 { "main" } else { "worker-1" };
            let most_ns = begun.elapsed().as_nanos() as u64;
            let seen = named(&passive.loops(), thread).clone();
            let age_ns = seen.current_turn_ns();
            println!("Node {} {thread}: {} ms of {}", node.version, age_ns / MS, most_ns / MS);
            assert!(age_ns >= 500 * MS && age_ns <= most_ns, "{seen:?}");
            assert!(seen.stalls.last().is_some_and(|stall| stall.running), "{seen:?}");
            ends_with_the_target(passive, &mut target);
        }
    }
}

/// What was seen stays, and a stall that ran until the end has ended.
fn ends_with_the_target(mut passive: Passive, target: &mut Target) {
    let before = passive.loops();
    target.kill();
    let since = Instant::now();
    while !passive.state().is_over {
        assert!(since.elapsed() < LIMIT, "{:?}", passive.state());
        passive.tick(monotonic_ns());
        sleep(Duration::from_millis(10));
    }
    assert_eq!(passive.state(), State { is_over: true, ..State::default() });
    let after = passive.loops();
    assert_eq!(after.len(), before.len());
    assert!(after.iter().all(|seen| seen.stalls.iter().all(|stall| !stall.running)));
    assert_eq!(after.iter().map(|seen| seen.stalls.len()).sum::<usize>(), 1);
    assert_eq!(passive.tick(monotonic_ns()), u64::MAX);
}

#[test]
fn utilization_is_nodes_own() {
    let _alone = alone();
    for node in nodes::both_ends("utilization_is_nodes_own") {
        let mut target = Target::start(&node, "busy.js");
        let mut passive = open(target.pid());
        target.go();
        passive.tick(monotonic_ns() + 1_000 * MS);
        let before = named(&passive.loops(), "main").clone();
        target.done();
        passive.tick(monotonic_ns() + 1_000 * MS);
        let truth = target.end()["utilization"].as_f64().unwrap();
        let seen = named(&passive.loops(), "main").since(&before);
        let told = seen.utilization.unwrap();
        println!("Node {}: {told:.4} told, {truth:.4} by Node", node.version);
        assert!((told - truth).abs() < 0.02, "Node {}: {told} and {truth}", node.version);
        assert_eq!(seen.turns.is_some(), counts_turns(&node));
    }
}

#[test]
fn microtasks_are_counted_exactly_on_every_thread() {
    let _alone = alone();
    for node in nodes::both_ends("microtasks_are_counted_exactly_on_every_thread") {
        let mut target = Target::start(&node, "workers.js");
        sleep(Duration::from_millis(200));
        let watching = Watching::start(target.pid());
        // What Node itself runs when workers start is over.
        sleep(Duration::from_millis(200));
        target.go_and_be_done();
        let Watched { passive, .. } = watching.stop();
        let loops = passive.loops();
        assert_eq!(loops.len(), 4, "{loops:?}");
        target.end();
        for (thread, jobs) in [("worker-1", 5_000), ("worker-2", 10_000), ("worker-3", 15_000)] {
            let seen = named(&loops, thread);
            println!("Node {} {thread}: {:?}", node.version, seen.microtasks);
            assert_eq!(seen.microtasks, Some(jobs), "Node {} {thread}", node.version);
        }
        assert_eq!(named(&loops, "main").microtasks, Some(100), "Node {} main", node.version);
    }
}

#[test]
fn a_stopped_target_is_read_as_readily() {
    let _alone = alone();
    for node in nodes::some("a_stopped_target_is_read_as_readily") {
        let target = Target::start(&node, "forever.js");
        target.signal("STOP");
        let mut passive = open(target.pid());
        assert_eq!(passive.state().no_main, None);
        let before = named(&passive.loops(), "main").clone();
        passive.tick(monotonic_ns() + 1_000 * MS);
        let since = named(&passive.loops(), "main").since(&before);
        assert_eq!((since.turns.unwrap_or(0), since.microtasks), (0, Some(0)), "{since:?}");
        assert!(since.active_ns > Some(0) || since.idle_ns > Some(0), "{since:?}");
        assert_eq!(target.state(), 'T');
        target.signal("CONT");
    }
}

#[test]
fn a_target_of_another_time_namespace() {
    let _alone = alone();
    let test = "a_target_of_another_time_namespace";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let begun_ns = monotonic_ns() + unix_since();
        let mut command = Command::new("unshare");
        command.args(["--time", "--fork", "--monotonic", "864000"]).arg(&node.program);
        command.arg(nodes::script_path("forever.js")).arg("--at-once");
        let target = Target::spawn_child("forever.js, ten days later", command);
        sleep(Duration::from_millis(300));
        let seen = named(&open(target.pid()).loops(), "main").clone();
        let [running] = seen.stalls.as_slice() else { panic!("{seen:?}") };
        let now_ns = monotonic_ns() + unix_since();
        assert!((begun_ns..now_ns).contains(&running.start_unix_ns), "{running:?}");
        assert!(running.running && running.duration_ns < now_ns - begun_ns, "{running:?}");
        // What started it ends when it does.
        Command::new("kill").args(["-KILL", &target.pid().to_string()]).status().expect("kill");
    }
}
