//! One round of mixed load, by its number: timers, immediates, promises, pool jobs, connections
//! opened and closed, handles closed and restarted, a freeze.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use loop_core::{HandleId, Loop, Promise, ReadEvent, Reason};

/// After so many rounds the loads come again.
pub(crate) const LOADS: u64 = 8;

/// Numbers that look random, the same for the same load.
struct Dice(u64);

impl Dice {
    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % bound
    }
}

/// Queues a round of load.
pub(crate) fn start(lp: &mut Loop, round: u64) {
    let mut dice = Dice(round % LOADS + 1);
    lp.on_unhandled_rejection(|_, _| {});
    lp.enter(|lp| {
        timers(lp, &mut dice);
        queues(lp, &mut dice);
        jobs(lp, &mut dice);
        watchers(lp, &mut dice);
        connections(lp, &mut dice);
        if dice.below(2) == 0 {
            lp.set_timeout(dice.below(4), Loop::freeze);
        }
    });
}

fn timers(lp: &mut Loop, dice: &mut Dice) {
    let timers: Vec<_> = (0..100 + dice.below(100))
        .map(|number| {
            let held = vec![number; 4];
            lp.set_timeout(dice.below(8), move |lp| {
                if held[0].is_multiple_of(4) {
                    lp.set_timeout(1, move |_| drop(held));
                }
            })
        })
        .collect();
    for timer in timers.into_iter().step_by(3) {
        match dice.below(3) {
            0 => lp.timer_refresh(timer),
            _ => lp.clear_timer(timer),
        }
    }
    for _ in 0..5 {
        let own = Rc::new(Cell::new(None));
        let (slot, mut left) = (own.clone(), 3);
        own.set(Some(lp.set_interval(dice.below(3), move |lp| {
            left -= 1;
            if left == 0 {
                lp.clear_timer(slot.get().unwrap());
            }
        })));
        let slot = Rc::new(Cell::new(None));
        let own = slot.clone();
        slot.set(Some(lp.timer_start(dice.below(5), 1, move |lp| lp.close(own.get().unwrap()))));
    }
}

fn queues(lp: &mut Loop, dice: &mut Dice) {
    let immediates: Vec<_> = (0..200)
        .map(|number| {
            lp.set_immediate(move |lp| {
                lp.next_tick(|lp| lp.queue_microtask(|_| {}));
                if number % 10 == 0 {
                    lp.set_immediate(|_| {});
                }
            })
        })
        .collect();
    immediates.into_iter().step_by(5).for_each(|immediate| lp.clear_immediate(immediate));
    let mut promises = Vec::new();
    for number in 0..20 + dice.below(20) {
        let (promise, resolver) = Promise::pending();
        let derived = promise.then(lp, |_, value: u64| value + 1);
        promises.push(derived.then_promise(lp, |_, value| Promise::resolved(value)));
        match number % 4 {
            // Never settled: it goes when nobody has it any more.
            0 => drop(resolver),
            1 => resolver.reject(lp, Reason::new("by this load")),
            2 => resolver.resolve(lp, number),
            _ => drop(lp.set_immediate(move |lp| resolver.resolve(lp, number))),
        }
    }
    Promise::all(lp, &promises).react(lp, |_, _| {});
    Promise::race(lp, &promises).react(lp, |_, _| {});
}

fn jobs(lp: &mut Loop, dice: &mut Dice) {
    let jobs: Vec<_> = (0..30)
        .map(|number| {
            let sleep = Duration::from_micros(dice.below(300));
            lp.queue_work(
                move || {
                    std::thread::sleep(sleep);
                    vec![number; 100]
                },
                |lp, result| {
                    if result.is_ok() {
                        lp.queue_work(|| (), |_, _| {});
                    }
                },
            )
        })
        .collect();
    for job in jobs.into_iter().rev().step_by(2) {
        lp.cancel_work(job);
    }
}

fn watchers(lp: &mut Loop, dice: &mut Dice) {
    let held = String::from("what the callback holds");
    let handles = [
        lp.idle_start(|_| {}),
        lp.prepare_start(move |_| assert!(!held.is_empty())),
        lp.check_start(|_| {}),
        lp.timer_start(1_000_000, 5, |_| {}),
    ];
    lp.watcher_stop(handles[1]);
    lp.watcher_restart(handles[1]);
    lp.set_timeout(dice.below(5), move |lp| {
        for handle in handles {
            let held = vec![7_u8; 100];
            lp.close_with(handle, move |_| drop(held));
        }
    });
    let own = Rc::new(Cell::new(None));
    let slot = own.clone();
    let waker = lp.waker(move |lp| lp.close(slot.get().unwrap()));
    own.set(Some(waker.handle()));
    lp.queue_work(move || waker.wake(), |_, _| {});
}

/// Clients of which each sends a few messages to a server that sends them back. Every third is
/// closed in the middle of it.
fn connections(lp: &mut Loop, dice: &mut Dice) {
    let clients = 3 + dice.below(4) as usize;
    let ends: Rc<RefCell<Vec<HandleId>>> = Rc::default();
    let accepted = ends.clone();
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), move |lp, connection| {
        let connection = connection.unwrap();
        accepted.borrow_mut().push(connection);
        lp.read_start(connection, move |lp, event| match event {
            ReadEvent::Data(bytes) => lp.write(connection, bytes, |_, _| {}),
            ReadEvent::End | ReadEvent::Error(_) => lp.close(connection),
        });
    });
    let server = server.unwrap();
    let address = lp.local_address(server).unwrap();
    for number in 0..clients {
        client(lp, address, 1 + dice.below(4), number % 3 == 2);
    }
    lp.set_timeout(10, move |lp| {
        lp.close(server);
        ends.borrow_mut().drain(..).for_each(|end| lp.close(end));
    });
}

fn client(lp: &mut Loop, address: std::net::SocketAddr, messages: u64, breaks: bool) {
    let own = Rc::new(Cell::new(None));
    let (slot, mut left) = (own.clone(), messages);
    let stream = lp.tcp_connect(address, |_, _| {}).unwrap();
    own.set(Some(stream));
    lp.write(stream, vec![1; 1_000], |_, _| {});
    lp.read_start(stream, move |lp, event| {
        let stream = slot.get().unwrap();
        left -= 1;
        match event {
            ReadEvent::Data(_) if left > 0 => {
                lp.write(stream, vec![1; 1_000], |_, _| {});
                if breaks {
                    lp.close(stream);
                }
            }
            ReadEvent::Data(_) => lp.end(stream),
            ReadEvent::End | ReadEvent::Error(_) => lp.close(stream),
        }
        left = left.max(1);
    });
    // Whatever became of it, it ends with its round.
    lp.set_timeout(15, move |lp| lp.close(stream));
}
