//! The comment at the head of a script, which tells what it is: one tag a line, continuation
//! lines indented by two more spaces.
//!
//! ```text
//! // title: One line, what it is.
//! // wrong: What is wrong in it; of one that only shows something, `shows:`.
//! // see: What one should see, which numbers to expect.
//! // args: --count=30000 Promises made in one go.
//! // fixed: What the twin does instead.
//! // source: Where a seed is from.
//! // claim: What the source says where Node 20 differs.
//! // fact: What is so.
//! // since: The version that changed it.
//! ```
//!
//! `args:` may stand several times, as may `claim:`, `fact:` and `since:` in this order.

use std::fmt;

/// What the head of a script tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptHeader {
    /// What it is, in one line.
    pub title: String,
    /// What is wrong in it; `None` in twins and in those that only show something.
    pub wrong: Option<String>,
    /// What it shows, where nothing is wrong.
    pub shows: Option<String>,
    /// What one should see, which numbers to expect.
    pub see: String,
    /// Its arguments.
    pub args: Vec<ScriptArg>,
    /// What the fixed twin does instead; in the twin itself, what it does.
    pub fixed: Option<String>,
    /// Where it is from: an article's short name.
    pub source: Option<String>,
    /// What its source says that is not so in Node 20 and later.
    pub claims: Vec<Claim>,
}

/// An argument of a script: `--name=default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptArg {
    /// Its name, without the dashes.
    pub name: String,
    /// Its value where it is not given.
    pub default: String,
    /// What it is.
    pub help: String,
}

/// What a source says, and what is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What the source says.
    pub claim: String,
    /// What is so in Node 20 and later.
    pub fact: String,
    /// The version that changed it, or how long it has been so.
    pub since: String,
}

/// Why a header can't be read. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// A line is neither `// tag: text` nor the continuation of one.
    NoTag(usize),
    /// A tag that there is not.
    UnknownTag(usize, String),
    /// A tag that may stand once stands again.
    Again(usize, String),
    /// A tag that is needed is not there.
    Missing(&'static str),
    /// An `args:` line that does not read `--name=default Text`.
    BadArg(usize),
    /// A `claim:`, `fact:` or `since:` without the other two.
    BadClaim(usize),
}

impl ScriptHeader {
    /// Reads the comment lines at the head of a script.
    ///
    /// # Errors
    /// When they are not in the form above.
    pub fn parse(script: &str) -> Result<ScriptHeader, HeaderError> {
        let mut header = ScriptHeader::default();
        let tags = tags(script)?;
        let mut at = 0;
        while let Some((line, tag, text)) = tags.get(at) {
            at += 1;
            if tag == "claim" {
                header.claims.push(claim(*line, text, &tags[at..])?);
                at += 2;
            } else {
                header.take(*line, tag, text)?;
            }
        }
        let needed = [("title", &header.title), ("see", &header.see)];
        match needed.iter().find(|(_, text)| text.is_empty()) {
            Some((tag, _)) => Err(HeaderError::Missing(tag)),
            None => Ok(header),
        }
    }

    fn take(&mut self, line: usize, tag: &str, text: &str) -> Result<(), HeaderError> {
        let place = match tag {
            "title" => return once(&mut self.title, line, tag, text),
            "see" => return once(&mut self.see, line, tag, text),
            "args" => {
                self.args.push(arg(text).ok_or(HeaderError::BadArg(line))?);
                return Ok(());
            }
            "wrong" => &mut self.wrong,
            "shows" => &mut self.shows,
            "fixed" => &mut self.fixed,
            "source" => &mut self.source,
            "fact" | "since" => return Err(HeaderError::BadClaim(line)),
            _ => return Err(HeaderError::UnknownTag(line, tag.to_owned())),
        };
        once(place.get_or_insert_default(), line, tag, text)
    }
}

/// Fills a place that must be empty yet.
fn once(place: &mut String, line: usize, tag: &str, text: &str) -> Result<(), HeaderError> {
    if !place.is_empty() {
        return Err(HeaderError::Again(line, tag.to_owned()));
    }
    text.clone_into(place);
    Ok(())
}

/// The tags with the lines they begin in, and their texts with the continuation lines joined.
fn tags(script: &str) -> Result<Vec<(usize, String, String)>, HeaderError> {
    let mut tags: Vec<(usize, String, String)> = Vec::new();
    let lines = script.lines().map_while(|line| line.strip_prefix("// "));
    for (number, line) in (1..).zip(lines) {
        match (line.strip_prefix("  "), tags.last_mut()) {
            (Some(more), Some((_, _, text))) => {
                text.push(' ');
                text.push_str(more.trim());
            }
            _ => {
                let (tag, text) = line.split_once(": ").ok_or(HeaderError::NoTag(number))?;
                if !tag.bytes().all(|byte| byte.is_ascii_lowercase()) {
                    return Err(HeaderError::NoTag(number));
                }
                tags.push((number, tag.to_owned(), text.trim().to_owned()));
            }
        }
    }
    Ok(tags)
}

fn arg(text: &str) -> Option<ScriptArg> {
    let (flag, help) = text.split_once(' ')?;
    let (name, default) = flag.strip_prefix("--")?.split_once('=')?;
    let whole = !name.is_empty() && !default.is_empty() && !help.is_empty();
    whole.then(|| ScriptArg {
        name: name.to_owned(),
        default: default.to_owned(),
        help: help.to_owned(),
    })
}

/// The claim of a line with the two tags behind it.
fn claim(line: usize, claim: &str, rest: &[(usize, String, String)]) -> Result<Claim, HeaderError> {
    match rest {
        [(_, fact_tag, fact), (_, since_tag, since), ..]
            if fact_tag == "fact" && since_tag == "since" =>
        {
            Ok(Claim { claim: claim.to_owned(), fact: fact.clone(), since: since.clone() })
        }
        _ => Err(HeaderError::BadClaim(line)),
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderError::NoTag(line) => write!(
                f,
                "line {line} of the header is not `// tag: text`; begin a continuation with two \
                 more spaces"
            ),
            HeaderError::UnknownTag(line, tag) => write!(
                f,
                "line {line} of the header: there is no tag `{tag}`; use title, wrong, shows, see, \
                 args, fixed, source, claim, fact or since"
            ),
            HeaderError::Again(line, tag) => {
                write!(f, "line {line} of the header: `{tag}` stands again; join the two")
            }
            HeaderError::Missing(tag) => write!(f, "the header has no `// {tag}: ...`; add it"),
            HeaderError::BadArg(line) => {
                write!(f, "line {line} of the header: write `// args: --name=default What it is.`")
            }
            HeaderError::BadClaim(line) => write!(
                f,
                "line {line} of the header: `claim:`, `fact:` and `since:` stand together, in \
                 this order"
            ),
        }
    }
}

impl std::error::Error for HeaderError {}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "// title: A thing\n// wrong: It is\n//   bad.\n// see: Much.\n\
                         // args: --block-ms=50 How long.\n// claim: A\n// fact: B\n\
                         // since: C\n'use strict';\n// no: tag\n";

    #[test]
    fn a_header_ends_with_the_first_line_of_code() {
        let header = ScriptHeader::parse(WHOLE).unwrap();
        assert_eq!(header.title, "A thing");
        assert_eq!(header.wrong.as_deref(), Some("It is bad."));
        assert_eq!((header.shows, header.fixed, header.source), (None, None, None));
        let [arg] = &header.args[..] else { panic!("{:?}", header.args) };
        assert_eq!((&*arg.name, &*arg.default, &*arg.help), ("block-ms", "50", "How long."));
        let [claim] = &header.claims[..] else { panic!("{:?}", header.claims) };
        assert_eq!((&*claim.claim, &*claim.fact, &*claim.since), ("A", "B", "C"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let error = |from: &str, to: &str| {
            assert!(WHOLE.contains(from));
            ScriptHeader::parse(&WHOLE.replace(from, to)).unwrap_err()
        };
        assert_eq!(error("title:", "titel:"), HeaderError::UnknownTag(1, "titel".to_owned()));
        assert_eq!(error("//   bad", "// bad"), HeaderError::NoTag(3));
        assert_eq!(error("see:", "title:"), HeaderError::Again(4, "title".to_owned()));
        assert_eq!(error("// see: Much.\n", ""), HeaderError::Missing("see"));
        assert_eq!(error("--block-ms=50", "--block-ms"), HeaderError::BadArg(5));
        assert_eq!(error("// since: C\n", ""), HeaderError::BadClaim(6));
        assert_eq!(error("// claim: A\n", ""), HeaderError::BadClaim(6));
        assert_eq!(ScriptHeader::parse(""), Err(HeaderError::Missing("title")));
        assert!(error("//   bad", "// bad").to_string().contains("line 3"));
    }
}
