//! `record`: `attach` and `exec`, with what they see in a file.

use super::output::keep_recording;
use super::tape::Blank;
use super::{attach, exec};
use crate::cli::{RecordArgs, Recorded};
use crate::exit::{Exit, Failure};

pub(super) fn execute(args: RecordArgs) -> Result<Exit, Failure> {
    let Some(path) = args.observe.output.as_deref() else {
        return Err(Failure::usage("nowhere to record into; write `-o FILE`"));
    };
    let blank = Blank::open(path, args.max_size_bytes)?;
    let (profile, html) = (args.observe.profile.as_deref(), args.observe.html.as_deref());
    keep_recording(path, [("--profile", profile), ("--html", html), ("--output", None)])?;
    match Recorded::from(args) {
        Recorded::Processes(args) => attach::execute(&args, Some(blank)),
        Recorded::Command(args) => exec::execute(&args, Some(blank)),
    }
}
