//! First-in, first-out queues of timers, many of them in one memory.
//!
//! ```text
//!  first ──> chunk ──> chunk ──> chunk <── last
//!            16 timers, a cache line
//! ```
//!
//! An entry is named by its place in the whole memory: chunk and offset in one number. No two
//! entries have the same, so who knows a timer's place can tell its entry from older ones.
//!
//! Cost: pushing writes one line, popping reads it; four bytes a timer, four a chunk. A queue of
//! any length is freed in constant time.
//!
//! **Invariant**: a chunk is in one queue, or free. A queue has chunks as long as it has entries.

/// The place of nothing: no entry, no chunk.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Timers to a chunk.
pub(super) const CHUNK: u32 = 16;

/// As large as a cache line, and in one.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk([u32; CHUNK as usize]);

/// The memory of all queues.
#[derive(Debug)]
pub(super) struct Fifos {
    chunks: Vec<Chunk>,
    /// For each chunk the one behind it, in its queue or among the free ones.
    next: Vec<u32>,
    free: u32,
}

impl Fifos {
    pub(super) fn new() -> Self {
        Fifos { chunks: Vec::new(), next: Vec::new(), free: NOWHERE }
    }

    /// The place behind the last one, if it is in the same chunk.
    #[inline]
    pub(super) fn behind(last: u32) -> Option<u32> {
        let place = last.wrapping_add(1);
        (!place.is_multiple_of(CHUNK)).then_some(place)
    }

    /// Writes a timer to a place.
    #[inline]
    pub(super) fn put(&mut self, place: u32, timer: u32) {
        self.chunks[(place / CHUNK) as usize].0[(place % CHUNK) as usize] = timer;
    }

    /// Adds a chunk to a queue that ends at `last`, or has none yet. Returns its first place.
    pub(super) fn grow(&mut self, last: u32) -> u32 {
        let chunk = match self.free {
            NOWHERE => {
                self.chunks.push(Chunk([NOWHERE; CHUNK as usize]));
                self.next.push(NOWHERE);
                (self.chunks.len() - 1) as u32
            }
            chunk => {
                self.free = self.next[chunk as usize];
                chunk
            }
        };
        if last != NOWHERE {
            self.next[(last / CHUNK) as usize] = chunk;
        }
        chunk * CHUNK
    }

    /// The timers from a place to the end of its chunk or queue.
    #[inline]
    pub(super) fn some(&self, place: u32, last: u32) -> &[u32] {
        let end = if place / CHUNK == last / CHUNK { last % CHUNK + 1 } else { CHUNK };
        &self.chunks[(place / CHUNK) as usize].0[(place % CHUNK) as usize..end as usize]
    }

    /// Takes the first entry off. Returns the place of the next one, which is nowhere if this was
    /// the last.
    #[inline]
    pub(super) fn pop(&mut self, first: u32, last: u32) -> u32 {
        let chunk = first / CHUNK;
        if first == last {
            self.free(first, last);
            return NOWHERE;
        }
        Self::behind(first).unwrap_or_else(|| {
            let next = self.next[chunk as usize];
            self.free(first, first);
            next * CHUNK
        })
    }

    /// Frees the chunks of a queue.
    pub(super) fn free(&mut self, first: u32, last: u32) {
        self.next[(last / CHUNK) as usize] = self.free;
        self.free = first / CHUNK;
    }
}
