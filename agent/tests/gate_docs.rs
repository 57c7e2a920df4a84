//! `docs/gate-ci.md` is true: its YAML is YAML, its options are the program's, its keys the JSON's.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use common::run;
use saphyr_parser::{Event, Parser};

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn page() -> String {
    file("docs/gate-ci.md")
}

/// The blocks of YAML.
fn blocks(page: &str) -> Vec<&str> {
    let rest = page.split("```yaml\n").skip(1);
    rest.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

/// The plain texts of a document.
fn scalars(yaml: &str) -> Vec<String> {
    let events = Parser::new_from_str(yaml).map(|event| event.expect("it is YAML").0);
    let scalar = |event| match event {
        Event::Scalar(text, ..) => Some(text.into_owned()),
        _ => None,
    };
    events.filter_map(scalar).collect()
}

/// The options in a text, as `--max-time`.
fn options(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c == '-';
    let all = text.match_indices("--").filter(|(at, _)| {
        !text[..*at].ends_with(word) && text[at + 2..].starts_with(|c: char| c.is_ascii_lowercase())
    });
    all.map(|(at, _)| text[at..].chars().take_while(|&c| word(c)).collect()).collect()
}

#[test]
fn commands_in_it_have_options_that_there_are() {
    let page = page();
    let blocks = blocks(&page);
    assert_eq!(blocks.len(), 3);
    let scalars: Vec<String> = blocks.into_iter().flat_map(scalars).collect();
    let commands = scalars.iter().filter_map(|text| text.split_once("loopscope gate "));
    // What stands behind `--` is the program's own.
    let commands: Vec<&str> =
        commands.map(|(_, rest)| rest.split(" -- ").next().unwrap_or(rest)).collect();
    assert_eq!(commands.len(), 3, "{scalars:#?}");
    let help = run(&["gate", "--help"]);
    assert_eq!(help.code, Some(0), "{}", help.stderr);
    let known = options(&help.stdout);
    assert!(known.len() > 10, "{known:?}");
    let tables = page.lines().filter(|line| line.starts_with("| `--"));
    let told: BTreeSet<String> = tables.chain(commands).flat_map(options).collect();
    assert!(told.contains("--on-inconclusive") && told.contains("--smaller"), "{told:?}");
    let unknown: Vec<_> = told.difference(&known).collect();
    assert!(unknown.is_empty(), "not in --help: {unknown:?}");
    let outputs = ["--report", "--output", "--json", "--junit", "--smaller", "--github"];
    assert!(outputs.iter().all(|option| told.contains(*option)), "{told:?}");
}

#[test]
fn the_keys_of_the_json_are_all_told() {
    let page = page();
    let tables = page.split_once("## JSON").expect("a heading").1;
    let (document, metric) = tables.split_once("and of each metric:").expect("two tables");
    let told = |table: &str| {
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let names = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','));
        let names = names.map(|name| name.trim().trim_matches('`').to_owned());
        names.collect::<BTreeSet<String>>()
    };
    let json: serde_json::Value =
        serde_json::from_str(&file("tests/golden/gate-regressed.json")).expect("JSON");
    let keys = |value: &serde_json::Value| {
        value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<String>>()
    };
    assert_eq!(told(document), keys(&json));
    assert_eq!(told(metric), keys(&json["metrics"][0]));
}
