//! Errors: what they tell, and that they read as Node's.

use std::io;

use loop_core::{ErrorCode, SysError};

use super::*;

/// Each of these is what Node 20 prints for the same mistake.
#[test]
fn messages_read_as_nodes() {
    let folder = Folder::new("messages");
    let missing = folder.at("none").join("x");
    let shown = missing.display();
    let log = Log::default();
    let tell = |log: &Log| {
        let log = log.clone();
        move |error: Option<SysError>| note(&log, error.unwrap())
    };
    let mut lp = real_loop();
    let refused = format!("127.0.0.1:{}", free_port());
    let (a, b, c, d) = (tell(&log), tell(&log), tell(&log), tell(&log));
    lp.tcp_connect(refused.parse().unwrap(), move |_, result| a(result.err())).unwrap();
    done(&mut lp);
    lp.unix_connect(&missing, move |_, result| b(result.err())).unwrap();
    done(&mut lp);
    lp.fs_stat(&missing, move |_, result| c(result.err()));
    done(&mut lp);
    lp.fs_rename("/a1", "/b1", move |_, result| d(result.err()));
    done(&mut lp);
    let d = tell(&log);
    lp.fs_read_file(folder.path(), move |_, result| d(result.err()));
    done(&mut lp);
    let server = lp.tcp_listen(localhost(), |_, _| {}).unwrap();
    let taken = lp.local_address(server).unwrap();
    note(&log, lp.tcp_listen(taken, |_, _| {}).unwrap_err());
    note(&log, lp.unix_listen(&missing, |_, _| {}).unwrap_err());
    note(&log, lp.unix_listen(folder.path(), |_, _| {}).unwrap_err());
    note(&log, lp.udp_bind("8.8.8.8:5".parse().unwrap()).unwrap_err());
    let expect = [
        format!("connect ECONNREFUSED {refused}"),
        format!("connect ENOENT {shown}"),
        format!("ENOENT: no such file or directory, stat '{shown}'"),
        "ENOENT: no such file or directory, rename '/a1' -> '/b1'".to_owned(),
        "EISDIR: illegal operation on a directory, read".to_owned(),
        format!("listen EADDRINUSE: address already in use {taken}"),
        format!("listen EACCES: permission denied {shown}"),
        format!("listen EADDRINUSE: address already in use {}", folder.path().display()),
        "bind EADDRNOTAVAIL 8.8.8.8:5".to_owned(),
    ];
    assert_eq!(*log.borrow(), expect);
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind(localhost()).unwrap().local_addr().unwrap().port()
}

#[test]
fn an_error_tells_call_name_number_and_what_it_was_about() {
    let mut lp = real_loop();
    let server = lp.tcp_listen(localhost(), |_, _| {}).unwrap();
    let taken = lp.local_address(server).unwrap();
    let error = lp.tcp_listen(taken, |_, _| {}).unwrap_err();
    assert_eq!((error.call(), error.name()), ("listen", "EADDRINUSE"));
    assert_eq!(error.code(), ErrorCode::Errno(error.errno().unwrap()));
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert_eq!((error.address(), error.path(), error.host()), (Some(taken), None, None));
    assert!(!error.is_canceled());
    let error = lp.unix_listen("/none/x", |_, _| {}).unwrap_err();
    assert_eq!((error.address(), error.path()), (None, Some(Path::new("/none/x"))));
    let debug = format!("{error:?}");
    assert!(debug.starts_with("SysError { call: \"listen\", name: \"EACCES\""), "{debug}");
}

#[test]
fn an_error_goes_into_an_io_error_and_comes_out_again() {
    let mut lp = real_loop();
    let error = lp.unix_listen("", |_, _| {}).unwrap_err();
    let standard = io::Error::from(error.clone());
    assert_eq!(standard.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(standard.to_string(), error.to_string());
    assert_eq!(SysError::new("other", standard), error);
}

#[test]
fn what_has_no_name_is_told_in_the_systems_words() {
    let unnamed = SysError::new("ioctl", io::Error::from_raw_os_error(9_999));
    assert_eq!((unnamed.name(), unnamed.errno()), ("UNKNOWN", Some(9_999)));
    assert!(unnamed.to_string().contains("9999"), "{unnamed}");
    let unknown = SysError::new("read", io::Error::other("odd"));
    assert_eq!((unknown.code(), unknown.errno()), (ErrorCode::Unknown(io::ErrorKind::Other), None));
    assert_eq!(unknown.to_string(), "read UNKNOWN: other error");
    let zero = SysError::new("open", io::Error::from(io::ErrorKind::InvalidInput));
    assert_eq!(zero.name(), "EINVAL");
}
