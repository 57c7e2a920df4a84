//! Where an observation is told: the report's file, `/metrics`, OTLP.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use loop_core::snapshot::Snapshot;
use loop_core::units::format_count;
use loopscope_exporters::Compat;
use loopscope_exporters::profile::{FORMATS, ProfileFormat, format_of, samples};

use super::cannot_start;
use super::output::Output;
use crate::background::{Background, OnInterrupt, Tasks};
use crate::cli::{ObserveArgs, ReportArgs, ReportForm};
use crate::diagnosis::diagnose;
use crate::exit::Failure;
use crate::monitor::Monitor;
use crate::push::{self, Outlet};
use crate::redact::Redactor;
use crate::report::html::Timeline;
use crate::report::{self, CommandRun, Report};
use crate::serve::web::Access;
use crate::serve::{self, Site};
use crate::source::Observe;
use crate::terminal::tell;

/// Where to tell what is observed, found good before anything has begun.
pub(super) struct Ways {
    told: Told,
    push: Option<Outlet>,
    listener: Option<TcpListener>,
    compat: Compat,
    access: Arc<Access>,
    stall_threshold_ns: u64,
}

impl Ways {
    /// Opens what the options name. The report goes to `default` where they name nothing.
    pub(super) fn open(args: &ObserveArgs, default: Output) -> Result<Ways, Failure> {
        Ways::open_to(args, Output::open(args.output.as_deref(), default)?)
    }

    /// Opens what the options name, but for the report, which goes to `output`.
    pub(super) fn open_to(args: &ObserveArgs, output: Output) -> Result<Ways, Failure> {
        let names = args.redact.then(Redactor::default);
        let push = outlet(names.as_ref()).map_err(Failure::usage)?;
        Ok(Ways {
            told: Told {
                form: args.report,
                output,
                names,
                profile: args.profile.as_deref().map(ProfileFile::open).transpose()?,
                html: args.html.as_deref().map(|path| Output::file(path, "--html")).transpose()?,
                timeline: Timeline {
                    stall_threshold_ns: Some(args.stall_threshold_ns),
                    ..Timeline::default()
                },
            },
            push,
            access: Arc::new(access(args)?),
            listener: args.listen.map(serve::bind).transpose().map_err(Failure::usage)?,
            compat: args.compat.unwrap_or_default(),
            stall_threshold_ns: args.stall_threshold_ns,
        })
    }

    /// What is observed, as far as it may be told. Whatever is told is made of this.
    pub(super) fn observed(&self, observed: Arc<dyn Observe>) -> Arc<dyn Observe> {
        match &self.told.names {
            Some(names) => names.hide(observed),
            None => observed,
        }
    }

    /// A name, as it may be told.
    pub(super) fn name(&self, name: &str) -> String {
        self.told.name(name)
    }

    /// Serves and pushes what is observed from now on. Without `on_interrupt`, signals are left
    /// alone.
    pub(super) fn start(
        mut self,
        observed: &Arc<dyn Observe>,
        on_interrupt: Option<OnInterrupt>,
    ) -> Result<(Told, Background), Failure> {
        self.told.timeline.began_unix_ns = Some(now_unix_ns());
        let monitor = Arc::new(Monitor::default().with_compat(self.compat));
        let address = self.listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let threshold_ns = self.stall_threshold_ns;
        let site = Site::new(Arc::clone(observed), Arc::clone(&monitor), threshold_ns);
        let site = site.behind(Arc::clone(&self.access));
        let site = self.listener.map(|listener| (listener, Arc::new(site)));
        let pusher = self.push.map(|outlet| {
            let config = outlet.config();
            config.warnings.iter().for_each(|warning| tell(warning));
            tell(&format!("pushing OTLP to {}", config.places().join(" and ")));
            outlet.pusher(Arc::clone(observed), Arc::clone(&monitor))
        });
        let tasks = Tasks { on_interrupt, site, pusher, ..Tasks::default() };
        let background = Background::start(tasks).map_err(cannot_start)?;
        // Whoever waits for this line may end us by a signal from then on.
        if let Some(address) = address {
            tell(&format!("serving {}://{address}/metrics", self.access.scheme()));
            if !address.ip().is_loopback() && self.access.lets_everybody_in() {
                tell(&format!(
                    "{address} is open to the network without TLS or a password; \
                     --web.config.file sets them"
                ));
            }
        }
        Ok((self.told, background))
    }
}

/// Now, in nanoseconds since the Unix epoch.
fn now_unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Who may see the pages, where there are any.
fn access(args: &ObserveArgs) -> Result<Access, Failure> {
    match args.web_config_file.as_ref().filter(|_| args.listen.is_some()) {
        Some(file) => Access::read(file).map_err(Failure::usage),
        None => Ok(Access::open()),
    }
}

/// Where the `OTEL_*` variables say to push to. With `names`, what this host is called is hidden,
/// too.
pub(super) fn outlet(names: Option<&Redactor>) -> Result<Option<Outlet>, push::ConfigError> {
    let config = push::Config::read(|name| std::env::var(name).ok())?;
    let outlet = config.map(Outlet::open).transpose()?;
    Ok(outlet.map(|outlet| match names {
        Some(names) => outlet.hiding_host(|host| names.name(host)),
        None => outlet,
    }))
}

/// What is told when the observation is over.
pub(super) struct Told {
    form: ReportForm,
    output: Output,
    /// Hides names, where that was asked for.
    names: Option<Redactor>,
    profile: Option<ProfileFile>,
    /// A file for the report as a page.
    html: Option<Output>,
    /// When the observation began, for the page.
    timeline: Timeline,
}

/// A file for the samples of stalls.
struct ProfileFile {
    format: &'static dyn ProfileFormat,
    output: Output,
    path: PathBuf,
}

impl ProfileFile {
    fn open(path: &Path) -> Result<ProfileFile, Failure> {
        let format = format_of(path).ok_or_else(|| {
            let ends: Vec<&str> = FORMATS.iter().map(|(end, _)| *end).collect();
            let (path, ends) = (path.display(), ends.join(", "));
            Failure::usage(format!(
                "{path} names no format of a profile; end it with one of {ends}"
            ))
        })?;
        let output = Output::file(path, "--profile")?;
        Ok(ProfileFile { format, output, path: path.to_owned() })
    }

    fn write(self, snapshot: &Snapshot) -> Result<(), Failure> {
        let path = self.path.display();
        match samples(snapshot) {
            0 => tell(&format!("no sample was taken of any stall, so {path} has none")),
            count => tell(&format!("{path} has {} samples of stalls", format_count(count as u64))),
        }
        let mut bytes = Vec::new();
        let written = self.format.write(snapshot, &mut bytes);
        written.map_err(|error| Failure::run(format!("the profile can't be made: {error}")))?;
        self.output.write(&bytes)
    }
}

impl Told {
    /// What is told of something that was observed before.
    pub(super) fn again(
        args: &ReportArgs,
        output: Output,
        timeline: Timeline,
    ) -> Result<Told, Failure> {
        Ok(Told {
            form: args.report,
            output,
            names: args.redact.then(Redactor::default),
            profile: args.profile.as_deref().map(ProfileFile::open).transpose()?,
            html: args.html.as_deref().map(|path| Output::file(path, "--html")).transpose()?,
            timeline,
        })
    }

    /// What was observed before, of which command, and what is to be known of that, as far as it
    /// may be told.
    pub(super) fn recorded(
        &self,
        mut snapshot: Snapshot,
        mut command: Option<CommandRun>,
        mut notes: Vec<String>,
    ) -> (Snapshot, Option<CommandRun>, Vec<String>) {
        if let Some(names) = &self.names {
            let targets = &snapshot.targets;
            notes.iter_mut().for_each(|note| *note = names.note(note, targets));
            command = command.map(|run| names.command(&run, targets));
            names.redact(&mut snapshot);
        }
        (snapshot, command, notes)
    }

    /// How a command has ended, as it may be told.
    pub(super) fn command(&self, run: CommandRun) -> CommandRun {
        match &self.names {
            Some(names) => names.command(&run, &[]),
            None => run,
        }
    }

    /// Tells what was observed of processes, or of a command, which has no name that may not be
    /// told. Where nothing was, there is no report for people of a command, but only why.
    pub(super) fn tell(
        self,
        snapshot: &Snapshot,
        command: Option<&CommandRun>,
    ) -> Result<(), Failure> {
        let diagnoses = diagnose(snapshot);
        let diagnoses = diagnoses.as_slice();
        let report = Report { snapshot, diagnoses, workload: None, script: None, command };
        if let Some(run) = command {
            let is_text = self.form == ReportForm::Text;
            let nothing = snapshot.loops.is_empty();
            if !is_text || nothing {
                run.notes.iter().for_each(|note| tell(note));
            }
            if is_text && nothing {
                return self.write_files(&report);
            }
        }
        self.write(&report)
    }

    /// A name, as it may be told.
    pub(super) fn name(&self, name: &str) -> String {
        self.names.as_ref().map_or_else(|| name.to_owned(), |names| names.name(name))
    }

    /// Writes the profile, the page, and the report in the form that was asked for.
    pub(super) fn write(self, report: &Report<'_>) -> Result<(), Failure> {
        self.write_hidden(report, Told::write_all)
    }

    /// Writes the profile and the page alone, where they were asked for.
    pub(super) fn write_files(self, report: &Report<'_>) -> Result<(), Failure> {
        self.write_hidden(report, |mut told, report| told.write_beside(report))
    }

    /// Writes the report without the names that a script may not tell.
    fn write_hidden(
        self,
        report: &Report<'_>,
        write: impl FnOnce(Told, &Report<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let names = self.names.as_ref();
        let script = names.zip(report.script).map(|(names, run)| names.script(run));
        let report = Report { script: script.as_ref().or(report.script), ..*report };
        write(self, &report)
    }

    fn write_all(mut self, report: &Report<'_>) -> Result<(), Failure> {
        let beside = self.write_beside(report);
        let mut text = Vec::new();
        match self.form {
            ReportForm::None => return beside,
            ReportForm::Text => report::text::write(report, &self.output.terminal(), &mut text),
            ReportForm::Json => report::json::write(report, &mut text),
        }
        .map_err(|error| Failure::run(format!("the report can't be made: {error}")))?;
        self.output.write(&text).and(beside)
    }

    fn write_beside(&mut self, report: &Report<'_>) -> Result<(), Failure> {
        let profile = self.profile.take();
        let profiled = profile.map_or(Ok(()), |profile| profile.write(report.snapshot));
        self.write_page(report).and(profiled)
    }

    fn write_page(&mut self, report: &Report<'_>) -> Result<(), Failure> {
        let Some(output) = self.html.take() else { return Ok(()) };
        let mut page = Vec::new();
        report::html::write(report, &self.timeline, &mut page)
            .map_err(|error| Failure::run(format!("the page can't be made: {error}")))?;
        output.write(&page)
    }
}
