//! What a program says of itself: the last line of its output that has a truth.
//!
//! Two forms are read: that of `bench/labelled`, with a list of stalls, and that of `workloads/js`,
//! with `blocks_ms`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A program's truth.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Truth {
    /// What the diagnosis must be; `None` where several may hold.
    pub(super) cause: Option<String>,
    /// Its stalls, in their order.
    pub(super) stalls: Vec<Block>,
    /// How many jobs its longest drain has.
    pub(super) longest_drain: Option<u64>,
}

/// A stall as the program measured it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block {
    /// When it began, in ms since 1970.
    pub(super) start_unix_ms: Option<f64>,
    /// How long it was.
    pub(super) duration_ms: f64,
    /// The part of it in which the thread waited for a CPU.
    pub(super) run_delay_ms: Option<f64>,
    /// What somebody took of it while the kernel had the thread on a CPU, at most: a hypervisor.
    /// The program can't tell it from being held back.
    pub(super) stolen_ms: Option<f64>,
    /// The function at fault.
    pub(super) function: Option<Function>,
    /// What its time went to, by key of the ledger. Empty: not told.
    pub(super) ledger_ms: BTreeMap<String, f64>,
}

/// A function and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// Its file.
    pub(super) file: Option<String>,
    /// Its first and its last line.
    pub(super) lines: Option<(u64, u64)>,
}

#[derive(Deserialize)]
struct Line {
    truth: Written,
}

#[derive(Deserialize)]
struct Written {
    cause: Option<String>,
    function: Option<String>,
    longest_drain: Option<u64>,
    stalls: Option<Vec<WrittenStall>>,
    blocks_ms: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct WrittenStall {
    start_unix_ms: f64,
    duration_ms: f64,
    run_delay_ms: Option<f64>,
    stolen_ms: Option<f64>,
    function: Option<String>,
    file: Option<String>,
    lines: Option<(u64, u64)>,
    #[serde(default)]
    ledger_ms: BTreeMap<String, f64>,
}

impl Truth {
    /// Finds it in what a program has printed.
    pub(super) fn find(output: &str) -> Option<Truth> {
        let parsed = output.lines().rev().find_map(|line| {
            let value: Value = serde_json::from_str(line).ok()?;
            serde_json::from_value::<Line>(value).ok()
        });
        parsed.map(|line| line.truth.into())
    }
}

impl From<Written> for Truth {
    fn from(written: Written) -> Truth {
        let named =
            |name: Option<String>| name.map(|name| Function { name, ..Function::default() });
        let stalls = match (written.stalls, written.blocks_ms) {
            (Some(stalls), _) => stalls.into_iter().map(Block::from).collect(),
            (None, blocks) => {
                let block = |duration_ms| Block {
                    duration_ms,
                    function: named(written.function.clone()),
                    ..Block::default()
                };
                blocks.unwrap_or_default().into_iter().map(block).collect()
            }
        };
        Truth { cause: written.cause, stalls, longest_drain: written.longest_drain }
    }
}

impl From<WrittenStall> for Block {
    fn from(written: WrittenStall) -> Block {
        let WrittenStall { file, lines, .. } = written;
        Block {
            start_unix_ms: Some(written.start_unix_ms),
            duration_ms: written.duration_ms,
            run_delay_ms: written.run_delay_ms,
            stolen_ms: written.stolen_ms,
            function: written.function.map(|name| Function { name, file, lines }),
            ledger_ms: written.ledger_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_of_a_stall_is_read_whole() {
        let output = "{\"ready\":true}\na word\n\
            {\"truth\":{\"cause\":\"sync-io\",\"function\":\"f\",\
            \"run_delay_ms\":3.5,\"stalls\":[{\"start_unix_ms\":5.5,\"duration_ms\":150.25,\
            \"run_delay_ms\":0.5,\"function\":\"f\",\"file\":\"/a.js\",\"lines\":[3,9],\
            \"ledger_ms\":{\"sync_io\":149.5}}]}}\nbye\n";
        let truth = Truth::find(output).unwrap();
        assert_eq!(truth.cause.as_deref(), Some("sync-io"));
        let [block] = &truth.stalls[..] else { panic!("{truth:?}") };
        assert_eq!((block.start_unix_ms, block.duration_ms), (Some(5.5), 150.25));
        assert_eq!(block.run_delay_ms, Some(0.5));
        let function = block.function.as_ref().unwrap();
        assert_eq!((&*function.name, function.lines), ("f", Some((3, 9))));
        assert_eq!(block.ledger_ms["sync_io"], 149.5);
    }

    #[test]
    fn the_truth_of_a_workload_is_read_too() {
        let output = "{\"truth\":{\"workload\":\"x\",\"fixed\":false,\"cause\":\"poll-flood\",\
            \"function\":\"g\",\"blocks_ms\":[60.5,70],\"longest_drain\":0}}\n";
        let truth = Truth::find(output).unwrap();
        let blocks: Vec<f64> = truth.stalls.iter().map(|block| block.duration_ms).collect();
        assert_eq!((blocks, truth.longest_drain), (vec![60.5, 70.0], Some(0)));
        assert_eq!(truth.stalls[1].function.as_ref().unwrap().name, "g");
        assert!(truth.stalls[1].start_unix_ms.is_none());
    }

    #[test]
    fn output_without_a_truth_has_none() {
        for output in ["", "{\"ready\":true}\n", "{\"truth\":3}\n", "truth\n"] {
            assert_eq!(Truth::find(output), None, "{output}");
        }
    }
}
