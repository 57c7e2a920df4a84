//! The table for people.

use std::fmt::Write;

use crate::row::Row;

const HEAD: [&str; 7] = ["what", "limit", "measured", "median", "", "basis", "note"];

/// The whole table, and a line that counts the goals.
pub(crate) fn render(rows: &[Row]) -> String {
    let cells: Vec<[String; 7]> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.chain([HEAD[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    put_line(&mut text, &widths, &HEAD.map(str::to_owned));
    put_line(&mut text, &widths, &widths.map(|width| "-".repeat(width)));
    for row in &cells {
        put_line(&mut text, &widths, row);
    }
    let count = |verdict: &str| rows.iter().filter(|row| row.verdict() == verdict).count();
    let (met, missed, open) = (count("met"), count("MISSED"), count("not measured"));
    // Writing to a string can't fail.
    let _ = writeln!(text, "\n{met} goals met, {missed} missed, {open} not measured");
    text
}

fn cells(row: &Row) -> [String; 7] {
    let value = |value: Option<f64>| match value {
        Some(value) => format!("{value:.2} {}", row.unit.name()),
        None => String::new(),
    };
    [
        row.what.clone(),
        value(row.limit),
        value(row.measured),
        value(row.median),
        row.verdict().to_owned(),
        row.basis.clone(),
        row.note.clone(),
    ]
}

/// Words to the left, numbers to the right.
fn put_line(text: &mut String, widths: &[usize; 7], cells: &[String; 7]) {
    let mut line = String::new();
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        // Writing to a string can't fail.
        let _ = match column {
            1..=3 => write!(line, "{cell:>width$}  "),
            _ => write!(line, "{cell:<width$}  "),
        };
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Unit;

    #[test]
    fn a_missed_goal_shows_and_is_counted() {
        let row = |measured| Row {
            measured: Some(measured),
            ..Row::not_measured("turn", Unit::Ratio, "").at_most(1.15)
        };
        let text = render(&[row(1.1), row(1.2), row(f64::NAN)]);
        assert!(text.contains("turn  1.15 x    1.20 x          MISSED"), "{text}");
        assert!(text.ends_with("1 goals met, 2 missed, 0 not measured\n"), "{text}");
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        let text = render(&[Row::not_measured("turn", Unit::Ns, "why").at_most(1.0)]);
        assert!(text.contains("not measured         why"), "{text}");
        assert!(text.ends_with("0 goals met, 0 missed, 1 not measured\n"), "{text}");
    }
}
