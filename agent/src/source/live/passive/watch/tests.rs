//! The watch of a loop against loops whose every turn is known.

use proptest::prelude::*;

use super::*;

const MS: u64 = 1_000_000;
/// A loop's clock that is not 0.
const BEGIN_NS: u64 = 5_000 * MS;

/// What a loop does, one after the other.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// The turn: for how long it holds the loop, and after how long of it the loop's clock is set
    /// again, by a timer.
    active_ns: u64,
    clock_set_ns: Option<u64>,
    microtasks: u64,
    /// How long the poll behind it waits; 0: not at all.
    waits_ns: u64,
}

/// A loop as libuv keeps its counts.
struct Simulated {
    steps: Vec<Step>,
    counts_turns: bool,
}

impl Simulated {
    /// The turn at `at_ns`, if there is one: when it began, and how many were before it.
    fn sample(&self, at_ns: u64) -> (Sample, Option<(u64, usize)>) {
        let mut reading = LoopReading {
            loop_time_ms: BEGIN_NS / MS,
            loop_count: self.counts_turns.then_some(0),
            events: None,
            idle_ns: 0,
            waiting_since_ns: None,
            flags: 1,
            finished_microtasks: Some(0),
        };
        let mut begin_ns = BEGIN_NS;
        let mut open = None;
        for (number, step) in self.steps.iter().enumerate() {
            let end_ns = begin_ns + step.active_ns;
            reading.loop_time_ms = begin_ns / MS;
            let set_ns = step.clock_set_ns.map(|after| begin_ns + after.min(step.active_ns));
            if let Some(set_ns) = set_ns.filter(|&set_ns| set_ns <= at_ns) {
                reading.loop_time_ms = set_ns / MS;
            }
            if at_ns < end_ns {
                let done = (at_ns - begin_ns) * step.microtasks / step.active_ns;
                reading.finished_microtasks = reading.finished_microtasks.map(|all| all + done);
                open = Some((begin_ns, number));
                break;
            }
            reading.finished_microtasks =
                reading.finished_microtasks.map(|all| all + step.microtasks);
            reading.loop_count = reading.loop_count.map(|count| count + 1);
            reading.loop_time_ms = end_ns / MS;
            begin_ns = end_ns + step.waits_ns;
            if at_ns < begin_ns {
                reading.waiting_since_ns = Some(end_ns);
                break;
            }
            reading.idle_ns += step.waits_ns;
        }
        let account = Some(Account { on_cpu_ns: at_ns, run_delay_ns: at_ns / 10 });
        (Sample { at_ns, reading, account }, open)
    }

    fn end_ns(&self) -> u64 {
        BEGIN_NS + self.steps.iter().map(|step| step.active_ns + step.waits_ns).sum::<u64>()
    }
}

fn turn(active_ms: u64, waits_ms: u64) -> Step {
    let (active_ns, waits_ns) = (active_ms * MS, waits_ms * MS);
    Step { active_ns, clock_set_ns: None, microtasks: active_ms, waits_ns }
}

/// What is told of the turns when the loop is read at these times after its begin.
fn ended(steps: &[Step], at_ms: &[u64]) -> (Watch, Vec<Turn>) {
    let simulated = Simulated { steps: steps.to_vec(), counts_turns: true };
    let at = |ms: u64| simulated.sample(BEGIN_NS + ms * MS).0;
    let mut watch = Watch::new(at(at_ms[0]));
    let ended = at_ms[1..].iter().filter_map(|&ms| watch.note(at(ms))).collect();
    (watch, ended)
}

#[test]
fn a_turn_between_two_waits_that_were_seen_is_exact() {
    let steps = [turn(1, 99), turn(70, 130)];
    let (watch, turns) = ended(&steps, &[50, 90, 130, 160, 200]);
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].start_ns, BEGIN_NS + 100 * MS);
    assert_eq!((turns[0].duration_ns, turns[0].microtasks), (70 * MS, Some(70)));
    let ledger = turns[0].ledger_ns;
    assert_eq!(ledger.get(LedgerKey::RunQueue), Some(3 * MS), "a tenth of 130 to 160");
    assert_eq!(ledger.total_ns(), 70 * MS);
    assert_eq!((watch.turns(), watch.microtasks()), (Some(1), Some(70)));
    assert_eq!((watch.wall_ns(), watch.idle_ns()), (150 * MS, 80 * MS));
}

#[test]
fn a_turn_between_two_readings_is_exact_too_if_it_was_the_only_one() {
    let (_, turns) = ended(&[turn(1, 99), turn(30, 170)], &[90, 150]);
    assert_eq!((turns[0].duration_ns, turns[0].microtasks), (30 * MS, Some(30)));
    assert_eq!(turns[0].ledger_ns.get(LedgerKey::RunQueue), None, "not seen in it");
    let (_, turns) = ended(&[turn(1, 99), turn(10, 1), turn(19, 170)], &[90, 150]);
    assert_eq!(turns, [], "two of them");
}

#[test]
fn a_turn_that_began_long_before_is_as_old_as_the_loops_clock_says() {
    let (watch, turns) = ended(&[turn(9_000, 10)], &[5_000, 5_010]);
    assert_eq!(turns, []);
    let open = watch.open().unwrap();
    assert_eq!(open.duration_ns, 5_010 * MS - MS, "the clock cuts off what is less than 1 ms");
    let (watch, turns) = ended(&[turn(9_000, 100)], &[5_000, 9_050]);
    assert_eq!(turns[0].duration_ns, 9_000 * MS - MS, "its end is seen");
    assert_eq!(watch.open(), None);
}

#[test]
fn turns_that_follow_each_other_without_a_wait_are_no_long_one() {
    let steps = [turn(30, 0); 20];
    let (_, turns) = ended(&steps, &[10, 20, 50, 80, 110, 140, 170]);
    assert!(turns.iter().all(|turn| turn.duration_ns < 30 * MS), "{turns:?}");
    assert_eq!(turns.len(), 5);
}

#[test]
fn a_turn_that_is_just_ending_is_not_told_twice() {
    let simulated = Simulated { steps: vec![turn(70, 100)], counts_turns: true };
    let at = |ms: u64| simulated.sample(BEGIN_NS + ms * MS).0;
    let mut watch = Watch::new(at(10));
    watch.note(at(60));
    // The next poll is counted already, but the loop has not asked the kernel yet.
    let mut ending = at(69);
    ending.reading.loop_count = Some(1);
    let ended = watch.note(ending).unwrap();
    assert!(ended.duration_ns > 50 * MS);
    assert_eq!(watch.open().unwrap().duration_ns, 0);
    assert!(watch.note(at(80)).is_none_or(|turn| turn.duration_ns <= 11 * MS));
}

#[test]
fn without_a_count_the_loops_clock_tells_turns_apart() {
    let simulated = Simulated { steps: vec![turn(30, 0); 20], counts_turns: false };
    let at = |ms: u64| simulated.sample(BEGIN_NS + ms * MS).0;
    let mut watch = Watch::new(at(10));
    for ms in (20..590).step_by(10) {
        watch.note(at(ms));
        assert!(watch.open().unwrap().duration_ns <= 30 * MS);
    }
    assert_eq!(watch.turns(), None);
    assert_eq!(watch.idle_ns(), 0);
}

#[test]
fn what_libuv_forgets_of_a_wait_is_given_back() {
    let waits = |at_ms: u64, since_ms: u64, idle_ms: u64| {
        let (sample, _) = Simulated { steps: vec![], counts_turns: true }.sample(at_ms * MS);
        let reading = LoopReading {
            waiting_since_ns: Some(since_ms * MS),
            idle_ns: idle_ms * MS,
            ..sample.reading
        };
        Sample { reading, ..sample }
    };
    let mut watch = Watch::new(waits(6_000, 5_500, 100));
    // A signal: the same poll waits since later.
    assert_eq!(watch.note(waits(6_100, 6_050, 100)), None);
    assert_eq!(watch.idle_ns(), 100 * MS);
    watch.note(waits(6_200, 6_050, 100));
    assert_eq!((watch.wall_ns(), watch.idle_ns()), (200 * MS, 200 * MS));
}

fn step() -> impl Strategy<Value = Step> {
    let active = prop_oneof![1u64..3_000, 1u64..200_000];
    let waits = prop_oneof![Just(0), 1u64..100_000];
    (active, prop::option::of(0u64..200_000), 0u64..1_000, waits).prop_map(
        |(active_us, clock_us, microtasks, waits_us)| Step {
            active_ns: active_us * 1_000,
            clock_set_ns: clock_us.map(|us| us * 1_000),
            microtasks,
            waits_ns: waits_us * 1_000,
        },
    )
}

proptest! {
    #[test]
    fn no_turn_is_told_longer_than_any_was_and_sums_are_exact(
        steps in prop::collection::vec(step(), 1..30),
        gaps_us in prop::collection::vec(1_000u64..60_000, 2..80),
        counts_turns in any::<bool>(),
    ) {
        let simulated = Simulated { steps, counts_turns };
        let mut at_ns = BEGIN_NS;
        let mut times = gaps_us.iter().map(|us| { at_ns += us * 1_000; at_ns })
            .filter(|&at_ns| at_ns < simulated.end_ns());
        let Some(first_ns) = times.next() else { return Ok(()) };
        let (first, _) = simulated.sample(first_ns);
        let mut watch = Watch::new(first);
        let longest_ns = simulated.steps.iter().map(|step| step.active_ns).max().unwrap_or(0);
        // Without a count, two turns in one millisecond of the loop's clock look like one.
        let merged_ns = if counts_turns { 0 } else { MS };
        let mut counted = 0;
        for at_ns in times {
            let (sample, open) = simulated.sample(at_ns);
            if let Some(turn) = watch.note(sample) {
                prop_assert!(turn.duration_ns <= longest_ns + merged_ns);
                prop_assert_eq!(turn.ledger_ns.total_ns(), turn.duration_ns);
                counted += turn.microtasks.unwrap_or(0);
            }
            let told = watch.open();
            prop_assert_eq!(told.is_some(), open.is_some());
            if let (Some(told), Some((begin_ns, _))) = (told, open) {
                let start_ns = told.start_ns + merged_ns;
                prop_assert!(start_ns >= begin_ns, "{start_ns} < {begin_ns}");
            }
            let waited_ns = |sample: &Sample| sample.reading.idle_ns
                + sample.reading.waiting_since_ns.map_or(0, |since| sample.at_ns - since);
            prop_assert_eq!(watch.idle_ns(), waited_ns(&sample) - waited_ns(&first));
            prop_assert!(counted <= watch.microtasks().unwrap_or(0));
        }
    }

    #[test]
    fn a_turn_longer_than_the_pause_is_seen_with_at_most_the_pause_missing(
        active_ms in 41u64..500, begins_ms in 1u64..40, waits_ms in 100u64..200,
        clock_set_ms in prop::option::of(0u64..500),
    ) {
        const PAUSE_MS: u64 = 40;
        let clock_set_ns = clock_set_ms.map(|ms| ms * MS);
        let long = Step { clock_set_ns, ..turn(active_ms, waits_ms) };
        let steps = [turn(1, 100), turn(1, begins_ms), long];
        let at_ms: Vec<u64> = (1..20).map(|tick| tick * PAUSE_MS).collect();
        let (watch, turns) = ended(&steps, &at_ms);
        let told = turns.iter().chain(watch.open().as_ref()).map(|turn| turn.duration_ns).max();
        prop_assert!(told.unwrap_or(0) >= (active_ms - PAUSE_MS) * MS, "{told:?}");
    }
}
