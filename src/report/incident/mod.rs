//! An incident: the tables that answer what one asks after it, out of a digest, the course and the
//! numbers. What is told is bounded; what is left out is counted.

mod json;
mod leases;
mod timeline;
mod words;

use super::Report;
use super::figures::Figures;
use crate::digest::{FIXED_PATHS_MOST, Listed, PATHS_MOST};
use crate::report::span;
use words::second;

pub(super) use json::put;
pub(super) use leases::{courses, ended, latency, lifetimes, troubles};
pub(super) use timeline::timeline;

/// Rows of a table.
const ROWS: usize = 12;
/// Events of the timeline.
const EVENTS: usize = 40;

/// What is left out of a table, in words.
fn more<T>(listed: &Listed<T>, told: usize, what: &str) -> Option<String> {
    let left = listed.list.len().saturating_sub(told) as u64 + listed.dropped;
    (left > 0).then(|| format!("and {left} more {what}"))
}

fn figures(title: &'static str, text: usize, headings: &[&str]) -> Figures {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    Figures { title, headings, text, notes: true, rows: Vec::new(), more: None }
}

/// Who got most.
pub(super) fn clients(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let headings = ["client", "first", "addresses", "issued", "failed", "of"];
    let mut table = figures("Who got credentials", 3, &headings);
    for client in told.clients.list.iter().take(ROWS) {
        let first = client.first.map_or_else(|| "–".to_owned(), second);
        table.rows.push(vec![
            words::who(&client.who),
            first,
            words::sources(client),
            client.issued.to_string(),
            client.failed.to_string(),
            words::roles(client),
        ]);
    }
    table.more = more(&told.clients, ROWS, "clients");
    Some(table)
}

/// Who began to, well after the log did.
pub(super) fn started(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let from = report.started_after()?;
    let mut table = figures("Who started to get credentials", 1, &["client", "issued", "since"]);
    let new = told.clients.list.iter().filter(|client| client.first.is_some_and(|first| first >= from));
    let new: Vec<_> = new.collect();
    for client in new.iter().take(ROWS) {
        let since = client.first.map(second).unwrap_or_default();
        table.rows.push(vec![words::who(&client.who), client.issued.to_string(), since]);
    }
    let left = new.len().saturating_sub(ROWS);
    table.more = (left > 0).then(|| format!("and {left} more clients"));
    Some(table)
}

/// Explosions.
pub(super) fn bursts(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let headings =
        ["role", "from", "lasted", "issued", "at most a minute", "usual a minute", "most of them to"];
    let mut table = figures("Lease explosions", 3, &headings);
    for burst in told.bursts.list.iter().take(ROWS) {
        table.rows.push(vec![
            words::place(&burst.place),
            second(burst.from),
            span(burst.until.nanos_since(burst.from)),
            burst.issued.to_string(),
            burst.peak.to_string(),
            words::digits(burst.usual),
            words::cause(burst, &told.clients.list),
        ]);
    }
    table.more = more(&told.bursts, ROWS, "explosions");
    Some(table)
}

/// What failed from when to when.
pub(super) fn spells(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let mut table = figures("What kept failing", 2, &["what", "from", "failures", "until"]);
    let mut all: Vec<_> = told.spells.list.iter().collect();
    all.sort_by_key(|spell| std::cmp::Reverse(spell.failures));
    for spell in all.into_iter().take(ROWS) {
        let until = second(spell.until);
        let until = if spell.is_open { format!("{until}, not over") } else { until };
        table.rows.push(vec![words::spell(spell), second(spell.from), spell.failures.to_string(), until]);
    }
    table.more = more(&told.spells, ROWS, "times");
    Some(table)
}

/// Keys and static roles beside dynamic credentials; nothing where nobody got any of those.
pub(super) fn fixed(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    if !told.clients.list.iter().any(|client| client.issued > 0) {
        return None;
    }
    let headings =
        ["namespace", "mount", "kind", "reads", "paths", "clients", "of them with dynamic ones", "most by"];
    let mut table = figures("Static secrets read", 3, &headings);
    for ((namespace, mount, kind), one) in told.fixed.list.iter().take(ROWS) {
        let most = one.clients.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        table.rows.push(vec![
            words::namespace(namespace),
            mount.to_string(),
            kind.name().to_owned(),
            one.reads.to_string(),
            at_least(one.paths, FIXED_PATHS_MOST),
            one.clients.len().to_string(),
            one.with_dynamic.to_string(),
            most.map(|(who, count)| format!("{} {count}", words::named(who, &told.clients.list)))
                .unwrap_or_default(),
        ]);
    }
    table.more = more(&told.fixed, ROWS, "mounts");
    Some(table)
}

/// Who was refused: what probing looks like.
pub(super) fn refused(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let headings =
        ["address", "since", "denied", "bad token", "not found", "failed logins", "paths", "whose tokens"];
    let mut table = figures("Refused, by address", 2, &headings);
    for (from, one) in told.refused.list.iter().take(ROWS) {
        table.rows.push(vec![
            words::source(*from),
            second(one.first),
            one.denied.to_string(),
            one.invalid_token.to_string(),
            one.not_found.to_string(),
            one.failed_logins.to_string(),
            at_least(one.paths, PATHS_MOST),
            words::few(one.clients.iter().map(|who| words::named(who, &told.clients.list)), 2),
        ]);
    }
    table.more = more(&told.refused, ROWS, "addresses");
    Some(table)
}

/// Privileged operations one by one.
pub(super) fn operations(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let mut table =
        figures("Privileged operations in the order of time", 4, &["at", "operation", "outcome", "on", "by"]);
    for one in told.operations.list.iter().take(2 * ROWS) {
        let object = if one.object.is_empty() { &one.mount } else { &one.object };
        let name = one.operation.name().to_owned();
        table.rows.push(vec![
            second(one.at),
            name,
            one.outcome.to_owned(),
            object.to_string(),
            words::by(one),
        ]);
    }
    table.more = more(&told.operations, 2 * ROWS, "operations");
    Some(table)
}

/// Silences.
pub(super) fn silences(report: &Report) -> Option<Figures> {
    let told = report.digest.as_ref()?;
    let mut table = figures("Silences of the logs", 2, &["from", "until", "what"]);
    for one in told.silences.iter().take(ROWS) {
        let what = words::silence(one, words::log(report, one.source));
        table.rows.push(vec![second(one.from), second(one.until), what]);
    }
    let left = told.silences.len().saturating_sub(ROWS);
    table.more = (left > 0).then(|| format!("and {left} more silences"));
    Some(table)
}

/// The main events, the less important left out where there are many.
pub(super) fn events(report: &Report) -> Option<Figures> {
    report.digest.as_ref()?;
    let mut all: Vec<_> = timeline(report).into_iter().enumerate().collect();
    let left = all.len().saturating_sub(EVENTS);
    all.sort_by_key(|(place, event)| (event.rank, *place));
    all.truncate(EVENTS);
    all.sort_by_key(|(place, _)| *place);
    let mut table = figures("Timeline", 2, &["at", "kind", "what"]);
    for (_, event) in all {
        table.rows.push(vec![second(event.at), event.kind.to_owned(), event.text]);
    }
    table.more = (left > 0).then(|| format!("and {left} events of less weight"));
    Some(table)
}

fn at_least(count: usize, most: usize) -> String {
    if count >= most { format!("{most} or more") } else { count.to_string() }
}
