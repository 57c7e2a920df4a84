//! `timers/promises`, with signals.

use super::{Gen, Makes, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[
    (3, Needs::Timers, timeout),
    (2, Needs::Timers, aborted),
    (2, Needs::Timers, interval),
    (2, Needs::Immediates, immediate),
];

fn timeout(g: &mut Gen, place: &mut Place) -> Node {
    let Some(ms) = g.times.timer(&mut g.random, place.at_ms) else { return g.log() };
    let id = g.id();
    let at_ms = place.at_ms + ms;
    if place.awaits && g.random.percent(70) {
        place.at_ms = at_ms;
        return Node::text(format!("log('a{id}', await tp.setTimeout({ms}, 'v{id}'));"));
    }
    let body = g.body(place.inner().at(at_ms));
    Node::block(
        format!("tp.setTimeout({ms}, 'v{id}').then((v) => {{\n  log('a{id}', v);"),
        body,
        format!("}}).catch((e) => log('c{id}', e));"),
    )
}

/// A timeout that is given up, soon or by a timer before it is due.
fn aborted(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let now = place.at_ms;
    if !g.times.stretch(now + 11, now + 11) || !g.times.stretch(now + 22, now + 22) {
        return g.log();
    }
    let when = g.random.pick(&[
        "$;",
        "process.nextTick(() => $);",
        "queueMicrotask(() => $);",
        "setTimeout(() => $, 11);",
    ]);
    let when = when.replace('$', "ac.abort()");
    let what = g.random.pick(&["tp.setTimeout(22, 'v', ", "tp.setImmediate('v', "]);
    let what = if place.makes >= Makes::Timers { what } else { "tp.setTimeout(22, 'v', " };
    Node::text(format!(
        "{{\n  const ac = new AbortController();\n  \
         {what}{{ signal: ac.signal }})\n    \
         .then((v) => log('a{id}', v), (e) => log('b{id}', e.name, e.code));\n  {when}\n}}"
    ))
}

fn interval(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let count = g.random.between(1, 3) as i64;
    let Some(ms) = g.times.repeated(&mut g.random, place.at_ms, count) else { return g.log() };
    let inner = Place { awaits: true, top: false, ..place.inner().only(Makes::Queues) };
    let mut body = vec![Node::text(format!("log('a{id}', v);"))];
    if g.random.percent(40) {
        body.extend(g.calm_body(inner));
    }
    body.push(Node::text(format!("if (++n === {count}) break;")));
    let head = format!(
        "(async () => {{\n  let n = 0;\n  for await (const v of tp.setInterval({ms}, 'v{id}')) {{"
    );
    Node::block(head, body, format!("  }}\n  log('b{id}');\n}})().catch((e) => log('c{id}', e));"))
}

fn immediate(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    if place.awaits {
        return Node::text(format!("log('a{id}', await tp.setImmediate('v{id}'));"));
    }
    let body = g.body(place.inner());
    Node::block(
        format!("tp.setImmediate('v{id}').then((v) => {{\n  log('a{id}', v);"),
        body,
        format!("}}).catch((e) => log('c{id}', e));"),
    )
}
