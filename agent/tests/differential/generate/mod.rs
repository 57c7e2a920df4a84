//! Makes random scheduling programs from seeds.
//!
//! **Invariant**: a program is made so that its order does not hang on how fast it runs. What could
//! is kept apart: each timer is due at a nominal time of its own ([`times`]), a file is read only
//! while nothing else waits for the loop, timers of 0 and 1 ms are followed by a busy wait. What
//! is a
//! race nevertheless is found by running Node again.

mod asyncs;
mod cluster;
mod endings;
mod events;
mod exprs;
mod files;
mod generators;
mod later;
mod program;
mod promises;
mod queues;

mod timers;
mod times;

use super::random::Random;
use super::tree::{Node, Program, Source};
use times::Times;

/// The program of a seed.
pub(crate) fn program(seed: u64) -> Program {
    program::make(&mut Gen::new(seed))
}

/// A program of which the drains are counted: `for await` does not meet an async generator that
/// fails. The engine asks such a one to close, which takes a job more; a `return` method that a
/// program has written itself would see it.
pub(crate) fn counted(seed: u64) -> Program {
    program::make(&mut Gen { counted: true, ..Gen::new(seed) })
}

/// What may be begun at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Makes {
    /// Ticks and microtasks.
    Queues,
    /// Immediates too.
    Immediates,
    /// Timers too, as the nominal time is known.
    Timers,
}

/// Where a statement stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    depth: u32,
    /// Inside of an async function, or at the top of a module.
    awaits: bool,
    /// The top of a module: an `await` that never ends would end the program.
    top: bool,
    makes: Makes,
    /// The nominal time.
    at_ms: i64,
}

impl Place {
    fn top(at_ms: i64, awaits: bool) -> Place {
        Place { depth: 0, awaits, top: awaits, makes: Makes::Timers, at_ms }
    }

    /// In a plain function.
    fn inner(self) -> Place {
        Place { depth: self.depth + 1, awaits: false, top: false, ..self }
    }

    /// In an async function.
    fn in_async(self) -> Place {
        Place { awaits: true, ..self.inner() }
    }

    /// One level deeper in the same function.
    fn nested(self) -> Place {
        Place { depth: self.depth + 1, ..self }
    }

    fn at(self, at_ms: i64) -> Place {
        Place { at_ms, ..self }
    }

    fn only(self, makes: Makes) -> Place {
        Place { makes: self.makes.min(makes), ..self }
    }
}

/// What a statement needs of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Await,
    Immediates,
    Timers,
}

/// How often a statement is made, what it needs, and what makes it.
type Statement = (u32, Needs, fn(&mut Gen, &mut Place) -> Node);

/// All kinds of statements.
const STATEMENTS: [&[Statement]; 9] = [
    queues::STATEMENTS,
    promises::STATEMENTS,
    asyncs::STATEMENTS,
    generators::STATEMENTS,
    events::STATEMENTS,
    timers::STATEMENTS,
    later::STATEMENTS,
    cluster::STATEMENTS,
    endings::STATEMENTS,
];

/// How deep callbacks are nested.
const DEPTH_MAX: u32 = 5;

struct Gen {
    random: Random,
    esm: bool,
    /// How many statements may still be made.
    budget: usize,
    /// In percent, how often a body ends by throwing, and how often nobody handles a rejection.
    danger: u32,
    /// Whether the program may end itself.
    exits: bool,
    /// See [`counted`].
    counted: bool,
    ids: usize,
    /// How many promises, timers and immediates have a name.
    promises: usize,
    timers: usize,
    immediates: usize,
    times: Times,
    /// Other files.
    files: Vec<Source>,
}

impl Gen {
    fn new(seed: u64) -> Gen {
        Gen {
            random: Random::new(seed),
            esm: false,
            budget: 0,
            danger: 0,
            exits: false,
            counted: false,
            ids: 0,
            promises: 0,
            timers: 0,
            immediates: 0,
            times: Times::default(),
            files: Vec::new(),
        }
    }

    /// A label that nothing else has.
    fn id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }

    fn log(&mut self) -> Node {
        Node::text(format!("log('a{}');", self.id()))
    }

    /// The name of a new promise, timer or immediate.
    fn new_promise(&mut self) -> usize {
        self.promises += 1;
        self.promises
    }

    fn new_timer(&mut self) -> usize {
        self.timers += 1;
        self.timers
    }

    fn new_immediate(&mut self) -> usize {
        self.immediates += 1;
        self.immediates
    }

    /// One that was made, or will be next.
    fn some(&mut self, made: usize) -> usize {
        self.random.between(1, made + 1)
    }

    /// A body of a callback, which may end by throwing.
    fn body(&mut self, place: Place) -> Vec<Node> {
        let mut nodes = self.calm_body(place);
        if self.random.percent(self.danger) {
            nodes.push(Node::text(format!("throw new Error('e{}');", self.id())));
        }
        nodes
    }

    /// A body that doesn't end by throwing.
    fn calm_body(&mut self, mut place: Place) -> Vec<Node> {
        let mut nodes = vec![self.log()];
        let most = if place.depth >= DEPTH_MAX { 0 } else { 5 - (place.depth as usize).min(3) };
        let count = self.random.between(0, most);
        self.statements(&mut place, count, &mut nodes);
        nodes
    }

    /// Adds statements, as far as the budget goes.
    fn statements(&mut self, place: &mut Place, count: usize, nodes: &mut Vec<Node>) {
        for _ in 0..count {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            nodes.push(self.statement(place));
        }
    }

    fn statement(&mut self, place: &mut Place) -> Node {
        let fits = |needs: Needs| match needs {
            Needs::Nothing => true,
            Needs::Await => place.awaits,
            Needs::Immediates => place.makes >= Makes::Immediates,
            Needs::Timers => place.makes == Makes::Timers,
        };
        let all = || STATEMENTS.iter().copied().flatten().filter(|kind| fits(kind.1));
        let total = all().map(|kind| kind.0 as usize).sum();
        let mut left = self.random.below(total);
        for (weight, _, make) in all() {
            match left.checked_sub(*weight as usize) {
                Some(rest) => left = rest,
                None => return make(self, place),
            }
        }
        unreachable!("the weights were summed")
    }
}
