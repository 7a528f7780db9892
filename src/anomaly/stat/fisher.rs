//! Several pieces of evidence in one number: the strongest one, paid for the number of looks, or
//! all of them together by Fisher's method, whichever says more.

use super::strength_of_ln;

/// -log10 of Fisher's combined probability of independent `strengths`, each no more than `clip`.
///
/// The chi-squared tail with 2n degrees of freedom is a finite sum: e^-y * sum y^i / i!, i < n.
pub fn fisher(strengths: &[f64], clip: f64) -> f64 {
    let y = strengths.iter().map(|s| s.clamp(0.0, clip)).sum::<f64>() * std::f64::consts::LN_10;
    let (mut sum, mut term) = (0.0, 1.0);
    for i in 0..strengths.len() {
        if i > 0 {
            term *= y / i as f64;
        }
        sum += term;
    }
    if sum > 0.0 { strength_of_ln(-y + f64::ln(sum)) } else { 0.0 }
}

/// The combined strength of strengths that are sorted, the strongest first: the best of the
/// strongest one, of the two strongest, and so on, each less the log10 of the ways to choose them.
///
/// Fisher's method over all models would drown two that speak in eight that are silent.
pub fn combined(sorted: &[f64], looks: &[f64], clip: f64) -> f64 {
    let strongest = sorted.first().copied().unwrap_or(0.0);
    let mut all = strongest - looks.first().map_or(0.0, |looks| looks.log10());
    for (together, looks) in (1..=sorted.len()).zip(looks).skip(1) {
        all = all.max(fisher(&sorted[..together], clip) - looks.log10());
    }
    all.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fisher_is_the_tail_of_chi_squared() {
        // One strength is itself; two of 2 are p = 1e-4 * (1 + 4 ln 10).
        assert!((fisher(&[2.5], 4.0) - 2.5).abs() < 1e-12);
        let two = 4.0 - (1.0 + 4.0 * std::f64::consts::LN_10).log10();
        assert!((fisher(&[2.0, 2.0], 4.0) - two).abs() < 1e-12);
        // What is past the clip counts as the clip, and no evidence is no strength.
        assert!((fisher(&[9.0, 0.0], 4.0) - fisher(&[4.0, 0.0], 4.0)).abs() < 1e-12);
        assert!(fisher(&[], 4.0).abs() < f64::EPSILON);
    }

    #[test]
    fn one_loud_piece_and_several_middling_ones_are_both_heard() {
        let looks = [10.0, 10.0, 10.0];
        assert!((combined(&[9.0, 0.0, 0.0], &looks, 4.0) - 8.0).abs() < 1e-12);
        assert!(combined(&[2.0, 2.0, 2.0, 0.0], &looks, 4.0) > 2.5);
        assert!(combined(&[0.2, 0.1], &looks, 4.0) < 0.3);
        assert!(combined(&[], &looks, 4.0) < f64::EPSILON);
    }
}
