//! Node's order of events: which queue is served when. Each test names the rule it holds to.

mod left;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use loop_core::{Clock, Loop, Options, Promise, Reason, RunMode, RunStatus};

/// A list of what ran, shared by all callbacks.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    fn note(&self, what: &'static str) -> impl FnOnce(&mut Loop) + use<> {
        let log = self.clone();
        move |_| log.add(what)
    }
}

/// Runs a main program to its end under virtual time and compares what ran with `expect`.
fn check(main: impl FnOnce(&mut Loop, &Log), expect: &str) {
    let options = Options { clock: Clock::virtual_time(), ..Options::default() };
    let mut lp = Loop::new(options).unwrap();
    let log = Log::default();
    lp.enter(|lp| main(lp, &log));
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    assert_eq!(log.0.borrow().join(" "), expect);
}

fn busy_ms(lp: &mut Loop, ms: u64) {
    lp.busy(Duration::from_millis(ms));
}

#[test]
fn ticks_then_microtasks_then_timers_or_immediates() {
    check(
        |lp, log| {
            lp.set_timeout(0, log.note("timeout"));
            lp.set_immediate(log.note("immediate"));
            lp.queue_microtask(log.note("microtask"));
            lp.next_tick(log.note("tick"));
            busy_ms(lp, 1);
        },
        "tick microtask timeout immediate",
    );
}

#[test]
fn inside_an_io_callback_immediates_come_before_timers() {
    check(
        |lp, log| {
            let log = log.clone();
            lp.queue_work(
                || (),
                move |lp, _| {
                    lp.set_timeout(0, log.note("timeout"));
                    lp.set_immediate(log.note("immediate"));
                    busy_ms(lp, 5);
                },
            );
        },
        "immediate timeout",
    );
}

#[test]
fn all_ticks_run_before_the_first_microtask_and_again() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.queue_microtask(move |lp| {
                l.add("m1");
                lp.next_tick(l.note("t3"));
                lp.queue_microtask(l.note("m3"));
            });
            lp.queue_microtask(log.note("m2"));
            let l = log.clone();
            lp.next_tick(move |lp| {
                l.add("t1");
                lp.next_tick(l.note("t2"));
            });
        },
        "t1 t2 m1 m2 m3 t3",
    );
}

#[test]
fn queues_are_drained_between_timers_of_a_list_and_between_lists() {
    check(
        |lp, log| {
            for (name, ms) in [("a", 1), ("b", 1), ("c", 2)] {
                let l = log.clone();
                lp.set_timeout(ms, move |lp| {
                    l.add(name);
                    let m = l.clone();
                    lp.queue_microtask(move |_| m.add(format!("{name}-microtask")));
                    let t = l.clone();
                    lp.next_tick(move |_| t.add(format!("{name}-tick")));
                });
            }
            busy_ms(lp, 5);
        },
        "a a-tick a-microtask b b-tick b-microtask c c-tick c-microtask",
    );
}

#[test]
fn queues_are_drained_between_immediates() {
    check(
        |lp, log| {
            for name in ["a", "b"] {
                let l = log.clone();
                lp.set_immediate(move |lp| {
                    l.add(name);
                    lp.next_tick(l.note("tick"));
                });
            }
        },
        "a tick b tick",
    );
}

#[test]
fn a_tick_may_clear_the_next_timer_and_the_next_immediate() {
    check(
        |lp, log| {
            let cleared = Rc::new(RefCell::new(None));
            let (l, c) = (log.clone(), cleared.clone());
            lp.set_timeout(1, move |lp| {
                l.add("first");
                lp.next_tick(move |lp| lp.clear_timer(c.borrow().unwrap()));
            });
            *cleared.borrow_mut() = Some(lp.set_timeout(1, log.note("never")));
            lp.set_timeout(1, log.note("third"));
            busy_ms(lp, 2);
        },
        "first third",
    );
    check(
        |lp, log| {
            let cleared = Rc::new(RefCell::new(None));
            let (l, c) = (log.clone(), cleared.clone());
            lp.set_immediate(move |lp| {
                l.add("first");
                lp.next_tick(move |lp| lp.clear_immediate(c.borrow().unwrap()));
            });
            *cleared.borrow_mut() = Some(lp.set_immediate(log.note("never")));
            lp.set_immediate(log.note("third"));
        },
        "first third",
    );
}

#[test]
fn a_tick_that_refreshes_the_next_timer_comes_too_late_for_it() {
    check(
        |lp, log| {
            let refreshed = Rc::new(RefCell::new(None));
            let (l, r) = (log.clone(), refreshed.clone());
            lp.set_timeout(5, move |lp| {
                l.add("first");
                lp.next_tick(move |lp| lp.timer_refresh(r.borrow().unwrap()));
            });
            *refreshed.borrow_mut() = Some(lp.set_timeout(5, log.note("second")));
            lp.set_timeout(7, log.note("third"));
            busy_ms(lp, 6);
        },
        "first second third",
    );
}

#[test]
fn timers_are_lists_by_duration_not_a_heap() {
    check(
        |lp, log| {
            lp.set_timeout(10, log.note("10a"));
            busy_ms(lp, 1);
            lp.set_timeout(10, log.note("10b"));
            busy_ms(lp, 1);
            lp.set_timeout(8, log.note("8"));
            busy_ms(lp, 20);
        },
        "10a 10b 8",
    );
}

#[test]
fn the_time_is_taken_once_when_timers_are_processed() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_timeout(1, move |lp| {
                l.add("slow");
                busy_ms(lp, 10);
            });
            lp.set_timeout(5, log.note("due-meanwhile"));
            lp.set_immediate(|_| {});
            let l = log.clone();
            lp.set_timeout(1, move |lp| {
                lp.set_immediate(l.note("immediate"));
            });
        },
        "slow immediate due-meanwhile",
    );
}

#[test]
fn timeouts_are_clamped_to_one_millisecond_and_never_run_in_the_same_turn() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_timeout(0, move |lp| {
                l.add("outer");
                lp.set_timeout(0, l.note("nested"));
                lp.set_immediate(l.note("immediate"));
                busy_ms(lp, 3);
            });
            lp.set_timeout(1 << 31, log.note("clamped"));
            lp.set_timeout(1, log.note("one"));
        },
        "outer clamped one immediate nested",
    );
}

#[test]
fn an_interval_counts_from_the_start_of_its_callback_and_makes_nothing_up() {
    check(
        |lp, log| {
            let l = log.clone();
            let me = Rc::new(RefCell::new(None));
            let m = me.clone();
            let mut runs = 0;
            *me.borrow_mut() = Some(lp.set_interval(10, move |lp| {
                lp.update_time();
                l.add(lp.now_ms().to_string());
                runs += 1;
                match runs {
                    1 => busy_ms(lp, 35),
                    4 => lp.clear_timer(m.borrow().unwrap()),
                    _ => {}
                }
            }));
        },
        "10 45 55 65",
    );
}

#[test]
fn immediates_queued_in_check_run_in_the_next_turn() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.set_immediate(move |lp| {
                l.add("first");
                lp.set_immediate(l.note("nested"));
                lp.set_timeout(1, l.note("timeout"));
                busy_ms(lp, 2);
            });
            lp.set_immediate(log.note("second"));
        },
        "first second timeout nested",
    );
}

#[test]
fn unreferenced_timers_and_immediates_do_not_hold_the_loop() {
    check(
        |lp, log| {
            let timer = lp.set_timeout(5, log.note("timer"));
            lp.timer_unref(timer);
            assert_eq!(lp.timer_has_ref(timer), Some(false));
            let immediate = lp.set_immediate(log.note("immediate"));
            lp.immediate_unref(immediate);
        },
        "",
    );
    check(
        |lp, log| {
            let immediate = lp.set_immediate(log.note("unreferenced"));
            lp.immediate_unref(immediate);
            lp.set_timeout(1, log.note("timer"));
        },
        "unreferenced timer",
    );
}

#[test]
fn promise_reactions_take_javascripts_number_of_jobs() {
    check(
        |lp, log| {
            // Resolving with a promise takes two jobs more: p3 is behind c, not behind a.
            let l = log.clone();
            Promise::<(), _>::resolved(())
                .then_promise(lp, |_, ()| Promise::resolved(()))
                .then(lp, move |_, ()| l.add("p"));
            let mut chain = Promise::<(), _>::resolved(());
            for name in ["a", "b", "c", "d", "e"] {
                let l = log.clone();
                chain = chain.then(lp, move |_, ()| l.add(name));
            }
        },
        "a b c p d e",
    );
}

#[test]
fn a_race_runs_one_job_for_each_promise_and_then_the_reaction() {
    let mut lp = Loop::new(Options::default()).unwrap();
    lp.enter(|lp| {
        let settled: Vec<_> = (0..10).map(Promise::<i32, _>::resolved).collect();
        Promise::race(lp, &settled).react(lp, |_, first| assert_eq!(first.unwrap(), 0));
        Promise::all(lp, &settled).react(lp, |_, all| assert_eq!(all.unwrap().len(), 10));
    });
    lp.run(RunMode::Default).unwrap();
    assert_eq!(lp.reader().snapshot().microtasks, Some(22));
}

#[test]
fn a_rejection_handled_in_the_same_drain_is_handled() {
    check(
        |lp, log| {
            let l = log.clone();
            lp.on_unhandled_rejection(move |_, reason| l.add(format!("unhandled:{reason}")));
            let late = Promise::<(), _>::rejected(lp, Reason::new("late"));
            let l = log.clone();
            lp.next_tick(move |lp| {
                late.catch(lp, move |_, reason| l.add(format!("caught:{reason}")));
            });
            Promise::<(), _>::rejected(lp, Reason::new("lost"));
            lp.next_tick(log.note("tick"));
            lp.queue_microtask(log.note("microtask"));
        },
        "tick microtask caught:late unhandled:lost",
    );
}

#[test]
fn without_a_handler_an_unhandled_rejection_ends_the_run_before_any_timer() {
    let mut lp = Loop::new(Options::default()).unwrap();
    let log = Log::default();
    lp.enter(|lp| {
        lp.set_timeout(0, log.note("timer"));
        Promise::<(), _>::rejected(lp, Reason::new("boom"));
    });
    let error = lp.run(RunMode::Default).unwrap_err().to_string();
    assert!(error.contains("boom"), "{error}");
    assert!(log.0.borrow().is_empty());
}
