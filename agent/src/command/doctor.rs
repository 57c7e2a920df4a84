//! `doctor [PID]...`: what this host allows, and how each Node would be observed.

use crate::cli::DoctorArgs;
use crate::exit::{Exit, Failure};

#[cfg(not(target_os = "linux"))]
pub(super) fn execute(_: &DoctorArgs) -> Result<Exit, Failure> {
    Err(Failure::refused(crate::doctor::elsewhere(std::env::consts::OS)))
}

#[cfg(target_os = "linux")]
pub(super) fn execute(args: &DoctorArgs) -> Result<Exit, Failure> {
    use super::output::Output;

    let output = Output::open(args.output.as_deref(), Output::Stdout)?;
    let report = linux::examine(args)?;
    if let Some(text) = linux::written(args, &report, &output.terminal())? {
        output.write(text.as_bytes())?;
    }
    linux::outcome(args, &report)
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{DoctorArgs, Exit, Failure};
    use crate::cli::ReportForm;
    use crate::doctor::{self, Host, Plans, Report, Target, verdict};
    use crate::process::{Discovery, ProcFs};
    use crate::terminal::Terminal;

    /// Looks at the host and at the processes.
    pub(super) fn examine(args: &DoctorArgs) -> Result<Report, Failure> {
        let host = Host::read();
        let (pids, unseen) = match args.pids.as_slice() {
            [] => {
                let found = Discovery::default().look(&ProcFs::default());
                let found = found.map_err(|error| {
                    let cure = "mount it (`mount -t proc proc /proc`)";
                    Failure::refused(format!("/proc can't be listed ({error}); {cure}"))
                })?;
                (found.nodes, Some(found.unseen))
            }
            named => (named.to_vec(), None),
        };
        let mut plans = Plans::default();
        let targets = pids.into_iter().map(|pid| Target::look(pid, &mut plans));
        // Of those that were found some are none, and some have ended meanwhile.
        let targets = targets.filter(|target| unseen.is_none() || !target.is_of_no_interest());
        let judged = targets.map(|target| {
            let verdict = verdict(&host, &target);
            (target, verdict)
        });
        let targets = judged.collect();
        Ok(Report { host, targets, unseen })
    }

    /// The report in the form that was asked for.
    pub(super) fn written(
        args: &DoctorArgs,
        report: &Report,
        terminal: &Terminal,
    ) -> Result<Option<String>, Failure> {
        match args.report {
            ReportForm::None => Ok(None),
            ReportForm::Text => Ok(Some(doctor::text(report, terminal.width))),
            ReportForm::Json => doctor::json(report).map(Some).map_err(|error| {
                Failure::run(format!("the report can't be written as JSON: {error}"))
            }),
        }
    }

    /// The first process that was named and can't be observed decides. That there is no such
    /// process is told before that it can't be observed.
    pub(super) fn outcome(args: &DoctorArgs, report: &Report) -> Result<Exit, Failure> {
        if args.pids.is_empty() {
            return Ok(Exit::Ok);
        }
        let failure = |(target, verdict): &(Target, _)| target.failure(verdict);
        let mut failures: Vec<Failure> = report.targets.iter().filter_map(failure).collect();
        failures.sort_by_key(|failure| failure.exit.code());
        failures.into_iter().next().map_or(Ok(Exit::Ok), Err)
    }
}
