//! In which order the runs of two commands are made.
//!
//! ```text
//! block     0            1            2
//! runs   A B B A      B A A B      A B B A   ...
//! pairs  (A B)(B A)   (B A)(A B)
//! ```
//!
//! A machine that becomes slower and slower holds up both alike, whoever comes first does so as
//! often as the other, and the two runs of the base in a block show what it differs by from itself.

/// One of the two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Before the change.
    Base,
    /// After it.
    Head,
}

/// The two runs of a pair, from 0 on, in their order.
pub const fn pair(number: usize) -> [Which; 2] {
    // The second pair of a block is the first one turned round, and so is each other block.
    match number % 4 {
        0 | 3 => [Which::Base, Which::Head],
        _ => [Which::Head, Which::Base],
    }
}

/// How many pairs to have after `pairs` were not enough: half as many more, in whole blocks.
pub const fn more(pairs: usize) -> usize {
    let more = pairs.div_ceil(2);
    (pairs + if more < 2 { 2 } else { more }).next_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_abba_and_baab() {
        let letters = |which: Which| if which == Which::Base { 'A' } else { 'B' };
        let order: String = (0..6).flat_map(pair).map(letters).collect();
        assert_eq!(order, "ABBABAABABBA");
    }

    #[test]
    fn more_pairs_are_whole_blocks() {
        let mut all = vec![10];
        while all[all.len() - 1] < 200 {
            all.push(more(all[all.len() - 1]));
        }
        assert_eq!(all, [10, 16, 24, 36, 54, 82, 124, 186, 280]);
        assert_eq!((more(0), more(5)), (2, 8));
    }

    #[test]
    fn what_drifts_evenly_holds_up_both_alike() {
        let mut sums = [0, 0];
        for (slot, which) in (0..4).flat_map(pair).enumerate() {
            sums[usize::from(which == Which::Head)] += slot;
        }
        assert_eq!(sums[0], sums[1]);
    }
}
