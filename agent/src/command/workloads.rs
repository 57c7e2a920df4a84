//! `workloads`: what can be run, what each shows, and with which parameters.

use std::fmt::Write;

use loopscope_workloads::{self as workloads, ParamKind, Workload};
use serde::Serialize;

use super::unwritable_stdout;
use crate::cli::{ReportForm, WorkloadsArgs};
use crate::exit::{Exit, Failure};
use crate::layout::{left_table, wrap};
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
    page.push_str(
        "Run one with `loopscope run NAME`, its healthy twin, where it has one, with\n`--fixed`.\n",
    );
    page
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
    let document =
        Document { schema: SCHEMA, workloads: workloads::all().iter().map(entry).collect() };
    let text = serde_json::to_string_pretty(&document);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::run(format!("the list can't be made: {error}")))
}
