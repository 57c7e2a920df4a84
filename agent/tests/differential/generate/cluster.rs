//! Timers of several durations that are all due at once: they are made while time passes, and the
//! program waits, busy, until the last is due.
//!
//! That is where lists by duration show: of `16a`, 8 ms, `16b`, `8c`, what is due first does not
//! run
//! first.

use super::{Gen, Makes, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[(2, Needs::Timers, short)];

/// How far the lists are apart, and how long is waited behind the last.
const APART_MS: i64 = 6;

/// All of these are one millisecond.
const SHORT: [&str; 9] = ["0", "1", "1", "0", "undefined", "NaN", "-3", "'1'", "1.9"];

/// What is planned before a stretch of time is taken.
enum Step {
    Timer(i64),
    Busy(i64),
    Other,
}

fn plan(g: &mut Gen) -> (Vec<Step>, i64) {
    let mut steps = Vec::new();
    let mut lists: Vec<(i64, i64)> = Vec::new();
    let mut now = 0;
    for _ in 0..g.random.between(3, 7) {
        match g.random.below(10) {
            0..=5 => {
                let ms = g.random.pick(&[1, 1, 8, 16]);
                let apart = |list: &(i64, i64)| (list.1 - now - ms).abs() >= APART_MS;
                let known = lists.iter().any(|list| list.0 == ms);
                if known || lists.iter().all(apart) {
                    if !known {
                        lists.push((ms, now + ms));
                    }
                    steps.push(Step::Timer(ms));
                }
            }
            6 | 7 if now < 16 => {
                steps.push(Step::Busy(8));
                now += 8;
            }
            _ => steps.push(Step::Other),
        }
    }
    let last = now + 16 + APART_MS;
    steps.push(Step::Busy(last - now));
    (steps, last)
}

/// Statements that make such timers and wait; the place's time moves on.
pub(super) fn cluster(g: &mut Gen, place: &mut Place) -> Vec<Node> {
    let (steps, lasts) = plan(g);
    if !g.times.stretch(place.at_ms, place.at_ms + lasts) {
        return Vec::new();
    }
    place.at_ms += lasts;
    let made = |step: Step| match step {
        Step::Timer(ms) => timer(g, *place, ms),
        Step::Busy(ms) => Node::text(format!("busy({ms});")),
        Step::Other => other(g, *place),
    };
    steps.into_iter().map(made).collect()
}

fn timer(g: &mut Gen, place: Place, ms: i64) -> Node {
    let name = g.new_timer();
    let ms = if ms == 1 { g.random.pick(&SHORT).to_owned() } else { ms.to_string() };
    if g.random.percent(15) {
        let mut body = vec![Node::text(format!("clearInterval(S.t{name});"))];
        body.extend(g.body(place.inner()));
        return Node::block(
            format!("S.t{name} = setInterval(() => {{"),
            body,
            format!("}}, {ms});"),
        );
    }
    let body = g.body(place.inner());
    Node::block(format!("S.t{name} = setTimeout(() => {{"), body, format!("}}, {ms});"))
}

fn other(g: &mut Gen, place: Place) -> Node {
    let name = g.some(g.timers);
    match g.random.below(6) {
        0 => Node::text(format!("S.t{name}?.refresh();")),
        1 => Node::text(format!("clearTimeout(S.t{name});")),
        2 => Node::text(format!("S.t{name}?.unref();")),
        3 => Node::block("setImmediate(() => {", g.body(place.inner()), "});"),
        _ => g.statement(&mut place.nested().only(Makes::Queues)),
    }
}

/// A timer of 1 ms that is due before its callback ends.
fn short(g: &mut Gen, place: &mut Place) -> Node {
    if !g.times.stretch(place.at_ms, place.at_ms + 3) {
        return g.log();
    }
    let name = g.new_timer();
    let ms = g.random.pick(&SHORT);
    let body = g.body(place.inner().only(Makes::Immediates));
    let tail = format!("}}, {ms});\nbusy(3);");
    Node::block(format!("S.t{name} = setTimeout(() => {{"), body, tail)
}
