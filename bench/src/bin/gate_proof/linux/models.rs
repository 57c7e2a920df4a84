//! Machines that are not quiet, as they are told of in CI: each as the factors by which runs that
//! follow one another take longer.

use loopscope::gate::statistics::Random;

/// A kind of noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// Runs differ by 1 %.
    Quiet,
    /// By 4 %, and one in twenty is held up by 20 to 100 %.
    Outliers,
    /// By 1 %, while the machine becomes slower or faster by up to 20 % over the job.
    Drift,
    /// By 2 %, and a neighbour takes a third more for some runs at a time.
    Bursts,
    /// By 2 %, and at some moment of the job all becomes 15 % slower, or faster.
    Step,
    /// By 5 %, and each third run shares its CPU and takes half as long again.
    Neighbour,
    /// By 15 %, whatever the reason.
    Loud,
}

impl Model {
    pub(crate) const ALL: [Model; 7] = [
        Model::Quiet,
        Model::Outliers,
        Model::Drift,
        Model::Bursts,
        Model::Step,
        Model::Neighbour,
        Model::Loud,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Model::Quiet => "quiet, 1 %",
            Model::Outliers => "4 % and outliers",
            Model::Drift => "drift of up to 20 %",
            Model::Bursts => "bursts",
            Model::Step => "a step of 15 %",
            Model::Neighbour => "a neighbour",
            Model::Loud => "loud, 15 %",
        }
    }

    /// The factors of so many runs in a row.
    pub(crate) fn factors(self, runs: usize, random: &mut Random) -> Vec<f64> {
        let last = (runs - 1).max(1) as f64;
        let slope = 0.4 * (random.unit() - 0.5);
        let (edge, up) = (random.below(runs), random.bits() & 1 == 0);
        let mut is_busy = random.unit() < 0.2;
        let mut one = |run: usize| match self {
            Model::Quiet => 0.01 * normal(random),
            Model::Outliers => {
                let held_up = random.unit() < 0.05;
                let by = if held_up { (1.2 + 0.8 * random.unit()).ln() } else { 0.0 };
                0.04 * normal(random) + by
            }
            Model::Drift => 0.01 * normal(random) + slope * run as f64 / last,
            Model::Bursts => {
                is_busy = if is_busy { random.unit() > 0.25 } else { random.unit() < 0.06 };
                0.02 * normal(random) + if is_busy { 1.33_f64.ln() } else { 0.0 }
            }
            Model::Step => {
                let by = if (run < edge) == up { 0.0 } else { 1.15_f64.ln() };
                0.02 * normal(random) + by
            }
            Model::Neighbour => {
                let shares = random.unit() < 0.33;
                0.05 * normal(random) + if shares { 1.5_f64.ln() } else { 0.0 }
            }
            Model::Loud => 0.15 * normal(random),
        };
        (0..runs).map(|run| one(run).exp()).collect()
    }
}

/// Drawn from the normal distribution (Box and Muller).
pub(crate) fn normal(random: &mut Random) -> f64 {
    let (radius, angle) = (1.0 - random.unit(), random.unit());
    (-2.0 * radius.ln()).sqrt() * (2.0 * std::f64::consts::PI * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_spread_as_they_are_told_to_be() {
        let spread = |model: Model| {
            let factors = model.factors(4_000, &mut Random::new(1));
            let logs: Vec<f64> = factors.iter().map(|factor| factor.ln()).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            let squares = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>();
            (squares / logs.len() as f64).sqrt()
        };
        assert!((spread(Model::Quiet) - 0.01).abs() < 0.001);
        assert!((spread(Model::Loud) - 0.15).abs() < 0.01);
        for model in Model::ALL {
            assert!((0.009..0.25).contains(&spread(model)), "{model:?}");
        }
    }
}
