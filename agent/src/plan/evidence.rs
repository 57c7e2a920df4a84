//! What the files tell: which symbols each image has, and what its functions are, checked.

use std::{collections::BTreeMap, ops::Range};

use super::Module;
use crate::elf::{ElfError, Function, Image, Imports, Symbol, Unwind, Wanted};

/// An image with what was asked of it.
pub(super) struct Evidence<'a> {
    pub(super) image: &'a Image,
    /// Its place among the modules.
    pub(super) module: usize,
    symbols: BTreeMap<&'static str, Vec<Symbol>>,
    /// Why its symbols can't be read.
    pub(super) damage: Option<ElfError>,
    unwind: Option<Unwind>,
    imports: Imports,
}

impl<'a> Evidence<'a> {
    /// What these names are in an image. Its other tables are read by [`Evidence::complete`].
    pub(super) fn of(image: &'a Image, module: usize, wanted: &[Wanted<'static>]) -> Self {
        let (found, damage) = match image.symbols(wanted) {
            Ok(found) => (found, None),
            Err(damage) => (Vec::new(), Some(damage)),
        };
        let name = |wanted: &Wanted<'static>| match *wanted {
            Wanted::Name(name) | Wanted::Prefix(name) => name,
        };
        let symbols = wanted.iter().map(name).zip(found).collect();
        Self { image, module, symbols, damage, unwind: None, imports: Imports::default() }
    }

    /// Reads where its functions lie and what it imports.
    pub(super) fn complete(&mut self) {
        self.unwind = self.image.unwind();
        self.imports = self.image.imports();
    }

    /// Whether it has anything that was asked for.
    pub(super) fn concerns_us(&self) -> bool {
        self.symbols.values().any(|symbols| !symbols.is_empty())
    }

    /// It as a module of the plan.
    pub(super) fn describe(&self, uv: Option<&Self>, v8: Option<&Self>) -> Module {
        let is = |part: Option<&Self>| part.is_some_and(|part| part.module == self.module);
        Module { build_id: self.image.build_id().map(<[u8]>::to_vec), uv: is(uv), v8: is(v8) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.symbols.get(name).is_some_and(|symbols| !symbols.is_empty())
    }

    /// The stubs through which the image calls functions of these names, each with which name.
    pub(super) fn stubs_of(&self, names: &[&str]) -> Result<Vec<(u64, usize)>, ElfError> {
        self.image.stubs_of(&self.imports, names)
    }

    /// What a stub calls.
    pub(super) fn name_of_stub(&self, stub: u64) -> Option<String> {
        self.imports.name_of_stub(self.image, stub)
    }

    /// All symbols that a wanted name stands for.
    pub(super) fn all(&self, name: &str) -> &[Symbol] {
        self.symbols.get(name).map_or(&[], Vec::as_slice)
    }

    /// The one symbol of a name.
    pub(super) fn one(&self, name: &str) -> Result<&Symbol, String> {
        match self.all(name) {
            [] if self.image.has_all_symbols() => Err(format!("no symbol {name}")),
            [] => Err(format!("no symbol {name}: the file is stripped")),
            [first, rest @ ..] => {
                let same =
                    |other: &Symbol| (other.address, other.size) == (first.address, first.size);
                if rest.iter().all(same) { Ok(first) } else { Err(format!("more than one {name}")) }
            }
        }
    }

    /// The function that a symbol stands for, if `.eh_frame` agrees with it about where the
    /// function begins and ends.
    pub(super) fn function(&self, symbol: &Symbol) -> Result<Function, String> {
        let Symbol { name, address, size, .. } = symbol;
        if self.image.build_id().is_none() {
            return Err("the file has no build id, so it can't be told from another build".into());
        }
        if !symbol.function || !self.image.is_code(*address) {
            return Err(format!("{name} at {address:#x} is no code"));
        }
        let unwind = self.unwind.as_ref().ok_or("the file has no .eh_frame to check against")?;
        let range = unwind
            .function_at(*address)
            .ok_or_else(|| format!("{name} at {address:#x} is in no .eh_frame entry"))?;
        if range.start != *address || range.end - range.start != *size {
            let Range { start, end } = range;
            return Err(format!(
                "{name} is at {address:#x}, {size} bytes; .eh_frame has {start:#x}, {} bytes",
                end - start
            ));
        }
        Function::at(self.image, unwind, *address)
            .ok_or_else(|| format!("{name} at {address:#x} can't be disassembled"))
    }

    /// The function of the one symbol of a name.
    pub(super) fn function_named(&self, name: &str) -> Result<Function, String> {
        self.function(self.one(name)?)
    }

    /// The function that begins at an address, known by `.eh_frame` alone.
    pub(super) fn function_at(&self, address: u64) -> Option<Function> {
        Function::at(self.image, self.unwind.as_ref()?, address)
    }

    /// The function around an address, known by `.eh_frame` alone.
    pub(super) fn function_around(&self, address: u64) -> Option<Function> {
        Function::around(self.image, self.unwind.as_ref()?, address)
    }
}
