//! Thousands of comparisons on made-up machines.

use loopscope::gate::statistics::Random;

use super::jobs::Job;
use super::models::Model;
use super::rules::{RIVALS, Says, gate};
use super::table::{self, Line, SLOWDOWNS};

/// The gate's first look, and where it ends here; `--max-time` may allow more.
const FIRST: usize = 10;
const MOST: usize = 54;

pub(crate) fn print(jobs: usize) {
    println!("# Simulated: {jobs} comparisons of each kind, 4 figures a run");
    let mut all = blank();
    for (number, model) in Model::ALL.into_iter().enumerate() {
        let lines = lines(model, jobs, number as u64);
        table::print(&format!("## {}", model.name()), &lines);
        all.iter_mut().zip(&lines).for_each(|(all, line)| all.add(line));
    }
    table::print("## All of these together", &all);
}

fn blank() -> Vec<Line> {
    let ours = ["loopscope gate, 10 pairs".to_owned(), format!("loopscope gate, up to {MOST}")];
    let rivals = RIVALS.iter().map(|(name, _)| (*name).to_owned());
    ours.into_iter().chain(rivals).map(|name| Line::new(&name)).collect()
}

fn lines(model: Model, jobs: usize, seed: u64) -> Vec<Line> {
    let mut random = Random::new(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
    let mut lines = blank();
    for (column, slowdown) in SLOWDOWNS.into_iter().enumerate() {
        for _ in 0..jobs {
            let job = Job::simulated(model, MOST, FIRST, slowdown, &mut random);
            for (line, most) in lines.iter_mut().zip([FIRST, MOST]) {
                let says = gate(&job, FIRST, most);
                line.count(column, says == Says::Worse, says == Says::Inconclusive);
            }
            for (line, (_, fails)) in lines[2..].iter_mut().zip(&RIVALS) {
                line.count(column, fails(&job), false);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small form of what the command prints.
    #[test]
    fn the_gate_does_not_cry_wolf_and_catches_a_fifth() {
        for model in [Model::Quiet, Model::Drift] {
            let ours = &lines(model, 8, 1)[1];
            assert_eq!((ours.failed[0], ours.failed[4]), (0, 8), "{model:?}: {ours:?}");
        }
    }
}
