//! Finds the list of a duration: a table in pages for durations up to a minute, a map beyond.
//!
//! Cost: two loads for a duration in the table; 1 KB for each page in use.

use std::collections::HashMap;

/// Durations to a page.
const PAGE: usize = 256;

/// Durations up to here have a place in the table: 256 pages of 256.
const TABLED_MS: u32 = 1 << 16;

const NONE: u32 = u32::MAX;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Durations {
    pages: Vec<Option<Box<[u32; PAGE]>>>,
    /// Durations beyond the table: above about a minute there are few.
    rare: HashMap<u32, u32>,
}

impl Durations {
    #[inline]
    pub(super) fn get(&self, duration_ms: u32) -> Option<u32> {
        if duration_ms >= TABLED_MS {
            return self.rare.get(&duration_ms).copied();
        }
        let page = self.pages.get(duration_ms as usize / PAGE)?.as_ref()?;
        Some(page[duration_ms as usize % PAGE]).filter(|&list| list != NONE)
    }

    pub(super) fn set(&mut self, duration_ms: u32, list: Option<u32>) {
        if duration_ms >= TABLED_MS {
            match list {
                Some(list) => self.rare.insert(duration_ms, list),
                None => self.rare.remove(&duration_ms),
            };
            return;
        }
        let number = duration_ms as usize / PAGE;
        if number >= self.pages.len() {
            self.pages.resize_with(number + 1, || None);
        }
        let page = self.pages[number].get_or_insert_with(|| Box::new([NONE; PAGE]));
        page[duration_ms as usize % PAGE] = list.unwrap_or(NONE);
    }
}
