//! Where an observation is told: the report's file, `/metrics`, OTLP.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use super::cannot_start;
use super::output::Output;
use crate::background::{Background, OnInterrupt, Tasks};
use crate::cli::ReportForm;
use crate::exit::Failure;
use crate::monitor::Monitor;
use crate::push::{self, Pusher};
use crate::report::{self, Report};
use crate::serve::{self, Site};
use crate::source::Observe;
use crate::terminal::tell;

/// Where to tell what is observed, found good before anything has begun.
pub(super) struct Ways {
    pub(super) output: Output,
    push: Option<push::Config>,
    listener: Option<TcpListener>,
}

impl Ways {
    /// Opens what the options name. The report goes to `default` where they name nothing.
    pub(super) fn open(
        output: Option<&Path>,
        listen: Option<SocketAddr>,
        default: Output,
    ) -> Result<Ways, Failure> {
        Ok(Ways {
            output: Output::open(output, default)?,
            push: push::Config::read(|name| std::env::var(name).ok()).map_err(Failure::usage)?,
            listener: listen.map(serve::bind).transpose().map_err(Failure::usage)?,
        })
    }

    /// Serves and pushes what is observed from now on. Without `on_interrupt`, signals are left
    /// alone.
    pub(super) fn start(
        self,
        observed: &Arc<dyn Observe>,
        on_interrupt: Option<OnInterrupt>,
    ) -> Result<(Output, Background), Failure> {
        let monitor = Arc::new(Monitor::default());
        let address = self.listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let site = self.listener.map(|listener| {
            (listener, Arc::new(Site::new(Arc::clone(observed), Arc::clone(&monitor))))
        });
        let pusher = self.push.map(|config| {
            config.warnings.iter().for_each(|warning| tell(warning));
            tell(&format!("pushing OTLP to {}", config.place()));
            Pusher::new(config, Arc::clone(observed), Arc::clone(&monitor))
        });
        let tasks = Tasks { on_interrupt, site, pusher };
        let background = Background::start(tasks).map_err(cannot_start)?;
        // Whoever waits for this line may end us by a signal from then on.
        if let Some(address) = address {
            tell(&format!("serving http://{address}/metrics"));
        }
        Ok((self.output, background))
    }
}

/// Writes the report in the form that was asked for.
pub(super) fn write_report(
    form: ReportForm,
    report: &Report<'_>,
    output: Output,
) -> Result<(), Failure> {
    let mut text = Vec::new();
    match form {
        ReportForm::None => return Ok(()),
        ReportForm::Text => report::text::write(report, &output.terminal(), &mut text),
        ReportForm::Json => report::json::write(report, &mut text),
    }
    .map_err(|error| Failure::run(format!("the report can't be made: {error}")))?;
    output.write(&text)
}
