//! What differs between the lock and now, and a table of it for people.

use std::collections::BTreeSet;
use std::fmt;

use super::Section;

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub what: String,
    /// What is locked; `None` where the lock does not have it.
    pub locked: Option<String>,
    /// What it is now; `None` where it is no longer counted.
    pub now: Option<String>,
}

/// Every key whose value differs, in order.
pub fn compare(locked: &Section, now: &Section) -> Vec<Difference> {
    let keys: BTreeSet<&String> = locked.values.keys().chain(now.values.keys()).collect();
    let difference = |key: &String| {
        let (locked, now) = (locked.values.get(key), now.values.get(key));
        (locked != now).then(|| Difference {
            what: key.clone(),
            locked: locked.cloned(),
            now: now.cloned(),
        })
    };
    keys.into_iter().filter_map(difference).collect()
}

impl Difference {
    /// The heads of the columns that [`Difference::columns`] fills.
    pub const HEADS: [&'static str; 4] = ["what", "locked", "now", "ratio"];

    /// The difference as a row of a table.
    pub fn columns(&self) -> [String; 4] {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let ratio = self.ratio().map_or_else(String::new, |ratio| match format!("x{ratio:.3}") {
            same if same == "x1.000" => format!("x{ratio:.6}"),
            differs => differs,
        });
        [self.what.clone(), text(&self.locked), text(&self.now), ratio]
    }

    /// Now against then, where both are numbers and then was not 0.
    fn ratio(&self) -> Option<f64> {
        let number = |value: &Option<String>| value.as_ref()?.parse::<f64>().ok();
        let (locked, now) = (number(&self.locked)?, number(&self.now)?);
        (locked > 0.0).then_some(now / locked)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [what, locked, now, ratio] = self.columns();
        write!(f, "{what}: {locked} -> {now}")?;
        if ratio.is_empty() { Ok(()) } else { write!(f, " ({ratio})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(pairs: &[(&str, &str)]) -> Section {
        let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Section { values: values.collect() }
    }

    #[test]
    fn only_what_differs_is_told() {
        let locked =
            section(&[("a", "1"), ("b", "2000"), ("c", "59999"), ("gone", "3"), ("zero", "0")]);
        let now =
            section(&[("a", "1"), ("b", "2100"), ("c", "60000"), ("new", "none"), ("zero", "4")]);
        let told: Vec<_> = compare(&locked, &now).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "b: 2000 -> 2100 (x1.050)",
                "c: 59999 -> 60000 (x1.000017)",
                "gone: 3 -> -",
                "new: - -> none",
                "zero: 0 -> 4"
            ]
        );
        assert!(compare(&now, &now).is_empty());
    }
}
