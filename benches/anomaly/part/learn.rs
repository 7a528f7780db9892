//! Learning: what is found in the first two scored weeks by a detector that has been shown the
//! log for two, seven or 28 days before them.

use crate::context::{Context, LEARNING, pool, week};
use crate::crew;
use crate::feed::{Seen, Watch};
use crate::measure::DAY;
use crate::report::{Report, Table, share, value};
use serde_json::json;

const PART: &str = "learn";
/// Weeks scored: in more of them, learning would go on and hide the beginning.
const WEEKS: i64 = 2;

pub(crate) fn run(context: &Context, report: &mut Report) {
    let (from, to) = (week(LEARNING), week(LEARNING + WEEKS));
    let after = |days: i64| {
        let run = |seed: &u64| Watch::attacked(*seed).between(from.plus_secs(-days * DAY), to).run();
        crew::each(context.threads, &format!("{days} days of learning"), &context.seeds, run)
    };
    let (two, seven) = (after(2), after(7));
    let long = context.worlds(&context.seeds);
    let pools = [
        (2, pool(&two, from, to)),
        (7, pool(&seven, from, to)),
        (28, pool(long.iter().map(|seen| -> &Seen { seen }), from, to)),
    ];
    let mut table = Table::new(["days of learning", "attacks", "recall at 1 a week", "at 7"]);
    for (days, pool) in &pools {
        let [one, seven] = [1.0, 7.0].map(|rate| pool.recall(rate, None));
        table.row([days.to_string(), pool.hits(0.0, None).1.to_string(), share(one), share(seven)]);
        let figures = json!({"recall_1": value(one), "recall_7": value(seven)});
        report.figure(PART, &format!("days_{days}"), figures);
    }
    table.print("The first two scored weeks");
    let [_, seven, long] = pools.map(|(_, pool)| pool.recall(1.0, None).value);
    let ratio = seven / long;
    report.figure(PART, "seven_days_to_28", json!(ratio));
    report.at_least("recall after 7 days, relative to 28", ratio, 0.9, format!("{ratio:.2}"));
}
