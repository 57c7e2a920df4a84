//! `workloads`: what can be run, what each shows, and with which parameters: the workloads in Rust,
//! then the scripts, shelf by shelf.

use std::fmt::Write;

use loopscope_workloads::{
    self as workloads, KnownScript, ParamKind, ScriptArg, ScriptHeader, Variant, Workload,
};
use serde::Serialize;

use super::unwritable_stdout;
use crate::cli::{ReportForm, WorkloadsArgs};
use crate::exit::{Exit, Failure};
use crate::layout::{left_table, wrap};
use crate::report::Claim;
use crate::terminal::{Ink, Terminal, print};

/// Name and version of the schema.
const SCHEMA: &str = "loopscope.workloads/1";

pub(super) fn execute(args: &WorkloadsArgs) -> Result<Exit, Failure> {
    let page = match args.report {
        ReportForm::Text => text(&Terminal::stdout()),
        ReportForm::Json => json()?,
        ReportForm::None => String::new(),
    };
    print(page.as_bytes()).map_err(|error| unwritable_stdout(&error))?;
    Ok(Exit::Ok)
}

fn text(terminal: &Terminal) -> String {
    let mut page = String::new();
    for workload in workloads::all() {
        let name = terminal.paint(Ink::Strong, workload.name);
        let _ = writeln!(page, "{name}: {}", workload.summary);
        write_wrapped(&mut page, terminal, "", workload.shows);
        if let Some(fixed) = workload.fixed {
            write_wrapped(&mut page, terminal, "with --fixed: ", fixed);
        }
        for line in left_table(&params(workload)) {
            let _ = writeln!(page, "    {line}");
        }
        if !workload.virtual_clock {
            let _ = writeln!(page, "  uses real sockets or threads: not under --clock virtual");
        }
        page.push('\n');
    }
    for (shelf, heading) in SHELVES {
        let _ = writeln!(page, "{}\n", terminal.paint(Ink::Strong, heading));
        for script in shelved(shelf) {
            write_script(&mut page, terminal, &script);
        }
    }
    page.push_str(
        "Run one with `loopscope run NAME`, its healthy twin, where it has one, with\n`--fixed`. \
         What is for a script stands behind `--`: `loopscope run js/sync-promises -- --count=9`.\n",
    );
    page
}

/// The beginnings of names, and what stands under each.
const SHELVES: [(&str, &str); 3] = [
    ("js/", "In JavaScript, as they run on Node, too:"),
    ("promises/", "What can go wrong with promises, in JavaScript:"),
    ("seeds/", "Examples of articles on the event loop, in JavaScript:"),
];

/// A script that is compiled in, with its head and that of its twin.
struct Shelved {
    name: String,
    header: ScriptHeader,
    has_twin: bool,
}

/// The scripts whose names begin so.
fn shelved(shelf: &str) -> impl Iterator<Item = Shelved> {
    let scripts = workloads::scripts().iter().filter(|s| s.variant() == Variant::Pathology);
    let named = scripts.map(|script| (script.name(), script));
    named.filter(move |(name, _)| name.starts_with(shelf)).map(|(name, script)| {
        let has_twin = workloads::find_script(&name, Variant::Fixed).is_ok();
        // Each head can be read; a test of the scripts reads them all.
        let header = KnownScript::header(script).unwrap_or_default();
        Shelved { name, header, has_twin }
    })
}

fn write_script(page: &mut String, terminal: &Terminal, script: &Shelved) {
    let Shelved { name, header, has_twin } = script;
    let _ = writeln!(page, "{}: {}", terminal.paint(Ink::Strong, name), header.title);
    if let Some(shows) = shows(header) {
        write_wrapped(page, terminal, "", shows);
    }
    match &header.fixed {
        Some(fixed) => write_wrapped(page, terminal, "with --fixed: ", fixed),
        None if *has_twin => write_wrapped(page, terminal, "", "has a twin: --fixed"),
        None => {}
    }
    let row = |arg: &ScriptArg| {
        let default = format!("[default: {}]", arg.default);
        vec![format!("-- --{}=VALUE", arg.name), arg.help.clone(), default]
    };
    for line in left_table(&header.args.iter().map(row).collect::<Vec<_>>()) {
        let _ = writeln!(page, "    {line}");
    }
    page.push('\n');
}

/// What is wrong in a script, or what it shows where nothing is.
fn shows(header: &ScriptHeader) -> Option<&str> {
    header.wrong.as_deref().or(header.shows.as_deref())
}

fn write_wrapped(page: &mut String, terminal: &Terminal, head: &str, text: &str) {
    for line in wrap(&format!("{head}{text}"), terminal.width - 2) {
        let _ = writeln!(page, "  {line}");
    }
}

fn params(workload: &Workload) -> Vec<Vec<String>> {
    let row = |param: &workloads::Param| {
        let kind = kind_name(&param.kind);
        vec![
            format!("--{} <{kind}>", param.name),
            param.help.to_owned(),
            format!("[default: {}]", param.default),
        ]
    };
    workload.params.iter().map(row).collect()
}

fn kind_name(kind: &ParamKind) -> &'static str {
    match kind {
        ParamKind::Count(..) => "count",
        ParamKind::Duration(..) => "duration",
    }
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    workloads: Vec<Entry>,
    scripts: Vec<ScriptEntry>,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    summary: &'static str,
    shows: &'static str,
    fixed: Option<&'static str>,
    virtual_clock: bool,
    params: Vec<ParamEntry>,
}

#[derive(Serialize)]
struct ScriptEntry {
    name: String,
    title: String,
    shows: Option<String>,
    see: String,
    fixed: Option<String>,
    has_twin: bool,
    source: Option<String>,
    arguments: Vec<ArgumentEntry>,
    claims: Vec<Claim>,
}

#[derive(Serialize)]
struct ArgumentEntry {
    name: String,
    default: String,
    help: String,
}

#[derive(Serialize)]
struct ParamEntry {
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    help: &'static str,
}

fn json() -> Result<String, Failure> {
    let param = |param: &workloads::Param| ParamEntry {
        name: param.name,
        kind: kind_name(&param.kind),
        default: param.default,
        help: param.help,
    };
    let entry = |workload: &Workload| Entry {
        name: workload.name,
        summary: workload.summary,
        shows: workload.shows,
        fixed: workload.fixed,
        virtual_clock: workload.virtual_clock,
        params: workload.params.iter().map(param).collect(),
    };
    let document = Document {
        schema: SCHEMA,
        workloads: workloads::all().iter().map(entry).collect(),
        scripts: SHELVES.iter().flat_map(|(shelf, _)| shelved(shelf)).map(script_entry).collect(),
    };
    let text = serde_json::to_string_pretty(&document);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::run(format!("the list can't be made: {error}")))
}

fn script_entry(script: Shelved) -> ScriptEntry {
    let Shelved { name, header, has_twin } = script;
    let argument = |arg: ScriptArg| {
        let ScriptArg { name, default, help } = arg;
        ArgumentEntry { name, default, help }
    };
    ScriptEntry {
        name,
        shows: shows(&header).map(str::to_owned),
        title: header.title,
        see: header.see,
        fixed: header.fixed,
        has_twin,
        source: header.source,
        arguments: header.args.into_iter().map(argument).collect(),
        claims: header.claims.into_iter().map(Claim::from).collect(),
    }
}
