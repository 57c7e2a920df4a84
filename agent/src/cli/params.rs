//! Workload parameters as options of the command line, and a workload with parameters in one text.

use std::ffi::OsString;
use std::fmt;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, ArgMatches, Command};
use loopscope_workloads::{
    self as workloads, Args, ParamError, UnknownWorkload, Variant, Workload,
};

use super::errors;

/// Whether a name is that of a JavaScript program, and not of a workload in Rust.
pub fn names_script(name: &str) -> bool {
    name.contains('/') || name == "." || name == ".." || has_script_extension(name)
}

/// Whether a name ends as those of JavaScript files do.
pub fn has_script_extension(name: &str) -> bool {
    [".js", ".mjs", ".cjs"].iter().any(|end| name.ends_with(end))
}

/// What `run` is to run, as far as it matters for its options.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// A workload, whose parameters are options.
    Workload(&'static Workload),
    /// A script, whose arguments stand behind `--`.
    Script(String),
    /// A name that isn't known, or none.
    Unknown,
}

impl Subject {
    /// The workload that it is.
    pub(super) fn workload(&self) -> Option<&'static Workload> {
        match self {
            Subject::Workload(workload) => Some(workload),
            Subject::Script(_) | Subject::Unknown => None,
        }
    }
}

/// What a command line names, found before it is parsed.
///
/// It is the first word behind `run` that names a workload or a script and is no option's value.
pub(super) fn subject(argv: &[OsString], cli: &Command) -> Subject {
    named(argv, cli).unwrap_or(Subject::Unknown)
}

fn named(argv: &[OsString], cli: &Command) -> Option<Subject> {
    let run = cli.find_subcommand("run")?;
    let mut words = argv.iter().skip(1).map(|word| word.to_string_lossy());
    words.by_ref().find(|word| word == "run")?;
    while let Some(word) = words.next().filter(|word| word != "--") {
        if let Some(option) = word.strip_prefix("--") {
            let takes_value = |arg: &Arg| arg.get_long() == Some(option) && has_value(arg);
            if run.get_arguments().any(takes_value) {
                words.next();
            }
        } else if let Ok(workload) = workloads::find(&word) {
            return Some(Subject::Workload(workload));
        } else if names_script(&word) {
            return Some(Subject::Script(word.into_owned()));
        }
    }
    None
}

fn has_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// Adds the subject's parameters to a command. Of a name that isn't known those of all workloads
/// are taken but not shown: what is told then is that it isn't known.
pub(super) fn add_to(command: Command, subject: &Subject) -> Command {
    let workload = match subject {
        Subject::Workload(workload) => workload,
        Subject::Script(name) => return command.about(format!("Run {name}, a JavaScript program")),
        Subject::Unknown => return add_all_to(command),
    };
    let args = workload.params.iter().map(|param| {
        let help = format!("{} [default: {}]", param.help, param.default);
        Arg::new(param.name)
            .long(param.name)
            .value_name("VALUE")
            .help(StyledStr::from(help))
            .help_heading("Parameters of the workload")
            .allow_hyphen_values(true)
    });
    let is_param = |long: &str| workload.params.iter().any(|param| param.name == long);
    let command = command.mut_args(|arg| match arg.get_long() {
        Some(long) if is_param(long) => arg.long(OPTION_OF_SCRIPTS).hide(true),
        _ => arg,
    });
    command.about(format!("Run {}: {}", workload.name, workload.summary)).args(args)
}

/// What an option for scripts is called beside a workload with a parameter of its name.
const OPTION_OF_SCRIPTS: &str = "option-of-scripts";

fn add_all_to(command: Command) -> Command {
    let mut names: Vec<_> =
        workloads::all().iter().flat_map(|w| w.params.iter().map(|p| p.name)).collect();
    names.sort_unstable();
    names.dedup();
    let options: Vec<_> = command.get_arguments().filter_map(Arg::get_long).collect();
    names.retain(|name| !options.contains(name));
    command.args(names.into_iter().map(|name| Arg::new(name).long(name).hide(true)))
}

/// Parameters that were given, as (name, value).
pub(super) fn given(matches: &ArgMatches) -> Vec<(String, String)> {
    let names = workloads::all().iter().flat_map(|w| w.params.iter().map(|p| p.name));
    let mut given: Vec<(String, String)> = names
        .filter_map(|name| {
            let value: &String = matches.try_get_one(name).ok().flatten()?;
            Some((name.to_owned(), value.clone()))
        })
        .collect();
    given.sort();
    given.dedup();
    given
}

/// A workload with parameters, as one text: `sync-promises --count 1000 --work=25us`.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The workload.
    pub workload: &'static Workload,
    /// Its parameters, defaults filled in.
    pub args: Args,
    /// The text in one fixed form: what was given, sorted by name, each value as [`Args`] has it.
    pub text: String,
}

/// Why a text selects no workload.
#[derive(Debug)]
#[non_exhaustive]
pub enum SelectionError {
    /// There is no workload of this name.
    Unknown(UnknownWorkload),
    /// A parameter's value is not good.
    Param(ParamError),
    /// An option is no parameter of the workload, or lacks its value.
    Option(String),
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelectionError::Unknown(error) => error.fmt(f),
            SelectionError::Param(error) => error.fmt(f),
            SelectionError::Option(line) => f.write_str(line),
        }
    }
}

impl std::error::Error for SelectionError {}

impl Selection {
    /// Reads a selection.
    ///
    /// # Errors
    /// [`SelectionError`]; its text names the cure.
    pub fn parse(text: &str) -> Result<Selection, SelectionError> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let words: Vec<OsString> = words.map(OsString::from).collect();
        let workload = workloads::find(name).map_err(SelectionError::Unknown)?;
        let command = Command::new(workload.name).no_binary_name(true).disable_help_flag(true);
        let matches = add_to(command, &Subject::Workload(workload))
            .try_get_matches_from(&words)
            .map_err(|error| {
                let subject = Subject::Workload(workload);
                SelectionError::Option(errors::one_line(&error, &subject, &words))
            })?;
        Selection::new(workload, given(&matches))
    }

    /// A workload with what was given for its parameters.
    ///
    /// # Errors
    /// [`SelectionError::Param`] where a value is not good.
    pub fn new(
        workload: &'static Workload,
        given: Vec<(String, String)>,
    ) -> Result<Selection, SelectionError> {
        let names: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
        let args = Args::parse(workload, given).map_err(SelectionError::Param)?;
        let chosen = args.iter().filter(|(name, _)| names.iter().any(|given| given == name));
        let mut words: Vec<_> = chosen.map(|(k, v)| format!(" --{k} {v}")).collect();
        words.sort_unstable();
        let text = format!("{}{}", workload.name, words.concat());
        Ok(Selection { workload, args, text })
    }

    /// The name of its section in a lock.
    pub fn section_name(&self, variant: Variant) -> String {
        format!("{} ({})", self.text, self.workload.variant_name(variant))
    }

    /// What the section of this name in a lock was counted of; `None` where it selects nothing.
    pub fn of_section(name: &str) -> Option<(Selection, Variant)> {
        let (text, variant) = name.strip_suffix(')')?.rsplit_once(" (")?;
        let selection = Selection::parse(text).ok()?;
        let mut variants = selection.workload.variants().iter().copied();
        let variant = variants.find(|&v| selection.workload.variant_name(v) == variant)?;
        Some((selection, variant))
    }

    /// The value of a parameter in its one fixed form; `None` where it is none.
    pub fn normal_value(&self, name: &str, value: &str) -> Option<String> {
        let args = Args::parse(self.workload, [(name.to_owned(), value.to_owned())]).ok()?;
        args.iter().find(|(known, _)| *known == name).map(|(_, text)| text.to_owned())
    }
}
