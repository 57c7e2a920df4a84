//! Immediates, timers, intervals and what is done to them.

use super::{Gen, Makes, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[
    (9, Needs::Immediates, immediate),
    (2, Needs::Immediates, several_immediates),
    (3, Needs::Nothing, clear_immediate),
    (1, Needs::Nothing, ref_immediate),
    (9, Needs::Timers, timeout),
    (3, Needs::Timers, interval),
    (4, Needs::Nothing, clear_timer),
    (2, Needs::Nothing, ref_timer),
    (2, Needs::Timers, refreshed),
    (1, Needs::Timers, refreshing_itself),
    (1, Needs::Timers, cleared_at_once),
];

fn immediate(g: &mut Gen, place: &mut Place) -> Node {
    let name = g.new_immediate();
    let args = g.random.percent(15);
    let body = g.body(place.inner());
    let (head, tail) = if args {
        (format!("S.i{name} = setImmediate((x) => {{\n  log('i{name}', x);"), "}, 'x');")
    } else {
        (format!("S.i{name} = setImmediate(() => {{"), "});")
    };
    Node::block(head, body, tail)
}

fn several_immediates(g: &mut Gen, place: &mut Place) -> Node {
    let (id, count) = (g.id(), g.random.between(2, 3));
    let mut body = vec![Node::text(format!("log('a{id}', i);"))];
    if g.budget > 0 {
        g.budget -= 1;
        body.push(g.statement(&mut place.inner().only(Makes::Immediates)));
    }
    let inner = Node::block("setImmediate(() => {", body, "});");
    Node::block(format!("for (let i = 0; i < {count}; i++) {{"), vec![inner], "}")
}

fn clear_immediate(g: &mut Gen, _: &mut Place) -> Node {
    Node::text(format!("clearImmediate(S.i{});", g.some(g.immediates)))
}

fn ref_immediate(g: &mut Gen, _: &mut Place) -> Node {
    let (name, id) = (g.some(g.immediates), g.id());
    let what = g.random.pick(&["unref", "ref"]);
    Node::text(format!("S.i{name}?.{what}();\nlog('a{id}', S.i{name}?.hasRef());"))
}

fn timeout(g: &mut Gen, place: &mut Place) -> Node {
    let Some(ms) = g.times.timer(&mut g.random, place.at_ms) else { return g.log() };
    let name = g.new_timer();
    let body_place = place.inner().at(place.at_ms + ms);
    match g.random.below(10) {
        0 => {
            let head = format!("S.t{name} = setTimeout((x, y) => {{\n  log('t{name}', x, y);");
            Node::block(head, g.body(body_place), format!("}}, {ms}, 'x', 'y');"))
        }
        1 => {
            let body = g.body(body_place.in_async());
            Node::block(
                format!("S.t{name} = setTimeout(async () => {{"),
                body,
                format!("}}, {ms});"),
            )
        }
        2 => {
            let body = g.body(body_place);
            Node::block(
                format!(
                    "util.promisify(setTimeout)({ms}, 'v').then((v) => {{\n  log('t{name}', v);"
                ),
                body,
                "}).catch((e) => log('c', e));",
            )
        }
        _ => {
            let body = g.body(body_place);
            Node::block(format!("S.t{name} = setTimeout(() => {{"), body, format!("}}, {ms});"))
        }
    }
}

/// It clears itself after some rounds, or is closed by another word.
fn interval(g: &mut Gen, place: &mut Place) -> Node {
    let count = g.random.between(1, 4) as i64;
    let Some(ms) = g.times.repeated(&mut g.random, place.at_ms, count) else { return g.log() };
    let name = g.new_timer();
    let clear = g.random.pick(&["clearInterval(S.t$)", "clearTimeout(S.t$)", "S.t$.close()"]);
    let clear = format!("if (n{name} === {count}) {clear};").replace('$', &name.to_string());
    let mut body = vec![Node::text(format!("log('t{name}', ++n{name});"))];
    let first = g.random.percent(50);
    if first {
        body.push(Node::text(clear.clone()));
    }
    let inner = place.inner().only(Makes::Immediates);
    body.extend(if first { g.body(inner) } else { g.calm_body(inner) });
    if !first {
        let way =
            g.random.pick(&["$", "process.nextTick(() => { $ });", "queueMicrotask(() => { $ });"]);
        body.push(Node::text(way.replace('$', &clear)));
    }
    let head = format!("let n{name} = 0;\nS.t{name} = setInterval(() => {{");
    Node::block(head, body, format!("}}, {ms});"))
}

fn clear_timer(g: &mut Gen, _: &mut Place) -> Node {
    let name = g.some(g.timers);
    Node::text(
        g.random
            .pick(&[
                "clearTimeout(S.t$);",
                "clearTimeout(S.t$);",
                "clearInterval(S.t$);",
                "clearTimeout(+S.t$);",
                "clearTimeout(`${+S.t$}`);",
                "S.t$?.close();",
            ])
            .replace("S.t$", &format!("S.t{name}")),
    )
}

fn ref_timer(g: &mut Gen, _: &mut Place) -> Node {
    let (name, id) = (g.some(g.timers), g.id());
    let what = g.random.pick(&["unref()", "unref()", "ref()", "unref().ref()"]);
    Node::text(format!("S.t{name}?.{what};\nlog('a{id}', S.t{name}?.hasRef());"))
}

/// A timer that is put off once, by another one.
fn refreshed(g: &mut Gen, place: &mut Place) -> Node {
    let now = place.at_ms;
    let (at, due, new) = (now + 12, now + 24, now + 36);
    if !g.times.stretch(at, at) {
        return g.log();
    }
    if !g.times.stretch(due, due) || !g.times.stretch(new, new) {
        return g.log();
    }
    let name = g.new_timer();
    let body = g.body(place.inner().at(new));
    let tail = format!("}}, 24);\nsetTimeout(() => S.t{name}.refresh(), 12);");
    Node::block(format!("S.t{name} = setTimeout(() => {{"), body, tail)
}

/// A timer that begins again from its own callback.
fn refreshing_itself(g: &mut Gen, place: &mut Place) -> Node {
    let count = g.random.between(2, 3) as i64;
    let Some(ms) = g.times.repeated(&mut g.random, place.at_ms, count) else { return g.log() };
    let name = g.new_timer();
    let when =
        g.random.pick(&["$", "process.nextTick(() => $)", "Promise.resolve().then(() => $)"]);
    let when = when.replace('$', &format!("S.t{name}.refresh()"));
    let again = format!("log('t{name}', ++n{name});\nif (n{name} < {count}) {when};");
    let mut body = vec![Node::text(again)];
    body.extend(g.calm_body(place.inner().only(Makes::Immediates)));
    let head = format!("let n{name} = 0;\nS.t{name} = setTimeout(() => {{");
    Node::block(head, body, format!("}}, {ms});"))
}

/// What is said of a timer before and after it is cleared.
fn cleared_at_once(g: &mut Gen, _: &mut Place) -> Node {
    let (name, id) = (g.new_timer(), g.id());
    Node::text(format!(
        "S.t{name} = setTimeout(() => log('no'), 1);\nlog('a{id}', S.t{name}.hasRef(), typeof \
         +S.t{name});\n\
         clearTimeout(S.t{name});\nlog('b{id}', S.t{name}.hasRef());"
    ))
}
