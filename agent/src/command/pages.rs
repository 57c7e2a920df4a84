//! `completions` and `man`: made of the command line's own definitions, so that they are never
//! behind them.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::unwritable_stdout;
use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::exit::{Exit, Failure};
use crate::terminal::print;

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "loopscope", &mut script);
    written(&script)
}

pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let mut program = Cli::command();
    program.build();
    match (&args.folder, &args.command) {
        (Some(folder), _) => all(folder, program),
        (None, None) => written(&page(program).map_err(unmade)?),
        (None, Some(name)) => {
            let found = shown(&program).find(|command| command.get_name() == name);
            let command = found.cloned().ok_or_else(|| {
                let names: Vec<&str> = shown(&program).map(Command::get_name).collect();
                let names = names.join(", ");
                Failure::usage(format!("there is no command `{name}`; there are {names}"))
            })?;
            written(&page(command).map_err(unmade)?)
        }
    }
}

/// The commands that have a page.
fn shown(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|command| !command.is_hide_set())
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

fn all(folder: &Path, program: Command) -> Result<Exit, Failure> {
    let place = folder.display().to_string();
    let unwritable = |error: io::Error| {
        Failure::run(format!("{place} can't be written ({error}); name another --folder"))
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let commands: Vec<Command> = shown(&program).cloned().collect();
    for command in commands.into_iter().chain([program]) {
        // `loopscope attach` is in `loopscope-attach.1`.
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        let page = page(command).map_err(unmade)?;
        fs::write(folder.join(format!("{name}.1")), page).map_err(unwritable)?;
    }
    Ok(Exit::Ok)
}

fn unmade(error: io::Error) -> Failure {
    Failure::run(format!("the page can't be made ({error})"))
}

fn written(bytes: &[u8]) -> Result<Exit, Failure> {
    print(bytes).map_err(|error| unwritable_stdout(&error))?;
    Ok(Exit::Ok)
}
