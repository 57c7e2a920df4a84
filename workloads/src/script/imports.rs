//! Imports, found in a source.
//!
//! Static ones are listed, so that their files can be read before the engine links the modules.
//! Dynamic ones are turned into calls of ours: the engine would load a module
//! in the job that asks for it, while Node loads it by way of the thread pool, so that ticks which
//! wait run before it does.
//!
//! `import(` becomes `_mport(`, as long as it was, so that lines and columns stay. Strings,
//! comments, templates and regular expressions are left as they are. Whether a slash begins a
//! regular expression is told by what stands before it; behind `)` it is taken for a division, but
//! for that of an `if` or loop.
//!
//! Where the bodies of functions begin is found on the way, for who walks the call stack.

/// What stands for `import` in a call.
pub(crate) const NAME: &str = "_mport";

const IMPORT: &str = "import";
const FROM: &str = "from";

/// Words behind which an expression begins.
const BEFORE_EXPRESSION: [&str; 13] = [
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do",
    "yield", "await",
];

/// Words that come before parentheses and a block, and make no function of it. Behind `for` may
/// stand `await`.
const CONTROLS: [&str; 6] = ["if", "for", "while", "switch", "with", "await"];

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

/// What a source imports statically, in its order, each once: names, and the types they are to be
/// of, empty where none is given.
pub(crate) fn statics(source: &str) -> Vec<(String, String)> {
    let mut names = Vec::new();
    if source.contains(IMPORT) || source.contains(FROM) {
        for (start, end) in scan(source).statics {
            let text = |from: usize, to: usize| source.get(from..to).unwrap_or_default().to_owned();
            let kind = Scanner {
                source: source.as_bytes(),
                at: (end + 1).min(source.len()),
                ..Scanner::default()
            };
            let kind = kind.attribute().map_or_else(String::new, |(from, to)| text(from, to));
            let name = (text(start, end), kind);
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

/// Where the bodies of functions begin.
pub(crate) fn bodies(source: &str) -> Vec<Body> {
    scan(source).bodies
}

/// The body of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Statements, behind the brace at this place.
    Block(usize),
    /// An expression, from this place on: behind the arrow.
    Expression(usize),
}

/// A pair of brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bracket {
    pub(crate) open: usize,
    pub(crate) close: usize,
    /// The commas between, but for those within further brackets.
    pub(crate) commas: Vec<usize>,
    /// What stands before it.
    before: Before,
}

/// What the last token was, as far as it says whether a brace behind it begins a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Other,
    /// `if`, `for` and the like, before a parenthesis; then the parentheses behind them.
    Control,
    /// Parentheses that are closed, of parameters or a call.
    Closed,
    Arrow,
    Try,
    /// The block of a `try`.
    TryBlock,
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
    bodies: Vec<Body>,
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
    before: Before,
    /// Behind `extends`: how many brackets were open. The next brace there is that of the class.
    heritage: Option<usize>,
    bodies: Vec<Body>,
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
            let before = self.before;
            last = match byte {
                b'\'' | b'"' => {
                    let start = self.at + 1;
                    let after = self.skip_string(byte);
                    self.before = Before::Other;
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
                    self.note_word(word, before, last);
                    if last == Last::Dot { Last::Value } else { after_word(word) }
                }
                _ if byte.is_ascii_whitespace() => self.step(last),
                b'=' if self.peek(1) == Some(b'>') => self.arrow(),
                _ => self.punctuation(byte, before),
            };
        }
        found.parentheses = self.parentheses;
        found.bodies = self.bodies;
        found
    }

    /// Behind the name in a static import: from where to where the type goes in
    /// `with { type: 'json' }`.
    fn attribute(mut self) -> Option<(usize, usize)> {
        self.skip_blanks();
        if self.word() != b"with" {
            return None;
        }
        self.skip_blanks();
        let mut is_type = false;
        while let Some(byte) = self.peek(0).filter(|byte| *byte != b'}') {
            let start = self.at;
            match byte {
                b'\'' | b'"' => {
                    self.skip_string(byte);
                    let (from, to) = (start + 1, self.at.saturating_sub(1).max(start + 1));
                    if is_type {
                        return Some((from, to));
                    }
                    is_type = self.source.get(from..to) == Some(b"type");
                }
                _ if is_word(byte) => is_type = self.word() == b"type",
                _ => self.at += 1,
            }
            self.skip_blanks();
        }
        None
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') => self.skip_line(Last::Value),
                b'/' if self.peek(1) == Some(b'*') => self.skip_comment(Last::Value),
                _ if byte.is_ascii_whitespace() => self.step(Last::Value),
                _ => return,
            };
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    fn step(&mut self, last: Last) -> Last {
        self.at += 1;
        last
    }

    /// A word: whether parentheses behind it are parameters.
    fn note_word(&mut self, word: &[u8], before: Before, last: Last) {
        let is_catch = word == b"catch" && before == Before::TryBlock;
        self.before = match word {
            _ if last == Last::Dot => Before::Other,
            b"try" => Before::Try,
            _ if is_catch || CONTROLS.iter().any(|control| control.as_bytes() == word) => {
                Before::Control
            }
            _ => Before::Other,
        };
        if word == b"extends" && last != Last::Dot {
            self.heritage = Some(self.open.len());
        }
    }

    /// An arrow, and what its function does, unless that is a block.
    fn arrow(&mut self) -> Last {
        self.at += 2;
        self.before = Before::Arrow;
        let mut ahead = Scanner { source: self.source, at: self.at, ..Scanner::default() };
        if !ahead.skip_to_brace() {
            self.bodies.push(Body::Expression(self.at));
        }
        Last::Operator
    }

    /// Whether a brace comes next but for blanks and comments.
    fn skip_to_brace(&mut self) -> bool {
        self.skip_blanks();
        self.peek(0) == Some(b'{')
    }

    fn punctuation(&mut self, byte: u8, before: Before) -> Last {
        let is_class = byte == b'{' && self.heritage == Some(self.open.len());
        if is_class {
            self.heritage = None;
        } else if byte == b'{' && matches!(before, Before::Closed | Before::Arrow) {
            self.bodies.push(Body::Block(self.at));
        }
        self.before = Before::Other;
        self.bracket(byte, before);
        self.at += 1;
        if let Some(braces) = self.templates.last_mut() {
            match byte {
                b'{' => *braces += 1,
                b'}' => *braces -= 1,
                _ => {}
            }
        }
        match byte {
            b')' if self.before == Before::Control => Last::Operator,
            b')' | b']' => Last::Value,
            b'.' => Last::Dot,
            _ => Last::Operator,
        }
    }

    fn bracket(&mut self, byte: u8, before: Before) {
        match byte {
            b'(' | b'[' | b'{' => {
                self.open.push(Bracket { open: self.at, before, ..Bracket::default() });
            }
            b')' | b']' | b'}' => {
                let ended = self.open.pop().map(|open| Bracket { close: self.at, ..open });
                self.before = match (byte, ended.as_ref().map(|ended| ended.before)) {
                    (b')', Some(Before::Control)) => Before::Control,
                    (b')', _) => Before::Closed,
                    (b'}', Some(Before::Try)) => Before::TryBlock,
                    _ => Before::Other,
                };
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
        self.before = Before::Other;
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
        self.before = Before::Other;
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
    use super::{Body, bodies, rewrite, statics};

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
                      import g from 'g'\nwith\n{ 'type': /* now */ \"css\", };\n\
                      import 'h' with {};\n\
                      import('no'); const from = 'no'; Array.from('no'); x.from 'no';\n\
                      // import 'no'\n`import 'no'`; import 'a'; import f from '";
        let found = statics(source);
        let found: Vec<_> = found.iter().map(|(name, kind)| (&**name, &**kind)).collect();
        let plain = |name| (name, "");
        let [a, b, c, h, none] = ["a", "b", "./c.mjs", "h", ""].map(plain);
        assert_eq!(found, [a, b, c, ("e", "json"), ("g", "css"), h, none]);
    }

    #[test]
    fn bodies_of_functions_are_found_and_no_other_blocks() {
        // A `^` stands where a body begins: at its brace, or where its expression does.
        for marked in [
            "function f(a = {}) ^{ if (a) { g(); } for (;;) {} }",
            "for await (const x of y) { while (x) { switch (x) {} } } with (z) {}",
            "try { f() } catch (error) { } finally { }",
            "class A { catch(e) ^{ } get x() ^{ } static async *[y](z) ^{ } #p() ^{} static { } }",
            "class A extends f(B) { constructor() ^{ super(); } }; x = class extends y { a() ^{} }",
            "x =>^ x + 1; (a, { b }) => ^{ }; async () =>^ (await f(), { c: () =>^ 1 })",
            "x => /* { */ ^{ }; y =>^ // {\n z; o = { if: 1, p(q) ^{}, get [r]() ^{} }",
            "`${() =>^ '=> {'}) {`; /=> {/; '=> {'; if (x) /) {/.test(y); // ) {",
            "promise.catch((e) => ^{}).if(x)",
        ] {
            let source = marked.replace('^', "");
            let mut found = Vec::new();
            for body in bodies(&source) {
                let (Body::Block(at) | Body::Expression(at)) = body;
                found.push(at);
            }
            let mut expected = Vec::new();
            for (before, (at, _)) in marked.match_indices('^').enumerate() {
                expected.push(at - before);
            }
            assert_eq!(found, expected, "{marked}");
        }
    }

    #[test]
    fn the_length_stays() {
        let source = "const a = await import('./a.mjs'); // import(b)\n`${import('c')}`";
        assert_eq!(rewrite(source).len(), source.len());
    }
}
