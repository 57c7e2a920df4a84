//! How a comparison is told.

use std::fmt::Write;

use crate::cli::{ReportForm, ToldArgs};
use crate::command::output::Output;
use crate::exit::Failure;
use crate::gate::Comparison;
use crate::gate::comparison::Metric;

/// Where a comparison goes, found good before anything has begun.
pub(super) struct Told {
    form: ReportForm,
    output: Output,
}

impl Told {
    pub(super) fn open(args: &ToldArgs) -> Result<Told, Failure> {
        let output = Output::open(args.output.as_deref(), Output::Stdout)?;
        Ok(Told { form: args.report, output })
    }

    pub(super) fn write(self, comparison: &Comparison) -> Result<(), Failure> {
        if self.form == ReportForm::None {
            return Ok(());
        }
        let mut page = String::new();
        comparison.metrics.iter().for_each(|metric| line(&mut page, metric));
        for note in &comparison.notes {
            let _ = writeln!(page, "note: {note}");
        }
        let _ = writeln!(page, "gate: {:?}", comparison.verdict);
        self.output.write(page.as_bytes())
    }
}

fn line(page: &mut String, metric: &Metric) {
    let _ = write!(page, "{:?} {} {:?}", metric.tier, metric.title, metric.standing);
    if let Some(budget) = &metric.budget {
        let _ = write!(page, " budget {budget}: {:?}", metric.head);
    }
    if let Some(change) = &metric.change {
        let _ = write!(
            page,
            " x{:.4} ({:.4} to {:.4}), p {:.5}, {:+}, noise {:?}",
            change.ratio,
            change.interval.0,
            change.interval.1,
            change.p,
            change.difference,
            metric.noise
        );
    }
    let ms = |all: &[f64]| all.iter().map(|v| (v / 1e3).round() / 1e3).collect::<Vec<_>>();
    let _ = write!(page, " {:?} {:?}", ms(&metric.base), ms(&metric.head));
    if let Some(culprit) = &metric.culprit {
        let _ = write!(page, " at {} {}:{}", culprit.function, culprit.file, culprit.line);
    }
    page.push('\n');
}
