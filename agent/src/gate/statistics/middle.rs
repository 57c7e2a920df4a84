//! The middle of some values.

/// The share that [`middle`] leaves out on either side.
const TRIM: f64 = 0.2;

/// The median; of an even number the mean of the two in the middle. NaN of none.
///
/// Puts the values in order.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[half],
        _ => values[half - 1].midpoint(values[half]),
    }
}

/// The mean without the smallest and the largest fifth. NaN of none.
///
/// A run that a neighbour has held up does not move it, and it is steadier than the median: the
/// gate's proof (`gate_proof --estimators`) holds them against each other.
///
/// Puts the values in order.
pub fn middle(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let out = (values.len() as f64 * TRIM) as usize;
    let kept = &values[out..values.len() - out];
    kept.iter().sum::<f64>() / kept.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_the_two() {
        assert_eq!(median(&mut [4.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&mut []).is_nan() && middle(&mut []).is_nan());
    }

    #[test]
    fn outliers_do_not_move_the_middle() {
        assert_eq!(middle(&mut [3.0]), 3.0);
        assert_eq!(middle(&mut [1.0, 2.0]), 1.5);
        let mut values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 1e9];
        assert_eq!(middle(&mut values), 5.5);
        let mut other = [-1e9, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
        assert_eq!(middle(&mut other), 5.5);
    }
}
