//! What the agent is to do: from its options, their variables, its file, and the defaults, in this
//! order.
//!
//! **Invariant**: what the file says and nobody knows is an error, told with its line.

use std::fmt::Display;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loopscope_exporters::Compat;
use loopscope_exporters::limits::WORKERS_MAX;
use serde::Deserialize;

use super::choice::Choice;
use super::rules::{Rule, Rules};
use super::runtimes::Runtimes;
use crate::cli::{self, AgentArgs, TierChoice};
use crate::exit::Failure;
use crate::log::{LogFormat, LogLevel};
use crate::source::HostOptions;

/// The port of `/metrics`.
const PORT: u16 = 9797;
const STALL_THRESHOLD_NS: u64 = 50_000_000;
const DISCOVERY_NS: u64 = 1_000_000_000;
/// What probes may cost on the average, in percent.
const OVERHEAD_BUDGET: f64 = 1.0;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct Settings {
    /// Where `/metrics` is served.
    pub listen: SocketAddr,
    /// Where lines of JSON are written.
    pub output: Option<PathBuf>,
    /// TLS, passwords and tokens for it.
    pub web_config_file: Option<PathBuf>,
    /// A turn that lasts this long is a stall.
    pub stall_threshold_ns: u64,
    /// What is always seen.
    pub tier: TierChoice,
    /// What probes may cost, in percent of the loop's time.
    pub overhead_budget: f64,
    /// Whether functions of compiled scripts are told by their sources.
    pub source_maps: bool,
    /// Whether names are told as hashes.
    pub redact: bool,
    /// The names of others under which metrics are told, too.
    pub compat: Compat,
    /// How loud the log is.
    pub log_level: LogLevel,
    /// In which form.
    pub log_format: LogFormat,
    discovery_ns: u64,
    rules: Rules,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    listen: Option<String>,
    output: Option<PathBuf>,
    web_config_file: Option<PathBuf>,
    stall_threshold: Option<String>,
    tier: Option<String>,
    overhead_budget: Option<f64>,
    source_maps: Option<bool>,
    redact: Option<bool>,
    compat: Option<String>,
    discovery_interval: Option<String>,
    log_level: Option<String>,
    log_format: Option<String>,
    #[serde(default)]
    include: Vec<Rule>,
    #[serde(default)]
    exclude: Vec<Rule>,
    #[serde(default)]
    target: Vec<Named>,
}

/// A name, and whose it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    #[serde(rename = "match")]
    of: Rule,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// The file can't be read, or says what can't be: in one line.
    pub fn read(args: &AgentArgs) -> Result<Settings, Failure> {
        let written = args.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let place = args.config.as_deref().map(|path| path.display().to_string());
        Settings::of(args, written, &place.unwrap_or_default())
    }

    fn of(args: &AgentArgs, written: Written, place: &str) -> Result<Settings, Failure> {
        let at = Place(place);
        let listen = at.parsed("listen", written.listen, cli::values::listen)?;
        let threshold =
            at.parsed("stall_threshold", written.stall_threshold, cli::values::threshold_ns)?;
        let interval =
            at.parsed("discovery_interval", written.discovery_interval, cli::values::duration_ns)?;
        let tier = at.parsed("tier", written.tier, cli::values::choice)?;
        let compat = at.parsed("compat", written.compat, cli::values::compat)?;
        let level = at.parsed("log_level", written.log_level, cli::values::choice)?;
        let format = at.parsed("log_format", written.log_format, cli::values::choice)?;
        let budget = written.overhead_budget.map(|percent| percent.to_string());
        let budget = at.parsed("overhead_budget", budget, cli::values::percent)?;
        let rules = at.rules(written.include, written.exclude, written.target)?;
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        Ok(Settings {
            listen: args.listen.or(listen).unwrap_or(local),
            output: args.output.clone().or(written.output),
            web_config_file: args.web_config_file.clone().or(written.web_config_file),
            stall_threshold_ns: args.stall_threshold_ns.or(threshold).unwrap_or(STALL_THRESHOLD_NS),
            tier: args.tier.or(tier).unwrap_or(TierChoice::Passive),
            overhead_budget: args.overhead_budget.or(budget).unwrap_or(OVERHEAD_BUDGET),
            source_maps: args.source_maps.or(written.source_maps).unwrap_or(false),
            redact: args.redact.or(written.redact).unwrap_or(false),
            compat: args.compat.or(compat).unwrap_or_default(),
            log_level: args.log_level.or(level).unwrap_or(LogLevel::Info),
            log_format: args.log_format.or(format).unwrap_or(LogFormat::Text),
            discovery_ns: args.discovery_interval_ns.or(interval).unwrap_or(DISCOVERY_NS),
            rules,
        })
    }

    /// Who is wanted, and how often to look for them.
    pub fn host(&self) -> HostOptions {
        let choose = Arc::new(Choice::new(self.rules.clone()));
        HostOptions { every_ns: self.discovery_ns, choose, workers_alone: WORKERS_MAX }
    }

    /// The keys in which others differ from these, of those that are read at the start only.
    pub fn differs_for_good(&self, others: &Settings) -> Option<String> {
        let differs = [
            ("listen", self.listen != others.listen),
            ("output", self.output != others.output),
            ("web_config_file", self.web_config_file != others.web_config_file),
            ("stall_threshold", self.stall_threshold_ns != others.stall_threshold_ns),
            ("tier", self.tier != others.tier),
            ("overhead_budget", self.overhead_budget.to_bits() != others.overhead_budget.to_bits()),
            ("source_maps", self.source_maps != others.source_maps),
            ("redact", self.redact != others.redact),
            ("compat", self.compat != others.compat),
            ("log_level", self.log_level != others.log_level),
            ("log_format", self.log_format != others.log_format),
        ];
        let keys: Vec<&str> =
            differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect();
        (!keys.is_empty()).then(|| keys.join(", "))
    }

    /// Where rules ask for what is told of containers: by what that is known on this host.
    pub fn homes(&self) -> Option<String> {
        let known = self.rules.ask_for_home().then(|| Runtimes::default().pods_known())?;
        Some(match known {
            Some(count) => format!(
                "namespace, pod and container are known by the kubelet's /var/log/containers, \
                 which names {count} here"
            ),
            None => "there is no kubelet's /var/log/containers here: a namespace is known only of \
                     pods with a service account, a container only of Docker and Podman"
                .to_owned(),
        })
    }

    /// How many rules there are, for a line about them.
    pub fn rules(&self) -> String {
        let Rules { include, exclude, names } = &self.rules;
        format!("{} to include, {} to exclude, {} names", include.len(), exclude.len(), names.len())
    }
}

/// Every Node, looked for as often as usual.
pub fn everybody() -> HostOptions {
    let choose = Arc::new(Choice::new(Rules::default()));
    HostOptions { every_ns: DISCOVERY_NS, choose, workers_alone: WORKERS_MAX }
}

/// Reads a file, and nothing that only looks like one.
fn read(path: &Path) -> Result<Written, Failure> {
    let place = path.display();
    let unreadable = |why: &dyn Display| {
        Failure::usage(format!("{place} can't be read ({why}); name the agent's TOML file"))
    };
    let about = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !about.is_file() {
        return Err(unreadable(&"it is no regular file"));
    }
    if about.len() > FILE_BYTES_MAX {
        return Err(unreadable(&"it is larger than 1 MiB"));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let what = error.message().lines().collect::<Vec<_>>().join(" ");
        Failure::usage(format!("{place}:{line}: {what}"))
    })
}

/// The file that something was written in.
struct Place<'a>(&'a str);

impl Place<'_> {
    fn parsed<T>(
        &self,
        key: &str,
        text: Option<String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        let parse = |text: &String| {
            parse(text).map_err(|why| {
                Failure::usage(format!("{}: {key} `{text}` can't be: {why}", self.0))
            })
        };
        text.as_ref().map(parse).transpose()
    }

    fn rules(
        &self,
        include: Vec<Rule>,
        exclude: Vec<Rule>,
        named: Vec<Named>,
    ) -> Result<Rules, Failure> {
        let wrong = |what: &str| Failure::usage(format!("{}: {what}", self.0));
        if exclude.iter().any(Rule::is_empty) {
            return Err(wrong(
                "a rule in [[exclude]] names nothing and so excludes everybody; give it a name, \
                 executable, folder, cgroup, user, namespace, pod or container",
            ));
        }
        if named.iter().any(|named| named.name.trim().is_empty()) {
            return Err(wrong("a [[target]] has an empty name; write what to call the process"));
        }
        let names = named.into_iter().map(|Named { name, of }| (of, name)).collect();
        Ok(Rules { include, exclude, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(args: &AgentArgs, text: &str) -> Result<Settings, Failure> {
        Settings::of(args, toml::from_str(text).expect("TOML"), "agent.toml")
    }

    #[test]
    fn an_option_outranks_the_file_and_the_file_the_default() {
        let none = AgentArgs::default();
        let defaults = settings(&none, "").unwrap();
        assert_eq!(defaults.listen.to_string(), "127.0.0.1:9797");
        assert_eq!((defaults.stall_threshold_ns, defaults.redact), (50_000_000, false));
        assert_eq!(defaults.compat, Compat::default());
        let text = "listen = ':1'\nstall_threshold = '20ms'\nredact = true\ntier = 'turn'\n\
                    compat = 'otel'";
        let of_file = settings(&none, text).unwrap();
        assert_eq!(of_file.compat, Compat { otel: true, prom_client: false });
        assert_eq!(of_file.listen.to_string(), "127.0.0.1:1");
        assert_eq!((of_file.stall_threshold_ns, of_file.redact), (20_000_000, true));
        assert_eq!(of_file.tier, TierChoice::Turn);
        let args = AgentArgs {
            stall_threshold_ns: Some(7),
            redact: Some(false),
            tier: Some(TierChoice::Full),
            ..AgentArgs::default()
        };
        let by_option = settings(&args, text).unwrap();
        assert_eq!((by_option.stall_threshold_ns, by_option.redact), (7, false));
        assert_eq!((by_option.tier, by_option.listen.port()), (TierChoice::Full, 1));
    }

    #[test]
    fn what_can_not_be_is_told_with_its_place() {
        let none = AgentArgs::default();
        for (text, part) in [
            ("listen = 'x'", "agent.toml: listen `x`"),
            ("stall_threshold = '0'", "stall_threshold `0`"),
            ("tier = 'all'", "tier `all` can't be: write passive, turn or full"),
            ("overhead_budget = -1", "overhead_budget `-1`"),
            ("compat = 'statsd'", "compat `statsd` can't be: there is no `statsd`"),
            ("[[exclude]]", "excludes everybody"),
            ("[[target]]\nname = ' '\nmatch = {}", "empty name"),
        ] {
            let failure = settings(&none, text).unwrap_err();
            assert!(failure.message.contains(part), "{text}: {}", failure.message);
        }
    }
}
