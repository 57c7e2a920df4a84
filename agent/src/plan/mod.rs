//! The probe plan of a Node: which instruction tells what, and where data lies.
//!
//! It is made from files alone, without rights and without a process, and is plain data.
//!
//! ```text
//! images ──> evidence (symbols, .eh_frame) ──┬──> uv: phases
//!                                            ├──> v8: drains, collections
//!                                            └──> data, versions
//! ```
//!
//! Cost: the symbols, the unwind tables and the code are read once, the code only where there is
//! V8: 80 MB in Node 26. Memory for the unwind tables is taken while it lasts, 6.4 MB. `cargo test
//! --release --test plan official -- --nocapture` prints how long it takes.
//!
//! **Invariant**: nothing is guessed. An address counts only if a symbol, `.eh_frame` and the calls
//! in the code agree about it; of [`Point::Begin`], which no code calls by its name, the first two.
//! What isn't certain is in [`Plan::missing`], with the reason.

mod data;
mod evidence;
mod isolate;
mod pick;
mod probe;
mod recover;
mod types;
mod uv;
mod v8;
mod versions;

use crate::elf::{Image, Wanted};
use evidence::Evidence;
use probe::Outcome;
use v8::V8;

pub use types::{Data, Missing, Module, NotNode, Plan, Point, PoolData, Probe, Versions};

/// `node::Start(int, char**)`: what the program calls, and what no imitation of Node has.
const NODE_START: &str = "_ZN4node5StartEiPPc";

/// `node::performance::MarkBootstrapComplete(const v8::FunctionCallbackInfo<v8::Value>&)`, which
/// every build of Node exports.
const BEGIN: &str = "_ZN4node11performance21MarkBootstrapCompleteERKN2v8\
     20FunctionCallbackInfoINS1_5ValueEEE";

const WANTED: [Wanted<'static>; 30] = [
    Wanted::Name(NODE_START),
    Wanted::Name(BEGIN),
    Wanted::Name(versions::NODE_VERSION),
    Wanted::Name(versions::UV_VERSION),
    Wanted::Name(versions::UV_VERSION_STRING),
    Wanted::Name(versions::V8_VERSION[0]),
    Wanted::Name(versions::V8_VERSION[1]),
    Wanted::Name(versions::V8_VERSION[2]),
    Wanted::Name(versions::V8_VERSION[3]),
    Wanted::Name(uv::RUN),
    Wanted::Name(uv::PHASES[0].1),
    Wanted::Name(uv::PHASES[1].1),
    Wanted::Name(uv::PHASES[2].1),
    Wanted::Name(uv::PHASES[3].1),
    Wanted::Name(uv::PHASES[4].1),
    Wanted::Name(data::DEFAULT_LOOP),
    Wanted::Name(data::UV_DEFAULT_LOOP),
    Wanted::Name(data::UV_LOOP_INIT),
    Wanted::Name(recover::TIMER_STOP),
    Wanted::Name(data::QUEUE_VTABLE),
    Wanted::Name(data::FINISHED_OFFSET),
    Wanted::Name(data::SIZE_OFFSET),
    Wanted::Name(data::POOL[0]),
    Wanted::Name(data::POOL[1]),
    Wanted::Name(data::POOL[2]),
    Wanted::Name(data::POOL[3]),
    Wanted::Name(isolate::CHECKPOINT),
    Wanted::Prefix(v8::TRY_RUN),
    Wanted::Prefix(v8::RUN),
    Wanted::Prefix(v8::COLLECT),
];

/// The plan for a process whose mapped modules are these: its program and the shared libraries that
/// may hold Node, libuv or V8. Others do no harm.
///
/// # Errors
/// If none of them is Node.
pub fn plan(images: &[Image]) -> Result<Plan, NotNode> {
    let of = |(module, image)| Evidence::of(image, module, &WANTED);
    let mut all: Vec<Evidence<'_>> = images.iter().enumerate().map(of).collect();
    all.iter_mut().filter(|one| one.concerns_us()).for_each(Evidence::complete);
    let Some(node) = all.iter().find(|one| one.has(NODE_START)) else {
        let damage = all.iter().find_map(|one| one.damage.as_ref());
        let reason = match damage {
            Some(damage) => format!("its symbols can't be read: {damage}"),
            None => "no file of it has node::Start".to_owned(),
        };
        return Err(NotNode { reason });
    };
    let uv = part(&all, node, "libuv", |one| one.has(uv::RUN));
    let v8 = part(&all, node, "V8", |one| one.has(v8::COLLECT) || one.has(v8::RUN)).map(V8::of);
    let mut outcome = Outcome::default();
    match &uv {
        Ok(uv) => uv::phases(uv, &mut outcome),
        Err(reason) => outcome.add_missing(&Point::ALL[..5], reason),
    }
    match &v8 {
        Ok(v8) => v8.probes(&mut outcome),
        Err(reason) => outcome.add_missing(&Point::ALL[5..9], reason),
    }
    outcome.add(Point::Begin, begin(node));
    let (uv, v8) = (uv.ok(), v8.as_ref().ok());
    let v8_evidence = v8.map(V8::evidence);
    Ok(Plan {
        modules: all.iter().map(|one| one.describe(uv, v8_evidence)).collect(),
        probes: outcome.probes,
        missing: outcome.missing,
        data: data::data(uv, v8),
        versions: versions::versions(node, uv, v8_evidence),
    })
}

/// Nothing calls it directly: Node's JavaScript does, by its address.
fn begin(node: &Evidence<'_>) -> Result<Vec<Probe>, String> {
    let picked = pick::at_entry(&node.function_named(BEGIN)?, 0)?;
    Ok(vec![probe::probe(node, Point::Begin, picked)?])
}

/// The image that holds a part of Node: Node's own file if that does, else the only other one.
fn part<'a, 'i>(
    all: &'a [Evidence<'i>],
    node: &'a Evidence<'i>,
    name: &str,
    holds: impl Fn(&Evidence<'_>) -> bool,
) -> Result<&'a Evidence<'i>, String> {
    if holds(node) {
        return Ok(node);
    }
    let mut others = all.iter().filter(|one| holds(one));
    match (others.next(), others.next()) {
        (Some(one), None) => Ok(one),
        (None, _) if node.image.has_all_symbols() => {
            Err(format!("no file of it has {name}'s functions"))
        }
        (None, _) => Err(format!("the file is stripped: {name}'s functions have no names in it")),
        _ => Err(format!("several of its files have {name}'s functions")),
    }
}
