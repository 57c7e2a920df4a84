//! What keeps a loop alive, and what does not.

use super::*;

/// Runs a loop that nothing should keep alive.
fn ends_at_once(lp: &mut Loop) {
    assert!(!lp.is_alive());
    done(lp);
}

fn unreferenced(make: impl FnOnce(&mut Loop) -> HandleId) -> Loop {
    let mut lp = real_loop();
    let handle = make(&mut lp);
    assert!(lp.is_alive(), "referenced, it holds the loop");
    lp.handle_unref(handle);
    ends_at_once(&mut lp);
    lp.handle_ref(handle);
    assert!(lp.is_alive(), "referenced again, too");
    lp.handle_unref(handle);
    lp
}

fn never(_: &mut Loop) {
    panic!("this must not be called");
}

#[test]
fn idle_ref() {
    unreferenced(|lp| lp.idle_start(never));
}

#[test]
fn async_ref() {
    unreferenced(|lp| lp.waker(never).handle());
}

#[test]
fn prepare_ref() {
    unreferenced(|lp| lp.prepare_start(never));
}

#[test]
fn check_ref() {
    unreferenced(|lp| lp.check_start(never));
}

#[test]
fn signal_ref() {
    unreferenced(|lp| lp.signal_start(signal_hook::consts::SIGTTIN, never).unwrap());
}

#[test]
fn tcp_ref2_a_listener() {
    unreferenced(|lp| lp.tcp_listen(localhost(), |_, _| panic!()).unwrap());
}

#[test]
fn pipe_ref2_a_listener() {
    let folder = Folder::new("ref2");
    unreferenced(|lp| lp.unix_listen(folder.at("s"), |_, _| panic!()).unwrap());
}

#[test]
fn udp_ref2_a_receiver() {
    unreferenced(|lp| {
        let udp = lp.udp_bind(localhost()).unwrap();
        ends_at_once(lp);
        lp.udp_recv_start(udp, |_, _| panic!());
        udp
    });
}

#[test]
fn unref_in_prepare_cb() {
    let mut lp = real_loop();
    let slot = Slot::default();
    let own = slot.clone();
    slot.set(Some(lp.prepare_start(move |lp| lp.handle_unref(own.get().unwrap()))));
    done(&mut lp);
}

#[test]
fn timer_ref() {
    unreferenced(|lp| lp.timer_start(HANGS_MS, 0, never));
}

/// A timer that holds the loop, and one that does not and is later.
#[test]
fn timer_ref2() {
    let mut lp = virtual_loop();
    let log = Log::default();
    lp.timer_start(20, 0, noting(&log, "held"));
    let free = lp.timer_start(42, 0, never);
    lp.handle_unref(free);
    done(&mut lp);
    assert_eq!(told(&log), "held");
}

#[test]
fn has_ref_is_a_switch_not_a_count() {
    let mut lp = real_loop();
    let handle = lp.idle_start(|_| {});
    assert!(lp.has_ref(handle));
    lp.handle_ref(handle);
    lp.handle_unref(handle);
    assert!(!lp.has_ref(handle));
    lp.handle_ref(handle);
    assert!(lp.has_ref(handle));
    lp.close(handle);
    done(&mut lp);
    assert!(!lp.has_ref(handle), "a closed handle has none");
}

#[test]
fn active() {
    let mut lp = real_loop();
    let timer = lp.timer_start(1_000, 0, never);
    assert!(lp.is_active(timer) && !lp.is_closing(timer));
    lp.timer_stop(timer);
    assert!(!lp.is_active(timer) && !lp.is_closing(timer));
    lp.close(timer);
    assert!(!lp.is_active(timer) && lp.is_closing(timer));
    done(&mut lp);
    assert!(lp.is_closing(timer), "it stays closed");
}

/// Sockets are active while they do something: libuv's handles are, too.
#[test]
fn sockets_are_active_while_they_read_or_owe_a_callback() {
    let mut lp = real_loop();
    let server = lp.tcp_listen(localhost(), |_, _| {}).unwrap();
    let address = lp.local_address(server).unwrap();
    let log = Log::default();
    let stream = lp.tcp_connect(address, noting_result(&log, "connect")).unwrap();
    assert!(lp.is_active(server) && lp.is_active(stream));
    run_until(&mut lp, |_| !log.borrow().is_empty());
    assert!(!lp.is_active(stream), "connected, it does nothing");
    lp.read_start(stream, |_, _| {});
    assert!(lp.is_active(stream));
    lp.read_stop(stream);
    assert!(!lp.is_active(stream));
    lp.write(stream, "x", noting_result(&log, "write"));
    assert!(lp.is_active(stream), "the callback of the write is owed");
    lp.run(RunMode::NoWait).unwrap();
    assert!(!lp.is_active(stream));
    assert_eq!(told(&log), "connect:ok write:ok");
}

/// libuv's requests hold the loop though their handle does not.
#[test]
fn tcp_ref3_and_4_connections_and_writes_are_waited_for() {
    let mut lp = real_loop();
    let peer = std::net::TcpListener::bind(localhost()).unwrap();
    let log = Log::default();
    let stream =
        lp.tcp_connect(peer.local_addr().unwrap(), noting_result(&log, "connect")).unwrap();
    lp.handle_unref(stream);
    lp.write(stream, "x", noting_result(&log, "write"));
    lp.end_with(stream, noting_result(&log, "end"));
    assert!(lp.is_alive());
    done(&mut lp);
    assert_eq!(told(&log), "connect:ok write:ok end:ok");
    ends_at_once(&mut lp);
}

#[test]
fn udp_ref3_a_datagram_to_be_sent_is_waited_for() {
    let mut lp = real_loop();
    let udp = lp.udp_bind(localhost()).unwrap();
    let to = lp.local_address(udp);
    lp.handle_unref(udp);
    let log = Log::default();
    lp.udp_send(udp, "x", to, noting_result(&log, "send"));
    lp.close_with(udp, noting(&log, "close"));
    done(&mut lp);
    assert_eq!(told(&log), "send:ok close");
}

#[test]
fn closing_is_waited_for_though_the_handle_is_unreferenced() {
    let folder = Folder::new("closing");
    let mut lp = real_loop();
    let log = Log::default();
    let handles = [
        lp.idle_start(never),
        lp.tcp_listen(localhost(), |_, _| {}).unwrap(),
        lp.unix_listen(folder.at("s"), |_, _| {}).unwrap(),
        lp.udp_bind(localhost()).unwrap(),
        lp.signal_start(signal_hook::consts::SIGTTIN, never).unwrap(),
        lp.waker(never).handle(),
    ];
    for handle in handles {
        lp.handle_unref(handle);
        lp.close_with(handle, noting(&log, "c"));
    }
    done(&mut lp);
    assert_eq!(told(&log), "c c c c c c");
}
