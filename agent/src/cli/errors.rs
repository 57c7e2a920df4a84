//! What clap has to say about a command line, in one line that names the cure.

use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::params::Subject;

/// `<what was wrong>; <what to do>`.
pub(super) fn one_line(error: &Error, subject: &Subject, argv: &[OsString]) -> String {
    let option = context(error, ContextKind::InvalidArg);
    let option = option.split(' ').next().unwrap_or_default();
    let value = context(error, ContextKind::InvalidValue);
    let variable = variable(option, &value, argv);
    let option = variable.as_deref().unwrap_or(option);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown_argument(error, option, subject),
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("`{option}` lacks its value; {}", allowed(error))
        }
        ErrorKind::InvalidValue => {
            format!("`{value}` is no value for `{option}`; {}", allowed(error))
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string);
            bad_value(option, &value, &why.unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = context(error, ContextKind::InvalidArg);
            format!("missing {missing}; `--help` shows examples")
        }
        ErrorKind::InvalidSubcommand => unknown_command(error),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command given; start with `loopscope workloads`, or see `loopscope --help`"
                .to_owned()
        }
        ErrorKind::ArgumentConflict => {
            let other = context(error, ContextKind::PriorArg);
            if other.is_empty() || other.starts_with(option) {
                format!("`{option}` is given more than once; give it once")
            } else {
                format!("`{option}` does not go with `{other}`; leave one of them out")
            }
        }
        ErrorKind::TooManyValues => {
            format!("`{value}` is one value too many for `{option}`; give one")
        }
        ErrorKind::InvalidUtf8 => {
            "an argument is not valid UTF-8; write names and values in UTF-8".to_owned()
        }
        _ => rendered(error),
    }
}

/// The variable that the value of an option comes from, if it does not stand on the command line.
fn variable(option: &str, value: &str, argv: &[OsString]) -> Option<String> {
    let name = option.strip_prefix("--")?;
    let given = argv.iter().take_while(|argument| *argument != "--").any(|argument| {
        let rest = argument.to_str().and_then(|argument| argument.strip_prefix(option));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let variable = format!("LOOPSCOPE_{}", name.to_uppercase().replace(['-', '.'], "_"));
    let is_it = || std::env::var(&variable).is_ok_and(|set| set == value);
    (!given && is_it()).then_some(variable)
}

fn unknown_argument(error: &Error, option: &str, subject: &Subject) -> String {
    let known = subject.workload().filter(|workload| !workload.params.is_empty()).map(|workload| {
        let names: Vec<_> = workload.params.iter().map(|p| format!("--{}", p.name)).collect();
        format!("the parameters of {} are {}", workload.name, names.join(", "))
    });
    let similar = context(error, ContextKind::SuggestedArg);
    let similar = similar.split(' ').next().filter(|name| !name.is_empty());
    let what = if option.starts_with('-') { "option" } else { "argument" };
    if let Subject::Script(name) = subject {
        if name.starts_with('-') {
            return format!("`{name}` reads as an option; a file of that name is `./{name}`");
        }
        let similar = similar.map(|name| format!("did you mean `{name}`? "));
        let similar = similar.unwrap_or_default();
        return format!(
            "unknown {what} `{option}`; {similar}what is for the script stands behind `--`: \
             {name} -- {option}"
        );
    }
    let cure = match (similar, known) {
        (Some(name), Some(known)) => format!("did you mean `{name}`? {known}"),
        (Some(name), None) => format!("did you mean `{name}`?"),
        (None, Some(known)) => format!("{known}; `--help` lists all options"),
        (None, None) => "`--help` lists all options".to_owned(),
    };
    format!("unknown {what} `{option}`; {cure}")
}

fn unknown_command(error: &Error) -> String {
    let command = context(error, ContextKind::InvalidSubcommand);
    let similar = context(error, ContextKind::SuggestedSubcommand);
    if similar.is_empty() {
        format!("unknown command `{command}`; `loopscope --help` lists the commands")
    } else {
        format!("unknown command `{command}`; did you mean `{similar}`?")
    }
}

fn bad_value(option: &str, value: &str, why: &str) -> String {
    // Some errors quote the value and name the cure themselves; others are the cure alone.
    match why.split_once("; ") {
        Some((what, cure)) if what.contains(&format!("`{value}`")) => {
            format!("{what} for `{option}`; {cure}")
        }
        _ => format!("`{value}` is no value for `{option}`; {why}"),
    }
}

fn allowed(error: &Error) -> String {
    let values = context(error, ContextKind::ValidValue);
    if values.is_empty() {
        "`--help` shows how it is written".to_owned()
    } else {
        format!("it is one of {values}")
    }
}

fn context(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStrs(texts)) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// The first line of what clap would print.
fn rendered(error: &Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("{}; see `loopscope --help`", line.trim_start_matches("error: "))
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    /// The whole line that a command line gets for an answer.
    fn check(command_line: &str, wants: &[&str]) {
        let argv = command_line.split(' ').map(Into::into).collect();
        let failure = parse(argv, false).expect_err(command_line);
        for want in wants {
            let message = &failure.message;
            assert!(message.contains(want), "{command_line}: `{want}` not in `{message}`");
            assert!(!message.contains('\n'), "{message}");
        }
        assert_eq!(failure.exit.code(), 2);
    }

    #[test]
    fn a_wrong_command_line_gets_one_line_with_the_cure() {
        check("loopscope", &["no command", "workloads"]);
        check("loopscope rum", &["`rum`", "`run`"]);
        check("loopscope run", &["missing <NAME>"]);
        check("loopscope run sync-promises --wrok 1ms", &["`--wrok`", "`--work`", "--count"]);
        check("loopscope run sync-promises --zzzz 1", &["`--zzzz`", "sync-promises", "--count"]);
        check("loopscope run sync-promises --report xml", &["`xml`", "`--report`", "text, json"]);
        check("loopscope run sync-promises --pause 5", &["`5`", "`--pause`", "25us"]);
        check("loopscope run sync-promises --repeat 0", &["`0`", "`--repeat`", "forever"]);
        check("loopscope run sync-promises --repeat -1", &["`-1`", "`--repeat`", "forever"]);
        check("loopscope run sync-promises --pause 9999999h", &["`--pause`", "at most 87600h"]);
        check("loopscope run sync-promises --listen x", &["`x`", "`--listen`", ":9797"]);
        check("loopscope run sync-promises --report", &["`--report` lacks its value"]);
        check("loopscope run sync-promises extra", &["unknown argument `extra`"]);
        check("loopscope run sync-promises --fixed --fixed", &["`--fixed`", "more than once"]);
        check("loopscope run x --timeout 0s", &["`0s`", "`--timeout`", "above 0"]);
        check("loopscope run x --stall-threshold 0", &["every turn would be a stall"]);
        check("loopscope run lambda-freez --gap x", &["`x`", "`--gap`"]);
        check("loopscope run a.js --zzzz", &["unknown option `--zzzz`", "a.js -- --zzzz"]);
        check("loopscope run ./a --count 9 -- sync-promises", &["unknown option `--count`"]);
        check("loopscope run -a.js", &["`-a.js` reads as an option", "`./-a.js`"]);
        check("loopscope run a.js b", &["unknown argument `b`", "a.js -- b"]);
        check("loopscope run a.js --max-memory 9", &["`9`", "`--max-memory`", "256MiB"]);
        check("loopscope record 7", &["missing", "--output <FILE>"]);
        check("loopscope record -o x", &["missing", "<PID>"]);
        check("loopscope record -o x 7 -- node", &["`[PID]...` does not go with `[CMD]...`"]);
        check("loopscope record -o x --duration 1s -- node", &["`--duration`", "does not go"]);
        check("loopscope record -o x --max-size 9B 7", &["`9B`", "`--max-size`", "1MiB"]);
        check("loopscope report", &["missing <FILE>"]);
        check("loopscope gate -- sync-promises", &["--lock <FILE>", "--base <CMD>"]);
        check("loopscope gate accept --lock x", &["<NAME>"]);
        check("loopscope gate --base x", &["--head <CMD>"]);
        check("loopscope gate --base x --head y --pairs 3", &["`3`", "`--pairs`", "4 to 200"]);
        check("loopscope gate --head x --runs 0", &["`0`", "`--runs`", "1 to 200"]);
        check("loopscope gate --head x --exact-tolerance -1", &["`--exact-tolerance`"]);
    }
}
