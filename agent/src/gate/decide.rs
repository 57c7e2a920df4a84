//! From the runs of both sides to what is known of each metric, and the verdict.
//!
//! **Invariant**: a pure function: the same samples give the same comparison.

use std::collections::BTreeSet;

use loop_core::snapshot::{Culprit, Source, Tier};

use super::comparison::{GateTier, Metric, Standing, Unit, Verdict};
use super::fingerprint::Fingerprint;
use super::measure::{Kind, Limits, MEASURES, Measure, Part};
use super::sample::{Figures, Sample};
use super::statistics::median;
use super::{exact, stalls, time, turns};

/// The runs of one command, and where they were made.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    /// In the order in which they were made. The n-th of both sides are a pair, and two pairs a
    /// block.
    pub samples: &'a [Sample],
    /// Where.
    pub fingerprint: &'a Fingerprint,
}

/// Why nothing is compared of runs that were read now and then.
const PASSIVE: &str = "the tier passive reads lower bounds; use the tier turn or full";

/// The time in all turns.
const TURN_TIME: &str = "turn_time";

/// That before the first poll, behind a shell.
const START_TIME: &str = "start_time";

/// Times that few gates have: that they are not compared is no news.
const SELDOM: [&str; 2] = ["turn_p99", START_TIME];

/// Why nothing is known of times where nearly all is before the first turn.
const UNTIMED: &str = "next to nothing of a run was timed: what runs before the first poll is not \
                       always seen behind a shell or npm; run `node FILE` itself";

/// What gets shorter where work is cut into pieces,
const LONGEST_DRAIN: &str = "longest_drain";

/// and what there is more of then.
const PIECES: [&str; 2] = ["drains", "turns"];

/// What the user may set of how it is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rules {
    /// The growth of an exact count that passes: 0.05 is 5 %.
    pub exact_tolerance: f64,
    /// How often this gate has been judged before, with fewer runs.
    pub look: u32,
}

/// What is known of both sides: the metrics, worst first.
pub fn metrics(base: Runs<'_>, head: Runs<'_>, rules: Rules) -> Vec<Metric> {
    metrics_but(base, head, rules, None)
}

/// The same with exact counts alone, where there is a reason to compare nothing that varies.
pub fn metrics_but(
    base: Runs<'_>,
    head: Runs<'_>,
    rules: Rules,
    why_no_pairs: Option<String>,
) -> Vec<Metric> {
    let is_traced = observed(base, head).any(|(source, _)| source == Source::V8Trace);
    let is_whole = base.samples.iter().chain(head.samples).all(|sample| sample.from_start);
    let is_passive = observed(base, head).any(|(_, tier)| tier == Tier::Passive);
    let (why_no_pairs, why_no_times) = reasons(base, head, why_no_pairs);
    let mut metrics = Vec::new();
    let mut varying = Vec::new();
    let sides = (base.samples, head.samples);
    let turns_differ = why_no_times.is_none() && turns::differ(sides.0, sides.1);
    let first = turns::first_of_one_side(sides.0, sides.1);
    for measure in &MEASURES {
        let (base, head) = (values(measure, base.samples), values(measure, head.samples));
        let first = first.as_ref().filter(|_| turns::have_first(measure));
        let why_not = if measure.is_count() { &why_no_pairs } else { &why_no_times };
        let why_not = why_not.as_ref().or(first);
        let may_be_exact = match measure.kind {
            // What is read last is not all that there was: its end comes between two looks.
            _ if is_passive => false,
            Kind::Count => true,
            Kind::Turns => !is_traced && is_whole,
            Kind::Stalls | Kind::Time | Kind::Percentile => false,
        };
        let exact = may_be_exact.then(|| exact_tier(measure, &base, &head, rules)).flatten();
        let exact = exact.filter(|of| first.is_none() || of.standing == Standing::Same);
        match (exact, why_not, missing(&base, &head)) {
            (Some(metric), ..) => metrics.push(metric),
            (None, Some(why), missing) => {
                let tells = is_news(measure, &missing);
                metrics.extend(tells.then(|| untold(measure, base, head, why.clone())));
            }
            (None, None, _) if measure.kind == Kind::Stalls => {
                metrics.extend(stalls::judge(measure, sides.0, sides.1, rules));
            }
            (None, None, _) if is_all_untimed(measure, sides) => {
                metrics.push(untold(measure, base, head, UNTIMED.to_owned()));
            }
            (None, None, Missing::Nothing) => varying.push((measure, full(base), full(head))),
            (None, None, Missing::Everywhere) => {}
            (None, None, Missing::Somewhere(why)) => {
                let mut metric = untold(measure, base, head, why);
                // A program that does less has fewer turns. The times of its whole run decide.
                metric.decides &= measure.kind != Kind::Percentile || is_most_start(measure, sides);
                metric.decides &= measure.name != TURN_TIME || !is_cpu_known(sides);
                metrics.push(metric);
            }
        }
    }
    metrics.extend(time_tier(varying, rules, turns_differ));
    let_pieces_pass(&mut metrics);
    let worse = metrics.iter_mut().filter(|metric| metric.standing == Standing::Worse);
    worse.for_each(|metric| blame(metric, head.samples));
    order(&mut metrics);
    metrics
}

/// Whether it is told that it is not compared.
fn is_news(measure: &Measure, missing: &Missing) -> bool {
    match measure.unit {
        Unit::Count => !matches!(missing, Missing::Everywhere),
        _ => measure.part == Part::Decides && !SELDOM.contains(&measure.name),
    }
}

/// Why no count that varies is compared, and why no time is; `None` where they are.
fn reasons(
    base: Runs<'_>,
    head: Runs<'_>,
    known: Option<String>,
) -> (Option<String>, Option<String>) {
    let is_passive = observed(base, head).any(|(_, tier)| tier == Tier::Passive);
    let is_traced = observed(base, head).any(|(source, _)| source == Source::V8Trace);
    let passive = is_passive.then(|| PASSIVE.to_owned());
    let no_pairs = passive.or(known).or_else(|| no_pairs(base, head));
    let no_times = no_pairs.clone().or_else(|| {
        let why = "v8-trace slows down what it would time; `loopscope doctor` tells what eBPF \
                   lacks";
        is_traced.then(|| why.to_owned())
    });
    (no_pairs, no_times)
}

/// Whether this is the time in turns, there is none that matters, and nothing else tells how long
/// runs behind a shell took.
fn is_all_untimed(measure: &Measure, sides: (&[Sample], &[Sample])) -> bool {
    let mut all = sides.0.iter().chain(sides.1);
    measure.name == TURN_TIME
        && !is_cpu_known(sides)
        && all.clone().any(|run| !run.from_start)
        && all.any(|run| run.figures.start_ns.is_none())
        && middle_of(sides, |figures| figures.active_ns) < measure.limits.floor
}

/// Whether this is the time before the first poll, and most of a run is before it: that it was not
/// seen in some runs leaves nothing to tell by.
fn is_most_start(measure: &Measure, sides: (&[Sample], &[Sample])) -> bool {
    let in_turns_ns = middle_of(sides, |figures| figures.active_ns);
    measure.name == START_TIME && middle_of(sides, |figures| figures.start_ns) > in_turns_ns
}

/// The middle of those runs that tell it; 0 where none does.
fn middle_of((base, head): (&[Sample], &[Sample]), of: fn(&Figures) -> Option<u64>) -> f64 {
    let known = base.iter().chain(head).filter_map(|run| of(&run.figures));
    let mut known: Vec<f64> = known.map(|value| value as f64).collect();
    if known.is_empty() { 0.0 } else { median(&mut known) }
}

/// Whether the CPU time of all runs tells how long they took.
fn is_cpu_known((base, head): (&[Sample], &[Sample])) -> bool {
    base.iter().chain(head).all(|run| run.figures.cpu_ns.is_some())
}

/// What is to be known of how these metrics were judged, a line each.
pub fn notes(metrics: &[Metric]) -> Vec<String> {
    turns::note(metrics).into_iter().collect()
}

/// Who cuts a long drain into short ones has more of them, and more turns: that is the cure.
fn let_pieces_pass(metrics: &mut [Metric]) {
    let is_cut_up =
        |metric: &Metric| metric.name == LONGEST_DRAIN && metric.standing == Standing::Better;
    if metrics.iter().any(is_cut_up) {
        let more = metrics.iter_mut().filter(|metric| PIECES.contains(&metric.name));
        more.for_each(|metric| metric.decides = false);
    }
}

/// Worst first; what is as before stands last.
pub fn order(metrics: &mut [Metric]) {
    let place = |metric: &Metric| match metric.standing {
        Standing::Worse => 0,
        Standing::Unclear => 1,
        Standing::Untold(_) => 2,
        Standing::Better => 3,
        Standing::Same => 4,
    };
    let grown = |metric: &Metric| metric.change.map_or(1.0, |change| change.ratio);
    metrics.sort_by(|a, b| {
        let parts = (!a.decides).cmp(&!b.decides);
        let places = place(a).cmp(&place(b));
        // What is known exactly is the better place to begin with.
        let tiers = (a.tier == GateTier::Time).cmp(&(b.tier == GateTier::Time));
        places.then(parts).then(tiers).then(grown(b).total_cmp(&grown(a)))
    });
}

/// What these metrics come to. A budget that can't be told is a run that can't be judged.
pub fn verdict(metrics: &[Metric]) -> Verdict {
    let of = |metric: &Metric| match (&metric.standing, metric.tier) {
        (Standing::Same | Standing::Better, _) => Verdict::Passed,
        (Standing::Untold(_), GateTier::Budget) => Verdict::Invalid,
        _ if !metric.decides => Verdict::Passed,
        (Standing::Worse, _) => Verdict::Regressed,
        (Standing::Unclear | Standing::Untold(_), _) => Verdict::Inconclusive,
    };
    metrics.iter().map(of).max().unwrap_or(Verdict::Passed)
}

/// Whether more runs may tell more.
pub fn is_undecided(metrics: &[Metric]) -> bool {
    let any = |standing: &Standing| {
        metrics.iter().any(|metric| metric.decides && metric.standing == *standing)
    };
    any(&Standing::Unclear) && !any(&Standing::Worse)
}

/// Why the runs can't be compared, a line each; none where they can.
pub fn invalid(side: &str, samples: &[Sample]) -> Vec<String> {
    let mut why: BTreeSet<String> = BTreeSet::new();
    for sample in samples {
        why.extend(sample.losses.iter().map(|loss| format!("a run of {side} is invalid: {loss}")));
    }
    let ways: BTreeSet<String> = samples.iter().filter_map(way).collect();
    if ways.len() > 1 {
        let ways: Vec<String> = ways.into_iter().collect();
        why.insert(format!(
            "runs of {side} were observed in different ways ({}); choose with --source and \
             --tier, or raise --overhead-budget",
            ways.join(", ")
        ));
    }
    let runtimes: BTreeSet<_> = samples.iter().map(|sample| &sample.runtimes).collect();
    if runtimes.len() > 1 {
        why.insert(format!("runs of {side} were of different versions of Node.js; run one"));
    }
    why.into_iter().collect()
}

/// As [`invalid`], of both sides against each other.
pub fn unlike(base: &[Sample], head: &[Sample]) -> Option<String> {
    let ways = |samples: &[Sample]| samples.iter().filter_map(way).collect::<BTreeSet<_>>();
    let (base, head) = (ways(base), ways(head));
    (base != head).then(|| {
        let text = |ways: BTreeSet<String>| ways.into_iter().collect::<Vec<_>>().join(", ");
        format!(
            "base was observed by {}, head by {}; choose with --source and --tier",
            text(base),
            text(head)
        )
    })
}

fn way(sample: &Sample) -> Option<String> {
    sample.observed.map(|(source, tier)| format!("{} {}", source.name(), tier.name()))
}

/// Why nothing that varies is compared, besides how it was observed; `None` where it is.
fn no_pairs(base: Runs<'_>, head: Runs<'_>) -> Option<String> {
    let differs = base.fingerprint.differs(head.fingerprint)?;
    Some(format!("the runs are of different machines: {differs}"))
}

/// How the runs were observed.
fn observed<'a>(base: Runs<'a>, head: Runs<'a>) -> impl Iterator<Item = (Source, Tier)> + 'a {
    base.samples.iter().chain(head.samples).filter_map(|sample| sample.observed)
}

fn values(measure: &Measure, samples: &[Sample]) -> Vec<Option<f64>> {
    samples.iter().map(|sample| measure.of(sample)).collect()
}

fn full(values: Vec<Option<f64>>) -> Vec<f64> {
    values.into_iter().flatten().collect()
}

enum Missing {
    Nothing,
    Somewhere(String),
    Everywhere,
}

fn missing(base: &[Option<f64>], head: &[Option<f64>]) -> Missing {
    let without = |values: &[Option<f64>]| values.iter().filter(|value| value.is_none()).count();
    match (without(base), without(head)) {
        (0, 0) if base.is_empty() || head.is_empty() => Missing::Everywhere,
        (0, 0) => Missing::Nothing,
        (of_base, of_head) if of_base == base.len() && of_head == head.len() => Missing::Everywhere,
        (of_base, of_head) => Missing::Somewhere(format!(
            "{of_base} runs of base and {of_head} of head have too few to tell"
        )),
    }
}

fn exact_tier(
    measure: &Measure,
    base: &[Option<f64>],
    head: &[Option<f64>],
    rules: Rules,
) -> Option<Metric> {
    let all = |values: &[Option<f64>]| values.iter().copied().collect::<Option<Vec<f64>>>();
    let (base, head) = (all(base)?, all(head)?);
    let (standing, change) = exact::judge(&base, &head, rules.exact_tolerance)?;
    Some(Metric {
        tier: GateTier::Exact,
        decides: true,
        base,
        head,
        change: Some(change),
        standing,
        ..blank(measure)
    })
}

fn time_tier(
    varying: Vec<(&Measure, Vec<f64>, Vec<f64>)>,
    rules: Rules,
    turns_differ: bool,
) -> Vec<Metric> {
    let series = varying.iter().map(|(measure, base, head)| time::Series {
        base,
        head,
        limits: limits(measure, base, rules),
        decides: turns::decides(measure, turns_differ),
    });
    let judged = time::judge(&series.collect::<Vec<_>>(), rules.look);
    let metric = |((measure, base, head), judged): ((&Measure, _, _), time::Judged)| Metric {
        base,
        head,
        decides: turns::decides(measure, turns_differ),
        change: Some(judged.change),
        noise: judged.noise,
        standing: judged.standing,
        ..blank(measure)
    };
    varying.into_iter().zip(judged).map(metric).collect()
}

/// What change matters. What may grow where it does not vary may grow as much where head does.
fn limits(measure: &Measure, base: &[f64], rules: Rules) -> Limits {
    let is_exact = measure.is_count() && base.iter().all(|value| *value == base[0]);
    let tolerance = if is_exact { rules.exact_tolerance } else { 0.0 };
    Limits { effect: measure.limits.effect.max(tolerance), ..measure.limits }
}

fn untold(
    measure: &Measure,
    base: Vec<Option<f64>>,
    head: Vec<Option<f64>>,
    why: String,
) -> Metric {
    let standing = Standing::Untold(why);
    Metric { base: full(base), head: full(head), standing, ..blank(measure) }
}

/// A metric of which nothing is known yet.
pub(super) fn blank(measure: &Measure) -> Metric {
    Metric {
        name: measure.name,
        title: measure.title,
        unit: measure.unit,
        tier: GateTier::Time,
        decides: measure.part == Part::Decides,
        base: Vec::new(),
        head: Vec::new(),
        change: None,
        noise: None,
        budget: None,
        standing: Standing::Same,
        culprit: None,
    }
}

/// Names the function to look at, as these runs have it.
pub fn blame(metric: &mut Metric, head: &[Sample]) {
    let of_drains = metric.name.contains("drain") || metric.name == "microtasks";
    metric.culprit = culprit(head, of_drains);
}

/// The function that most runs name; of those that name it, the one that is surest.
fn culprit(samples: &[Sample], of_drains: bool) -> Option<Culprit> {
    let named = |sample: &Sample| match of_drains {
        true => sample.drain_culprit.clone(),
        false => sample.stall_culprit.clone(),
    };
    let all: Vec<Culprit> = samples.iter().filter_map(named).collect();
    let same =
        |a: &Culprit, b: &Culprit| (&a.function, &a.file, a.line) == (&b.function, &b.file, b.line);
    let votes = |one: &Culprit| all.iter().filter(|other| same(one, other)).count();
    let rank = |one: &&Culprit| (votes(one), (one.share * 1e6) as u64);
    all.iter().max_by_key(rank).cloned()
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
