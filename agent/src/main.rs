//! The binary `loopscope`: reads the command line, does what it asks, tells how it went.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use loopscope::cli::{self, Request};
use loopscope::command;
use loopscope::exit::{Exit, Failure};
use loopscope::terminal::{Terminal, print, tell};

fn main() -> ExitCode {
    let exit = answer().unwrap_or_else(|failure| {
        tell(&failure.message);
        failure.exit
    });
    exit.into()
}

fn answer() -> Result<Exit, Failure> {
    match cli::parse(std::env::args_os().collect(), Terminal::stdout().colour)? {
        Request::Do(command) => command::execute(*command),
        Request::Show(text) => {
            print(text.as_bytes()).map_err(|error| command::unwritable_stdout(&error))?;
            Ok(Exit::Ok)
        }
    }
}
