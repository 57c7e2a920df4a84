//! Who is at the other end of a socket or pipe that a thread waits for.
//!
//! ```text
//! fd 3 -> socket:[4711]   getpeername of a copy of the descriptor
//!                         -> tcp 10.0.0.7:5432, tcp [::1]:6379, unix /run/docker.sock
//! fd 0 -> pipe:[4712]     the descriptors of its children, its parent and that one's children
//!                         -> pipe from cat (123)
//! ```
//!
//! A copy of a socket tells its peer in any network namespace, among however many sockets, and
//! that of a Unix socket; the tables in `/proc/PID/net` have a line for each socket that there is,
//! and no peers of Unix sockets. The copy is there for some microseconds, and nothing is read from
//! it; what the process closes meanwhile is closed when the copy is, too.
//!
//! Cost: ten system calls for a socket; for a pipe one for each descriptor that is looked at, of
//! which there are at most [`DESCRIPTORS_MAX`]. Each is named once in a stall.
//!
//! **Invariant**: what can't be known stays as the kernel names it, `socket:[4711]`.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::fstat;
use rustix::net::sockopt::{socket_domain, socket_peercred, socket_protocol, socket_type};
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix, SocketType, ipproto};
use rustix::net::{getpeername, getsockname};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::limits::{DESCRIPTORS_MAX, PEERS_KEPT, RELATIVES_MAX};
use crate::process::{Process, parent_of};

/// Bytes of the longest address: that of a Unix socket.
pub(super) const ADDRESS_BYTES_MAX: usize = 110;

/// The peers of one process that were asked for in one stall.
#[derive(Debug)]
pub(super) struct Peers {
    pid: u32,
    /// By the kernel's name, which has the number of the socket or pipe in it.
    known: BTreeMap<String, Option<String>>,
}

impl Peers {
    /// Those of this process.
    pub(super) fn of(pid: u32) -> Peers {
        Peers { pid, known: BTreeMap::new() }
    }

    /// What a descriptor leads to. `folder` is that of the thread in `/proc`.
    pub(super) fn name(&mut self, folder: &Path, number: i32) -> Option<String> {
        let descriptor = folder.join("fd").join(number.to_string());
        let link = fs::read_link(&descriptor).ok()?.to_string_lossy().into_owned();
        if !link.starts_with("socket:[") && !link.starts_with("pipe:[") {
            return Some(link);
        }
        if let Some(known) = self.known.get(&link) {
            return Some(known.clone().unwrap_or(link));
        }
        let found = match link.starts_with("pipe:[") {
            true => self.holder(&descriptor, &link),
            false => self.copy(&link, number).and_then(|socket| self.peer(&socket)),
        };
        if self.known.len() < PEERS_KEPT {
            self.known.insert(link.clone(), found.clone());
        }
        Some(found.unwrap_or(link))
    }

    /// The same for a socket and an address that a call was given, as the bytes of a `sockaddr`.
    pub(super) fn at(&mut self, folder: &Path, number: i32, address: &[u8]) -> Option<String> {
        let link = fs::read_link(folder.join("fd").join(number.to_string())).ok()?;
        let socket = self.copy(&link.to_string_lossy(), number);
        let named = socket.as_ref().and_then(protocol).zip(parse(address));
        match named {
            Some((protocol, address)) => Some(format!("{protocol} {address}")),
            None => self.name(folder, number),
        }
    }

    /// A copy of a socket, which is the one that has this name.
    fn copy(&self, link: &str, number: i32) -> Option<OwnedFd> {
        let pid = Pid::from_raw(i32::try_from(self.pid).ok()?)?;
        let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let copy = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok()?;
        let inode = fstat(&copy).ok()?.st_ino;
        (link == format!("socket:[{inode}]")).then_some(copy)
    }

    /// The peer of a socket; of one that has none, who listens there.
    fn peer(&self, socket: &OwnedFd) -> Option<String> {
        let protocol = protocol(socket)?;
        let peer = getpeername(socket).ok().flatten();
        if let Some(address) = peer.as_ref().and_then(shown) {
            return Some(format!("{protocol} {address}"));
        }
        match getsockname(socket).ok().as_ref().and_then(shown) {
            Some(own) => Some(format!("{protocol} at {own}")),
            None => self.maker(socket).map(|maker| format!("{protocol} socket of {maker}")),
        }
    }

    /// Who has made a pair of Unix sockets, or has accepted a connection without a name.
    fn maker(&self, socket: &OwnedFd) -> Option<String> {
        let pid = u32::try_from(socket_peercred(socket).ok()?.pid.as_raw_pid()).ok()?;
        (pid != self.pid).then(|| told(pid))?
    }

    /// Another process that has the other end of a pipe, among those that usually do.
    fn holder(&self, descriptor: &Path, link: &str) -> Option<String> {
        let parent = parent_of(self.pid).filter(|&parent| parent > 0);
        let siblings = parent.into_iter().flat_map(children);
        let relatives = children(self.pid).into_iter().chain(siblings).chain(parent);
        self.holder_among(relatives, descriptor, link)
    }

    fn holder_among(
        &self,
        relatives: impl IntoIterator<Item = u32>,
        descriptor: &Path,
        link: &str,
    ) -> Option<String> {
        let reads = access(descriptor)? & READ != 0;
        let (wanted, word) = if reads { (WRITE, "from") } else { (READ, "to") };
        let mut others = relatives.into_iter().filter(|&pid| pid != self.pid).take(RELATIVES_MAX);
        let mut left = DESCRIPTORS_MAX;
        let mut holds = |pid: &u32| {
            let Ok(all) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
            let mut looked_at = all.flatten().take(left).map(|entry| entry.path());
            looked_at.any(|path| {
                left = left.saturating_sub(1);
                let is_same = fs::read_link(&path).is_ok_and(|of| of == Path::new(link));
                is_same && access(&path).is_some_and(|access| access & wanted != 0)
            })
        };
        let holder = others.find(|pid| holds(pid))?;
        told(holder).map(|holder| format!("pipe {word} {holder}"))
    }
}

/// Those that the main thread of a process has started. The kernel's own list, which may lack one
/// while others end.
fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// A process, as children are told.
fn told(pid: u32) -> Option<String> {
    let name = Process::kernels_name(pid);
    (!name.is_empty()).then(|| format!("{name} ({pid})"))
}

const READ: u32 = 0o400;
const WRITE: u32 = 0o200;

/// What a descriptor is open for, as the rights of its link tell.
fn access(descriptor: &Path) -> Option<u32> {
    Some(fs::symlink_metadata(descriptor).ok()?.mode())
}

fn protocol(socket: &OwnedFd) -> Option<&'static str> {
    /// Several TCP connections as one.
    const MPTCP: u32 = 262;
    let domain = socket_domain(socket).ok()?;
    if domain == AddressFamily::UNIX {
        return Some("unix");
    }
    let is_ip = [AddressFamily::INET, AddressFamily::INET6].contains(&domain);
    let protocol = socket_protocol(socket).ok().flatten().filter(|_| is_ip)?;
    match socket_type(socket).ok()? {
        SocketType::STREAM if protocol == ipproto::TCP => Some("tcp"),
        SocketType::STREAM if protocol.as_raw().get() == MPTCP => Some("tcp"),
        SocketType::DGRAM if protocol == ipproto::UDP => Some("udp"),
        _ => None,
    }
}

fn shown(address: &SocketAddrAny) -> Option<String> {
    if let Ok(address) = SocketAddr::try_from(address.clone()) {
        return (address.port() != 0).then(|| of_ip(address.ip(), address.port()));
    }
    // One without a name has an empty one.
    let address = SocketAddrUnix::try_from(address.clone()).ok()?;
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let path = address.path_bytes().filter(|path| !path.is_empty()).map(text);
    let name = address.abstract_name().filter(|name| !name.is_empty());
    path.or_else(|| name.map(|name| format!("@{}", text(name))))
}

/// The bytes of a `sockaddr`: family of two bytes in the machine's order, then for the internet
/// port and address in the network's, for a Unix socket its path.
fn parse(bytes: &[u8]) -> Option<String> {
    const UNIX: u16 = libc::AF_UNIX as u16;
    const INET: u16 = libc::AF_INET as u16;
    const INET6: u16 = libc::AF_INET6 as u16;
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    let port = || Some(u16::from_be_bytes(*rest.first_chunk()?));
    match u16::from_ne_bytes(*family) {
        UNIX => match rest.split_first()? {
            (0, name) => Some(format!("@{}", String::from_utf8_lossy(name))),
            _ => rest
                .split(|&byte| byte == 0)
                .next()
                .map(|path| String::from_utf8_lossy(path).into_owned()),
        },
        INET => {
            let address: [u8; 4] = *rest.get(2..)?.first_chunk()?;
            Some(of_ip(IpAddr::V4(Ipv4Addr::from(address)), port()?))
        }
        // Port, flow, address.
        INET6 => {
            let address: [u8; 16] = *rest.get(6..)?.first_chunk()?;
            Some(of_ip(IpAddr::V6(Ipv6Addr::from(address)), port()?))
        }
        _ => None,
    }
}

/// An address of IPv4 is told as one, also where the socket is of IPv6.
fn of_ip(address: IpAddr, port: u16) -> String {
    SocketAddr::new(address.to_canonical(), port).to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, pipe};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use super::*;

    fn own() -> Peers {
        Peers::of(std::process::id())
    }

    /// What our own descriptor is told as.
    fn name(of: &impl AsRawFd) -> String {
        own().name(Path::new("/proc/self"), of.as_raw_fd()).expect("it is open")
    }

    #[test]
    fn sockets_of_the_internet_are_told_by_their_peers() {
        for host in ["127.0.0.1", "[::1]"] {
            let listener = TcpListener::bind(format!("{host}:0")).expect("a port");
            let address = listener.local_addr().expect("it has one");
            let stream = TcpStream::connect(address).expect("it listens");
            assert_eq!(name(&stream), format!("tcp {host}:{}", address.port()));
            assert_eq!(name(&listener), format!("tcp at {host}:{}", address.port()));
        }
        let (one, other) = (UdpSocket::bind("127.0.0.1:0"), UdpSocket::bind("127.0.0.1:0"));
        let (one, other) = (one.expect("a port"), other.expect("a port"));
        let peer = other.local_addr().expect("it has one");
        one.connect(peer).expect("no handshake");
        assert_eq!(name(&one), format!("udp {peer}"));
        assert_eq!(name(&other), format!("udp at {peer}"));
    }

    #[test]
    fn unix_sockets_are_told_by_the_path_whichever_side_they_are() {
        let path = std::env::temp_dir().join(format!("loopscope-peer-{}", std::process::id()));
        let listener = UnixListener::bind(&path).expect("a socket");
        let stream = UnixStream::connect(&path).expect("it listens");
        let (accepted, _) = listener.accept().expect("it was connected");
        fs::remove_file(&path).expect("it is there");
        assert_eq!(name(&stream), format!("unix {}", path.display()));
        assert_eq!(name(&accepted), format!("unix at {}", path.display()));
        let (ours, _other) = UnixStream::pair().expect("a pair");
        assert!(name(&ours).starts_with("socket:["), "made by the process itself");
    }

    #[test]
    fn a_pipe_is_told_by_the_process_at_its_other_end() {
        let mut sleep = Command::new("sleep");
        sleep.arg("60").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = sleep.spawn().expect("it starts");
        let own_pid = std::process::id();
        let peers = own();
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let told = |number| {
            // The kernel lists it by the thread that has started it, which isn't the main one.
            let descriptor = PathBuf::from(format!("/proc/self/fd/{number}"));
            let link = fs::read_link(&descriptor).expect("it is open");
            peers.holder_among([own_pid, child.id()], &descriptor, &link.to_string_lossy())
        };
        assert_eq!(told(to.as_raw_fd()), Some(format!("pipe to sleep ({})", child.id())));
        assert_eq!(told(from.as_raw_fd()), Some(format!("pipe from sleep ({})", child.id())));
        let (reader, _writer) = pipe().expect("a pipe");
        assert_eq!(told(reader.as_raw_fd()), None, "nobody else has it");
        assert!(name(&reader).starts_with("pipe:["));
        child.kill().expect("it runs");
        child.wait().expect("it was killed");
    }

    #[test]
    fn a_peer_is_asked_for_once() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let (mut peers, number) = (own(), stream.as_raw_fd());
        let folder = Path::new("/proc/self");
        let told = peers.name(folder, number);
        drop(listener);
        // It is gone, and would be told as its own port now.
        assert!(!matches!(stream.read(&mut [0]), Ok(1..)));
        assert_eq!((peers.name(folder, number), peers.known.len()), (told, 1));
    }

    #[test]
    fn what_is_no_socket_stays_as_it_is_called() {
        let file = fs::File::open("/proc/self/exe").expect("it is there");
        assert!(name(&file).starts_with('/'));
        assert_eq!(own().name(Path::new("/proc/self"), -1), None);
        let copy = own().copy("socket:[1]", file.as_raw_fd());
        assert!(copy.is_none(), "it is another by now");
    }

    #[test]
    fn a_connection_that_is_being_made_is_told_by_what_the_call_was_given() {
        let made = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None);
        let (socket, folder) = (made.expect("a socket"), Path::new("/proc/self"));
        let address = [(libc::AF_INET as u16).to_ne_bytes(), [0x15, 0x38], [10, 0], [0, 7]];
        let number = socket.as_raw_fd();
        let told = own().at(folder, number, address.as_flattened());
        assert_eq!(told.as_deref(), Some("tcp 10.0.0.7:5432"));
        let none = own().at(folder, number, &[]);
        assert!(none.is_some_and(|none| none.starts_with("socket:[")), "it has no address");
    }

    #[test]
    fn addresses_that_a_call_was_given_are_read() {
        let bytes = |family: i32, rest: &[u8]| [&(family as u16).to_ne_bytes(), rest].concat();
        let v4 = bytes(libc::AF_INET, &[0x15, 0x38, 10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(parse(&v4).as_deref(), Some("10.0.0.7:5432"));
        let mut v6 = bytes(libc::AF_INET6, &[0; 26]);
        (v6[2], v6[3], v6[23]) = (0x18, 0xeb, 1);
        assert_eq!(parse(&v6).as_deref(), Some("[::1]:6379"));
        let path = bytes(libc::AF_UNIX, b"/run/a.sock\0rest");
        assert_eq!(parse(&path).as_deref(), Some("/run/a.sock"));
        let name = bytes(libc::AF_UNIX, b"\0name");
        assert_eq!(parse(&name).as_deref(), Some("@name"));
        for length in 0..v6.len() - 4 {
            let cut = &v6[..length.min(23)];
            assert_eq!(parse(cut), None, "{length}");
        }
        assert_eq!(parse(&bytes(999, &[0; 26])), None);
    }
}
