//! Ours beside others as a table in Markdown: ratios alone, as times of one machine say nothing of
//! another.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::plan::pairs::Pair;

const HEAD: &str = "\
| | beside | ours : theirs | what is compared |
|---|---|---:|---|
";

const LEGEND: &str = "
Below 1 ours is faster, or smaller: 0.50 is half of theirs. By the quietest rounds; both took turns.
";

/// The table, and below it what is missing, and whether the machine was quiet.
pub(crate) fn render(pairs: &[Pair]) -> String {
    let mut text = HEAD.to_owned();
    let mut group = "";
    for pair in pairs {
        // Writing to a string can't fail.
        if pair.group != group {
            group = pair.group;
            let _ = writeln!(text, "| **{group}** | | | |");
        }
        let ratio = pair.row.measured.map_or_else(|| "not measured".to_owned(), ratio);
        let mark = if pair.row.noisy() { " ~" } else { "" };
        let (what, how) = (&pair.row.what, &pair.how);
        let _ = writeln!(text, "| {what} | {} | {ratio}{mark} | {how} |", peer(pair));
    }
    text.push_str(LEGEND);
    put_noise(&mut text, pairs);
    put_missing(&mut text, pairs);
    text
}

/// The package as people call it, with its version.
fn peer(pair: &Pair) -> String {
    let name = pair.peer.trim_end_matches("-sys2").trim_end_matches("_sdk");
    format!("{name} {}", pair.version)
}

/// Three digits, for what is a hundredth as well as for what is fifty times as much.
fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 0.0995 => format!("{ratio:.3}"),
        ratio if ratio < 9.995 => format!("{ratio:.2}"),
        ratio => format!("{ratio:.1}"),
    }
}

fn put_noise(text: &mut String, pairs: &[Pair]) {
    let noisy = pairs.iter().filter(|pair| pair.row.noisy()).count();
    if noisy > 0 {
        let all = pairs.len();
        let _ = writeln!(
            text,
            "`~`: the machine was busy, a middle round was a tenth above the quietest \
             ({noisy} of {all} rows)."
        );
    }
}

/// By reason, since one thing that a build lacks keeps several rows empty.
fn put_missing(text: &mut String, pairs: &[Pair]) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| pair.row.measured.is_none()) {
        reasons.entry(&pair.row.note).or_default().push(&pair.row.what);
    }
    for (reason, rows) in reasons {
        let _ = writeln!(text, "\nNot measured: {}: {reason}", rows.join("; "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Row, Unit};

    fn pair(group: &'static str, row: Row) -> Pair {
        Pair { group, peer: "libuv-sys2", version: "1.2.3", how: "the same".to_owned(), row }
    }

    #[test]
    fn every_pair_is_a_row_and_what_is_missing_says_how_to_get_it() {
        let measured = Row::exact("a turn", Unit::Ratio, 0.854, "");
        let noisy =
            Row { rounds_ns: vec![1.0, 2.0, 2.0], ..Row::exact("a job", Unit::Ratio, 12.34, "") };
        let missing = Row::not_measured("a timer", Unit::Ratio, "build it");
        let pairs = [pair("turns", measured), pair("turns", noisy), pair("timers", missing)];
        let text = render(&pairs);
        assert!(text.contains("| **turns** | | | |\n| a turn | libuv 1.2.3 | 0.85 | the same |\n"));
        assert!(text.contains("| a job | libuv 1.2.3 | 12.3 ~ | the same |\n"), "{text}");
        assert!(text.contains("| a timer | libuv 1.2.3 | not measured | the same |\n"), "{text}");
        assert!(text.ends_with("\nNot measured: a timer: build it\n"), "{text}");
        assert!(text.contains("(1 of 3 rows)"), "{text}");
        assert_eq!(text.matches("**turns**").count(), 1);
    }

    #[test]
    fn ratios_have_three_digits() {
        assert_eq!(
            [0.0123, 0.5, 1.0, 9.99, 10.0, 52.04].map(ratio),
            ["0.012", "0.50", "1.00", "9.99", "10.0", "52.0"]
        );
    }
}
