//! Batches, and rounds in which rivals take turns.
//!
//! Cost: two clock readings a batch, so a batch must do at least some microseconds of work.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Failure;

/// The function in which all timed work is done, as `valgrind` names it. `counts` has it count the
/// instructions in here and no others.
pub const TIMED_PART: &str = "loopscope_bench::measure::timed_part";

/// See [`TIMED_PART`].
#[inline(never)]
fn timed_part(work: &mut dyn FnMut()) {
    work();
    // With something to do behind it, the call above isn't the last: this function stays until
    // the work is done.
    black_box(());
}

/// One batch of operations.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// How long its timed part took.
    pub time: Duration,
    /// How many operations that was.
    pub operations: u64,
}

impl Batch {
    /// Times `work`, which does so many operations.
    pub fn timed(operations: u64, work: impl FnOnce()) -> Batch {
        Batch::timed_with(operations, work).0
    }

    /// As [`Batch::timed`], for work that makes something.
    pub fn timed_with<T>(operations: u64, work: impl FnOnce() -> T) -> (Batch, T) {
        let (mut work, mut made, mut time) = (Some(work), None, Duration::ZERO);
        timed_part(&mut || {
            if let Some(work) = work.take() {
                let start = Instant::now();
                made = Some(work());
                time = start.elapsed();
            }
        });
        (Batch { time, operations }, made.expect("the timed part runs what it is given"))
    }

    /// As [`Batch::timed`], for work that can fail.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn try_timed<T, E: Into<Failure>>(
        operations: u64,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<Batch, Failure> {
        let (batch, result) = Batch::timed_with(operations, work);
        result.map_err(Into::into)?;
        Ok(batch)
    }

    /// Nanoseconds an operation.
    pub fn ns(self) -> f64 {
        self.time.as_nanos() as f64 / self.operations.max(1) as f64
    }
}

/// Does one batch each time it is called.
pub type Case = Box<dyn FnMut() -> Result<Batch, Failure>>;

/// The figures of one case, one a round, in nanoseconds an operation.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// Figures that were taken elsewhere, or that are made of others.
    pub fn of(rounds: Vec<f64>) -> Figures {
        Figures(rounds)
    }

    /// One figure a round, in the order in which they were taken.
    pub fn rounds(&self) -> &[f64] {
        &self.0
    }

    /// The quietest round: what the code costs when nobody disturbs it.
    pub fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        middle(self.0.clone())
    }

    /// This one's quietest round as a share of the other's.
    pub fn ratio_of_minima(&self, base: &Figures) -> f64 {
        self.min() / base.min()
    }

    /// The middle one of the ratios within each round, whose two batches ran one after the other.
    pub fn median_of_ratios(&self, base: &Figures) -> f64 {
        middle(self.0.iter().zip(&base.0).map(|(ours, base)| ours / base).collect())
    }

    /// The middle one of the differences within each round.
    pub fn median_of_differences(&self, base: &Figures) -> f64 {
        middle(self.0.iter().zip(&base.0).map(|(ours, base)| ours - base).collect())
    }

    /// How far the middle round lies above the quietest: 0.1 is a tenth. Small on a quiet machine.
    pub fn noise(&self) -> f64 {
        self.median() / self.min() - 1.0
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs each case once to warm up, then all of them in turn, `rounds` times: A B C, A B C.
///
/// # Errors
/// That of the first batch that fails.
pub fn interleaved(rounds: usize, cases: &mut [Case]) -> Result<Vec<Figures>, Failure> {
    for case in cases.iter_mut() {
        case()?;
    }
    let mut figures = vec![Figures(Vec::with_capacity(rounds)); cases.len()];
    for _ in 0..rounds {
        for (case, figures) in cases.iter_mut().zip(&mut figures) {
            figures.0.push(case()?.ns());
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    fn case(name: char, order: &Rc<RefCell<String>>, ns: u64) -> Case {
        let order = order.clone();
        Box::new(move || {
            order.borrow_mut().push(name);
            Ok(Batch { time: Duration::from_nanos(ns), operations: 10 })
        })
    }

    #[test]
    fn rivals_take_turns_after_a_warm_up() {
        let order = Rc::default();
        let mut cases = [case('a', &order, 20), case('b', &order, 50)];
        let figures = interleaved(2, &mut cases).unwrap();
        assert_eq!(*order.borrow(), "ababab");
        assert_eq!((figures[0].min(), figures[1].median()), (2.0, 5.0));
        assert_eq!(figures[1].ratio_of_minima(&figures[0]), 2.5);
        assert_eq!(figures[1].median_of_ratios(&figures[0]), 2.5);
        assert_eq!(figures[1].median_of_differences(&figures[0]), 3.0);
    }

    #[test]
    fn the_middle_does_not_follow_an_outlier() {
        assert_eq!(middle(vec![9_000.0, 1.0, 2.0]), 2.0);
        assert_eq!(Figures::of(vec![9_000.0, 1.0, 2.0]).noise(), 1.0);
    }

    #[test]
    fn work_is_done_once_and_what_fails_is_told() {
        let mut done = 0;
        assert_eq!(Batch::timed_with(3, || done += 1).0.operations, 3);
        assert_eq!(done, 1);
        let failed = Batch::try_timed(1, || Err::<(), _>("no more sockets"));
        assert_eq!(failed.unwrap_err().to_string(), "no more sockets");
    }
}
