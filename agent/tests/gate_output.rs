//! Comparisons made by hand, in every form, byte for byte; and each form read back by others.
//!
//! `LOOPSCOPE_BLESS=1 cargo test -p loopscope --test gate_output` writes the files anew.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::folder;
use loop_core::snapshot::Culprit;
use loopscope::cli::{GateOutputArgs, GithubChoice, ReportForm};
use loopscope::command::gate_output::Targets;
use loopscope::exit::Exit;
use loopscope::gate::comparison::{
    Change, Comparison, GateTier, Metric, Side, Standing, Unit, Verdict,
};
use loopscope::gate::fingerprint::Fingerprint;
use loopscope::gate::output;
use loopscope::terminal::Terminal;

/// Where the repository is checked out in these examples.
const ROOT: &str = "/srv/shop";

fn check(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("LOOPSCOPE_BLESS").is_some() {
        fs::write(&path, got).expect("the golden file can be written");
    }
    let want = fs::read_to_string(&path).expect("the golden file is there");
    assert_eq!(got, want, "{name}");
}

fn table(comparison: &Comparison, terminal: Terminal) -> String {
    let mut out = Vec::new();
    output::table(comparison, &terminal, &mut out).expect("a Vec takes all");
    String::from_utf8(out).expect("UTF-8")
}

/// Every form of it.
fn all(name: &str, comparison: &Comparison) {
    let narrow = Terminal { width: 80, colour: false, rewrites: true };
    for terminal in [Terminal::PLAIN, narrow] {
        let told = table(comparison, terminal);
        // The verdict is one line, where nobody has to look at it.
        let lines = told.lines().skip(usize::from(!terminal.rewrites));
        let wide: Vec<&str> = lines.filter(|line| line.chars().count() > terminal.width).collect();
        assert!(wide.is_empty(), "{name}, {} columns: {wide:#?}", terminal.width);
    }
    check(&format!("{name}.txt"), &table(comparison, narrow));
    check(&format!("{name}.json"), &output::json(comparison).expect("JSON"));
    check(&format!("{name}.xml"), &output::junit(comparison));
    check(&format!("{name}.github"), &output::annotations(comparison, Some(ROOT)));
    check(&format!("{name}.md"), &output::summary(comparison));
    check(&format!("{name}.smaller.json"), &output::smaller(comparison).expect("JSON"));
}

fn metric(name: &'static str, title: &'static str, unit: Unit) -> Metric {
    Metric {
        name,
        title,
        unit,
        tier: GateTier::Time,
        decides: true,
        base: Vec::new(),
        head: Vec::new(),
        change: None,
        noise: None,
        budget: None,
        standing: Standing::Same,
        culprit: None,
    }
}

fn exact(name: &'static str, title: &'static str, base: f64, head: f64) -> Metric {
    let ratio = head / base;
    let change = Change { ratio, interval: (ratio, ratio), p: 0.0, difference: head - base };
    Metric {
        tier: GateTier::Exact,
        base: vec![base; 10],
        head: vec![head; 10],
        change: Some(change),
        standing: if head > base { Standing::Worse } else { Standing::Same },
        ..metric(name, title, Unit::Count)
    }
}

fn timed(name: &'static str, title: &'static str, base_ms: f64, ratio: f64) -> Metric {
    let around = |middle: f64| [0.99, 1.0, 1.03, 0.98, 1.01].map(|part| part * middle * 1e6);
    let change = Change {
        ratio,
        interval: (ratio * 0.984, ratio * 1.018),
        p: 0.0021,
        difference: base_ms * 1e6 * (ratio - 1.0),
    };
    Metric {
        base: around(base_ms).to_vec(),
        head: around(base_ms * ratio).to_vec(),
        change: Some(change),
        noise: Some(0.012),
        ..metric(name, title, Unit::Nanoseconds)
    }
}

fn culprit(file: &str) -> Option<Culprit> {
    Some(Culprit {
        function: "handler".into(),
        file: file.into(),
        line: 12,
        share: 0.93,
        samples: Some(1_240),
        hot_leaf: Some("(anonymous) (/srv/shop/app.js:14)".into()),
    })
}

fn comparison(verdict: Verdict, metrics: Vec<Metric>) -> Comparison {
    let side = |command: &str| Side { command: command.into(), runs: 10 };
    Comparison {
        verdict,
        base: Some(side("node ../base/bench.js --requests 1000")),
        head: side("node bench.js --requests 1000"),
        fingerprint: Fingerprint {
            machine: Some("6b1f".into()),
            cpu: Some("AMD EPYC 7763".into()),
            cpus: 2,
            governor: None,
            kernel: Some("6.8.0-1017".into()),
            quota_percent: None,
            runtime: Some("22.23.3".into()),
            loopscope: "0.1.0".into(),
        },
        observed: ("ebpf", "full"),
        metrics,
        notes: Vec::new(),
        took_ns: 48_200_000_000,
        inconclusive_fails: false,
    }
}

fn regressed() -> Comparison {
    let drain = Metric {
        culprit: culprit("/srv/shop/app.js"),
        ..exact("longest_drain", "longest drain", 30_000.0, 31_500.0)
    };
    let turn = Metric {
        standing: Standing::Worse,
        culprit: culprit("file:///srv/shop/lib/render%20page.mjs"),
        ..timed("turn_p50", "median turn", 1.2, 1.217)
    };
    let budget = Metric {
        tier: GateTier::Budget,
        budget: Some("p99 turn < 50ms".into()),
        head: vec![58.1e6, 61.2e6, 49.0e6],
        standing: Standing::Worse,
        ..metric("turn_p99", "p99 turn", Unit::Nanoseconds)
    };
    let new = Metric {
        change: Some(Change {
            ratio: f64::INFINITY,
            interval: (f64::INFINITY, f64::INFINITY),
            p: 0.0,
            difference: 3.0,
        }),
        ..exact("stalls", "stalls", 0.0, 3.0)
    };
    let unclear = Metric {
        standing: Standing::Unclear,
        noise: Some(0.143),
        ..timed("cpu", "CPU time", 840.0, 1.061)
    };
    let better = Metric {
        standing: Standing::Better,
        ..timed("lateness_p90", "p90 timer lateness", 4.0, 0.7)
    };
    let untold = Metric {
        standing: Standing::Untold("only 412 turns a run, and 10,000 are needed".into()),
        ..metric("poll_p99", "p99 poll phase", Unit::Nanoseconds)
    };
    let longest = Metric {
        standing: Standing::Worse,
        decides: false,
        ..timed("turn_max", "longest turn", 31.0, 1.4)
    };
    let same = exact("microtasks", "microtasks", 60_000.0, 60_000.0);
    let turns = exact("turns", "turns", 1_004.0, 1_004.0);
    let all = vec![drain, turn, new, budget, unclear, better, longest, same, turns, untold];
    comparison(Verdict::Regressed, all)
}

fn passed() -> Comparison {
    let budget = Metric {
        tier: GateTier::Budget,
        budget: Some("stalls over 100ms = 0".into()),
        head: vec![0.0; 10],
        ..metric("stalls_over", "stalls over 100 ms", Unit::Count)
    };
    let turn = timed("turn_p50", "median turn", 1.2, 1.001);
    comparison(Verdict::Passed, vec![exact("turns", "turns", 1_004.0, 1_004.0), turn, budget])
}

fn budgets() -> Comparison {
    let over = Metric {
        tier: GateTier::Budget,
        budget: Some("longest drain < 10000".into()),
        head: vec![31_500.0],
        standing: Standing::Worse,
        culprit: culprit("node:internal/process/task_queues"),
        ..metric("longest_drain", "longest drain", Unit::Count)
    };
    Comparison {
        base: None,
        head: Side { command: "node bench.js".into(), runs: 1 },
        ..comparison(Verdict::Regressed, vec![over])
    }
}

fn inconclusive() -> Comparison {
    let unclear = |name, title| Metric {
        standing: Standing::Unclear,
        noise: Some(0.22),
        ..timed(name, title, 12.0, 1.09)
    };
    let metrics = vec![unclear("turn_p50", "median turn"), unclear("cpu", "CPU time")];
    Comparison {
        notes: vec!["the base against itself differs by 22 %, more than the 5 % looked for".into()],
        ..comparison(Verdict::Inconclusive, metrics)
    }
}

/// Names that would be markup, end a line, a cell or a command, or move the cursor.
fn hostile() -> Comparison {
    let name = "a|b, c: `d` <e> & \"f\" 100 % $x$ \u{1b}[2J\n::error::g\u{0}]]>";
    let worse = Metric {
        culprit: Some(Culprit {
            function: name.into(),
            file: format!("{ROOT}/{name}.js"),
            line: 1,
            share: 1.0,
            samples: None,
            hot_leaf: Some(name.into()),
        }),
        ..exact("longest_drain", "longest drain", 1.0, 2.0)
    };
    let untold =
        Metric { standing: Standing::Untold(name.into()), ..metric("turns", "turns", Unit::Count) };
    let side = Side { command: name.repeat(9), runs: 1 };
    Comparison {
        base: Some(side.clone()),
        head: side,
        notes: vec![name.into()],
        ..comparison(Verdict::Regressed, vec![worse, untold])
    }
}

fn invalid() -> Comparison {
    let worse = exact("longest_drain", "longest drain", 30_000.0, 31_500.0);
    Comparison {
        notes: vec![
            "run 3 of the base lost 12 events".into(),
            "run 4 of the head was observed at tier turn, all others at tier full".into(),
        ],
        ..comparison(Verdict::Invalid, vec![worse])
    }
}

/// As `--on-inconclusive fail` has it: what exits with 1 is a failure in every form.
#[test]
fn what_nobody_can_tell_fails_where_that_is_asked_for() {
    let forms = |of: &Comparison| [output::junit(of), output::annotations(of, None)];
    let (told, asked) = (inconclusive(), Comparison { inconclusive_fails: true, ..inconclusive() });
    let (told, asked) = (forms(&told), forms(&asked));
    assert!(told[0].contains("failures=\"0\"") && told[1].starts_with("::warning "), "{told:?}");
    assert!(asked[0].contains("failures=\"1\"") && asked[0].contains("type=\"inconclusive\""));
    assert!(asked[1].starts_with("::error ") && asked[1].lines().count() == 1, "{}", asked[1]);
}

fn examples() -> [(&'static str, Comparison); 6] {
    [
        ("gate-regressed", regressed()),
        ("gate-passed", passed()),
        ("gate-budgets", budgets()),
        ("gate-inconclusive", inconclusive()),
        ("gate-invalid", invalid()),
        ("gate-hostile", hostile()),
    ]
}

#[test]
fn every_form_is_as_it_was() {
    for (name, comparison) in examples() {
        all(name, &comparison);
    }
}

#[test]
fn the_first_line_says_all_that_matters() {
    let first = table(&regressed(), Terminal::PLAIN).lines().next().map(str::to_owned);
    let want = "✗ Regressed: longest drain grew from 30,000 to 31,500 microtasks (+5.0 %), \
                at handler (/srv/shop/app.js:12); and 3 more";
    assert_eq!(first.as_deref(), Some(want));
}

#[test]
fn colour_is_written_where_it_is_asked_for_and_names_move_no_cursor() {
    let coloured = Terminal { width: 80, colour: true, rewrites: true };
    let told = table(&hostile(), coloured);
    assert!(told.starts_with("\x1b[1;31m✗ Regressed"), "{told}");
    let plain = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[1;32m"]
        .iter()
        .fold(told, |text, code| text.replace(code, ""));
    assert!(!plain.contains('\x1b'), "{plain}");
    assert!(!table(&hostile(), Terminal::PLAIN).contains('\x1b'));
    for columns in [20, 40, 60] {
        assert!(!table(&regressed(), Terminal { width: columns, ..Terminal::PLAIN }).is_empty());
    }
}

#[test]
fn annotations_are_one_line_each_whatever_names_hold() {
    for (name, comparison) in examples() {
        for line in output::annotations(&comparison, Some(ROOT)).lines() {
            let known = ["::error ", "::warning ", "::notice "];
            assert!(known.iter().any(|start| line.starts_with(start)), "{name}: {line}");
            assert!(!line.chars().any(char::is_control), "{name}: {line}");
            let rest = line[2..].split_once("::").map(|(properties, _)| properties);
            let properties = rest.and_then(|rest| rest.split_once(' ')).expect("properties").1;
            let all = properties.split(',').all(|property| property.contains('='));
            assert!(all, "{name}: {line}");
        }
    }
    let many = vec![exact("longest_drain", "longest drain", 1.0, 2.0); 12];
    let told = output::annotations(&comparison(Verdict::Regressed, many), None);
    assert_eq!(told.lines().count(), 10);
    assert!(told.ends_with("::3 metrics more got worse: see the summary\n"), "{told}");
}

#[test]
fn a_row_of_the_summary_has_as_many_cells_as_its_head() {
    for (name, comparison) in examples() {
        let summary = output::summary(&comparison);
        for row in summary.lines().filter(|line| line.starts_with('|')) {
            let cells = row.replace("\\\\", "").replace("\\|", "").matches('|').count();
            assert_eq!(cells, 9, "{name}: {row}");
        }
        assert!(!summary.contains("<e>") && !summary.contains('\x1b'), "{summary}");
    }
}

/// What another reader makes of the XML: each case with how it ended, its message and its details.
const READER: &str = "
import json, sys, xml.etree.ElementTree as tree
suite = tree.fromstring(sys.stdin.buffer.read()).find('testsuite')
cases = suite.findall('testcase')
ends = [(c.get('name'), [(e.tag, e.get('message'), e.text) for e in c]) for c in cases]
tags = [tag for _, end in ends for tag, _, _ in end]
counted = {'tests': len(cases), 'failures': tags.count('failure'),
           'errors': tags.count('error'), 'skipped': tags.count('skipped')}
assert counted == {name: int(suite.get(name)) for name in counted}, counted
print(json.dumps({'cases': ends, 'out': suite.find('system-out').text}))
";

#[test]
fn the_xml_is_read_by_python() {
    let path = folder("gate-output-xml").join("junit.xml");
    for (name, comparison) in examples() {
        fs::write(&path, output::junit(&comparison)).expect("it can be written");
        let input = fs::File::open(&path).expect("it is there");
        let mut python = Command::new("python3");
        let ran = python.args(["-c", READER]).stdin(input).output().expect("python3 is there");
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
        let read: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        let cases = read["cases"].as_array().expect("a list");
        assert_eq!(cases.len(), comparison.metrics.len() + 1, "{name}");
        let ends = |tag: &str| {
            let is = |case: &&serde_json::Value| case[1][0][0] == tag;
            cases.iter().filter(is).count()
        };
        let is_invalid = comparison.verdict == Verdict::Invalid;
        let decides = comparison.metrics.iter().filter(|metric| metric.decides);
        let worse = decides.filter(|metric| metric.standing == Standing::Worse);
        let failures = if is_invalid { 0 } else { worse.count() };
        assert_eq!((ends("failure"), ends("error")), (failures, usize::from(is_invalid)), "{name}");
        if name == "gate-hostile" {
            let message = read["cases"][1][1][0][2].as_str().expect("details");
            assert!(message.contains("<e> & \"f\" 100 %"), "{message}");
            let why = read["cases"][2][1][0][1].as_str().expect("a message");
            assert!(why.contains("$x$ \\u{1b}[2J\n::error::g\\u{0}]]>"), "{why}");
        }
    }
}

#[test]
fn the_json_has_every_run_and_what_is_not_known_is_null() {
    let text = output::json(&regressed()).expect("JSON");
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(read["schema"], "loopscope.gate/1");
    assert_eq!(read["metrics"][0]["base"].as_array().map(Vec::len), Some(10));
    assert_eq!(read["metrics"][0]["head"][9], 31_500);
    assert_eq!(read["metrics"][0]["culprit"]["line"], 12);
    let new = &read["metrics"][2];
    assert!(new["change"]["ratio"].is_null() && new["change"]["difference"] == 3, "{new}");
    let untold = &read["metrics"][9];
    assert!(untold["change"].is_null() && untold["noise"].is_null(), "{untold}");
    assert_eq!(untold["standing"], "untold");
    let trend = output::smaller(&regressed()).expect("JSON");
    let trend: serde_json::Value = serde_json::from_str(&trend).expect("JSON");
    let entries = trend.as_array().expect("a list");
    assert_eq!(entries.len(), 9, "what was not measured is left out");
    assert_eq!(entries[1]["value"], 1_460_400);
    assert_eq!(entries[1]["range"], "± 14604");
    assert!(entries.iter().all(|entry| entry["value"].is_number()), "{trend}");
}

fn args() -> GateOutputArgs {
    GateOutputArgs {
        report: ReportForm::None,
        output: None,
        json: None,
        junit: None,
        smaller: None,
        github: GithubChoice::Never,
    }
}

#[test]
fn files_are_opened_before_and_written_after() {
    let folder = folder("gate-output-files");
    let path = |name: &str| Some(folder.join(name));
    let longer = "x".repeat(1 << 20);
    fs::write(folder.join("gate.json"), &longer).expect("it can be written");
    let targets = Targets::open(&GateOutputArgs {
        report: ReportForm::Text,
        output: path("gate.txt"),
        json: path("gate.json"),
        junit: path("junit.xml"),
        smaller: path("smaller.json"),
        ..args()
    });
    let targets = targets.expect("all can be opened");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("it is there");
    assert_eq!(read("gate.json"), longer, "what is there stays until there is something new");
    assert_eq!(read("junit.xml"), "");
    let comparison = regressed();
    targets.write(&comparison).expect("all can be written");
    assert_eq!(read("gate.txt"), table(&comparison, Terminal::PLAIN));
    assert_eq!(read("gate.json"), output::json(&comparison).expect("JSON"));
    assert_eq!(read("junit.xml"), output::junit(&comparison));
    assert_eq!(read("smaller.json"), output::smaller(&comparison).expect("JSON"));
}

#[test]
fn what_can_not_be_written_is_told_at_once() {
    let folder = folder("gate-output-bad");
    let nowhere = Some(folder.join("no/such/folder/file"));
    let file = Some(folder.join("file"));
    let check = |args: GateOutputArgs, parts: &[&str]| {
        let failure = Targets::open(&args).expect_err("it is refused");
        assert_eq!(failure.exit, Exit::Usage);
        assert!(!failure.message.contains('\n'), "{failure}");
        assert!(parts.iter().all(|part| failure.message.contains(part)), "{failure}");
    };
    check(GateOutputArgs { junit: nowhere.clone(), ..args() }, &["can't be written", "--junit"]);
    check(GateOutputArgs { json: nowhere.clone(), ..args() }, &["can't be written", "--json"]);
    check(GateOutputArgs { smaller: nowhere, ..args() }, &["can't be written", "--smaller"]);
    check(GateOutputArgs { junit: Some("-".into()), ..args() }, &["--junit needs", "--output -"]);
    let twice = GateOutputArgs { json: file.clone(), smaller: file, ..args() };
    check(twice, &["is named by --json and by --smaller"]);
}
