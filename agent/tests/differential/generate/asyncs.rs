//! Async functions and what is awaited in them.

use super::{Gen, Makes, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[
    (8, Needs::Nothing, call),
    (2, Needs::Nothing, function),
    (2, Needs::Nothing, as_callback),
    (12, Needs::Await, awaited),
    (4, Needs::Await, awaited_slot),
    (6, Needs::Await, tried),
    (3, Needs::Await, awaited_all),
    (3, Needs::Await, in_loop),
];

/// What follows a call: handles what fails, unless it is to be dangerous.
fn handled(g: &mut Gen) -> String {
    let id = g.id();
    if g.random.percent(g.danger) {
        return g.random.pick(&["", ".finally(() => log('d'))"]).to_owned();
    }
    let finally =
        if g.random.percent(20) { format!(".finally(() => log('d{id}'))") } else { String::new() };
    format!("{finally}.catch((e) => log('c{id}', e))")
}

fn call(g: &mut Gen, place: &mut Place) -> Node {
    let body = g.body(place.in_async());
    let tail = format!("}})(){};", handled(g));
    Node::block("(async () => {", body, tail)
}

/// A function that returns something, which then is told.
fn function(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let name = g.new_promise();
    let mut body = g.calm_body(place.in_async());
    let value = g.expr(*place, true);
    let how = g.random.pick(&[
        "return $;",
        "return await $;",
        "try { return $; } finally { log('f'); }",
        "try { return await $; } finally { log('f'); }",
        "try { return 1; } finally { await $; }",
    ]);
    body.push(Node::text(how.replace('$', &value)));
    let tail = format!(
        "}}\nS.p{name} = n{id}();\nS.p{name}.then((v) => log('a{id}', v), (e) => log('b{id}', e));"
    );
    Node::block(format!("async function n{id}() {{"), body, tail)
}

fn as_callback(g: &mut Gen, place: &mut Place) -> Node {
    let mut heads = vec!["process.nextTick(async () => {", "queueMicrotask(async () => {"];
    if place.makes >= Makes::Immediates {
        heads.push("setImmediate(async () => {");
    }
    let head = g.random.pick(&heads);
    Node::block(head, g.body(place.in_async()), "});")
}

/// Failing without a handler only where it is to be dangerous.
fn value(g: &mut Gen, place: Place) -> String {
    let fails = !place.top && g.random.percent(g.danger);
    g.expr(place, fails)
}

fn awaited(g: &mut Gen, place: &mut Place) -> Node {
    let value = value(g, *place);
    if g.random.percent(25) {
        return Node::text(format!("await {value};\n{}", log(g)));
    }
    Node::text(format!("log('a{}', await {value});", g.id()))
}

fn log(g: &mut Gen) -> String {
    format!("log('a{}');", g.id())
}

/// A promise of elsewhere, which may settle at any time or never.
fn awaited_slot(g: &mut Gen, place: &mut Place) -> Node {
    if place.top {
        return g.log();
    }
    place.makes = place.makes.min(Makes::Immediates);
    let name = g.some(g.promises);
    let id = g.id();
    Node::text(format!("try {{ log('a{id}', await S.p{name}); }} catch (e) {{ log('b{id}', e); }}"))
}

fn tried(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let mut body = Vec::new();
    let inner = place.nested();
    if g.random.percent(50) {
        body = g.calm_body(inner);
    }
    let value = g.expr(inner, true);
    body.push(Node::text(format!("log('a{id}', await {value});")));
    if g.random.percent(30) {
        body.push(Node::text(format!("throw new Error('e{id}');")));
    }
    // What is awaited in a block that ends here moves no nominal time.
    let quiet = inner.only(Makes::Immediates);
    let caught = format!("}} catch (e) {{\n  log('b{id}', e);");
    let node = Node::block("try {", body, caught).with(g.calm_body(quiet), "");
    if g.random.percent(50) {
        node.with(Vec::new(), "} finally {").with(g.calm_body(quiet), "}")
    } else {
        node.with(Vec::new(), "}")
    }
}

fn awaited_all(g: &mut Gen, place: &mut Place) -> Node {
    let how = g.random.pick(&["all", "allSettled", "any", "race"]);
    let mut list = g.list(*place, false, false);
    if list == "[]" {
        list = "[1]".to_owned();
    }
    Node::text(format!("log('a{}', await Promise.{how}({list}));", g.id()))
}

fn in_loop(g: &mut Gen, place: &mut Place) -> Node {
    let count = g.random.between(2, 4);
    let value = g.random.pick(&["null", "i", "Promise.resolve(i)", "{ then: (f) => f(i) }"]);
    let id = g.id();
    let mut body = vec![Node::text(format!("log('a{id}', i, await {value});"))];
    if g.budget > 0 {
        g.budget -= 1;
        body.push(g.statement(&mut place.inner().only(Makes::Queues)));
    }
    Node::block(format!("for (let i = 0; i < {count}; i++) {{"), body, "}")
}
