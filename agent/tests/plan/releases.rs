//! Node's own releases, against what other tools say about the same files.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use loopscope::{
    elf::Image,
    plan::{Plan, Point, Probe, plan},
};

use crate::nodes;

/// The symbols that are the first instruction of a probe.
const ENTRIES: [(Point, &str); 7] = [
    (Point::RunTimers, "uv__run_timers"),
    (Point::RunIdle, "uv__run_idle"),
    (Point::RunPrepare, "uv__run_prepare"),
    (Point::IoPoll, "uv__io_poll"),
    (Point::RunCheck, "uv__run_check"),
    (Point::DrainStart, "_ZN2v88internal9Execution16TryRunMicrotasksE"),
    (Point::Begin, "_ZN4node11performance21MarkBootstrapCompleteE"),
];

/// Where drains were seen to end, with their exact lengths.
const DRAIN_ENDS: [(&str, u64); 5] = [
    ("18.20.8", 0xee_26a6),
    ("20.20.2", 0x107_e64a),
    ("22.23.3", 0x13d_d7de),
    ("24.21.0", 0xe5_ab2d),
    ("26.10.0", 0xe8_4de5),
];

fn images(paths: &[PathBuf]) -> Vec<Image> {
    paths.iter().map(|path| Image::read(File::open(path).unwrap()).unwrap()).collect()
}

fn plan_of(path: &Path) -> Plan {
    plan(&images(&[path.to_owned()])).unwrap()
}

/// What `nm` says: name and address of each symbol.
fn nm(path: &Path) -> Option<BTreeMap<String, u64>> {
    let output = Command::new("nm").arg(path).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let symbols = text.lines().filter_map(|line| {
        let (address, name) = line.split_once(' ')?;
        Some((name.get(2..)?.to_owned(), u64::from_str_radix(address, 16).ok()?))
    });
    Some(symbols.collect())
}

/// Checks that the bytes of each probe are those of the file.
fn check_bytes(probe: &Probe, path: &Path) {
    let mut bytes = [0; 16];
    File::open(path).unwrap().read_exact_at(&mut bytes, probe.file_offset).unwrap();
    assert_eq!(bytes, probe.bytes, "{probe:?}");
    let emulated = matches!(bytes[..2], [0x50..=0x57 | 0x70..=0x7f, _] | [0x41, 0x50..=0x57])
        || matches!(bytes[..2], [0x0f, 0x80..=0x8f] | [0xe8 | 0xe9 | 0xeb, _]);
    assert!(emulated && !probe.stepped, "{probe:?}");
}

/// Checks that `objdump` has the probe behind a call of a function, and no jump between the two.
fn check_behind_call(probe: &Probe, path: &Path, callee: &str) {
    let (start, end) = (probe.address - 64, probe.address + 16);
    let output = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn"])
        .args([format!("--start-address={start}"), format!("--stop-address={end}")])
        .arg(path)
        .output();
    let Ok(output) = output else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Disassembly that begins in the middle of an instruction falls in step long before the call.
    let behind = text.lines().skip_while(|line| !(line.contains("call") && line.contains(callee)));
    let mut behind = behind.skip(1).filter_map(|line| line.trim().split_once(":\t"));
    let is_jump = |(_, text): &(&str, &str)| text.starts_with('j') || text.starts_with("call");
    let (address, _) = behind.find(is_jump).unwrap_or_else(|| panic!("{probe:?}\n{text}"));
    assert_eq!(u64::from_str_radix(address, 16), Ok(probe.address), "{text}");
}

/// What the program says about itself when it is run.
fn versions(path: &Path) -> (String, String, String) {
    let script = "const v = process.versions; console.log(v.node, v.uv, v.v8)";
    let output = Command::new(path).args(["-e", script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let [node, uv, v8] = words[..] else { panic!("{text}") };
    let v8 = v8.split('-').next().unwrap_or_default();
    (node.to_owned(), uv.to_owned(), v8.to_owned())
}

fn said(plan: &Plan) -> (String, String, String) {
    let (major, minor, patch) = plan.versions.uv.unwrap();
    let uv = format!("{major}.{minor}.{patch}");
    (plan.versions.node.clone().unwrap(), uv, plan.versions.v8.clone().unwrap())
}

fn check_release(version: &str, path: &Path) {
    let started = Instant::now();
    let plan = plan_of(path);
    println!("the plan of Node {version} took {:?}", started.elapsed());
    assert_eq!(plan.missing, [], "Node {version}");
    plan.probes.iter().for_each(|probe| check_bytes(probe, path));
    let one = |point| plan.probes_of(point).next().unwrap();
    if let Some(symbols) = nm(path) {
        for (point, name) in ENTRIES {
            let (_, &address) = symbols.range(name.to_owned()..).next().unwrap();
            assert_eq!(one(point).address, address, "{point:?} of Node {version}");
        }
        let data = &plan.data;
        let symbol = |name: &str| Some((0, symbols[name]));
        assert_eq!(data.default_loop, symbol("default_loop_struct"));
        assert_eq!(data.microtask_queue_vtable, symbol("_ZTVN2v88internal14MicrotaskQueueE"));
        check_behind_call(one(Point::DrainEnd), path, "TryRunMicrotasks");
        for end in plan.probes_of(Point::GcEnd) {
            check_behind_call(end, path, "PerformGarbageCollection");
        }
    }
    if let Some((_, end)) = DRAIN_ENDS.iter().find(|(known, _)| *known == version) {
        assert_eq!(one(Point::DrainEnd).address, *end);
    }
    assert_eq!(plan.data.finished_count_offset, Some(40));
    assert_eq!(plan.data.size_offset, Some(8));
    assert_eq!(said(&plan), versions(path));
    assert_eq!(plan.versions.node.as_deref(), Some(version));
}

#[test]
fn official_releases_have_all_points() {
    for (version, path) in nodes::official() {
        check_release(&version, &path);
    }
}

/// `strip` leaves what is exported: all of libuv's interface, V8's own functions until Node 22.
#[test]
fn stripped_releases_keep_their_phases_and_say_what_is_gone() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("stripped");
    fs::create_dir_all(&folder).unwrap();
    for (version, path) in nodes::official() {
        let stripped = folder.join(format!("{version}-{}", std::process::id()));
        let ran = Command::new("strip").arg("-o").args([&stripped, &path]).status();
        if !ran.is_ok_and(|status| status.success()) {
            return println!("SKIPPED: plans of stripped programs: no `strip`");
        }
        check_stripped(&version, &path, &stripped);
        fs::remove_file(&stripped).unwrap();
    }
}

fn check_stripped(version: &str, path: &Path, stripped: &Path) {
    let (whole, plan) = (plan_of(path), plan_of(stripped));
    let addresses = |plan: &Plan, point| -> Vec<u64> {
        plan.probes_of(point).map(|probe| probe.address).collect()
    };
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    for point in Point::ALL {
        let gone = match point {
            Point::DrainStart | Point::DrainEnd => major >= 24,
            // Node 18 and 19 export a copy that nothing calls.
            Point::GcStart | Point::GcEnd => major >= 24 || major <= 19,
            _ => false,
        };
        let why = plan.why_missing(point);
        assert_eq!(why.is_some(), gone, "{point:?} of {version}: {why:?}");
        if !gone {
            assert_eq!(addresses(&plan, point), addresses(&whole, point), "{point:?}, {version}");
        }
    }
    plan.probes.iter().for_each(|probe| check_bytes(probe, stripped));
    assert_eq!(plan.data.default_loop, whole.data.default_loop);
    assert_eq!(plan.versions.node, whole.versions.node);
    assert_eq!(plan.versions.uv, whole.versions.uv);
    let queue = plan.data.microtask_queue_vtable;
    assert_eq!(queue, whole.data.microtask_queue_vtable.filter(|_| major < 24));
}

#[test]
fn debians_node_has_all_points_in_two_libraries() {
    let Some(paths) = nodes::debian() else {
        return println!("SKIPPED: the plan of Debian's Node: `.ci/node-versions` fetches it");
    };
    let plan = plan(&images(&paths)).unwrap();
    assert_eq!(plan.missing, []);
    for probe in &plan.probes {
        check_bytes(probe, &paths[probe.module]);
        let of_uv = probe.point <= Point::RunCheck;
        assert_eq!(probe.module, if of_uv { 2 } else { 1 }, "{probe:?}");
    }
    let end = plan.probes_of(Point::DrainEnd).next().unwrap();
    check_behind_call(end, &paths[1], "TryRunMicrotasks");
    for end in plan.probes_of(Point::GcEnd) {
        check_behind_call(end, &paths[1], "PerformGarbageCollection");
    }
    assert_eq!(plan.probes_of(Point::GcEnd).count(), 4);
    assert_eq!(plan.data.default_loop.map(|(module, _)| module), Some(2));
    assert_eq!(plan.data.microtask_queue_vtable.map(|(module, _)| module), Some(1));
    assert_eq!(plan.data.finished_count_offset, Some(40));
    let (node, _, v8) = said(&plan);
    assert!(node.starts_with("18."), "{node}");
    assert!(v8.starts_with("10.2."), "{v8}");
}

#[test]
fn other_programs_are_no_node() {
    let own = std::env::current_exe().unwrap();
    for path in [own.as_path(), Path::new("/bin/sh"), Path::new("/usr/bin/python3")] {
        let Ok(file) = File::open(path) else { continue };
        let Ok(image) = Image::read(file) else { continue };
        let error = plan(&[image]).unwrap_err().to_string();
        assert!(error.contains("node::Start"), "{}: {error}", path.display());
    }
}
