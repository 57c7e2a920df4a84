//! Ticks, microtasks and plain code.

use super::{Gen, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[
    (6, Needs::Nothing, log),
    (9, Needs::Nothing, tick),
    (3, Needs::Nothing, tick_with_arguments),
    (9, Needs::Nothing, microtask),
    (2, Needs::Nothing, several),
    (2, Needs::Nothing, function),
    (2, Needs::Nothing, caught),
    (1, Needs::Nothing, strays),
];

fn log(g: &mut Gen, _: &mut Place) -> Node {
    g.log()
}

fn tick(g: &mut Gen, place: &mut Place) -> Node {
    Node::block("process.nextTick(() => {", g.body(place.inner()), "});")
}

fn tick_with_arguments(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let mut body = vec![Node::text(format!("log('a{id}', x, y);"))];
    body.extend(g.body(place.inner()));
    Node::block("process.nextTick((x, y) => {", body, format!("}}, {id}, 'y{id}');"))
}

fn microtask(g: &mut Gen, place: &mut Place) -> Node {
    Node::block("queueMicrotask(() => {", g.body(place.inner()), "});")
}

/// Several of one kind in a loop.
fn several(g: &mut Gen, place: &mut Place) -> Node {
    let queue = g.random.pick(&[
        "process.nextTick(() => {",
        "queueMicrotask(() => {",
        "Promise.resolve().then(() => {",
    ]);
    let count = g.random.between(2, 3);
    let id = g.id();
    let mut body = vec![Node::text(format!("log('a{id}', i);"))];
    if g.budget > 0 {
        g.budget -= 1;
        let mut inner = place.inner();
        inner.makes = super::Makes::Queues;
        body.push(g.statement(&mut inner));
    }
    let head = format!("for (let i = 0; i < {count}; i++) {{");
    Node::block(head, vec![Node::block(queue, body, "});")], "}")
}

fn function(g: &mut Gen, place: &mut Place) -> Node {
    let name = format!("f{}", g.id());
    let head = format!("function {name}() {{");
    let tail = g.random.pick(&["", " process.nextTick($);", " $(); process.nextTick($);"]);
    let body = g.body(place.inner().only(super::Makes::Immediates));
    Node::block(head, body, format!("}}\n$();{tail}").replace('$', &name))
}

fn caught(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let mut body = g.calm_body(place.nested());
    body.push(Node::text(format!("throw new Error('e{id}');")));
    let caught = format!("}} catch (e) {{\n  log('a{id}', e);");
    let node = Node::block("try {", body, caught).with(g.calm_body(place.nested()), "");
    if g.random.percent(50) {
        node.with(Vec::new(), "} finally {").with(g.calm_body(place.nested()), "}")
    } else {
        node.with(Vec::new(), "}")
    }
}

/// Calls on what isn't there, or no longer. Left out is `clearImmediate({})`: Node counts an
/// immediate less, and with one that waits runs none until another is made.
fn strays(g: &mut Gen, _: &mut Place) -> Node {
    Node::text(g.random.pick(&[
        "clearTimeout(undefined);",
        "clearTimeout({});",
        "clearImmediate(null);",
        "clearInterval('x');",
        "clearTimeout(123456);",
    ]))
}
