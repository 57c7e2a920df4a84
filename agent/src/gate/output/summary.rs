//! The summary of a step on GitHub: Markdown, the verdict first.

use std::fmt::Write;

use super::figures;
use super::words;
use crate::gate::comparison::{Comparison, GateTier, Metric, Side, Standing, Verdict};
use crate::layout::shorten;

/// The most columns of a command: a summary is read, not run.
const COMMAND_COLUMNS: usize = 200;

const HEAD: &str = "\
| | metric | base | head | change | 95 % interval | p | where |
|---|---|---:|---:|---:|---:|---:|---|
";

/// The comparison as Markdown. A step may have at most 1 MiB of it; this is some kilobytes.
pub fn summary(comparison: &Comparison) -> String {
    let mark = words::verdict_mark(comparison.verdict);
    // Writing to a string can't fail.
    let mut out = format!("## {mark} {}\n\n", escaped(&words::verdict(comparison)));
    if comparison.verdict != Verdict::Invalid {
        put_table(&mut out, comparison);
        put_same(&mut out, comparison);
    }
    put_list(&mut out, comparison);
    let side = |name: &str, side: &Side| {
        let command = escaped(&shorten(&words::name(&side.command), COMMAND_COLUMNS));
        format!("{name}: {command} ({})", figures::counted(side.runs, "run"))
    };
    let base = comparison.base.as_ref().map(|base| side("base", base));
    let lines = base.into_iter().chain([side("head", &comparison.head)]);
    let method = escaped(&words::method(comparison).join("; "));
    let lines: Vec<String> = lines.chain([method]).collect();
    let _ = writeln!(out, "{}", lines.join("<br>\n"));
    out
}

/// What there is to look at: worse, unclear, better.
fn put_table(out: &mut String, comparison: &Comparison) {
    let groups = [
        ("✗ worse", Standing::Worse),
        ("? unclear", Standing::Unclear),
        ("✓ better", Standing::Better),
    ];
    let mut rows = String::new();
    for (mark, standing) in &groups {
        for metric in words::with(comparison, standing) {
            let cells = cells(metric).map(|cell| escaped(&cell)).join(" | ");
            let _ = writeln!(rows, "| {mark} | {cells} |");
        }
    }
    if !rows.is_empty() {
        let _ = writeln!(out, "{HEAD}{rows}");
    }
}

/// The cells behind the mark.
fn cells(metric: &Metric) -> [String; 7] {
    let change = metric.change.as_ref();
    let value = |samples: &[f64]| {
        figures::middle(samples)
            .map(|middle| figures::value(middle, metric.unit))
            .unwrap_or_default()
    };
    let head = match metric.tier {
        GateTier::Budget => words::range(metric),
        _ => words::middle(metric),
    };
    let interval = match metric.tier {
        GateTier::Exact => "exact".to_owned(),
        _ => change.map(figures::interval).unwrap_or_default(),
    };
    [
        words::title(metric).to_owned(),
        value(&metric.base),
        head,
        change.map(|change| figures::change_text(change, metric)).unwrap_or_default(),
        interval,
        change.and_then(|change| figures::p_text(change.p)).unwrap_or_default(),
        metric.culprit.as_ref().map(words::place).unwrap_or_default(),
    ]
}

/// What is as before, folded away.
fn put_same(out: &mut String, comparison: &Comparison) {
    let same: Vec<_> = words::with(comparison, &Standing::Same).map(words::sentence).collect();
    if same.is_empty() {
        return;
    }
    let (are, count) = (if same.len() == 1 { "is" } else { "are" }, same.len());
    let what = figures::counted(count, "metric");
    let _ = writeln!(out, "<details><summary>{what} {are} as before</summary>\n");
    for sentence in same {
        let _ = writeln!(out, "- {}", escaped(&sentence));
    }
    out.push_str("\n</details>\n\n");
}

/// What decides nothing, what is not compared, and what else there is to know.
fn put_list(out: &mut String, comparison: &Comparison) {
    let besides = words::besides(comparison);
    let besides = besides.map(|metric| format!("decides nothing: {}", words::sentence(metric)));
    let untold = words::untold(comparison).map(|untold| format!("not compared: {untold}"));
    let items: Vec<String> = besides.chain(untold).chain(words::notes(comparison)).collect();
    for item in &items {
        let _ = writeln!(out, "- {}", escaped(item));
    }
    if !items.is_empty() {
        out.push('\n');
    }
}

/// Text that is no markup, ends no cell and no line.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in words::name(text).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Two of them would be a formula, also with backslashes before them.
            '$' => out.push_str("&#36;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => out.extend(['\\', character]),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("a|b\n`c`"), "a\\|b\\\\n\\`c\\`");
        assert_eq!(escaped("<img src=x> & $x$"), "&lt;img src=x&gt; &amp; &#36;x&#36;");
        assert_eq!(escaped("[a](b) __c__ \u{1b}[2J"), "\\[a\\](b) \\_\\_c\\_\\_ \\\\u{1b}\\[2J");
    }
}
