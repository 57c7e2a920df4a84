//! `diagnoses`: the list of what can be told of a loop, and the page on each.

use std::fmt::Write;

use super::unwritable_stdout;
use crate::cli::DiagnosesArgs;
use crate::diagnosis::Id;
use crate::exit::{Exit, Failure};
use crate::layout::left_table;
use crate::terminal::print;

pub(super) fn execute(args: &DiagnosesArgs) -> Result<Exit, Failure> {
    let page = match &args.id {
        None => list(),
        Some(name) => Id::named(name).ok_or_else(|| unknown(name))?.page().to_owned(),
    };
    print(page.as_bytes()).map_err(|error| unwritable_stdout(&error))?;
    Ok(Exit::Ok)
}

fn list() -> String {
    let rows = Id::ALL.map(|id| vec![id.name().to_owned(), id.line().to_owned()]);
    let mut page = left_table(&rows).join("\n");
    let _ = write!(page, "\n\nThe page on one: `loopscope diagnoses {}`.\n", Id::ALL[0].name());
    page
}

/// Whoever writes a part of a name gets the names that have it.
fn unknown(name: &str) -> Failure {
    const PART_LETTERS_MIN: usize = 3;
    let known = Id::ALL.map(Id::name);
    let near = known.iter().filter(|id| name.len() >= PART_LETTERS_MIN && id.contains(name));
    let near: Vec<String> = near.map(|id| format!("`{id}`")).collect();
    let near = match near.join(" or ") {
        near if near.is_empty() => near,
        near => format!("did you mean {near}? "),
    };
    Failure::usage(format!(
        "there is no diagnosis `{name}`; {near}`loopscope diagnoses` lists them all"
    ))
}
