//! Generators, async ones, `for await`, `yield*`.
//!
//! Left out is what the engine does otherwise than V8, and what no library can mend:
//! - a body of `for await` that throws: the engine does not wait for the iterator to close;
//! - requests that wait behind one that finds an async generator finished: they are forgotten (in
//!   quickjs-ng's `js_async_generator_resume_next`, a finished generator answers one and stops);
//! - a loop that leaves an async generator which may stand in a `yield*`: the engine takes another
//!   number of jobs to close it;
//! - where drains are counted, an async generator that fails in `for await`: the engine asks it to
//!   close, which takes a job;
//! - a value of a sync iterator that is rejected in `for await`: the engine closes the iterator, as
//!   the language has it since 2025, the V8 of Node 20 does not.

use super::{Gen, Makes, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[
    (4, Needs::Nothing, for_await_list),
    (6, Needs::Nothing, async_generator),
    (2, Needs::Nothing, by_hand),
    (1, Needs::Nothing, sync_generator),
    (2, Needs::Nothing, iterator),
];

/// Wraps statements into an async function that handles what fails.
fn wrapped(g: &mut Gen, body: Vec<Node>) -> Node {
    let id = g.id();
    Node::block("(async () => {", body, format!("}})().catch((e) => log('c{id}', e));"))
}

/// The body of a loop, which may leave it, but not by throwing.
fn loop_body(g: &mut Gen, place: Place) -> Vec<Node> {
    let danger = std::mem::take(&mut g.danger);
    let body = calm_loop_body(g, place);
    g.danger = danger;
    body
}

fn calm_loop_body(g: &mut Gen, place: Place) -> Vec<Node> {
    let id = g.id();
    let mut body = vec![Node::text(format!("log('a{id}', v);"))];
    let inner = Place { awaits: true, top: false, ..place.inner().only(Makes::Immediates) };
    if g.random.percent(50) {
        body.extend(g.calm_body(inner));
    }
    match g.random.below(8) {
        0 => body.push(Node::text("break;")),
        1 => body.push(Node::text(format!("if (log('b{id}') === undefined) break;"))),
        2 => body.push(Node::text("return;")),
        _ => {}
    }
    body
}

fn for_await_list(g: &mut Gen, place: &mut Place) -> Node {
    let list = g.list(*place, true, false);
    let list = match g.random.below(4) {
        0 => format!("new Set({list})"),
        1 => format!("{list}.values()"),
        _ => list,
    };
    let body = loop_body(g, *place);
    let node = Node::block(format!("for await (const v of {list}) {{"), body, "}");
    let end = g.log();
    wrapped(g, vec![node, end])
}

/// What an async generator does, a few steps.
fn steps(g: &mut Gen, place: Place) -> Vec<Node> {
    let danger = g.danger;
    if g.counted {
        g.danger = 0;
    }
    let body = some_steps(g, place);
    g.danger = danger;
    body
}

fn some_steps(g: &mut Gen, place: Place) -> Vec<Node> {
    let fails = !g.counted;
    let inner = Place { awaits: true, top: false, ..place.inner().only(Makes::Immediates) };
    let mut body = vec![g.log()];
    for _ in 0..g.random.between(1, 4) {
        let id = g.id();
        let value = g.expr(inner, fails);
        body.push(match g.random.below(10) {
            0..=2 => Node::text(format!("yield {value};")),
            3 => Node::text(format!("log('a{id}', yield {value});")),
            4 => Node::text(format!("log('a{id}', yield* {});", g.list(inner, fails, false))),
            5 => Node::block(
                format!("log('a{id}', yield* (async function* () {{"),
                vec![Node::text(format!("log('b{id}');\nyield {value};\nreturn 'v{id}';"))],
                "})());",
            ),
            6 => Node::text(format!("await {value};")),
            7 => Node::text(format!(
                "try {{ yield {value}; }} catch (e) {{ log('a{id}', e); }} finally {{ \
                 log('b{id}'); }}"
            )),
            8 => Node::text(format!(
                "try {{ yield 'v{id}'; }} finally {{ await null; log('b{id}'); }}"
            )),
            _ => Node::block("{", g.calm_body(inner), "}"),
        });
    }
    match g.random.below(5) {
        0 if fails => body.push(Node::text(format!("throw new Error('e{}');", g.id()))),
        1 | 2 => {
            let value = g.expr(inner, fails);
            body.push(Node::text(format!("return {value};")));
        }
        _ => {}
    }
    body
}

fn text(node: &Node) -> String {
    super::Source { name: String::new(), body: vec![node.clone()] }.text()
}

fn leaves(node: &Node) -> bool {
    let text = text(node);
    text.ends_with("break;\n") || text == "return;\n"
}

fn async_generator(g: &mut Gen, place: &mut Place) -> Node {
    let name = format!("g{}", g.id());
    let definition = Node::block(format!("async function* {name}() {{"), steps(g, *place), "}");
    let mut body = loop_body(g, *place);
    if text(&definition).contains("yield*") {
        body.retain(|node| !leaves(node));
    }
    let consumer = Node::block(format!("for await (const v of {name}()) {{"), body, "}");
    let end = g.log();
    wrapped(g, vec![definition, consumer, end])
}

/// The requests of a generator are queued. No more than one finds it finished.
fn by_hand(g: &mut Gen, place: &mut Place) -> Node {
    let name = format!("g{}", g.id());
    let inner = Place { awaits: true, top: false, ..place.inner().only(Makes::Immediates) };
    let yields = g.random.between(1, 4);
    let mut body = vec![g.log()];
    for _ in 0..yields {
        let (id, value) = (g.id(), g.expr(inner, false));
        let step = g.random.pick(&[
            "yield $;",
            "log('a#', yield $);",
            "await $;\nyield 'v#';",
            "try { yield $; } finally { log('b#'); }",
            "try { yield $; } finally { await null; log('b#'); }",
        ]);
        body.push(Node::text(step.replace('$', &value).replace('#', &id.to_string())));
    }
    let definition = Node::block(format!("async function* {name}() {{"), body, "}");
    let mut calls = String::new();
    let count = g.random.between(1, yields + 1);
    for number in 1..=count {
        let id = g.id();
        // A value that fails when it is told would end the generator too early.
        let value = g.expr(*place, number == count);
        let call = match g.random.below(6) {
            0 if number == count => format!("return({value})"),
            1 if number == count => format!("throw(new Error('e{id}'))"),
            2 if number < count => format!("next({value})"),
            _ => "next()".to_owned(),
        };
        calls += &format!("it.{call}.then((v) => log('a{id}', v), (e) => log('b{id}', e));\n");
    }
    Node::block("{", vec![definition, Node::text(format!("const it = {name}();\n{calls}"))], "}")
}

fn sync_generator(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let value = g.expr(*place, false);
    let definition = Node::text(format!(
        "function* g{id}() {{\n  try {{\n    log('a{id}', yield 'v{id}');\n    \
         yield* [{value}, 2];\n  }} finally {{\n    log('b{id}');\n  }}\n}}"
    ));
    let body = loop_body(g, *place);
    let consumer = Node::block(format!("for await (const v of g{id}()) {{"), body, "}");
    wrapped(g, vec![definition, consumer])
}

/// An iterator written by hand, with promises and thenables as results.
fn iterator(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let count = g.random.between(1, 3);
    let result = g.random.pick(&[
        "{ value: n, done: n > $ }",
        "Promise.resolve({ value: n, done: n > $ })",
        "{ then: (f) => f({ value: n, done: n > $ }) }",
        "new Promise((f) => process.nextTick(f, { value: n, done: n > $ }))",
    ]);
    let result = result.replace('$', &count.to_string());
    let symbol = g.random.pick(&["asyncIterator", "asyncIterator", "iterator"]);
    let result = if symbol == "iterator" {
        format!("{{ value: Promise.resolve(n), done: n > {count} }}")
    } else {
        result
    };
    let definition = Node::text(
        format!(
            "let n = 0;\nconst o = {{\n  [Symbol.{symbol}]: () => ({{\n    \
         next() {{ n++; log('n{id}', n); return {result}; }},\n    \
         return() {{ log('r{id}'); return Promise.resolve({{}}); }},\n  }}),\n}};"
        )
        .replace(
            "return Promise.resolve({})",
            if symbol == "iterator" { "return {}" } else { "return Promise.resolve({})" },
        ),
    );
    let body = loop_body(g, *place);
    let consumer = Node::block("for await (const v of o) {", body, "}");
    wrapped(g, vec![definition, consumer])
}
