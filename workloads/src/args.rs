//! Parameters of workloads: declared, parsed, checked.

use std::fmt;
use std::time::Duration;

use loop_core::units::parse_duration_ns;

use crate::Workload;

/// The most work that is taken on: ten years.
const WORK_NS_MAX: u128 = 3_650 * 86_400 * 1_000_000_000;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number between the two, both included.
    Count(u64, u64),
    /// A duration, as in `25us`.
    Duration,
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
        let longest = workload.params.iter().find(|param| param.kind == ParamKind::Duration);
        match longest {
            Some(param) if work_ns > WORK_NS_MAX => Err(ParamError::Value {
                name: param.name,
                problem: "all of it would take more than ten years; ask for less".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Each name with its value as it was written.
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
        let value = match self.kind {
            ParamKind::Count(min, max) => parse_count(text, min, max),
            ParamKind::Duration => parse_duration_ns(text).map_err(|error| error.to_string()),
        };
        let error = |problem| ParamError::Value { name: self.name, problem };
        Ok(Arg { name: self.name, text: text.to_owned(), value: value.map_err(error)? })
    }
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
