//! Made-up reports against made-up truths.

use super::*;

fn block() -> Block {
    let lines = Some((3, 9));
    let file = Some("/x/a.js".to_owned());
    Block {
        start_unix_ms: Some(1_000.0),
        duration_ms: 300.0,
        run_delay_ms: Some(0.5),
        stolen_ms: None,
        function: Some(Function { name: "load".to_owned(), file, lines }),
        ledger_ms: [("sync_io".to_owned(), 100.0), ("javascript".to_owned(), 200.0)].into(),
    }
}

fn stall() -> Stall {
    let parts = [("sync_io", 104.5), ("javascript", 190.5), ("unknown", 6.0)];
    Stall {
        start_unix_ms: 999.0,
        duration_ms: 301.5,
        function: Some("Cache.load".to_owned()),
        file: Some("file:///y/a.js".to_owned()),
        line: Some(5),
        ledger_ms: parts.map(|(key, ms)| (key.to_owned(), ms)).into(),
    }
}

fn judged(blocks: Vec<Block>, stalls: Vec<Stall>) -> Vec<(Criterion, String)> {
    let cause = Some("sync-io".to_owned());
    let truth = Truth { cause, stalls: blocks, ..Truth::default() };
    let seen = Seen { diagnoses: vec!["sync-io".to_owned()], stalls, ..Seen::default() };
    let judged = Judged::of(&truth, &seen);
    judged.misses().map(|(criterion, why)| (criterion, why.to_owned())).collect()
}

/// The one miss when the stall is told a little otherwise.
fn miss(change: impl FnOnce(&mut Stall)) -> (Criterion, String) {
    let mut stall = stall();
    change(&mut stall);
    let misses = judged(vec![block()], vec![stall]);
    assert_eq!(misses.len(), 1, "{misses:?}");
    misses[0].clone()
}

#[test]
fn what_waits_beside_the_callback_is_run_queue_and_no_more_than_that() {
    let mut told = stall();
    told.duration_ms += 40.0;
    told.ledger_ms.insert(RUN_QUEUE.to_owned(), 48.0);
    let mut block = block();
    block.ledger_ms.insert(RUN_QUEUE.to_owned(), 2.0);
    let wrong = |told: &Stall| {
        let misses = judged(vec![block.clone()], vec![told.clone()]);
        misses.iter().any(|(_, why)| why.contains("2.0 ms run_queue"))
    };
    assert!(!wrong(&told), "41.5 ms lie beside it");
    told.ledger_ms.insert(RUN_QUEUE.to_owned(), 49.0);
    assert!(wrong(&told));
}

#[test]
fn what_is_within_the_bar_is_right() {
    assert_eq!(judged(vec![block()], vec![stall()]), []);
}

#[test]
fn a_duration_may_be_off_by_a_percent_and_a_short_one_by_a_millisecond() {
    let (criterion, why) = miss(|stall| {
        stall.duration_ms = 303.5;
        stall.ledger_ms.insert("native".to_owned(), 2.0);
    });
    assert_eq!((criterion, &*why), (Criterion::Duration, "300.00 ms were told as 303.50"));
    assert!((tolerance(60.0) - 1.0).abs() < 1e-9 && (tolerance(300.0) - 3.0).abs() < 1e-9);
}

#[test]
fn a_function_has_a_name_a_file_and_a_line() {
    for (change, why) in [
        (
            Box::new(|stall: &mut Stall| stall.function = None) as Box<dyn Fn(&mut Stall)>,
            "load was not told",
        ),
        (Box::new(|stall| stall.function = Some("reload".to_owned())), "load was told as reload"),
        (Box::new(|stall| stall.file = Some("b.js".to_owned())), "load was told to be in b.js"),
        (Box::new(|stall| stall.line = Some(10)), "load is on 3 to 9, not on 10"),
        (Box::new(|stall| stall.line = None), "load has no line"),
    ] {
        assert_eq!(miss(change), (Criterion::Function, why.to_owned()));
    }
}

#[test]
fn each_key_of_a_ledger_is_compared_and_little_is_unknown() {
    let ledger = |key: &'static str, ms: f64| {
        miss(move |stall| {
            let old = stall.ledger_ms.insert(key.to_owned(), ms).unwrap_or(0.0);
            *stall.ledger_ms.entry("gc".to_owned()).or_default() += old - ms;
        })
    };
    let told = |why: &str| (Criterion::Ledger, why.to_owned());
    let of = "of javascript 190.5, sync_io 105.5, unknown 6.0";
    let wrong = format!("100.0 ms sync_io were told as 105.5, {of}");
    assert_eq!(ledger("sync_io", 105.5), told(&wrong));
    let of = "of javascript 189.0, sync_io 104.5, unknown 6.0, gc 1.5";
    let wrong = format!("200.0 ms javascript were told as 189.0, {of}");
    assert_eq!(ledger("javascript", 189.0), told(&wrong));
    assert_eq!(ledger("unknown", 16.0), told("16.0 ms of 301.5 are unknown"));
    let lost = miss(|stall| assert_eq!(stall.ledger_ms.remove("unknown"), Some(6.0)));
    assert_eq!(lost, told("the ledger of 301.5 ms has 295.0"));
    let null = miss(|stall| {
        let javascript = stall.ledger_ms.remove("javascript").unwrap();
        stall.ledger_ms.insert("native".to_owned(), javascript);
    });
    let of = "of native 190.5, sync_io 104.5, unknown 6.0";
    let wrong = format!("200.0 ms javascript were told as nothing, {of}");
    assert_eq!(null, told(&wrong));
}

#[test]
fn what_a_hypervisor_took_is_noise_in_a_ledger_and_no_more_than_that() {
    let told = |javascript: f64, stolen_ms: f64| {
        let parts = [("javascript", 230.0), ("frozen", 70.0)];
        let ledger_ms = parts.map(|(key, ms)| (key.to_owned(), ms)).into();
        let stolen_ms = Some(stolen_ms);
        let block = Block { ledger_ms, stolen_ms, function: None, ..block() };
        let mut seen = Stall { duration_ms: 300.0, ..stall() };
        let parts = [("javascript", javascript), ("frozen", 300.0 - javascript)];
        seen.ledger_ms = parts.map(|(key, ms)| (key.to_owned(), ms)).into();
        let truth = Truth { stalls: vec![block], ..Truth::default() };
        let judged = Judged::of(&truth, &Seen { stalls: vec![seen], ..Seen::default() });
        (judged.may_be_noise(), judged.misses().count())
    };
    assert_eq!(told(233.0, 0.0), (false, 0));
    assert_eq!(told(245.0, 0.0), (false, 2), "nobody took it");
    assert_eq!(told(245.0, 15.0), (true, 2));
    assert_eq!(told(275.0, 15.0), (false, 2), "15 ms are not 45");
}

#[test]
fn stalls_are_found_by_when_they_were_and_none_is_invented() {
    let other = Stall { start_unix_ms: 5_000.0, ..stall() };
    let misses = judged(vec![block()], vec![other.clone()]);
    let whys: Vec<&str> = misses.iter().map(|(_, why)| why.as_str()).collect();
    let invented = "a stall of 301.5 ms is none of the program's";
    assert_eq!(whys, ["a stall of 300.0 ms was not seen", invented]);
    assert_eq!(judged(vec![block()], vec![other, stall()])[0].1, invented);
}

#[test]
fn a_turn_that_others_made_long_is_none_of_the_programs() {
    let waited = |ms: f64| {
        let ledger_ms = [("run_queue".to_owned(), ms)].into();
        Stall { start_unix_ms: 5_000.0, duration_ms: 90.0, ledger_ms, ..Stall::default() }
    };
    assert_eq!(judged(vec![block()], vec![stall(), waited(41.0)]), []);
    assert_eq!(judged(vec![block()], vec![stall(), waited(39.0)]).len(), 1);
    let mut others = stall();
    others.function = None;
    others.ledger_ms.insert("run_queue".to_owned(), 252.0);
    let misses = judged(vec![block()], vec![others]);
    assert!(misses.iter().all(|(criterion, _)| *criterion != Criterion::Function), "{misses:?}");
}

#[test]
fn without_a_time_the_nearest_duration_is_meant() {
    let block = |duration_ms| Block { duration_ms, ..Block::default() };
    let stall = |duration_ms| Stall { duration_ms, ..Stall::default() };
    let at = matched(&[block(100.0), block(300.0)], &[stall(299.0), stall(101.0), stall(7.0)]);
    assert_eq!(at, [Some(1), Some(0)]);
    assert_eq!(matched(&[block(100.0)], &[stall(300.0)]), [None]);
}

#[test]
fn what_waiting_for_a_cpu_explains_is_left_out_and_nothing_else() {
    let told = |run_queue: f64, diagnosis: &str| {
        let mut late = Stall { duration_ms: 320.0, function: None, ..stall() };
        late.ledger_ms.insert("run_queue".to_owned(), run_queue);
        let cause = Some("sync-io".to_owned());
        let truth = Truth { cause, stalls: vec![block()], ..Truth::default() };
        let diagnoses = vec![diagnosis.to_owned()];
        Judged::of(&truth, &Seen { diagnoses, stalls: vec![late], ..Seen::default() })
    };
    assert!(!told(16.0, "gc-pressure").may_be_noise(), "4 ms of 20 are left");
    assert!(told(18.0, "gc-pressure").may_be_noise());
    let mut judged = told(21.0, "cpu-starved");
    assert!(judged.may_be_noise());
    assert_eq!(
        judged.take_noise(),
        ["sync-io was told cpu-starved", "300.00 ms were told as 320.00"]
    );
    assert!(!judged.may_be_noise() && judged.verdict.is_none());
    let left: Vec<Criterion> = judged.misses().map(|(criterion, _)| criterion).collect();
    assert_eq!(left, [Criterion::Function], "{judged:?}");
}

#[test]
fn verdicts_and_drains_are_compared() {
    let truth = Truth {
        cause: Some("microtask-flood".to_owned()),
        longest_drain: Some(60_000),
        ..Truth::default()
    };
    let seen = |told: &str, jobs| Seen {
        diagnoses: vec![told.to_owned(), "gc-pressure".to_owned()],
        longest_drain: jobs,
        ..Seen::default()
    };
    let right = Judged::of(&truth, &seen("microtask-flood", Some(60_000)));
    assert_eq!(right.misses().count(), 0);
    let wrong = Judged::of(&truth, &seen("healthy", Some(59_999)));
    let pair = ("microtask-flood".to_owned(), "healthy".to_owned());
    assert_eq!(wrong.verdict, Some(pair));
    let whys: Vec<&str> = wrong.misses().map(|(_, why)| why).collect();
    assert_eq!(
        whys,
        ["microtask-flood was told healthy, gc-pressure", "a drain of 60000 jobs has 59999",]
    );
    let open = Truth { cause: None, ..truth };
    assert_eq!(Judged::of(&open, &seen("healthy", Some(60_000))).verdict, None);
}
