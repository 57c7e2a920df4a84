//! The options of a script that is a handler, as for AWS Lambda.

use clap::Args;
use loop_core::units::parse_duration_ns;

use super::values;

/// How a handler is invoked.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS Lambda")]
pub struct LambdaArgs {
    /// Invoke the script's `exports.handler` as AWS Lambda does, frozen between invocations
    #[arg(long, env = "LOOPSCOPE_LAMBDA", value_parser = values::yes)]
    pub lambda: bool,
    /// How many times, with --lambda
    #[arg(long, env = "LOOPSCOPE_INVOKE", value_name = "N", default_value = "2",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub invoke: u64,
    /// How long it is frozen between two, with --lambda
    #[arg(long = "gap", env = "LOOPSCOPE_GAP", value_name = "DURATION", default_value = "1s",
          value_parser = parse_duration_ns)]
    pub gap_ns: u64,
    /// The event that the handler gets, with --lambda
    #[arg(long, env = "LOOPSCOPE_EVENT", value_name = "JSON", default_value = "{}",
          value_parser = json)]
    pub event: String,
}

fn json(text: &str) -> Result<String, String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("is no JSON ({error}); write it as in '{{\"id\": 1}}'")),
    }
}
