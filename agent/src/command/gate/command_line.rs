//! A command that was given as one text.
//!
//! What is words alone is run as it is, so that the process that is observed from its first
//! instruction on is the command's own. What has more in it (`&&`, `|`, `$HOME`, `*`) is run by a
//! shell, whose children are observed.

use std::ffi::{OsStr, OsString};

use super::super::exec;

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
        let Some(mut words) = split(text) else { return Some(by_shell()) };
        let named = words.iter().position(|word| assignment(word).is_none());
        let Some(named) = named else { return Some(by_shell()) };
        let variables = words.drain(..named).filter_map(|word| {
            let (name, value) = assignment(&word)?;
            Some((name.to_owned(), value.to_owned()))
        });
        let variables = variables.collect();
        let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        // What is no program may be a shell's own, as `cd` and `exit` are.
        let is_program = exec::program(&words).is_file();
        let parsed = CommandLine { text: text.to_owned(), words, variables };
        Some(if is_program { parsed } else { by_shell() })
    }

    /// The command of these words.
    pub fn of(words: Vec<OsString>) -> CommandLine {
        let text: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        CommandLine { text: text.join(" "), words, variables: Vec::new() }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program and its arguments.
    pub fn words(&self) -> &[OsString] {
        &self.words
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

/// `NAME=VALUE`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let first = name.chars().next()?;
    let is_name = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    (is_name && !first.is_ascii_digit()).then_some((name, value))
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
