//! Quiet years: 52 weeks without an attack, after four of learning. Every alarm is a false one.

use super::page_at;
use crate::context::{Context, LEARNING, pool, week};
use crate::crew;
use crate::feed::Watch;
use crate::report::{Report, Table, rate, value};
use serde_json::json;

const PART: &str = "quiet";
const WEEKS: i64 = 52;
/// Worlds; a year of one is as much work as five of the main scenario.
const WORLDS: usize = 4;

pub(crate) fn run(context: &Context, report: &mut Report) {
    let seeds = context.first(WORLDS);
    let run = |seed: &u64| Watch::quiet(*seed, LEARNING + WEEKS).noting(context.details).run();
    let years = crew::each(context.threads, "quiet years", seeds, run);
    let all = pool(&years, week(LEARNING), week(LEARNING + WEEKS));
    let quarters = [0, 13, 26, 39].map(|from| {
        let from = LEARNING + from;
        pool(&years, week(from), week(from + 13))
    });
    let columns =
        ["alarm_budget", "false alarms a week", "times the budget", "1st quarter", "2nd", "3rd", "4th"];
    let mut table = Table::new(columns);
    for budget in [0.25, 0.5, 1.0, 2.0, 7.0] {
        let measured = all.rate(page_at(budget));
        let ratio = measured.value / budget;
        let by_quarter = quarters.each_ref().map(|pool| pool.rate(page_at(budget)).value);
        let cells = [budget.to_string(), rate(measured), format!("{ratio:.2}")];
        table.row(cells.into_iter().chain(by_quarter.iter().map(|rate| format!("{rate:.2}"))));
        report.figure(
            PART,
            &format!("budget_{budget}"),
            json!({"alarms_a_week": value(measured), "ratio": ratio, "by_quarter": by_quarter}),
        );
        // Rarer than the goal asks for.
        if budget >= 0.5 {
            let name = format!("alarms by budget {budget}, quiet years");
            let kept = (0.5..=2.0).contains(&ratio);
            report.goal(&name, "0.5 to 2 times".into(), format!("{ratio:.2} times"), kept);
        }
    }
    table.print(&format!("{WEEKS} quiet weeks, {} worlds", seeds.len()));
    if context.details {
        for year in &years {
            for (alarm, note) in year.alarms.iter().zip(&year.notes) {
                let best = alarm.raises.last().map_or(0.0, |raise| raise.score);
                if alarm.raises[0].at >= week(LEARNING) && best >= page_at(1.0) {
                    println!("  seed {} false {best:.1} at {}: {note}", year.seed, alarm.raises[0].at);
                }
            }
        }
    }
}
