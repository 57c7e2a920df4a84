//! What loopscope says of a program: the parts of its JSON report that have a truth.

use std::collections::BTreeMap;

use serde_json::Value;

use loopscope_bench::Failure;

/// A report about one program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Its diagnoses, worst first.
    pub(super) diagnoses: Vec<String>,
    /// The stalls of its main loop, in their order.
    pub(super) stalls: Vec<Stall>,
    /// How many jobs the longest drain of any of its loops has.
    pub(super) longest_drain: Option<u64>,
}

/// A stall as it is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stall {
    pub(super) start_unix_ms: f64,
    pub(super) duration_ms: f64,
    pub(super) function: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u64>,
    /// Keys that can't be seen are missing.
    pub(super) ledger_ms: BTreeMap<String, f64>,
}

impl Seen {
    /// Reads what a report says of a process, or of the only one that there is.
    pub(super) fn read(text: &str, pid: Option<u32>) -> Result<Seen, Failure> {
        let report: Value = serde_json::from_str(text)?;
        if report["schema"] != "loopscope.report/1" {
            return Err("it has no schema that is known here".into());
        }
        let pid = pid.map_or_else(|| report["targets"][0]["pid"].clone(), Value::from);
        let ours = |of: &&Value| pid.is_null() || of["pid"] == pid || of["pid"].is_null();
        let list = |name: &str| report[name].as_array().cloned().unwrap_or_default();
        let loops = list("loops");
        let loops: Vec<&Value> = loops.iter().filter(ours).collect();
        let main = loops.iter().find(|of| of["thread"] == "main");
        let stalls = main.and_then(|of| of["stalls"].as_array().cloned()).unwrap_or_default();
        let told = list("diagnoses");
        let told = told.iter().filter(ours).filter_map(|of| of["id"].as_str());
        let mut diagnoses: Vec<String> = told.map(str::to_owned).collect();
        if diagnoses.is_empty() && !list("diagnoses").is_empty() {
            // Those that there are belong to its children.
            diagnoses.push("healthy".to_owned());
        }
        let drains = loops.iter().filter_map(|of| of["microtask_drain_length"]["max"].as_f64());
        Ok(Seen {
            diagnoses,
            stalls: stalls.iter().map(Stall::read).collect(),
            longest_drain: drains.map(|length| length as u64).max(),
        })
    }

    /// The first diagnosis.
    pub(super) fn told(&self) -> &str {
        self.diagnoses.first().map_or("nothing", String::as_str)
    }
}

impl Stall {
    fn read(value: &Value) -> Stall {
        let culprit = &value["culprit"];
        let text = |key: &str| culprit[key].as_str().map(str::to_owned);
        let ledger = value["ledger_ns"].as_object().cloned().unwrap_or_default();
        let known = ledger.into_iter().filter(|(_, part)| part.is_number());
        Stall {
            start_unix_ms: ms(&value["start_unix_ns"]),
            duration_ms: ms(&value["duration_ns"]),
            function: text("function"),
            file: text("file"),
            line: culprit["line"].as_u64(),
            ledger_ms: known.map(|(key, part)| (key, ms(&part))).collect(),
        }
    }

    /// When it was over.
    pub(super) fn end_unix_ms(&self) -> f64 {
        self.start_unix_ms + self.duration_ms
    }
}

fn ms(ns: &Value) -> f64 {
    ns.as_f64().unwrap_or(0.0) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Value {
        json!({
            "schema": "loopscope.report/1",
            "targets": [{ "pid": 7 }, { "pid": 8 }],
            "loops": [
                { "pid": 8, "thread": "main", "stalls": [] },
                { "pid": 7, "thread": "main", "microtask_drain_length": { "max": 60000 },
                  "stalls": [{ "start_unix_ns": 5e6, "duration_ns": 2.5e8,
                    "ledger_ns": { "sync_io": 2e8, "gc": null, "unknown": 0 },
                    "culprit": { "function": "f", "file": "/a.js", "line": 3 } }] },
            ],
            "diagnoses": [{ "id": "sync-io", "pid": 8 }, { "id": "gc-pressure", "pid": 7 }],
        })
    }

    #[test]
    fn what_is_told_of_a_process_is_not_that_of_its_children() {
        let seen = Seen::read(&report().to_string(), Some(7)).unwrap();
        assert_eq!((seen.told(), seen.longest_drain), ("gc-pressure", Some(60_000)));
        assert_eq!(Seen::read(&report().to_string(), None).unwrap(), seen, "the first target");
        let [stall] = &seen.stalls[..] else { panic!("{seen:?}") };
        assert_eq!((stall.duration_ms, stall.end_unix_ms()), (250.0, 255.0));
        assert_eq!((stall.function.as_deref(), stall.line), (Some("f"), Some(3)));
        assert!(!stall.ledger_ms.contains_key("gc") && stall.ledger_ms["sync_io"] == 200.0);
        let mut of_child = report();
        of_child["diagnoses"] = json!([{ "id": "sync-io", "pid": 8 }]);
        assert_eq!(Seen::read(&of_child.to_string(), Some(7)).unwrap().told(), "healthy");
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        assert!(Seen::read("", None).is_err());
        assert!(Seen::read("{\"schema\":\"loopscope.report/9\"}", None).is_err());
    }
}
