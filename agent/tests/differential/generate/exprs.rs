//! Expressions that give values, promises and thenables.

use super::{Gen, Makes, Place};

impl Gen {
    /// An expression to be awaited, returned or resolved with. One that fails only where `fails`.
    pub(super) fn expr(&mut self, place: Place, fails: bool) -> String {
        if fails && self.random.percent(30) {
            return self.failing(place);
        }
        let id = self.id();
        let immediates = place.makes >= Makes::Immediates;
        match self.random.below(if immediates { 22 } else { 19 }) {
            0..=2 => format!("'v{id}'"),
            3 => "undefined".to_owned(),
            4..=6 => format!("Promise.resolve('v{id}')"),
            7 => format!("Promise.resolve().then(() => 'v{id}')"),
            8 => format!("{{ then(f) {{ log('a{id}'); f('v{id}'); }} }}"),
            9 => format!("{{ then(f) {{ f('v{id}'); f('w{id}'); throw new Error('e{id}'); }} }}"),
            10 => format!("{{ then(f) {{ f(Promise.resolve('v{id}')); }} }}"),
            11 => format!("{{ then(f) {{ process.nextTick(f, 'v{id}'); }} }}"),
            12 => format!("{{ get then() {{ log('a{id}'); return undefined; }} }}"),
            13 => format!("new Promise((f) => process.nextTick(f, 'v{id}'))"),
            14 => format!("new Promise((f) => queueMicrotask(() => f('v{id}')))"),
            15 => format!("new Promise((f) => f(Promise.resolve('v{id}')))"),
            16 => format!("(async () => {{ await null; return 'v{id}'; }})()"),
            17 => format!("(async () => Promise.resolve('v{id}'))()"),
            18 => format!("(async () => ({{ then(f) {{ f('v{id}'); }} }}))()"),
            19 => format!("new Promise((f) => setImmediate(f, 'v{id}'))"),
            20 => format!("tp.setImmediate('v{id}')"),
            _ => format!("util.promisify(setImmediate)('v{id}')"),
        }
    }

    /// An expression that is rejected when it is awaited.
    pub(super) fn failing(&mut self, place: Place) -> String {
        let id = self.id();
        let error = format!("new Error('e{id}')");
        let immediates = place.makes >= Makes::Immediates;
        match self.random.below(if immediates { 9 } else { 8 }) {
            0 | 1 => format!("Promise.reject({error})"),
            2 => format!("(async () => {{ throw {error}; }})()"),
            3 => format!("(async () => {{ await null; throw {error}; }})()"),
            4 => format!("{{ then() {{ throw {error}; }} }}"),
            5 => format!("{{ then(f, r) {{ r({error}); }} }}"),
            6 => format!("{{ get then() {{ throw {error}; }} }}"),
            7 => format!("new Promise((f, r) => process.nextTick(r, {error}))"),
            _ => format!("new Promise((f, r) => setImmediate(r, {error}))"),
        }
    }

    /// Several expressions in a list, perhaps with one that never settles.
    pub(super) fn list(&mut self, place: Place, fails: bool, endless: bool) -> String {
        let count = self.random.between(0, 4).max(self.random.between(0, 1));
        let mut all: Vec<String> = (0..count).map(|_| self.expr(place, fails)).collect();
        if endless && self.random.percent(10) {
            all.push("new Promise(() => {})".to_owned());
        }
        if self.promises > 0 && endless && self.random.percent(15) {
            all.push(format!("S.p{}", self.random.between(1, self.promises)));
        }
        format!("[{}]", all.join(", "))
    }
}
