//! A timeline: the main events of a report in the order of time, out of everything else that it tells.

use super::words;
use crate::anomaly::Severity;
use crate::digest::{Burst, Milestone, Told};
use crate::event::{Privileged, PrivilegedUse, Timestamp};
use crate::report::Report;

/// Operations of one client within this are one event. Nanoseconds.
const TOGETHER: i64 = 60_000_000_000;

/// An event of the timeline.
pub(in crate::report) struct Event {
    pub(in crate::report) at: Timestamp,
    /// Its kind, in JSON.
    pub(in crate::report) kind: &'static str,
    /// The lower, the sooner it is told where there is little room.
    pub(in crate::report) rank: u8,
    pub(in crate::report) text: String,
}

/// All of them.
pub(in crate::report) fn timeline(report: &Report) -> Vec<Event> {
    let Some(told) = &report.digest else { return Vec::new() };
    let log = |place| words::log(report, place);
    let mut all = Vec::new();
    let mut put = |at, kind, rank, text| all.push(Event { at, kind, rank, text });
    for (at, source, what) in &told.milestones.list {
        let rank = u8::from(matches!(what, Milestone::Restored));
        put(*at, "node", rank, words::milestone(*what, log(*source)));
    }
    for one in &told.silences {
        put(one.from, "silence", 0, words::silence(one, log(one.source)));
    }
    for burst in &told.bursts.list {
        put(burst.from, "burst", 0, words::burst(burst, &told.clients.list));
        put(burst.until, "burst_over", 1, over(burst));
    }
    for spell in &told.spells.list {
        let words = words::spell(spell);
        put(spell.from, "failing", 0, words.clone());
        if !spell.is_open {
            put(spell.until, "failing_over", 1, format!("{words}: the last of {}", spell.failures));
        }
    }
    for episode in &report.episodes {
        let rank = u8::from(episode.severity != Severity::Page);
        let text = format!("{} {:.0}: {}", episode.severity.name(), episode.score, episode.summary);
        put(episode.opened_at, "episode", rank, text);
    }
    operations(told, &mut all);
    all.sort_by(|a, b| (a.at, a.rank, a.kind, &a.text).cmp(&(b.at, b.rank, b.kind, &b.text)));
    all
}

fn over(burst: &Burst) -> String {
    format!("the burst of {} is over", words::place(&burst.place))
}

/// Operations, those together that one client made of one kind in one go.
fn operations(told: &Told, all: &mut Vec<Event>) {
    let mut told =
        told.operations.list.iter().filter(|one| one.operation != Privileged::RootToken).peekable();
    while let Some(first) = told.next() {
        let mut more = 0;
        let is_same = |one: &&PrivilegedUse| {
            let of = |one: &PrivilegedUse| (one.operation, one.outcome, one.source, one.who.clone());
            of(one) == of(first) && one.at.nanos_since(first.at) < TOGETHER
        };
        while told.next_if(is_same).is_some() {
            more += 1;
        }
        let more = if more == 0 { String::new() } else { format!(" and {more} more of them") };
        all.push(Event {
            at: first.at,
            kind: "privileged",
            rank: rank(first.operation),
            text: format!("{}{more}, by {}", words::operation(first), words::by(first)),
        });
    }
}

fn rank(what: Privileged) -> u8 {
    match what {
        Privileged::Seal
        | Privileged::AuditChange
        | Privileged::GenerateRoot
        | Privileged::RevokeForce
        | Privileged::RawAccess => 0,
        Privileged::RevokePrefix
        | Privileged::RotateRoot
        | Privileged::RaftSnapshot
        | Privileged::NamespaceChange => 1,
        _ => 2,
    }
}
