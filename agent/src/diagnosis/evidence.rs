//! Evidence that several rules tell in the same words. What was not seen is not told.
//!
//! **Invariant**: every line has a number.

use loop_core::snapshot::{Culprit, LedgerKey, LoopSnapshot, Stall, Wait};
use loop_core::units::{format_count, format_ns};

use super::blame::{Group, longest_callback_ns, own_ns};
use super::thresholds::{LATE_NS, PART_SHARE, WAIT_SHARE};

/// Waits of a stall that are told.
const WAITS_TOLD: usize = 3;

/// Calls that wait for something to come to pass, and not on something.
const CHILD_WAITS: [&str; 5] = ["wait4", "waitid", "epoll_wait", "epoll_pwait", "epoll_pwait2"];

/// `1.50 s in phase poll`, with `so far` while it goes on.
pub(super) fn how_long(stall: &Stall) -> String {
    let so_far = if stall.running { " so far" } else { "" };
    format!("{}{so_far}{}", format_ns(stall.duration_ns), place(stall))
}

/// Where a stall was: ` in phase poll`, or outside of any. Nothing of a stall of which hardly
/// anything was seen: its phase wasn't, either.
fn place(stall: &Stall) -> String {
    match stall.phase {
        Some(phase) => format!(" in phase {}", phase.name()),
        None if stall.is_dark() => String::new(),
        None => " outside of any phase, as in a main script".to_owned(),
    }
}

/// One sentence on a group: `one` held up the loop, or so many stalls by `many`.
pub(super) fn summary(group: &Group<'_>, one: &str, many: &str) -> String {
    let (count, all) = (format_count(group.count), format_ns(group.duration_ns));
    match (group.count, group.longest()) {
        (1, Some(stall)) => format!("{one} held up the loop for {}", how_long(stall)),
        (1, None) => format!("{one} held up the loop for {all}"),
        (_, Some(stall)) if group.unlisted() > 0 => {
            let (kept, how_long) = (format_count(group.listed.len() as u64), how_long(stall));
            format!("{count} stalls by {many}, the longest of the {kept} listed for {how_long}")
        }
        (_, Some(stall)) => {
            format!("{count} stalls by {many}, the longest for {}", how_long(stall))
        }
        (_, None) => format!("{count} stalls by {many}, {all} in all"),
    }
}

/// How many stalls, and how long together.
pub(super) fn stalls(group: &Group<'_>) -> String {
    let times = if group.count == 1 { "stall" } else { "stalls" };
    let (count, all) = (format_count(group.count), format_ns(group.duration_ns));
    let known = match (group.unlisted(), group.listed.len()) {
        (0, _) => String::new(),
        (_, 0) => "; they are too old for details".to_owned(),
        (_, kept) => format!("; the details are of the {} listed", format_count(kept as u64)),
    };
    format!("{count} {times} past the threshold, {all} in all{known}")
}

/// What is told of every group: the totals, the longest stall's ledger, and what it did to timers
/// and to events.
pub(super) fn of_group(group: &Group<'_>, seen: &LoopSnapshot) -> Vec<String> {
    let mut told = vec![stalls(group)];
    told.extend(group.longest().and_then(ledger));
    told.extend(effects(seen));
    told
}

/// What it did to timers and to events.
pub(super) fn effects(seen: &LoopSnapshot) -> impl Iterator<Item = String> {
    lateness(seen).into_iter().chain(arrival(seen))
}

/// The parts of a stall that matter: `of it 1.49 s microtasks (99 %), ...`.
pub(super) fn ledger(stall: &Stall) -> Option<String> {
    let whole = stall.duration_ns.max(1) as f64;
    let mut parts: Vec<(LedgerKey, u64)> = stall
        .ledger_ns
        .iter()
        .filter_map(|(key, ns)| Some((key, ns?)))
        .filter(|&(_, ns)| ns as f64 >= whole * PART_SHARE)
        .collect();
    parts.sort_by_key(|&(_, ns)| std::cmp::Reverse(ns));
    let told: Vec<String> = parts
        .iter()
        .map(|&(key, ns)| {
            let share = 100.0 * ns as f64 / whole;
            format!("{} {} ({share:.0} %)", format_ns(ns), key.name().replace('_', " "))
        })
        .collect();
    (!told.is_empty()).then(|| format!("where the time went: {}", told.join(", ")))
}

/// The longest waits of a stall: `100 ms in openat of /tmp/fifo, called by readFileSync in load
/// (app.js:7)`.
pub(super) fn waits(stall: &Stall) -> Vec<String> {
    let least_ns = stall.duration_ns as f64 * WAIT_SHARE;
    let long = stall.waits.iter().flatten().filter(|wait| wait.duration_ns as f64 >= least_ns);
    let mut told: Vec<String> = long.take(WAITS_TOLD).map(wait).collect();
    if let (Some(first), Some(culprit)) = (told.first_mut(), &stall.culprit) {
        first.push_str(&called_by(culprit));
    }
    told
}

/// One wait: `100 ms in wait4 for sleep (123)`.
fn wait(wait: &Wait) -> String {
    let of = if CHILD_WAITS.contains(&wait.call.as_str()) { "for" } else { "of" };
    let subject = wait.subject.as_ref().map(|subject| format!(" {of} {subject}"));
    format!("{} in {}{}", format_ns(wait.duration_ns), wait.call, subject.unwrap_or_default())
}

/// Who has made a call: the function of Node, if there is one between, and that of the program.
fn called_by(culprit: &Culprit) -> String {
    let Culprit { function, file, line, hot_leaf, .. } = culprit;
    let leaf = hot_leaf.as_deref().map(|leaf| leaf.split(" (").next().unwrap_or(leaf));
    match leaf.filter(|leaf| !leaf.is_empty()) {
        Some(leaf) => format!(", called by {leaf} in {function} ({file}:{line})"),
        None => format!(", called by {function} ({file}:{line})"),
    }
}

/// How many callbacks the stall's phase ran, how long each took without what others took from it,
/// and the longest one where it is known.
pub(super) fn callbacks(stall: &Stall, seen: &LoopSnapshot) -> Option<String> {
    let (count, phase) = (stall.callbacks.filter(|&count| count > 0)?, stall.phase?.name());
    let (told, each) = (format_count(count), format_ns(own_ns(stall) / count));
    Some(match (count, longest_callback_ns(stall, seen)) {
        (1, _) => format!("1 callback ran in phase {phase}"),
        (_, Some(longest)) => {
            let longest = format_ns(longest.ns);
            format!(
                "{told} callbacks ran in phase {phase}, {each} each; the longest took {longest}"
            )
        }
        (_, None) => format!(
            "{told} callbacks ran in phase {phase}, {each} each on average; --detail tells \
             whether one of them takes it all"
        ),
    })
}

/// How late timers were, if they were.
pub(super) fn lateness(seen: &LoopSnapshot) -> Option<String> {
    let late = seen.timer_lateness_ns.as_ref()?;
    (late.max >= LATE_NS).then(|| format!("a timer fired {} late", format_ns(late.max)))
}

/// What a request that arrived at a random instant would have met.
pub(super) fn arrival(seen: &LoopSnapshot) -> Option<String> {
    let summary = seen.arrival_delay_ns.as_ref()?.summary();
    let (p50, p99) = (summary.p50?, summary.p99?);
    (p99 >= LATE_NS).then(|| {
        format!(
            "an event at a random instant would have waited {} (p50), {} (p99)",
            format_ns(p50),
            format_ns(p99)
        )
    })
}

/// Time on a CPU and time waiting for one, since the observation began.
pub(super) fn cpu(seen: &LoopSnapshot) -> Option<String> {
    let (ran, waited) = (seen.cpu.on_cpu_ns?, seen.cpu.run_delay_ns?);
    Some(format!(
        "in all, the thread ran for {} and waited {} for a CPU",
        format_ns(ran),
        format_ns(waited)
    ))
}
