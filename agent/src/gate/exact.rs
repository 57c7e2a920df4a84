//! The exact tier: what never varied before needs no statistics to have changed.

use super::comparison::{Change, Standing};

/// What is known of a count by its values in all runs of both sides; `None` where it varies, or the
/// sides overlap: then statistics have to tell. A growth of up to `tolerance` (0.05 is 5 %) is let
/// pass, in each run of the head.
///
/// Of something that varied after all, and had one value with chance `q`, so would all of `n` runs
/// of the base, and none of the head's, with a chance of at most `1 / 4^n`; one in a million for
/// ten.
pub fn judge(base: &[f64], head: &[f64], tolerance: f64) -> Option<(Standing, Change)> {
    let before = *base.first()?;
    if base.iter().any(|value| *value != before) {
        return None;
    }
    let least = head.iter().copied().reduce(f64::min)?;
    let most = head.iter().copied().reduce(f64::max)?;
    let bound = bound(before, tolerance);
    let standing = match () {
        () if least == before && most == before => Standing::Same,
        () if most < before => Standing::Better,
        () if least > bound => Standing::Worse,
        () if tolerance > 0.0 && most <= bound => Standing::Same,
        () => return None,
    };
    // The end that is nearer to what was before: all runs have changed by at least that.
    let now = before.clamp(least, most);
    let ratio = if now == before { 1.0 } else { now / before };
    let change = Change { ratio, interval: (ratio, ratio), p: 0.0, difference: now - before };
    Some((standing, change))
}

/// The most that passes where it was `before`. Its digits are made good for that 15 % has none that
/// end: a count of less than 2^50 gets nowhere near to the next one by that.
pub(super) fn bound(before: f64, tolerance: f64) -> f64 {
    match before + before * tolerance {
        bound if bound > before => bound * (1.0 + 4.0 * f64::EPSILON),
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(base: &[f64], head: &[f64], tolerance: f64) -> Option<Standing> {
        judge(base, head, tolerance).map(|(standing, _)| standing)
    }

    #[test]
    fn one_more_is_worse_where_nothing_varied() {
        assert_eq!(standing(&[1000.0; 3], &[1000.0; 3], 0.0), Some(Standing::Same));
        assert_eq!(standing(&[1000.0; 3], &[1001.0; 3], 0.0), Some(Standing::Worse));
        assert_eq!(standing(&[1000.0; 3], &[999.0, 900.0, 999.0], 0.0), Some(Standing::Better));
        assert_eq!(standing(&[0.0; 3], &[0.0; 3], 0.0), Some(Standing::Same));
        assert_eq!(standing(&[0.0; 3], &[1.0; 3], 0.05), Some(Standing::Worse));
    }

    #[test]
    fn what_varies_or_overlaps_is_for_statistics() {
        assert_eq!(standing(&[1000.0, 1001.0], &[1100.0; 2], 0.0), None);
        assert_eq!(standing(&[1000.0; 2], &[1000.0, 1001.0], 0.0), None);
        assert_eq!(standing(&[1000.0; 2], &[999.0, 1001.0], 0.0), None);
        assert_eq!(standing(&[], &[1.0], 0.0), None);
        assert_eq!(standing(&[1.0], &[], 0.0), None);
    }

    #[test]
    fn growth_up_to_the_tolerance_passes() {
        assert_eq!(standing(&[1000.0; 2], &[1050.0; 2], 0.05), Some(Standing::Same));
        assert_eq!(standing(&[1000.0; 2], &[1051.0; 2], 0.05), Some(Standing::Worse));
        assert_eq!(standing(&[1000.0; 2], &[1050.0, 1051.0], 0.05), None);
    }

    #[test]
    fn the_tolerance_is_met_to_the_last_one_of_the_count() {
        for percent in 1_u32..=100 {
            for hundreds in [1.0, 3.0, 7.0, 1e3, 4e10] {
                let (before, most) = (100.0 * hundreds, f64::from(100 + percent) * hundreds);
                let of = |head| standing(&[before; 2], &[head; 2], f64::from(percent) / 100.0);
                assert_eq!(of(most), Some(Standing::Same), "{before} and {percent} %");
                assert_eq!(of(most + 1.0), Some(Standing::Worse), "{before} and {percent} %");
            }
        }
    }

    #[test]
    fn the_tolerance_holds_where_head_varies() {
        assert_eq!(standing(&[1000.0; 2], &[990.0, 1050.0], 0.05), Some(Standing::Same));
        assert_eq!(standing(&[1000.0; 2], &[1000.0, 1001.0], 0.05), Some(Standing::Same));
        assert_eq!(standing(&[1000.0; 2], &[990.0, 1051.0], 0.05), None);
        assert_eq!(standing(&[1000.0; 2], &[990.0, 1000.0], 0.0), None);
    }

    #[test]
    fn the_change_is_what_all_runs_have_at_least() {
        let (_, change) = judge(&[1000.0; 2], &[1100.0, 1050.0], 0.0).unwrap();
        assert_eq!((change.ratio, change.difference, change.p), (1.05, 50.0, 0.0));
        let (_, change) = judge(&[1000.0; 2], &[800.0, 900.0], 0.0).unwrap();
        assert_eq!((change.ratio, change.difference), (0.9, -100.0));
        let (_, change) = judge(&[0.0; 2], &[3.0; 2], 0.0).unwrap();
        assert_eq!((change.ratio, change.difference), (f64::INFINITY, 3.0));
        assert_eq!(judge(&[0.0; 2], &[0.0; 2], 0.0).unwrap().1.ratio, 1.0);
        let (_, change) = judge(&[1000.0; 2], &[990.0, 1050.0], 0.05).unwrap();
        assert_eq!((change.ratio, change.difference), (1.0, 0.0), "not all have changed");
    }
}
