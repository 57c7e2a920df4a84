//! The options that say where it is told what came of a comparison.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ReportForm;

/// Where it is told what came of a comparison.
#[derive(Debug, Args)]
pub struct GateOutputArgs {
    /// The form of the report
    #[arg(long, env = "LOOPSCOPE_REPORT", value_name = "FORM", default_value = "text")]
    pub report: ReportForm,
    /// Write the report to this file instead of standard output
    #[arg(long, env = "LOOPSCOPE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the JSON to this file as well, with the figures of each run
    #[arg(long, env = "LOOPSCOPE_JSON", value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write JUnit's XML to this file as well: a test case a metric
    #[arg(long, env = "LOOPSCOPE_JUNIT", value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the head's figures to this file as well, for github-action-benchmark
    /// (`tool: customSmallerIsBetter`)
    #[arg(long, env = "LOOPSCOPE_SMALLER", value_name = "FILE")]
    pub smaller: Option<PathBuf>,
    /// Annotate the code of a pull request on GitHub, and write the summary of the step to
    /// $GITHUB_STEP_SUMMARY; `auto` does so where GITHUB_ACTIONS is `true`, `--github` alone is
    /// `always`
    #[arg(long, env = "LOOPSCOPE_GITHUB", value_name = "WHEN", default_value = "auto",
          num_args = 0..=1, require_equals = true, default_missing_value = "always")]
    pub github: GithubChoice,
}

/// When GitHub is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GithubChoice {
    /// Where the environment says that this is a job of GitHub Actions.
    Auto,
    /// In any environment.
    Always,
    /// In none.
    Never,
}

impl GateOutputArgs {
    /// The files that are written, and the options that name them.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let named = [
            ("--output", &self.output),
            ("--json", &self.json),
            ("--junit", &self.junit),
            ("--smaller", &self.smaller),
        ];
        named.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Flattened {
        #[command(flatten)]
        output: GateOutputArgs,
        #[arg(last = true)]
        rest: Vec<String>,
    }

    #[test]
    fn github_takes_a_word_behind_a_sign_alone() {
        Flattened::command().debug_assert();
        let check = |args: &[&str], want| {
            let line = ["gate"].iter().chain(args);
            let parsed = Flattened::try_parse_from(line).expect("it is well written");
            assert_eq!(parsed.output.github, want, "{args:?}");
        };
        check(&[], GithubChoice::Auto);
        check(&["--github"], GithubChoice::Always);
        check(&["--github=never"], GithubChoice::Never);
        check(&["--github", "--", "never"], GithubChoice::Always);
        assert!(Flattened::try_parse_from(["gate", "--github=perhaps"]).is_err());
    }
}
