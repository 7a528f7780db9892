//! Recall: what is found at which price, by kind, how soon, and what the baselines find.

use super::{RATES, below, page_at};
use crate::context::{Context, LEARNING, SCORED, pool, week};
use crate::feed::Seen;
use crate::measure::{Caught, Pool, quantile};
use crate::report::{Report, Table, duration, rate, share, value};
use leasewatch::simulator::AttackKind;
use serde_json::json;
use std::sync::Arc;

const PART: &str = "recall";

pub(crate) fn run(context: &Context, report: &mut Report) {
    let worlds = context.worlds(&context.seeds);
    let own = pool(worlds.iter().map(|seen| &**seen), week(LEARNING), week(LEARNING + SCORED));
    let attacks = own.hits(0.0, None).1;
    let lines: u64 = worlds.iter().map(|seen| seen.audit_lines).sum();
    println!("\n{} worlds, {attacks} attacks, {lines} audit lines", worlds.len());

    detectors(&worlds, &own, report);
    kinds(&own, report);
    budgets(&worlds, &own, report);
    if context.details {
        details(&worlds, own.cut(1.0));
    }
}

/// Recall of the detector and of the baselines, and the price of 80 and 90 %.
fn detectors(worlds: &[Arc<Seen>], own: &Pool, report: &mut Report) {
    let mut table = Table::new(["alarms a week:", "0.5", "1", "2", "7", "for 80 %", "for 90 %"]);
    let mut pools = vec![("leasewatch", own.clone())];
    for (at, (name, _)) in worlds[0].baselines.iter().enumerate() {
        let mut pool = Pool::default();
        for seen in worlds {
            let (from, to) = (week(LEARNING), week(LEARNING + SCORED));
            let caught = Caught::sort(&seen.baselines[at].1, &seen.attacks, from, to);
            pool.add(&seen.attacks, caught, SCORED as f64);
        }
        pools.push((name, pool));
    }
    for (name, pool) in &pools {
        let recalls = RATES.map(|rate| pool.recall(rate, None));
        let prices = [0.8, 0.9].map(|recall| pool.price(recall));
        let cells =
            recalls.iter().map(|figure| share(*figure)).chain(prices.iter().map(|price| rate(*price)));
        table.row(std::iter::once((*name).to_string()).chain(cells));
        let figures = json!({
            "recall": RATES.iter().zip(recalls).map(|(rate, figure)| (rate.to_string(), value(figure))).collect::<serde_json::Map<_, _>>(),
            "alarms_a_week_at_80": value(prices[0]),
            "alarms_a_week_at_90": value(prices[1]),
        });
        report.figure(PART, name, figures);
    }
    table.print("Recall at so many false alarms a week, and false alarms a week at a recall");
    let at = |rate| own.recall(rate, None);
    report.at_least("recall at 1 alarm a week", at(1.0).value, 0.85, share(at(1.0)));
    report.at_least("recall at 7 alarms a week", at(7.0).value, 0.92, share(at(7.0)));
    for (recall, most) in [(0.8, 1.0), (0.9, 7.0)] {
        let price = own.price(recall);
        let name = format!("false alarms a week at {:.0} % recall", recall * 100.0);
        report.at_most(&name, price.value, most, "", rate(price));
    }
}

/// By kind of attack, with the delays at one alarm a week.
fn kinds(own: &Pool, report: &mut Report) {
    let cut = own.cut(1.0);
    let mut table = Table::new(["at alarms a week:", "attacks", "0.5", "1", "2", "7", "median", "p95"]);
    for kind in AttackKind::ALL.map(AttackKind::name) {
        let of = Some(kind);
        let recalls = RATES.map(|rate| own.recall(rate, of));
        let delays = own.delays(cut, of);
        let (median, p95) = (quantile(&delays, 0.5), quantile(&delays, 0.95));
        let mut cells = vec![kind.to_string(), own.hits(cut, of).1.to_string()];
        cells.extend(recalls.iter().map(|figure| share(*figure)));
        cells.extend([duration(median), duration(p95)]);
        table.row(cells);
        let recalls = RATES.iter().zip(recalls).map(|(rate, figure)| (rate.to_string(), value(figure)));
        report.figure(
            PART,
            &format!("kind_{kind}"),
            json!({
                "recall": recalls.collect::<serde_json::Map<_, _>>(),
                "delay_seconds": {"median": median, "p95": p95},
            }),
        );
        let at_one = own.recall(1.0, of);
        let goal = match kind {
            "burst" | "harvest" | "probe_fast" | "probe_slow" => Some(0.99),
            "new_source" => Some(0.90),
            "mixed_theft" => Some(0.92),
            "slow_doubling" => Some(0.75),
            _ => None,
        };
        if let Some(goal) = goal {
            report.at_least(&format!("{kind} at 1 a week"), at_one.value, goal, share(at_one));
        }
        match kind {
            "burst" => {
                report.at_most("burst, median delay", median, 45.0, " s", duration(median));
                report.at_most("burst, p95 delay", p95, 180.0, " s", duration(p95));
            }
            "probe_fast" => report.at_most("probe_fast, median delay", median, 480.0, " s", duration(median)),
            _ => {}
        }
    }
    table.print("By kind; delay from the first event of the attack to the alarm, at 1 a week");
}

/// What the fixed thresholds of the budgets give.
fn budgets(worlds: &[Arc<Seen>], own: &Pool, report: &mut Report) {
    let mut table =
        Table::new(["alarm_budget", "pages from", "false alarms a week", "times the budget", "recall"]);
    for budget in RATES {
        let (threshold, measured) = (page_at(budget), own.rate(page_at(budget)));
        let ratio = measured.value / budget;
        let (hits, all) = own.hits(below(threshold), None);
        table.row([
            budget.to_string(),
            format!("{threshold:.1}"),
            rate(measured),
            format!("{ratio:.2}"),
            format!("{:.3}", hits as f64 / all as f64),
        ]);
        report.figure(
            PART,
            &format!("budget_{budget}"),
            json!({"threshold": threshold, "alarms_a_week": value(measured), "ratio": ratio, "recall": hits as f64 / all as f64}),
        );
        let name = format!("alarms by budget {budget}, beside attacks");
        report.goal(
            &name,
            "0.5 to 2 times".into(),
            format!("{ratio:.2} times"),
            (0.5..=2.0).contains(&ratio),
        );
    }
    table.print("With the threshold that the setting gives");
    let weeks = SCORED as f64 * worlds.len() as f64;
    let a_week = |of: &dyn Fn(&Seen) -> &[leasewatch::event::Timestamp]| {
        let scored = |seen: &Seen| of(seen).iter().filter(|at| **at >= week(LEARNING)).count();
        worlds.iter().map(|seen| scored(seen)).sum::<usize>() as f64 / weeks
    };
    let (unpaged, ruled) = (a_week(&|seen| &seen.unpaged), a_week(&|seen| &seen.ruled));
    println!(
        "  Beside these, a week: {unpaged:.2} episodes that never page (operational, silence), {ruled:.2} pages by rule"
    );
    report.figure(PART, "never_paging_episodes_a_week", json!(unpaged));
    report.figure(PART, "rule_pages_a_week", json!(ruled));
}

/// What was missed, and what the false alarms are, at one alarm a week.
fn details(worlds: &[Arc<Seen>], cut: f64) {
    println!("\nDetails at a score above {cut:.1}");
    for seen in worlds {
        let caught = Caught::sort(&seen.alarms, &seen.attacks, week(LEARNING), week(LEARNING + SCORED));
        for (attack, found) in seen.attacks.iter().zip(&caught.found) {
            let best = found.best().unwrap_or(0.0);
            if best <= cut {
                let (seed, kind, first, who) = (seen.seed, attack.kind, attack.first, &attack.subject);
                println!("  seed {seed} missed {kind} of {who} at {first}: best score {best:.1}");
                for note in attack_notes(seen, attack) {
                    println!("      {note}");
                }
            }
        }
        for (number, alarm) in seen.alarms.iter().enumerate() {
            let alone = Caught::sort(
                std::slice::from_ref(alarm),
                &seen.attacks,
                week(LEARNING),
                week(LEARNING + SCORED),
            );
            if let Some((at, score)) = alone.false_alarms.first()
                && *score > cut
            {
                let note = seen.notes.get(number).map_or("", String::as_str);
                println!("  seed {} false {score:.1} at {at}: {note}", seen.seed);
            }
        }
    }
}

/// The alarms about the subject of an attack, from its first event until its window ends.
fn attack_notes<'s>(seen: &'s Seen, attack: &'s crate::measure::Truth) -> impl Iterator<Item = &'s String> {
    let end = attack.last.plus_secs(attack.after);
    let about = move |alarm: &crate::measure::Alarm| {
        alarm.subject == attack.subject
            && alarm.raises.iter().any(|raise| attack.first <= raise.at && raise.at <= end)
    };
    seen.alarms.iter().zip(&seen.notes).filter(move |(alarm, _)| about(alarm)).map(|(_, note)| note)
}
