//! `exec` and signals: each reaches the command once, and the end of the command is the end of it.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use common::{command, finish, folder, run, signal, until, wait};

/// A command that has said that it is ready, and the rest of its output.
fn ready(script: &str) -> (Child, BufReader<ChildStdout>) {
    said_ready(command(&["exec", "--", "sh", "-c", script]))
}

fn said_ready(mut command: Command) -> (Child, BufReader<ChildStdout>) {
    let mut child = command.spawn().expect("it starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n");
    (child, stdout)
}

fn rest(mut stdout: BufReader<ChildStdout>) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut text).expect("UTF-8");
    text
}

#[test]
fn signals_are_passed_on_once() {
    for (number, name) in ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"].iter().enumerate()
    {
        let code = 40 + number as i32;
        let script = format!(
            "n=0; trap 'echo {name}; n=$((n+1))' {name}; echo ready
             while [ $n = 0 ]; do sleep 0.02; done; sleep 0.2; exit $(({code} + n - 1))"
        );
        let (mut child, stdout) = ready(&script);
        signal(&child, name);
        assert_eq!(wait(&mut child), Some(code), "{name}");
        assert_eq!(rest(stdout), format!("{name}\n"));
    }
}

#[test]
fn a_command_that_a_signal_ends_gives_its_status() {
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131), ("USR2", 140)] {
        let (mut child, _stdout) = ready("ulimit -c 0; echo ready; exec sleep 1000");
        // The shell may not have become it.
        std::thread::sleep(Duration::from_millis(50));
        signal(&child, name);
        assert_eq!(wait(&mut child), Some(code), "{name}");
    }
}

/// The state of a process as the kernel has it.
fn state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?')
}

fn line(stdout: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    line.trim().to_owned()
}

/// Says its number, answers USR1 by a line in a file, and ends with 7; by itself after a minute.
fn answers(file: &Path) -> String {
    let file = file.display();
    format!(
        "trap 'exit 7' TERM; trap 'echo here >> {file}' USR1; echo ready; echo $$
        n=0; while [ $n -lt 3000 ]; do n=$((n+1)); sleep 0.02; done"
    )
}

/// Sends USR1 so often, and waits for each answer: all of them go through us.
fn ask(child: &Child, file: &Path, times: usize) {
    for _ in 0..times {
        let told = || fs::read_to_string(file).unwrap_or_default().lines().count();
        let before = told();
        signal(child, "USR1");
        until("the answer", || told() > before);
    }
}

/// Does not stay behind where the test fails, stopped as it may be.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whatever the tests were started in: with a parent in the session and in another process group,
/// this one is not orphaned.
#[test]
fn a_stop_stops_both_and_they_go_on_together() {
    let file = folder("a_stop_stops_both").join("answers");
    let mut exec = command(&["exec", "--", "sh", "-c", &answers(&file)]);
    exec.process_group(0);
    let (child, mut stdout) = said_ready(exec);
    let mut killed = Killed(child);
    let child = &mut killed.0;
    let pid: u32 = line(&mut stdout).parse().expect("a number");
    for _ in 0..3 {
        signal(child, "TSTP");
        until("the stop", || state(child.id()) == 'T' && state(pid) == 'T');
        signal(child, "CONT");
        until("the start", || state(child.id()) != 'T' && state(pid) != 'T');
    }
    ask(child, &file, 1);
    signal(child, "TERM");
    assert_eq!(wait(child), Some(7));
}

/// `exec` in a session of its own, so that its process group is orphaned: the kernel discards
/// what would stop the command.
fn orphaned(script: &str) -> Command {
    let exec = command(&["exec", "--", "sh", "-c", script]);
    let mut command = Command::new("setsid");
    command.arg(exec.get_program()).args(exec.get_args());
    for (name, value) in exec.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_command_that_does_not_stop_goes_on_with_us() {
    let file = folder("a_command_that_does_not_stop").join("answers");
    let answers = answers(&file);
    let ignores = format!("trap '' TSTP; {answers}");
    let in_group = |script: &str| {
        let mut exec = command(&["exec", "--", "sh", "-c", script]);
        exec.process_group(0);
        exec
    };
    for exec in [orphaned(&answers), in_group(&ignores)] {
        let (child, _stdout) = said_ready(exec);
        let mut killed = Killed(child);
        let child = &mut killed.0;
        signal(child, "TSTP");
        ask(child, &file, 5);
        assert_ne!(state(child.id()), 'T');
        signal(child, "TERM");
        assert_eq!(wait(child), Some(7));
    }
}

#[test]
fn what_we_were_started_to_ignore_the_command_ignores() {
    let script = "trap '' HUP; exec \"$0\" exec -- sh -c 'echo ready; sleep 0.5; echo end'";
    let mut child = Command::new("sh");
    child.args(["-c", script, env!("CARGO_BIN_EXE_loopscope")]);
    child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = child.spawn().expect("sh is there");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    signal(&child, "HUP");
    assert_eq!(wait(&mut child), Some(0));
    assert_eq!(rest(stdout), "end\n");
}

/// Runs `exec -- sh -c SCRIPT` on a terminal, types Ctrl-C so many times, and prints what was shown
/// and the status.
const ON_A_TERMINAL: &str = r#"
import os, pty, signal, sys, time
program, script, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
pid, terminal = pty.fork()
if pid == 0:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.execv(program, [program, 'exec', '--', 'sh', '-c', script])
shown = b''
def read():
    global shown
    try:
        shown += os.read(terminal, 4096)
        return True
    except OSError:
        return False
while b'ready' not in shown and read():
    pass
for n in range(times):
    os.write(terminal, b'\x03')
    time.sleep(0.5)
while read():
    pass
status = os.waitpid(pid, 0)[1]
print(shown.decode().replace('\r', ''), end='')
print('status', os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1)
"#;

#[test]
fn ctrl_c_on_a_terminal_reaches_the_command_once() {
    let script = "n=0; trap 'n=$((n+1)); echo got $n' INT; echo ready
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.1; done; exit $n";
    for times in [1, 2] {
        let mut python = Command::new("python3");
        python.args(["-c", ON_A_TERMINAL, env!("CARGO_BIN_EXE_loopscope"), script]);
        python.arg(times.to_string()).stdout(std::process::Stdio::piped());
        python.stderr(std::process::Stdio::piped()).stdin(std::process::Stdio::null());
        let ran = finish(python.spawn().expect("python3 is there"));
        let got = ran.stdout.lines().filter(|line| line.contains("got")).count();
        assert_eq!(got, times, "{ran:?}");
        // It is waited for, and then it is told what there is to tell.
        assert!(ran.stdout.contains("is it Node.js?"), "{ran:?}");
        assert!(ran.stdout.ends_with(&format!("status {times}\n")), "{ran:?}");
    }
}

#[test]
fn a_timeout_ends_all_that_the_command_has_started() {
    let ran = run(&[
        "exec",
        "--timeout",
        "300ms",
        "--",
        "sh",
        "-c",
        "sleep 1000 & echo $!; sh -c 'echo $$; while :; do sleep 0.02; done' & wait",
    ]);
    assert_eq!(ran.code, Some(124), "{ran:?}");
    let pids: Vec<u32> = ran.stdout.lines().filter_map(|line| line.parse().ok()).collect();
    assert_eq!(pids.len(), 2, "{ran:?}");
    until("their end", || pids.iter().all(|&pid| matches!(state(pid), '?' | 'Z')));
}

#[test]
fn a_command_that_ignores_its_end_is_killed() {
    let script = "trap '' TERM INT; echo x; while :; do sleep 0.02; done";
    let ran = run(&["exec", "--timeout", "200ms", "--", "sh", "-c", script]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(124), "x\n"), "{ran:?}");
}
