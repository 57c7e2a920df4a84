//! What `loopscope attach` costs the Node.js that it observes, and the machine.
//!
//! ```text
//! server (Node, CPU 0) <── load (here, CPU 1)      time of the loop's thread, a request
//!          ^
//!          └── agent: none, none again, passive, turn, full, in random order, round by round
//! ```
//!
//! Counted is the CPU time of the loop's thread over a fixed number of requests: a rate of requests
//! would tell of the client as well. A ratio is that within one round, whose parts ran one after
//! the other; what is printed is the middle of all rounds and the interval that holds it in 95 of
//! 100 cases. The client with one connection thinks between two requests: without that the loop
//! finds the next request before it sleeps, and what delays it looks cheap.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("attach_cost: `loopscope attach` needs Linux");
    std::process::ExitCode::from(4)
}
