//! The report for people.

use super::Report;
use super::host::{Cgroups, Host, Lockdown, Trial};
use super::target::Target;
use super::verdict::Verdict;
use crate::exit::Cause;
use crate::layout::{left_table, wrap};
use crate::process::Capability;

/// The report for people, at most so many columns wide where words allow.
pub fn text(report: &Report, columns: usize) -> String {
    let mut lines = vec!["This host".to_owned()];
    lines.extend(left_table(&host(&report.host)).into_iter().map(|line| format!("  {line}")));
    lines.push(String::new());
    let missing = report.host.probes_missing();
    if missing.is_empty() {
        lines.push("  Probes can be set.".to_owned());
    } else {
        lines.push("  Probes can't be set:".to_owned());
        lines.extend(causes(&missing, 2, columns));
    }
    for (target, verdict) in &report.targets {
        lines.push(String::new());
        lines.extend(target_lines(target, verdict, columns));
    }
    lines.extend(looked(report));
    lines.join("\n") + "\n"
}

/// What is to be said about the search, where there was one.
fn looked(report: &Report) -> Vec<String> {
    let Some(unseen) = report.unseen else { return Vec::new() };
    let mut lines = Vec::new();
    if report.targets.is_empty() {
        lines.push("No process of Node.js was found.".to_owned());
    }
    let cure = if report.host.own.user == 0 { "" } else { "; run as root" };
    match unseen {
        0 => {}
        1 => lines.push(format!("1 process could not be looked at{cure}.")),
        _ => lines.push(format!("{unseen} processes could not be looked at{cure}.")),
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

fn host(host: &Host) -> Vec<Vec<String>> {
    let held = Capability::ALL.into_iter().filter(|&capability| host.own.has(capability));
    let held: Vec<&str> = held.map(Capability::name).collect();
    let held = if held.is_empty() { "no capability of use".to_owned() } else { held.join(", ") };
    let of_container = if host.in_user_namespace { ", in a user namespace" } else { "" };
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    vec![
        row("kernel", format!("{}, {}", host.release, host.architecture)),
        row("types", (if host.btf { "described (BTF)" } else { "not described" }).to_owned()),
        row("rights", format!("user {}{of_container}: {held}", host.own.user)),
        row("bpf()", trial(&host.bpf)),
        row("probes", format!("links of many: {}; {}", trial(&host.uprobe_links), events(host))),
        row("lockdown", lockdown(host.lockdown).to_owned()),
        row("seccomp", (if host.own.seccomp == 0 { "no filter" } else { "a filter" }).to_owned()),
        row("settings", settings(host)),
        row("memlock", memlock(host)),
        row("cgroups", cgroups(host.cgroups).to_owned()),
    ]
}

fn trial(trial: &Trial) -> String {
    match trial {
        Trial::NotTried => "not tried".to_owned(),
        Trial::Works => "works".to_owned(),
        Trial::Fails { said, .. } => format!("fails ({said})"),
    }
}

fn events(host: &Host) -> &'static str {
    if host.uprobe_events { "as events: there" } else { "as events: missing" }
}

fn lockdown(level: Lockdown) -> &'static str {
    match level {
        Lockdown::None => "none",
        Lockdown::Integrity => "integrity",
        Lockdown::Confidentiality => "confidentiality",
    }
}

fn settings(host: &Host) -> String {
    let known = |name: &str, value: Option<String>| match value {
        Some(value) => format!("{name} {value}"),
        None => format!("no {name}"),
    };
    let disabled = host.unprivileged_bpf_disabled.map(|value| value.to_string());
    let paranoid = host.perf_event_paranoid.map(|value| value.to_string());
    let scope = host.ptrace_scope.map(|value| value.to_string());
    let texts = [
        known("unprivileged_bpf_disabled", disabled),
        known("perf_event_paranoid", paranoid),
        known("ptrace_scope", scope),
    ];
    texts.join(", ")
}

fn memlock(host: &Host) -> String {
    let limit = host.memlock_bytes.map(|bytes| format!("{} KiB", bytes / 1024));
    format!("{}; of no matter here", limit.as_deref().unwrap_or("unlimited"))
}

fn cgroups(mounted: Cgroups) -> &'static str {
    match mounted {
        Cgroups::None => "none",
        Cgroups::V1 => "version 1",
        Cgroups::Hybrid => "versions 1 and 2",
        Cgroups::V2 => "version 2",
    }
}

fn target_lines(target: &Target, verdict: &Verdict, columns: usize) -> Vec<String> {
    let mut head = format!("Process {}", target.pid);
    if !target.name.is_empty() {
        head += &format!(", {}", target.name);
    }
    if let Some(own) = target.own_pid {
        head += &format!(" ({own} in its own PID namespace)");
    }
    let mut lines = vec![head];
    if let Some(plan) = &target.plan {
        let versions = &plan.versions;
        let known = |text: Option<String>| text.unwrap_or_else(|| "of unknown version".to_owned());
        let uv = versions.uv.map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"));
        let stripped = if target.all_symbols { "" } else { ", stripped of symbols" };
        lines.push(format!(
            "  Node.js {}, libuv {}, V8 {}{stripped}",
            known(versions.node.clone()),
            known(uv),
            known(versions.v8.clone())
        ));
    }
    match (verdict.source, verdict.tier) {
        (Some(source), Some(tier)) => {
            lines.push(format!("  source {}, tier {}", source.name(), tier.name()));
        }
        _ => lines.push("  can't be observed".to_owned()),
    }
    lines.extend(causes(&verdict.missing, 2, columns));
    lines
}

/// Each cause with its cure below it.
fn causes(causes: &[Cause], indent: usize, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for cause in causes {
        let parts = [("- ", format!("{};", cause.what)), ("  ", cause.cure.clone())];
        for (mark, text) in parts {
            let wrapped = wrap(&text, columns.saturating_sub(indent + mark.len()));
            let marks = std::iter::once(mark).chain(std::iter::repeat("  "));
            let blanks = " ".repeat(indent);
            lines.extend(
                wrapped.iter().zip(marks).map(|(line, mark)| format!("{blanks}{mark}{line}")),
            );
        }
    }
    lines
}
