//! The file of limits: what each path cost when that was accepted last.
//!
//! ```text
//! # a comment
//! compiler rustc 1.95.0 x86_64-unknown-linux-gnu
//! c-compiler cc 12.2.0
//! tolerance-percent 0.5
//! turn-measured 412.50
//! ```

use std::fmt::Write;

use loopscope_bench::Failure;

/// How far above its limit a count may be in a lock that is new.
const TOLERANCE_PERCENT: f64 = 0.5;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lock {
    /// Compiler and target that the counts hold for.
    pub(crate) compiler: String,
    /// C compiler that the counts of the JavaScript engine hold for, too.
    pub(crate) c_compiler: String,
    pub(crate) tolerance_percent: f64,
    /// Names and instructions an operation, in the order of the file.
    pub(crate) limits: Vec<(String, f64)>,
}

impl Lock {
    pub(crate) fn new(compiler: &str) -> Lock {
        let compiler = compiler.to_owned();
        let c_compiler = String::new();
        Lock { compiler, c_compiler, tolerance_percent: TOLERANCE_PERCENT, limits: Vec::new() }
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// A line that can't be understood, with its number.
    pub(crate) fn parse(text: &str) -> Result<Lock, Failure> {
        let mut lock = Lock::new("");
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || format!("line {}: `{line}` is not a name and a number", index + 1);
            let (name, value) = line.split_once(' ').ok_or_else(bad)?;
            let number = || -> Result<f64, Failure> {
                let value: f64 = value.trim().parse().map_err(|_| bad())?;
                if value.is_finite() && value > 0.0 { Ok(value) } else { Err(bad().into()) }
            };
            match name {
                "compiler" => lock.compiler = value.trim().to_owned(),
                "c-compiler" => lock.c_compiler = value.trim().to_owned(),
                "tolerance-percent" => lock.tolerance_percent = number()?,
                name => lock.limits.push((name.to_owned(), number()?)),
            }
        }
        Ok(lock)
    }

    pub(crate) fn limit(&self, name: &str) -> Option<f64> {
        self.limits.iter().find(|(limited, _)| limited == name).map(|(_, limit)| *limit)
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "# Instructions an operation of the hot paths, and how far above them a count may be.\n\
             # Checked by:  cargo run --release --locked -p loopscope-bench --bin counts\n\
             # Written by:  the same with `-- --accept`\n\
             compiler {}\n\
             c-compiler {}\n\
             tolerance-percent {:.1}\n",
            self.compiler, self.c_compiler, self.tolerance_percent
        );
        for (name, limit) in &self.limits {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{name} {limit:.2}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_as_it_was_written() {
        let mut lock = Lock::new("rustc 1.95.0 x86_64-unknown-linux-gnu");
        lock.c_compiler = "cc (A Distribution 12.2.0-14) 12.2.0".to_owned();
        lock.limits = vec![("turn".to_owned(), 412.5), ("record".to_owned(), 9.0)];
        assert_eq!(Lock::parse(&lock.text()).unwrap(), lock);
        assert_eq!((lock.limit("record"), lock.limit("other")), (Some(9.0), None));
    }

    #[test]
    fn what_is_no_lock_is_told_with_its_line() {
        for bad in ["turn", "turn x", "turn -1", "turn NaN", "tolerance-percent 0"] {
            let told = Lock::parse(&format!("# comment\n{bad}\n")).unwrap_err().to_string();
            assert!(told.starts_with("line 2: "), "{told}");
        }
    }
}
