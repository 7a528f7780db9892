//! Settings of the scores, as far as scoring needs them.

/// How anomalies are scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Pages a week that the operator is ready for, in all of the cluster.
    pub alarm_budget: f64,
    /// Whether it pages.
    pub mode: Mode,
    /// Subjects that are followed in full.
    pub subjects: usize,
    /// Episodes that are kept.
    pub episodes: usize,
}

impl Settings {
    /// What holds where nobody says anything.
    pub const DEFAULT: Self = Self { alarm_budget: 1.0, mode: Mode::On, subjects: 20_000, episodes: 4_096 };
    /// Nothing is scored.
    pub const OFF: Self = Self { mode: Mode::Off, ..Self::DEFAULT };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether the scores page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whatever is rarer than the budget.
    On,
    /// Never: what would page is a notice. For the first month.
    Shadow,
    /// Nothing is scored or learnt.
    Off,
}
