//! Emitters, event targets, signals that abort.

use super::{Gen, Makes, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[
    (3, Needs::Nothing, emitter),
    (3, Needs::Nothing, once_promise),
    (1, Needs::Nothing, on_iterator),
    (2, Needs::Nothing, target),
    (3, Needs::Nothing, abort),
    (1, Needs::Nothing, abort_parts),
];

/// A way to run something a little later, or at once.
fn soon(g: &mut Gen, place: Place) -> &'static str {
    let mut ways = vec!["$;", "process.nextTick(() => $);", "queueMicrotask(() => $);"];
    if place.makes >= Makes::Immediates {
        ways.push("setImmediate(() => $);");
    }
    g.random.pick(&ways)
}

fn emitter(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let how = g.random.pick(&["on", "once", "prependListener", "addListener"]);
    let emit = soon(g, *place).replace('$', &format!("log('b{id}', em.emit('x', 'v{id}'))"));
    let twice = if g.random.percent(50) { format!("\n{emit}") } else { String::new() };
    let head = format!(
        "{{\n  const em = new EventEmitter();\n  em.on('x', (v) => log('o{id}', v));\n  \
         em.{how}('x', (v) => {{\n    log('a{id}', v);"
    );
    let tail = format!("  }});\n{emit}{twice}\n}}");
    Node::block(head, g.calm_body(place.inner()), tail)
}

fn once_promise(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let name = g.random.pick(&["x", "x", "error"]);
    let value = if name == "error" { format!("new Error('e{id}')") } else { format!("'v{id}'") };
    let emit = soon(g, *place).replace('$', &format!("em.emit('{name}', {value})"));
    let signal = g.random.percent(30);
    let (options, cancel) = if signal {
        let cancel = soon(g, *place).replace('$', "ac.abort()");
        (", { signal: ac.signal }", format!("\n{cancel}"))
    } else {
        ("", String::new())
    };
    // Nothing is emitted when nobody listens any more: an error would be thrown.
    let emit = emit.replace("em.emit", "em.listenerCount('x') && em.emit");
    Node::text(format!(
        "{{\n  const em = new EventEmitter();\n  const ac = new AbortController();\n  \
         events.once(em, 'x'{options}).then((v) => log('a{id}', v), (e) => log('b{id}', \
          e.name));{cancel}\n  \
         {emit}\n}}"
    ))
}

fn on_iterator(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let emit = soon(g, *place).replace('$', "em.emit('x', 2)");
    Node::text(format!(
        "(async () => {{\n  const em = new EventEmitter();\n  em.listenerCount('x');\n  \
         process.nextTick(() => em.emit('x', 1));\n  {emit}\n  queueMicrotask(() => \
          process.nextTick(() => em.emit('x', 3)));\n  \
         let n = 0;\n  for await (const v of events.on(em, 'x')) {{\n    log('a{id}', v);\n    \
         if (++n === 2) break;\n  }}\n  log('b{id}');\n}})();"
    ))
}

fn target(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let options = g.random.pick(&["", ", { once: true }"]);
    let fire =
        soon(g, *place).replace('$', &format!("log('b{id}', et.dispatchEvent(new Event('x')))"));
    let head = format!(
        "{{\n  const et = new EventTarget();\n  et.addEventListener('x', (v) => {{\n    \
         log('a{id}', v.type);"
    );
    // What a listener throws comes up in a tick of its own.
    let body = g.body(place.inner());
    Node::block(head, body, format!("  }}{options});\n  {fire}\n  {fire}\n}}"))
}

fn abort(g: &mut Gen, place: &mut Place) -> Node {
    let id = g.id();
    let reason = if g.random.percent(50) { format!("new Error('e{id}')") } else { String::new() };
    let fire = soon(g, *place).replace('$', &format!("ac.abort({reason})"));
    let head = format!(
        "{{\n  const ac = new AbortController();\n  ac.signal.addEventListener('abort', () => \
         {{\n    log('a{id}', ac.signal.aborted);"
    );
    let body = g.body(place.inner());
    let tail = format!(
        "  }});\n  ac.signal.onabort = () => log('n{id}');\n  {fire}\n  {fire}\n  log('b{id}', \
         ac.signal.aborted);\n}}"
    );
    Node::block(head, body, tail)
}

fn abort_parts(g: &mut Gen, _: &mut Place) -> Node {
    let id = g.id();
    Node::text(g.random.pick(&[
        "try { AbortSignal.abort(new Error('e$')).throwIfAborted(); } catch (e) { log('a$', e); }",
        "log('a$', AbortSignal.abort().aborted, AbortSignal.abort('r').reason);",
        "{\n  const ac = new AbortController();\n  const any = AbortSignal.any([ac.signal]);\n  \
         any.addEventListener('abort', () => log('a$', any.reason));\n  ac.abort('r$');\n}",
        "tp.setImmediate('v', { signal: AbortSignal.abort() }).catch((e) => log('a$', e.name, \
         e.code));",
        "tp.setTimeout(5, 'v', { signal: AbortSignal.abort() }).catch((e) => log('a$', e.name, \
         e.code));",
    ]).replace('$', &id.to_string()))
}
