//! The workloads in JavaScript: plain scripts that run on the embedded loop and, unchanged, on
//! Node 20 and later.
//!
//! Three shelves, by the first part of their names: `js/` has the pathologies and stories of the
//! catalogue, `promises/` what can go wrong with promises, `seeds/` the examples of the articles
//! that the project began with. A name stands for a file below `workloads/js`; `js/` is that folder
//! itself. All are compiled in: looking one up opens no file.
//!
//! **Invariant**: each has a header that can be read, and where something is wrong in it, a twin
//! in which it is not.

mod files;
mod header;

use std::fmt;

pub use header::{Claim, HeaderError, ScriptArg, ScriptHeader};

use crate::Variant;
use crate::catalogue::distance;

/// A script that is compiled in.
#[derive(Debug)]
pub struct KnownScript {
    /// The path of its file below `workloads/js`, with `/`.
    pub path: &'static str,
    /// Its source.
    pub text: &'static str,
}

impl KnownScript {
    /// Its name on the command line: `js/json-block`, `promises/race-and-all`, `seeds/first`. A
    /// module keeps its extension: `seeds/first.mjs`. A twin has the name of its script.
    pub fn name(&self) -> String {
        let stem = self.path.strip_suffix(".js").unwrap_or(self.path);
        let stem = stem.strip_suffix(".fixed").unwrap_or(stem);
        let shelf = if stem.contains('/') { "" } else { "js/" };
        format!("{shelf}{stem}")
    }

    /// Whether it is a script as it is told of, or its twin.
    pub fn variant(&self) -> Variant {
        if self.path.ends_with(".fixed.js") { Variant::Fixed } else { Variant::Pathology }
    }

    /// What its head tells.
    ///
    /// # Errors
    /// None in what is compiled in: a test reads them all.
    pub fn header(&self) -> Result<ScriptHeader, HeaderError> {
        ScriptHeader::parse(self.text)
    }
}

/// Every script, in order of its path; a twin stands before its script.
pub fn scripts() -> &'static [KnownScript] {
    files::ALL
}

/// The script of this name, or its twin.
///
/// # Errors
/// When there is none.
pub fn find_script(name: &str, variant: Variant) -> Result<&'static KnownScript, UnknownScript> {
    let named = || scripts().iter().filter(|script| script.name() == name);
    if let Some(script) = named().find(|script| script.variant() == variant) {
        return Ok(script);
    }
    let known = named().next().is_some();
    let names = scripts().iter().map(KnownScript::name);
    let closest = names.min_by_key(|known| distance(known, name));
    let near = closest.filter(|near| !known && distance(near, name) <= name.len() / 2);
    Err(UnknownScript { name: name.to_owned(), known, near })
}

/// There is no script of this name, or it has no twin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownScript {
    /// What was asked for.
    pub name: String,
    /// Whether there is one of this name, but not this variant of it.
    pub known: bool,
    /// What may have been meant.
    pub near: Option<String>,
}

impl fmt::Display for UnknownScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.near {
            _ if self.known => {
                write!(
                    f,
                    "`{name}` has no fixed twin, as nothing is wrong in it; leave --fixed out"
                )
            }
            Some(near) => write!(f, "there is no script `{name}`; did you mean `{near}`?"),
            None => {
                write!(f, "there is no script `{name}`; names begin with js/, promises/ or seeds/")
            }
        }
    }
}

impl std::error::Error for UnknownScript {}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str, variant: Variant) -> &'static str {
        find_script(name, variant).unwrap().path
    }

    #[test]
    fn scripts_are_found_by_name_and_variant() {
        assert_eq!(path("js/json-block", Variant::Pathology), "json-block.js");
        assert_eq!(path("js/json-block", Variant::Fixed), "json-block.fixed.js");
        assert_eq!(path("promises/race-and-all", Variant::Fixed), "promises/race-and-all.fixed.js");
        assert_eq!(path("seeds/first", Variant::Pathology), "seeds/first.js");
        assert_eq!(path("seeds/first.mjs", Variant::Pathology), "seeds/first.mjs");
        for script in scripts() {
            assert_eq!(path(&script.name(), script.variant()), script.path);
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_a_way_out() {
        let text = |name, variant| find_script(name, variant).unwrap_err().to_string();
        assert!(text("js/json-blok", Variant::Pathology).contains("did you mean `js/json-block`?"));
        assert!(text("seeds/first", Variant::Fixed).contains("leave --fixed out"));
        assert!(text("?", Variant::Pathology).contains("begin with js/, promises/ or seeds/"));
    }
}
