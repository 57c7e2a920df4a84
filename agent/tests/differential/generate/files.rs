//! What goes through the thread pool: files, and modules that are imported while the program runs.
//!
//! How many turns it takes is not the program's to say, so nothing else waits for the loop
//! meanwhile.

use super::{Gen, Makes, Node, Place};

/// How long a read may take, nominally.
const TAKES_MS: i64 = 14;

impl Gen {
    /// Begins one operation, whose callback begins the next scene; none where the time is taken.
    pub(super) fn operation(&mut self, place: Place, scenes: u32) -> Option<Node> {
        if !self.times.stretch(place.at_ms, place.at_ms + TAKES_MS) {
            return None;
        }
        let inner = place.at(place.at_ms + TAKES_MS);
        Some(match self.random.below(12) {
            0..=4 => self.callback(inner, scenes),
            5..=6 => self.promised(inner, scenes),
            7..=8 => self.in_async(inner, scenes),
            9 => self.polled(inner),
            _ => self.import(inner, scenes),
        })
    }

    fn callback(&mut self, place: Place, scenes: u32) -> Node {
        let id = self.id();
        let head = match self.random.below(9) {
            0 | 1 => format!(
                "fs.readFile('data.json', 'utf8', (e, d) => {{\n  log('a{id}', e, d.length);"
            ),
            2 | 3 => {
                format!("fs.stat('data.json', (e, s) => {{\n  log('a{id}', e, s.isFile(), s.size);")
            }
            4 => format!("fs.access('data.json', (e) => {{\n  log('a{id}', e);"),
            5 => format!("fs.readFile('missing', (e) => {{\n  log('a{id}', e.code);"),
            6 => format!("fs.stat('missing', (e) => {{\n  log('a{id}', e.code);"),
            7 => format!("fs.readdir('folder', (e, d) => {{\n  log('a{id}', e, d);"),
            _ => {
                let head = format!("fs.open('data.json', 'r', (e, fd) => {{\n  log('a{id}', e);");
                let last = format!("fs.close(fd, (e) => {{\n  log('b{id}', e);");
                let mut body = self.queues(place.inner(), 2);
                body.push(Node::block(last, self.scene(place.inner(), scenes), "});"));
                return Node::block(head, body, "});");
            }
        };
        Node::block(head, self.scene(place.inner(), scenes), "});")
    }

    fn promised(&mut self, place: Place, scenes: u32) -> Node {
        let id = self.id();
        let what = self.random.pick(&[
            "fs.promises.readFile('data.json', 'utf8').then((d) => d.length)",
            "fs.promises.stat('data.json').then((s) => s.size)",
            "fs.promises.readFile('missing').catch((e) => e.code)",
            "fs.promises.access('data.json')",
            "Promise.all([fs.promises.stat('data.json'), \
             fs.promises.readFile('data.json')]).then((v) => v.length)",
            "util.promisify(fs.stat)('data.json').then((s) => s.size)",
        ]);
        let head = format!("{what}.then((v) => {{\n  log('a{id}', v);");
        let body = self.scene(place.inner(), scenes);
        Node::block(head, body, format!("}}).catch((e) => log('c{id}', e));"))
    }

    fn in_async(&mut self, place: Place, scenes: u32) -> Node {
        let id = self.id();
        let what = self.random.pick(&[
            "log('a$', (await fs.promises.readFile('data.json', 'utf8')).length);",
            "log('a$', (await fs.promises.stat('data.json')).isFile());",
            "try { await fs.promises.readFile('missing'); } catch (e) { log('a$', e.code); }",
            "try { await fs.promises.stat('missing'); } finally { log('a$'); }",
        ]);
        let mut body = self.queues(place.in_async(), 1);
        body.push(Node::text(what.replace('$', &id.to_string())));
        body.extend(self.scene(place.in_async(), scenes));
        Node::block("(async () => {", body, format!("}})().catch((e) => log('c{id}', e.code));"))
    }

    /// An operation that has ended when the loop polls: where it stands to an immediate hangs on
    /// the
    /// phase in which both are begun.
    fn polled(&mut self, place: Place) -> Node {
        let id = self.id();
        let inner = place.inner().only(Makes::Immediates);
        let head = format!("fs.stat('data.json', (e) => {{\n  log('a{id}', e);");
        let middle = format!("}});\nsetImmediate(() => {{\n  log('b{id}');");
        let body = self.body(inner);
        Node::block(head, body, middle).with(self.body(inner), "});\nbusy(12);")
    }

    /// Imports a module of its own while the program runs.
    fn import(&mut self, place: Place, scenes: u32) -> Node {
        let id = self.id();
        if self.random.percent(15) {
            let body = self.queues(place.inner(), 2);
            let head = format!("import('./missing.mjs').catch((e) => {{\n  log('a{id}', e.code);");
            return Node::block(head, body, "});");
        }
        let name = if self.random.percent(75) { self.module(place) } else { self.common(place) };
        let log = format!("log('a{id}', ns.default);");
        if self.random.percent(40) {
            let mut body = vec![Node::text(format!("const ns = await import('./{name}');\n{log}"))];
            body.extend(self.scene(place.in_async(), scenes));
            return Node::block(
                "(async () => {",
                body,
                format!("}})().catch((e) => log('c{id}', e));"),
            );
        }
        let head = format!("import('./{name}').then((ns) => {{\n  {log}");
        let body = self.scene(place.inner(), scenes);
        Node::block(head, body, format!("}}).catch((e) => log('c{id}', e));"))
    }

    /// An ES module that begins nothing but ticks and microtasks.
    pub(super) fn module(&mut self, place: Place) -> String {
        let id = self.id();
        let name = format!("m{id}.mjs");
        let mut body = Vec::new();
        let awaits = self.random.percent(40);
        body.extend(self.queues(Place { awaits, top: awaits, ..place }, 3));
        if self.random.percent(10) {
            body.push(Node::text(format!("throw new Error('e{id}');")));
        }
        body.push(Node::text(format!("export default 'm{id}';")));
        self.files.push(super::program::file(&name, body));
        name
    }

    /// A CommonJS module that begins nothing but ticks and microtasks.
    pub(super) fn common(&mut self, place: Place) -> String {
        let id = self.id();
        let name = format!("m{id}.js");
        let mut body = self.queues(Place { awaits: false, top: false, ..place }, 3);
        if self.random.percent(10) {
            body.push(Node::text(format!("throw new Error('e{id}');")));
        }
        body.push(Node::text(format!("module.exports = 'm{id}';")));
        self.files.push(super::program::file(&name, body));
        name
    }

    /// Loads a module at once.
    pub(super) fn require(&mut self, place: Place) -> Node {
        let id = self.id();
        if self.random.percent(25) {
            return Node::text(
                self.random
                    .pick(&[
                        "log('a$', require('./data.json').name);",
                        "try { require('./missing'); } catch (e) { log('a$', e.code); }",
                        "log('a$', require('./data'));",
                    ])
                    .replace('$', &id.to_string()),
            );
        }
        let name = self.common(place.inner());
        let name = if self.random.percent(40) { name.trim_end_matches(".js") } else { &name };
        Node::text(format!(
            "try {{\n  log('a{id}', require('./{name}'), require('./{name}'));\n}} \
             catch (e) {{\n  log('c{id}', e);\n}}"
        ))
    }
}
