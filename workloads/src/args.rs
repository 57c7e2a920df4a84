//! Parameters of workloads: declared, parsed, checked.

use std::fmt;
use std::time::Duration;

use loop_core::units::{format_ns, parse_duration_ns};

use crate::Workload;

/// The most work that is taken on: ten years.
const WORK_NS_MAX: u128 = 3_650 * 86_400 * 1_000_000_000;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number between the two, both included.
    Count(u64, u64),
    /// A duration between the two, both included, as in `25us`.
    Duration(Duration, Duration),
}

impl ParamKind {
    /// A duration of whatever length can be written.
    pub const ANY_DURATION: ParamKind = ParamKind::Duration(Duration::ZERO, Duration::MAX);
}

/// A parameter of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name; the flag is `--name`.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Its value where none is given.
    pub default: &'static str,
    /// What it means, in one line.
    pub help: &'static str,
}

/// Why parameters were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamError {
    /// The workload has no parameter of this name.
    Unknown {
        /// What was given.
        name: String,
        /// The workload.
        workload: &'static str,
        /// What it has, as flags.
        known: String,
    },
    /// The value does not fit the parameter.
    Value {
        /// The parameter.
        name: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamError::Unknown { name, workload, known } => {
                write!(f, "{workload} has no parameter --{name}; it takes {known}")
            }
            ParamError::Value { name, problem } => write!(f, "--{name}: {problem}"),
        }
    }
}

impl std::error::Error for ParamError {}

/// The values of all parameters of one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args(Vec<Arg>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Arg {
    name: &'static str,
    text: String,
    value: u64,
}

impl Args {
    /// The values given as (name, value), and the defaults of the others. The last of two values
    /// for one name counts.
    ///
    /// # Errors
    /// For a name the workload does not have, and a value that does not fit.
    pub fn parse(
        workload: &Workload,
        given: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Args, ParamError> {
        let defaults = workload.params.iter().map(|param| param.parse(param.default));
        let mut args = Args(defaults.collect::<Result<_, _>>()?);
        for (name, text) in given {
            let found = workload.params.iter().position(|param| param.name == name);
            let index = found.ok_or_else(|| unknown(workload, name))?;
            args.0[index] = workload.params[index].parse(&text)?;
        }
        args.check_length(workload)?;
        Ok(args)
    }

    /// Refuses so much work that no clock could count it.
    fn check_length(&self, workload: &Workload) -> Result<(), ParamError> {
        let factors = self.0.iter().map(|arg| u128::from(arg.value.max(1)));
        let work_ns = factors.fold(1u128, u128::saturating_mul);
        let takes_time = |param: &&Param| matches!(param.kind, ParamKind::Duration(..));
        let longest = workload.params.iter().find(takes_time);
        match longest {
            Some(param) if work_ns > WORK_NS_MAX => Err(ParamError::Value {
                name: param.name,
                problem: "all of it would take more than ten years; ask for less".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Each name with its value, written in one fixed form: `30000` and not `30_000`, `1500ms` and
    /// not `1.5s`.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|arg| (arg.name, arg.text.as_str()))
    }

    /// The value of a count.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.value(name)
    }

    /// The value of a duration.
    pub(crate) fn duration(&self, name: &str) -> Duration {
        Duration::from_nanos(self.value(name))
    }

    fn value(&self, name: &str) -> u64 {
        let arg = self.0.iter().find(|arg| arg.name == name);
        arg.map(|arg| arg.value).expect("a workload asks only for parameters that it declares")
    }
}

impl Param {
    fn parse(&self, text: &str) -> Result<Arg, ParamError> {
        let error = |problem| ParamError::Value { name: self.name, problem };
        let (value, text) = match self.kind {
            ParamKind::Count(min, max) => {
                let value = parse_count(text, min, max).map_err(error)?;
                (value, value.to_string())
            }
            ParamKind::Duration(min, max) => {
                let value = parse_duration(text, min, max).map_err(error)?;
                (value, plain_duration(value))
            }
        };
        Ok(Arg { name: self.name, text, value })
    }
}

fn parse_duration(text: &str, min: Duration, max: Duration) -> Result<u64, String> {
    let ns = parse_duration_ns(text).map_err(|error| error.to_string())?;
    if (min..=max).contains(&Duration::from_nanos(ns)) {
        return Ok(ns);
    }
    let [min, max] = [min, max].map(|bound| u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX));
    Err(format!("`{text}` is not between {} and {}", format_ns(min), format_ns(max)))
}

/// A duration in the largest unit of which it is a whole number.
fn plain_duration(ns: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let whole = UNITS.iter().find(|(unit, _)| ns > 0 && ns.is_multiple_of(*unit));
    whole.map_or_else(|| "0".to_owned(), |(unit, name)| format!("{}{name}", ns / unit))
}

fn parse_count(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let plain = text.replace(['_', ','], "");
    let value = plain.parse().ok().filter(|value| (min..=max).contains(value));
    value.ok_or_else(|| format!("`{text}` is no whole number from {min} to {max}"))
}

fn unknown(workload: &Workload, name: String) -> ParamError {
    let flags: Vec<String> = workload.params.iter().map(|p| format!("--{}", p.name)).collect();
    ParamError::Unknown { name, workload: workload.name, known: flags.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_one_form() {
        let count = Param { name: "c", kind: ParamKind::Count(1, 1 << 40), default: "", help: "" };
        let time = Param { name: "t", kind: ParamKind::ANY_DURATION, default: "", help: "" };
        let check = |param: &Param, text: &str, want: &str| {
            assert_eq!(param.parse(text).map(|arg| arg.text), Ok(want.to_owned()), "{text}");
        };
        check(&count, "30_000", "30000");
        check(&count, "30,000", "30000");
        check(&count, "007", "7");
        check(&time, "25us", "25us");
        check(&time, "1.5s", "1500ms");
        check(&time, "1000µs", "1ms");
        check(&time, "60s", "1m");
        check(&time, "90m", "90m");
        check(&time, "0ms", "0");
    }

    #[test]
    fn durations_have_bounds() {
        let kind = ParamKind::Duration(Duration::from_millis(2), Duration::from_secs(1));
        let param = Param { name: "t", kind, default: "", help: "" };
        for text in ["1ms", "1.001s", "0"] {
            let error = param.parse(text).unwrap_err().to_string();
            let told = error.contains("between 2.00 ms and 1.00 s") && error.contains("--t");
            assert!(told, "{error}");
        }
        assert!(param.parse("2ms").is_ok() && param.parse("1s").is_ok());
    }
}
