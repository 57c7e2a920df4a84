//! A command that was given as one text.
//!
//! What is words alone is run as it is, so that the process that is observed from its first
//! instruction on is the command's own. What has more in it (`&&`, `|`, `$HOME`, `*`) is run by a
//! shell, whose children are observed.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::super::exec::{self, assignment};

/// Letters that are a shell's own, also within double quotes or as the first of a word.
const OF_SHELLS: &str = "|&;<>()$`\\*?[]#~!{}\n\r";

/// A command that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    text: String,
    words: Vec<OsString>,
    variables: Vec<(String, String)>,
}

impl CommandLine {
    /// The command that a shell would make of this text; `None` where there is nothing in it.
    pub fn parse(text: &str) -> Option<CommandLine> {
        if text.trim().is_empty() {
            return None;
        }
        let by_shell = || CommandLine {
            text: text.to_owned(),
            words: ["/bin/sh", "-c", text].map(OsString::from).to_vec(),
            variables: Vec::new(),
        };
        let Some(words) = split(text) else { return Some(by_shell()) };
        let (variables, words) = divided(words.into_iter().map(OsString::from).collect());
        let parsed = CommandLine { text: text.to_owned(), words, variables };
        // What is no program may be a shell's own, as `cd` and `exit` are.
        Some(if parsed.program().is_file() { parsed } else { by_shell() })
    }

    /// The command of these words. Variables may stand before it, as in a shell.
    pub fn of(words: Vec<OsString>) -> CommandLine {
        let text: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let text = text.join(" ");
        let (variables, words) = divided(words);
        CommandLine { text, words, variables }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program and its arguments.
    pub fn words(&self) -> &[OsString] {
        &self.words
    }

    /// The file that is run, as its search path has it; the name alone where it has none.
    pub fn program(&self) -> PathBuf {
        let own = self.variables().filter(|(name, _)| *name == "PATH").last();
        match own {
            Some((_, path)) => exec::program_on(&self.words, Some(path)),
            None => exec::program(&self.words),
        }
    }

    /// Variables that it is started with.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (OsStr::new(name), OsStr::new(value)))
    }
}

/// The words of a text; `None` where that takes a shell.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                word.push_str(&until(&mut letters, '\'')?);
            }
            '"' => {
                let quoted = until(&mut letters, '"')?;
                if quoted.contains(['$', '`', '\\', '!']) {
                    return None;
                }
                word.get_or_insert_default().push_str(&quoted);
            }
            special if OF_SHELLS.contains(special) => return None,
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Some(words)
}

/// What stands before the closing letter; `None` where there is none.
fn until(letters: &mut std::str::Chars<'_>, close: char) -> Option<String> {
    let (quoted, rest) = letters.as_str().split_once(close)?;
    *letters = rest.chars();
    Some(quoted.to_owned())
}

/// The variables before a command, and its words. Without a command there are no variables.
fn divided(mut words: Vec<OsString>) -> (Vec<(String, String)>, Vec<OsString>) {
    let variable = |word: &OsString| {
        let (name, value) = assignment(word.to_str()?)?;
        Some((name.to_owned(), value.to_owned()))
    };
    let before: Vec<_> = words.iter().map_while(variable).collect();
    if before.len() == words.len() {
        return (Vec::new(), words);
    }
    words.drain(..before.len());
    (before, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let parsed = CommandLine::parse(text).unwrap();
        assert_eq!(parsed.text(), text);
        parsed.words().iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn plain_words_are_the_command_itself() {
        assert_eq!(words("  ls -l  a.js "), ["ls", "-l", "a.js"]);
        assert_eq!(words("ls 'a b' \"c d\"e '' --x='y z'"), ["ls", "a b", "c de", "", "--x=y z"]);
        let parsed = CommandLine::parse("A=1 B_2='x y' ls C=3").unwrap();
        let variables: Vec<_> = parsed.variables().collect();
        let text = OsStr::new;
        assert_eq!(variables, [(text("A"), text("1")), (text("B_2"), text("x y"))]);
        assert_eq!(parsed.words(), ["ls", "C=3"]);
    }

    #[test]
    fn variables_may_stand_before_words_too() {
        let of = |words: &[&str]| CommandLine::of(words.iter().map(OsString::from).collect());
        let command = of(&["A=1 2", "B=", "node", "C=3"]);
        assert_eq!(
            (command.words(), command.text()),
            (&["node".into(), "C=3".into()][..], "A=1 2 B= node C=3")
        );
        let variables: Vec<_> = command.variables().collect();
        let text = OsStr::new;
        assert_eq!(variables, [(text("A"), text("1 2")), (text("B"), text(""))]);
        let nothing = of(&["A=1"]);
        assert_eq!((nothing.words(), nothing.variables().count()), (&["A=1".into()][..], 0));
    }

    #[test]
    fn a_program_is_looked_for_where_its_own_path_says() {
        let folder = std::env::temp_dir().join(format!("loopscope-{}-path", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let tool = folder.join("ls");
        std::fs::copy("/bin/true", &tool).unwrap();
        let line = |path: &str| format!("PATH={path} ls -l");
        let parsed = CommandLine::parse(&line(folder.to_str().unwrap())).unwrap();
        assert_eq!((parsed.program(), parsed.words().len()), (tool, 2));
        let nowhere = line("/no/such/folder");
        assert_eq!(words(&nowhere), ["/bin/sh", "-c", &nowhere]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_takes_a_shell_gets_one() {
        let by_shell = [
            "cd / && ls",
            "ls | cat",
            "ls $HOME",
            "ls *.js",
            "ls > x",
            "ls \"$HOME\"",
            "ls 'a",
            "exit 3",
            "A=1",
            "no-such-program-anywhere x",
            "ls \\ a",
            "ls ~",
            "(ls)",
            "ls # a",
        ];
        for text in by_shell {
            assert_eq!(words(text), ["/bin/sh", "-c", text], "{text}");
        }
    }

    #[test]
    fn nothing_is_no_command() {
        assert_eq!(CommandLine::parse("  "), None);
        assert_eq!(CommandLine::of(vec!["a".into(), "b c".into()]).text(), "a b c");
    }
}
