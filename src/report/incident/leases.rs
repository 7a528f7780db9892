//! Leases by role: their peak and course, how long they were used of what was granted, how they
//! ended, and what of their revocation fails.

use super::{ROWS, figures, second, words};
use crate::contract::{credentials, leases};
use crate::report::Report;
use crate::report::figures::{Figures, counts, pivot};
use crate::snapshot::{Metric, Value};
use std::collections::BTreeMap;

const KEY: [&str; 3] = ["vault_namespace", "mount", "role"];
/// Letters of a course.
const LETTERS: usize = 16;
/// From so many ended leases on, it is said that their TTL is too long.
const ENDED_LEAST: u64 = 10;
/// A TTL is too long of which half of the leases use no more than this part.
const LITTLE: f64 = 0.2;

/// The peak of a role's leases.
pub(super) struct Peak {
    pub(super) leases: f64,
    pub(super) at: crate::event::Timestamp,
    line: Vec<f64>,
}

/// The peak of every role that ever had a lease.
pub(super) fn peaks(report: &Report) -> BTreeMap<Vec<String>, Peak> {
    let Some(course) = &report.course else { return BTreeMap::new() };
    let lines = course.levels(&leases::LEASES, usize::MAX);
    let peak = |line: crate::report::course::Line| {
        let (step, leases) = line
            .values
            .iter()
            .copied()
            .enumerate()
            .fold((0, 0.0), |most, (step, value)| if value > most.1 { (step, value) } else { most });
        let end = course.from.plus_secs(course.step * i64::try_from(step + 1).unwrap_or(0));
        let key = line.labels.iter().map(ToString::to_string).collect();
        (key, Peak { leases, at: end.min(report.snapshot.as_of), line: line.values })
    };
    lines.into_iter().map(peak).collect()
}

/// A gauge by role, with another label.
fn gauges(
    report: &Report,
    metric: &'static Metric,
    last: &str,
) -> BTreeMap<Vec<String>, BTreeMap<String, f64>> {
    let family = report.snapshot.families.iter().find(|family| family.metric == metric);
    let place = |label: &str| metric.labels.iter().position(|name| *name == label);
    let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for series in family.into_iter().flat_map(|family| &family.series) {
        let of = |label: &str| place(label).map(|place| series.labels[place].to_string()).unwrap_or_default();
        let Some(value) = series.value.number().filter(|value| *value > 0.0) else { continue };
        *all.entry(KEY.map(of).to_vec()).or_default().entry(of(last)).or_default() += value;
    }
    all
}

/// What a role grants, in seconds, and how that is known.
pub(super) fn granted(report: &Report) -> BTreeMap<Vec<String>, (String, f64)> {
    let all = gauges(report, &leases::ROLE_DEFAULT_TTL, "source");
    all.into_iter().filter_map(|(key, values)| Some((key, values.into_iter().next()?))).collect()
}

/// One row a role: peak, use, course.
pub(in crate::report) fn lifetimes(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let (peaks, granted) = (peaks(report), granted(report));
    let mut lives: BTreeMap<Vec<String>, _> = BTreeMap::new();
    for (place, life) in &told.lifetimes.list {
        lives.insert(
            vec![words::namespace(&place.namespace), place.mount.to_string(), place.role.to_string()],
            life,
        );
    }
    let headings = [
        "namespace",
        "mount",
        "role",
        "most leases",
        "at",
        "ended",
        "half after",
        "90 % after",
        "granted",
        "never renewed",
        "note",
    ];
    let mut table = figures("Lifetimes of leases by role", 3, &headings);
    let mut keys: Vec<_> = peaks.keys().chain(lives.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let (peak, life) = (peaks.get(key), lives.get(key));
        let dash = || "–".to_owned();
        let span = |part| life.and_then(|life| life.quantile(part)).map_or_else(dash, words::secs);
        let ttl = granted.get(key).map(|(_, secs)| *secs);
        let mut row = key.clone();
        row.extend([
            peak.map_or_else(dash, |peak| format!("{:.0}", peak.leases)),
            peak.map_or_else(dash, |peak| second(peak.at)),
            life.map_or(0, |life| life.ended).to_string(),
            span(0.5),
            span(0.9),
            ttl.map_or_else(dash, words::secs),
            life.map_or(0, |life| life.never_renewed).to_string(),
        ]);
        let half = life.filter(|life| life.ended >= ENDED_LEAST).and_then(|life| life.quantile(0.5));
        let is_too_long = half.zip(ttl).is_some_and(|(half, ttl)| half <= LITTLE * ttl);
        row.push(if is_too_long { "TTL too long".to_owned() } else { String::new() });
        table.rows.push(row);
    }
    let mut notes = Vec::new();
    if !told.has_ends && !table.rows.is_empty() {
        notes.push(
            "without a server log only leases that were revoked by name are known to have ended".to_owned(),
        );
    }
    if told.lifetimes.dropped > 0 {
        notes.push(format!("{} leases could not be followed for lack of room", told.lifetimes.dropped));
    }
    table.more = (!notes.is_empty()).then(|| notes.join("; "));
    Some(table)
}

/// The course of each role's leases, in letters.
pub(in crate::report) fn courses(report: &Report) -> Option<Figures> {
    let course = report.course.as_ref()?;
    let mut table = figures("Course by role", 3, &["namespace", "mount", "role", "leases", "issued"]);
    table.text = 5;
    let issued: BTreeMap<Vec<String>, _> = course
        .rises(&credentials::ISSUED, usize::MAX)
        .into_iter()
        .map(|line| (line.labels.iter().map(ToString::to_string).collect(), line.values))
        .collect();
    let peaks = peaks(report);
    let mut keys: Vec<_> = peaks.keys().chain(issued.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let all = keys.len();
    for key in keys.into_iter().take(4 * ROWS) {
        let mut row = key.clone();
        row.push(peaks.get(key).map(|peak| letters(&peak.line)).unwrap_or_default());
        row.push(issued.get(key).map(|line| letters(line)).unwrap_or_default());
        table.rows.push(row);
    }
    let left = all.saturating_sub(4 * ROWS);
    table.more = (left > 0).then(|| format!("and {left} more roles"));
    Some(table)
}

/// A line in letters, the highest of each few steps; each line has its own scale.
fn letters(line: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = line.iter().copied().fold(0.0, f64::max);
    let count = line.len().min(LETTERS);
    let of = |letter: usize| {
        let (from, to) = (letter * line.len() / count, (letter + 1) * line.len() / count);
        line[from..to].iter().copied().fold(0.0, f64::max)
    };
    let bar = |value: f64| {
        if value <= 0.0 {
            return '·';
        }
        let place = (1..BARS.len()).filter(|step| value >= most * *step as f64 / BARS.len() as f64).count();
        BARS[place.min(BARS.len() - 1)]
    };
    (0..count).map(|letter| bar(of(letter))).collect()
}

/// How leases ended.
pub(in crate::report) fn ended(report: &Report) -> Figures {
    pivot(report, "Leases ended, by cause", &leases::REVOCATIONS, &KEY, "cause")
}

/// What could not be revoked, and why.
pub(in crate::report) fn troubles(report: &Report) -> Option<Figures> {
    report.digest.as_ref()?;
    let retrying = gauges(report, &leases::RETRYING, "");
    let stuck = gauges(report, &leases::STUCK, "");
    let mut failed: BTreeMap<Vec<String>, BTreeMap<String, u64>> = BTreeMap::new();
    for (key, reason, count) in counts(report, &credentials::REVOCATION_FAILURES, &KEY, "reason") {
        *failed.entry(key).or_default().entry(reason).or_default() += count;
    }
    let mut keys: Vec<_> = retrying.keys().chain(stuck.keys()).chain(failed.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let headings = ["namespace", "mount", "role", "retrying", "stuck", "failed attempts", "by cause"];
    let mut table = figures("Revocations that fail", 3, &headings);
    for key in keys {
        let sum = |all: &BTreeMap<Vec<String>, BTreeMap<String, f64>>| {
            all.get(key).map_or(0.0, |values| values.values().sum::<f64>())
        };
        let attempts = failed.get(key);
        let mut row = key.clone();
        row.extend([format!("{:.0}", sum(&retrying)), format!("{:.0}", sum(&stuck))]);
        row.push(attempts.map_or(0, |reasons| reasons.values().sum::<u64>()).to_string());
        let named = attempts.into_iter().flatten().map(|(why, count)| format!("{why} {count}"));
        row.push(named.collect::<Vec<_>>().join(", "));
        table.rows.push(row);
    }
    Some(table)
}

/// Time to issue by mount, by the bounds of the buckets.
pub(in crate::report) fn latency(report: &Report) -> Figures {
    let metric = &credentials::ISSUE_DURATION;
    let mut table = figures(
        "Time to issue",
        2,
        &["namespace", "mount", "requests", "mean", "half within", "99 % within"],
    );
    table.notes = false;
    let family = report.snapshot.families.iter().find(|family| family.metric == metric);
    let place = |label: &str| metric.labels.iter().position(|name| *name == label);
    for series in family.into_iter().flat_map(|family| &family.series) {
        let Value::Histogram(histogram) = &series.value else { continue };
        let count: u64 = histogram.counts.iter().sum();
        if count == 0 {
            continue;
        }
        let within = |part: f64| {
            let mut left = (count as f64 * part).ceil();
            for (place, in_bucket) in histogram.counts.iter().enumerate() {
                left -= *in_bucket as f64;
                if left <= 0.0 {
                    return histogram.bounds.get(place).map(|bound| format!("{bound} s"));
                }
            }
            None
        };
        let over = || histogram.bounds.last().map(|last| format!("over {last} s")).unwrap_or_default();
        let of = |label: &str| place(label).map(|place| series.labels[place].to_string()).unwrap_or_default();
        table.rows.push(vec![
            of("vault_namespace"),
            of("mount"),
            count.to_string(),
            format!("{:.3} s", histogram.sum / count as f64),
            within(0.5).unwrap_or_else(over),
            within(0.99).unwrap_or_else(over),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_in_letters_keeps_its_peaks() {
        assert_eq!(letters(&[0.0, 1.0, 4.0, 8.0]), "·▂▅█");
        let mut long = vec![1.0; 400];
        long[210] = 100.0;
        let told = letters(&long);
        assert_eq!((told.chars().count(), told.chars().position(|letter| letter == '█')), (LETTERS, Some(8)));
        assert_eq!(letters(&[]), "");
    }
}
