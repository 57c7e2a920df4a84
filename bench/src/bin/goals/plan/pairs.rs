//! Ours beside what others have for the same: each pair takes turns in this process, and is told as
//! a ratio. What is not the same about the two stands with the pair.

use loop_core::buckets::BUCKETS;
use loop_core::units::format_count;
use loopscope_bench::Failure;
use loopscope_bench::cases::timers::{Durations, Part, due_timers, timers};
use loopscope_bench::cases::{
    measured, measured_in_detail, queues, read, record, turn, under_virtual_time, unmeasured,
};
use loopscope_bench::measure::{Case, Figures, interleaved};
use loopscope_bench::peers::otlp::Kind;
use loopscope_bench::peers::{self, histograms, memory, otlp, pages, tokio_tasks, tokio_timers};
use serde::Serialize;

use super::Size;
use crate::row::{Row, Unit};

/// Why tokio's histogram is missing.
const NO_HISTOGRAM: &str = "build with `RUSTFLAGS=\"--cfg tokio_unstable\"`";

/// One of ours and one of theirs.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    /// The group.
    pub(crate) group: &'static str,
    /// The package that theirs is of.
    pub(crate) peer: &'static str,
    /// The package's version.
    pub(crate) version: &'static str,
    /// What is done by both, and what is not the same about it.
    pub(crate) how: String,
    /// Ours to theirs, or why it is not measured.
    #[serde(flatten)]
    pub(crate) row: Row,
}

/// Theirs: the package, its case, and what is not the same about it.
struct Theirs {
    peer: &'static str,
    /// `None`: it is not in this build.
    case: Option<Case>,
    how: String,
}

/// Measures the pairs of a group.
type Measure = fn(&Size) -> Result<Vec<Pair>, Failure>;

/// All pairs, group by group.
pub(crate) fn pairs(size: &Size) -> Result<Vec<Pair>, Failure> {
    let groups: [(&str, Measure); 6] = [
        ("turns", turns),
        ("microtasks", microtasks),
        ("timers", all_timers),
        ("recording a value", records),
        ("what a server is given", pages_and_requests),
        ("memory", memory_of),
    ];
    let mut all = Vec::new();
    for (name, measure) in groups {
        eprintln!("measuring {name} ...");
        all.extend(measure(size)?);
    }
    Ok(all)
}

/// Ours beside each of theirs, all of them in turn.
fn beside(
    (group, what): (&'static str, &str),
    rounds: usize,
    ours: Case,
    theirs: Vec<Theirs>,
) -> Result<Vec<Pair>, Failure> {
    let mut cases = vec![ours];
    let mut described = Vec::new();
    for Theirs { peer, case, how } in theirs {
        described.push((peer, how, case.is_some()));
        cases.extend(case);
    }
    let figures = interleaved(rounds, &mut cases)?;
    let mut others = figures[1..].iter();
    let pair = |(peer, how, is_there): (&'static str, String, bool)| {
        let other = is_there.then(|| others.next()).flatten();
        let row = match other {
            Some(other) => Row::ratio(what, &figures[0], other),
            None => Row::not_measured(what, Unit::Ratio, not_built(peer)),
        };
        Pair { group, peer, version: peers::version(peer), how, row }
    };
    Ok(described.into_iter().map(pair).collect())
}

fn theirs(peer: &'static str, case: Case, how: &str) -> Theirs {
    Theirs { peer, case: Some(case), how: how.to_owned() }
}

const LIBUV: &str = "libuv-sys2";

/// libuv's, where this is built with it.
fn libuv(case: Option<Case>, how: &str) -> Theirs {
    Theirs { peer: LIBUV, case, how: how.to_owned() }
}

/// Why something of a peer's is missing. Only libuv is not in every build.
fn not_built(peer: &str) -> &'static str {
    if peer == LIBUV { super::NO_LIBUV } else { "not measured" }
}

#[cfg(feature = "libuv")]
fn libuv_turns(size: &Size) -> Result<Option<Case>, Failure> {
    peers::libuv::turns(size.turns).map(Some)
}

#[cfg(not(feature = "libuv"))]
fn libuv_turns(_: &Size) -> Result<Option<Case>, Failure> {
    Ok(None)
}

#[cfg(feature = "libuv")]
fn libuv_timers(size: &Size, part: Part) -> Result<Option<Case>, Failure> {
    peers::libuv::timers(size.timers, Durations::Spread, part).map(Some)
}

#[cfg(not(feature = "libuv"))]
fn libuv_timers(_: &Size, _: Part) -> Result<Option<Case>, Failure> {
    Ok(None)
}

#[cfg(feature = "libuv")]
fn libuv_timer_bytes() -> Option<f64> {
    Some(peers::libuv::TIMER_BYTES as f64)
}

#[cfg(not(feature = "libuv"))]
fn libuv_timer_bytes() -> Option<f64> {
    None
}

fn turns(size: &Size) -> Result<Vec<Pair>, Failure> {
    const GROUP: &str = "turns";
    const SAME: &str = "\
        an idle and a check callback, and a poll that finds nothing; libuv measures nothing";
    const YIELD: &str = "\
        theirs is a future that yields to the driver: a poll that finds nothing, and the \
        future is polled; it measures nothing";
    let measured_turn = turn::turns(measured()?, size.turns, 0);
    let others = vec![
        libuv(libuv_turns(size)?, SAME),
        theirs("tokio", tokio_tasks::turns(size.turns)?, YIELD),
    ];
    let mut all = beside((GROUP, "a turn, measured"), size.rounds, measured_turn, others)?;
    let bare = turn::turns(unmeasured()?, size.turns, 0);
    let others = vec![libuv(libuv_turns(size)?, "the same, and neither measures")];
    all.extend(beside((GROUP, "a turn, not measured"), size.rounds, bare, others)?);
    all.push(detail(size)?);
    Ok(all)
}

/// What timing each callback adds to it, beside what tokio's histogram adds to a poll.
fn detail(size: &Size) -> Result<Pair, Failure> {
    const IMMEDIATES: u32 = 100;
    const WHAT: &str = "timing one callback";
    let turns = size.turns / 10;
    let mut cases = vec![
        turn::turns(measured()?, turns, IMMEDIATES.into()),
        turn::turns(measured_in_detail()?, turns, IMMEDIATES.into()),
    ];
    #[cfg(tokio_unstable)]
    cases.extend([peers::tokio_polls::polls(false)?, peers::tokio_polls::polls(true)?]);
    let figures = interleaved(size.rounds, &mut cases)?;
    let added = |at: usize, things: u32| {
        let (off, on) = (figures.get(at)?.rounds(), figures.get(at + 1)?.rounds());
        let each = on.iter().zip(off).map(|(on, off)| (on - off) / f64::from(things));
        Some(Figures::of(each.collect()))
    };
    let row = match (added(0, IMMEDIATES), added(2, 1)) {
        (Some(ours), Some(other)) => of_differences(WHAT, &ours, &other),
        _ => Row::not_measured(WHAT, Unit::Ratio, NO_HISTOGRAM),
    };
    Ok(Pair {
        group: "turns",
        peer: "tokio",
        version: peers::version("tokio"),
        how: "what it adds to a callback with `--detail`; theirs is what the histogram of poll \
              times adds to the poll of a task"
            .to_owned(),
        row,
    })
}

/// By the middle rounds: of differences the smallest is not the quietest.
fn of_differences(what: &str, ours: &Figures, theirs: &Figures) -> Row {
    let (ours, theirs) = (ours.median(), theirs.median());
    if ours <= 0.0 || theirs <= 0.0 {
        return Row::not_measured(what, Unit::Ratio, "the machine was too busy; repeat it");
    }
    Row::exact(what, Unit::Ratio, ours / theirs, &format!("{ours:.1} / {theirs:.1} ns"))
}

fn microtasks(size: &Size) -> Result<Vec<Pair>, Failure> {
    const GROUP: &str = "microtasks";
    const SPAWNED: &str = "\
        30,000 closures queued, then run; theirs are tasks, which also can wait, be joined \
        and be aborted";
    const CHAINED: &str = "\
        each queues the next one; theirs is a task that wakes itself, so that an operation \
        is a poll and no new task";
    let flat = queues::microtasks_flat(measured()?);
    let others = vec![theirs("tokio", tokio_tasks::spawned()?, SPAWNED)];
    let mut all = beside((GROUP, "a microtask, many at once"), size.rounds, flat, others)?;
    let chained = queues::microtasks_chained(measured()?);
    let others = vec![theirs("tokio", tokio_tasks::self_waking()?, CHAINED)];
    all.extend(beside((GROUP, "a microtask, chained"), size.rounds, chained, others)?);
    Ok(all)
}

fn all_timers(size: &Size) -> Result<Vec<Pair>, Failure> {
    const GROUP: &str = "timers";
    let parts = [
        (Part::Insert, "set a timer", "1 ms to 1 min; theirs were made before", "in a box"),
        (Part::Cancel, "clear a timer", "in random order", "dropped, in random order"),
        (
            Part::Expire,
            "a timer expires",
            "spread over 60 ms, and all due after a sleep",
            "in a box, as libuv's",
        ),
    ];
    let mut all = Vec::new();
    for (part, what, of_libuv, of_tokio) in parts {
        let ours = match part {
            Part::Expire => due_timers(measured, size.timers),
            _ => timers(under_virtual_time, size.timers, Durations::Spread, part),
        };
        let count = format!("one of {}", format_count(size.timers as u64));
        let others = vec![
            libuv(libuv_timers(size, part)?, &format!("{count}, {of_libuv}")),
            theirs(
                "tokio",
                tokio_timers::timers(size.timers, Durations::Spread, part)?,
                &format!("a `Sleep`, {of_tokio}"),
            ),
        ];
        all.extend(beside((GROUP, what), size.timer_rounds, ours, others)?);
    }
    Ok(all)
}

fn records(size: &Size) -> Result<Vec<Pair>, Failure> {
    const GROUP: &str = "recording a value";
    let buckets =
        format!("into 19 buckets, from any thread; ours has {BUCKETS} and one writing thread");
    let others = vec![
        theirs(
            "hdrhistogram",
            histograms::hdrhistogram()?,
            "2 digits, seen by its own thread alone; ours by others at once, with sum, min and max",
        ),
        theirs("prometheus", histograms::prometheus()?, &buckets),
        theirs("prometheus-client", histograms::prometheus_client(), &buckets),
        theirs("opentelemetry_sdk", histograms::opentelemetry(false), "the same, no attributes"),
        theirs(
            "opentelemetry_sdk",
            histograms::opentelemetry(true),
            "the same, with three attributes, which ours has with the loop",
        ),
    ];
    beside((GROUP, "a value in a histogram"), size.rounds, record::histogram(), others)
}

fn pages_and_requests(size: &Size) -> Result<Vec<Pair>, Failure> {
    const GROUP: &str = "what a server is given";
    let page = read::page()?;
    let count = pages::histograms_in(&page);
    let same = format!("a page of text; theirs has as many histograms, {count}, and no scalars");
    let others = vec![
        theirs("prometheus", pages::prometheus(count)?, &same),
        theirs("prometheus-client", pages::prometheus_client(count), &same),
    ];
    let what = (GROUP, "a scrape of a loop");
    let mut all = beside(what, size.rounds, read::scrape()?, others)?;
    let how = |of: &str| {
        format!("a request of OTLP, collected and encoded; theirs has {count} histograms {of}")
    };
    let exponential = how("of the same kind and no scalars");
    let explicit = how("with 19 buckets");
    let others = vec![
        theirs("opentelemetry_sdk", otlp::push(count, Kind::Exponential)?, &exponential),
        theirs("opentelemetry_sdk", otlp::push(count, Kind::Explicit)?, &explicit),
    ];
    all.extend(beside((GROUP, "a push of a loop"), size.rounds, read::push()?, others)?);
    Ok(all)
}

fn memory_of(size: &Size) -> Result<Vec<Pair>, Failure> {
    let buckets = format!("ours has {BUCKETS} buckets, theirs 19");
    let (histogram, timer) = (memory::histogram(), memory::timer(size.timers)?);
    let pair = |what, ours: f64, peer, bytes: Option<f64>, how: &str| {
        let row = match bytes {
            Some(bytes) => {
                let basis = format!("{ours:.0} / {bytes:.0} bytes");
                Row::exact(what, Unit::Ratio, ours / bytes, &basis)
            }
            None => Row::not_measured(what, Unit::Ratio, not_built(peer)),
        };
        let version = peers::version(peer);
        Pair { group: "memory", peer, version, how: how.to_owned(), row }
    };
    let of_histogram =
        |peer, bytes: f64, how: &str| pair("a histogram", histogram, peer, Some(bytes), how);
    let of_timer = |peer, bytes, how| pair("a timer", timer, peer, bytes, how);
    let of_tokio = Some(memory::tokio_timer(size.timers)?);
    Ok(vec![
        of_histogram("hdrhistogram", memory::hdrhistogram()?, "2 digits, up to an hour"),
        of_histogram("prometheus", memory::prometheus()?, &buckets),
        of_histogram("prometheus-client", memory::prometheus_client(), &buckets),
        of_histogram(
            "opentelemetry_sdk",
            memory::opentelemetry(),
            "19 buckets, and room for 2,000 sets of attributes, its default",
        ),
        of_timer(
            LIBUV,
            libuv_timer_bytes(),
            "its handle alone; ours with closure and place in a list",
        ),
        of_timer("tokio", of_tokio, "a `Sleep` in a box"),
        pair(
            "a microtask that waits",
            memory::microtask()?,
            "tokio",
            Some(tokio_tasks::bytes_of_a_task()?),
            "30,000 of 24 bytes queued; theirs are tasks",
        ),
    ])
}
