//! What GitHub shows beside the code of a pull request: workflow commands, a line each.
//!
//! GitHub shows at most ten errors of a step, so that the ninth is the last that is told by itself.

use loop_core::snapshot::Culprit;

use super::figures;
use super::words;
use crate::gate::comparison::{Comparison, Metric, Standing, Verdict};
use crate::url;

/// What got worse is told by itself so often; the rest is counted.
const TOLD_MAX: usize = 9;

const TITLE: &str = "loopscope gate";

/// One workflow command.
#[derive(Default)]
struct Command<'a> {
    name: &'a str,
    title: &'a str,
    place: Option<(String, u32)>,
    message: &'a str,
}

/// The annotations, each with a line break behind it. `root` is where the repository is checked
/// out: files below it are named as the repository does, and no others are.
pub fn annotations(comparison: &Comparison, root: Option<&str>) -> String {
    let verdict = words::verdict(comparison);
    let notes = comparison.notes.join("\n");
    let with_notes = format!("{verdict}\n{notes}");
    let whole = |name, message: &str| {
        Command { name, title: TITLE, message: message.trim_end(), ..Command::default() }.line()
    };
    match comparison.verdict {
        Verdict::Passed => whole("notice", &verdict),
        Verdict::Inconclusive if !comparison.inconclusive_fails => whole("warning", &with_notes),
        Verdict::Inconclusive => whole("error", &with_notes),
        Verdict::Invalid => whole("error", &with_notes),
        Verdict::Regressed => {
            let worse: Vec<&Metric> = words::with(comparison, &Standing::Worse).collect();
            let told = worse.iter().take(TOLD_MAX).map(|metric| of_metric(metric, root));
            let mut lines: String = told.collect();
            let more = worse.len().saturating_sub(TOLD_MAX);
            if worse.is_empty() {
                lines = whole("error", &with_notes);
            } else if more > 0 {
                let more = figures::counted(more, "metric");
                lines.push_str(&whole("error", &format!("{more} more got worse: see the summary")));
            }
            lines
        }
    }
}

fn of_metric(metric: &Metric, root: Option<&str>) -> String {
    let blame = metric.culprit.as_ref().map(words::blame);
    let lines = [Some(words::sentence(metric)), blame, Some(words::certainty(metric))];
    let message = lines.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let title = format!("{TITLE}: {}", words::title(metric));
    let place = metric.culprit.as_ref().and_then(|culprit| place(culprit, root));
    Command { name: "error", title: &title, place, message: &message }.line()
}

/// The file as the repository names it, and the line.
fn place(culprit: &Culprit, root: Option<&str>) -> Option<(String, u32)> {
    let path = url::path(&culprit.file);
    let below = match root.map(|root| root.trim_end_matches('/')) {
        Some(root) if path.starts_with('/') => path.strip_prefix(root)?.strip_prefix('/')?,
        _ => path.trim_start_matches("./"),
    };
    // What has a scheme, as `node:fs`, or begins at the root is in no repository.
    let is_relative = !below.is_empty() && !below.starts_with('/') && !below.contains(':');
    is_relative.then(|| (below.to_owned(), culprit.line))
}

impl Command<'_> {
    /// `::error file=app.js,line=12,title=loopscope gate::longest drain grew`.
    fn line(&self) -> String {
        let place = self.place.as_ref();
        let place = place.map(|(file, line)| format!("file={},line={line},", property(file)));
        let (name, title, message) = (self.name, property(self.title), data(self.message));
        format!("::{name} {}title={title}::{message}\n", place.unwrap_or_default())
    }
}

/// A message, in one line. What else would move a cursor is written out.
fn data(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            control if control.is_control() => out.extend(control.escape_default()),
            other => out.push(other),
        }
    }
    out
}

/// The value of a property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn culprit(file: &str) -> Culprit {
        Culprit {
            function: "f".into(),
            file: file.into(),
            line: 12,
            share: 1.0,
            samples: None,
            hot_leaf: None,
        }
    }

    #[test]
    fn nothing_ends_a_command_early() {
        let command = Command {
            name: "error",
            title: "a, b: c",
            place: Some(("a:b,c%.js".into(), 7)),
            message: "100 %\r\n::error::no\u{1b}[2J",
        };
        let want = "::error file=a%3Ab%2Cc%25.js,line=7,title=a%2C b%3A c::\
                    100 %25%0D%0A::error::no\\u{1b}[2J\n";
        assert_eq!(command.line(), want);
    }

    #[test]
    fn files_are_named_as_the_repository_does() {
        let check = |file: &str, root: Option<&str>, want: Option<&str>| {
            let got = place(&culprit(file), root);
            assert_eq!(got, want.map(|want| (want.to_owned(), 12)), "{file}");
        };
        check("/srv/app/lib/a.js", Some("/srv/app"), Some("lib/a.js"));
        check("/srv/app/lib/a.js", Some("/srv/app/"), Some("lib/a.js"));
        check("file:///srv/app/a%20b.mjs", Some("/srv/app"), Some("a b.mjs"));
        check("/srv/application/a.js", Some("/srv/app"), None);
        check("/srv/app/a.js", None, None);
        check("./a.js", Some("/srv/app"), Some("a.js"));
        check("node:fs", Some("/srv/app"), None);
        check("/srv/app", Some("/srv/app"), None);
    }
}
