//! UDP.

use std::net::UdpSocket;

use loop_core::UdpEvent;

use super::*;

fn bound(lp: &mut Loop) -> (HandleId, SocketAddr) {
    let id = lp.udp_bind(localhost()).unwrap();
    (id, lp.local_address(id).unwrap())
}

/// Notes each datagram in words, each error by its message.
fn receive(lp: &mut Loop, id: HandleId, log: &Log) {
    let log = log.clone();
    lp.udp_recv_start(id, move |_, event| match event {
        UdpEvent::Datagram { bytes, .. } => note(&log, String::from_utf8_lossy(bytes)),
        UdpEvent::Error(error) => note(&log, error),
    });
}

#[test]
fn udp_send_and_recv() {
    let mut lp = real_loop();
    let log = Log::default();
    let ((server, to), (client, from)) = (bound(&mut lp), bound(&mut lp));
    let l = log.clone();
    lp.udp_recv_start(server, move |lp, event| {
        let UdpEvent::Datagram { bytes, from } = event else { panic!("{event:?}") };
        note(&l, String::from_utf8_lossy(bytes));
        lp.udp_send(server, "PONG", Some(from), |_, result| result.unwrap());
        lp.udp_recv_stop(server);
    });
    let l = log.clone();
    lp.udp_recv_start(client, move |lp, event| {
        let UdpEvent::Datagram { bytes, from } = event else { panic!("{event:?}") };
        note(&l, format!("{} {}", String::from_utf8_lossy(bytes), from == to));
        lp.close_with(client, noting(&l, "close"));
    });
    lp.udp_send(client, "PING", Some(to), noting_result(&log, "ping"));
    done(&mut lp);
    assert_eq!(told(&log), "ping:ok PING PONG true close");
    assert_eq!((lp.local_address(server), lp.local_address(client)), (Some(to), None));
    assert_ne!(from, to);
}

#[test]
fn udp_connect_gives_a_far_end_and_its_errors() {
    let mut lp = real_loop();
    let log = Log::default();
    let peer = UdpSocket::bind(localhost()).unwrap();
    let far = peer.local_addr().unwrap();
    let (id, near) = bound(&mut lp);
    lp.udp_send(id, "x", None, noting_result(&log, "nowhere"));
    lp.udp_connect(id, far).unwrap();
    assert_eq!(lp.peer_address(id), Some(far));
    lp.udp_send(id, "x", Some(far), noting_result(&log, "twice"));
    lp.udp_send(id, "hello", None, noting_result(&log, "sent"));
    done(&mut lp);
    assert_eq!(told(&log), "nowhere:EDESTADDRREQ twice:EISCONN sent:ok");
    let mut buffer = [0; 16];
    assert_eq!(peer.recv_from(&mut buffer).unwrap(), (5, near));
    drop(peer);
    receive(&mut lp, id, &log);
    lp.run(RunMode::NoWait).unwrap();
    lp.udp_send(id, "x", None, |_, _| {});
    // Both are there before the loop looks, and announced once.
    let reborn = UdpSocket::bind(far).unwrap();
    reborn.send_to(b"again", near).unwrap();
    run_until(&mut lp, |_| log.borrow().len() == 2);
    assert_eq!(told(&log), "recv ECONNREFUSED again");
}

#[test]
fn errors_of_binding_and_of_sending() {
    let mut lp = real_loop();
    let log = Log::default();
    let (id, address) = bound(&mut lp);
    let error = lp.udp_bind(address).unwrap_err();
    assert_eq!(error.to_string(), format!("bind EADDRINUSE {address}"));
    lp.udp_send(id, vec![0; 70_000], Some(address), noting_result(&log, "large"));
    lp.udp_send(id, "", Some(address), noting_result(&log, "empty"));
    lp.udp_send(id, vec![b'x'; 65_507], Some(address), noting_result(&log, "full"));
    done(&mut lp);
    assert_eq!(told(&log), "large:EMSGSIZE empty:ok full:ok");
    let sizes = log.clone();
    lp.udp_recv_start(id, move |_, event| match event {
        UdpEvent::Datagram { bytes, .. } => note(&sizes, bytes.len()),
        UdpEvent::Error(error) => note(&sizes, error),
    });
    run_until(&mut lp, |_| log.borrow().len() == 2);
    assert_eq!(told(&log), "0 65507");
}

/// A socket that has more waits for its next turn, though the kernel announces it only once.
#[test]
fn a_flood_leaves_others_their_turn_and_loses_nothing() {
    let mut lp = real_loop();
    let log = Log::default();
    let (id, address) = bound(&mut lp);
    lp.run(RunMode::NoWait).unwrap();
    receive(&mut lp, id, &log);
    lp.run(RunMode::NoWait).unwrap();
    let sender = UdpSocket::bind(localhost()).unwrap();
    (0..80).for_each(|_| assert_eq!(sender.send_to(b"x", address).unwrap(), 1));
    let mut counts = Vec::new();
    for _ in 0..4 {
        lp.run(RunMode::NoWait).unwrap();
        counts.push(told(&log).split_whitespace().count());
    }
    assert_eq!(counts, [32, 32, 16, 0]);
}

#[test]
fn what_arrives_while_nobody_receives_waits() {
    let mut lp = real_loop();
    let log = Log::default();
    let (id, address) = bound(&mut lp);
    let sender = UdpSocket::bind(localhost()).unwrap();
    sender.send_to(b"a", address).unwrap();
    lp.run(RunMode::NoWait).unwrap();
    receive(&mut lp, id, &log);
    lp.run(RunMode::NoWait).unwrap();
    lp.udp_recv_stop(id);
    assert!(!lp.is_active(id));
    sender.send_to(b"b", address).unwrap();
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(told(&log), "a");
    receive(&mut lp, id, &log);
    run_until(&mut lp, |_| !log.borrow().is_empty());
    assert_eq!(told(&log), "b");
}
