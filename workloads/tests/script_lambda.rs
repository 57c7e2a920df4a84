//! Handlers as AWS Lambda invokes them, on a virtual clock: what each invocation answers, what it
//! leaves, and in which order what it has left runs.

use std::time::Duration;

use loop_core::snapshot::LoopSnapshot;
use loop_core::{Clock, Loop, Options};
use loopscope_workloads::{Invocation, Lambda, Script, Variant, find_script};

const GAP: Duration = Duration::from_secs(10);

/// What became of a handler.
struct Ran {
    status: i32,
    invocations: Vec<Invocation>,
    observed: LoopSnapshot,
}

impl Ran {
    /// The results as JSON, an error after an exclamation mark, `-` where there was none.
    fn results(&self) -> Vec<String> {
        let shown = |invocation: &Invocation| match &invocation.result {
            Some(Ok(json)) => json.clone(),
            Some(Err(error)) => format!("!{error}"),
            None => "-".to_owned(),
        };
        self.invocations.iter().map(shown).collect()
    }

    /// What is pending after each invocation, as `what @ line (invocation)`.
    fn pending(&self) -> Vec<Vec<String>> {
        let line = |place: &str| place.rsplit(':').nth(1).unwrap_or_default().to_owned();
        let one = |invocation: &Invocation| {
            let left = invocation.pending.iter();
            let told = left
                .map(|left| format!("{} @{} ({})", left.what, line(&left.made_at), left.made_in));
            told.collect()
        };
        self.invocations.iter().map(one).collect()
    }
}

/// Runs a file of this name and text, with an event, so often.
fn run(file: &str, source: &str, invocations: u64, gap: Duration) -> Ran {
    let source: &'static str = source.to_owned().leak();
    let clock = Clock::virtual_time();
    let options = Options { clock: clock.clone(), ..Options::default() };
    let mut lp = Loop::new(options).expect("a loop");
    let script = Script { file: file.into(), source: Some(source), ..Script::default() };
    let lambda = Lambda { invocations, gap, event: r#"{"id": 7}"#.to_owned() };
    let mut told = Vec::new();
    let status = script.run_lambda(&mut lp, clock, &lambda, |invocation| told.push(invocation));
    let status = status.expect("it runs");
    Ran { status, invocations: told, observed: lp.reader().snapshot() }
}

fn check(source: &str, results: &[&str], status: i32) {
    let ran = run("/handler.js", source, results.len() as u64, GAP);
    assert_eq!(ran.results(), results, "{source}");
    assert_eq!(ran.status, status, "{source}");
}

const LEAVES_A_TIMER: &str = "const order = [];
exports.handler = async () => {
  order.push('start');
  setTimeout(() => order.push('timer'), 5000);
  order.push('end');
  return order.join();
};";

#[test]
fn what_an_invocation_leaves_runs_before_the_next_one() {
    let ran = run("/handler.js", LEAVES_A_TIMER, 2, GAP);
    assert_eq!(ran.results(), [r#""start,end""#, r#""start,end,timer,start,end""#]);
    let left = |number: u64| vec![format!("setTimeout of 5000 ms @4 ({number})")];
    assert_eq!(ran.pending(), [left(1), left(2)]);
    assert_eq!(ran.invocations[0].pending[0].made_at, "/handler.js:4:3");
    assert_eq!(ran.status, 0, "what is left pending is no failure");
}

#[test]
fn what_is_pending_is_made_where_its_call_begins() {
    let source = "const ms = 5000;
exports.handler = async () => {
  setTimeout(() => {
  }, ms);
  setInterval(
    console.log, ms);
};";
    let ran = run("/handler.js", source, 1, GAP);
    assert_eq!(ran.pending(), [["setTimeout of 5000 ms @3 (1)", "setInterval of 5000 ms @5 (1)"]]);
}

#[test]
fn what_is_not_due_after_a_gap_waits_on() {
    let ran = run("/handler.js", LEAVES_A_TIMER, 2, Duration::from_secs(1));
    assert_eq!(ran.results(), [r#""start,end""#, r#""start,end,start,end""#]);
    let left = |number: u64| format!("setTimeout of 5000 ms @4 ({number})");
    assert_eq!(ran.pending(), [vec![left(1)], vec![left(1), left(2)]]);
}

#[test]
fn the_gap_is_frozen_time_and_takes_none() {
    let ran = run("/handler.js", LEAVES_A_TIMER, 3, Duration::from_secs(86_400));
    assert_eq!(ran.observed.frozen_ns, Some(2 * 86_400_000_000_000));
    assert!(ran.invocations.iter().all(|invocation| invocation.duration_ns == 0));
}

#[test]
fn the_fix_of_the_seed_leaves_nothing() {
    let durations = |variant| {
        let known = find_script("seeds/lambda-timeout", variant).expect("it is known");
        let ran = run("/seed.js", known.text, 2, GAP);
        assert_eq!((ran.status, ran.results()), (0, vec!["null".to_owned(); 2]));
        let left: usize = ran.invocations.iter().map(|invocation| invocation.pending.len()).sum();
        (left, ran.invocations[1].duration_ns / 1_000_000_000)
    };
    assert_eq!(durations(Variant::Pathology), (2, 0));
    assert_eq!(durations(Variant::Fixed), (0, 5));
}

#[test]
fn a_callback_waits_for_an_empty_loop_unless_told_otherwise() {
    let handler = |first: &str| {
        format!(
            "let fired = 0;
            exports.handler = (event, context, callback) => {{
              {first}
              setTimeout(() => fired++, 50);
              callback(null, {{ id: event.id, fired }});
            }};"
        )
    };
    let waits = run("/handler.js", &handler(""), 2, Duration::ZERO);
    assert_eq!(waits.results(), [r#"{"id":7,"fired":0}"#, r#"{"id":7,"fired":1}"#]);
    assert_eq!(waits.pending(), [Vec::<String>::new(), Vec::new()]);
    assert_eq!(waits.invocations[0].duration_ns / 1_000_000, 50);
    let first = "context.callbackWaitsForEmptyEventLoop = false;";
    let leaves = run("/handler.js", &handler(first), 2, Duration::ZERO);
    assert_eq!(leaves.results(), [r#"{"id":7,"fired":0}"#, r#"{"id":7,"fired":0}"#]);
    assert_eq!(leaves.pending().iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_failed_invocation_is_told_and_the_next_one_runs() {
    check(
        "let n = 0; exports.handler = async () => { if (!n++) throw new RangeError('x'); };",
        &["!RangeError: x", "null"],
        1,
    );
    check("exports.handler = () => { throw new Error('x'); };", &["!Error: x", "!Error: x"], 1);
    check("exports.handler = () => Promise.reject();", &["!undefined"], 1);
    check("exports.handler = (event, context, callback) => callback('x');", &["!'x'"], 1);
    check("exports.handler = (event, context) => context.fail();", &["!'failed'"], 1);
    check("exports.handler = (event, context) => context.succeed(event);", &[r#"{"id":7}"#], 0);
    check("exports.handler = (event, context) => context.done(null, 1);", &["1"], 0);
}

#[test]
fn what_json_cannot_tell_is_a_failure() {
    let ran = run("/handler.js", "exports.handler = async () => 1n;", 2, GAP);
    assert!(ran.results().iter().all(|result| result.starts_with("!TypeError: ")));
    assert_eq!((ran.status, ran.results().len()), (1, 2));
}

#[test]
fn what_has_no_result_is_none() {
    check("exports.handler = () => {};", &["-", "-"], 1);
    let late = "let n = 0; exports.handler = (event, context, callback) => {
      if (n++ === 0) setTimeout(() => callback(null, 'late'), 1).unref();
      else setTimeout(() => callback(null, 'own'), 5000);
    };";
    check(late, &["-", r#""own""#], 1);
}

#[test]
fn a_file_without_a_handler_says_so() {
    let ran = run("/handler.js", "exports.handle = () => {};", 1, GAP);
    let results = ran.results();
    assert!(results[0].contains("/handler.js exports no function named handler"), "{results:?}");
    assert_eq!(ran.status, 1);
}

#[test]
fn a_handler_that_ends_the_process_has_no_result() {
    let ran = run("/handler.js", "exports.handler = () => process.exit(7);", 3, GAP);
    assert_eq!((ran.status, ran.results()), (7, vec!["-".to_owned()]));
    let ran = run("/handler.js", "process.exit(8);", 3, GAP);
    assert_eq!((ran.status, ran.invocations.len()), (8, 0));
}

#[test]
fn modules_export_handlers_too() {
    let check = |source: &str, results: &[&str], status: i32| {
        let ran = run("/handler.mjs", source, results.len() as u64, GAP);
        assert_eq!(
            (ran.results(), ran.status),
            (results.iter().map(|&r| r.into()).collect(), status)
        );
    };
    let awaits = "await new Promise((resolve) => setTimeout(resolve, 20));\n";
    let handler = "export async function handler(event) { return event.id; }";
    check(handler, &["7", "7"], 0);
    check(&format!("{awaits}{handler}"), &["7", "7"], 0);
    check("export function handler() { throw new Error('x'); }", &["!Error: x"; 2], 1);
    check("export default { handler: async () => 3 };", &["3"], 0);
}

#[test]
fn the_context_counts_down() {
    let source = "exports.handler = async (event, context) => {
      const first = context.getRemainingTimeInMillis();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const second = context.getRemainingTimeInMillis();
      await new Promise((resolve) => setTimeout(resolve, 5000));
      return [first, second, context.getRemainingTimeInMillis()];
    };";
    check(source, &["[3000,2000,0]"; 2], 0);
}
