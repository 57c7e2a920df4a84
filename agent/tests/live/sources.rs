//! `--source-maps`: functions of compiled scripts are told by their sources.

use serde_json::Value;

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::kernel::can_attach;
use crate::nodes;
use crate::report::Report;
use crate::target::Target;

const SOURCE: &str = "/targets/typed/src/prices.ts";

/// What is told of a script, beside the truth about its source.
fn told(report: &Report, pid: u32, check: &mut Check) -> Vec<Value> {
    let main = report.main(pid, check);
    let stalls = main.and_then(|main| main.value()["stalls"].as_array().cloned());
    stalls.unwrap_or_default().iter().map(|stall| stall["culprit"].clone()).collect()
}

/// Why compiled scripts are not told by their sources.
fn unmapped(report: &Report, pid: u32) -> Vec<String> {
    let limits = report.target(pid)["limits"].as_array().cloned().unwrap_or_default();
    let all = limits.iter().filter_map(|limit| limit["why"].as_str().map(str::to_owned));
    all.filter(|why| why.contains("source map")).collect()
}

/// Each function of the truth is blamed, by the lines of its source.
fn are_of_the_source(culprits: &[Value], truth: &Value, check: &mut Check) {
    for (name, lines) in truth.as_object().expect("functions with their lines") {
        let is_of = |culprit: &&Value| {
            let function = culprit["function"].as_str().unwrap_or_default();
            function.rsplit('.').next() == Some(name)
        };
        let Some(culprit) = culprits.iter().find(is_of) else {
            check.holds(false, format!("{name} is not blamed: {culprits:#?}"));
            continue;
        };
        let file = culprit["file"].as_str().unwrap_or_default();
        check.holds(file.ends_with(SOURCE), format!("{name}: in {file}"));
        let bounds = |index: usize| lines[index].as_u64().unwrap_or(0);
        let line = culprit["line"].as_u64().unwrap_or(0);
        let within = (bounds(0)..=bounds(1)).contains(&line);
        check.holds(within, format!("{name}: line {line}, of {lines}"));
    }
}

/// TypeScript as `tsc` compiles it, and as a bundle whose names are letters.
#[test]
fn compiled_functions_are_told_by_their_sources() {
    let _alone = alone();
    let test = "compiled_functions_are_told_by_their_sources";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        for script in ["typed/dist/prices.js", "typed/dist/bundle.js"] {
            let mut target = Target::start(&node, script);
            let attach = Attach::with(&[&target], &["--source-maps"]);
            target.go_and_be_done();
            let report = attach.stop();
            check.about(&target);
            let culprits = told(&report, target.pid(), &mut check);
            check.equal("limits", Vec::<String>::new(), unmapped(&report, target.pid()));
            are_of_the_source(&culprits, &target.end(), &mut check);
        }
    }
    check.end();
}

#[test]
fn a_script_without_its_map_stays_as_it_is_and_is_told_once() {
    let _alone = alone();
    let test = "a_script_without_its_map_stays_as_it_is_and_is_told_once";
    if !can_attach(test) {
        return;
    }
    let cases: [(&str, &[&str], usize); 2] = [
        ("typed/dist/unmapped.js", &["--source-maps"], 1),
        // Nobody has asked for its source.
        ("typed/dist/prices.js", &[], 0),
    ];
    let mut check = Check::new();
    for node in nodes::some(test) {
        for (script, options, limits) in cases {
            let mut target = Target::start(&node, script);
            let attach = Attach::with(&[&target], options);
            target.go_and_be_done();
            check.about(&target);
            let pid = target.pid();
            target.end();
            // It is told of a process that has ended, too.
            let report = Report::read(&attach.ended().stdout);
            let culprits = told(&report, pid, &mut check);
            let files = culprits.iter().filter_map(|culprit| culprit["file"].as_str());
            let compiled = files.filter(|file| file.ends_with(script)).count();
            check.holds(compiled >= 3, format!("{script}: {culprits:#?}"));
            check.equal("limits", limits, unmapped(&report, pid).len());
        }
    }
    check.end();
}
