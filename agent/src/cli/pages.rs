//! The options of `completions` and `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

const COMPLETIONS: &str = "\
Examples:
  loopscope completions bash > /etc/bash_completion.d/loopscope
  loopscope completions zsh > \"${fpath[1]}/_loopscope\"
  loopscope completions fish > ~/.config/fish/completions/loopscope.fish";

/// Options of `completions`.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

const MAN: &str = "\
Examples:
  loopscope man | man -l -                         the page of the program
  loopscope man attach | man -l -                  the page of a command
  loopscope man --folder /usr/local/share/man/man1 every page, as loopscope-attach.1";

/// Options of `man`.
#[derive(Debug, Args)]
#[command(after_help = MAN)]
pub struct ManArgs {
    /// The command; without it, the page of the program
    #[arg(value_name = "COMMAND", conflicts_with = "folder")]
    pub command: Option<String>,
    /// Write every page into this folder
    #[arg(long, env = "LOOPSCOPE_FOLDER", value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
