//! `--redact`: names of the observed program become short hashes before anything is told.
//!
//! ```text
//! source -> Redacted -> Snapshot without names -> diagnosis, report, profiles, metrics
//! ```
//!
//! The names of functions, files, processes, and of what was waited for are hashed; so are the
//! words of a command line, and the host's name where it goes with what is pushed. What is Node's
//! or V8's own stays: it says what was done, and nothing of the program. Numbers, lines, process
//! ids and the text of loopscope stay, too.
//!
//! The same name has the same hash in all that one run tells. The hash is keyed (SipHash) by a
//! random number that is told nobody and is another one in each run, so that guessed names can't be
//! looked up. It has 40 bits: of 1,000 names, two share a hash once in two million runs.
//!
//! **Invariant**: whatever stands where a name is expected is hashed whole, also where it can't be
//! taken apart.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use loop_core::snapshot::{Culprit, ProfileFrame, Snapshot, Stall, Target};
use loop_core::stacks::TOP_LEVEL;

use crate::report::{CommandRun, InvocationRun, PendingRun, ScriptRun};
use crate::source::{Census, Observe};

/// Hashes names, by a key of its own.
#[derive(Clone, Debug, Default)]
pub struct Redactor(RandomState);

/// A source without names.
struct Redacted {
    observed: Arc<dyn Observe>,
    names: Redactor,
}

impl Observe for Redacted {
    fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.observed.snapshot();
        self.names.redact(&mut snapshot);
        snapshot
    }

    fn stalls_ended(&self) -> Option<u64> {
        self.observed.stalls_ended()
    }

    fn may_be_held_up(&self) -> bool {
        self.observed.may_be_held_up()
    }

    fn census(&self) -> Option<Census> {
        self.observed.census()
    }
}

/// What a hash stands for.
#[derive(Clone, Copy)]
enum Kind {
    Function,
    File,
    Name,
    Peer,
}

/// Behind a frame that has no file.
const NATIVE: &str = " (native)";

/// Before the other end of a socket or pipe. What is longer comes first.
const PEERS: [&str; 9] = [
    "tcp at ",
    "udp at ",
    "unix at ",
    "unix socket of ",
    "tcp ",
    "udp ",
    "unix ",
    "pipe from ",
    "pipe to ",
];

/// Before the file of a frame, and before one that is Node's own.
const INTERNAL: &str = "node:";

/// Before the number and name of a process in a note, and a command of ours before a number.
const PROCESS: &str = "process ";
const ATTACH: &str = "loopscope attach ";

impl Redactor {
    /// The same source without names.
    pub fn hide(&self, observed: Arc<dyn Observe>) -> Arc<dyn Observe> {
        Arc::new(Redacted { observed, names: self.clone() })
    }

    /// Takes the names out of a snapshot.
    pub fn redact(&self, snapshot: &mut Snapshot) {
        for target in &mut snapshot.targets {
            target.name = self.name(&target.name);
            for limit in &mut target.limits {
                limit.what = self.without_paths(&limit.what);
                limit.why = self.without_paths(&limit.why);
            }
        }
        for stall in snapshot.loops.iter_mut().flat_map(|of| &mut of.stalls) {
            self.stall(stall);
        }
    }

    /// What a script was, and what it said.
    pub fn script(&self, run: &ScriptRun) -> ScriptRun {
        let invocations = run.invocations.as_ref();
        let hidden = |of: &InvocationRun| InvocationRun {
            result: of.result.as_deref().map(|text| self.name(text)),
            error: of.error.as_deref().map(|text| self.name(text)),
            pending: of.pending.iter().map(|left| self.pending(left)).collect(),
            ..of.clone()
        };
        ScriptRun {
            file: self.name(&run.file),
            arguments: run.arguments.iter().map(|word| self.name(word)).collect(),
            invocations: invocations.map(|all| all.iter().map(hidden).collect()),
            ..run.clone()
        }
    }

    /// What a command was, and what is to be known of how it and these targets were observed.
    pub fn command(&self, run: &CommandRun, targets: &[Target]) -> CommandRun {
        CommandRun {
            arguments: run.arguments.iter().map(|word| self.name(word)).collect(),
            notes: run.notes.iter().map(|note| self.note(note, targets)).collect(),
            ..run.clone()
        }
    }

    /// A sentence of ours in which files, processes, a command, and these targets, may be named.
    pub fn note(&self, note: &str, targets: &[Target]) -> String {
        let note = self.without_quoted(&self.without_process(note));
        let mut names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        // A name may be a part of another one.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let named = names.into_iter().filter(|name| !name.is_empty());
        let hide = |note: String, name: &str| note.replace(name, &self.name(name));
        self.without_paths(&named.fold(note, hide))
    }

    /// `process 123 (NAME) goes on ...`: no other parenthesis is behind the name.
    fn without_process(&self, note: &str) -> String {
        let named = note.strip_prefix(PROCESS).and_then(|rest| rest.split_once(" ("));
        let named = named.filter(|(pid, _)| is_number(pid));
        match named.and_then(|(pid, rest)| Some((pid, rest.rsplit_once(')')?))) {
            Some((pid, (name, rest))) => format!("{PROCESS}{pid} ({}){rest}", self.name(name)),
            None => note.to_owned(),
        }
    }

    /// What stands in backticks, which a name may have as well: a command, but for our own.
    fn without_quoted(&self, note: &str) -> String {
        let quoted = note.split_once('`').and_then(|(before, rest)| {
            let (inner, behind) = rest.rsplit_once('`')?;
            Some((before, inner, behind))
        });
        match quoted {
            Some((_, inner, _)) if inner.strip_prefix(ATTACH).is_some_and(is_number) => {
                note.to_owned()
            }
            Some((before, inner, behind)) => format!("{before}`{}`{behind}", self.name(inner)),
            None => note.to_owned(),
        }
    }

    /// The hash of any name.
    pub fn name(&self, name: &str) -> String {
        self.hash(Kind::Name, name)
    }

    fn pending(&self, left: &PendingRun) -> PendingRun {
        PendingRun { made_at: self.frame(&left.made_at), ..left.clone() }
    }

    fn stall(&self, stall: &mut Stall) {
        if let Some(culprit) = &mut stall.culprit {
            self.culprit(culprit);
        }
        stall.stack.iter_mut().flatten().for_each(|frame| *frame = self.frame(frame));
        for reaction in stall.drain.iter_mut().flat_map(|drain| &mut drain.reactions) {
            reaction.function = self.function(&reaction.function);
            reaction.file = self.file(&reaction.file);
        }
        if let Some(profile) = &mut stall.profile {
            Arc::make_mut(profile).rename(|frame| self.profile_frame(frame));
        }
        let waits = stall.waits.iter_mut().flatten();
        waits.for_each(|wait| wait.subject = wait.subject.as_deref().map(|of| self.subject(of)));
    }

    fn profile_frame(&self, frame: &mut ProfileFrame) {
        match &frame.file {
            Some(file) if is_internal(file) => {}
            Some(file) => {
                (frame.name, frame.file) = (self.function(&frame.name), Some(self.file(file)));
            }
            None if is_of_node(&frame.name) => {}
            None => frame.name = self.function(&frame.name),
        }
    }

    fn culprit(&self, culprit: &mut Culprit) {
        culprit.function = self.function(&culprit.function);
        culprit.file = self.file(&culprit.file);
        culprit.hot_leaf = culprit.hot_leaf.as_deref().map(|leaf| self.frame(leaf));
    }

    /// `name (file:line)` or `name (native)`.
    fn frame(&self, frame: &str) -> String {
        if let Some(name) = frame.strip_suffix(NATIVE) {
            return match is_of_node(name) {
                true => frame.to_owned(),
                false => format!("{}{NATIVE}", self.function(name)),
            };
        }
        let Some((name, place)) = split(frame) else { return self.hash(Kind::Function, frame) };
        if is_internal(place) {
            return frame.to_owned();
        }
        let name = self.function(name);
        match place.rsplit_once(':').filter(|(_, line)| is_number(line)) {
            Some((file, line)) => format!("{name} ({}:{line})", self.file(file)),
            None => format!("{name} ({})", self.file(place)),
        }
    }

    fn function(&self, name: &str) -> String {
        match name {
            "" | "(anonymous)" | TOP_LEVEL => name.to_owned(),
            name => self.hash(Kind::Function, name),
        }
    }

    fn file(&self, file: &str) -> String {
        if is_internal(file) {
            return file.to_owned();
        }
        self.hash(Kind::File, file.strip_prefix("file://").unwrap_or(file))
    }

    /// A path, a child: `sleep (123)`, or the peer of a socket: `tcp 10.0.0.7:5432`.
    fn subject(&self, subject: &str) -> String {
        let peer = PEERS.iter().find_map(|kind| Some((kind, subject.strip_prefix(kind)?)));
        if let Some((kind, peer)) = peer {
            return format!("{kind}{}", self.holder(peer, Kind::Peer));
        }
        self.holder(subject, Kind::File)
    }

    /// A process with its number, or anything else, of which this is known.
    fn holder(&self, subject: &str, kind: Kind) -> String {
        let child = subject.strip_suffix(')').and_then(|child| child.rsplit_once(" ("));
        match child.filter(|(_, pid)| is_number(pid)) {
            Some((name, pid)) => format!("{} ({pid})", self.name(name)),
            None => self.hash(kind, subject),
        }
    }

    /// A sentence of ours in which files may be named.
    fn without_paths(&self, text: &str) -> String {
        let word = |word: &str| match word.contains('/') {
            true => self.hash(Kind::File, word),
            false => word.to_owned(),
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    fn hash(&self, kind: Kind, name: &str) -> String {
        const BITS: u32 = 40;
        let kind = match kind {
            Kind::Function => "function",
            Kind::File => "file",
            Kind::Name => "name",
            Kind::Peer => "peer",
        };
        format!("{kind}-{:010x}", self.0.hash_one(name) >> (u64::BITS - BITS))
    }
}

/// Name and place of a frame. The place begins with a path or URL, which may hold parentheses.
fn split(frame: &str) -> Option<(&str, &str)> {
    let inner = frame.strip_suffix(')')?;
    let starts = [" (/", " (file:", " (node:"].into_iter().filter_map(|start| inner.find(start));
    let at = starts.min().or_else(|| inner.rfind(" ("))?;
    Some((&inner[..at], &inner[at + 2..]))
}

/// `node:fs` or `node:internal/fs/utils:12`, and nothing that only begins so.
fn is_internal(place: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | ':');
    place.strip_prefix(INTERNAL).is_some_and(|module| module.chars().all(plain))
}

/// Native code of Node, V8 and libuv, and what JavaScript has built in. An addon may have functions
/// of any other name.
fn is_of_node(name: &str) -> bool {
    const NAMESPACES: [&str; 5] = ["v8::", "node::", "uv_", "uv__", "cppgc::"];
    const GLOBALS: [&str; 23] = [
        "Array",
        "ArrayBuffer",
        "Atomics",
        "BigInt",
        "Boolean",
        "DataView",
        "Date",
        "Error",
        "Function",
        "Intl",
        "JSON",
        "Map",
        "Math",
        "Number",
        "Object",
        "Promise",
        "Proxy",
        "Reflect",
        "RegExp",
        "Set",
        "String",
        "Symbol",
        "TypedArray",
    ];
    let global = name.split_once('.').map(|(global, _)| global);
    NAMESPACES.iter().any(|prefix| name.starts_with(prefix))
        || global.is_some_and(|global| GLOBALS.contains(&global))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hashed_and_lines_and_nodes_own_stay() {
        let names = Redactor::default();
        let frame = names.frame("render (/srv/shop/view.js:17)");
        let want = format!("{} ({}:17)", names.function("render"), names.file("/srv/shop/view.js"));
        assert_eq!(frame, want);
        assert!(!frame.contains("render") && !frame.contains("shop"), "{frame}");
        for own in [
            "readFileSync (node:fs:441)",
            "JSON.parse (native)",
            "v8::internal::JsonParser::Parse (native)",
            "(top level) (node:internal/main/run_main_module:1)",
        ] {
            assert_eq!(names.frame(own), own);
        }
        let addon = names.frame("secret::Engine::Run (native)");
        assert!(addon.starts_with("function-") && addon.ends_with(NATIVE), "{addon}");
        assert_eq!(names.file("file:///a.mjs"), names.file("/a.mjs"));
        assert!(names.subject("sleep secret (123)").ends_with(" (123)"));
        let peer = names.subject("tcp 10.0.0.7:5432");
        assert!(peer.starts_with("tcp peer-") && !peer.contains("5432"), "{peer}");
        let address = names.subject("unix at /run/secret.sock");
        assert!(address.starts_with("unix at peer-") && !address.contains("secret"), "{address}");
        let pipe = names.subject("pipe from secret (123)");
        assert!(pipe.starts_with("pipe from name-") && pipe.ends_with(" (123)"), "{pipe}");
        let limit = names.without_paths("no symbols in /srv/secret/node: it is stripped");
        assert!(limit.starts_with("no symbols in file-") && limit.ends_with("is stripped"));
    }

    #[test]
    fn notes_tell_no_name() {
        let names = Redactor::default();
        let behind = "goes on behind the command, and the report ends here; \
                      `loopscope attach 12` observes it";
        for name in ["hush.js", "hu (sh) goes on behind", "a`hush`", "hush) goes on"] {
            let told = names.note(&format!("process 12 ({name}) {behind}"), &[]);
            assert_eq!(told, format!("process 12 ({}) {behind}", names.name(name)));
            let told = names.note(&format!("no trace came from `{name}`: is it Node.js?"), &[]);
            let want = format!("no trace came from `{}`: is it Node.js?", names.name(name));
            assert_eq!(told, want);
        }
        let told = names.note("no trace came from `loopscope attach hush`: is it?", &[]);
        assert!(!told.contains("hush"), "{told}");
        let own = "process 7 was killed: what it did in its last 2 s or less is not in the report";
        assert_eq!(names.note(own, &[]), own);
        let target = |name: &str| Target { name: name.to_owned(), ..a_target() };
        let told = names.note("hush-shop has ended", &[target("hush"), target("hush-shop")]);
        assert_eq!(told, format!("{} has ended", names.name("hush-shop")));
    }

    fn a_target() -> Target {
        Target {
            pid: 1,
            name: String::new(),
            runtime: loop_core::snapshot::Runtime::NodeJs,
            runtime_version: String::new(),
            source: loop_core::snapshot::Source::Ebpf,
            tier: loop_core::snapshot::Tier::Full,
            overhead_ratio: None,
            sampled: false,
            limits: Vec::new(),
        }
    }

    #[test]
    fn what_cant_be_taken_apart_is_hashed_whole() {
        let names = Redactor::default();
        for hostile in [
            "secret",
            "secret (",
            "secret)",
            "a (secret) (b",
            "secret (native) (secret:7)",
            "secret (node:secret here:7)",
            " (secret:x)",
            "secret (eval at secret (/secret.js:1))",
            "(top level) secret (/secret (native):8)",
        ] {
            let told = names.frame(hostile);
            assert!(!told.contains("secret"), "{hostile} became {told}");
            let told = names.subject(hostile);
            assert!(!told.contains("secret"), "{hostile} became {told}");
        }
    }

    #[test]
    fn a_name_has_one_hash_in_a_run_and_another_in_the_next() {
        let (this, next) = (Redactor::default(), Redactor::default());
        assert_eq!(this.name("render"), this.clone().name("render"));
        assert_ne!(this.name("render"), this.name("Render"));
        assert_ne!(this.name("render"), next.name("render"));
    }
}
