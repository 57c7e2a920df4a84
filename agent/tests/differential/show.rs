//! What a batch prints: differences side by side, and which constructs its programs use.

use std::collections::BTreeMap;

use super::judge::Difference;

/// The width of one of two columns.
const COLUMN: usize = 46;

/// Both outputs, side by side, lines that differ marked.
pub(crate) fn side_by_side(difference: &Difference) -> String {
    let (node, ours) = (&difference.node, &difference.ours);
    let lines = |text: &str, status| {
        let end = format!("exit status {status}");
        text.lines().map(str::to_owned).chain([end]).collect::<Vec<_>>()
    };
    let left = lines(&node.stdout, node.status);
    let right = lines(&ours.stdout, ours.status);
    let mut out = format!("    {:COLUMN$}   {}\n", "Node", "loopscope");
    for index in 0..left.len().max(right.len()) {
        let line = |all: &[String]| all.get(index).cloned().unwrap_or_default();
        let (left, right) = (line(&left), line(&right));
        let mark = if left == right { ' ' } else { '|' };
        out += &format!("    {:COLUMN$} {mark} {}\n", cut(&left), cut(&right));
    }
    for (whose, text) in [("Node", &node.stderr), ("loopscope", &ours.stderr)] {
        for line in text.lines().take(6) {
            out += &format!("    {whose}'s standard error: {line}\n");
        }
    }
    out
}

/// The first place where they differ, in a line.
pub(crate) fn first_difference(difference: &Difference) -> String {
    let (node, ours) = (&difference.node, &difference.ours);
    let pairs = node
        .stdout
        .lines()
        .map(Some)
        .chain([None])
        .zip(ours.stdout.lines().map(Some).chain([None]));
    for (left, right) in pairs {
        if left != right {
            let text = |line: Option<&str>| line.map_or("the end".to_owned(), cut);
            return format!("Node: {}, loopscope: {}", text(left), text(right));
        }
    }
    format!("exit status of Node: {}, of loopscope: {}", node.status, ours.status)
}

fn cut(line: &str) -> String {
    line.chars().take(COLUMN).collect()
}

/// Constructs, and what shows them in a program's text.
const CONSTRUCTS: &[(&str, &str)] = &[
    ("CommonJS main", "--- main.js"),
    ("ES module main", "--- main.mjs"),
    ("process.nextTick", "process.nextTick("),
    ("queueMicrotask", "queueMicrotask("),
    ("then", ".then((v)"),
    ("catch", ".catch((e)"),
    ("finally", ".finally("),
    ("Promise.all", "Promise.all("),
    ("Promise.allSettled", "Promise.allSettled("),
    ("Promise.race", "Promise.race("),
    ("Promise.any", "Promise.any("),
    ("subclass of Promise", "extends Promise"),
    ("thenable", "then(f"),
    ("thenable: throws after it resolved", "f('v'); throw"),
    ("thenable: resolves twice", "f('v'); f('w')"),
    ("thenable: getter throws", "get then() { throw"),
    ("async function", "async () =>"),
    ("await", "await "),
    ("try, catch, finally round await", "} finally {"),
    ("async generator", "async function*"),
    ("for await", "for await ("),
    ("yield*", "yield* "),
    ("generator's requests by hand", "it.next()"),
    ("setTimeout", "setTimeout(() =>"),
    ("setTimeout of 1 ms, due at once", "busy("),
    ("setInterval", "setInterval(() =>"),
    ("setImmediate", "setImmediate(() =>"),
    ("clearTimeout", "clearTimeout("),
    ("clearInterval", "clearInterval("),
    ("clearImmediate", "clearImmediate("),
    ("unref", ".unref()"),
    ("hasRef", ".hasRef()"),
    ("refresh", ".refresh()"),
    ("timers/promises setTimeout", "tp.setTimeout("),
    ("timers/promises setImmediate", "tp.setImmediate("),
    ("timers/promises setInterval", "tp.setInterval("),
    ("util.promisify of timers", "util.promisify(set"),
    ("AbortController", "new AbortController"),
    ("AbortSignal", "AbortSignal."),
    ("signal given up", "signal: ac.signal"),
    ("EventTarget", "new EventTarget"),
    ("EventEmitter", "new EventEmitter"),
    ("events.once", "events.once("),
    ("events.on", "events.on("),
    ("throw", "throw new Error"),
    ("uncaughtException", "process.on('uncaughtException',"),
    ("uncaughtExceptionMonitor", "'uncaughtExceptionMonitor'"),
    ("unhandledRejection", "'unhandledRejection'"),
    ("rejectionHandled", "'rejectionHandled'"),
    ("beforeExit that begins more", "'beforeExit'"),
    ("exit listener", "process.on('exit'"),
    ("process.exit", "process.exit("),
    ("process.exitCode set", "process.exitCode ="),
    ("await that never ends", "await new Promise(() => {})"),
    ("fs callbacks", "'data.json', (e"),
    ("fs.readFile", "fs.readFile("),
    ("fs.promises", "fs.promises."),
    ("file that ends before the poll", "busy(12)"),
    ("static import", "\nimport x"),
    ("dynamic import", "import('./m"),
    ("require of a module", "require('./m"),
    ("require of JSON", "require('./data"),
];

/// How many programs use each construct.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeMap<usize, usize>);

impl Coverage {
    pub(crate) fn add(&mut self, text: &str) {
        for (index, (_, needle)) in CONSTRUCTS.iter().enumerate() {
            *self.0.entry(index).or_default() += usize::from(text.contains(needle));
        }
    }

    /// A line for each two constructs.
    pub(crate) fn table(&self) -> String {
        let cell = |(index, count): (&usize, &usize)| format!("{count:6} {}", CONSTRUCTS[*index].0);
        let cells: Vec<String> = self.0.iter().map(cell).collect();
        cells
            .chunks(2)
            .map(|pair| format!("{:44}{}\n", pair[0], pair.get(1).map_or("", |c| c)))
            .collect()
    }
}

#[test]
fn lines_that_differ_are_marked() {
    use super::run::{Outcome, Status};
    let outcome = |text: &str| Outcome {
        stdout: text.to_owned(),
        stderr: String::new(),
        status: Status::Code(0),
    };
    let difference = Difference { node: outcome("a\nb\n"), ours: outcome("a\nc\n") };
    let text = side_by_side(&difference);
    let marked: Vec<&str> = text.lines().filter(|line| line.contains('|')).collect();
    assert!(marked.len() == 1 && marked[0].contains('b') && marked[0].contains('c'), "{text}");
}
