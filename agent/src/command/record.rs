//! `record`: `attach` and `exec`, with what they see in a file.

use super::tape::Blank;
use super::{attach, exec};
use crate::cli::{RecordArgs, Recorded};
use crate::exit::{Exit, Failure};

pub(super) fn execute(args: RecordArgs) -> Result<Exit, Failure> {
    let Some(path) = args.observe.output.as_deref() else {
        return Err(Failure::usage("nowhere to record into; write `-o FILE`"));
    };
    let blank = Blank::open(path, args.max_size_bytes)?;
    match Recorded::from(args) {
        Recorded::Processes(args) => attach::execute(&args, Some(blank)),
        Recorded::Command(args) => exec::execute(&args, Some(blank)),
    }
}
