//! The scale: from how rarely an hour like this comes to 0 to 100, and where
//! on it one is paged. A fixed function, so that a score means the same
//! everywhere and for ever.

use super::finding::Severity;

const DAYS_OF_WEEK: f64 = 7.0;

/// The score of what comes once in so many days: 25 for a day, 43 for a week, 79 for a year, at
/// most 100 (ten years).
pub fn of_recurrence(days: f64) -> f64 {
    if days <= 0.0 {
        return 0.0;
    }
    (25.0 + 21.0 * days.log10()).clamp(0.0, 100.0)
}

/// The score from which on it is worth that severity, for so many pages a week in all of the cluster.
///
/// A page is rarer than the budget; a notice comes once a day, or a seventh as rarely as a page
/// where that is less.
pub fn threshold(severity: Severity, alarm_budget: f64) -> f64 {
    let page = DAYS_OF_WEEK / alarm_budget.max(f64::MIN_POSITIVE);
    match severity {
        Severity::Info => 0.0,
        Severity::Notice => of_recurrence((page / DAYS_OF_WEEK).min(1.0)),
        Severity::Page => of_recurrence(page),
    }
}

/// What a score is worth.
pub fn severity(score: f64, alarm_budget: f64) -> Severity {
    let reached = |severity: &Severity| score >= threshold(*severity, alarm_budget);
    Severity::ALL.into_iter().rev().find(reached).unwrap_or(Severity::Info)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the same function of the same number is the same number")]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_a_fixed_function_of_rarity() {
        let whole = |days| of_recurrence(days).round();
        assert_eq!([1.0, 7.0, 30.0, 365.0, 3650.0, 1e9].map(whole), [25.0, 43.0, 56.0, 79.0, 100.0, 100.0]);
        assert_eq!([0.0, -1.0, 1e-3].map(whole), [0.0; 3]);
    }

    #[test]
    fn the_budget_moves_the_thresholds() {
        assert_eq!(threshold(Severity::Page, 1.0), of_recurrence(7.0));
        assert_eq!(threshold(Severity::Notice, 1.0), of_recurrence(1.0));
        assert!(threshold(Severity::Page, 0.5) > threshold(Severity::Page, 1.0));
        assert!(threshold(Severity::Notice, 20.0) < threshold(Severity::Page, 20.0));
        assert_eq!(severity(43.0, 1.0), Severity::Page);
        assert_eq!(severity(42.0, 1.0), Severity::Notice);
        assert_eq!(severity(24.0, 1.0), Severity::Info);
        assert_eq!(severity(25.0, 7.0), Severity::Page);
    }
}
