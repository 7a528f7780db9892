//! Episodes, for a person at a terminal: a list, or one with all that is known of it; and what an alarm
//! budget would have cost.

mod backtest;
mod text;

pub use backtest::Backtest;
pub use text::{list, list_in, one, ranked};
