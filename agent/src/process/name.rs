//! What people call a process.
//!
//! 1. The script: `server.js` of `node --inspect /srv/app/server.js`. For an `index.js` or a
//!    `main.js` in a package, the package's name; for a folder, its package's name or its own.
//! 2. `[eval]` for `-e` and `-p`.
//! 3. A title that the process gave itself (`process.title`), as it is. Where it reads as a command
//!    line (`node /srv/app/server.js`, as pm2 sets it), by rule 1.
//! 4. The name of what is executed.
//!
//! The script is the first argument that names a file; where none can be looked for, the first that
//! is no option. Its package is the nearest folder above with a `package.json` that has a name; for
//! what is installed (`node_modules`) that which it is installed for comes first.
//!
//! Cost: two small reads of `/proc` and a few calls of `stat`.
//!
//! **Invariant**: a name has at most 64 characters and none that moves a cursor.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::FileType;

use super::Process;

const NAME_CHARS_MAX: usize = 64;
/// More of a command line is not looked at.
const COMMAND_BYTES_MAX: u64 = 64 * 1024;
const PACKAGE_BYTES_MAX: u64 = 256 * 1024;
/// How far above a script its package is looked for: `dist/src/index.js`.
const FOLDERS_ABOVE: usize = 3;
/// Where packages are installed that others need.
const INSTALLED: &str = "node_modules";

/// Options whose value is an argument of its own, and might be a file.
const WITH_VALUE: [&str; 8] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "--env-file",
    "-C",
    "--conditions",
];
const EVALUATED: [&str; 5] = ["-e", "-p", "-pe", "--eval", "--print"];

/// The name, and whether the process has a command line.
pub(super) fn of(process: &Process, kernels: &str) -> (String, bool) {
    let (arguments, executed) = (arguments(&command_of(process)), executed(process));
    let executed = if executed.is_empty() { kernels.to_owned() } else { executed };
    (plain(&choose(&arguments, &executed, &Seen(process))), !arguments.is_empty())
}

/// The package that its script is a part of, whatever the script is called.
pub(super) fn package(process: &Process) -> Option<String> {
    let (arguments, files) = (arguments(&command_of(process)), Seen(process));
    let Command::Words(words) = command(&arguments, &executed(process)) else { return None };
    let Some(Script::File(path)) = script(&words, &files) else { return None };
    package_of(path, &files).map(|name| plain(&name))
}

fn command_of(process: &Process) -> Vec<u8> {
    let command = File::open(process.path("cmdline")).map(|file| file.take(COMMAND_BYTES_MAX));
    let mut bytes = Vec::new();
    let _ = command.and_then(|mut command| command.read_to_end(&mut bytes));
    bytes
}

fn executed(process: &Process) -> String {
    let path = std::fs::read_link(process.path("exe")).unwrap_or_default();
    base(&path.to_string_lossy()).trim_end_matches(" (deleted)").to_owned()
}

/// The files as a process sees them.
trait Files {
    /// `None`: it can't be told.
    fn exists(&self, path: &str) -> Option<bool>;
    fn is_folder(&self, path: &str) -> bool;
    /// The name in a folder's `package.json`.
    fn package(&self, folder: &Path) -> Option<String>;
}

struct Seen<'a>(&'a Process);

impl Seen<'_> {
    /// What kind of file has this path of the process'.
    fn file_type(&self, path: &Path) -> io::Result<FileType> {
        self.0.file_type(&self.0.rooted(path)?)
    }
}

impl Files for Seen<'_> {
    fn exists(&self, path: &str) -> Option<bool> {
        match self.file_type(Path::new(path)) {
            Ok(_) => Some(true),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            Err(_) => Some(false),
        }
    }

    fn is_folder(&self, path: &str) -> bool {
        self.file_type(Path::new(path)).is_ok_and(|found| found == FileType::Directory)
    }

    fn package(&self, folder: &Path) -> Option<String> {
        let path = self.0.rooted(&folder.join("package.json")).ok()?;
        let file = self.0.open_file(&path).ok()?;
        let mut bytes = Vec::new();
        file.take(PACKAGE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let package: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let name = package.get("name")?.as_str()?;
        (!name.is_empty()).then(|| name.to_owned())
    }
}

fn arguments(bytes: &[u8]) -> Vec<String> {
    let parts = bytes.split(|&byte| byte == 0).filter(|part| !part.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// What a command line is.
enum Command {
    /// What is executed, alone.
    Bare,
    /// What the process called itself.
    Title(String),
    Words(Vec<String>),
}

/// What runs, by a command line.
enum Script<'a> {
    Evaluated,
    File(&'a str),
}

fn command(arguments: &[String], executed: &str) -> Command {
    let own = |first: &str| [executed, "node", "nodejs"].contains(&base(first));
    match arguments {
        [] => Command::Bare,
        [only] => match only.split_once(' ') {
            Some((first, _)) if own(first) => {
                Command::Words(only.split(' ').map(str::to_owned).collect())
            }
            None if own(only) => Command::Bare,
            _ => Command::Title(only.clone()),
        },
        _ => Command::Words(arguments.to_owned()),
    }
}

fn choose(arguments: &[String], executed: &str, files: &impl Files) -> String {
    let words = match command(arguments, executed) {
        Command::Bare => return executed.to_owned(),
        Command::Title(title) => return title,
        Command::Words(words) => words,
    };
    match (script(&words, files), arguments) {
        (Some(Script::Evaluated), _) => "[eval]".to_owned(),
        (Some(Script::File(path)), _) => named(path, files),
        (None, [title]) => title.clone(),
        (None, _) => executed.to_owned(),
    }
}

/// The script that a command line names.
fn script<'a>(words: &'a [String], files: &impl Files) -> Option<Script<'a>> {
    let is_node = base(&words[0]).starts_with("node");
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        if is_node && EVALUATED.contains(&word.as_str()) {
            return Some(Script::Evaluated);
        }
        if WITH_VALUE.contains(&word.as_str()) {
            rest.next();
        } else if !word.starts_with('-') {
            // Node finds `server` if there is a `server.js`.
            let found = |path: &str| files.exists(path).unwrap_or(true);
            if found(word) || found(&format!("{word}.js")) {
                return Some(Script::File(word));
            }
        }
    }
    None
}

fn named(path: &str, files: &impl Files) -> String {
    let name = base(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if !files.is_folder(path) && !["index", "main"].contains(&stem) {
        return name.to_owned();
    }
    package_of(path, files).unwrap_or_else(|| name.to_owned())
}

fn package_of(path: &str, files: &impl Files) -> Option<String> {
    let (is_folder, path) = (files.is_folder(path), Path::new(path));
    let above = |folder: Option<&Path>| {
        let mut folders = folder.into_iter().flat_map(Path::ancestors).take(FOLDERS_ABOVE);
        folders.find_map(|folder| files.package(folder))
    };
    let installed = path.ancestors().filter(|folder| folder.ends_with(INSTALLED)).last();
    let nearest = if is_folder { Some(path) } else { path.parent() };
    above(installed.and_then(Path::parent)).or_else(|| above(nearest))
}

/// What stands behind the last `/` but one at the end.
fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

fn plain(name: &str) -> String {
    let plain = |char: char| if char.is_control() { '?' } else { char };
    name.chars().take(NAME_CHARS_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that are there, folders with their package.
    struct Laid;

    impl Files for Laid {
        fn exists(&self, path: &str) -> Option<bool> {
            let script = path.ends_with(".js") && (path.contains('/') || path == "a.js");
            (path != "hidden").then(|| script || self.is_folder(path))
        }

        fn is_folder(&self, path: &str) -> bool {
            ["/srv/shop", ".", "/srv/bare"].contains(&path)
        }

        fn package(&self, folder: &Path) -> Option<String> {
            let packages =
                [("/srv/shop", "shop"), (".", "shop"), ("/usr/lib/node_modules/npm", "npm")];
            let found = packages.iter().find(|(path, _)| Path::new(path) == folder);
            found.map(|(_, name)| (*name).to_owned())
        }
    }

    fn check(command: &str, executed: &str, want: &str) {
        let arguments = arguments(command.replace('|', "\0").as_bytes());
        assert_eq!(choose(&arguments, executed, &Laid), want, "{command}");
    }

    #[test]
    fn a_script_is_told_from_options_and_their_values() {
        check("node|/srv/app/server.js|--port|80", "node", "server.js");
        check("node|-r|./trace.js|--inspect=0|/a/worker.js|b.js", "node", "worker.js");
        check("node|--title|x|a.js", "node", "a.js");
        check("node|/a/server", "node", "server");
        check("node|hidden", "node", "hidden");
        check("node|inspect|a.js||", "node", "a.js");
        check("node|-e|setTimeout(() => {}, 9)", "node", "[eval]");
        check("node|--inspect", "node", "node");
    }

    #[test]
    fn an_index_is_called_by_its_package() {
        check("node|/srv/shop/dist/src/index.js", "node", "shop");
        check("node|/srv/shop/a/b/c/main.js", "node", "main.js");
        check("node|/srv/shop", "node", "shop");
        check("node|.", "node", "shop");
        check("node|/srv/bare/", "node", "bare");
        check("node|/srv/shop/server.js", "node", "server.js");
    }

    #[test]
    fn every_script_has_a_package() {
        for (script, package) in [
            ("/srv/shop/server.js", Some("shop")),
            ("/srv/shop/dist/src/worker.js", Some("shop")),
            ("/srv/shop", Some("shop")),
            ("./server.js", Some("shop")),
            ("/srv/shop/node_modules/.bin/next", Some("shop")),
            ("/srv/shop/node_modules/a/node_modules/b/cli.js", Some("shop")),
            ("/usr/lib/node_modules/npm/bin/npm-cli.js", Some("npm")),
            ("/srv/shop/a/b/c/worker.js", None),
            ("/srv/bare/server.js", None),
        ] {
            assert_eq!(package_of(script, &Laid).as_deref(), package, "{script}");
        }
    }

    #[test]
    fn a_title_is_taken_as_it_is() {
        check("next-server (v14)||||", "node", "next-server (v14)");
        check("node /srv/app/server.js||", "node", "server.js");
        check("node of the cluster", "node", "node of the cluster");
        check("/usr/bin/node", "node", "node");
        check("/opt/shopd", "shopd", "shopd");
        check("/opt/shopd|serve|-p|80", "shopd", "shopd");
        check("", "node", "node");
    }

    #[test]
    fn a_name_moves_no_cursor_and_is_short() {
        assert_eq!(plain("a\u{1b}[2J\nb"), "a?[2J?b");
        assert_eq!(plain(&"é".repeat(999)).chars().count(), NAME_CHARS_MAX);
    }
}
