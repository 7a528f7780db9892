//! Half-widths.

use crate::measure::interval::{bootstrap, share};

#[test]
fn of_shares() {
    // 512 attacks at 0.746: ±3.8 points.
    assert!((share(382, 512) - 0.0376).abs() < 0.0005, "{}", share(382, 512));
    // All found is not certainty: the rule of three says about 3/n in all.
    assert!((share(64, 64) - 0.0283).abs() < 0.001, "{}", share(64, 64));
    assert!(share(0, 0).is_nan());
}

#[test]
fn of_worlds() {
    // The mean of 100 values that are 0 or 1: 1.96 · 0.5 / 10.
    let values: Vec<f64> = (0..100).map(|number| f64::from(number % 2)).collect();
    let mean = |drawn: &[usize]| drawn.iter().map(|at| values[*at]).sum::<f64>() / drawn.len() as f64;
    let half = bootstrap(100, mean);
    assert!((half - 0.098).abs() < 0.02, "{half}");
    assert!(bootstrap(1, mean).is_nan());
    assert!(bootstrap(100, |_| 1.0).abs() < 1e-12);
}
