//! Streams over TCP; what Unix sockets share with them is tested here once.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use loop_core::ReadEvent;

use super::*;

/// A stream of the loop and the far end of its connection.
fn pair(lp: &mut Loop) -> (HandleId, TcpStream) {
    let peer = TcpListener::bind(localhost()).unwrap();
    let log = Log::default();
    let stream = lp.tcp_connect(peer.local_addr().unwrap(), noting_result(&log, "c")).unwrap();
    done(lp);
    assert_eq!(told(&log), "c:ok");
    (stream, peer.accept().unwrap().0)
}

#[test]
fn ping_pong() {
    let mut lp = real_loop();
    let server = lp.tcp_listen(localhost(), |lp, connection| {
        let stream = connection.unwrap();
        lp.read_start(stream, move |lp, event| match event {
            ReadEvent::Data(bytes) => lp.write(stream, bytes, |_, result| result.unwrap()),
            _ => lp.close(stream),
        });
    });
    let server = server.unwrap();
    let address = lp.local_address(server).unwrap();
    let slot = Slot::default();
    let own = slot.clone();
    let pongs = Rc::new(Cell::new(0));
    let p = pongs.clone();
    let client = lp.tcp_connect(address, move |lp, result| {
        result.unwrap();
        let stream = own.get().unwrap();
        lp.write(stream, "PING", |_, _| {});
        let mut got = 0;
        lp.read_start(stream, move |lp, event| {
            let ReadEvent::Data(bytes) = event else { panic!("{event:?}") };
            got += bytes.len();
            p.set(got / 4);
            if got == 4_000 {
                lp.close(stream);
                lp.close(server);
            } else if got % 4 == 0 {
                lp.write(stream, "PING", |_, _| {});
            }
        });
    });
    slot.set(Some(client.unwrap()));
    done(&mut lp);
    assert_eq!(pongs.get(), 1_000);
}

#[test]
fn both_ends_have_addresses() {
    let mut lp = real_loop();
    let (stream, peer) = pair(&mut lp);
    assert_eq!(lp.local_address(stream), peer.peer_addr().ok());
    assert_eq!(lp.peer_address(stream), peer.local_addr().ok());
    assert_eq!((lp.local_path(stream), lp.peer_path(stream)), (None, None));
    assert_eq!(outcome(&lp.tcp_nodelay(stream, true)), "ok");
}

/// Writes call back in their order, and the end behind them; the peer gets all bytes, then the end.
#[test]
fn shutdown_comes_behind_all_writes() {
    let mut lp = real_loop();
    let (stream, mut peer) = pair(&mut lp);
    let log = Log::default();
    lp.write(stream, "a", noting_result(&log, "small"));
    lp.write(stream, vec![b'b'; 8 << 20], noting_result(&log, "large"));
    lp.write(stream, "", noting_result(&log, "empty"));
    lp.end_with(stream, noting_result(&log, "end"));
    lp.write(stream, "late", noting_result(&log, "late"));
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    done(&mut lp);
    assert_eq!(told(&log), "small:ok late:EPIPE large:ok empty:ok end:ok");
    assert_eq!(reader.join().unwrap(), (8 << 20) + 1);
}

#[test]
fn shutdown_twice() {
    let mut lp = real_loop();
    let (stream, _peer) = pair(&mut lp);
    let log = Log::default();
    lp.end_with(stream, noting_result(&log, "first"));
    lp.end_with(stream, noting_result(&log, "second"));
    done(&mut lp);
    lp.end_with(stream, noting_result(&log, "third"));
    done(&mut lp);
    assert_eq!(told(&log), "first:ok second:ENOTCONN third:ENOTCONN");
}

/// Everything owed is told, in libuv's order, before the close callback.
#[test]
fn shutdown_close() {
    let mut lp = real_loop();
    let (stream, _peer) = pair(&mut lp);
    let log = Log::default();
    lp.write(stream, vec![0; 64 << 20], noting_result(&log, "a"));
    lp.write(stream, "x", noting_result(&log, "b"));
    lp.end_with(stream, noting_result(&log, "end"));
    lp.close_with(stream, noting(&log, "close"));
    done(&mut lp);
    assert_eq!(told(&log), "a:ECANCELED b:ECANCELED end:ECANCELED close");
}

/// After our end was shut down the other one may still speak.
#[test]
fn a_stream_is_read_behind_its_own_end() {
    let mut lp = real_loop();
    let (stream, mut peer) = pair(&mut lp);
    let log = Log::default();
    let l = log.clone();
    lp.read_start(stream, move |lp, event| match event {
        ReadEvent::Data(bytes) => note(&l, String::from_utf8_lossy(bytes)),
        ReadEvent::End => {
            note(&l, "end");
            lp.close(stream);
        }
        ReadEvent::Error(error) => note(&l, error),
    });
    lp.end(stream);
    let answer = std::thread::spawn(move || {
        peer.read_to_end(&mut Vec::new()).unwrap();
        peer.write_all(b"bye").unwrap();
    });
    done(&mut lp);
    answer.join().unwrap();
    assert_eq!(told(&log), "bye end");
}

/// The connection's callback comes first, then what depended on it.
#[test]
fn a_refused_connection_takes_its_writes_along() {
    let address = TcpListener::bind(localhost()).unwrap().local_addr().unwrap();
    let mut lp = real_loop();
    let log = Log::default();
    let stream = lp.tcp_connect(address, noting_result(&log, "connect")).unwrap();
    lp.write(stream, "a", noting_result(&log, "a"));
    lp.write(stream, "b", noting_result(&log, "b"));
    lp.end_with(stream, noting_result(&log, "end"));
    done(&mut lp);
    assert_eq!(told(&log), "connect:ECONNREFUSED a:ECANCELED b:ECANCELED end:ENOTCONN");
    assert!(!lp.is_active(stream));
    lp.close(stream);
    done(&mut lp);
}

#[test]
fn a_reset_connection_is_an_error_of_reading_and_of_writing() {
    let mut lp = real_loop();
    let (stream, mut peer) = pair(&mut lp);
    let log = Log::default();
    let l = log.clone();
    lp.write(stream, "unread", |_, _| {});
    done(&mut lp);
    // What is closed with bytes unread answers by a reset.
    peer.read_exact(&mut [0; 1]).unwrap();
    drop(peer);
    lp.read_start(stream, move |_, event| match event {
        ReadEvent::Error(error) => note(&l, error),
        other => panic!("{other:?}"),
    });
    done(&mut lp);
    lp.write(stream, "x", noting_result(&log, "write"));
    done(&mut lp);
    assert_eq!(told(&log), "read ECONNRESET write:EPIPE");
    assert!(!lp.is_active(stream));
}

/// What arrived while nobody read waits, and comes when reading begins again.
#[test]
fn read_stop_and_start_lose_nothing() {
    let mut lp = real_loop();
    let (stream, mut peer) = pair(&mut lp);
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || peer.write_all(&sent).unwrap());
    let got = Rc::new(RefCell::new(Vec::new()));
    read_some(&mut lp, stream, got.clone());
    done(&mut lp);
    writer.join().unwrap();
    assert!(*got.borrow() == bytes);
}

/// Reads once, stops, and goes on a millisecond later.
fn read_some(lp: &mut Loop, stream: HandleId, got: Rc<RefCell<Vec<u8>>>) {
    lp.read_start(stream, move |lp, event| {
        let ReadEvent::Data(bytes) = event else { return lp.close(stream) };
        got.borrow_mut().extend_from_slice(bytes);
        lp.read_stop(stream);
        let got = got.clone();
        lp.set_timeout(1, move |lp| read_some(lp, stream, got));
    });
}

/// A write that had to wait for the socket calls back in the poll phase, as in libuv: before the
/// immediates of the same turn. One that had not calls back in the pending phase.
#[test]
fn write_callbacks_run_in_libuvs_phases() {
    let mut lp = real_loop();
    let (stream, mut peer) = pair(&mut lp);
    let before = lp.reader().snapshot().callbacks.unwrap();
    lp.write(stream, "x", |_, result| result.unwrap());
    done(&mut lp);
    let after = lp.reader().snapshot().callbacks.unwrap();
    let phase = loop_core::Phase::Pending;
    assert_eq!(after[phase] - before[phase], 1);
    // Nobody reads yet, and no socket takes so much.
    lp.write(stream, vec![0; 32 << 20], |_, result| result.unwrap());
    let reader = std::thread::spawn(move || {
        let mut left = (32 << 20) + 1;
        let mut buffer = vec![0; 1 << 16];
        while left > 0 {
            left -= peer.read(&mut buffer).unwrap();
        }
        peer
    });
    done(&mut lp);
    let last = lp.reader().snapshot().callbacks.unwrap();
    assert_eq!(last[phase], after[phase]);
    assert_eq!(last[loop_core::Phase::Poll] - after[loop_core::Phase::Poll], 1);
    drop(reader.join().unwrap());
}

/// Without descriptors a connection waits, and is accepted when there are some again. The process
/// that has few of them is this test, run once more.
#[test]
fn emfile() {
    const CHILD: &str = "LOOP_CORE_TEST_EMFILE";
    if std::env::var_os(CHILD).is_none() {
        let mut again = Command::new("sh");
        again.args(["-c", "ulimit -n 40; exec \"$0\" --exact tcp::emfile --nocapture"]);
        let status = again.arg(std::env::current_exe().unwrap()).env(CHILD, "1").status();
        assert!(status.unwrap().success());
        return;
    }
    let mut lp = real_loop();
    let log = Log::default();
    let l = log.clone();
    let server = lp.tcp_listen(localhost(), move |_, connection| match connection {
        Ok(_) => note(&l, "accepted"),
        Err(error) => note(&l, error),
    });
    let address = lp.local_address(server.unwrap()).unwrap();
    let _client = TcpStream::connect(address).unwrap();
    let handles = lp.handles().count();
    let taken: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    assert_eq!(lp.udp_bind(localhost()).unwrap_err().name(), "EMFILE");
    assert_eq!(lp.signal_start(1, |_| {}).unwrap_err().to_string(), "signal_start EMFILE 1");
    let gone = lp.unix_connect("/x", noting_result(&log, "connect")).unwrap();
    lp.run(RunMode::NoWait).unwrap();
    lp.close(gone);
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(told(&log), "connect:EMFILE accept EMFILE");
    assert_eq!(lp.handles().count(), handles, "what tries again is the loop's own");
    drop(taken);
    run_until(&mut lp, |_| !log.borrow().is_empty());
    assert_eq!(told(&log), "accepted");
    // More of them than there are descriptors: closing gives each one back.
    for _ in 0..100 {
        let signal = lp.signal_start(signal_hook::consts::SIGHUP, |_| {}).unwrap();
        let udp = lp.udp_bind(localhost()).unwrap();
        lp.close(signal);
        lp.close(udp);
        lp.run(RunMode::NoWait).unwrap();
    }
}
