//! Imports, found in a source.
//!
//! Static ones are listed, so that their files can be read before the engine links the modules.
//! Dynamic ones are turned into calls of ours: the engine would load a module
//! in the job that asks for it, while Node loads it by way of the thread pool, so that ticks which
//! wait run before it does.
//!
//! `import(` becomes `_mport(`, as long as it was, so that lines and columns stay. Strings,
//! comments, templates and regular expressions are left as they are. Whether a slash begins a
//! regular expression is told by what stands before it; behind `)` it is taken for a division.

/// What stands for `import` in a call.
pub(crate) const NAME: &str = "_mport";

const IMPORT: &str = "import";
const FROM: &str = "from";

/// Words behind which an expression begins.
const BEFORE_EXPRESSION: [&str; 13] = [
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do",
    "yield", "await",
];

/// A source whose dynamic imports call [`NAME`].
pub(crate) fn rewrite(source: &str) -> String {
    let mut bytes = source.as_bytes().to_vec();
    if source.contains(IMPORT) {
        for at in scan(source).calls {
            bytes[at..at + IMPORT.len()].copy_from_slice(NAME.as_bytes());
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| source.to_owned())
}

/// What a source imports statically, in its order, each once.
pub(crate) fn statics(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    if source.contains(IMPORT) || source.contains(FROM) {
        for (start, end) in scan(source).statics {
            let name = source.get(start..end).unwrap_or_default().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The parentheses of a source that are closed.
pub(crate) fn parentheses(source: &str) -> Vec<Bracket> {
    scan(source).parentheses
}

/// A pair of brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bracket {
    pub(crate) open: usize,
    pub(crate) close: usize,
    /// The commas between, but for those within further brackets.
    pub(crate) commas: Vec<usize>,
}

fn scan(source: &str) -> Found {
    let scanner = Scanner { source: source.as_bytes(), ..Scanner::default() };
    scanner.imports()
}

/// Where imports stand.
#[derive(Default)]
struct Found {
    /// Where `import` stands before a parenthesis.
    calls: Vec<usize>,
    /// From where to where the names in static imports go, without their quotes.
    statics: Vec<(usize, usize)>,
    parentheses: Vec<Bracket>,
}

#[derive(Default)]
struct Scanner<'a> {
    source: &'a [u8],
    at: usize,
    /// Brackets that are open, and parentheses that are not any more.
    open: Vec<Bracket>,
    parentheses: Vec<Bracket>,
    /// For each template that is open: how many braces are, in the expression that is read.
    templates: Vec<u32>,
}

/// What the last token was, as far as it says what a slash behind it is.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    /// Behind it stands an operator.
    Value,
    /// Behind it stands a value.
    Operator,
    /// A dot: a name behind it is a property.
    Dot,
    /// `import` or `from`: a string behind it names a module.
    Importing,
}

impl<'a> Scanner<'a> {
    fn imports(mut self) -> Found {
        let mut found = Found::default();
        let mut last = Last::Operator;
        while let Some(byte) = self.peek(0) {
            last = match byte {
                b'\'' | b'"' => {
                    let start = self.at + 1;
                    let after = self.skip_string(byte);
                    if last == Last::Importing {
                        found.statics.push((start, self.at.saturating_sub(1).max(start)));
                    }
                    after
                }
                b'`' => self.skip_template(),
                b'/' if self.peek(1) == Some(b'/') => self.skip_line(last),
                b'/' if self.peek(1) == Some(b'*') => self.skip_comment(last),
                b'/' if last != Last::Value => self.skip_expression(),
                b'}' if self.templates.last() == Some(&0) => self.skip_template(),
                _ if is_word(byte) => {
                    let start = self.at;
                    let word = self.word();
                    if word == IMPORT.as_bytes() && last != Last::Dot && self.calls() {
                        found.calls.push(start);
                    }
                    if last == Last::Dot { Last::Value } else { after_word(word) }
                }
                _ if byte.is_ascii_whitespace() => self.step(last),
                _ => self.punctuation(byte),
            };
        }
        found.parentheses = self.parentheses;
        found
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    fn step(&mut self, last: Last) -> Last {
        self.at += 1;
        last
    }

    fn punctuation(&mut self, byte: u8) -> Last {
        self.bracket(byte);
        self.at += 1;
        if let Some(braces) = self.templates.last_mut() {
            match byte {
                b'{' => *braces += 1,
                b'}' => *braces -= 1,
                _ => {}
            }
        }
        match byte {
            b')' | b']' => Last::Value,
            b'.' => Last::Dot,
            _ => Last::Operator,
        }
    }

    fn bracket(&mut self, byte: u8) {
        match byte {
            b'(' | b'[' | b'{' => {
                self.open.push(Bracket { open: self.at, ..Bracket::default() });
            }
            b')' | b']' | b'}' => {
                let ended = self.open.pop().map(|open| Bracket { close: self.at, ..open });
                self.parentheses.extend(ended.filter(|ended| self.source[ended.open] == b'('));
            }
            b',' => {
                if let Some(open) = self.open.last_mut() {
                    open.commas.push(self.at);
                }
            }
            _ => {}
        }
    }

    fn word(&mut self) -> &'a [u8] {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
        &self.source[start..self.at]
    }

    /// Whether a parenthesis comes next.
    fn calls(&self) -> bool {
        let rest = &self.source[self.at..];
        rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'(')
    }

    fn skip_string(&mut self, quote: u8) -> Last {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == quote || byte == b'\n' {
                break;
            }
        }
        Last::Value
    }

    /// From the start of a template, or from the end of an expression in it, to the next expression
    /// or its end.
    fn skip_template(&mut self) -> Last {
        if self.peek(0) == Some(b'}') {
            self.templates.pop();
        }
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    return Last::Value;
                }
                b'$' if self.peek(1) == Some(b'{') => {
                    self.at += 2;
                    self.templates.push(0);
                    return Last::Operator;
                }
                _ => self.at += 1,
            }
        }
        Last::Value
    }

    fn skip_line(&mut self, last: Last) -> Last {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
        last
    }

    fn skip_comment(&mut self, last: Last) -> Last {
        self.at += 2;
        while self.at < self.source.len() && !self.source[self.at..].starts_with(b"*/") {
            self.at += 1;
        }
        self.at += 2;
        last
    }

    fn skip_expression(&mut self) -> Last {
        self.at += 1;
        let mut in_class = false;
        while let Some(byte) = self.peek(0) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            match byte {
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => break,
                b'\n' => break,
                _ => {}
            }
        }
        Last::Value
    }
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#') || byte >= 0x80
}

fn after_word(word: &[u8]) -> Last {
    if word == IMPORT.as_bytes() || word == FROM.as_bytes() {
        return Last::Importing;
    }
    let begins = BEFORE_EXPRESSION.iter().any(|before| before.as_bytes() == word);
    if begins { Last::Operator } else { Last::Value }
}

#[cfg(test)]
mod tests {
    use super::{rewrite, statics};

    #[test]
    fn calls_are_rewritten_and_nothing_else_is() {
        for (source, expected) in [
            ("import('x')", "_mport('x')"),
            ("await import ( 'x' )", "await _mport ( 'x' )"),
            ("import x from 'y'; import('z')", "import x from 'y'; _mport('z')"),
            ("'import(x)'", "'import(x)'"),
            ("// import(x)\nimport(y)", "// import(x)\n_mport(y)"),
            ("/* import(x) */ import(y)", "/* import(x) */ _mport(y)"),
            ("`import(a) ${import(b)} import(c)`", "`import(a) ${_mport(b)} import(c)`"),
            ("`${`${{a: import(b)}}`}` + import(c)", "`${`${{a: _mport(b)}}`}` + _mport(c)"),
            ("x = /import(a)/; import(b)", "x = /import(a)/; _mport(b)"),
            ("x = /[/'\"]/; import(b)", "x = /[/'\"]/; _mport(b)"),
            ("a = b / c; import(d) / e", "a = b / c; _mport(d) / e"),
            ("it.import(x); important(y)", "it.import(x); important(y)"),
            ("import.meta.url", "import.meta.url"),
            ("'it\\'s'; import(x)", "'it\\'s'; _mport(x)"),
            ("return /'/.test(a) && import(x)", "return /'/.test(a) && _mport(x)"),
            ("'ü' + import('ü')", "'ü' + _mport('ü')"),
            ("import(", "_mport("),
            ("`${", "`${"),
        ] {
            assert_eq!(rewrite(source), expected);
        }
    }

    #[test]
    fn static_imports_are_found() {
        let source = "import 'a'; import b, { c as d } from \"b\";\nexport * from './c.mjs'\n\
                      import e from /* here */ 'e' with { type: 'json' };\n\
                      import('no'); const from = 'no'; Array.from('no'); x.from 'no';\n\
                      // import 'no'\n`import 'no'`; import 'a'; import f from '";
        assert_eq!(statics(source), ["a", "b", "./c.mjs", "e", ""]);
    }

    #[test]
    fn the_length_stays() {
        let source = "const a = await import('./a.mjs'); // import(b)\n`${import('c')}`";
        assert_eq!(rewrite(source).len(), source.len());
    }
}
