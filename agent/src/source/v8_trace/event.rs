//! The trace events that tell of loops, as V8 and Node 18 to 26 write them.
//!
//! ```text
//! {"pid":7,"tid":7,"ts":33777207922,"tts":334731,"ph":"B","cat":"v8.execute",
//!  "name":"RunMicrotasks","dur":0,"tdur":0,"args":{}}
//! ```
//!
//! `ts` is the monotonic clock and `tts` the thread's CPU time, both in microseconds. `ph` is `B`
//! and `E` for the two ends of something, `X` for something with its duration, written where it
//! began, `I` for a moment.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A moment on a thread, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// On the monotonic clock.
    pub(super) wall_ns: u64,
    /// Of the thread's CPU time.
    pub(super) cpu_ns: u64,
}

/// An event that tells of a loop.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) tid: u32,
    pub(super) at: Moment,
    pub(super) what: What,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Node's environment of the thread begins. On the main thread: what it was started with.
    EnvironmentStart {
        arguments: Vec<String>,
    },
    /// It has been taken down.
    EnvironmentEnd,
    /// The thread is called so.
    ThreadName(String),
    /// The process runs this version of Node.
    Version(String),
    /// The main script is about to run.
    ScriptStart,
    /// It has run, the loop begins.
    LoopStart,
    /// The loop has ended.
    LoopEnd,
    /// The check phase, until then; `None` where its end is lost.
    Check(Option<Moment>),
    /// The timers phase, in which timers were due, until then.
    Timers(Option<Moment>),
    DrainStart,
    DrainEnd {
        jobs: u64,
    },
    GcStart,
    /// A collection ends; whether it was a major one.
    GcEnd {
        major: bool,
    },
}

/// The part that all events have.
#[derive(Deserialize)]
struct Head<'a> {
    tid: u32,
    #[serde(rename = "ts")]
    ts_us: u64,
    #[serde(rename = "tts", default)]
    tts_us: u64,
    #[serde(borrow)]
    ph: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(rename = "dur", default)]
    dur_us: u64,
    #[serde(rename = "tdur", default)]
    tdur_us: u64,
}

#[derive(Deserialize)]
struct With<A> {
    args: A,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Node {
    node: String,
}

#[derive(Deserialize)]
struct Drained {
    microtask_count: u64,
}

#[derive(Deserialize)]
struct Environment {
    args: Arguments,
}

#[derive(Deserialize)]
struct Arguments {
    args: Vec<String>,
}

/// The object can't be read as an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Reads an event; `None` for one that does not tell of loops.
pub(super) fn read(object: &[u8]) -> Result<Option<Event>, Unreadable> {
    let head: Head<'_> = serde_json::from_slice(object).map_err(|_| Unreadable)?;
    let what = match (head.name.as_ref(), head.ph.as_ref()) {
        ("RunMicrotasks", "B") => What::DrainStart,
        ("RunMicrotasks", "E") => {
            What::DrainEnd { jobs: arguments::<Drained>(object)?.microtask_count }
        }
        ("MinorGC" | "MajorGC", "B") => What::GcStart,
        ("MinorGC", "E") => What::GcEnd { major: false },
        ("MajorGC", "E") => What::GcEnd { major: true },
        ("CheckImmediate", "X") => What::Check(head.end()),
        ("RunTimers", "X") => What::Timers(head.end()),
        ("bootstrapComplete", "I") => What::ScriptStart,
        ("loopStart", "I") => What::LoopStart,
        ("loopExit", "I") => What::LoopEnd,
        ("Environment", "b") => {
            What::EnvironmentStart { arguments: arguments::<Environment>(object)?.args.args }
        }
        ("Environment", "e") => What::EnvironmentEnd,
        ("thread_name", "M") => What::ThreadName(arguments::<Named>(object)?.name),
        ("version", "M") => What::Version(arguments::<Node>(object)?.node),
        _ => return Ok(None),
    };
    Ok(Some(Event { tid: head.tid, at: head.at(), what }))
}

fn arguments<A: DeserializeOwned>(object: &[u8]) -> Result<A, Unreadable> {
    serde_json::from_slice::<With<A>>(object).map(|with| with.args).map_err(|_| Unreadable)
}

impl Head<'_> {
    fn at(&self) -> Moment {
        Moment { wall_ns: ns(self.ts_us), cpu_ns: ns(self.tts_us) }
    }

    /// When it ended. What was handed over before its end has no duration, and what has none took
    /// less than a microsecond, or that: the two can't be told apart.
    fn end(&self) -> Option<Moment> {
        (self.dur_us > 0).then(|| Moment {
            wall_ns: ns(self.ts_us.saturating_add(self.dur_us)),
            cpu_ns: ns(self.tts_us.saturating_add(self.tdur_us)),
        })
    }
}

fn ns(us: u64) -> u64 {
    us.saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(object: &str) -> Option<What> {
        read(object.as_bytes()).unwrap().map(|event| event.what)
    }

    #[test]
    fn events_are_read_as_node_writes_them() {
        let event = read(
            br#"{"pid":7,"tid":8,"ts":100,"tts":5,"ph":"X","cat":"node,node.environment",
                 "name":"RunTimers","dur":30,"tdur":20,"args":{}}"#,
        );
        let at = Moment { wall_ns: 100_000, cpu_ns: 5_000 };
        let end = Moment { wall_ns: 130_000, cpu_ns: 25_000 };
        assert_eq!(event, Ok(Some(Event { tid: 8, at, what: What::Timers(Some(end)) })));
        let drained = r#"{"tid":1,"ts":1,"ph":"E","name":"RunMicrotasks",
            "args":{"microtask_count":60000}}"#;
        assert_eq!(what(drained), Some(What::DrainEnd { jobs: 60_000 }));
        let start = r#"{"tid":1,"ts":1,"ph":"b","name":"Environment",
            "args":{"args":{"args":["node","a.js"],"exec_args":[]}}}"#;
        let arguments = vec!["node".to_owned(), "a.js".to_owned()];
        assert_eq!(what(start), Some(What::EnvironmentStart { arguments }));
        let version = r#"{"tid":1,"ts":1,"ph":"M","name":"version","args":{"node":"20.20.2"}}"#;
        assert_eq!(what(version), Some(What::Version("20.20.2".to_owned())));
    }

    #[test]
    fn what_has_no_duration_has_no_end() {
        let cut = r#"{"tid":1,"ts":1,"ph":"X","name":"CheckImmediate","dur":0,"args":{}}"#;
        assert_eq!(what(cut), Some(What::Check(None)));
    }

    #[test]
    fn what_tells_of_no_loop_is_nothing_and_what_is_no_event_is_an_error() {
        let other = r#"{"tid":1,"ts":1,"ph":"X","name":"V8.DeoptimizeCode","args":{"a":[]}}"#;
        assert_eq!(what(other), None);
        let bad: [&[u8]; 4] = [
            b"{}",
            br#"{"tid":-1,"ts":1,"ph":"X","name":"a"}"#,
            br#"{"tid":1,"ts":1,"ph":"E","name":"RunMicrotasks","args":{}}"#,
            b"{\"tid\":1,\"ts\":1,\"ph\":\"X\",\"name\":\"\xff\"}",
        ];
        for bad in bad {
            assert_eq!(read(bad), Err(Unreadable), "{}", String::from_utf8_lossy(bad));
        }
    }
}
