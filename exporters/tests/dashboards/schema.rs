//! The dashboards against the types that Grafana publishes of its format (`@grafana/schema`).
//!
//! Each dashboard becomes a TypeScript file of which the compiler must say that it satisfies
//! `Dashboard`. That type leaves open what a panel's own options are: those are held against the
//! types of its kind. It also tells of names that the types do not have.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::board::Board;
use crate::tools::{find, printed, skip};
use crate::{boards, path, text};

const TYPES: &str = "target/tools/grafana-schema/node_modules";

/// JSON has no enums, only their values.
const HEAD: &str = "\
import type { Dashboard } from '@grafana/schema';
import type * as heatmap from '@grafana/schema/heatmap';
import type * as stat from '@grafana/schema/stat';
import type * as table from '@grafana/schema/table';
import type * as text from '@grafana/schema/text';
import type * as timeseries from '@grafana/schema/timeseries';

type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Part<T> = Json<Partial<T>>;

";

/// Kinds of panels, and whether they have settings of a series.
const KINDS: [(&str, bool); 5] =
    [("heatmap", true), ("stat", false), ("table", true), ("text", false), ("timeseries", true)];

/// The dashboard and the options of its panels as TypeScript.
fn typescript(dashboard: &Value) -> String {
    let mut source = HEAD.to_owned();
    let mut put = |value: &Value, of: &str| {
        writeln!(source, "void ({value} satisfies {of});").expect("a string takes all");
    };
    put(dashboard, "Json<Dashboard>");
    for panel in dashboard["panels"].as_array().expect("panels") {
        let kind = panel["type"].as_str().expect("a type");
        if kind == "row" {
            continue;
        }
        let known = KINDS.iter().find(|(name, _)| *name == kind);
        let (_, has_fields) = known.unwrap_or_else(|| panic!("name the types of a {kind} here"));
        put(&panel["options"], &format!("Part<{kind}.Options>"));
        if *has_fields {
            put(&panel["fieldConfig"]["defaults"]["custom"], &format!("Part<{kind}.FieldConfig>"));
        }
    }
    source
}

/// Compiles these files; `None` after telling that `test` is skipped.
fn compile(test: &str, files: &[(&str, String)]) -> Option<Output> {
    let types = path(TYPES);
    let (node, compiler) = (find("node"), types.join("typescript/bin/tsc"));
    let Some(node) = node.filter(|_| compiler.is_file()) else {
        skip(test, "Node.js or Grafana's types are missing");
        return None;
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).expect("the folder can be made");
    for (name, source) in files {
        fs::write(folder.join(name), source).expect("the file can be written");
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let config = folder.join("tsconfig.json");
    fs::write(&config, project(&types, &names).to_string()).expect("the file can be written");
    let output = Command::new(node).arg(compiler).arg("--project").arg(config).output();
    Some(output.expect("the compiler starts"))
}

fn project(types: &Path, files: &[&str]) -> Value {
    let schema = types.join("@grafana/schema/dist/types");
    let mut paths = json!({ "@grafana/schema": [schema.join("index.d.ts")] });
    for (kind, _) in KINDS {
        let file = schema.join(format!("raw/composable/{kind}/panelcfg/x/types.gen.d.ts"));
        paths[format!("@grafana/schema/{kind}")] = json!([file]);
    }
    json!({
        "compilerOptions": {
            "strict": true,
            "noEmit": true,
            "module": "esnext",
            "moduleResolution": "bundler",
            "target": "es2022",
            "skipLibCheck": true,
            "types": [],
            "paths": paths,
        },
        "files": files,
    })
}

fn source_of(board: &Board) -> String {
    typescript(&serde_json::from_str(&text(board.file)).expect("JSON"))
}

#[test]
fn dashboards_satisfy_the_types_of_grafana() {
    let files: Vec<(String, String)> = boards::all()
        .iter()
        .map(|board| (board.file.replace(".json", ".ts"), source_of(board)))
        .collect();
    let files: Vec<(&str, String)> =
        files.iter().map(|(name, source)| (name.as_str(), source.clone())).collect();
    let test = "dashboards_satisfy_the_types_of_grafana";
    let Some(output) = compile(test, &files) else { return };
    assert!(output.status.success(), "{}", printed(&output));
}

/// The types are of use only if they refuse something.
#[test]
fn what_is_no_dashboard_of_grafana_is_found() {
    let board = &boards::all()[0];
    let good: Value = serde_json::from_str(&text(board.file)).expect("JSON");
    let panels = good["panels"].as_array().expect("panels").clone();
    let line = panels.iter().position(|panel| panel["type"] == "timeseries").expect("a curve");
    let broken = |at: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(&at.replace("LINE", &line.to_string())).expect(at) = value;
        typescript(&bad)
    };
    let files = [
        ("cursor.ts", broken("/graphTooltip", json!(7))),
        ("place.ts", broken("/panels/1/gridPos/w", json!("wide"))),
        ("thresholds.ts", broken("/panels/1/fieldConfig/defaults/thresholds/mode", json!("some"))),
        ("legend.ts", broken("/panels/LINE/options/legend/displayMode", json!("nowhere"))),
        ("nulls.ts", broken("/panels/LINE/fieldConfig/defaults/custom/spanNulls", json!("yes"))),
        ("name.ts", broken("/panels/LINE/options/tooltip", json!({ "mood": "multi" }))),
    ];
    let test = "what_is_no_dashboard_of_grafana_is_found";
    let Some(output) = compile(test, &files) else { return };
    let told = printed(&output);
    for (file, _) in files {
        assert!(told.contains(&format!("{file}(")), "nothing is told of {file}: {told}");
    }
}
