//! Queries in PromQL, as text. What a histogram is asked for, it is asked as a native one where the
//! server has it so, and by its classic buckets where it has not.

/// The window of a rate: as short as the scrape interval allows.
const WINDOW: &str = "$__rate_interval";

/// The time range that the dashboard shows.
const RANGE: &str = "$__range";

/// What tells one loop from every other.
pub(crate) const ONE_LOOP: &str = "instance, target, pid, thread";

/// What the variables of a dashboard have chosen, as the matchers of a selector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope(pub(crate) &'static str);

impl Scope {
    /// The series of `metric`.
    pub(crate) fn of(self, metric: &str) -> String {
        format!("{metric}{{{}}}", self.0)
    }

    /// Those of them that also match `more`.
    pub(crate) fn with(self, metric: &str, more: &str) -> String {
        let comma = if more.is_empty() { "" } else { "," };
        format!("{metric}{{{}{comma}{more}}}", self.0)
    }

    /// How much a counter rises in a second.
    pub(crate) fn rate(self, metric: &str) -> String {
        format!("rate({}[{WINDOW}])", self.of(metric))
    }

    /// How much a counter has risen from one step of a panel to the next.
    pub(crate) fn step(self, metric: &str) -> String {
        format!("increase({}[{WINDOW}])", self.of(metric))
    }

    /// How much a counter has risen within the range that is shown.
    pub(crate) fn rise(self, metric: &str) -> String {
        format!("increase({}[{RANGE}])", self.of(metric))
    }

    /// Busy share of loops, `by` these labels.
    pub(crate) fn utilization(self, by: &str) -> String {
        const TIME: &str = "loopscope_eventloop_time_seconds_total";
        let active = self.with(TIME, "state=\"active\"");
        let (active, all) = (format!("rate({active}[{WINDOW}])"), self.rate(TIME));
        format!("{} / {}", sum(&active, by), sum(&all, by))
    }

    /// A quantile of a histogram, `by` these labels.
    pub(crate) fn quantile(self, q: f64, metric: &str, by: &str) -> String {
        self.quantile_with(q, metric, by, "")
    }

    /// The same of the series that also match `more`.
    pub(crate) fn quantile_with(self, q: f64, metric: &str, by: &str, more: &str) -> String {
        let native = format!("rate({}[{WINDOW}])", self.with(metric, more));
        let buckets = self.with(&format!("{metric}_bucket"), more);
        let classic = format!("rate({buckets}[{WINDOW}])");
        let le = if by.is_empty() { "le".to_owned() } else { format!("{by}, le") };
        format!(
            "histogram_quantile({q}, {}) or histogram_quantile({q}, {})",
            sum(&native, by),
            sum(&classic, &le)
        )
    }

    /// Seconds of a histogram of times in each second, `by` these labels, as they would be if the
    /// loops were seen all the time as they are at the tier full. They are two queries, for
    /// VictoriaMetrics refuses one that names `histogram_sum`, and has no need of the second.
    pub(crate) fn share(self, metric: &str, by: &str) -> [String; 2] {
        let classic = sum(&self.rate(&format!("{metric}_sum")), by);
        let native = sum(&format!("histogram_sum({})", self.rate(metric)), by);
        let weight = self.weight(by);
        let first = format!("{classic} * {weight}");
        let second = format!("{native} * {weight} unless on ({by}) {classic}");
        [first, second]
    }

    /// All time for which loops were observed by that at the tier full.
    fn weight(self, by: &str) -> String {
        const OBSERVED: &str = "loopscope_eventloop_observed_seconds_total";
        let full = format!("rate({}[{WINDOW}])", self.with(OBSERVED, "tier=\"full\""));
        let of_loops = |by| format!("{} / {}", sum(&self.rate(OBSERVED), by), sum(&full, by));
        // In the first moment of a window something was seen, and no time has passed.
        match by {
            "target" => format!("on (target) ({} < Inf)", of_loops(by)),
            // What else a histogram is told by, observed time is not.
            _ => format!("scalar({} < Inf)", of_loops("")),
        }
    }

    /// Time in each second in which threads could run but got no CPU, other than by a quota. The
    /// kernel's figure has the quota's part in it.
    pub(crate) fn run_queue(self) -> String {
        let all = sum(&self.rate("loopscope_thread_run_delay_seconds_total"), "");
        let quota = sum(&self.rate("loopscope_thread_throttled_seconds_total"), "");
        format!("clamp_min({all} - {quota}, 0) or {all}")
    }

    /// The buckets of a heatmap.
    pub(crate) fn heat(self, metric: &str, more: &str) -> String {
        let buckets = self.with(&format!("{metric}_bucket"), more);
        let native = self.with(metric, more);
        format!(
            "sum by (le) (increase({buckets}[{WINDOW}])) or on() sum(increase({native}[{WINDOW}]))"
        )
    }
}

/// A sum, `by` these labels, or over all.
pub(crate) fn sum(of: &str, by: &str) -> String {
    aggregate("sum", of, by)
}

/// The largest, `by` these labels, or of all.
pub(crate) fn max(of: &str, by: &str) -> String {
    aggregate("max", of, by)
}

fn aggregate(operator: &str, of: &str, by: &str) -> String {
    if by.is_empty() { format!("{operator}({of})") } else { format!("{operator} by ({by}) ({of})") }
}
