//! Names looked up through the pool.

use std::net::{IpAddr, Ipv6Addr};

use loop_core::ErrorCode;

use super::*;

fn look_up(lp: &mut Loop, host: &str) -> Result<Vec<SocketAddr>, SysError> {
    let slot = Rc::new(Cell::new(None));
    let s = slot.clone();
    lp.lookup(host, 80, move |_, result| s.set(Some(result)));
    done(lp);
    slot.take().expect("the look-up has called back")
}

#[test]
fn addresses_in_digits_are_their_own_answer_on_both_clocks() {
    for mut lp in [real_loop(), virtual_loop()] {
        let four = look_up(&mut lp, "127.0.0.1").unwrap();
        assert_eq!(four, [SocketAddr::from((Ipv4Addr::LOCALHOST, 80))]);
        let six = look_up(&mut lp, "::1").unwrap();
        assert_eq!(six, [SocketAddr::from((Ipv6Addr::LOCALHOST, 80))]);
    }
}

#[test]
fn getaddrinfo_basic() {
    let addresses = look_up(&mut real_loop(), "localhost").unwrap();
    assert!(addresses.iter().map(SocketAddr::ip).all(|ip: IpAddr| ip.is_loopback()));
    assert!(!addresses.is_empty());
}

/// Without a network the resolver can't say that there is no such name, only that it can't tell.
#[test]
fn getaddrinfo_fail() {
    let error = look_up(&mut real_loop(), "nosuch.invalid").unwrap_err();
    assert!(["ENOTFOUND", "EAI_AGAIN"].contains(&error.name()), "{error:?}");
    assert!(matches!(error.code(), ErrorCode::Lookup(_)) && error.errno().is_none());
    assert_eq!(error.to_string(), format!("getaddrinfo {} nosuch.invalid", error.name()));
    assert_eq!((error.call(), error.host()), ("getaddrinfo", Some("nosuch.invalid")));
}

#[test]
fn what_cannot_be_a_name_is_refused() {
    let error = look_up(&mut real_loop(), "a\0b").unwrap_err();
    assert_eq!(error.name(), "EINVAL");
}
