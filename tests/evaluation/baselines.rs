//! Baselines do as their descriptions say.

use crate::baseline::{self, Asked, Baseline};
use crate::measure::{Alarm, DAY};
use leasewatch::event::Timestamp;

const HOUR: i64 = 3_600;

/// A baseline, by what its name begins with.
fn named(start: &str) -> Box<dyn Baseline> {
    baseline::all().into_iter().find(|baseline| baseline.name().starts_with(start)).unwrap()
}

fn see(baseline: &mut dyn Baseline, secs: i64, times: usize) {
    let at = Timestamp::from_secs(secs);
    for _ in 0..times {
        baseline.see(&Asked { at, subject: "a", role: "database/creds/app", source: None });
    }
}

fn highest(alarms: &[Alarm]) -> f64 {
    alarms.iter().flat_map(|alarm| &alarm.raises).map(|raise| raise.score).fold(0.0, f64::max)
}

#[test]
fn a_static_threshold_counts_the_minute() {
    let mut count = named("static");
    for secs in [0, 1, 59, 60, 61] {
        see(&mut *count, secs, 1);
    }
    let alarms = count.finish();
    assert_eq!(alarms.len(), 1);
    let raises: Vec<_> = alarms[0].raises.iter().map(|raise| (raise.at.as_nanos(), raise.score)).collect();
    assert_eq!(raises, [(0, 1.0), (1_000_000_000, 2.0), (59_000_000_000, 3.0)]);
}

#[test]
fn a_z_score_holds_an_hour_against_the_hours_before() {
    let mut zscore = named("z-score of the hour");
    // Nine and eleven in turn: ten on average, give or take one.
    for hour in 0..400 {
        see(&mut *zscore, hour * HOUR, if hour % 2 == 0 { 9 } else { 11 });
    }
    see(&mut *zscore, 400 * HOUR, 15);
    let score = highest(&zscore.finish());
    assert!((score - 5.0).abs() < 0.02, "{score}");
}

#[test]
fn hours_without_requests_count_too() {
    let mut zscore = named("z-score of the hour");
    see(&mut *zscore, 0, 1);
    // A day later: 24 hours with one request in all.
    see(&mut *zscore, 24 * HOUR, 3);
    assert!((highest(&zscore.finish()) - (3.0 - 1.0 / 24.0)).abs() < 1e-9);
}

#[test]
fn by_hour_of_day_a_nightly_job_is_usual() {
    let (mut plain, mut by_hour) = (named("z-score of the hour"), named("z-score by hour"));
    for day in 0..30 {
        for zscore in [&mut plain, &mut by_hour] {
            see(&mut **zscore, (day * 24 + 3) * HOUR, 40);
        }
    }
    assert!(highest(&plain.finish()) > 4.0);
    assert!(highest(&by_hour.finish()) < 1e-9);
}

#[test]
fn a_term_is_new_once_in_14_days() {
    let mut terms = named("new terms");
    let mut see = |secs, role, source: &str| {
        let source = source.parse().ok();
        terms.see(&Asked { at: Timestamp::from_secs(secs), subject: "a", role, source });
    };
    see(0, "r", "10.0.0.1"); // both new
    see(10, "r", "10.0.0.1");
    see(DAY, "s", "10.0.0.1"); // a new role
    see(14 * DAY, "r", "10.0.0.1");
    see(14 * DAY + 1, "r", "10.0.0.2"); // a new address
    see(29 * DAY, "r", "10.0.0.2"); // both have been forgotten
    let alarms = terms.finish();
    let scores: Vec<_> = alarms.iter().map(|alarm| alarm.raises.last().map(|raise| raise.score)).collect();
    assert_eq!(scores, [Some(2.0), Some(1.0), Some(1.0), Some(2.0)]);
}
