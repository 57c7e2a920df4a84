//! Relative links in documents lead to files that are there, and to headings in them.

use std::collections::BTreeSet;

use crate::tree::{self, File};

/// `is_there` tells of files that are no documents.
fn check(documents: &[File], is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for document in documents {
        for (line, target) in links(document) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { document.path.clone() } else { join(document, file) };
            let found = documents.iter().find(|other| other.path == path);
            if found.is_none() && !is_there(&path) {
                complaints.push(format!("{}:{line}: no file `{path}`", document.path));
            }
            let headings = found.map(headings).unwrap_or_default();
            if found.is_some() && !anchor.is_empty() && !headings.contains(anchor) {
                complaints.push(format!("{}:{line}: no heading `{target}`", document.path));
            }
        }
    }
    complaints
}

/// Targets of links that don't leave the tree, with their lines.
fn links(document: &File) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(document) {
        for (at, _) in line.match_indices("](") {
            let Some((target, _)) = line[at + 2..].split_once(')') else { continue };
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push((number, target));
            }
        }
    }
    found
}

/// Lines that are not in a block of code.
fn prose(document: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    document.lines().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The anchors of a document's headings, as GitHub makes them: lower case, spaces to hyphens,
/// other punctuation dropped; a repeated one gets a number.
fn headings(document: &File) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(document).filter(|(_, line)| line.starts_with('#')) {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
        let anchor: String = kept.map(|char| if char == ' ' { '-' } else { char }).collect();
        let repeated = (1..).map(|number| format!("{anchor}-{number}"));
        let mut candidates = std::iter::once(anchor.clone()).chain(repeated);
        anchors.extend(candidates.find(|candidate| !anchors.contains(candidate)));
    }
    anchors
}

/// The path of a link's file from the root of the tree.
fn join(document: &File, link: &str) -> String {
    let mut parts: Vec<&str> = document.path.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn links_in_documents_lead_somewhere() {
    let root = tree::root();
    crate::assert_none(check(&tree::files(&["md"]), |path| root.join(path).exists()));
}

#[test]
fn broken_links_are_found() {
    let target = File::of("docs/b.md", "# The Big, `bad` one\n## Again\n## Again\n");
    let text = "[a](../docs/b.md#the-big-bad-one) [b](b.md#again-1) [c](https://a.b/c) [d](#x)\n\
                ```\n[e](nowhere.md)\n```\n[f](gone.md) [g](b.md#gone) [h](../src/main.rs)\n";
    let complaints = check(&[File::of("docs/a.md", text), target], |path| path == "src/main.rs");
    assert_eq!(
        complaints,
        [
            "docs/a.md:1: no heading `#x`",
            "docs/a.md:5: no file `docs/gone.md`",
            "docs/a.md:5: no heading `b.md#gone`",
        ]
    );
}
