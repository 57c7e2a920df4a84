//! Columns, bars and wrapped text for whatever is told to people. Widths are counted in characters,
//! before any colour.

/// Columns of a bar at 100 %.
pub(crate) const BAR_COLUMNS: usize = 24;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar for a share of 0 to 1, to an eighth of a column. What is there at all is seen.
pub(crate) fn bar(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * (BAR_COLUMNS * 8) as f64).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    let text = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    pad_right(&text, BAR_COLUMNS)
}

/// A share as people read it: `99.8 %`, `<0.1 %`.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p > 0.0 && p < 0.1 => "<0.1 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}

/// Fills up with blanks on the right.
pub(crate) fn pad_right(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.chars().count())))
}

fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.chars().count())))
}

/// Rows with the first column to the left and figures to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let widths = widths(rows);
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { pad_right(cell, width) } else { pad_left(cell, width) }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Rows with every column to the left.
pub(crate) fn left_table(rows: &[Vec<String>]) -> Vec<String> {
    let widths = widths(rows);
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| pad_right(cell, width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..columns).map(width).collect()
}

/// Breaks a text at blanks, so that no line is longer than `columns` unless one word is.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && longer > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// A text in so many columns: one that is longer loses its middle, as its end is the name of a
/// file and the line.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    let length = text.chars().count();
    if length <= columns {
        return text.to_owned();
    }
    let kept = columns.saturating_sub(1);
    let head: String = text.chars().take(kept / 3).collect();
    let tail: String = text.chars().skip(length - (kept - kept / 3)).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_its_share_and_never_overflows() {
        let check = |share, full: usize| {
            let bar = bar(share);
            assert_eq!(bar.chars().count(), BAR_COLUMNS, "{share}");
            assert_eq!(bar.chars().filter(|&c| c == '█').count(), full, "{share}");
        };
        check(0.0, 0);
        check(0.5, BAR_COLUMNS / 2);
        check(1.0, BAR_COLUMNS);
        check(7.0, BAR_COLUMNS);
        check(f64::NAN, 0);
        assert!(bar(1e-9).starts_with('▏'));
    }

    #[test]
    fn what_is_too_long_loses_its_middle() {
        assert_eq!(shorten("as it is", 8), "as it is");
        assert_eq!(shorten("/a/long/path/app.js:7", 13), "/a/l…app.js:7");
        assert_eq!(shorten("é".repeat(9).as_str(), 4).chars().count(), 4);
        assert_eq!(shorten("abc", 0), "…");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let rows = vec![vec!["a".into(), "1".into()], vec!["bbb".into(), "µ22".into()]];
        assert_eq!(table(&rows), ["a      1", "bbb  µ22"]);
        assert_eq!(left_table(&rows), ["a    1", "bbb  µ22"]);
        assert!(table(&[]).is_empty());
    }

    #[test]
    fn text_is_broken_at_blanks() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
