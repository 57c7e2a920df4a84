//! Who is observed, by which source, at which tier and cost.

use serde::{Serialize, Serializer};

/// An observed process.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Process id.
    pub pid: u32,
    /// The service's name, or the workload's.
    pub name: String,
    /// What runs the loop.
    pub runtime: Runtime,
    /// The version of the runtime.
    pub runtime_version: String,
    /// Where the figures come from.
    pub source: Source,
    /// How much the source sees.
    pub tier: Tier,
    /// Time spent measuring as a share of the loop thread's time; `None` where it isn't known.
    pub overhead_ratio: Option<f64>,
    /// Whether the source was on for a part of the time only.
    pub sampled: bool,
    /// What is not seen of it, and why.
    pub limits: Vec<Limit>,
}

/// Something that a source does not see of a target: its figures are `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// What is not seen.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Declares an enum whose variants have one name each, used in labels and in JSON alike.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The name in labels and in the report.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

named! {
    /// What runs the loop.
    Runtime {
        /// The embedded loop of this project.
        LoopCore = "loop_core",
        /// Node.js.
        NodeJs = "nodejs",
    }
}

named! {
    /// Where the figures come from.
    Source {
        /// The recorder inside the embedded loop.
        Embedded = "embedded",
        /// Probes in the kernel.
        Ebpf = "ebpf",
        /// V8's own trace events.
        V8Trace = "v8-trace",
        /// The inspector protocol.
        Inspector = "inspector",
    }
}

named! {
    /// How much a source sees, and what it costs.
    Tier {
        /// No probe in the target.
        Passive = "passive",
        /// Turns and phases.
        Turn = "turn",
        /// Everything.
        Full = "full",
    }
}
