//! Promises: chains, deferred ones, combinators, thenables.

use super::{Gen, Makes, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[
    (9, Needs::Nothing, chain),
    (4, Needs::Nothing, deferred),
    (5, Needs::Nothing, settle),
    (4, Needs::Nothing, attach),
    (6, Needs::Nothing, combine),
    (3, Needs::Nothing, follow),
    (2, Needs::Nothing, late),
    (1, Needs::Nothing, subclass),
    (1, Needs::Nothing, called_then),
];

/// A chain of reactions, the last of which handles what fails unless it is to be dangerous.
fn chain(g: &mut Gen, place: &mut Place) -> Node {
    let start = g.expr(*place, true);
    let wrapped = g.random.pick(&["Promise.resolve($)", "new Promise((f) => f($))"]);
    let mut node = Node::text(wrapped.replace('$', &start));
    let name = g.new_promise();
    if let super::super::tree::Part::Text(head) = &mut node.parts[0] {
        head.insert_str(0, &format!("S.p{name} = "));
    }
    for _ in 0..g.random.between(1, 3) {
        node = reaction(g, *place, node);
    }
    let handled = !g.random.percent(g.danger);
    node.with(
        Vec::new(),
        if handled { format!("  .catch((e) => log('c{name}', e));") } else { "  ;".to_owned() },
    )
}

/// One more reaction.
fn reaction(g: &mut Gen, place: Place, node: Node) -> Node {
    let id = g.id();
    let inner = place.inner();
    let (head, tail) = match g.random.below(6) {
        0..=2 => (format!("  .then((v) => {{\n    log('a{id}', v);"), true),
        3 => (format!("  .catch((e) => {{\n    log('a{id}', e);"), true),
        4 => (format!("  .finally(() => {{\n    log('a{id}');"), true),
        _ => {
            let head = format!("  .then((v) => log('a{id}', v), (e) => {{\n    log('b{id}', e);");
            (head, true)
        }
    };
    let mut body = if g.random.percent(60) { Vec::new() } else { g.body(inner) };
    if tail && g.random.percent(40) {
        let value = g.expr(inner, true);
        body.push(Node::text(format!("  return {value};")));
    }
    node.with(Vec::new(), head).with(vec![Node::block("", body, "")], "  })")
}

/// A promise that is settled from elsewhere, or never.
fn deferred(g: &mut Gen, place: &mut Place) -> Node {
    let name = g.new_promise();
    let head = format!("S.p{name} = new Promise((f, r) => {{\n  S.f{name} = f;\n  S.r{name} = r;");
    let body = if g.random.percent(70) { Vec::new() } else { g.body(place.inner()) };
    let inner = place.inner().only(Makes::Immediates);
    let id = g.id();
    let then = format!("}});\nS.p{name}.then((v) => {{\n  log('a{id}', v);");
    let handler = format!("}}, (e) => log('b{id}', e));");
    Node::block(head, body, then).with(g.body(inner), handler)
}

fn settle(g: &mut Gen, place: &mut Place) -> Node {
    let name = g.some(g.promises);
    let id = g.id();
    match g.random.below(4) {
        0 => Node::text(format!("S.r{name}?.(new Error('e{id}'));")),
        1 => Node::text(format!("S.f{name}?.('v{id}');")),
        _ => {
            let value = g.expr(*place, true);
            Node::text(format!("S.f{name}?.({value});"))
        }
    }
}

/// A reaction to a promise that was made elsewhere.
fn attach(g: &mut Gen, place: &mut Place) -> Node {
    let name = g.some(g.promises);
    let id = g.id();
    let inner = place.inner().only(Makes::Immediates);
    let body = g.body(inner);
    match g.random.below(3) {
        0 => Node::block(
            format!("S.p{name}?.then((v) => {{\n  log('a{id}', v);"),
            body,
            format!("}}, (e) => log('b{id}', e));"),
        ),
        1 => Node::block(
            format!("S.p{name}?.catch((e) => {{\n  log('a{id}', e);"),
            body,
            format!("}}).catch((e) => log('b{id}', e));"),
        ),
        _ => Node::block(
            format!("S.p{name}?.finally(() => {{\n  log('a{id}');"),
            body,
            format!("}}).catch((e) => log('b{id}', e));"),
        ),
    }
}

fn combine(g: &mut Gen, place: &mut Place) -> Node {
    let how = g.random.pick(&["all", "allSettled", "race", "any"]);
    let list = g.list(*place, true, true);
    let name = g.new_promise();
    let id = g.id();
    let makes = if list.contains("S.p") { Makes::Immediates } else { Makes::Timers };
    let body = g.body(place.inner().only(makes));
    Node::block(
        format!("S.p{name} = Promise.{how}({list}).then((v) => {{\n  log('a{id}', v);"),
        body,
        format!("}}, (e) => log('b{id}', e));"),
    )
}

/// A thenable with a body of its own.
fn follow(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let end = g.random.pick(&[
        "f('v');",
        "f('v'); f('w');",
        "f('v'); r(new Error('late'));",
        "f('v'); throw new Error('late');",
        "r(new Error('no'));",
        "throw new Error('thrown');",
        "f({ then(g) { g('inner'); } });",
        "process.nextTick(f, 'tick');",
        "Promise.resolve('p').then(f);",
    ]);
    let head = "Promise.resolve({\n  then(f, r) {";
    let tail =
        format!("    {end}\n  }},\n}}).then((v) => log('a{id}', v), (e) => log('b{id}', e));");
    Node::block(head, vec![Node::block("", g.calm_body(place.inner()), "")], tail)
}

/// A rejection that is handled later: in a microtask, in a tick, or when it is too late.
fn late(g: &mut Gen, place: &mut Place) -> Node {
    let name = g.new_promise();
    let id = g.id();
    let mut whens = vec!["process.nextTick(", "queueMicrotask(", "Promise.resolve().then("];
    if g.danger > 3 && place.makes >= Makes::Immediates {
        whens.push("setImmediate(");
    }
    let when = g.random.pick(&whens);
    let failing = g.random.pick(&[
        "Promise.reject(new Error('e$'))",
        "(async () => { throw new Error('e$'); })()",
        "new Promise(() => { throw new Error('e$'); })",
    ]);
    let failing = failing.replace('$', &id.to_string());
    let inner = format!("() => S.p{name}.catch((e) => log('a{id}', e))");
    let when = if g.random.percent(30) {
        format!("{when}() => process.nextTick({inner}));")
    } else {
        format!("{when}{inner});")
    };
    Node::text(format!("S.p{name} = {failing};\n{when}"))
}

fn subclass(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let value = g.expr(*place, true);
    Node::text(format!(
        "class P{id} extends Promise {{\n  then(f, r) {{\n    log('a{id}');\n    \
         return super.then(f, r);\n  }}\n}}\n\
         P{id}.resolve({value}).finally(() => log('b{id}')).catch((e) => log('c{id}', e));\n\
         (async () => log('d{id}', await P{id}.resolve('v{id}')))();"
    ))
}

/// `then` without functions, and on what has settled.
fn called_then(g: &mut Gen, _: &mut Place) -> Node {
    let id = g.id();
    Node::text(g.random.pick(&[
        "Promise.resolve('v$').then().then(null, 1).then((v) => log('a$', v));",
        "Promise.reject(new Error('e$')).then((v) => v).catch().catch((e) => log('a$', e));",
        "Promise.resolve('v$').finally(() => 'w$').then((v) => log('a$', v));",
        "Promise.resolve(Promise.resolve('v$')).then((v) => log('a$', v));",
        "Promise.prototype.then.call(Promise.resolve('v$'), (v) => log('a$', v));",
    ]).replace('$', &id.to_string()))
}
