//! The JSON report of a run, read as its contract has it.

use serde_json::Value;

use crate::check::Check;

/// A report of the schema `loopscope.report/1`.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    value: Value,
}

impl Report {
    pub(crate) fn read(text: &str) -> Report {
        let value: Result<Value, _> = serde_json::from_str(text);
        let value = value.unwrap_or_else(|error| panic!("no JSON report: {error}: `{text}`"));
        assert_eq!(value["schema"], "loopscope.report/1", "{text}");
        Report { value }
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// How long the observation was.
    pub(crate) fn wall_ns(&self) -> f64 {
        self.value["wall_ns"].as_f64().expect("the report has `wall_ns`")
    }

    /// How many processes it tells of.
    pub(crate) fn targets(&self) -> usize {
        self.value["targets"].as_array().map_or(0, Vec::len)
    }

    /// The entry of a process among the targets.
    pub(crate) fn target(&self, pid: u32) -> &Value {
        let targets = self.value["targets"].as_array().expect("the report has targets");
        let found = targets.iter().find(|target| target["pid"] == pid);
        found.unwrap_or_else(|| panic!("no target {pid} in {targets:?}"))
    }

    /// How many limits the report tells of a process: what can't be seen, each with a reason.
    pub(crate) fn limits(&self, pid: u32) -> usize {
        let limits = self.target(pid)["limits"].as_array().cloned().unwrap_or_default();
        let told =
            |key: &str, limit: &Value| limit[key].as_str().is_some_and(|text| !text.is_empty());
        limits.iter().filter(|limit| told("what", limit) && told("why", limit)).count()
    }

    /// All loops of a process.
    pub(crate) fn loops(&self, pid: u32) -> Vec<Loop> {
        let loops = self.value["loops"].as_array().expect("the report has loops");
        let ours = loops.iter().filter(|value| value["pid"] == pid);
        ours.map(|value| Loop { value: value.clone() }).collect()
    }

    /// The loop of a thread by its label; `None` after noting that it is missing.
    pub(crate) fn find(&self, pid: u32, thread: &str, check: &mut Check) -> Option<Loop> {
        let loops = self.loops(pid);
        let threads: Vec<String> = loops.iter().map(Loop::thread).collect();
        let found = loops.into_iter().find(|found| found.value["thread"] == thread);
        check.holds(found.is_some(), format!("no loop of thread `{thread}` in {threads:?}"));
        found
    }

    /// The main thread's loop of a process; `None` after noting that it is missing.
    pub(crate) fn main(&self, pid: u32, check: &mut Check) -> Option<Loop> {
        self.find(pid, "main", check)
    }

    /// The ids of the diagnoses of a process.
    pub(crate) fn diagnoses(&self, pid: u32) -> Vec<String> {
        let all = self.value["diagnoses"].as_array().expect("the report has diagnoses");
        let ours = all.iter().filter(|diagnosis| diagnosis["pid"] == pid);
        ours.filter_map(|diagnosis| Some(diagnosis["id"].as_str()?.to_owned())).collect()
    }
}

/// One loop of a report.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    value: Value,
}

/// What the report has of a histogram, in nanoseconds or as a number of jobs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Histogram {
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Loop {
    /// All that is told of it.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    pub(crate) fn thread(&self) -> String {
        self.value["thread"].as_str().unwrap_or("no name").to_owned()
    }

    /// A number, `NaN` where there is none, so that no comparison holds.
    pub(crate) fn number(&self, key: &str) -> f64 {
        self.value[key].as_f64().unwrap_or(f64::NAN)
    }

    /// A histogram by its path, `turn_ns` or `phases/timers`; `NaN` where it is null or empty.
    pub(crate) fn histogram(&self, path: &str) -> Histogram {
        let found = &self.value.pointer(&format!("/{path}")).cloned().unwrap_or_default();
        let of = |key: &str| found[key].as_f64().unwrap_or(f64::NAN);
        Histogram { count: of("count"), sum: of("sum"), min: of("min"), max: of("max") }
    }

    /// Whether the report says that something can't be seen.
    pub(crate) fn is_null(&self, path: &str) -> bool {
        let found = self.value.pointer(&format!("/{path}"));
        found.unwrap_or_else(|| panic!("the report has no key {path}: {}", self.value)).is_null()
    }

    /// The stalls that were seen, oldest first.
    pub(crate) fn stalls(&self) -> Vec<Seen> {
        let stalls = self.value["stalls"].as_array().cloned().unwrap_or_default();
        stalls.iter().map(Seen::read).collect()
    }
}

/// One stall of a report.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) duration_ns: f64,
    pub(crate) running: bool,
    pub(crate) phase: Option<String>,
}

impl Seen {
    fn read(stall: &Value) -> Seen {
        Seen {
            duration_ns: stall["duration_ns"].as_f64().unwrap_or(f64::NAN),
            running: stall["running"] == true,
            phase: stall["phase"].as_str().map(str::to_owned),
        }
    }
}
