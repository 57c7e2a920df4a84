//! The pages are complete, and their numbers are those of the rules.

use super::Id;
use super::thresholds::{TABLE, Threshold};

/// The headings of a page, in order.
const HEADINGS: [&str; 6] = [
    "## What it is",
    "## How to see it here",
    "## What the evidence says",
    "## Numbers",
    "## How to fix it",
    "## What looks like it",
];

/// The table under `## Numbers`, as it must stand.
fn table(id: Id) -> String {
    let rows: Vec<String> =
        TABLE.iter().filter(|row| row.ids.contains(&id)).map(Threshold::row).collect();
    if rows.is_empty() {
        return "None: ".to_owned();
    }
    format!("| number | value |\n|---|---|\n{}\n\n", rows.join("\n"))
}

#[test]
fn every_page_has_its_parts_and_the_numbers_of_the_rules() {
    for id in Id::ALL {
        let (name, page) = (id.name(), id.page());
        assert!(page.starts_with(&format!("# {name}\n\n{}", upper(id.line()))), "{name}: title");
        let found: Vec<&str> = page.lines().filter(|line| HEADINGS.contains(line)).collect();
        assert_eq!(found, HEADINGS, "{name}");
        assert!(page.contains("## Sources\n") || id == Id::Healthy, "{name}: no sources");
        assert!(page.contains("```js\n") || id == Id::Healthy, "{name}: no example");
        assert!(page.contains("loopscope run "), "{name}: no command");
        let want = table(id);
        assert!(page.contains(&format!("## Numbers\n\n{want}")), "{name} lacks:\n{want}");
        let long = page.lines().find(|line| line.chars().count() > 100);
        assert_eq!(long, None, "{name}");
    }
}

#[test]
fn every_number_is_in_a_page() {
    for row in TABLE {
        assert!(!row.ids.is_empty() && !row.ids.contains(&Id::Healthy), "{}", row.what);
    }
}

/// As the first words of a sentence.
fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>())
        + chars.as_str()
}
