//! The numbers of names. 0 is nobody's: it is what is not there.

use loop_core::Phase;
use loop_core::buckets::Scale;
use loop_core::snapshot::{
    ClockKind, LedgerKey, Queue, Repeated, Runtime, SampleState, Source, StoppedBy, Tier,
};

use super::Odd;

/// A name with a number.
pub(super) trait Numbered: Sized {
    /// Its number, from 1.
    fn number(self) -> u32;

    /// The name with this number.
    fn numbered(number: u32) -> Result<Self, Odd>;

    /// The name with this number, where there is a number.
    fn maybe(number: Option<u32>) -> Result<Option<Self>, Odd> {
        number.map(Self::numbered).transpose()
    }
}

/// Numbers every name of an enum.
macro_rules! numbered {
    ($($name:ident { $($variant:ident = $number:literal,)* })*) => {
        $(impl Numbered for $name {
            fn number(self) -> u32 {
                match self { $($name::$variant => $number,)* }
            }

            fn numbered(number: u32) -> Result<Self, Odd> {
                match number { $($number => Ok($name::$variant),)* _ => Err(Odd) }
            }
        })*
    };
}

numbered! {
    ClockKind { Real = 1, Virtual = 2, }
    LedgerKey {
        Frozen = 1,
        Throttled = 2,
        RunQueue = 3,
        SyncIo = 4,
        LockWait = 5,
        Gc = 6,
        Microtasks = 7,
        Ticks = 8,
        Native = 9,
        Javascript = 10,
        Unknown = 11,
    }
    Phase {
        Timers = 1,
        Pending = 2,
        Idle = 3,
        Prepare = 4,
        Poll = 5,
        Check = 6,
        Close = 7,
    }
    Queue { NextTick = 1, Microtask = 2, }
    Repeated { Ticks = 1, Timers = 2, Events = 3, Immediates = 4, }
    Runtime { LoopCore = 1, NodeJs = 2, }
    SampleState { OnCpu = 1, Waiting = 2, }
    Scale { Time = 1, Length = 2, }
    Source { Embedded = 1, Ebpf = 2, V8Trace = 3, Inspector = 4, }
    StoppedBy { Signal = 1, ControlGroup = 2, }
    Tier { Passive = 1, Turn = 2, Full = 3, }
}
