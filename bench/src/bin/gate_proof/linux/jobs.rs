//! One comparison in CI: the runs of both commands, as the gate makes them and as others do.

use loopscope::gate::order::{self, Which};
use loopscope::gate::statistics::Random;

use super::models::{Model, normal};

/// How many figures a run gives that decide, as the gate has them.
pub(crate) const FIGURES: usize = 4;

/// A figure of about a second, in nanoseconds, so that no floor is in the way.
const SECOND: f64 = 1e9;

/// By how much figures of one run differ from one another, beside the noise that they share.
const OWN: f64 = 0.01;

/// By how much runs of one program differ from those of another job, on another machine of the same
/// kind: users have measured 26 % between jobs, and more.
const BETWEEN_JOBS: f64 = 0.10;

/// The values of both sides; of the gate's as many figures a run, in pairs.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Figures by number, then runs.
    pub(crate) base: Vec<Vec<f64>>,
    pub(crate) head: Vec<Vec<f64>>,
    /// The same job in blocks: all runs of the base, then all of the head; one figure.
    pub(crate) base_block: Vec<f64>,
    pub(crate) head_block: Vec<f64>,
    /// By how much the machine of the stored result was slower.
    pub(crate) stored: f64,
}

impl Job {
    /// A job of so many pairs, of which the blocks take `block`, on such a machine.
    pub(crate) fn simulated(
        model: Model,
        pairs: usize,
        block: usize,
        slowdown: f64,
        random: &mut Random,
    ) -> Job {
        let factors = model.factors(2 * pairs, random);
        let (mut base, mut head) = (vec![Vec::new(); FIGURES], vec![Vec::new(); FIGURES]);
        let order = (0..pairs).flat_map(order::pair);
        for (which, factor) in order.zip(&factors) {
            let (side, slower) = match which {
                Which::Base => (&mut base, 1.0),
                Which::Head => (&mut head, 1.0 + slowdown),
            };
            for figure in side.iter_mut() {
                figure.push(SECOND * factor * slower * (OWN * normal(random)).exp());
            }
        }
        // Another job of the same kind, as long as the gate's first look.
        let factors = model.factors(2 * block, random);
        let (first, second) = factors.split_at(block);
        Job {
            base,
            head,
            base_block: first.iter().map(|factor| SECOND * factor).collect(),
            head_block: second.iter().map(|factor| SECOND * factor * (1.0 + slowdown)).collect(),
            stored: (BETWEEN_JOBS * normal(random)).exp(),
        }
    }
}
