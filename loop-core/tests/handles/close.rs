//! Closing, and names of handles that are gone.

use loop_core::ReadEvent;

use super::*;

/// Close callbacks run behind the check phase of the turn in which they were asked for.
#[test]
fn close_order() {
    let mut lp = real_loop();
    let log = Log::default();
    let later = lp.timer_start(HANGS_MS, 0, |_| {});
    let (check, timer) = (Slot::default(), Slot::default());
    let (own, l) = (check.clone(), log.clone());
    check.set(Some(lp.check_start(move |lp| {
        note(&l, "check");
        lp.close_with(own.get().unwrap(), noting(&l, "close-check"));
        lp.close_with(later, noting(&l, "close-later"));
    })));
    let (own, l) = (timer.clone(), log.clone());
    timer.set(Some(lp.timer_start(0, 0, move |lp| {
        note(&l, "timer");
        lp.close_with(own.get().unwrap(), noting(&l, "close-timer"));
    })));
    done(&mut lp);
    assert_eq!(told(&log), "timer check close-later close-check close-timer");
}

#[test]
fn walk_handles() {
    let mut lp = Loop::new(Options::default()).unwrap();
    assert_eq!(lp.handles().count(), 0);
    let (slot, seen) = (Slot::default(), Rc::new(Cell::new(0)));
    let (own, s) = (slot.clone(), seen.clone());
    let timer = lp.timer_start(1, 0, move |lp| {
        s.set(lp.handles().count());
        lp.close(own.get().unwrap());
        assert_eq!(lp.handles().count(), s.get(), "closing ones are there until they are closed");
    });
    slot.set(Some(timer));
    assert_eq!(lp.handles().collect::<Vec<_>>(), [timer]);
    done(&mut lp);
    assert_eq!(seen.get(), 1);
    assert_eq!(lp.handles().count(), 0);
}

#[test]
fn every_handle_is_gone_when_it_was_closed() {
    let folder = Folder::new("gone");
    let mut lp = Loop::new(Options::default()).unwrap();
    let server = lp.tcp_listen(localhost(), |_, _| {}).unwrap();
    let address = lp.local_address(server).unwrap();
    let handles = [
        server,
        lp.unix_listen(folder.at("s"), |_, _| {}).unwrap(),
        lp.tcp_connect(address, |_, _| {}).unwrap(),
        lp.unix_connect(folder.at("none"), |_, _| {}).unwrap(),
        lp.udp_bind(localhost()).unwrap(),
        lp.signal_start(signal_hook::consts::SIGTTOU, |_| {}).unwrap(),
        lp.waker(|_| {}).handle(),
        lp.idle_start(|_| {}),
        lp.timer_start(1, 0, |_| {}),
    ];
    assert_eq!(lp.handles().count(), handles.len());
    handles.into_iter().for_each(|handle| lp.close(handle));
    done(&mut lp);
    assert_eq!(lp.handles().count(), 0);
}

#[test]
fn a_handle_is_closed_once() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let idle = lp.idle_start(|_| {});
    lp.close_with(idle, noting(&log, "first"));
    lp.close_with(idle, noting(&log, "second"));
    done(&mut lp);
    lp.close_with(idle, noting(&log, "third"));
    assert!(!lp.is_alive());
    assert_eq!(told(&log), "first");
}

#[test]
fn the_name_of_a_closed_handle_never_means_another() {
    let mut lp = real_loop();
    let old = lp.udp_bind(localhost()).unwrap();
    lp.close(old);
    done(&mut lp);
    let new = lp.udp_bind(localhost()).unwrap();
    assert_ne!(old, new);
    let log = Log::default();
    lp.udp_recv_start(old, |_, _| panic!());
    lp.udp_send(old, "x", None, noting_result(&log, "send"));
    lp.write(old, "x", noting_result(&log, "write"));
    lp.end_with(old, noting_result(&log, "end"));
    assert_eq!(outcome(&lp.udp_connect(old, localhost())), "EBADF");
    assert_eq!(outcome(&lp.tcp_nodelay(old, true)), "EBADF");
    lp.close(old);
    assert!(!lp.is_active(new) && !lp.is_closing(new));
    done(&mut lp);
    assert_eq!(told(&log), "send:EBADF write:EBADF end:ENOTCONN");
}

/// A handle may be closed by its own callback, and none comes after that.
#[test]
fn closed_by_its_own_callback() {
    let mut lp = real_loop();
    let log = Log::default();
    let l = log.clone();
    let slot = Slot::default();
    let own = slot.clone();
    let server = lp.tcp_listen(localhost(), move |lp, connection| {
        note(&l, "connection");
        lp.close(own.get().unwrap());
        let (stream, l) = (connection.unwrap(), l.clone());
        lp.read_start(stream, move |lp, event| {
            assert!(matches!(event, ReadEvent::Data(_)));
            note(&l, "data");
            lp.close_with(stream, noting(&l, "closed"));
        });
    });
    let server = server.unwrap();
    slot.set(Some(server));
    let address = lp.local_address(server).unwrap();
    let clients: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    clients.iter().for_each(|mut client| std::io::Write::write_all(&mut client, b"xy").unwrap());
    done(&mut lp);
    assert_eq!(told(&log), "connection data closed");
}
