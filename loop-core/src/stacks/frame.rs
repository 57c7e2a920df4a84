//! A function on a stack.

/// How the code of a module is called.
pub const TOP_LEVEL: &str = "(top level)";

/// Where Node's own code is.
const INTERNAL: &str = "node:";

/// A function on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Empty for one that has none.
    pub name: &'a str,
    /// `None`: a built-in, or native code.
    pub place: Option<Place<'a>>,
}

/// Where a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Path or URL; `node:` and a name for Node's own code.
    pub file: &'a str,
    /// The line that ran, or where the next function was called, from 1; `None`: not known.
    pub line: Option<u32>,
    /// The column there; 0 where it isn't known.
    pub column: u32,
    /// The line where the function begins, if that is known.
    pub begins: Option<u32>,
}

impl Frame<'_> {
    /// Whether it is code of the program: neither built in, nor Node's own.
    pub fn is_programs(&self) -> bool {
        self.place.is_some_and(|place| !place.file.starts_with(INTERNAL))
    }

    /// As stacks show it, on this line if that is known.
    pub fn told(&self, line: Option<u32>) -> String {
        let name = if self.name.is_empty() { "(anonymous)" } else { self.name };
        match self.place {
            None => format!("{name} (native)"),
            Some(Place { file, begins, .. }) => match line.or(begins) {
                Some(line) => format!("{name} ({file}:{line})"),
                None => format!("{name} ({file})"),
            },
        }
    }
}
