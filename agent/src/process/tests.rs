//! On processes of this machine.

use super::*;

#[test]
fn this_process_is_read_and_is_no_node() {
    let own = Process::open(std::process::id()).expect("it is there");
    assert!(own.is_same_image());
    assert_eq!(own.own_pid(), *own.status().namespace_pids.last().expect("since Linux 4.1"));
    let maps = own.maps().expect("they can be read");
    assert!(maps.iter().any(|mapping| mapping.executable && mapping.has_file()));
    assert!(maps.windows(2).all(|pair| pair[0].end <= pair[1].start));
    let modules = own.modules().expect("they can be read");
    assert!(modules.iter().all(|module| !module.holds.node), "{modules:?}");
}

#[test]
fn a_thread_is_seen_and_is_no_process() {
    let (tell, tid) = std::sync::mpsc::channel();
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let body = move || {
        tell.send(rustix::thread::gettid().as_raw_nonzero().get() as u32).expect("it is heard");
        let _ = wait.recv();
    };
    let thread = std::thread::Builder::new().name("a (thread)".to_owned()).spawn(body);
    let tid = tid.recv().expect("it is told");
    let own = Process::open(std::process::id()).expect("it is there");
    let threads = own.threads().expect("they can be read");
    let found = threads.iter().find(|thread| thread.tid == tid).expect("it is among them");
    assert_eq!(found.name, "a (thread)");
    assert!(threads.is_sorted_by_key(|thread| (thread.start_ticks, thread.tid)));
    let refusal = Process::open(tid).expect_err("it is a thread");
    assert_eq!(refusal.kind, Kind::NotFound);
    let process = std::process::id();
    let want = format!("{tid} is a thread of process {process}; name {process} instead");
    assert_eq!(refusal.to_string(), want);
    drop(end);
    thread.expect("it was started").join().expect("it ends");
}

#[test]
fn a_child_is_seen_until_it_ends_and_nothing_is_read_after_it() {
    let cat = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn();
    let mut cat = cat.expect("cat starts");
    let own = std::collections::BTreeSet::from([std::process::id()]);
    let children_of_own =
        || children_of(&ProcFs::default(), &own).expect("the processes can be listed");
    assert!(children_of_own().contains(&cat.id()));
    let child = Process::open(cat.id()).expect("it is there");
    assert!(child.is_same_image());
    drop(cat.stdin.take());
    while child.identity().is_alive() {
        std::thread::yield_now();
    }
    // It is a zombie now.
    assert!(!child.is_same_image());
    assert!(child.maps().is_err() && child.threads().is_err() && child.modules().is_err());
    assert!(!children_of_own().contains(&cat.id()));
    let refusal = Process::open(cat.id()).expect_err("it has ended");
    assert_eq!(refusal.kind, Kind::Ended);
    cat.wait().expect("it has ended");
    assert_eq!(Process::open(cat.id()).expect_err("it is gone").kind, Kind::NotFound);
}

#[test]
fn what_is_executed_in_place_is_another_program() {
    let mut shell = std::process::Command::new("sh")
        .args(["-c", "read line; exec cat"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("sh starts");
    // Until it is sh, it is this program.
    let pid = shell.id();
    let is = |name: &str| Process::open(pid).ok().filter(|found| found.name() == name);
    let first = std::iter::repeat_with(|| Process::open(pid).ok())
        .flatten()
        .find(|found| found.modules().is_ok() && comm(found).trim() == "sh")
        .expect("it comes");
    assert!(first.is_same_image());
    let mut input = shell.stdin.take().expect("it is piped");
    std::io::Write::write_all(&mut input, b"go\n").expect("it is read");
    let second = std::iter::repeat_with(|| is("cat")).flatten().next().expect("it comes");
    assert_eq!(second.identity(), first.identity());
    assert!(!first.is_same_image() && first.maps().is_err());
    assert!(second.is_same_image() && second.maps().is_ok());
    drop(input);
    shell.wait().expect("it ends");
}

fn comm(process: &Process) -> String {
    process
        .read("comm")
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

#[test]
fn threads_of_the_kernel_are_refused() {
    let text = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0\n";
    let laid = laid("kernel", &[("stat", text), ("status", "Tgid:\t2\nUid:\t0 0 0 0\n")]);
    let refusal = Process::open_in(&laid, 2).expect_err("it is no program");
    assert_eq!(refusal.kind, Kind::KernelThread);
    let line = refusal.to_string();
    assert!(line.starts_with("process 2 (kthreadd) is a thread of the kernel; "), "{line}");
}

/// A `/proc` of our own, removed in the end.
struct Laid(ProcFs);

impl std::ops::Deref for Laid {
    type Target = ProcFs;

    fn deref(&self) -> &ProcFs {
        &self.0
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.root());
    }
}

/// A `/proc` with one process, 2.
fn laid(test: &str, files: &[(&str, &str)]) -> Laid {
    let root = std::env::temp_dir().join(format!("loopscope-{test}-{}", std::process::id()));
    std::fs::create_dir_all(root.join("2")).expect("it can be made");
    for (name, text) in files {
        std::fs::write(root.join("2").join(name), text).expect("it can be written");
    }
    Laid(ProcFs::at(root))
}

/// Without the kernel's own links to what is mapped, as for who may not follow them.
#[test]
fn a_file_is_opened_by_its_path_only_if_it_is_the_one_that_is_mapped() {
    let laid = laid("mapped", &[("stat", &stat_line('S')), ("status", "Tgid:\t2\n")]);
    let root = laid.root().join("2/root");
    std::fs::create_dir(&root).expect("it can be made");
    let mut maps = String::new();
    let mut map = |name: &str, mark: &str, inode_off_by: u64| {
        let found = std::fs::metadata(root.join(name)).expect("it is there");
        let start = 0x40_0000 + maps.len() as u64 * 0x1000;
        let (major, minor) = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
        let inode = found.ino() + inode_off_by;
        let range = format!("{start:x}-{:x}", start + 0x1000);
        maps += &format!("{range} r-xp 0 {major:x}:{minor:x} {inode} /{name}{mark}\n");
    };
    for name in ["right", "other", "removed"] {
        std::fs::write(root.join(name), name).expect("it can be written");
    }
    let pipe = std::process::Command::new("mkfifo").arg(root.join("pipe")).status();
    assert!(pipe.expect("mkfifo is there").success());
    map("right", "", 0);
    map("other", "", 1 << 40);
    map("removed", " (deleted)", 0);
    map("pipe", "", 0);
    std::fs::write(laid.path(2, "maps"), maps).expect("it can be written");
    let process = Process::open_in(&laid, 2).expect("it is there");
    let modules = process.all_modules().expect("they can be read");
    assert!(modules.files.is_empty(), "they export nothing");
    let mut unopened: Vec<String> = modules
        .unopened
        .iter()
        .map(|(path, error)| format!("{} {error}", path.display()))
        .collect();
    unopened.sort();
    let wants = ["/other /other, which is mapped, can't be found", "/pipe", "/removed"];
    assert_eq!(unopened.len(), wants.len(), "{unopened:?}");
    assert!(unopened.iter().zip(wants).all(|(line, want)| line.starts_with(want)), "{unopened:?}");
    assert!(unopened.iter().all(|line| line.contains("CAP_CHECKPOINT_RESTORE")), "{unopened:?}");
    let error = process.modules().expect_err("one may hold Node");
    assert!(error.to_string().contains("which is mapped"), "{error}");
}

fn stat_line(state: char) -> String {
    format!("2 (node) {state} 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0\n")
}

#[test]
fn a_zombie_has_ended_and_what_is_cut_off_is_no_process() {
    let status = ("status", "Tgid:\t2\nUid:\t0 0 0 0\n");
    let zombie = laid("zombie", &[("stat", &stat_line('Z')), status]);
    assert_eq!(Process::open_in(&zombie, 2).expect_err("it has ended").kind, Kind::Ended);
    let cut = laid("cut", &[("stat", "2 (no"), status]);
    assert_eq!(Process::open_in(&cut, 2).expect_err("it is cut off").kind, Kind::NotFound);
    // It has ended between two reads.
    let quick = laid("quick", &[("stat", &stat_line('S')), status]);
    assert_eq!(Process::open_in(&quick, 2).expect_err("it has no maps").kind, Kind::Ended);
    let empty = laid("empty", &[("stat", &stat_line('S')), status, ("maps", "")]);
    assert_eq!(Process::open_in(&empty, 2).expect_err("nothing is mapped").kind, Kind::Ended);
}

#[test]
fn what_is_executed_is_looked_into_again_when_it_is_another_file() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut nodes = std::env::split_paths(&path).map(|folder| folder.join("node"));
    let Some(node) = nodes.find(|path| path.is_file()) else {
        return println!("SKIPPED: what is executed: no `node` in the search path");
    };
    let laid = laid("executed", &[]);
    let link = laid.path(2, "exe");
    let mut discovery = Discovery::default();
    for (program, wanted) in [("/bin/sh".into(), 0), (node, 1), ("/bin/sh".into(), 0)] {
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(program, &link).expect("it can be made");
        for _ in 0..2 {
            let found = discovery.look(&laid).expect("it can be listed");
            assert_eq!((found.nodes.len(), found.unseen), (wanted, 0));
        }
    }
}
