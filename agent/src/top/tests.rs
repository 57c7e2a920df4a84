use loop_core::snapshot::{Culprit, Ledger, LedgerKey, Source, Tier};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;

const MS: u64 = 1_000_000;

fn row(target: &str, pid: u32, current_turn_ns: u64, turns: u64) -> Row {
    Row {
        target: target.to_owned(),
        pid,
        thread: "main".to_owned(),
        source: Some(Source::Ebpf),
        tier: Some(Tier::Passive),
        sampled: false,
        current_turn_ns,
        held_up: current_turn_ns >= 50 * MS,
        ended: false,
        utilization: Some(0.5),
        turns: Some(turns),
        turn_p99_ns: None,
        lateness_p99_ns: None,
        drain_max: None,
        stalls: 2,
        stalled_ns: 300 * MS,
    }
}

fn listed(target: &str, pid: u32, running: bool) -> Listed {
    let ledger_ns = Ledger::default()
        .with(LedgerKey::Javascript, 150 * MS)
        .with(LedgerKey::Microtasks, 50 * MS);
    Listed {
        target: target.to_owned(),
        pid,
        thread: "main".to_owned(),
        start_unix_ns: 1_500 * MS,
        duration_ns: 200 * MS,
        running,
        cause: "javascript",
        ledger_ns,
        microtasks: None,
        culprit: Some(Culprit {
            function: "hash".to_owned(),
            file: "/srv/a.js".to_owned(),
            line: 7,
            share: 1.0,
            samples: None,
            hot_leaf: None,
        }),
        stack: vec!["hash (/srv/a.js:7)".to_owned(), "handle (/srv/a.js:2)".to_owned()],
        waits: Vec::new(),
    }
}

fn now(unix_ns: u64, turns: u64) -> Now {
    Now {
        unix_ns,
        wall_ns: unix_ns,
        targets: 2,
        loops_count: 2,
        loops: vec![row("shop", 10, 3_000 * MS, turns), row("mail", 11, 0, turns)],
        stalls: vec![listed("shop", 10, true), listed("mail", 11, false)],
        diagnoses: Vec::new(),
    }
}

fn top() -> Top {
    let mut top = Top::default();
    top.take(now(1_000 * MS, 100));
    top.take(now(2_000 * MS, 150));
    top
}

fn picture(top: &Top) -> String {
    let mut terminal = Terminal::new(TestBackend::new(110, 16)).expect("a terminal of no kind");
    terminal.draw(|frame| draw(top, false, frame)).expect("it can be drawn on");
    terminal.backend().to_string()
}

#[test]
fn who_is_held_up_stands_on_top() {
    let picture = picture(&top());
    let lines: Vec<&str> = picture.lines().collect();
    assert!(lines[0].contains("2 processes, 2 loops, observed for 2.00 s"), "{picture}");
    assert!(lines[1].contains("3.00 s in one turn: shop (10)  hash (/srv/a.js:7)"), "{picture}");
    assert!(lines[4].contains("shop") && lines[5].contains("mail"), "{picture}");
    assert!(lines[5].contains("waits") && lines[5].contains("50.0 %"), "{picture}");
    assert!(lines[5].contains(" 50 "), "turns in a second: {picture}");
    // Three quarters JavaScript, one quarter microtasks, in the order of the ledger.
    assert!(picture.contains("200 ms mmmjjjjjjjjj javascript"), "{picture}");
}

#[test]
fn keys_choose_filter_open_and_end() {
    let mut top = top();
    assert_eq!(top.stalls().len(), 2);
    top.press(Key::Down);
    top.press(Key::Char('j'));
    assert_eq!(top.chosen, Some((11, "main".to_owned())));
    assert_eq!(top.stalls().len(), 1);
    top.press(Key::Enter);
    assert!(picture(&top).contains("            handle (/srv/a.js:2)"));
    for _ in 0..5 {
        top.press(Key::Up);
    }
    assert_eq!(top.chosen, Some((10, "main".to_owned())), "from none it begins at the first");
    assert!(!top.press(Key::Escape), "closes the stack");
    top.press(Key::Slash);
    "qmail".chars().for_each(|char| assert!(!top.press(Key::Char(char)), "{char} ends nothing"));
    assert!(top.rows().is_empty());
    assert!(picture(&top).contains("/qmail▏"));
    (0..5).for_each(|_| assert!(!top.press(Key::Backspace)));
    "MAIL".chars().for_each(|char| assert!(!top.press(Key::Char(char))));
    top.press(Key::Enter);
    assert_eq!(top.rows().len(), 1);
    assert!(!top.press(Key::Escape), "takes the filter away");
    assert_eq!(top.rows().len(), 2);
    assert!(top.press(Key::Escape) && top.press(Key::Char('q')));
}

#[test]
fn what_is_paused_stays_as_it_is() {
    let mut top = top();
    top.press(Key::Pause);
    top.take(now(9_000 * MS, 900));
    assert!(picture(&top).contains("observed for 2.00 s, paused"));
    top.press(Key::Pause);
    top.take(now(9_000 * MS, 900));
    assert!(picture(&top).contains("observed for 9.00 s"));
}

#[test]
fn a_pipe_gets_lines() {
    let mut top = top();
    let text = lines(&mut top, false);
    let all: Vec<&str> = text.lines().collect();
    assert!(all[0].starts_with("#time_s\ttarget\tpid"), "{text}");
    assert_eq!(all[1], "2.0\tshop\t10\tmain\theld up for 3.00 s\t0.500\t50.000\t2");
    assert_eq!(all[3], "# mail (11): held up for 200 ms, javascript hash (/srv/a.js:7)");
    assert_eq!(all.len(), 4, "{text}");
    top.take(now(3_000 * MS, 200));
    let text = lines(&mut top, true);
    assert!(!text.contains('#'), "no head, and the stall is no news: {text}");
}

#[test]
fn a_clock_that_was_set_hides_no_stall_and_tells_none_twice() {
    let (mut top, hour_ns) = (Top::default(), 3_600_000 * MS);
    let mut told = |at_ns: u64, starts: &[u64]| {
        let stall = |start: &u64| Listed { start_unix_ns: *start, ..listed("mail", 11, false) };
        let stalls = starts.iter().rev().map(stall).collect();
        top.take(Now { stalls, ..now(at_ns, 1) });
        lines(&mut top, true).lines().filter(|line| line.starts_with('#')).count()
    };
    assert_eq!(told(hour_ns, &[1_000, 2_000]), 2);
    assert_eq!(told(2 * hour_ns, &[1_000, 2_000]), 0);
    assert_eq!(told(2 * hour_ns + 1, &[1_000, 2_000, 3_000]), 1, "the clock was set ahead");
    assert_eq!(told(5, &[1_000, 2_000, 3_000]), 0, "and back");
    assert_eq!(told(6, &[2_000, 3_000, 4_000, 5_000]), 2);
}

#[test]
fn who_has_ended_is_not_shown_as_waiting() {
    let mut top = Top::default();
    let mut now = now(1, 1);
    now.loops[1].ended = true;
    top.take(now);
    let picture = picture(&top);
    let line = picture.lines().nth(5).expect("a line of it");
    assert!(line.contains("mail") && line.contains("ended"), "{picture}");
    assert!(lines(&mut top, true).contains("\tmain\thas ended\t"));
}

#[test]
fn names_move_no_cursor_and_a_small_terminal_breaks_nothing() {
    let mut top = Top::default();
    let mut now = now(1, 1);
    now.loops[0].target = "\u{1b}[2Jevil".to_owned();
    top.take(now);
    assert!(!picture(&top).contains('\u{1b}') && !lines(&mut top, true).contains('\u{1b}'));
    for (width, height) in [(1, 1), (5, 3), (20, 2)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        terminal.draw(|frame| draw(&top, true, frame)).expect("it can be drawn on");
    }
}
