//! In whose name: the attributes of resources, by OpenTelemetry's semantic conventions.
//!
//! Metrics come from the agent: each point says of which process it is. Log records come from the
//! process that stalled, whose name, number and runtime the exporter adds.
//!
//! **Invariant**: what the user gives outranks what is found out, and is told as it was given.

use std::fs;
use std::process;

/// Whose metrics they are, where the user says nothing else.
const SERVICE_NAME: &str = "loopscope";

/// The agent itself, on a host of this name.
pub(super) fn of_agent(given: &[(String, String)], host: Option<&str>) -> Vec<(String, String)> {
    let instance = host.map(|host| format!("{host}:{}", process::id()));
    let known = [
        ("service.name", Some(SERVICE_NAME.to_owned())),
        ("service.version", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("service.instance.id", instance),
        ("host.name", host.map(str::to_owned)),
    ];
    with(given, known)
}

/// What all observed processes have in common, on a host of this name.
pub(super) fn of_targets(given: &[(String, String)], host: Option<&str>) -> Vec<(String, String)> {
    with(given, [("host.name", host.map(str::to_owned))])
}

fn with<const N: usize>(
    given: &[(String, String)],
    known: [(&str, Option<String>); N],
) -> Vec<(String, String)> {
    let mut all = given.to_vec();
    for (name, value) in known {
        if let Some(value) = value.filter(|_| !given.iter().any(|(of, _)| of == name)) {
            all.push((name.to_owned(), value));
        }
    }
    all
}

/// What this host calls itself; `None` where no file says.
pub(super) fn host_name() -> Option<String> {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let name = files.iter().find_map(|file| fs::read_to_string(file).ok())?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_outranks_what_is_known() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let given = [pair("service.name", "shop"), pair("team", "x"), pair("host.name", "h")];
        let agent = of_agent(&given, Some("other"));
        assert_eq!(agent[..3], given);
        assert!(agent.contains(&pair("service.version", env!("CARGO_PKG_VERSION"))));
        assert_eq!(agent.iter().filter(|(name, _)| name == "service.name").count(), 1);
        assert_eq!(of_targets(&given, Some("other")), given);
        let alone = of_agent(&[], Some("other"));
        assert!(alone.contains(&pair("service.name", "loopscope")), "{alone:?}");
        let instance = format!("other:{}", process::id());
        assert!(alone.contains(&pair("service.instance.id", &instance)), "{alone:?}");
        assert_eq!(of_targets(&[], Some("other")), [pair("host.name", "other")]);
        assert_eq!(of_targets(&[], None), []);
    }
}
