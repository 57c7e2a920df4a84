//! The report as JSON, schema `loopscope.doctor/1`. What isn't known is `null`.

use loop_core::snapshot::Runtime;
use serde::Serialize;

use super::Report;
use super::host::{Cgroups, Host, Lockdown, Trial};
use super::target::Target;
use super::verdict::Verdict;
use crate::exit::Cause;
use crate::process::Capability;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    host: HostFacts<'a>,
    /// What stands in the way of probes on this host; empty if they can be set.
    probes_missing: Vec<Cause>,
    targets: Vec<TargetFacts<'a>>,
    /// Processes that could not be looked at; `null` if none were looked for.
    unseen_processes: Option<usize>,
}

#[derive(Serialize)]
struct HostFacts<'a> {
    system: &'static str,
    kernel: &'a str,
    architecture: &'a str,
    btf: bool,
    user: u32,
    capabilities: Vec<&'static str>,
    in_user_namespace: bool,
    seccomp: bool,
    unprivileged_bpf_disabled: Option<u8>,
    perf_event_paranoid: Option<i8>,
    ptrace_scope: Option<u8>,
    lockdown: Lockdown,
    bpf: Option<bool>,
    uprobe_links: Option<bool>,
    uprobe_events: bool,
    memlock_bytes: Option<u64>,
    cgroups: Cgroups,
}

#[derive(Serialize)]
struct TargetFacts<'a> {
    pid: u32,
    own_pid: u32,
    name: Option<&'a str>,
    runtime: Option<&'static str>,
    runtime_version: Option<&'a str>,
    uv_version: Option<String>,
    v8_version: Option<&'a str>,
    all_symbols: Option<bool>,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// The report as JSON.
///
/// # Errors
/// None that a report can cause.
pub fn json(report: &Report) -> serde_json::Result<String> {
    let targets = report.targets.iter().map(|(target, verdict)| facts(target, verdict));
    let document = Document {
        schema: "loopscope.doctor/1",
        host: host(&report.host),
        probes_missing: report.host.probes_missing(),
        targets: targets.collect(),
        unseen_processes: report.unseen,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn host(host: &Host) -> HostFacts<'_> {
    let held = Capability::ALL.into_iter().filter(|&capability| host.own.has(capability));
    HostFacts {
        system: "linux",
        kernel: &host.release,
        architecture: &host.architecture,
        btf: host.btf,
        user: host.own.user,
        capabilities: held.map(Capability::name).collect(),
        in_user_namespace: host.in_user_namespace,
        seccomp: host.own.seccomp != 0,
        unprivileged_bpf_disabled: host.unprivileged_bpf_disabled,
        perf_event_paranoid: host.perf_event_paranoid,
        ptrace_scope: host.ptrace_scope,
        lockdown: host.lockdown,
        bpf: works(&host.bpf),
        uprobe_links: works(&host.uprobe_links),
        uprobe_events: host.uprobe_events,
        memlock_bytes: host.memlock_bytes,
        cgroups: host.cgroups,
    }
}

fn works(trial: &Trial) -> Option<bool> {
    match trial {
        Trial::NotTried => None,
        Trial::Works => Some(true),
        Trial::Fails { .. } => Some(false),
    }
}

fn facts<'a>(target: &'a Target, verdict: &'a Verdict) -> TargetFacts<'a> {
    let plan = target.plan.as_ref();
    let versions = plan.map(|plan| &plan.versions);
    TargetFacts {
        pid: target.pid,
        own_pid: target.own_pid.unwrap_or(target.pid),
        name: (!target.name.is_empty()).then_some(target.name.as_str()),
        runtime: plan.map(|_| Runtime::NodeJs.name()),
        runtime_version: versions.and_then(|versions| versions.node.as_deref()),
        uv_version: versions.and_then(|versions| {
            versions.uv.map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"))
        }),
        v8_version: versions.and_then(|versions| versions.v8.as_deref()),
        all_symbols: plan.map(|_| target.all_symbols),
        verdict,
    }
}
