//! How figures and reasons are called.

use super::words;
use crate::gate::Fingerprint;
use crate::gate::comparison::{Comparison, GateTier, Metric, Side, Standing, Unit, Verdict};

fn metric(name: &'static str, title: &'static str, unit: Unit) -> Metric {
    Metric {
        name,
        title,
        unit,
        tier: GateTier::Time,
        decides: true,
        base: Vec::new(),
        head: vec![5.0; 3],
        change: None,
        noise: None,
        budget: None,
        standing: Standing::Same,
        culprit: None,
    }
}

fn budget(name: &'static str, title: &'static str, unit: Unit, text: &str) -> Metric {
    let (tier, budget) = (GateTier::Budget, Some(text.to_owned()));
    Metric { tier, budget, head: vec![7.0; 3], ..metric(name, title, unit) }
}

fn comparison(verdict: Verdict, metrics: Vec<Metric>, notes: &[&str]) -> Comparison {
    Comparison {
        verdict,
        base: None,
        head: Side { command: "node app.js".to_owned(), runs: 3 },
        fingerprint: Fingerprint::default(),
        observed: ("ebpf", "full"),
        metrics,
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        took_ns: 1,
    }
}

#[test]
fn the_reason_is_what_can_not_be_told_and_not_a_note_beside_it() {
    let note = "1 run was made again";
    let untold =
        |metric, why: &str| Metric { standing: Standing::Untold(why.to_owned()), ..metric };
    let time = untold(metric("turn_time", "time in turns", Unit::Nanoseconds), "not timed");
    let over = budget("stalls_over", "stalls over a time", Unit::Count, "stalls over 1s = 0");
    let said = |verdict, metrics| words::verdict(&comparison(verdict, metrics, &[note]));
    let inconclusive = said(Verdict::Inconclusive, vec![time.clone()]);
    assert_eq!(inconclusive, "Inconclusive: can't tell time in turns: not timed");
    let invalid = said(Verdict::Invalid, vec![time.clone(), untold(over, "not seen")]);
    assert_eq!(invalid, "Invalid: can't tell stalls over 1s = 0: not seen");
    assert_eq!(said(Verdict::Invalid, vec![time.clone()]), format!("Invalid: {note}"));
    let all = comparison(Verdict::Inconclusive, vec![time], &[note]);
    assert_eq!(words::notes(&all).collect::<Vec<_>>(), [note], "the note is told below");
}
