//! Signals. Each test has a signal of its own: they all live in one process.

use std::process::Command;
use std::sync::mpsc;

use signal_hook::consts::*;
use signal_hook::low_level::raise;

use super::*;

fn counting(lp: &mut Loop, signum: i32) -> (HandleId, Rc<Cell<usize>>) {
    let count = Rc::new(Cell::new(0));
    let c = count.clone();
    let id = lp.signal_start(signum, move |_| c.set(c.get() + 1)).unwrap();
    (id, count)
}

/// Every signal that was handed out is told to every handle: more of them than are taken in one
/// turn, too.
#[test]
fn none_is_lost_and_every_handle_hears_of_it() {
    let mut lp = real_loop();
    let ((_, first), (_, second)) = (counting(&mut lp, SIGUSR1), counting(&mut lp, SIGUSR1));
    (0..1_200).for_each(|_| raise(SIGUSR1).unwrap());
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!((first.get(), second.get()), (512, 512), "a flood leaves others their turn");
    run_until(&mut lp, |_| first.get() + second.get() == 2_400);
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!((first.get(), second.get()), (1_200, 1_200));
}

#[test]
fn signals_come_in_the_poll_phase_and_hold_the_loop() {
    let mut lp = real_loop();
    let log = Log::default();
    let (slot, l) = (Slot::default(), log.clone());
    let own = slot.clone();
    let id = lp.signal_start(SIGWINCH, move |lp| {
        note(&l, "signal");
        lp.next_tick(noting(&l, "tick"));
        lp.close_with(own.get().unwrap(), noting(&l, "close"));
    });
    slot.set(id.ok());
    lp.set_immediate(noting(&log, "immediate"));
    raise(SIGWINCH).unwrap();
    assert!(lp.is_alive());
    done(&mut lp);
    assert_eq!(told(&log), "signal tick immediate close");
}

/// Several loops, each on its thread with its handles, one signal.
#[test]
fn signal_multiple_loops() {
    const LOOPS: usize = 4;
    let (ready, started) = mpsc::channel();
    let threads: Vec<_> = (0..LOOPS)
        .map(|_| {
            let ready = ready.clone();
            std::thread::spawn(move || {
                let mut lp = real_loop();
                let handles = [counting(&mut lp, SIGUSR2), counting(&mut lp, SIGUSR2)];
                ready.send(()).unwrap();
                run_until(&mut lp, |_| handles.iter().all(|(_, count)| count.get() == 1));
                handles.iter().for_each(|(id, _)| lp.close(*id));
                done(&mut lp);
            })
        })
        .collect();
    (0..LOOPS).for_each(|_| started.recv().unwrap());
    raise(SIGUSR2).unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_closed_handle_hears_nothing_and_others_go_on() {
    let mut lp = real_loop();
    let ((closed, silent), (_, heard)) = (counting(&mut lp, SIGURG), counting(&mut lp, SIGURG));
    raise(SIGURG).unwrap();
    lp.close(closed);
    raise(SIGURG).unwrap();
    run_until(&mut lp, |_| heard.get() == 2);
    assert_eq!(silent.get(), 0);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let mut lp = Loop::new(Options::default()).unwrap();
    for signum in [SIGKILL, SIGSTOP, SIGSEGV, SIGILL, SIGFPE, 0, -1, 32, 12_345, i32::MAX] {
        let error = lp.signal_start(signum, |_| {}).unwrap_err();
        assert_eq!(error.to_string(), format!("signal_start EINVAL {signum}"));
    }
    assert_eq!(lp.handles().count(), 0);
    assert!(!lp.is_alive());
}

/// While a handle watches a signal that would end the process it doesn't; when none is left it
/// does. The process that has to die is this test, run once more.
#[test]
fn without_a_handle_a_signal_does_what_it_did_before() {
    const CHILD: &str = "LOOP_CORE_TEST_SIGNAL";
    if std::env::var_os(CHILD).is_some() {
        let mut lp = real_loop();
        let ((a, first), (b, second)) = (counting(&mut lp, SIGTERM), counting(&mut lp, SIGTERM));
        lp.close(a);
        raise(SIGTERM).unwrap();
        run_until(&mut lp, |_| second.get() == 1);
        lp.close(b);
        done(&mut lp);
        assert_eq!(first.get(), 0);
        let (c, third) = counting(&mut lp, SIGTERM);
        raise(SIGTERM).unwrap();
        run_until(&mut lp, |_| third.get() == 1);
        lp.close(c);
        println!("alive until here");
        raise(SIGTERM).unwrap();
        println!("and behind it");
        return;
    }
    let name = "signals::without_a_handle_a_signal_does_what_it_did_before";
    let mut again = Command::new(std::env::current_exe().unwrap());
    let output = again.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("alive until here") && !text.contains("and behind it"), "{text}");
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(SIGTERM));
}
