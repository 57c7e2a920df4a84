//! Chrome's trace event format, as Perfetto and `chrome://tracing` read it.
//!
//! ```text
//! process ─┬─ thread "main"           stalls, with their ledgers; the drain that still runs
//!          └─ thread "main, sampled"  a slice for each function, from when to when it was seen
//! ```
//!
//! Turns that were no stall are counted, and not listed one by one: they have no slices.
//!
//! Source: the document "Trace Event Format", JSON object form. Times are in microseconds since the
//! first stall; `otherData` has when that began.

use std::io::{self, Write};

use loop_core::snapshot::{LoopSnapshot, ProfileFrame, Queue, Snapshot, Stall};
use serde_json::{Value, json};

use super::{ProfileFormat, Stretch, WAITING, name, timeline};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct ChromeTrace;

/// The tracks of samples have numbers that no thread has: Linux gives none of so many.
const SAMPLES_TRACK: u32 = 1 << 22;

impl ProfileFormat for ChromeTrace {
    fn write(&self, snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
        let stalls = snapshot.loops.iter().flat_map(|of| &of.stalls);
        let sampled = stalls.clone().filter_map(|stall| stall.profile.as_ref());
        let starts = stalls.map(|stall| stall.start_unix_ns);
        let starts = starts.chain(sampled.map(|profile| profile.start_unix_ns()));
        let trace = Trace { start_ns: starts.min().unwrap_or(0) };
        let mut events: Vec<Value> = snapshot.targets.iter().map(process).collect();
        for of in &snapshot.loops {
            trace.of_loop(of, &mut events);
        }
        out.write_all(b"{\"displayTimeUnit\":\"ms\",\"otherData\":")?;
        let start = trace.start_ns.to_string();
        serde_json::to_writer(&mut *out, &json!({ "start_unix_ns": start }))?;
        out.write_all(b",\"traceEvents\":[")?;
        for (number, event) in events.iter().enumerate() {
            out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, event)?;
        }
        out.write_all(b"\n]}\n")
    }
}

fn process(target: &loop_core::snapshot::Target) -> Value {
    let name = format!("{} ({} {})", target.name, target.runtime.name(), target.runtime_version);
    meta("process_name", target.pid, 0, &name)
}

fn meta(what: &str, pid: u32, tid: u32, name: &str) -> Value {
    json!({ "ph": "M", "name": what, "pid": pid, "tid": tid, "args": { "name": name } })
}

/// Times since this.
struct Trace {
    start_ns: u64,
}

impl Trace {
    fn of_loop(&self, of: &LoopSnapshot, events: &mut Vec<Value>) {
        if of.stalls.is_empty() {
            return;
        }
        events.push(meta("thread_name", of.pid, of.tid, &of.thread));
        let mut stalls: Vec<&Stall> = of.stalls.iter().collect();
        stalls.sort_by_key(|stall| stall.start_unix_ns);
        for stall in stalls {
            events.push(self.stall(of, stall));
            events.extend(self.drain(of, stall));
        }
        let stretches = timeline(of);
        if stretches.is_empty() {
            return;
        }
        let tid = of.tid | SAMPLES_TRACK;
        let sampled = format!("{}, sampled", of.thread);
        events.push(meta("thread_name", of.pid, tid, &sampled));
        self.samples((of.pid, tid), &stretches, events);
    }

    fn slice(
        &self,
        (pid, tid): (u32, u32),
        name: &str,
        (begin_ns, end_ns): (u64, u64),
        (category, args): (&str, Value),
    ) -> Value {
        let us = |ns: u64| ns as f64 / 1_000.0;
        json!({
            "ph": "X", "name": name, "cat": category, "pid": pid, "tid": tid,
            "ts": us(begin_ns.saturating_sub(self.start_ns)),
            "dur": us(end_ns.saturating_sub(begin_ns)),
            "args": args,
        })
    }

    fn stall(&self, of: &LoopSnapshot, stall: &Stall) -> Value {
        let phase = stall.phase.map(|phase| phase.name());
        let name = phase.map_or_else(|| "stall".to_owned(), |phase| format!("stall in {phase}"));
        let args = json!({
            "phase": phase,
            "callbacks": stall.callbacks,
            "microtasks": stall.microtasks,
            "running": stall.running,
            "ledger_ns": stall.ledger_ns,
            "culprit": stall.culprit,
            "waits": stall.waits,
        });
        let time = (stall.start_unix_ns, stall.start_unix_ns.saturating_add(stall.duration_ns));
        self.slice((of.pid, of.tid), &name, time, ("stall", args))
    }

    /// The drain in which a stall is right now: of ended ones it isn't known when they began.
    fn drain(&self, of: &LoopSnapshot, stall: &Stall) -> Option<Value> {
        let drain = of.open.and_then(|open| open.drain).filter(|_| stall.running)?;
        let end_ns = stall.start_unix_ns.saturating_add(stall.duration_ns);
        let begin_ns = end_ns.saturating_sub(drain.age_ns).max(stall.start_unix_ns);
        let name = match drain.queue {
            Queue::Microtask => "microtask drain",
            Queue::NextTick => "nextTick drain",
        };
        let args = json!({ "jobs": drain.jobs });
        Some(self.slice((of.pid, of.tid), name, (begin_ns, end_ns), ("drain", args)))
    }

    /// A slice for each function that is on the stack of one or more samples in a row.
    fn samples(&self, track: (u32, u32), stretches: &[Stretch<'_>], events: &mut Vec<Value>) {
        let mut open: Vec<(Label<'_>, u64)> = Vec::new();
        let mut last_ns = 0;
        for stretch in stretches {
            let labels = labels(stretch);
            let goes_on = open.iter().zip(&labels).take_while(|(open, now)| open.0 == **now);
            let kept = if stretch.begin_ns == last_ns { goes_on.count() } else { 0 };
            self.close(track, &mut open, kept, last_ns, events);
            let begun = labels.into_iter().skip(kept);
            open.extend(begun.map(|label| (label, stretch.begin_ns)));
            last_ns = stretch.end_ns;
        }
        self.close(track, &mut open, 0, last_ns, events);
    }

    fn close(
        &self,
        track: (u32, u32),
        open: &mut Vec<(Label<'_>, u64)>,
        kept: usize,
        end_ns: u64,
        events: &mut Vec<Value>,
    ) {
        for ((name, file), begin_ns) in open.drain(kept..) {
            let args = file.map_or_else(|| json!({}), |file| json!({ "file": file }));
            events.push(self.slice(track, name, (begin_ns, end_ns), ("sample", args)));
        }
    }
}

/// What tells a slice from another: the function, and its file.
type Label<'a> = (&'a str, Option<&'a str>);

fn labels<'a>(stretch: &Stretch<'a>) -> Vec<Label<'a>> {
    let label = |frame: &'a ProfileFrame| (name(frame), frame.file.as_deref());
    let frames = stretch.profile.stack_of(stretch.sample).rev().map(label);
    frames.chain(stretch.waits().then_some((WAITING, None))).collect()
}
