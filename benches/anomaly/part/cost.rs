//! Cost: processor time of an audit line, decoded, counted, and scored. One thread, the same
//! lines, the three in turn day by day.

use crate::context::{Context, LEARNING, week};
use crate::feed::{Feed, decode, scenario};
use crate::report::{Report, Table};
use leasewatch::anomaly::Settings;
use leasewatch::simulator::{Log, World};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use std::hint::black_box;

const PART: &str = "cost";
/// Days that are timed, after the weeks of learning.
const DAYS: i64 = 7;

pub(crate) fn run(context: &Context, report: &mut Report) {
    let mut world = World::new(&scenario(context.seeds[0], LEARNING + 1));
    let mut plain = Feed::new(Settings::OFF);
    let mut scored = Feed::new(Settings::DEFAULT);
    let mut line = String::new();
    let mut next = None;
    while let Some((at, log)) = world.next_line(&mut line) {
        if at >= week(LEARNING) {
            next = Some((log, std::mem::take(&mut line)));
            break;
        }
        for feed in [&mut plain, &mut scored] {
            feed.line(log, &line, &mut []);
        }
        line.clear();
    }
    let mut days = Vec::new();
    for day in 1..=DAYS {
        let end = week(LEARNING).plus_secs(day * 86_400);
        let mut lines: Vec<(Log, String)> = next.take().into_iter().collect();
        loop {
            line.clear();
            let Some((at, log)) = world.next_line(&mut line) else { break };
            if at >= end {
                next = Some((log, line.clone()));
                break;
            }
            lines.push((log, line.clone()));
        }
        let audit = lines.iter().filter(|(log, _)| *log == Log::Audit).count();
        let decoding = timed(|| {
            for (log, line) in &lines {
                black_box(decode(*log, line.trim_end_matches('\n')));
            }
        });
        let through = |feed: &mut Feed| {
            timed(|| {
                for (log, line) in &lines {
                    feed.line(*log, line, &mut []);
                }
            })
        };
        let (counting, scoring) = (through(&mut plain), through(&mut scored));
        days.push([decoding, counting - decoding, scoring - counting].map(|nanos| nanos / audit as f64));
    }
    let median = |of: usize| {
        let mut values: Vec<f64> = days.iter().map(|day| day[of]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let mut table = Table::new(["an audit line, median of 7 days", "ns", "share of decoding"]);
    let decoding = median(0);
    for (of, name) in ["decoded", "counted", "scored"].into_iter().enumerate() {
        let nanos = median(of);
        table.row([name.to_string(), format!("{nanos:.0}"), format!("{:.2}", nanos / decoding)]);
        report.figure(PART, &format!("{name}_nanoseconds"), json!(nanos));
    }
    table.print("Processor time");
    let scoring = median(2) / 1e3;
    report.at_most("scoring an audit line", scoring, 0.5, " µs", format!("{scoring:.2} µs"));
}

/// Processor time of this thread, in nanoseconds: other work on the machine is not to count.
fn timed(work: impl FnOnce()) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    };
    let began = now();
    work();
    now() - began
}
