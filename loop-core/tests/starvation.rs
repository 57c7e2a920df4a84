//! What is bounded in libuv is bounded here, so that nothing can starve the rest of the loop; and
//! what is not bounded in Node is not bounded here.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use loop_core::{Clock, HandleId, Loop, Options, ReadEvent, RunMode, RunStatus};

/// The bounds as libuv has them.
const READS_A_TURN: usize = 32;
const POLL_EVENTS: u64 = 1_024;
const POLL_PASSES: u64 = 48;
const PENDING_PASSES: u32 = 8;

/// How long a test may take before it fails: many times what it does.
const GIVE_UP: Duration = Duration::from_secs(60);

fn virtual_loop() -> Loop {
    Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() }).unwrap()
}

fn real_loop() -> Loop {
    Loop::new(Options::default()).unwrap()
}

fn busy_ms(lp: &mut Loop, ms: u64) {
    lp.busy(Duration::from_millis(ms));
}

type Count = Rc<Cell<u32>>;

fn add(count: &Count) -> u32 {
    count.set(count.get() + 1);
    count.get()
}

/// Sets a timeout of 0 that sets itself again, as long as it is told to.
fn keep_firing(lp: &mut Loop, fired: Count, go_on: Rc<Cell<bool>>) {
    lp.set_timeout(0, move |lp| {
        add(&fired);
        if go_on.get() {
            keep_firing(lp, fired, go_on);
        }
    });
}

#[test]
fn an_idle_handle_starves_nobody() {
    let mut lp = virtual_loop();
    let turns = Count::default();
    let counted = turns.clone();
    lp.idle_start(move |lp| {
        add(&counted);
        lp.busy(Duration::from_micros(100));
    });
    let checks = Count::default();
    let counted = checks.clone();
    lp.check_start(move |_| {
        add(&counted);
    });
    let (done, at) = (Rc::new(Cell::new(0)), turns.clone());
    let job = done.clone();
    lp.queue_work(|| (), move |_, _| job.set(at.get()));
    let fired = turns.clone();
    lp.set_timeout(5, move |lp| {
        assert_eq!(fired.get(), 50, "50 turns of 100 µs are the 5 ms");
        lp.stop();
    });
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Stopped);
    assert_eq!((turns.get(), checks.get(), done.get()), (50, 50, 1));
}

/// Writes to a stream that is closed are answered in the pending phase.
#[test]
fn callbacks_that_are_put_off_for_ever_leave_room_for_the_rest() {
    const ALL: u32 = 200;
    fn put_off_again(lp: &mut Loop, closed: HandleId, ran: Count) {
        lp.write(closed, [1], move |lp, result| {
            result.unwrap_err();
            if add(&ran) < ALL {
                put_off_again(lp, closed, ran);
            }
        });
    }
    let mut lp = real_loop();
    let ran = Count::default();
    let closed = lp.timer_start(1_000, 0, |_| {});
    lp.close(closed);
    lp.run(RunMode::NoWait).unwrap();
    put_off_again(&mut lp, closed, ran.clone());
    let (most, mut before) = (Count::default(), 0);
    let (noted, counted) = (most.clone(), ran.clone());
    let check = lp.check_start(move |_| {
        noted.set(noted.get().max(counted.get() - before));
        before = counted.get();
    });
    lp.handle_unref(check);
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    assert_eq!(ran.get(), ALL);
    // One pass stands before the poll.
    assert_eq!(most.get(), PENDING_PASSES + 1);
}

/// A thread that writes as fast as it can, until the other side is closed.
fn flood(address: SocketAddr) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let bytes = vec![7; 1 << 20];
        while stream.write_all(&bytes).is_ok() {}
    })
}

#[test]
fn a_socket_that_is_always_ready_starves_nobody() {
    const TURNS: usize = 200;
    let mut lp = real_loop();
    let reads = Rc::new(Cell::new(0_usize));
    let counted = reads.clone();
    let stream = Rc::new(Cell::new(None));
    let accepted = stream.clone();
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), move |lp, connection| {
        let (connection, counted) = (connection.unwrap(), counted.clone());
        accepted.set(Some(connection));
        lp.read_start(connection, move |_, event| {
            assert!(matches!(event, ReadEvent::Data(_)), "{event:?}");
            counted.set(counted.get() + 1);
        });
    });
    let server = server.unwrap();
    let writer = flood(lp.local_address(server).unwrap());
    let (fired, go_on) = (Count::default(), Rc::new(Cell::new(true)));
    keep_firing(&mut lp, fired.clone(), go_on.clone());
    let give_up = Instant::now() + GIVE_UP;
    let mut a_turn = Vec::new();
    // A turn that meets more than it may read shows that it stops there.
    while a_turn.len() < TURNS || a_turn.iter().all(|&reads| reads < READS_A_TURN) {
        let before = reads.get();
        lp.run(RunMode::Once).unwrap();
        a_turn.push(reads.get() - before);
        assert!(Instant::now() < give_up, "no turn met more than it may read: {a_turn:?}");
    }
    assert!(a_turn.iter().all(|&reads| reads <= READS_A_TURN), "{a_turn:?}");
    assert!(fired.get() > 0, "no timer fired in {} turns", a_turn.len());
    go_on.set(false);
    lp.close(stream.get().unwrap());
    lp.close(server);
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    writer.join().unwrap();
}

#[test]
fn a_crowd_of_connections_is_accepted_one_a_turn() {
    // As many as the kernel's queue of a listener holds by default.
    const CONNECTIONS: u32 = 129;
    let mut lp = real_loop();
    let accepted = Count::default();
    let counted = accepted.clone();
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), move |lp, connection| {
        add(&counted);
        lp.close(connection.unwrap());
    });
    let server = server.unwrap();
    let address = lp.local_address(server).unwrap();
    let crowd: Vec<TcpStream> =
        (0..CONNECTIONS).map(|_| TcpStream::connect(address).unwrap()).collect();
    for turn in 1..=CONNECTIONS {
        lp.run(RunMode::NoWait).unwrap();
        assert_eq!(accepted.get(), turn);
    }
    drop(crowd);
    lp.close(server);
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
}

/// Each byte that comes is sent back, so that every event makes another one: more than one poll
/// takes are always ready.
#[test]
fn thousands_of_sockets_that_are_always_ready_starve_no_timer() {
    const PAIRS: usize = 1_100;
    const TURNS: usize = 3;
    fn echo(lp: &mut Loop, stream: HandleId, events: &Rc<Cell<u64>>) {
        let events = events.clone();
        lp.read_start(stream, move |lp, event| {
            if let ReadEvent::Data(_) = event {
                events.set(events.get() + 1);
                lp.write(stream, [1], |_, _| {});
            }
        });
    }
    let mut lp = real_loop();
    let events = Rc::new(Cell::new(0_u64));
    let counted = events.clone();
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), move |lp, connection| {
        echo(lp, connection.unwrap(), &counted);
    });
    let address = lp.local_address(server.unwrap()).unwrap();
    let clients: Vec<HandleId> = (0..PAIRS)
        .map(|_| {
            let client = lp.tcp_connect(address, |_, result| result.unwrap()).unwrap();
            echo(&mut lp, client, &events);
            lp.run(RunMode::NoWait).unwrap();
            client
        })
        .collect();
    clients.into_iter().for_each(|client| lp.write(client, [1], |_, _| {}));
    let most = Rc::new(Cell::new(0));
    for _ in 0..TURNS {
        let before = events.get();
        lp.run(RunMode::NoWait).unwrap();
        most.set(most.get().max(events.get() - before));
    }
    assert!(most.get() > POLL_EVENTS, "a turn asks again: {} events", most.get());
    // One event is one read here, because the next byte comes only for the answer.
    assert!(most.get() <= POLL_EVENTS * POLL_PASSES, "{} events in a turn", most.get());
    let fired = Count::default();
    let fires = fired.clone();
    lp.set_timeout(0, move |_| {
        add(&fires);
    });
    let give_up = Instant::now() + GIVE_UP;
    while fired.get() == 0 {
        lp.run(RunMode::NoWait).unwrap();
        assert!(Instant::now() < give_up, "the timer is starved");
    }
}

#[test]
fn immediates_that_queue_immediates_let_timers_and_jobs_through() {
    let mut lp = virtual_loop();
    let log = Rc::new(RefCell::new(Vec::new()));
    fn again(lp: &mut Loop, left: u32, log: Rc<RefCell<Vec<String>>>) {
        lp.set_immediate(move |lp| {
            log.borrow_mut().push("immediate".to_owned());
            busy_ms(lp, 1);
            if left > 1 {
                again(lp, left - 1, log);
            }
        });
    }
    again(&mut lp, 4, log.clone());
    for ms in [1, 3] {
        let l = log.clone();
        lp.set_timeout(ms, move |_| l.borrow_mut().push(format!("timer {ms}")));
    }
    let l = log.clone();
    lp.queue_work(|| (), move |_, _| l.borrow_mut().push("job".to_owned()));
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    let want = "job, immediate, timer 1, immediate, immediate, timer 3, immediate";
    assert_eq!(log.borrow().join(", "), want);
}

/// However long they take, each round of timers is followed by a poll.
#[test]
fn timers_set_again_at_once_do_not_starve_the_poll() {
    let mut lp = virtual_loop();
    let (fired, polled) = (Count::default(), Count::default());
    fn again(lp: &mut Loop, fired: Count) {
        lp.set_timeout(1, move |lp| {
            busy_ms(lp, 5);
            if add(&fired) < 100 {
                again(lp, fired);
            }
        });
    }
    again(&mut lp, fired.clone());
    let zero = Count::default();
    let counted = zero.clone();
    fn zero_again(lp: &mut Loop, counted: Count) {
        lp.timer_start(0, 0, move |lp| {
            if add(&counted) < 100 {
                zero_again(lp, counted.clone());
            }
        });
    }
    zero_again(&mut lp, counted);
    fn job(lp: &mut Loop, polled: Count) {
        lp.queue_work(
            || (),
            move |lp, _| {
                if add(&polled) < 50 {
                    job(lp, polled);
                }
            },
        );
    }
    job(&mut lp, polled.clone());
    let (f, z, p) = (fired.clone(), zero.clone(), polled.clone());
    let (mut turn, slot) = (0, Rc::new(Cell::new(None)));
    let own = slot.clone();
    slot.set(Some(lp.check_start(move |lp| {
        turn += 1;
        assert_eq!(p.get(), turn.min(50), "a job is done in every poll");
        assert!(f.get() <= turn && z.get() <= turn, "timers ran twice in a turn");
        if turn == 60 {
            lp.close(own.get().unwrap());
        }
    })));
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    assert_eq!((fired.get(), zero.get(), polled.get()), (100, 100, 50));
}

#[test]
fn a_waker_that_wakes_itself_is_called_once_a_turn() {
    let mut lp = real_loop();
    let wakes = Count::default();
    let counted = wakes.clone();
    let slot: Rc<RefCell<Option<loop_core::Waker>>> = Rc::default();
    let own = slot.clone();
    let waker = lp.waker(move |_| {
        add(&counted);
        own.borrow().as_ref().unwrap().wake();
    });
    waker.wake();
    *slot.borrow_mut() = Some(waker);
    for turn in 1..=100 {
        lp.run(RunMode::NoWait).unwrap();
        assert_eq!(wakes.get(), turn);
    }
}

/// As in Node: a drain goes on until there is nothing left, whatever else waits.
#[test]
fn ticks_and_microtasks_have_no_bound() {
    const JOBS: u32 = 1_000_000;
    fn tick(lp: &mut Loop, ran: Count) {
        if add(&ran) < JOBS {
            lp.next_tick(move |lp| tick(lp, ran));
        }
    }
    fn microtask(lp: &mut Loop, ran: Count) {
        if add(&ran) < 2 * JOBS {
            lp.queue_microtask(move |lp| microtask(lp, ran));
        }
    }
    let mut lp = virtual_loop();
    let ran = Count::default();
    let (ticks, microtasks) = (ran.clone(), ran.clone());
    lp.enter(|lp| {
        let drained = ran.clone();
        let after_all = move |_: &mut Loop| assert_eq!(drained.get(), 2 * JOBS);
        lp.set_timeout(0, after_all.clone());
        lp.set_immediate(after_all);
        busy_ms(lp, 10);
        lp.queue_microtask(move |lp| microtask(lp, microtasks));
        lp.next_tick(move |lp| tick(lp, ticks));
    });
    assert_eq!(ran.get(), 2 * JOBS);
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    let seen = lp.reader().snapshot();
    assert_eq!(seen.tick_drain_length.unwrap().max, u64::from(JOBS));
    assert_eq!(seen.microtask_drain_length.unwrap().max, u64::from(JOBS));
    assert_eq!((seen.timers, seen.immediates), (Some(1), Some(1)));
}
