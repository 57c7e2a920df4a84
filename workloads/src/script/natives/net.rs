//! Sockets: those of the loop, by the numbers that the library knows them by.
//!
//! Real sockets have no place under a virtual clock, whose time doesn't wait for them: making one
//! throws.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;

use loop_core::{HandleId, Loop, ReadEvent, SysError};

use super::{NOTHING, Program, Returned, Table};
use crate::script::engine::Entry;
use crate::script::host::{Caller, Shared};
use crate::script::value::{Arguments, Failure, Thrown, Value};

/// Sockets by number.
#[derive(Debug, Default)]
struct Sockets {
    by_number: RefCell<HashMap<u64, HandleId>>,
    last: Cell<u64>,
    is_virtual: bool,
}

impl Sockets {
    fn add(&self, handle: HandleId) -> Value {
        let number = self.last.get() + 1;
        self.last.set(number);
        self.by_number.borrow_mut().insert(number, handle);
        Value::Number(number as f64)
    }

    fn get(&self, arguments: &Arguments) -> Option<HandleId> {
        self.by_number.borrow().get(&arguments.id(0)).copied()
    }

    /// Makes a socket.
    fn make(
        &self,
        shared: &Shared,
        make: impl FnOnce(&mut Loop) -> Result<HandleId, SysError>,
    ) -> Returned {
        if self.is_virtual {
            return Err(refused());
        }
        match shared.with_loop(make) {
            Some(made) => Ok(self.add(made?)),
            None => Ok(Value::Undefined),
        }
    }
}

const NO_SOCKETS: &str = "There are no sockets under a virtual clock, whose time doesn't wait for \
                          them. Run the program by the real clock.";

fn refused() -> Thrown {
    let code = Value::from("ERR_LOOPSCOPE_VIRTUAL_CLOCK");
    Failure { message: NO_SOCKETS.to_owned(), properties: vec![("code", code)] }.into()
}

type Native = fn(&Rc<Sockets>, &Rc<Shared>, Arguments) -> Returned;

const NATIVES: &[(&str, Native)] = &[
    ("tcpListen", tcp_listen),
    ("unixListen", unix_listen),
    ("tcpConnect", tcp_connect),
    ("unixConnect", unix_connect),
    ("lookup", look_up),
    ("socketRead", read),
    ("socketPause", pause),
    ("socketTryWrite", try_write),
    ("socketWrite", write),
    ("socketShutdown", shut_down),
    ("socketClose", close),
    ("socketAddresses", addresses),
    ("socketHold", hold),
    ("socketNoDelay", set_nodelay),
];

pub(super) fn add(table: &mut Table, program: &Program) {
    let sockets = Rc::new(Sockets { is_virtual: program.is_virtual(), ..Sockets::default() });
    for &(name, native) in NATIVES {
        let sockets = Rc::clone(&sockets);
        table.share(name, move |shared, arguments| native(&sockets, shared, arguments));
    }
}

fn address(arguments: &Arguments) -> Result<SocketAddr, Thrown> {
    let host = arguments.text(1);
    let ip: IpAddr =
        host.parse().map_err(|_| Thrown::from(Failure::new(format!("no IP address: {host}"))))?;
    Ok(SocketAddr::new(ip, arguments.id(2) as u16))
}

/// Tells a request or handle how something has ended.
fn tell(lp: &mut Loop, caller: &Caller, request: f64, result: Result<(), SysError>) {
    let error = result.err().map_or(Value::Null, |error| Failure::from(error).into());
    caller.call(lp, Entry::Event, [Value::Number(request), error]);
}

type OnConnection = Box<dyn FnMut(&mut Loop, Result<HandleId, SysError>)>;

/// Tells a handle of each connection: `(error or null, socket)`.
fn on_connection(sockets: &Rc<Sockets>, shared: &Shared, event: f64) -> OnConnection {
    let (sockets, caller) = (Rc::clone(sockets), shared.caller());
    Box::new(move |lp, connection| {
        let (error, socket) = match connection {
            Ok(handle) => (Value::Null, sockets.add(handle)),
            Err(error) => (Failure::from(error).into(), Value::Undefined),
        };
        caller.call(lp, Entry::Event, [Value::Number(event), error, socket]);
    })
}

/// `(event, address, port) -> socket`.
fn tcp_listen(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let address = address(&arguments)?;
    let told = on_connection(sockets, shared, arguments.number(0));
    sockets.make(shared, |lp| lp.tcp_listen(address, told))
}

/// `(event, path) -> socket`.
fn unix_listen(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let told = on_connection(sockets, shared, arguments.number(0));
    sockets.make(shared, |lp| lp.unix_listen(arguments.text(1), told))
}

/// `(request, address, port) -> socket`: tells `(error or null)`.
fn tcp_connect(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let address = address(&arguments)?;
    let (caller, request) = (shared.caller(), arguments.number(0));
    sockets.make(shared, |lp| {
        lp.tcp_connect(address, move |lp, result| tell(lp, &caller, request, result))
    })
}

/// `(request, path) -> socket`: tells `(error or null)`.
fn unix_connect(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let (caller, request) = (shared.caller(), arguments.number(0));
    sockets.make(shared, |lp| {
        let told = move |lp: &mut Loop, result| tell(lp, &caller, request, result);
        lp.unix_connect(arguments.text(1), told)
    })
}

/// `(request, host)`: tells `(error or null, addresses)`.
fn look_up(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    if sockets.is_virtual {
        return Err(refused());
    }
    let (caller, request) = (shared.caller(), Value::Number(arguments.number(0)));
    shared.with_loop(|lp| {
        lp.lookup(arguments.text(1), 0, move |lp, found| {
            let (error, list) = match found {
                Ok(found) => (Value::Null, found),
                Err(error) => (Failure::from(error).into(), Vec::new()),
            };
            let list = list.iter().map(|address| Value::Text(address.ip().to_string())).collect();
            caller.call(lp, Entry::Event, [request, error, Value::List(list)]);
        })
    });
    NOTHING
}

/// `(socket, event)`: tells `(error or null, bytes)`, without bytes at the end.
fn read(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let Some(handle) = sockets.get(&arguments) else { return NOTHING };
    let (caller, event) = (shared.caller(), arguments.number(1));
    shared.with_loop(|lp| {
        lp.read_start(handle, move |lp, event_read| {
            let (error, bytes) = match event_read {
                ReadEvent::Data(bytes) => (Value::Null, Value::Bytes(bytes.to_vec())),
                ReadEvent::End => (Value::Null, Value::Undefined),
                ReadEvent::Error(error) => (Failure::from(error).into(), Value::Undefined),
            };
            caller.call(lp, Entry::Event, [Value::Number(event), error, bytes]);
        });
    });
    NOTHING
}

/// `(socket)`.
fn pause(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    if let Some(handle) = sockets.get(&arguments) {
        shared.with_loop(|lp| lp.read_stop(handle));
    }
    NOTHING
}

/// `(socket, bytes) -> how many the system has taken at once`.
fn try_write(sockets: &Rc<Sockets>, shared: &Rc<Shared>, mut arguments: Arguments) -> Returned {
    let Some(handle) = sockets.get(&arguments) else { return Ok(Value::Number(0.0)) };
    let bytes = arguments.bytes(1);
    let written = shared.with_loop(|lp| lp.try_write(handle, &bytes)).unwrap_or(Ok(0))?;
    Ok(Value::Number(written as f64))
}

/// `(socket, bytes, request)`: tells `(error or null)`.
fn write(sockets: &Rc<Sockets>, shared: &Rc<Shared>, mut arguments: Arguments) -> Returned {
    let Some(handle) = sockets.get(&arguments) else { return NOTHING };
    let bytes = arguments.bytes(1);
    let (caller, request) = (shared.caller(), arguments.number(2));
    shared.with_loop(|lp| {
        lp.write(handle, bytes, move |lp, result| tell(lp, &caller, request, result));
    });
    NOTHING
}

/// `(socket, request)`: tells `(error or null)`.
fn shut_down(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let Some(handle) = sockets.get(&arguments) else { return NOTHING };
    let (caller, request) = (shared.caller(), arguments.number(1));
    shared.with_loop(|lp| {
        lp.end_with(handle, move |lp, result| tell(lp, &caller, request, result));
    });
    NOTHING
}

/// `(socket, request)`: tells `(null)` in the close phase.
fn close(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let Some(handle) = sockets.by_number.borrow_mut().remove(&arguments.id(0)) else {
        return NOTHING;
    };
    let (caller, request) = (shared.caller(), arguments.number(1));
    shared.with_loop(|lp| {
        lp.close_with(handle, move |lp| tell(lp, &caller, request, Ok(())));
    });
    NOTHING
}

/// `(socket) -> [local, peer]`: each `[address, port, family]`, a path, or null.
fn addresses(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    let Some(handle) = sockets.get(&arguments) else { return Ok(Value::Null) };
    let both = shared.with_loop(|lp| {
        let local = place(lp.local_address(handle), lp.local_path(handle));
        vec![local, place(lp.peer_address(handle), lp.peer_path(handle))]
    });
    Ok(both.map_or(Value::Null, Value::List))
}

fn place(address: Option<SocketAddr>, path: Option<PathBuf>) -> Value {
    let Some(address) = address else {
        return path.map_or(Value::Null, |path| path.to_string_lossy().as_ref().into());
    };
    let family = if address.is_ipv6() { "IPv6" } else { "IPv4" };
    let port = Value::Number(address.port().into());
    Value::List(vec![address.ip().to_string().into(), port, family.into()])
}

/// `(socket, whether it holds the loop)`.
fn hold(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    if let Some(handle) = sockets.get(&arguments) {
        shared.with_loop(|lp| match arguments.truth(1) {
            true => lp.handle_ref(handle),
            false => lp.handle_unref(handle),
        });
    }
    NOTHING
}

/// `(socket, on)`.
fn set_nodelay(sockets: &Rc<Sockets>, shared: &Rc<Shared>, arguments: Arguments) -> Returned {
    if let Some(handle) = sockets.get(&arguments) {
        // As Node: a socket that can't has nothing to delay.
        shared.with_loop(|lp| lp.tcp_nodelay(handle, arguments.truth(1)).ok());
    }
    NOTHING
}
