//! Holm's correction: many looks at one thing make chance look like a find.

/// The probabilities, corrected for how many they are: that any of those below a limit is there by
/// chance is less likely than the limit. In the order that they were given in.
pub fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut corrected = vec![1.0; probabilities.len()];
    let mut least = 0.0_f64;
    for (place, index) in order.into_iter().enumerate() {
        let left = (probabilities.len() - place) as f64;
        least = least.max(probabilities[index] * left).min(1.0);
        corrected[index] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_counts_as_often_as_there_are_probabilities() {
        // As R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") has it.
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        let want = [0.03, 0.06, 0.06, 0.02];
        assert!(corrected.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-12));
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
