//! Values of options: how they are written, and what to write instead of what was written.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::ValueEnum;
use loop_core::units::{parse_duration_ns, parse_size_bytes};
use loopscope_exporters::Compat;
use loopscope_workloads::Rounds;

use crate::recording::limits::{SIZE_BYTES_MAX, SIZE_BYTES_MIN};

pub(super) fn repeat(text: &str) -> Result<Rounds, String> {
    if text == "forever" {
        return Ok(Rounds::Forever);
    }
    match text.parse() {
        Ok(times) if times > 0 => Ok(Rounds::Times(times)),
        _ => Err("write a number from 1 on, or `forever`".to_owned()),
    }
}

pub(crate) fn threshold_ns(text: &str) -> Result<u64, String> {
    match parse_duration_ns(text) {
        Ok(0) => {
            Err("every turn would be a stall; write a duration above 0, as in 50ms".to_owned())
        }
        Ok(ns) => Ok(ns),
        Err(error) => Err(error.to_string()),
    }
}

/// A process by its number.
pub(super) fn pid(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(pid) if pid > 0 && i32::try_from(pid).is_ok() => Ok(pid),
        _ => Err("write the number of a process; `loopscope doctor` lists them".to_owned()),
    }
}

pub(crate) fn duration_ns(text: &str) -> Result<u64, String> {
    match parse_duration_ns(text) {
        Ok(0) => Err("write a duration above 0, as in 30s".to_owned()),
        Ok(ns) => Ok(ns),
        Err(error) => Err(error.to_string()),
    }
}

/// After which time to give up.
pub(super) fn timeout_ns(text: &str) -> Result<u64, String> {
    match parse_duration_ns(text) {
        Ok(0) => Err("nothing would be run; write a duration above 0, as in 30s".to_owned()),
        Ok(ns) => Ok(ns),
        Err(error) => Err(error.to_string()),
    }
}

/// How long the file of a recording may be.
#[cfg(target_os = "linux")]
pub(super) fn recording_bytes(text: &str) -> Result<u64, String> {
    match parse_size_bytes(text) {
        Ok(bytes) if (SIZE_BYTES_MIN..=SIZE_BYTES_MAX).contains(&bytes) => Ok(bytes),
        Ok(_) => Err("write a size from 1MiB to 1GiB".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What the variable of an option without a value is set to.
pub(super) fn yes(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err("write 1 for yes or 0 for no, or unset it".to_owned()),
    }
}

/// A share in percent, above 0.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim_end().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent),
        _ => Err("write a number above 0 and up to 100".to_owned()),
    }
}

/// One of several words.
pub(crate) fn choice<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, true).map_err(|_| {
        let words = T::value_variants().iter().filter_map(T::to_possible_value);
        let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
        match words.split_last() {
            Some((last, others)) => format!("write {} or {last}", others.join(", ")),
            None => String::new(),
        }
    })
}

/// Lists of names, separated by commas; none is none.
pub(crate) fn compat(text: &str) -> Result<Compat, String> {
    let mut names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.try_fold(Compat::default(), |all, name| {
        let known = Compat::NAMES.join(",");
        all.with(name).ok_or_else(|| format!("there is no `{name}`; write one or both of {known}"))
    })
}

/// `127.0.0.1:9797`, `[::1]:9797`, `localhost:9797`, or `:9797` for the loopback interface.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, String> {
    let loopback = text.strip_prefix("localhost").unwrap_or(text).strip_prefix(':');
    let address = match loopback.map(str::parse) {
        Some(Ok(port)) => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        Some(Err(_)) => None,
        None => text.parse().ok(),
    };
    address.ok_or_else(|| {
        "write an address and a port, as in 127.0.0.1:9797, or :9797 for loopback, or \
         0.0.0.0:9797 for every interface"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_a_list() {
        assert_eq!(compat("otel, prom-client"), Ok(Compat { otel: true, prom_client: true }));
        assert_eq!(compat("prom-client"), Ok(Compat { otel: false, prom_client: true }));
        assert_eq!(compat(""), Ok(Compat::default()));
        assert!(compat("otel,promclient").unwrap_err().contains("`promclient`"));
    }

    #[test]
    fn addresses_without_a_host_are_loopback() {
        let check = |text, want: Option<&str>| {
            let got = listen(text).ok().map(|address| address.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        };
        check(":9797", Some("127.0.0.1:9797"));
        check("localhost:0", Some("127.0.0.1:0"));
        check("0.0.0.0:80", Some("0.0.0.0:80"));
        check("[::1]:80", Some("[::1]:80"));
        for bad in ["", "9797", ":", ":70000", "127.0.0.1", "example.org:80", "localhost"] {
            check(bad, None);
        }
    }

    #[test]
    fn processes_and_shares_are_numbers_above_zero() {
        assert_eq!(pid("4711"), Ok(4711));
        for bad in ["0", "-1", "4294967295", "node", ""] {
            assert!(pid(bad).is_err(), "{bad}");
        }
        assert_eq!((percent("15"), percent("0.5 %")), (Ok(15.0), Ok(0.5)));
        for bad in ["0", "-1", "101", "NaN", "inf", ""] {
            assert!(percent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_recording_has_a_size_within_bounds() {
        assert_eq!(recording_bytes("64MiB"), Ok(64 << 20));
        for bad in ["1023KiB", "1025MiB", "0MiB", "", "64"] {
            assert!(recording_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rounds_are_a_number_or_forever() {
        assert_eq!(repeat("3"), Ok(Rounds::Times(3)));
        assert_eq!(repeat("forever"), Ok(Rounds::Forever));
        for bad in ["0", "-1", "1.5", "", "always"] {
            assert!(repeat(bad).is_err(), "{bad}");
        }
    }
}
