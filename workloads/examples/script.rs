//! Runs a JavaScript file on the embedded loop and tells its longest microtask drain:
//! `cargo run -p loopscope-workloads --example script -- FILE.js ARGS...`

use std::error::Error;
use std::process::ExitCode;

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::Script;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("name a JavaScript file")?;
    let script = Script { file: file.into(), arguments: arguments.collect(), ..Script::default() };
    let clock = Clock::real();
    let mut lp = Loop::new(Options { clock: clock.clone(), ..Options::default() })?;
    let status = script.run(&mut lp, clock)?;
    let snapshot = lp.reader().snapshot();
    if let Some(longest) = snapshot.microtask_drain_length.map(|drains| drains.max) {
        eprintln!("longest microtask drain: {longest} jobs");
    }
    Ok(ExitCode::from(u8::try_from(status & 0xff)?))
}
