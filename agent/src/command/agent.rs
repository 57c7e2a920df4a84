//! `agent`: every Node.js process of the host, watched and served until it is told to end.
//!
//! **Invariant**: whatever comes and goes, it holds as much memory as there are processes, and what
//! is told of those that have ended goes away again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use loop_core::snapshot::{Culprit, Snapshot, Tier};
use loop_core::units::format_ns;
use loopscope_exporters::{NewStall, NewStalls, StallMarks};
use tracing::{debug, error, info, warn};

use super::cannot_start;
use super::lines::Lines;
use super::ways::outlet;
use crate::background::{Background, Tasks, catch_hang_ups};
use crate::cli::{AgentArgs, CheckArgs, CheckWhat};
use crate::daemon::{Settings, keep_rights, raise_open_files};
use crate::exit::{Exit, Failure, Interrupt};
use crate::log;
use crate::monitor::{self, Monitor};
use crate::redact::Redactor;
use crate::serve::web::Access;
use crate::serve::{self, Site};
use crate::source::{self, Live, LiveOptions, Observe};
use crate::terminal::print;

/// How often it is looked what is new.
const TICK: Duration = Duration::from_secs(1);

/// What a window may cost while it is open, as a share of the loop's time: the governor of
/// `attach`.
const WINDOW_RATIO: f64 = 0.15;

/// What is to be done besides watching.
enum Event {
    Interrupted(Interrupt),
    Reload,
}

pub(super) fn execute(args: &AgentArgs) -> Result<Exit, Failure> {
    // Whoever changes the file while the agent starts asks for a reload, and for no end.
    catch_hang_ups().map_err(cannot_start)?;
    let settings = Settings::read(args)?;
    let listener = serve::bind(settings.listen).map_err(Failure::usage)?;
    let address = listener.local_addr().map_err(cannot_start)?;
    // Files are read while there are the rights to.
    let names = settings.redact.then(Redactor::default);
    let push = outlet(names.as_ref()).map_err(Failure::usage)?;
    let access = Arc::new(access(&settings)?);
    let lines = settings.output.as_deref().map(Lines::open).transpose()?;
    log::start(settings.log_level, settings.log_format);
    open_more_files();
    give_up_rights();
    let live = source::watch_host(options(&settings), settings.host())?;
    let observed = Arc::clone(&live) as Arc<dyn Observe>;
    let observed = match names {
        Some(names) => names.hide(observed),
        None => observed,
    };
    let monitor = Arc::new(Monitor::of_host().with_compat(settings.compat));
    let threshold_ns = settings.stall_threshold_ns;
    let site = Site::new(Arc::clone(&observed), Arc::clone(&monitor), threshold_ns);
    let site = site.behind(Arc::clone(&access));
    let pusher = push.map(|outlet| {
        outlet.config().warnings.iter().for_each(|text| warn!("{text}"));
        info!(to = outlet.config().places().join(" and "), "pushing OTLP");
        outlet.pusher(Arc::clone(&observed), Arc::clone(&monitor))
    });
    let (sender, events) = channel();
    let hang_ups = sender.clone();
    let tasks = Tasks {
        on_interrupt: Some(Box::new(move |by| sender.send(Event::Interrupted(by)).is_ok())),
        on_reload: Some(Box::new(move || drop(hang_ups.send(Event::Reload)))),
        site: Some((listener, Arc::new(site))),
        pusher,
    };
    let background = Background::start(tasks).map_err(cannot_start)?;
    tell_where(address, &access, &settings);
    let watch = Watch { args, settings, live, observed, monitor, access };
    let by = watch.until_interrupted(&events, lines)?;
    info!("ending, as asked for");
    background.stop();
    Ok(match by {
        Interrupt::Terminate => Exit::Ok,
        by => Exit::Interrupted(by),
    })
}

/// Who may see the pages, by the files as they are now.
fn access(settings: &Settings) -> Result<Access, Failure> {
    match &settings.web_config_file {
        Some(file) => Access::read(file).map_err(Failure::usage),
        None => Ok(Access::open()),
    }
}

fn tell_where(address: SocketAddr, access: &Access, settings: &Settings) {
    let (version, scheme) = (monitor::build().version, access.scheme());
    info!(version, rules = settings.rules(), "serving {scheme}://{address}/metrics");
    if !address.ip().is_loopback() && access.lets_everybody_in() {
        let cure = "--web.config.file sets them";
        warn!("{address} is open to the network without TLS or a password; {cure}");
    }
}

/// What goes on while others serve and push.
struct Watch<'a> {
    args: &'a AgentArgs,
    settings: Settings,
    live: Arc<Live>,
    observed: Arc<dyn Observe>,
    monitor: Arc<Monitor>,
    access: Arc<Access>,
}

impl Watch<'_> {
    fn until_interrupted(
        &self,
        events: &Receiver<Event>,
        mut lines: Option<Lines>,
    ) -> Result<Interrupt, Failure> {
        let (mut known, mut marks) = (Known::default(), StallMarks::default());
        let mut written = StallMarks::default();
        lines.iter_mut().for_each(|lines| lines.begin(&self.monitor));
        loop {
            match events.recv_timeout(TICK) {
                Ok(Event::Interrupted(by)) => {
                    if let Some(lines) = &mut lines {
                        lines.write(&*self.observed, &self.monitor, &mut written, true);
                    }
                    return Ok(by);
                }
                Ok(Event::Reload) => {
                    reload(self.args, &self.settings, &self.live);
                    if let Err(error) = self.access.reload() {
                        error!("{error}; what was before goes on");
                    }
                    lines.iter_mut().for_each(Lines::reopen);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let snapshot = self.observed.snapshot();
                    self.monitor.note(&snapshot);
                    self.monitor.room().into_iter().for_each(|loops| self.live.set_room(loops));
                    self.live.linger(self.monitor.linger_ns(source::LINGER_NS));
                    known.tell_targets(&snapshot);
                    tell_stalls(&marks.take(&snapshot));
                    if let Some(lines) = &mut lines {
                        lines.write(&*self.observed, &self.monitor, &mut written, false);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::run("the network thread is gone"));
                }
            }
        }
    }
}

pub(super) fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let CheckWhat::Config { file } = &args.what;
    let settings = Settings::read(&AgentArgs { config: Some(file.clone()), ..Default::default() })?;
    // What it names is read at the start, too.
    access(&settings)?;
    let (listen, rules) = (settings.listen, settings.rules());
    let threshold = format_ns(settings.stall_threshold_ns);
    let homes = settings.homes().map(|homes| format!("{homes}\n")).unwrap_or_default();
    let text = format!(
        "{}: fine (serves {listen}, stalls from {threshold} on, rules: {rules})\n{homes}",
        file.display()
    );
    print(text.as_bytes()).map_err(|error| super::unwritable_stdout(&error))?;
    Ok(Exit::Ok)
}

fn options(settings: &Settings) -> LiveOptions {
    let budget_ratio = settings.overhead_budget / 100.0;
    let tier = Tier::from(settings.tier);
    let by_windows = tier == Tier::Passive;
    LiveOptions {
        stall_threshold_ns: settings.stall_threshold_ns,
        tier,
        least: Tier::Passive,
        children: false,
        budget_ratio: if by_windows { WINDOW_RATIO } else { budget_ratio },
        windows_ratio: by_windows.then_some(budget_ratio),
        source_maps: settings.source_maps,
    }
}

/// Watching many processes takes many files.
fn open_more_files() {
    match raise_open_files() {
        Ok(limit) => debug!(limit, "files may be open"),
        Err(error) => warn!("no more files than usual may be open ({error}); see `ulimit -n`"),
    }
}

/// Before there is another thread: each has rights of its own.
fn give_up_rights() {
    match keep_rights() {
        Ok(kept) => debug!(kept = kept.kept, before = kept.before, "rights given up"),
        Err(error) => warn!("no rights could be given up ({error})"),
    }
}

/// Takes the rules of the file as it is now; what else has changed needs a new start.
fn reload(args: &AgentArgs, first: &Settings, live: &Live) {
    match Settings::read(args) {
        Ok(settings) => {
            live.choose(settings.host());
            info!(rules = settings.rules(), "the file was read again");
            if let Some(keys) = first.differs_for_good(&settings) {
                warn!(keys, "changed in the file, and taken at the next start only");
            }
        }
        Err(failure) => {
            error!("the file was not taken, and what was before goes on: {}", failure.message);
        }
    }
}

/// Who was told of, by number.
#[derive(Default)]
struct Known(BTreeMap<u32, String>);

impl Known {
    /// Logs who has come and gone.
    fn tell_targets(&mut self, snapshot: &Snapshot) {
        for target in &snapshot.targets {
            let pid = target.pid;
            self.0.entry(pid).or_insert_with(|| {
                let (name, version) = (&target.name, &target.runtime_version);
                info!(pid, target = %name, version, tier = target.tier.name(), "observing");
                name.clone()
            });
        }
        self.0.retain(|&pid, name| {
            let is_there = snapshot.targets.iter().any(|target| target.pid == pid);
            if !is_there {
                info!(pid, target = %name, "gone");
            }
            is_there
        });
    }
}

/// Logs who was held up.
fn tell_stalls(new: &NewStalls<'_>) {
    for NewStall { target, observed, stall } in &new.stalls {
        let culprit = stall.culprit.as_ref().map(place).unwrap_or_default();
        let (pid, thread) = (observed.pid, &observed.thread);
        let (cause, lasted) = (stall.ledger_ns.cause().name(), format_ns(stall.duration_ns));
        let name = target.map_or("unknown", |target| target.name.as_str());
        info!(pid, target = %name, thread, cause, culprit, "held up for {lasted}");
    }
    if new.lost > 0 {
        warn!(lost = new.lost, "stalls were overwritten before they could be told");
    }
}

/// The function, with where it is.
fn place(culprit: &Culprit) -> String {
    let Culprit { function, file, line, .. } = culprit;
    format!("{function} ({file}:{line})")
}
