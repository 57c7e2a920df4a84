//! How a process is observed, and how much of it is seen.

use clap::ValueEnum;
use loop_core::snapshot::Tier;

/// How to observe a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceChoice {
    /// The best that this machine and the user's rights allow.
    Auto,
    /// Probes in the kernel; need rights.
    Ebpf,
    /// V8's own trace events, of a command that `exec` starts; need none.
    V8Trace,
}

/// How much to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TierChoice {
    /// No probe in the process.
    Passive,
    /// Turns.
    Turn,
    /// Everything.
    Full,
}

impl From<TierChoice> for Tier {
    fn from(choice: TierChoice) -> Tier {
        match choice {
            TierChoice::Passive => Tier::Passive,
            TierChoice::Turn => Tier::Turn,
            TierChoice::Full => Tier::Full,
        }
    }
}
