//! Verdicts on hosts that lack something, and their reports.

use std::path::Path;

use loop_core::snapshot::{Source, Tier};

use super::*;
use crate::exit::Exit;
use crate::plan::{Missing, Plan, Point, Versions};
use crate::process::{Capability, Own, Process, Refusal};

/// A host that lacks nothing, run by root.
fn able() -> Host {
    Host {
        release: "6.12.0-1-amd64".to_owned(),
        architecture: "x86_64".to_owned(),
        btf: true,
        own: Own { user: 0, capabilities: (1 << 41) - 1, seccomp: 0 },
        in_user_namespace: false,
        unprivileged_bpf_disabled: Some(2),
        perf_event_paranoid: Some(2),
        ptrace_scope: Some(1),
        lockdown: Lockdown::None,
        uprobe_events: true,
        bpf: Trial::Works,
        uprobe_links: Trial::Works,
        memlock_bytes: Some(8 << 20),
        cgroups: Cgroups::V2,
    }
}

fn with(capabilities: &[Capability]) -> u64 {
    capabilities.iter().fold(0, |bits, &capability| bits | 1 << capability as u32)
}

fn plan(missing: &[(Point, &str)]) -> Plan {
    let missing = missing.iter().map(|&(point, reason)| Missing { point, reason: reason.into() });
    let versions = Versions {
        node: Some("20.20.2".to_owned()),
        uv: Some((1, 46, 0)),
        v8: Some("11.3.244.8".to_owned()),
    };
    Plan { missing: missing.collect(), versions, ..Plan::default() }
}

fn target(missing: &[(Point, &str)]) -> Target {
    Target::planned(4711, "server.js".to_owned(), plan(missing), missing.is_empty())
}

fn fails(errno: i32) -> Trial {
    Trial::Fails { errno: Some(errno), said: format!("error {errno}") }
}

/// What stands in the way of the full tier on this host, and what cures it.
fn check(host: &Host, want: &[&str]) {
    let verdict = verdict(host, &target(&[]));
    assert_eq!((verdict.source, verdict.tier), (Some(Source::Ebpf), Some(Tier::Passive)));
    assert!(verdict.refusal().is_none(), "the passive tier is possible");
    assert_eq!(verdict.below(Tier::Turn), verdict.missing.first());
    assert_eq!(verdict.below(Tier::Passive), None);
    let [cause] = &verdict.missing[..] else { panic!("one cause: {:?}", verdict.missing) };
    let line = cause.to_string();
    assert!(want.iter().all(|part| line.contains(part)), "{want:?} not in {line}");
    assert!(!line.contains('\n') && !cause.what.is_empty() && !cause.cure.is_empty());
}

#[test]
fn a_host_that_lacks_nothing_gives_the_full_tier() {
    let verdict = verdict(&able(), &target(&[]));
    assert_eq!((verdict.source, verdict.tier), (Some(Source::Ebpf), Some(Tier::Full)));
    assert!(verdict.missing.is_empty(), "{:?}", verdict.missing);
    assert_eq!(verdict.below(Tier::Full), None);
}

#[test]
fn the_capability_that_is_missing_is_named() {
    let own = Own { user: 1000, capabilities: 0, seccomp: 0 };
    let missing = "CAP_BPF and CAP_PERFMON are missing";
    check(&Host { own, ..able() }, &[missing, "; run as root, or `sudo setcap cap_bpf,"]);
    let own = Own { capabilities: with(&[Capability::Bpf]), ..own };
    check(&Host { own, ..able() }, &["CAP_PERFMON is missing", "; run as root"]);
    let own = Own { user: 0, ..own };
    check(
        &Host { own, ..able() },
        &["CAP_PERFMON is missing", "; start the container with `--cap"],
    );
    for enough in [&[Capability::Bpf, Capability::Perfmon][..], &[Capability::SysAdmin]] {
        let host = Host { own: Own { capabilities: with(enough), ..own }, ..able() };
        assert!(host.probes_missing().is_empty(), "{enough:?}");
    }
    let inside = Host { in_user_namespace: true, ..able() };
    check(&inside, &["in a user namespace", "run it outside"]);
}

#[test]
fn the_kernel_that_can_not_is_told() {
    check(&Host { btf: false, ..able() }, &["vmlinux is missing", "CONFIG_DEBUG_INFO_BTF=y"]);
    let old = Host { release: "5.10.0-8-amd64".to_owned(), ..able() };
    check(&old, &["kernel 5.10.0-8-amd64 is too old", "; boot 6.6 or a newer one"]);
    check(&Host { architecture: "aarch64".to_owned(), ..able() }, &["this is aarch64", "passive"]);
    let strict = Host { lockdown: Lockdown::Confidentiality, ..able() };
    check(&strict, &["locked down (confidentiality)", "lockdown=integrity"]);
    let integrity = Host { lockdown: Lockdown::Integrity, ..able() };
    assert!(integrity.probes_missing().is_empty(), "it forbids only what we don't do");
}

#[test]
fn probes_are_tried_or_taken_for_granted() {
    check(
        &Host { uprobe_links: fails(95), ..able() },
        &["in programs (error 95)", "CONFIG_UPROBES"],
    );
    let untried = Host { uprobe_links: Trial::NotTried, bpf: Trial::NotTried, ..able() };
    assert!(untried.probes_missing().is_empty());
    check(&Host { uprobe_events: false, ..untried }, &["sets no probes in programs; boot"]);
    // What is to be expected without rights, or of an old kernel, is not told as well.
    let own = Own { user: 1000, capabilities: 0, seccomp: 2 };
    let (bpf, uprobe_links) = (fails(1), fails(22));
    let host = Host { bpf, uprobe_links, own, ..able() };
    check(&host, &["CAP_BPF and CAP_PERFMON"]);
    let release = "6.1.0-9-amd64".to_owned();
    check(&Host { release, own: able().own, ..host }, &["kernel 6.1.0-9-amd64 is too old"]);
}

#[test]
fn a_forbidden_bpf_is_told_with_who_forbids_it() {
    let filtered = Own { seccomp: 2, ..able().own };
    let forbidden = Host { bpf: fails(1), own: filtered, ..able() };
    check(&forbidden, &["a seccomp filter forbids this process bpf()", "seccomp=unconfined"]);
    let silenced = Host { bpf: fails(38), ..forbidden };
    check(&silenced, &["a seccomp filter forbids this process bpf()"]);
    check(&Host { bpf: fails(13), ..able() }, &["although the rights are there", "SELinux"]);
    check(&Host { bpf: fails(38), ..able() }, &["has no bpf()", "CONFIG_BPF_SYSCALL=y"]);
    check(&Host { bpf: fails(7), ..able() }, &["error 7; see", "dmesg"]);
}

#[test]
fn without_its_memory_a_process_is_not_observed() {
    let cause = Cause::new("the memory of process 4711 can't be read", "run as root");
    let blind = Target { memory_missing: Some(cause.clone()), ..target(&[]) };
    let verdict = verdict(&able(), &blind);
    assert_eq!((verdict.source, verdict.tier), (None, None));
    assert_eq!(verdict.refusal(), Some(&cause));
    let failure = blind.failure(&verdict).expect("it can't be observed");
    assert_eq!((failure.exit, failure.message), (Exit::Refused, cause.to_string()));
    for unknown in [None, Some((2, 0, 0)), Some((1, 20, 0))] {
        let cause = target::layout_missing(unknown).expect("it is not known");
        assert!(cause.what.contains("libuv"), "{cause}");
    }
    assert_eq!(target::layout_missing(Some((1, 46, 0))), None);
}

#[test]
fn what_has_no_probe_is_told_by_reason() {
    let stripped = "it has no symbol `x`";
    let drains = target(&[(Point::DrainStart, stripped), (Point::DrainEnd, stripped)]);
    let judged = verdict(&able(), &drains);
    assert_eq!(judged.tier, Some(Tier::Turn));
    let lines: Vec<String> = judged.missing.iter().map(ToString::to_string).collect();
    let want = "microtask drains can't be seen: it has no symbol `x`; use a Node.js that was not \
                stripped, as those of nodejs.org";
    assert_eq!(lines, [want]);
    let uv = Point::ALL[..5].iter().map(|&point| (point, "no uv")).collect::<Vec<_>>();
    let all = [&uv[..], &[(Point::GcEnd, "no v8")]].concat();
    let judged = verdict(&able(), &target(&all));
    assert_eq!(judged.tier, Some(Tier::Passive));
    let whats: Vec<&str> = judged.missing.iter().map(|cause| cause.what.as_str()).collect();
    let phases = "turns, the timers phase, the idle phase, the prepare phase and the check phase";
    let pauses = "pauses of garbage collection can't be seen: no v8";
    assert_eq!(whats, [&format!("{phases} can't be seen: no uv"), pauses]);
}

#[test]
fn what_is_no_node_is_refused_with_exit_code_5() {
    let own = Process::open(std::process::id()).expect("it is there");
    let own = Target::of(&own, &mut Plans::default());
    assert!(own.is_of_no_interest());
    let failure = own.failure(&verdict(&able(), &own)).expect("it is refused");
    assert_eq!(failure.exit, Exit::Refused);
    let want = format!("process {} (", std::process::id());
    assert!(failure.message.starts_with(&want), "{failure}");
    assert!(failure.message.contains("is no Node.js; `loopscope doctor` lists"), "{failure}");
    let nobody = Target::look(u32::MAX, &mut Plans::default());
    let failure = nobody.failure(&verdict(&able(), &nobody));
    assert_eq!(failure.map(|failure| failure.exit), Some(Exit::Usage));
}

#[test]
fn other_systems_are_told_where_it_works() {
    let line = elsewhere("macos").to_string();
    assert!(line.contains("on Linux only, and this is macOS; run both in a Linux con"), "{line}");
    assert!(elsewhere("freebsd").what.ends_with("this is freebsd"));
}

/// A report with something of everything.
fn report() -> Report {
    let reason = "it has no symbol `v8::internal::Execution::TryRunMicrotasks`";
    let stripped = Target {
        own_pid: Some(7),
        name: "shop".to_owned(),
        pid: 4712,
        ..target(&[(Point::DrainStart, reason), (Point::DrainEnd, reason)])
    };
    let refused = Target::refused(4713, "sh".to_owned(), Refusal::not_node(4713, "sh"));
    let host = Host {
        own: Own { user: 1000, capabilities: with(&[Capability::SysPtrace]), seccomp: 2 },
        bpf: fails(1),
        uprobe_links: Trial::NotTried,
        memlock_bytes: None,
        ptrace_scope: None,
        ..able()
    };
    let targets = [target(&[]), stripped, refused];
    let judged = targets.map(|target| {
        let verdict = verdict(&host, &target);
        (target, verdict)
    });
    Report { host, targets: judged.into(), unseen: Some(2) }
}

/// `LOOPSCOPE_BLESS=1 cargo test -p loopscope --lib doctor` writes the files anew.
#[test]
fn reports_are_as_they_were() {
    let check = |name: &str, got: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        if std::env::var_os("LOOPSCOPE_BLESS").is_some() {
            std::fs::write(&path, got).expect("the golden file can be written");
        }
        let want = std::fs::read_to_string(&path).expect("the golden file is there");
        assert_eq!(got, want, "{name}");
    };
    let report = report();
    check("doctor.txt", &text(&report, 100));
    check("doctor.json", &json(&report).expect("it can be written"));
}

#[test]
fn text_fits_its_columns() {
    let report = report();
    let told = report.targets.iter().flat_map(|(_, verdict)| &verdict.missing);
    let words = told.flat_map(|cause| cause.what.split(' ').chain(cause.cure.split(' ')));
    let longest = words.map(str::len).max().unwrap_or_default() + 4;
    let table = 80;
    for columns in [60, 80, 100] {
        let text = text(&report, columns);
        let widest = text.lines().map(str::len).max().unwrap_or_default();
        assert!(widest <= columns.max(longest).max(table), "{columns}: {text}");
    }
    let alone = Report { targets: Vec::new(), unseen: Some(0), ..report };
    assert!(text(&alone, 80).ends_with("\nNo process of Node.js was found.\n"));
}
