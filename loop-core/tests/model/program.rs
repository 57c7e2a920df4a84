//! Programs: trees of what a main program and its callbacks do, made at random.
//!
//! What acts on something that was made before names it by number, modulo how many there are. A
//! program is printed as it is written here, so a failing one can be read.

use proptest::collection::vec;
use proptest::prelude::*;

/// What a callback does, one action after the other.
pub(crate) type Body = Vec<Action>;

/// The three kinds of handles that run once a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    Idle = 0,
    Prepare = 1,
    Check = 2,
}

/// One thing to do. `times` is after how many runs something closes or clears itself.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    BusyUs(u64),
    UpdateTime,
    Look,

    Timeout { ms: u64, run: Body },
    Interval { ms: u64, times: u32, run: Body },
    ClearTimer(usize),
    RefreshTimer(usize),
    RefTimer(usize, bool),

    Immediate { run: Body },
    ClearImmediate(usize),
    RefImmediate(usize, bool),

    Tick { run: Body },
    Microtask { run: Body },

    Promise,
    Then { promise: usize, run: Body },
    Catch { promise: usize, run: Body },
    Resolve(usize),
    Reject(usize),
    Follow { promise: usize, other: usize },
    All(Vec<usize>),
    Race(Vec<usize>),

    Watch { what: Watched, times: u32, run: Body },
    StopWatching(usize),
    WatchAgain(usize),
    LoopTimer { ms: u64, repeat_ms: u64, times: u32, run: Body },
    StopTimer(usize),
    TimerAgain(usize),
    Waker { times: u32, run: Body },
    Wake(usize),
    Close { handle: usize, run: Body },
    RefHandle(usize, bool),

    Job { run: Body },
    Stop,
    Freeze,
}

/// How a loop is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Default,
    Once,
    NoWait,
}

/// What happens to a loop from outside.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// From now on what is rejected and nobody handles is told, instead of ending a run.
    HandleRejections,
    /// A main program.
    Enter(Body),
    /// Calls that are made outside of any callback.
    Outside(Body),
    Run(Mode),
    /// Time passes while the loop doesn't run.
    PassUs(u64),
}

/// A whole program. It ends with runs until nothing is left.
pub(crate) type Program = Vec<Step>;

pub(crate) fn program() -> impl Strategy<Value = Program> {
    let step = prop_oneof![
        4 => body(4).prop_map(Step::Enter),
        1 => body(3).prop_map(Step::Outside),
        2 => Just(Step::Run(Mode::Default)),
        2 => Just(Step::Run(Mode::Once)),
        1 => Just(Step::Run(Mode::NoWait)),
        1 => us().prop_map(Step::PassUs),
    ];
    let handler = proptest::option::weighted(0.6, Just(Step::HandleRejections));
    (handler, body(8), vec(step, 0..4)).prop_map(|(handler, main, steps)| {
        handler.into_iter().chain([Step::Enter(main)]).chain(steps).collect()
    })
}

fn body(actions_max: usize) -> impl Strategy<Value = Body> {
    vec(action(), 0..=actions_max)
}

fn action() -> impl Strategy<Value = Action> {
    plain().prop_recursive(3, 24, 4, |inner| {
        let body = move || vec(inner.clone(), 0..4);
        prop_oneof![
            6 => (ms(), body()).prop_map(|(ms, run)| Action::Timeout { ms, run }),
            2 => (ms(), 1u32..4, body())
                .prop_map(|(ms, times, run)| Action::Interval { ms, times, run }),
            4 => body().prop_map(|run| Action::Immediate { run }),
            3 => body().prop_map(|run| Action::Tick { run }),
            3 => body().prop_map(|run| Action::Microtask { run }),
            2 => (any_one(), body()).prop_map(|(promise, run)| Action::Then { promise, run }),
            1 => (any_one(), body()).prop_map(|(promise, run)| Action::Catch { promise, run }),
            3 => (watched(), 1u32..4, body())
                .prop_map(|(what, times, run)| Action::Watch { what, times, run }),
            3 => (ms(), prop_oneof![Just(0u64), 1u64..6], 1u32..4, body())
                .prop_map(|(ms, repeat_ms, times, run)| {
                    Action::LoopTimer { ms, repeat_ms, times, run }
                }),
            1 => (1u32..4, body()).prop_map(|(times, run)| Action::Waker { times, run }),
            2 => (any_one(), body()).prop_map(|(handle, run)| Action::Close { handle, run }),
            2 => body().prop_map(|run| Action::Job { run }),
        ]
    })
}

/// What runs nothing later.
fn plain() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => us().prop_map(Action::BusyUs),
        1 => Just(Action::UpdateTime),
        2 => Just(Action::Look),
        2 => any_one().prop_map(Action::ClearTimer),
        2 => any_one().prop_map(Action::RefreshTimer),
        2 => (any_one(), any::<bool>()).prop_map(|(n, on)| Action::RefTimer(n, on)),
        1 => any_one().prop_map(Action::ClearImmediate),
        1 => (any_one(), any::<bool>()).prop_map(|(n, on)| Action::RefImmediate(n, on)),
        2 => Just(Action::Promise),
        2 => any_one().prop_map(Action::Resolve),
        1 => any_one().prop_map(Action::Reject),
        1 => (any_one(), any_one())
            .prop_map(|(promise, other)| Action::Follow { promise, other }),
        1 => vec(any_one(), 0..3).prop_map(Action::All),
        1 => vec(any_one(), 0..3).prop_map(Action::Race),
        1 => any_one().prop_map(Action::StopWatching),
        1 => any_one().prop_map(Action::WatchAgain),
        1 => any_one().prop_map(Action::StopTimer),
        1 => any_one().prop_map(Action::TimerAgain),
        1 => any_one().prop_map(Action::Wake),
        1 => (any_one(), any::<bool>()).prop_map(|(n, on)| Action::RefHandle(n, on)),
        1 => Just(Action::Stop),
        1 => Just(Action::Freeze),
    ]
}

fn any_one() -> impl Strategy<Value = usize> {
    0usize..6
}

fn watched() -> impl Strategy<Value = Watched> {
    prop_oneof![Just(Watched::Idle), Just(Watched::Prepare), Just(Watched::Check)]
}

/// Few durations, so that lists have several timers, and some that are clamped.
fn ms() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0u64..6,
        2 => Just(10u64),
        1 => 20u64..80,
        1 => Just(1u64 << 31),
    ]
}

fn us() -> impl Strategy<Value = u64> {
    prop_oneof![3 => (0u64..4).prop_map(|ms| ms * 1_000), 3 => 0u64..3_000, 1 => 5_000u64..12_000]
}
