//! Unix sockets: what they don't share with TCP.

use loop_core::ReadEvent;

use super::*;

#[test]
fn pipe_ping_pong_and_the_file_goes_with_the_listener() {
    let folder = Folder::new("ping");
    let path = folder.at("s");
    let mut lp = real_loop();
    let server = lp.unix_listen(&path, |lp, connection| {
        let stream = connection.unwrap();
        lp.read_start(stream, move |lp, event| match event {
            ReadEvent::Data(bytes) => lp.write(stream, bytes, |_, result| result.unwrap()),
            ReadEvent::End => lp.close(stream),
            ReadEvent::Error(error) => panic!("{error}"),
        });
    });
    let server = server.unwrap();
    assert!(path.exists());
    let total = Rc::new(Cell::new(0));
    let (t, slot) = (total.clone(), Slot::default());
    let own = slot.clone();
    let client = lp.unix_connect(&path, move |lp, result| {
        result.unwrap();
        let stream = own.get().unwrap();
        lp.write(stream, vec![7; 1 << 20], |_, result| result.unwrap());
        lp.read_start(stream, move |lp, event| {
            let ReadEvent::Data(bytes) = event else { panic!("{event:?}") };
            t.set(t.get() + bytes.len());
            if t.get() == 1 << 20 {
                lp.close(stream);
                lp.close(server);
            }
        });
    });
    slot.set(Some(client.unwrap()));
    done(&mut lp);
    assert_eq!(total.get(), 1 << 20);
    assert!(!path.exists(), "libuv removes it, too");
}

#[test]
fn pipe_getsockname() {
    let folder = Folder::new("names");
    let path = folder.at("s");
    let mut lp = real_loop();
    let accepted = Slot::default();
    let a = accepted.clone();
    let server = lp.unix_listen(&path, move |_, stream| a.set(stream.ok())).unwrap();
    let client = lp.unix_connect(&path, |_, result| result.unwrap()).unwrap();
    run_until(&mut lp, |_| accepted.get().is_some());
    let accepted = accepted.get().unwrap();
    assert_eq!((lp.local_path(server), lp.peer_path(server)), (Some(path.clone()), None));
    assert_eq!((lp.local_path(client), lp.peer_path(client)), (None, Some(path.clone())));
    assert_eq!((lp.local_path(accepted), lp.peer_path(accepted)), (Some(path), None));
    assert_eq!((lp.local_address(client), lp.peer_address(client)), (None, None));
    assert_eq!(outcome(&lp.tcp_nodelay(client, true)), "ENOTSUP");
}

/// libuv's pipe_bind_error_addrinuse, _addrnotavail and _inval.
#[test]
fn pipe_bind_errors() {
    let folder = Folder::new("bind");
    let mut lp = real_loop();
    let path = folder.at("s");
    let first = lp.unix_listen(&path, |_, _| {}).unwrap();
    let mut name = |path: &Path| lp.unix_listen(path, |_, _| {}).unwrap_err().name();
    assert_eq!(name(&path), "EADDRINUSE");
    assert!(path.exists(), "a listener that failed removes nothing");
    assert_eq!(name(&folder.at("none/s")), "EACCES");
    assert_eq!(name(Path::new("")), "EINVAL");
    assert_eq!(name(Path::new(&"x".repeat(200))), "EINVAL");
    assert_eq!(name(Path::new("a\0b")), "EINVAL");
    lp.close(first);
    done(&mut lp);
    let again = lp.unix_listen(&path, |_, _| {}).expect("the name is free");
    lp.close(again);
}

/// libuv's pipe_connect_bad_name and more: told by the callback, never at once.
#[test]
fn pipe_connect_errors_come_by_the_callback() {
    let folder = Folder::new("connect");
    let nobody = folder.at("nobody");
    drop(std::os::unix::net::UnixListener::bind(&nobody).unwrap());
    let mut lp = real_loop();
    let log = Log::default();
    let missing = lp.unix_connect(folder.at("x"), noting_result(&log, "missing")).unwrap();
    lp.write(missing, "x", noting_result(&log, "write"));
    lp.unix_connect(&nobody, noting_result(&log, "nobody")).unwrap();
    lp.unix_connect("y".repeat(200), noting_result(&log, "long")).unwrap();
    let closed = lp.unix_connect(folder.at("x"), noting_result(&log, "closed")).unwrap();
    lp.close(closed);
    note(&log, "none-yet");
    done(&mut lp);
    let expect = "none-yet missing:ENOENT nobody:ECONNREFUSED long:EINVAL write:ECANCELED \
                  closed:ECANCELED";
    assert_eq!(told(&log), expect);
    lp.write(missing, "x", noting_result(&log, "write"));
    done(&mut lp);
    assert_eq!(told(&log), "write:ENOTCONN");
}

#[test]
fn the_file_goes_with_a_loop_that_is_dropped() {
    let folder = Folder::new("dropped");
    let path = folder.at("s");
    let mut lp = real_loop();
    lp.unix_listen(&path, |_, _| {}).unwrap();
    drop(lp);
    assert!(!path.exists());
}

/// One is accepted at one go, and all are announced once.
#[test]
fn connections_that_came_before_the_loop_ran_are_all_accepted() {
    let folder = Folder::new("many");
    let path = folder.at("s");
    let mut lp = real_loop();
    let accepted = Rc::new(Cell::new(0));
    let a = accepted.clone();
    let server = lp.unix_listen(&path, move |lp, connection| {
        lp.close(connection.unwrap());
        a.set(a.get() + 1);
    });
    server.unwrap();
    let connect = |_| std::os::unix::net::UnixStream::connect(&path).unwrap();
    let clients: Vec<_> = (0..300).map(connect).collect();
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(accepted.get(), 1, "a crowd leaves others their turn");
    run_until(&mut lp, |_| accepted.get() == clients.len());
}
