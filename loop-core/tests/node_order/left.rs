//! What an exception leaves behind: when the rest of the queues runs.

use super::*;

/// Fails, and leaves `name` with a tick.
fn leaves(log: &Log, name: &'static str) -> impl FnOnce(&mut Loop) + use<> {
    let l = log.clone();
    move |lp| {
        l.add(name);
        lp.interrupt(move |lp| {
            l.add(format!("{name}-left"));
            lp.next_tick(l.note("tick"));
        });
    }
}

/// As after a timer that throws: Node looks at its queues again before the next list.
#[test]
fn what_a_timer_has_left_runs_between_the_lists() {
    check(
        |lp, log| {
            lp.set_timeout(1, leaves(log, "a"));
            lp.set_timeout(1, log.note("b"));
            lp.set_timeout(2, log.note("c"));
            lp.set_timeout(2, leaves(log, "d"));
            lp.set_immediate(log.note("immediate"));
            busy_ms(lp, 5);
        },
        "a b a-left tick c d d-left tick immediate",
    );
}

/// As when an interval clears itself and throws.
#[test]
fn what_a_timer_has_left_that_was_cleared_waits_for_one_list_more() {
    check(
        |lp, log| {
            let own = Rc::new(RefCell::new(None));
            let (id, l) = (own.clone(), log.clone());
            let set = lp.set_interval(1, move |lp| {
                lp.clear_timer(id.take().unwrap());
                leaves(&l, "a")(lp);
            });
            *own.borrow_mut() = Some(set);
            lp.set_timeout(2, log.note("b"));
            lp.set_timeout(3, log.note("c"));
            busy_ms(lp, 5);
        },
        "a b a-left tick c",
    );
}

#[test]
fn of_several_that_timers_of_a_list_have_left_the_first_runs() {
    check(
        |lp, log| {
            lp.set_timeout(1, leaves(log, "a"));
            lp.set_timeout(1, leaves(log, "b"));
            lp.set_timeout(2, leaves(log, "c"));
            busy_ms(lp, 5);
        },
        "a b a-left tick c c-left tick",
    );
}

/// Ticks between the timers of a list are drained as ever, and what they leave waits, too.
#[test]
fn what_a_tick_between_timers_has_left_waits_for_the_end_of_the_list() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_timeout(1, move |lp| {
                l.add("a");
                lp.next_tick(leaves(&l, "b"));
            });
            lp.set_timeout(1, log.note("c"));
            lp.set_timeout(2, log.note("d"));
            busy_ms(lp, 5);
        },
        "a b c b-left tick d",
    );
}

/// As behind a callback that throws.
#[test]
fn what_an_immediate_has_left_waits_for_one_immediate_more() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_immediate(move |lp| {
                l.add("a");
                for name in ["left", "too late"] {
                    let l = l.clone();
                    lp.interrupt(move |lp| {
                        l.add(name);
                        lp.next_tick(l.note("tick"));
                    });
                }
                lp.set_immediate(l.note("c"));
                lp.set_immediate(l.note("d"));
            });
            lp.set_immediate(log.note("b"));
        },
        "a b left tick c d",
    );
}

#[test]
fn what_is_left_waits_for_the_end_of_the_next_callback() {
    check(
        |lp, log| {
            lp.next_tick(leaves(log, "tick"));
            let l = log.clone();
            lp.timer_start(1, 0, move |lp| leaves(&l, "loop timer")(lp));
            lp.set_timeout(1, log.note("timer"));
            busy_ms(lp, 5);
        },
        "tick loop timer timer tick-left tick",
    );
}

/// Where a poll's callback has failed the check phase begins with what it left.
#[test]
fn what_is_left_runs_before_immediates() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_immediate(move |lp| {
                leaves(&l, "a")(lp);
                lp.set_immediate(l.note("b"));
            });
            let l = log.clone();
            lp.next_tick(move |lp| {
                leaves(&l, "main")(lp);
                lp.set_immediate(l.note("c"));
            });
        },
        "main main-left tick a c a-left tick b",
    );
}

/// As when the last immediate of a turn throws.
#[test]
fn behind_a_last_immediate_that_fails_those_that_were_queued_run_at_once() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_immediate(move |lp| {
                lp.set_immediate(l.note("b"));
                lp.set_timeout(1, l.note("timer"));
                busy_ms(lp, 5);
                leaves(&l, "a")(lp);
            });
            let cleared = lp.set_immediate(log.note("cleared"));
            lp.clear_immediate(cleared);
        },
        "a b a-left tick timer",
    );
}

/// As when a tick between two lists throws: neither is drained before the next list.
#[test]
fn what_fails_between_two_lists_lets_the_next_one_run() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_timeout(1, move |lp| {
                l.add("a");
                lp.next_tick(leaves(&l, "b"));
            });
            lp.set_timeout(2, log.note("c"));
            lp.set_timeout(3, log.note("d"));
            busy_ms(lp, 5);
        },
        "a b c b-left tick d",
    );
}

/// As in Node 20: where the loop's time has moved on in the drain, what is due by then is run.
#[test]
fn timers_that_fall_due_in_the_drain_behind_the_timers_run_before_immediates() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_timeout(1, move |lp| {
                lp.next_tick(move |lp| {
                    lp.set_timeout(1, l.note("due"));
                    busy_ms(lp, 5);
                    lp.set_timeout(50, l.note("late"));
                    lp.set_immediate(l.note("immediate"));
                });
            });
        },
        "due immediate late",
    );
}

/// As in a program whose turns are counted.
#[test]
fn a_watcher_that_is_passed_over_leaves_what_was_left_to_what_comes_next() {
    check(
        |lp, log| {
            let l = log.clone();
            let watcher = lp.prepare_start(move |lp| {
                l.add("turn");
                lp.pass_over();
            });
            lp.handle_unref(watcher);
            leaves(log, "main")(lp);
            lp.set_immediate(log.note("immediate"));
        },
        "main turn main-left tick immediate",
    );
}
