//! The comparison for people: the verdict in one sentence; what got worse, by how much, how sure,
//! and where; then what is as before, in short.

use std::io::{self, Write};

use super::figures;
use super::words;
use crate::gate::comparison::{Comparison, GateTier, Metric, Side, Standing, Verdict};
use crate::layout::{pad_right, shorten, table as aligned, wrap};
use crate::terminal::{Ink, Terminal};

const INDENT: &str = "  ";
const DEEPER: &str = "      ";

/// Columns before a title, in which the mark is put.
const MARK_COLUMNS: usize = 4;

/// What a column of the table means, where it does not say it itself.
const LEGEND: &str = "\
    Base and head are the middle of their runs, the change is the middle of pairs. p is how likely \
    so clear a change is where there is none, for all metrics together.";

/// Fewer columns than this do not tell one metric from another.
const TITLE_COLUMNS_MIN: usize = 14;

/// A group of metrics that stand alike.
struct Group {
    name: &'static str,
    mark: &'static str,
    ink: Ink,
    standing: Standing,
    /// Whether budgets alone are in it, or none; `None`: both.
    budgets: Option<bool>,
}

const WORSE: Group = Group {
    name: "Worse",
    mark: "✗",
    ink: Ink::Bad,
    standing: Standing::Worse,
    budgets: Some(false),
};

const GROUPS: [Group; 4] = [
    WORSE,
    Group { name: "Over budget", budgets: Some(true), ..WORSE },
    Group {
        name: "Too noisy to tell",
        mark: "?",
        ink: Ink::Strong,
        standing: Standing::Unclear,
        budgets: None,
    },
    Group {
        name: "Better", mark: "✓", ink: Ink::Good, standing: Standing::Better, budgets: None
    },
];

/// Writes the comparison.
///
/// # Errors
/// Those of `out`.
pub fn table(comparison: &Comparison, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let ink = match comparison.verdict {
        Verdict::Passed => Ink::Good,
        Verdict::Inconclusive => Ink::Strong,
        Verdict::Regressed | Verdict::Invalid => Ink::Bad,
    };
    let mark = words::verdict_mark(comparison.verdict);
    let verdict = format!("{mark} {}", words::verdict(comparison));
    // In a log the first line is the whole sentence, to be found by `grep` and `head`.
    let lines = match terminal.rewrites {
        true => wrap(&verdict, terminal.width - INDENT.len()),
        false => vec![verdict],
    };
    for (number, line) in lines.iter().enumerate() {
        let indent = if number == 0 { "" } else { INDENT };
        writeln!(out, "{indent}{}", terminal.paint(ink, line))?;
    }
    // What can't be compared is no finding.
    if comparison.verdict != Verdict::Invalid {
        write_findings(comparison, terminal, out)?;
    }
    write_list("Not compared", words::untold(comparison), terminal, out)?;
    write_list("Notes", words::notes(comparison), terminal, out)?;
    write_method(comparison, terminal, out)
}

fn write_findings(
    comparison: &Comparison,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    for group in &GROUPS {
        write_group(group, comparison, terminal, out)?;
    }
    if comparison.metrics.iter().any(is_explained) {
        writeln!(out)?;
        write_faint(LEGEND, INDENT, terminal, out)?;
    }
    let besides = words::besides(comparison).map(words::sentence);
    write_list("Changed, and decides nothing", besides, terminal, out)?;
    write_same(comparison, terminal, out)
}

/// Whether its row has figures that the legend is about.
fn is_explained(metric: &Metric) -> bool {
    let told = matches!(metric.standing, Standing::Worse | Standing::Unclear | Standing::Better);
    told && metric.decides && metric.tier == GateTier::Time && metric.change.is_some()
}

fn write_group(
    group: &Group,
    comparison: &Comparison,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_in = |metric: &&Metric| {
        group.budgets.is_none_or(|budgets| budgets == (metric.tier == GateTier::Budget))
    };
    let metrics: Vec<&Metric> = words::with(comparison, &group.standing).filter(is_in).collect();
    if metrics.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let lines = rows(group, &metrics, terminal.width);
    let is_wide = widest(&lines) > terminal.width;
    if is_wide {
        writeln!(out, "{}", terminal.paint(Ink::Strong, group.name))?;
    } else if let Some(head) = lines.first() {
        let rest = head.strip_prefix(group.name).unwrap_or_default();
        let name = terminal.paint(Ink::Strong, group.name);
        writeln!(out, "{name}{}", terminal.paint(Ink::Faint, rest))?;
    }
    for (metric, line) in metrics.into_iter().zip(lines.iter().skip(1)) {
        let mark = terminal.paint(group.ink, group.mark);
        if is_wide {
            let columns = terminal.width - DEEPER.len();
            let sentence = wrap(&words::sentence(metric), columns).join(&format!("\n{DEEPER}"));
            writeln!(out, "{INDENT}{mark} {sentence}")?;
        } else {
            writeln!(out, "{INDENT}{mark} {}", line.trim_start())?;
        }
        if group.standing != Standing::Better {
            write_details(metric, is_wide, terminal, out)?;
        }
    }
    Ok(())
}

fn widest(lines: &[String]) -> usize {
    lines.iter().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// The head of the table and a row a metric, in columns. Those that nothing is in are left out, and
/// titles are shortened where that makes it fit.
fn rows(group: &Group, metrics: &[&Metric], width: usize) -> Vec<String> {
    let heads = ["base", "head", "change", "95 % interval", "p"].map(str::to_owned);
    let mut rows = vec![[vec![group.name.to_owned()], heads.to_vec()].concat()];
    rows.extend(metrics.iter().map(|metric| cells(metric)));
    let columns = rows[0].len();
    let is_used =
        |column: &usize| *column == 0 || rows.iter().skip(1).any(|row| !row[*column].is_empty());
    let used: Vec<usize> = (0..columns).filter(is_used).collect();
    let kept = |row: &Vec<String>| used.iter().map(|&column| row[column].clone()).collect();
    let mut rows: Vec<Vec<String>> = rows.iter().map(kept).collect();
    let lines = aligned(&rows);
    let over = widest(&lines).saturating_sub(width);
    let titles = rows.iter().skip(1).map(|row| row[0].chars().count()).max().unwrap_or(0);
    let kept = titles.saturating_sub(over);
    if over == 0 || kept < MARK_COLUMNS + TITLE_COLUMNS_MIN {
        return lines;
    }
    for row in rows.iter_mut().skip(1) {
        row[0] = indented(&shorten(row[0].trim_start(), kept - MARK_COLUMNS));
    }
    aligned(&rows)
}

/// A title behind the columns of its mark.
fn indented(title: &str) -> String {
    format!("{}{title}", " ".repeat(MARK_COLUMNS))
}

fn cells(metric: &Metric) -> Vec<String> {
    let change = metric.change.as_ref();
    let middle = |samples: &[f64]| {
        figures::middle(samples)
            .map(|middle| figures::value(middle, metric.unit))
            .unwrap_or_default()
    };
    let head = match metric.tier {
        GateTier::Budget => words::range(metric),
        _ => words::middle(metric),
    };
    let interval = match (metric.tier, change) {
        (GateTier::Exact, _) => "exact".to_owned(),
        (_, Some(change)) => figures::interval(change),
        (_, None) => String::new(),
    };
    vec![
        indented(&words::name(words::title(metric))),
        middle(&metric.base),
        head,
        change.map(|change| figures::change_text(change, metric)).unwrap_or_default(),
        interval,
        change.and_then(|change| figures::p_text(change.p)).unwrap_or_default(),
    ]
}

/// Where, and how sure, below a row; `whole` if the row does not tell of it.
fn write_details(
    metric: &Metric,
    whole: bool,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Some(culprit) = &metric.culprit {
        let columns = terminal.width - DEEPER.len();
        for line in wrap(&words::blame(culprit), columns) {
            writeln!(out, "{DEEPER}{}", shorten(&line, columns))?;
        }
    }
    let sure = match metric.tier {
        GateTier::Time if !whole => words::noise(metric).unwrap_or_default(),
        _ => words::certainty(metric),
    };
    if sure.is_empty() { Ok(()) } else { write_faint(&sure, DEEPER, terminal, out) }
}

fn write_same(comparison: &Comparison, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let same: Vec<&Metric> = words::with(comparison, &Standing::Same).collect();
    if same.is_empty() {
        return Ok(());
    }
    let told = same.iter().map(|metric| match metric.tier {
        GateTier::Budget => words::sentence(metric),
        _ => metric.title.to_owned(),
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let name = format!("As before ({})", same.len());
    writeln!(out, "\n{}", terminal.paint(Ink::Strong, &name))?;
    write_plain(&told, terminal, out)
}

/// A heading and an item a line, if there are any.
fn write_list(
    heading: &str,
    items: impl Iterator<Item = String>,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut heading = Some(heading);
    for item in items {
        if let Some(heading) = heading.take() {
            writeln!(out, "\n{}", terminal.paint(Ink::Strong, heading))?;
        }
        write_plain(&format!("- {item}"), terminal, out)?;
    }
    Ok(())
}

fn write_method(
    comparison: &Comparison,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "\n{}", terminal.paint(Ink::Strong, "Compared"))?;
    let base = comparison.base.as_ref().map(|side| ("base", side));
    for (name, side) in base.into_iter().chain([("head", &comparison.head)]) {
        let Side { command, runs } = side;
        let runs = figures::counted(*runs, "run");
        let columns = terminal.width.saturating_sub(10 + runs.len());
        let command = shorten(&words::name(command), columns);
        writeln!(out, "{INDENT}{}{command}, {runs}", pad_right(name, 6))?;
    }
    write_faint(&words::method(comparison).join("; "), INDENT, terminal, out)
}

fn write_plain(text: &str, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let columns = terminal.width - 2 * INDENT.len();
    for (number, line) in wrap(text, columns).iter().enumerate() {
        let indent = if number == 0 { "" } else { INDENT };
        writeln!(out, "{INDENT}{indent}{}", shorten(line, columns))?;
    }
    Ok(())
}

fn write_faint(
    text: &str,
    indent: &str,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = terminal.width - indent.len();
    for line in wrap(text, columns) {
        writeln!(out, "{indent}{}", terminal.paint(Ink::Faint, &shorten(&line, columns)))?;
    }
    Ok(())
}
