//! A callback that panics takes nothing with it: the loop is run again, and everything else that
//! was ready runs then.

use std::cell::Cell;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use loop_core::{HandleId, Loop, Options, ReadEvent, RunMode, RunStatus};

type Count = Rc<Cell<u32>>;

fn real_loop() -> Loop {
    Loop::new(Options::default()).unwrap()
}

/// Counts, and panics when the count comes to `fatal`.
fn count(counter: &Count, fatal: u32) {
    counter.set(counter.get() + 1);
    assert_ne!(counter.get(), fatal, "as the test wants it");
}

fn run_into_the_panic(lp: &mut Loop) {
    let run = catch_unwind(AssertUnwindSafe(|| lp.run(RunMode::Default)));
    assert!(run.is_err(), "nothing has panicked");
}

/// Runs the rest. What is lost would keep the loop alive; a timer ends that.
fn run_again(lp: &mut Loop) {
    let guard = lp.timer_start(30_000, 0, |lp| lp.stop());
    lp.handle_unref(guard);
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done, "something was lost");
}

fn socket_path() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("loop-core-panics-{}-{number}.sock", std::process::id()))
}

/// A listener that hands `wanted` connections on, and then closes.
fn listen(
    lp: &mut Loop,
    wanted: u32,
    mut on_stream: impl FnMut(&mut Loop, HandleId) + 'static,
) -> PathBuf {
    let path = socket_path();
    let own = Rc::new(Cell::new(None));
    let listener = own.clone();
    let mut left = wanted;
    let id = lp.unix_listen(&path, move |lp, connection| {
        left -= 1;
        if left == 0 {
            lp.close(listener.get().unwrap());
        }
        on_stream(lp, connection.unwrap());
    });
    own.set(Some(id.unwrap()));
    path
}

#[test]
fn of_two_ready_streams_the_other_is_read() {
    let mut lp = real_loop();
    let got = Count::default();
    let (counter, accepted) = (got.clone(), Count::default());
    let path = listen(&mut lp, 2, move |lp, stream| {
        let counter = counter.clone();
        lp.read_start(stream, move |lp, event| {
            if let ReadEvent::Data(_) = event {
                lp.close(stream);
                count(&counter, 1);
            }
        });
        accepted.set(accepted.get() + 1);
        if accepted.get() == 2 {
            lp.stop();
        }
    });
    let mut peers: Vec<_> = (0..2).map(|_| UnixStream::connect(&path).unwrap()).collect();
    lp.run(RunMode::Default).unwrap();
    lp.run(RunMode::NoWait).unwrap();
    peers.iter_mut().for_each(|peer| peer.write_all(b"x").unwrap());
    run_into_the_panic(&mut lp);
    run_again(&mut lp);
    assert_eq!(got.get(), 2);
}

#[test]
fn of_two_finished_jobs_the_other_is_heard_of() {
    let mut lp = real_loop();
    let done = Count::default();
    for _ in 0..2 {
        let done = done.clone();
        lp.queue_work(|| (), move |_, _| count(&done, 1));
    }
    std::thread::sleep(Duration::from_millis(100));
    run_into_the_panic(&mut lp);
    run_again(&mut lp);
    assert_eq!(done.get(), 2);
}

/// The kernel announces only once that the inbox holds something.
#[test]
fn the_inbox_is_opened_though_its_announcement_was_lost() {
    let mut lp = real_loop();
    let path = listen(&mut lp, 1, |lp, stream| {
        lp.close(stream);
        panic!("as the test wants it");
    });
    let _peer = UnixStream::connect(path).unwrap();
    let done = Count::default();
    for round in 0..2 {
        let counter = done.clone();
        lp.queue_work(|| (), move |_, _| count(&counter, 0));
        if round == 0 {
            std::thread::sleep(Duration::from_millis(100));
            run_into_the_panic(&mut lp);
        }
    }
    run_again(&mut lp);
    assert_eq!(done.get(), 2);
}

#[test]
fn the_other_handles_are_closed() {
    let mut lp = real_loop();
    let closed = Count::default();
    let before = lp.handles().count();
    for _ in 0..3 {
        let timer = lp.timer_start(10, 0, |_| ());
        let closed = closed.clone();
        lp.close_with(timer, move |_| count(&closed, 1));
    }
    run_into_the_panic(&mut lp);
    run_again(&mut lp);
    assert_eq!(closed.get(), 3);
    // The guard of `run_again` is one more.
    assert_eq!(lp.handles().count(), before + 1);
}

#[test]
fn the_other_writes_and_the_end_are_told() {
    let mut lp = real_loop();
    let ended = Count::default();
    let seen_end = ended.clone();
    let path = listen(&mut lp, 1, move |lp, stream| {
        let seen_end = seen_end.clone();
        lp.read_start(stream, move |_, event| {
            if let ReadEvent::End = event {
                seen_end.set(1);
            }
        });
    });
    let written = Count::default();
    let client = lp.unix_connect(&path, |_, result| result.unwrap()).unwrap();
    for _ in 0..3 {
        let written = written.clone();
        lp.write(client, "x", move |_, result| {
            result.unwrap();
            count(&written, 1);
        });
    }
    lp.end(client);
    run_into_the_panic(&mut lp);
    run_again(&mut lp);
    assert_eq!((written.get(), ended.get()), (3, 1));
}

#[test]
fn its_drain_is_over() {
    let mut lp = real_loop();
    lp.queue_microtask(|_| panic!("as the test wants it"));
    lp.set_timeout(1, |_| ());
    run_into_the_panic(&mut lp);
    let open = Rc::new(Cell::new(None));
    let seen = open.clone();
    lp.set_timeout(5, move |lp| {
        seen.set(Some(lp.reader().snapshot().open.unwrap().drain.is_some()));
    });
    run_again(&mut lp);
    assert_eq!(open.get(), Some(false));
}

/// Nobody would know the handles of what it accepts.
#[test]
fn a_listener_without_its_callback_accepts_nothing() {
    let mut lp = real_loop();
    let path = socket_path();
    lp.unix_listen(&path, |_, _| panic!("as the test wants it")).unwrap();
    let _first = UnixStream::connect(&path).unwrap();
    run_into_the_panic(&mut lp);
    let before = lp.handles().count();
    let peers: Vec<_> = (0..10).map(|_| UnixStream::connect(&path).unwrap()).collect();
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(lp.handles().count(), before);
    drop(peers);
}
