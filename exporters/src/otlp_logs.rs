//! OTLP logs: each completed stall as one log record, as OTLP over HTTP posts them to `/v1/logs`.
//!
//! ```text
//!  resource (the observed process) > scope "loopscope" > one record a stall
//! ```
//!
//! A record is an event of the name [`EVENT_NAME`]: a sentence as its body, and as attributes what
//! the report says of a stall. Its time is when the stall began; it is unknown (0) under a virtual
//! clock, whose times are no times of day.
//!
//! Cost: some 1 KB a stall; marks of 40 bytes a loop.
//!
//! **Invariant**: [`StallMarks`] gives each completed stall once. Those that were overwritten
//! before they were looked at are counted.

use std::collections::{BTreeMap, BTreeSet};

use loop_core::snapshot::{ClockKind, LoopSnapshot, Snapshot, Stall, Target};
use loop_core::units::{format_count, format_ns};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::limits::STACK_BYTES_MAX;
use crate::otlp::{attribute, scope};
use crate::{label, stall_id};

/// The name that makes a log record an event of this kind.
pub const EVENT_NAME: &str = "loopscope.stall";

/// Up to where the stalls of each loop have been given out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StallMarks {
    /// When the newest of each loop began, by process and thread.
    newest: BTreeMap<(u32, u32), u64>,
    /// How many stalls each had counted when it was looked at last.
    counted: BTreeMap<(u32, u32), u64>,
    /// By process: of loops that have ended there may be sums only, of several together.
    accounts: BTreeMap<u32, Account>,
}

/// What was given out of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Account {
    /// How many.
    given: u64,
    /// How many were overwritten before.
    lost: u64,
    /// How many stalls its loops had counted when they were looked at last.
    counted: u64,
}

/// A completed stall, and where it happened.
#[derive(Clone, Copy, Debug)]
pub struct NewStall<'a> {
    /// The process; `None` where it isn't known.
    pub target: Option<&'a Target>,
    /// The loop.
    pub observed: &'a LoopSnapshot,
    /// The stall.
    pub stall: &'a Stall,
}

/// What has come since the last look.
#[derive(Clone, Debug, Default)]
pub struct NewStalls<'a> {
    /// The stalls, by loop, oldest first.
    pub stalls: Vec<NewStall<'a>>,
    /// How many more there were: overwritten by newer ones before anybody looked.
    pub lost: u64,
}

impl StallMarks {
    /// The stalls that are new in `snapshot`. Those that were lost are counted as soon as they
    /// can't be in the next snapshot, either: with the next look.
    pub fn take<'a>(&mut self, snapshot: &'a Snapshot) -> NewStalls<'a> {
        self.look(snapshot, |account, _| account.counted)
    }

    /// The same when nothing more is observed: all that were lost are counted at once.
    pub fn take_last<'a>(&mut self, snapshot: &'a Snapshot) -> NewStalls<'a> {
        self.look(snapshot, |_, counted| counted)
    }

    /// Takes those out of the accounts that are told no longer, neither by themselves nor, with
    /// others, under no thread.
    fn let_go(&mut self, snapshot: &Snapshot) {
        let mut counted: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for of in snapshot.loops.iter().filter(|of| of.pid != 0) {
            *counted.entry((of.pid, of.tid)).or_default() += of.stall_totals.total_count();
        }
        let before = std::mem::replace(&mut self.counted, counted);
        for (&pid, account) in &mut self.accounts {
            let of = before.range((pid, 0)..=(pid, u32::MAX));
            let gone = of.filter(|(of, _)| !self.counted.contains_key(of));
            let gone: u64 = gone.map(|(_, count)| count).sum();
            let others = |all: &BTreeMap<_, _>| all.get(&(pid, 0)).copied().unwrap_or(0);
            let put_together = others(&self.counted).saturating_sub(others(&before));
            account.let_go(gone.saturating_sub(put_together));
        }
    }

    /// `due` says how many stalls of a process must be given or lost by now.
    fn look<'a>(
        &mut self,
        snapshot: &'a Snapshot,
        due: impl Fn(&Account, u64) -> u64,
    ) -> NewStalls<'a> {
        let mut new = NewStalls::default();
        self.let_go(snapshot);
        let (mut loops, mut counts) = (BTreeSet::new(), BTreeMap::<u32, (u64, u64)>::new());
        // Number 0 stands for several that have ended, whose stalls were told as their own.
        for observed in snapshot.loops.iter().filter(|observed| observed.pid != 0) {
            let target = snapshot.targets.iter().find(|target| target.pid == observed.pid);
            let of = (observed.pid, observed.tid);
            loops.insert(of);
            let before = self.newest.get(&of).copied();
            let completed = observed.stalls.iter().filter(|stall| !stall.running);
            let (given, counted) = counts.entry(observed.pid).or_default();
            *counted += observed.stall_totals.total_count();
            for stall in completed.filter(|stall| Some(stall.start_unix_ns) > before) {
                let newest = self.newest.entry(of).or_insert(stall.start_unix_ns);
                *newest = (*newest).max(stall.start_unix_ns);
                new.stalls.push(NewStall { target, observed, stall });
                *given += 1;
            }
        }
        self.newest.retain(|of, _| loops.contains(of));
        self.accounts.retain(|pid, _| counts.contains_key(pid));
        for (pid, (given, counted)) in counts {
            new.lost += self.accounts.entry(pid).or_default().add(given, counted, &due);
        }
        new
    }
}

impl Account {
    /// So many of them are counted no longer: each was given out or lost.
    fn let_go(&mut self, count: u64) {
        let given = count.min(self.given);
        self.given -= given;
        self.lost = self.lost.saturating_sub(count - given);
        self.counted = self.counted.saturating_sub(count);
    }

    /// Counts what has been given and lost since the last look.
    ///
    /// Loops go on while they are read, so a count may hold a stall that is not listed yet. That of
    /// the last look is older than the lists, so that all in it are listed, given, or lost.
    fn add(&mut self, given: u64, counted: u64, due: impl Fn(&Account, u64) -> u64) -> u64 {
        if counted < self.counted {
            // Another process under the same number: it counts from 0.
            *self = Account::default();
        }
        self.given += given;
        let lost = due(self, counted).saturating_sub(self.given).max(self.lost);
        let more = lost - self.lost;
        (self.lost, self.counted) = (lost, counted);
        more
    }
}

/// Makes the messages. What an exporter, which has no clock, must be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtlpLogs {
    /// Attributes of every resource. What is said here of the process outranks what is observed.
    pub resource: Vec<(String, String)>,
    /// When the snapshot was taken, in nanoseconds since the Unix epoch.
    pub observed_unix_ns: u64,
}

impl OtlpLogs {
    /// The request for these stalls: one resource a process.
    pub fn request(&self, clock: ClockKind, stalls: &[NewStall<'_>]) -> ExportLogsServiceRequest {
        let mut processes: BTreeMap<u32, Vec<&NewStall<'_>>> = BTreeMap::new();
        for stall in stalls {
            processes.entry(stall.observed.pid).or_default().push(stall);
        }
        let resource_logs = processes.into_iter().map(|(pid, stalls)| {
            let target = stalls.first().and_then(|stall| stall.target);
            let log_records = stalls.iter().map(|stall| self.record(clock, stall)).collect();
            ResourceLogs {
                resource: Some(self.process(pid, target)),
                scope_logs: vec![ScopeLogs {
                    scope: Some(scope()),
                    log_records,
                    schema_url: String::new(),
                }],
                schema_url: String::new(),
            }
        });
        ExportLogsServiceRequest { resource_logs: resource_logs.collect() }
    }

    /// The process, by OpenTelemetry's semantic conventions.
    fn process(&self, pid: u32, target: Option<&Target>) -> Resource {
        let given = self.resource.iter().map(|(key, value)| attribute(key, value));
        let mut attributes: Vec<KeyValue> = given.collect();
        let mut add = |observed: KeyValue| {
            if !self.resource.iter().any(|(given, _)| *given == observed.key) {
                attributes.push(observed);
            }
        };
        add(integer("process.pid", u64::from(pid)));
        if let Some(target) = target {
            add(attribute("service.name", &label::value(&target.name)));
            add(attribute("process.runtime.name", target.runtime.name()));
            let version = target.runtime_version.trim_start_matches('v');
            if !version.is_empty() {
                add(attribute("process.runtime.version", version));
            }
        }
        Resource { attributes, ..Resource::default() }
    }

    fn record(&self, clock: ClockKind, new: &NewStall<'_>) -> LogRecord {
        let body = Some(AnyValue { value: Some(Value::StringValue(sentence(new))) });
        LogRecord {
            time_unix_nano: if clock == ClockKind::Real { new.stall.start_unix_ns } else { 0 },
            observed_time_unix_nano: self.observed_unix_ns,
            severity_number: SeverityNumber::Warn as i32,
            severity_text: "WARN".to_owned(),
            event_name: EVENT_NAME.to_owned(),
            body,
            attributes: attributes(new),
            ..LogRecord::default()
        }
    }
}

/// `checkout (pid 7, main) was held up for 1.20 s in timers, mostly by microtasks: work at a.js:3`.
fn sentence(new: &NewStall<'_>) -> String {
    let NewStall { target, observed, stall } = *new;
    let name = target.map_or("a loop".into(), |target| label::value(&target.name));
    let (pid, thread) = (observed.pid, label::value(&observed.thread));
    let lasted = format_ns(stall.duration_ns);
    let mut text = format!("{name} (pid {pid}, {thread}) was held up for {lasted}");
    if let Some(phase) = stall.phase {
        text.push_str(" in ");
        text.push_str(phase.name());
    }
    if stall.ledger_ns.total_ns() > 0 {
        text.push_str(", mostly by ");
        text.push_str(stall.ledger_ns.cause().name());
    }
    if let Some(microtasks) = stall.microtasks.filter(|&count| count > 0) {
        text.push_str(&format!(", with {} microtasks", format_count(microtasks)));
    }
    if let Some(culprit) = &stall.culprit {
        let (function, file) = (label::value(&culprit.function), label::value(&culprit.file));
        text.push_str(&format!(": {function} at {file}:{}", culprit.line));
    }
    text
}

fn attributes(new: &NewStall<'_>) -> Vec<KeyValue> {
    let NewStall { target, observed, stall } = *new;
    let id = stall_id(observed, stall);
    let mut all: Vec<KeyValue> = Vec::new();
    // Named as the labels of the metrics are, so that one leads to the other.
    if let Some(target) = target {
        all.push(attribute("target", &label::value(&target.name)));
        all.push(attribute("runtime", target.runtime.name()));
    }
    all.push(attribute("pid", &observed.pid.to_string()));
    all.push(attribute("thread", &label::value(&observed.thread)));
    all.push(integer("thread.id", u64::from(observed.tid)));
    all.push(attribute("loopscope.stall.id", &id));
    all.push(integer("loopscope.stall.start_unix_ns", stall.start_unix_ns));
    all.push(integer("loopscope.stall.duration_ns", stall.duration_ns));
    all.push(attribute("loopscope.stall.cause", stall.ledger_ns.cause().name()));
    all.extend(stall.phase.map(|phase| attribute("loopscope.stall.phase", phase.name())));
    all.extend(stall.microtasks.map(|count| integer("loopscope.stall.microtasks", count)));
    all.extend(stall.callbacks.map(|count| integer("loopscope.stall.callbacks", count)));
    for (key, ns) in stall.ledger_ns.iter() {
        let name = format!("loopscope.stall.ledger_ns.{}", key.name());
        all.extend(ns.map(|ns| integer(&name, ns)));
    }
    if let Some(culprit) = &stall.culprit {
        all.push(attribute("code.function.name", &label::value(&culprit.function)));
        all.push(attribute("code.file.path", &label::value(&culprit.file)));
        all.push(integer("code.line.number", u64::from(culprit.line)));
        let share = Some(Value::DoubleValue(culprit.share));
        all.push(pair("loopscope.stall.culprit.share", share));
        let leaf = culprit.hot_leaf.as_deref();
        all.extend(leaf.map(|leaf| attribute("loopscope.stall.hot_leaf", &label::value(leaf))));
    }
    all.extend(stack(stall).map(|stack| attribute("code.stacktrace", &stack)));
    all
}

/// The frames, the innermost first, as many as have room.
fn stack(stall: &Stall) -> Option<String> {
    let frames = stall.stack.as_ref()?;
    let mut text = String::new();
    for frame in frames {
        let frame = label::value(frame);
        if text.len() + frame.len() + 1 > STACK_BYTES_MAX {
            break;
        }
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(&frame);
    }
    (!text.is_empty()).then_some(text)
}

fn integer(key: &str, value: u64) -> KeyValue {
    pair(key, Some(Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX))))
}

fn pair(key: &str, value: Option<Value>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
}
