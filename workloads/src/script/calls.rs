//! Where a call begins.
//!
//! The engine takes a call to stand where its last argument with a name does: that of
//! `setTimeout(() => { ... }, ms)` on its last line. V8, and a reader, take it to stand at the name
//! of what is called.
//!
//! Cost: a source is scanned once, and then all its parentheses are looked at for each call.

use super::imports::{Bracket, is_word, parentheses};

/// A source, and its parentheses.
#[derive(Debug)]
pub(crate) struct Calls {
    source: String,
    parentheses: Vec<Bracket>,
}

impl Calls {
    pub(crate) fn of(source: String) -> Calls {
        let parentheses = parentheses(&source);
        Calls { source, parentheses }
    }

    /// Line and column, from 1, of the innermost call of that name which is at a line and column,
    /// or one of whose arguments is: that of its name, or of the `new` before it. `None` where
    /// there is none, as in a function among the arguments.
    pub(crate) fn begin(&self, line: u64, column: u64, name: &str) -> Option<(u64, u64)> {
        let at = self.offset(line, column)?;
        let before = self.parentheses.iter().filter(|pair| at < pair.close);
        let called = before.filter_map(|pair| Some((pair, self.name_before(pair.open)?)));
        let ours = called.filter(|(pair, start)| {
            self.source[*start..pair.open].trim_end() == name
                && (*start <= at && at <= pair.open || pair.open < at && self.is_argument(pair, at))
        });
        ours.map(|(_, start)| start).max().map(|start| self.place(self.new_before(start)))
    }

    /// Where the `new` stands before a name, or what that is a property of; else the name.
    fn new_before(&self, name: usize) -> usize {
        let mut owner = self.source[..name].trim_end();
        while let Some(chain) = owner.strip_suffix('.') {
            owner = chain.trim_end_matches(|letter: char| {
                letter.is_alphanumeric() || matches!(letter, '_' | '$' | '#')
            });
        }
        let rest = owner.trim_end().strip_suffix("new");
        let is_word = |rest: &str| !rest.bytes().next_back().is_some_and(is_word);
        rest.filter(|rest| is_word(rest)).map_or(name, str::len)
    }

    fn offset(&self, line: u64, column: u64) -> Option<usize> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let before: usize = self.source.split_inclusive('\n').take(index).map(str::len).sum();
        before.checked_add(usize::try_from(column).ok()?.checked_sub(1)?)
    }

    fn place(&self, offset: usize) -> (u64, u64) {
        let before = &self.source.as_bytes()[..offset];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        (line as u64, (offset - start + 1) as u64)
    }

    /// Where the word before a parenthesis begins.
    fn name_before(&self, open: usize) -> Option<usize> {
        let text = self.source.get(..open)?.trim_end().as_bytes();
        let start = text.iter().rposition(|&byte| !is_word(byte)).map_or(0, |end| end + 1);
        (start < text.len()).then_some(start)
    }

    /// Whether what stands there is evaluated before the call, and not by a function of it.
    fn is_argument(&self, pair: &Bracket, at: usize) -> bool {
        let start = pair.commas.iter().rev().find(|&&comma| comma < at).unwrap_or(&pair.open);
        let before = self.source.get(start + 1..at).unwrap_or("{");
        !["=>", "{", "function"].iter().any(|part| before.contains(part))
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;

    #[test]
    fn a_call_begins_at_its_name() {
        let check = |source: &str, line, column, name: &str, expected| {
            let calls = Calls::of(source.to_owned());
            assert_eq!(calls.begin(line, column, name), expected, "{source}");
        };
        check("f();\n  setTimeout(() => {\n}, ms);", 3, 4, "setTimeout", Some((2, 3)));
        check("a\n  .then((b, c) => {\n}, d);", 3, 4, "then", Some((2, 4)));
        check("then((a) => {\n  then((b) => {\n  }, c);\n});", 3, 6, "then", Some((2, 3)));
        check("f(g(\nh(1), b));", 2, 7, "g", Some((1, 3)));
        check("f('(', `${g(')')}`, /[(]/,\nb);", 2, 1, "f", Some((1, 1)));
        check("f(1);", 1, 1, "f", Some((1, 1)));
        check("throw new E('x' +\n y);", 2, 2, "E", Some((1, 7)));
        check("x = new a.b.E(y)", 1, 13, "E", Some((1, 5)));
        check("renew.E(\ny)", 2, 1, "E", Some((1, 7)));
        check("/* ü */ f(\n// ) f(\nb);", 3, 1, "f", Some((1, 10)));
    }

    #[test]
    fn what_is_no_argument_of_such_a_call_has_no_beginning() {
        let check = |source: &str, line, column, name: &str| {
            assert_eq!(Calls::of(source.to_owned()).begin(line, column, name), None, "{source}");
        };
        check("f(() => {\ng(1);\n});", 2, 1, "f");
        check("f(() =>\np.g(1));", 2, 1, "f");
        check("f(function() { return\np.g(1); });", 2, 1, "f");
        check("g(\na);", 2, 1, "f");
        check("f(\na", 2, 1, "f");
        check("f(a);", 0, 0, "f");
        check("f(a);", 9, 9, "f");
    }
}
