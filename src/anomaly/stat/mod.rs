//! Statistics that the models share: distributions whose far tails stay finite, decayed
//! counts, and empirical tails. They know numbers only, nothing of Vault.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums are kept in 32 bits, and a bin is a number cut off: a lossy cast is what is meant"
)]

pub mod count;
pub mod cusum;
pub mod decay;
pub mod extremes;
pub mod fisher;
pub mod rate;
pub mod season;
pub mod tail;

/// The largest strength that anything is given: beyond it, nothing is rarer for a reader.
pub const STRONGEST: f64 = 30.0;

/// Strength of a probability given as its natural logarithm: -log10 p, from 0 to [`STRONGEST`].
pub fn strength_of_ln(ln_p: f64) -> f64 {
    let strength = -ln_p / std::f64::consts::LN_10;
    // A NaN is no evidence.
    if strength > 0.0 { strength.min(STRONGEST) } else { 0.0 }
}

/// Strength of a probability: -log10 p, from 0 to [`STRONGEST`].
pub fn strength(p: f64) -> f64 {
    strength_of_ln(p.ln())
}
