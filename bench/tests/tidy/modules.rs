//! Data flows one way between the modules of a crate: none names one that stands behind it.
//!
//! Read from `crate::name` in code outside of `#[cfg(test)]`, where a name that `lib.rs` re-exports
//! counts as its module's. What is defined in `lib.rs` itself may be used by all.

use std::collections::BTreeMap;

use crate::tree::{self, File, code};

/// The modules of each crate in the order of its data. Those in one group form one thing and may
/// use each other.
const ORDER: [(&str, &[&[&str]]); 5] = [
    (
        "loop-core",
        &[
            &["units"],
            &["buckets"],
            &["phase"],
            &["limits"],
            &["error"],
            &["snapshot"],
            &["clock"],
            &["counters"],
            &["recorder"],
            &["stacks"],
            &["task"],
            &["selector"],
            // The loop itself.
            &[
                "event_loop",
                "fs",
                "handle",
                "io",
                "lookup",
                "net",
                "pool",
                "promise",
                "signal",
                "timers",
                "wake",
            ],
        ],
    ),
    (
        "exporters",
        &[
            &["limits"],
            &["colours"],
            &["compat"],
            &["self_stats"],
            &["label"],
            &["stall_id"],
            &["classic"],
            &["exponential"],
            &["view"],
            &["metrics"],
            &["exemplar"],
            &["page"],
            &["dashboard", "json_lines", "openmetrics", "otlp", "protobuf", "text"],
            &["otlp_logs"],
            &["negotiate"],
            &["profile"],
        ],
    ),
    (
        "workloads",
        &[
            &["args"],
            &["story"],
            &["machine"],
            &["truth"],
            &["job"],
            &["catalogue"],
            &["script"],
            &["script_catalogue"],
        ],
    ),
    (
        "agent",
        &[
            &["exit"],
            &["log"],
            &["terminal"],
            &["layout"],
            &["process"],
            // A process that is observed: its files, and where to look in it.
            &["elf"],
            &["plan"],
            &["url"],
            &["v8"],
            &["sourcemap"],
            &["source"],
            &["recording"],
            &["doctor"],
            &["supervise"],
            &["places", "readers"],
            &["monitor"],
            &["diagnosis"],
            &["now"],
            &["page"],
            &["explain", "gate", "progress", "push", "report", "serve", "top"],
            &["redact"],
            &["background"],
            &["cli"],
            &["daemon"],
            &["command"],
        ],
    ),
    ("bench", &[&["counting"], &["measure"], &["cases"], &["peers"]]),
];

fn check(name: &str, order: &[&[&str]], files: &[File]) -> Vec<String> {
    let places: BTreeMap<&str, usize> = order
        .iter()
        .enumerate()
        .flat_map(|(place, group)| group.iter().map(move |module| (*module, place)))
        .collect();
    let source = format!("{name}/src/");
    let in_source = |file: &&File| file.path.starts_with(&source);
    let root = files.iter().find(|file| file.path == format!("{source}lib.rs"));
    let exported = root.map(exports).unwrap_or_default();
    let mut complaints = Vec::new();
    for file in files.iter().filter(in_source) {
        let module = file.path[source.len()..].split(['/', '.']).next().unwrap_or_default();
        if matches!(module, "lib" | "main" | "bin") {
            continue;
        }
        let Some(&place) = places.get(module) else {
            complaints.push(format!("{}: give `{module}` a place in ORDER", file.path));
            continue;
        };
        for (line, used) in uses(file) {
            let used = exported.get(&used).unwrap_or(&used);
            if places.get(used.as_str()).is_some_and(|&used| used > place) {
                complaints.push(format!("{}:{line}: `{module}` uses `{used}`", file.path));
            }
        }
    }
    complaints
}

/// Which module each re-exported name comes from.
fn exports(root: &File) -> BTreeMap<String, String> {
    let statements = root.text.split(';').filter_map(|part| part.split_once("pub use "));
    let mut exported = BTreeMap::new();
    for (_, statement) in statements {
        let Some((module, names)) = statement.split_once("::") else { continue };
        for name in names.split(|char: char| !char.is_alphanumeric() && char != '_') {
            exported.insert(name.to_owned(), module.to_owned());
        }
    }
    exported
}

/// The names behind `crate::`, with their lines. A group in braces gives each of its names.
fn uses(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_group = false;
    for (number, line) in file.lines() {
        if line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test") {
            break;
        }
        let line = code(line);
        let mut rest = line.as_str();
        while !rest.is_empty() {
            if in_group {
                let (names, after) = rest.split_once("};").map_or((rest, ""), |(a, b)| (a, b));
                found.extend(firsts(names).map(|name| (number, name)));
                in_group = !rest.contains("};");
                rest = after;
            } else if let Some((_, after)) = rest.split_once("crate::") {
                in_group = after.starts_with('{');
                rest = after.strip_prefix('{').unwrap_or(after);
                found.extend((!in_group).then(|| (number, word(rest))));
            } else {
                rest = "";
            }
        }
    }
    found
}

/// The first names of the paths in a list.
fn firsts(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(word).filter(|name| !name.is_empty())
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

#[test]
fn modules_use_only_what_stands_before_them() {
    let files = tree::files(&["rs"]);
    crate::assert_none(ORDER.iter().flat_map(|(name, order)| check(name, order, &files)).collect());
}

#[test]
fn a_use_backwards_is_found_however_it_is_written() {
    let order: &[&[&str]] = &[&["low"], &["high", "peer"]];
    let complaints = |text: &str| {
        let root = File::of("x/src/lib.rs", "pub use high::{High, Other};\npub struct Own;");
        check("x", order, &[root, File::of("x/src/low/part.rs", text)])
    };
    assert_eq!(complaints("use crate::high::A;"), ["x/src/low/part.rs:1: `low` uses `high`"]);
    assert_eq!(complaints("fn a() { crate::high::b() }").len(), 1);
    assert_eq!(complaints("\nuse crate::{\n    High,\n    low::B,\n};").len(), 1);
    assert_eq!(complaints("use crate::{Own, high::A};").len(), 1);
    assert!(complaints("use crate::Own;\n// crate::high\nuse crate::low::B;").is_empty());
    assert!(complaints("use a::b;\n#[cfg(test)]\nmod tests {\n use crate::high::A;\n}").is_empty());
    let peers = [File::of("x/src/high.rs", "use crate::peer;\nuse crate::low;")];
    assert!(check("x", order, &peers).is_empty());
    assert_eq!(check("x", order, &[File::of("x/src/new.rs", "")]).len(), 1);
}
