//! The thread pool: queueing and cancelling.

use std::sync::mpsc;

use loop_core::{JobError, JobId};

use super::*;

/// A pool of one thread that is busy until the sender is dropped.
fn saturated() -> (Loop, mpsc::Sender<()>, JobId) {
    let mut lp = loop_with_threads(1);
    let (release, hold) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel();
    let busy = lp.queue_work(
        move || {
            started.send(()).unwrap();
            hold.recv().unwrap_err();
        },
        |_, result| result.unwrap(),
    );
    running.recv().unwrap();
    (lp, release, busy)
}

#[test]
fn threadpool_queue_work_simple() {
    let mut lp = real_loop();
    let log = Log::default();
    let (l, thread) = (log.clone(), std::thread::current().id());
    lp.queue_work(
        move || std::thread::current().id() != thread,
        move |_, elsewhere| note(&l, elsewhere.unwrap()),
    );
    done(&mut lp);
    assert_eq!(told(&log), "true");
}

/// Every waiting job is cancelled, and each calls back with that, in the order of the cancelling.
#[test]
fn threadpool_cancel_work() {
    let (mut lp, release, _) = saturated();
    let log = Log::default();
    let jobs: Vec<JobId> = (0..5)
        .map(|number| {
            let l = log.clone();
            lp.queue_work(
                || unreachable!(),
                move |_, result: Result<(), _>| note(&l, format!("{number}:{:?}", result.err())),
            )
        })
        .collect();
    assert!(jobs.iter().rev().all(|job| lp.cancel_work(*job)));
    assert!(log.borrow().is_empty(), "the callbacks come in the poll phase");
    drop(release);
    done(&mut lp);
    let expect: Vec<_> = (0..5).rev().map(|n| format!("{n}:Some(Cancelled)")).collect();
    assert_eq!(told(&log), expect.join(" "));
}

#[test]
fn threadpool_cancel_single() {
    let (mut lp, release, _) = saturated();
    let log = Log::default();
    let (a, b) = (log.clone(), log.clone());
    let job = lp.queue_work(
        || unreachable!(),
        move |_, result: Result<(), _>| {
            assert_eq!(result, Err(JobError::Cancelled));
            note(&a, "cancelled");
        },
    );
    lp.queue_work(|| (), move |_, result| note(&b, format!("{:?}", result)));
    assert!(lp.cancel_work(job));
    assert!(!lp.cancel_work(job), "once");
    drop(release);
    done(&mut lp);
    assert_eq!(told(&log), "cancelled Ok(())");
}

#[test]
fn threadpool_cancel_when_busy() {
    let (mut lp, release, busy) = saturated();
    assert!(!lp.cancel_work(busy), "it runs already");
    drop(release);
    done(&mut lp);
    assert!(!lp.cancel_work(busy), "it is done");
}

#[test]
fn threadpool_cancel_fs_and_getaddrinfo() {
    let folder = Folder::new("cancel");
    let (mut lp, release, _) = saturated();
    let log = Log::default();
    let path = folder.at("x");
    let jobs = [
        lp.fs_write_file(&path, "x", noting_result(&log, "write")),
        lp.fs_mkdir(&path, noting_result(&log, "mkdir")),
        lp.lookup("localhost", 80, noting_result(&log, "lookup")),
    ];
    let l = log.clone();
    let open = lp.fs_read_file(&path, move |_, result| {
        let error = result.unwrap_err();
        assert!(error.is_canceled());
        note(&l, error);
    });
    jobs.into_iter().for_each(|job| assert!(lp.cancel_work(job)));
    assert!(lp.cancel_work(open));
    drop(release);
    done(&mut lp);
    let shown = path.display();
    let expect = format!(
        "write:ECANCELED mkdir:ECANCELED lookup:ECANCELED \
         ECANCELED: operation canceled, open '{shown}'"
    );
    assert_eq!(told(&log), expect);
    assert!(!path.exists(), "nothing was done");
}

/// What a cancelled job holds is dropped with it, and may itself use the loop's pool.
#[test]
fn what_a_cancelled_job_holds_is_dropped() {
    struct Wakes(loop_core::Waker);
    impl Drop for Wakes {
        fn drop(&mut self) {
            self.0.wake();
        }
    }
    let (mut lp, release, _) = saturated();
    let log = Log::default();
    let waker = lp.waker(noting(&log, "dropped"));
    lp.handle_unref(waker.handle());
    let held = Wakes(waker);
    let job = lp.queue_work(move || drop(held), |_, _| {});
    assert!(lp.cancel_work(job));
    drop(release);
    done(&mut lp);
    assert_eq!(told(&log), "dropped");
}
