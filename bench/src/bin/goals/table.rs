//! The table for people: a line a row under the name of its group, and below it why goals are
//! missed, what was not measured, and whether the machine was quiet.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::row::Row;

const HEAD: [&str; 6] = ["", "limit", "by minima", "by medians", "", "basis"];

/// The rows of one group.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// The whole table, and what there is to say of it.
pub(crate) fn render(sections: &[Section]) -> String {
    let rows: Vec<&Row> = sections.iter().flat_map(|section| &section.rows).collect();
    let mut text = String::new();
    put_table(&mut text, sections);
    put_missed(&mut text, &rows);
    put_not_measured(&mut text, &rows);
    put_noise(&mut text, &rows);
    put_counts(&mut text, &rows);
    text
}

fn put_table(text: &mut String, sections: &[Section]) {
    let cells: Vec<Vec<[String; 6]>> =
        sections.iter().map(|section| section.rows.iter().map(cells).collect()).collect();
    let width = |column: usize| {
        let widths = cells.iter().flatten().map(|row| row[column].chars().count());
        widths.chain([HEAD[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    put_line(text, &widths, &HEAD.map(str::to_owned));
    for (section, rows) in sections.iter().zip(&cells) {
        put(text, section.title);
        rows.iter().for_each(|row| put_line(text, &widths, row));
    }
}

fn cells(row: &Row) -> [String; 6] {
    let value = |value: Option<f64>| match value {
        Some(value) => format!("{value:.2} {}", row.unit.name()),
        None => String::new(),
    };
    [
        format!("  {}", row.what),
        value(row.limit),
        value(row.measured),
        value(row.median),
        format!("{}{}", row.verdict(), if row.noisy() { " ~" } else { "" }),
        row.basis.clone(),
    ]
}

/// Words to the left, numbers to the right.
fn put_line(text: &mut String, widths: &[usize; 6], cells: &[String; 6]) {
    let mut line = String::new();
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        // Writing to a string can't fail.
        let _ = match column {
            1..=3 => write!(line, "{cell:>width$}  "),
            _ => write!(line, "{cell:<width$}  "),
        };
    }
    put(text, line.trim_end());
}

fn put(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn put_missed(text: &mut String, rows: &[&Row]) {
    let missed: Vec<&&Row> = rows.iter().filter(|row| row.met() == Some(false)).collect();
    if missed.is_empty() {
        return;
    }
    put(text, "\nMissed, and why:");
    for row in missed {
        let part = row.measured.zip(row.limit).map_or(f64::NAN, |(is, most)| is / most);
        put(text, &format!("  {}, {part:.2} of its limit: {}", row.what.trim(), row.note));
    }
}

/// By reason, since one thing that a build lacks keeps many rows empty.
fn put_not_measured(text: &mut String, rows: &[&Row]) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.measured.is_none()) {
        reasons.entry(&row.note).or_default().push(row.what.trim());
    }
    if !reasons.is_empty() {
        put(text, "\nNot measured:");
    }
    for (reason, rows) in reasons {
        put(text, &format!("  {}: {reason}", rows.join("; ")));
    }
}

fn put_noise(text: &mut String, rows: &[&Row]) {
    let (noisy, all) = (rows.iter().filter(|row| row.noisy()).count(), rows.len());
    let verdict = match noisy {
        0 => "The machine was quiet: no median is a tenth above its minimum.".to_owned(),
        _ => format!(
            "The machine was busy: in {noisy} of {all} rows (~) a median is more than a tenth \
             above its\nminimum. Minima suffer less than medians; repeat it on a quiet machine."
        ),
    };
    put(text, &format!("\n{verdict}"));
}

fn put_counts(text: &mut String, rows: &[&Row]) {
    let goals = || rows.iter().filter(|row| row.limit.is_some());
    let count = |met: Option<bool>| goals().filter(|row| row.met() == met).count();
    let (met, missed, open) = (count(Some(true)), count(Some(false)), count(None));
    put(text, &format!("\n{met} goals met, {missed} missed, {open} not measured"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Unit;

    fn render_rows(rows: Vec<Row>) -> String {
        render(&[Section { title: "turns", rows }])
    }

    #[test]
    fn a_missed_goal_shows_with_its_reason_and_is_counted() {
        let row = |measured| {
            Row::exact("turn", Unit::Ratio, measured, "").at_most(1.0).missed_because("the clock")
        };
        let text = render_rows(vec![row(0.5), row(1.2), row(f64::NAN)]);
        assert!(text.contains("  turn  1.00 x     1.20 x              MISSED\n"), "{text}");
        assert!(text.contains("  turn, 1.20 of its limit: the clock\n"), "{text}");
        assert!(text.ends_with("1 goals met, 2 missed, 0 not measured\n"), "{text}");
    }

    #[test]
    fn what_was_not_measured_is_told_once_a_reason_and_is_neither_met_nor_missed() {
        let open = |what, goal: Option<f64>| Row {
            limit: goal,
            ..Row::not_measured(what, Unit::Ns, "build it")
        };
        let text = render_rows(vec![open("turn", Some(1.0)), open("  peer: libuv", None)]);
        assert!(text.contains("Not measured:\n  turn; peer: libuv: build it\n"), "{text}");
        assert!(text.ends_with("0 goals met, 0 missed, 1 not measured\n"), "{text}");
    }

    #[test]
    fn a_busy_machine_is_told() {
        let row = |rounds_ns| Row { rounds_ns, ..Row::exact("turn", Unit::Ns, 1.0, "") };
        let text = render_rows(vec![row(vec![1.0, 1.2, 1.2]), row(vec![1.0, 1.0])]);
        assert!(text.contains("in 1 of 2 rows (~)"), "{text}");
        assert!(render_rows(vec![row(vec![1.0, 1.0])]).contains("The machine was quiet"));
    }
}
