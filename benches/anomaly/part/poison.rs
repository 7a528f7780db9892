//! Poisoning: what an attacker can teach the detector. The same attack on five days, growth by
//! 5 % a day, and attacks while it learns.

use super::{below, page_at};
use crate::context::{Context, LEARNING, SCORED, pool, week};
use crate::crew;
use crate::feed::{Seen, Watch, main_scenario, scenario};
use crate::measure::{Caught, DAY, Truth};
use crate::report::{Report, Table, duration};
use leasewatch::anomaly::{Severity, score};
use leasewatch::simulator::{AttackKind, Plan};
use serde_json::json;

const PART: &str = "poison";
/// How many worlds.
const WORLDS: usize = 8;
/// Kinds that are repeated: those that are over within a day.
const REPEATED: [AttackKind; 5] = [
    AttackKind::Burst,
    AttackKind::Harvest,
    AttackKind::ProbeFast,
    AttackKind::NewSource,
    AttackKind::MixedTheft,
];
const DAYS: usize = 5;
/// Weeks that a ramp is watched for.
const RAMP_WEEKS: i64 = 3;

pub(crate) fn run(context: &Context, report: &mut Report) {
    let seeds = context.first(WORLDS);
    let plain = context.worlds(seeds);
    let plain: Vec<&Seen> = plain.iter().map(|seen| &**seen).collect();

    let run = |seen: &&Seen| {
        let mut world = scenario(seen.seed, LEARNING + RAMP_WEEKS);
        world.plans = repeats(seen);
        Watch::of(world).run()
    };
    let repeated = crew::each(context.threads, "repeated attacks and ramps", &plain, run);
    daily(&repeated, report);
    ramps(&repeated, report);

    let run = |seen: &&Seen| {
        let mut world = main_scenario(seen.seed);
        world.plans = in_first_week(seen);
        Watch::of(world).run()
    };
    let contaminated = crew::each(context.threads, "attacks in week 1", &plain, run);
    contamination(&plain, &contaminated, report);
}

/// Each kind on five days at the same hour, the victim that of an attack of this kind in the main
/// scenario; growth for others. No victim has two.
fn repeats(seen: &Seen) -> Vec<Plan> {
    let mut taken: Vec<&str> = Vec::new();
    let mut victim = |kind: AttackKind| -> Option<&Truth> {
        let fits = |attack: &&Truth| attack.kind == kind.name() && !taken.contains(&attack.subject.as_str());
        let attack = seen.attacks.iter().find(fits)?;
        taken.push(&attack.subject);
        Some(attack)
    };
    let mut plans = Vec::new();
    for kind in REPEATED {
        let Some(attack) = victim(kind) else { continue };
        // The time of day of its own attack: the victim may be somebody who sleeps.
        let nanos = attack.first.nanos_since(week(LEARNING)).rem_euclid(DAY * 1_000_000_000);
        for day in (0..).take(DAYS) {
            let at = week(LEARNING).plus_secs(day * DAY).plus_nanos(nanos);
            plans.push(Plan { kind, at, victim: Some(attack.subject.clone()) });
        }
    }
    for _ in 0..2 {
        if let Some(attack) = victim(AttackKind::SlowDoubling) {
            let at = week(LEARNING).plus_secs(DAY / 2);
            plans.push(Plan { kind: AttackKind::Ramp, at, victim: Some(attack.subject.clone()) });
        }
    }
    plans
}

/// The attacks of the main scenario once more, in the first week, at the same time of the week.
fn in_first_week(seen: &Seen) -> Vec<Plan> {
    let copy = |attack: &Truth| {
        let nanos = attack.first.nanos_since(week(0)).rem_euclid(7 * DAY * 1_000_000_000);
        let kind = AttackKind::ALL.into_iter().find(|kind| kind.name() == attack.kind)?;
        Some(Plan { kind, at: week(0).plus_nanos(nanos), victim: Some(attack.subject.clone()) })
    };
    seen.attacks.iter().filter_map(copy).collect()
}

/// How many of the repeated attacks were found, by day, with the threshold of the default budget.
fn daily(worlds: &[Seen], report: &mut Report) {
    let columns = ["repeated daily, found on day", "1", "2", "3", "4", "5", "victims"];
    let mut table = Table::new(columns);
    let mut sums = [0; DAYS];
    let mut victims = 0;
    for kind in REPEATED {
        let (mut found, mut count) = ([0; DAYS], 0);
        for seen in worlds {
            let mut attacks: Vec<Truth> =
                seen.attacks.iter().filter(|attack| attack.kind == kind.name()).cloned().collect();
            attacks.sort_by_key(|attack| attack.first);
            // A day's window ends where the next day's begins.
            for attack in &mut attacks {
                attack.after = DAY - attack.last.nanos_since(attack.first).div_euclid(1_000_000_000) - 1;
            }
            if attacks.len() != DAYS {
                continue;
            }
            count += 1;
            let caught = Caught::sort(&seen.alarms, &attacks, week(LEARNING), week(LEARNING + RAMP_WEEKS));
            for (day, one) in caught.found.iter().enumerate() {
                found[day] += usize::from(one.best().is_some_and(|best| best >= page_at(1.0)));
            }
        }
        let cells = found.iter().map(ToString::to_string).chain([count.to_string()]);
        table.row(std::iter::once(kind.name().to_string()).chain(cells));
        report.figure(
            PART,
            &format!("daily_{}", kind.name()),
            json!({"victims": count, "found_by_day": found}),
        );
        for (sum, found) in sums.iter_mut().zip(found) {
            *sum += found;
        }
        victims += count;
    }
    let cells = sums.iter().map(ToString::to_string).chain([victims.to_string()]);
    table.row(std::iter::once("all".to_string()).chain(cells));
    table.print("The same attack on five days in a row; pages at the default budget");
    let (first, last) = (sums[0], sums[DAYS - 1]);
    let shown = format!("{last} of {victims}; {first} on the first");
    report.goal("repeated daily, found on day 5", "as on day 1".into(), shown, last >= first && victims > 0);
}

/// When growth by 5 % a day was found.
fn ramps(worlds: &[Seen], report: &mut Report) {
    let mut table = Table::new(["+5 % a day", "victims", "found within 10 d", "median", "slowest"]);
    for (name, severity) in [("page", Severity::Page), ("notice", Severity::Notice)] {
        let threshold = score::threshold(severity, 1.0);
        let (mut delays, mut count) = (Vec::new(), 0);
        for seen in worlds {
            let ramps: Vec<Truth> =
                seen.attacks.iter().filter(|attack| attack.kind == "ramp").cloned().collect();
            let caught = Caught::sort(&seen.alarms, &ramps, week(LEARNING), week(LEARNING + RAMP_WEEKS));
            count += ramps.len();
            delays.extend(caught.found.iter().filter_map(|found| found.delay(below(threshold))));
        }
        delays.sort_by(f64::total_cmp);
        let soon = delays.iter().filter(|secs| **secs <= 10.0 * DAY as f64).count();
        let median = crate::measure::quantile(&delays, 0.5);
        let slowest = crate::measure::quantile(&delays, 1.0);
        table.row([
            format!("as a {name}"),
            count.to_string(),
            soon.to_string(),
            duration(median),
            duration(slowest),
        ]);
        report.figure(
            PART,
            &format!("ramp_{name}"),
            json!({"victims": count, "within_10_days": soon, "median_seconds": median}),
        );
        if severity == Severity::Page {
            let kept = soon == count && count > 0;
            report.goal("+5 % a day, found within 10 days", "all".into(), format!("{soon} of {count}"), kept);
        }
    }
    table.print("Growth by 5 % a day");
}

/// What attacks in the first week of learning cost.
fn contamination(plain: &[&Seen], contaminated: &[Seen], report: &mut Report) {
    let (from, to) = (week(LEARNING), week(LEARNING + SCORED));
    let plain = pool(plain.iter().copied(), from, to);
    let contaminated = pool(contaminated, from, to);
    let mut table = Table::new(["recall at 1 a week", "untouched", "each attack in week 1 too", "points"]);
    for kind in std::iter::once(None).chain(AttackKind::ALL.map(|kind| Some(kind.name()))) {
        let [before, after] = [&plain, &contaminated].map(|pool| pool.recall(1.0, kind).value);
        let lost = 100.0 * (before - after);
        let name = kind.unwrap_or("all");
        table.row([name.to_string(), format!("{before:.3}"), format!("{after:.3}"), format!("{lost:+.1}")]);
        report.figure(PART, &format!("week_1_{name}"), json!({"before": before, "after": after}));
        if kind.is_none() {
            report.at_most("points lost to attacks in week 1", lost, 10.0, "", format!("{lost:.1}"));
        }
    }
    table.print("Attacks in the first week of learning");
}
