//! When a database cannot be reached: credentials cannot be made then, nor revoked.

use super::super::calendar::{DAY, MINUTE};
use super::super::rng::Rng;

/// The outages of every database, made as time goes on.
#[derive(Debug)]
pub(in super::super) struct Outages(Vec<Database>);

#[derive(Debug)]
struct Database {
    rng: Rng,
    /// The last ones and the next, by begin and end.
    spans: [(i64, i64); 4],
}

/// Days between two outages of one database, on average.
const APART: i64 = 70;

impl Outages {
    pub(super) fn new(seed: u64, databases: usize, from: i64) -> Self {
        let database = |number| {
            let mut rng = Rng::named(seed, &format!("outages of database {number}"));
            let mut spans = [(i64::MIN, i64::MIN); 4];
            spans[3] = next(&mut rng, from);
            Database { rng, spans }
        };
        Self((0..databases).map(database).collect())
    }

    /// Whether a database cannot be reached at this moment; asked about times in about their order.
    pub(in super::super) fn is_down(&mut self, database: Option<usize>, at: i64) -> bool {
        let Some(database) = database.and_then(|number| self.0.get_mut(number)) else { return false };
        while at >= database.spans[3].1 {
            let last = database.spans[3].1;
            database.spans.rotate_left(1);
            database.spans[3] = next(&mut database.rng, last);
        }
        database.spans.iter().any(|(begins, ends)| (*begins..*ends).contains(&at))
    }
}

/// Minutes as a rule; sometimes a restart of seconds, sometimes an hour.
fn next(rng: &mut Rng, after: i64) -> (i64, i64) {
    let begins = after + rng.gap(APART * DAY);
    (begins, begins + (rng.around(5.0 * MINUTE as f64, 1.3) as i64).min(90 * MINUTE))
}
