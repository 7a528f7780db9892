//! Recall, its price, and delays.

use crate::measure::matching::Found;
use crate::measure::{Caught, Pool, Truth, quantile};
use leasewatch::event::Timestamp;

/// A world of one week with false alarms and attacks of these scores (0: not found).
fn world(pool: &mut Pool, false_alarms: &[f64], attacks: &[(&'static str, f64)]) {
    let truth: Vec<_> = attacks
        .iter()
        .map(|(kind, _)| Truth {
            kind,
            subject: String::new(),
            first: Timestamp::MIN,
            last: Timestamp::MIN,
            after: 0,
        })
        .collect();
    let found = attacks.iter().map(|(_, score)| Found {
        raises: if *score > 0.0 { vec![(30.0, score / 2.0), (90.0, *score)] } else { Vec::new() },
    });
    let false_alarms = false_alarms.iter().map(|score| (Timestamp::MIN, *score)).collect();
    pool.add(&truth, Caught { found: found.collect(), false_alarms }, 1.0);
}

fn two_worlds() -> Pool {
    let mut pool = Pool::default();
    world(&mut pool, &[70.0, 30.0, 10.0], &[("burst", 90.0), ("slow", 60.0)]);
    world(&mut pool, &[50.0, 20.0], &[("burst", 65.0), ("slow", 0.0)]);
    pool
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn recall_at_a_rate_is_by_one_threshold_for_all_worlds() {
    let pool = two_worlds();
    // Once a week in two weeks: the two highest false alarms are allowed, the third is the cut.
    close(pool.cut(1.0), 30.0);
    close(pool.recall(1.0, None).value, 0.75);
    close(pool.cut(0.5), 50.0);
    close(pool.recall(0.5, None).value, 0.75);
    close(pool.cut(0.1), 70.0);
    close(pool.recall(0.1, None).value, 0.25);
    close(pool.recall(0.1, Some("slow")).value, 0.0);
    close(pool.recall(7.0, Some("burst")).value, 1.0);
    assert_eq!(pool.hits(0.0, Some("slow")), (1, 2));
}

#[test]
fn equal_scores_do_not_pass_the_threshold_by_a_part() {
    // A detector that only says yes: all of its false alarms or none.
    let mut pool = Pool::default();
    world(&mut pool, &[1.0; 600], &[("burst", 1.0)]);
    close(pool.recall(7.0, None).value, 0.0);
    close(pool.price(0.8).value, 600.0);
}

#[test]
fn false_alarms_at_a_recall() {
    let pool = two_worlds();
    // Three of four: the threshold is 60, one false alarm in two weeks is above it.
    close(pool.price(0.75).value, 0.5);
    close(pool.price(0.5).value, 0.5);
    close(pool.price(0.25).value, 0.0);
    assert!(pool.price(0.8).value.is_infinite(), "the fourth is never found");
    close(pool.rate(20.0).value, 2.0);
}

#[test]
fn delays_end_where_the_score_passes_the_cut() {
    let pool = two_worlds();
    assert_eq!(pool.delays(0.0, None), [30.0, 30.0, 30.0]);
    assert_eq!(pool.delays(40.0, Some("burst")), [30.0, 90.0]);
    close(quantile(&[1.0, 2.0, 3.0], 0.5), 2.0);
    close(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.0);
    close(quantile(&[1.0, 2.0, 3.0, 4.0], 0.95), 4.0);
    assert!(quantile(&[], 0.5).is_nan());
}
