//! The names of the diagnoses: a fixed list, with a line and a page of text on each.
//!
//! The pages are files in `agent/docs/diagnoses`, compiled in, so that they can be read where
//! there is no network: `loopscope diagnoses NAME`.

use serde::{Serialize, Serializer};

/// Declares the list: variant, name, the line that lists it.
macro_rules! ids {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $line:literal;)*) => {
        /// What can be wrong with a loop, and `healthy`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Id { $($(#[$doc])* $variant,)* }

        impl Id {
            /// Every id; `healthy` stands last.
            pub const ALL: [Id; COUNT] = [$(Id::$variant,)*];

            /// The name in reports and on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Id::$variant => $name,)* }
            }

            /// What it is, in one line.
            pub const fn line(self) -> &'static str {
                match self { $(Id::$variant => $line,)* }
            }

            /// The page on it: Markdown that reads well as it stands.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Id::$variant => {
                        include_str!(concat!("../../docs/diagnoses/", $name, ".md"))
                    })*
                }
            }

            /// Where the page stands in the repository.
            pub const fn docs(self) -> &'static str {
                match self {
                    $(Id::$variant => concat!("agent/docs/diagnoses/", $name, ".md"),)*
                }
            }
        }
    };
}

/// How many ids there are.
pub(super) const COUNT: usize = 12;

ids! {
    /// A drain of the microtask queue that is far too long.
    MicrotaskFlood = "microtask-flood",
        "one drain of the microtask queue runs thousands of promise reactions";
    /// `process.nextTick` callbacks that queue more of themselves.
    NextTickStarvation = "next-tick-starvation",
        "nextTick callbacks queue more of themselves, and nothing else gets a turn";
    /// A callback that computes for long.
    CpuBoundCallback = "cpu-bound-callback",
        "a callback computes for too long before it returns";
    /// A synchronous call that waits.
    SyncIo = "sync-io",
        "the loop's thread waits in a synchronous call";
    /// Garbage collection that takes too much.
    GcPressure = "gc-pressure",
        "garbage collection stops the loop for too long or too often";
    /// The loop's thread gets no CPU.
    CpuStarved = "cpu-starved",
        "the loop could run, but gets no CPU: neighbours or a quota take it";
    /// The process was stopped or suspended.
    Frozen = "frozen",
        "the process was stopped or suspended with work pending";
    /// Thousands of timers due at once.
    TimerStorm = "timer-storm",
        "very many timers come due together";
    /// Thousands of events ready at once.
    PollFlood = "poll-flood",
        "very many sockets or completions are ready in one poll";
    /// Thousands of immediates queued at once.
    ImmediateFlood = "immediate-flood",
        "very many immediates run in one turn";
    /// The pool's threads are all busy while jobs wait.
    ThreadPoolSaturation = "thread-pool-saturation",
        "jobs for files, names, crypto or compression wait for a thread of the pool";
    /// Nothing of all this.
    Healthy = "healthy",
        "the loop turns as it should";
}

impl Id {
    /// The id of this name.
    pub fn named(name: &str) -> Option<Id> {
        Id::ALL.into_iter().find(|id| id.name() == name)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
