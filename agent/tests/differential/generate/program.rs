//! Whole programs: what they need, how they end, and their scenes, one after the other.

use super::super::tree::HELPERS;
use super::cluster::cluster;
use super::{Gen, Makes, Node, Place, Program, Source};

/// The main program's own helpers, which its modules find as globals.
const HELPERS_TEXT: &str = include_str!("../recorded/helpers.js");

/// How Node's modules are called in programs, what shows that one is used, and their names.
const MODULES: [(&str, &str, &str); 5] = [
    ("fs", "fs.", "fs"),
    ("tp", "tp.", "timers/promises"),
    ("util", "util.", "util"),
    ("events", "events.on", "events"),
    ("EventEmitter", "new EventEmitter", "events"),
];

/// A file that begins with what it imports of Node: no more than it uses.
pub(super) fn file(name: &str, body: Vec<Node>) -> Source {
    let file = Source { name: name.to_owned(), body };
    let text = file.text();
    let esm = name.ends_with(".mjs");
    let used = MODULES.iter().filter(|(_, use_, _)| text.contains(use_));
    let import = |(name, _, module): &(&str, &str, &str)| {
        Node::text(if esm {
            format!("import {name} from 'node:{module}';")
        } else {
            format!("const {name} = require('{module}');")
        })
    };
    let imports = used.map(import);
    let body = imports.chain(file.body).collect();
    Source { name: file.name, body }
}

/// A main program that is CommonJS or a module, and its files.
pub(super) fn make(g: &mut Gen) -> Program {
    g.esm = g.random.percent(45);
    g.budget = g.random.between(8, 55);
    let mut body = Vec::new();
    let helpers = Source { name: HELPERS.to_owned(), body: vec![Node::text(HELPERS_TEXT)] };
    let head = if g.esm { "import './helpers.js';" } else { "require('./helpers.js');" };
    body.push(Node::text(head));
    handlers(g, &mut body);
    if g.esm {
        for _ in 0..g.random.below(6).saturating_sub(3) {
            let place = Place::top(0, true).only(Makes::Queues);
            let common = g.random.percent(30);
            let name = if common { g.common(place) } else { g.module(place) };
            let id = g.id();
            body.push(Node::text(format!("import x{id} from './{name}';\nlog('a{id}', x{id});")));
        }
    }
    g.exits = g.random.percent(15);
    main(g, &mut body);
    let name = if g.esm { "main.mjs" } else { "main.js" };
    let mut files = vec![file(name, body), helpers];
    files.append(&mut g.files);
    Program { files }
}

/// What listens to the process.
fn handlers(g: &mut Gen, body: &mut Vec<Node>) {
    let place = Place::top(0, false).only(Makes::Queues);
    let rest = std::mem::replace(&mut g.budget, 4);
    let handled = g.random.percent(45);
    if handled {
        let nodes = g.calm_body(place.nested());
        let head = "process.on('uncaughtException', (e, origin) => {\n  log('UE', e, origin);";
        body.push(Node::block(head, nodes, "});"));
    }
    let rejections = g.random.percent(if handled { 60 } else { 15 });
    if rejections {
        let nodes = g.calm_body(place.nested());
        let head =
            "process.on('unhandledRejection', (r, p) => {\n  log('UR', r, p instanceof Promise);";
        body.push(Node::block(head, nodes, "});"));
    }
    if g.random.percent(30) {
        let nodes = g.calm_body(place.nested());
        body.push(Node::block(
            "process.on('rejectionHandled', () => {\n  log('RH');",
            nodes,
            "});",
        ));
    }
    if g.random.percent(20) {
        body.push(Node::text("process.on('uncaughtExceptionMonitor', (e, o) => log('UM', e, o));"));
    }
    g.danger = match (handled, rejections) {
        (true, true) => 12,
        (true, false) => 6,
        _ if g.random.percent(30) => 2,
        _ => 0,
    };
    if g.random.percent(35) {
        let mut nodes = g.calm_body(place.nested());
        if g.random.percent(20) {
            nodes.push(Node::text(format!("process.exitCode = {};", g.random.below(9))));
        }
        let head = "process.on('exit', (code) => {\n  log('exit', code, process.exitCode);";
        nodes.push(Node::text(
            "setImmediate(() => log('never'));\nsetTimeout(() => log('never'), 0);",
        ));
        body.push(Node::block(head, nodes, "});"));
    }
    g.budget = rest;
}

fn main(g: &mut Gen, body: &mut Vec<Node>) {
    let more = g.random.below(5).saturating_sub(2);
    // What is left of a stretch of time must not reach into the next.
    let tidy = "process.on('beforeExit', (code) => {\n  log('beforeExit', code);\n  \
        for (const k of Object.keys(S)) {\n    if (k[0] === 't') clearTimeout(S[k]);\n    \
        if (k[0] === 'i') clearImmediate(S[k]);\n  }\n  S.scenes.shift()?.();\n});\nS.scenes = [];";
    if more > 0 {
        body.push(Node::text(tidy));
    }
    g.budget = g.budget.max(5);
    let rest = g.budget;
    g.budget = rest / (more + 1);
    body.extend(g.scene(Place::top(0, g.esm), 2));
    for _ in 0..more {
        g.times.clear();
        g.budget += rest / (more + 1);
        let place = Place::top(0, false);
        let nodes = g.scene(place.nested(), 2);
        let (head, tail) = g.random.pick(&[
            ("S.scenes.push(() => {", "});"),
            ("S.scenes.push(() => setImmediate(() => {", "}));"),
            ("S.scenes.push(() => setTimeout(() => {", "}, 1));"),
            ("S.scenes.push(() => setImmediate(() => {}) && process.nextTick(() => {", "}));"),
            ("S.scenes.push(() => {\n  setImmediate(() => {});", "});"),
        ]);
        body.push(Node::block(head, nodes, tail));
    }
    if g.esm && g.random.percent(6) {
        body.push(Node::text("await new Promise(() => {});\nlog('never');"));
    }
}

impl Gen {
    /// Statements that begin nothing but ticks and microtasks.
    pub(super) fn queues(&mut self, place: Place, most: usize) -> Vec<Node> {
        let mut nodes = vec![self.log()];
        let count = self.random.between(0, most);
        self.statements(&mut place.only(Makes::Queues), count, &mut nodes);
        nodes
    }

    /// What is begun at one point of a program, where nothing waits for the loop.
    pub(super) fn scene(&mut self, mut place: Place, scenes: u32) -> Vec<Node> {
        let mut nodes = vec![self.log()];
        let count = self.random.between(2, 8);
        match self.random.below(10) {
            0 | 1 => self.statements(&mut place.only(Makes::Queues), count, &mut nodes),
            2 | 3 => self.statements(&mut place.only(Makes::Immediates), count, &mut nodes),
            4 | 5 => {
                nodes.extend(cluster(self, &mut place));
                self.statements(&mut place, count / 2, &mut nodes);
            }
            6 | 7 if scenes > 0 => match self.operation(place, scenes - 1) {
                Some(operation) => {
                    nodes.extend(self.queues(place, 2));
                    nodes.push(operation);
                    nodes.extend(self.queues(place, 3));
                }
                None => self.statements(&mut place, count, &mut nodes),
            },
            8 if !self.esm => {
                nodes.push(self.require(place.only(Makes::Queues)));
                self.statements(&mut place, count, &mut nodes);
            }
            _ => self.statements(&mut place, count, &mut nodes),
        }
        nodes
    }
}
