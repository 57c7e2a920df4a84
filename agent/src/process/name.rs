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
//! is no option. Cost: two small reads of `/proc` and a few calls of `stat`.
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
    let command = File::open(process.path("cmdline")).map(|file| file.take(COMMAND_BYTES_MAX));
    let mut bytes = Vec::new();
    let _ = command.and_then(|mut command| command.read_to_end(&mut bytes));
    let executed = std::fs::read_link(process.path("exe")).unwrap_or_default();
    let executed = base(&executed.to_string_lossy()).trim_end_matches(" (deleted)").to_owned();
    let executed = if executed.is_empty() { kernels.to_owned() } else { executed };
    (plain(&choose(&arguments(&bytes), &executed, &Seen(process))), !bytes.is_empty())
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

fn choose(arguments: &[String], executed: &str, files: &impl Files) -> String {
    let own = |first: &str| [executed, "node", "nodejs"].contains(&base(first));
    match arguments {
        [] => executed.to_owned(),
        [only] => match only.split_once(' ') {
            Some((first, _)) if own(first) => {
                let words: Vec<String> = only.split(' ').map(str::to_owned).collect();
                script(&words, files).unwrap_or_else(|| only.clone())
            }
            None if own(only) => executed.to_owned(),
            _ => only.clone(),
        },
        _ => script(arguments, files).unwrap_or_else(|| executed.to_owned()),
    }
}

/// The name of the script that a command line names.
fn script(arguments: &[String], files: &impl Files) -> Option<String> {
    let is_node = base(&arguments[0]).starts_with("node");
    let mut rest = arguments[1..].iter();
    while let Some(argument) = rest.next() {
        if is_node && EVALUATED.contains(&argument.as_str()) {
            return Some("[eval]".to_owned());
        }
        if WITH_VALUE.contains(&argument.as_str()) {
            rest.next();
        } else if !argument.starts_with('-') {
            // Node finds `server` if there is a `server.js`.
            let found = |path: &str| files.exists(path).unwrap_or(true);
            if found(argument) || found(&format!("{argument}.js")) {
                return Some(named(argument, files));
            }
        }
    }
    None
}

fn named(path: &str, files: &impl Files) -> String {
    let name = base(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let is_folder = files.is_folder(path);
    if !is_folder && !["index", "main"].contains(&stem) {
        return name.to_owned();
    }
    let first = if is_folder { Some(Path::new(path)) } else { Path::new(path).parent() };
    let folders = first.into_iter().flat_map(Path::ancestors).take(FOLDERS_ABOVE);
    let package = folders.map(|folder| files.package(folder)).find_map(|name| name);
    package.unwrap_or_else(|| name.to_owned())
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
            let packages = ["/srv/shop", "."].map(Path::new);
            packages.contains(&folder).then(|| "shop".to_owned())
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
