//! Words: an episode as somebody on call reads it aloud at three in the morning. Names of clients are
//! in them.

mod component;
mod number;

pub(super) use component::{component, rarity};

use super::record::Record;
use crate::anomaly::{Class, Component, Evidence, SubjectKind};
use component::{action, is_burst, is_count, manner};
use number::{count, hours, name, number};
use std::fmt::Write;

/// What is weaker (`-log10 p`) is not worth a word beside the strongest.
const WORTH_A_WORD: f64 = 1.0;
/// Things done that a summary names.
const ACTIONS: usize = 2;
/// Days within which the most that a subject had is remembered.
const REMEMBERED_DAYS: f64 = 35.0;

/// All of it in a few sentences.
pub(super) fn summary(record: &Record) -> String {
    let all: Vec<&Evidence> = record.components().map(|held| &held.evidence).collect();
    let mut text = match record.subject.kind {
        SubjectKind::Mount | SubjectKind::Cluster => of_mount(record, &all),
        SubjectKind::Entity | SubjectKind::Token => of_client(record, &all),
    };
    if !record.is_learnt {
        text += " It is not known well yet.";
    }
    if record.class == Class::Operational {
        text += " Something may be broken; nothing says that it is anybody's doing.";
    }
    text.push(' ');
    text + &recurrence(record)
}

/// How rarely it comes, as a sentence.
pub(super) fn recurrence(record: &Record) -> String {
    if record.by_rule {
        return "This is reported whatever the past.".to_owned();
    }
    let days = record.recurrence_days;
    if record.is_beyond {
        let past = record.history_days;
        let past =
            if past < 1.0 { hours((past * 24.0).max(1.0)) } else { count(past.floor(), "day", "days") };
        return format!("An hour like this is rarer than anything seen in {past} of learning.");
    }
    let often = match days {
        ..0.9 => format!("about {} a day", count((1.0 / days.max(0.01)).round().max(1.0), "time", "times")),
        ..1.5 => "about once a day".to_owned(),
        ..14.0 => format!("about once in {} days", number(days.round())),
        _ => format!("about once in {} weeks", number((days / 7.0).round())),
    };
    format!("An hour like this comes {often}.")
}

fn of_client(record: &Record, all: &[&Evidence]) -> String {
    let who = client(record);
    let what = what(record);
    let worth: Vec<&Evidence> = all
        .iter()
        .enumerate()
        .filter(|(place, evidence)| *place == 0 || evidence.strength >= WORTH_A_WORD)
        .map(|(_, evidence)| *evidence)
        .collect();
    let has = |component| worth.iter().any(|evidence| evidence.component == component);
    let mut actions: Vec<(&Evidence, String)> = Vec::new();
    for evidence in &worth {
        let is_said =
            |(said, _): &(&Evidence, String)| is_burst(said.component) && is_burst(evidence.component);
        let is_part = evidence.component == Component::Denials && has(Component::UnknownPaths);
        if actions.len() < ACTIONS
            && !is_part
            && !actions.iter().any(is_said)
            && let Some(done) = action(evidence, &what)
        {
            actions.push((evidence, done));
        }
    }
    // Where it came from before when it was.
    let mut ways: Vec<&Evidence> =
        worth.iter().copied().filter(|evidence| !manner(evidence).is_empty()).collect();
    ways.sort_by_key(|evidence| evidence.component);
    let manners: String = ways.iter().map(|evidence| manner(evidence)).collect();
    let is_new = has(Component::NewSubject);
    let mut text = match actions.as_slice() {
        [] if manners.is_empty() => return format!("{who} was never seen before."),
        [] => format!("{who} was at work{manners}"),
        // What has gone on for days has no one place and hour.
        [(first, one)] if first.component == Component::Slow && !manners.is_empty() => {
            format!("{who} {one}, and was at work{manners}")
        }
        [(_, one)] => format!("{who} {one}{manners}"),
        [(first, one), (_, other), ..] if first.component == Component::Slow => {
            format!("{who} {one}, and {other}{manners}")
        }
        [(_, one), (_, other), ..] => {
            let is_taking = one.starts_with("took ") && manners.is_empty();
            let other = if is_taking { other.trim_start_matches("took ") } else { other };
            format!("{who} {one}{manners} and {other}")
        }
    };
    if let Some((first, _)) = actions.first() {
        text += &usual(record, first);
    }
    text.push('.');
    if is_new {
        text += " It was never seen before.";
    }
    let network = ways.iter().find(|way| way.component == Component::NewSource && !way.detail.is_empty());
    if let Some(network) = network {
        let _ = write!(text, " The network is {}.", number::network(&network.detail));
    }
    text
}

/// What nobody in particular did.
fn of_mount(record: &Record, all: &[&Evidence]) -> String {
    let Some(first) = all.first() else { return String::new() };
    let (namespace, mount) = (&record.subject.namespace, name(&record.subject.mount));
    let place = match (record.subject.kind, namespace.is_empty()) {
        (SubjectKind::Cluster, _) => "all of the cluster".to_owned(),
        (_, true) => mount,
        (_, false) => format!("{mount} of the namespace {}", name(namespace)),
    };
    let seen = first.observed;
    let detail = if first.detail.is_empty() { String::new() } else { format!(", {}", name(&first.detail)) };
    let mut text = match first.component {
        Component::FailedLogins => {
            format!("At {place}, {} within an hour{detail}", count(seen, "login failed", "logins failed"))
        }
        Component::UnknownTokens => format!(
            "At {place}, {} within an hour with a token that Vault does not know{detail}",
            count(seen, "request came", "requests came")
        ),
        Component::Operational => format!(
            "At {place}, issuing or revoking credentials failed {} within an hour",
            count(seen, "time", "times")
        ),
        Component::Silence => format!("At {place}, nothing has happened for {}", hours(seen)),
        _ => format!("At {place}: {}", component(first)),
    };
    if is_count(first.component) || first.component == Component::Silence {
        text += &usual(record, first);
    }
    text.push('.');
    let is_refused = matches!(first.component, Component::FailedLogins | Component::UnknownTokens);
    if is_refused && record.class == Class::Operational {
        text += " Look for a client there whose token or secret has expired.";
    }
    text
}

/// What is usual beside it: `; in 28 days its most was 6`.
fn usual(record: &Record, evidence: &Evidence) -> String {
    if evidence.component == Component::Silence {
        return format!("; longer than {} was hardly ever seen", hours(evidence.upper));
    }
    if !is_count(evidence.component) {
        return match evidence.last_seen {
            Some(last) => format!("; the last time was on {}", last.day()),
            None => String::new(),
        };
    }
    match evidence.own_max {
        Some((most, _)) if evidence.observed > most => {
            let past = record.history_days.clamp(0.0, REMEMBERED_DAYS);
            let past =
                if past < 2.0 { hours((past * 24.0).max(1.0)) } else { count(past.floor(), "day", "days") };
            format!("; in {past} its most was {}", number(most))
        }
        _ => format!("; usual is {}", number(evidence.expected)),
    }
}

/// Who it is, at the beginning of a sentence.
fn client(record: &Record) -> String {
    let subject = &record.subject;
    let method = subject.mount.trim_start_matches("auth/").trim_end_matches('/');
    let display = subject.display_name.as_str();
    // Vault puts the path of the mount in front of what the method calls somebody, if it calls him anything.
    let own =
        display.find(method).map_or(display, |at| &display[at + method.len()..]).trim_start_matches('-');
    let who = if !own.is_empty() && !subject.role.is_empty() && !own.contains(subject.role.as_str()) {
        format!("The client {} (role {})", name(display), name(&subject.role))
    } else if !own.is_empty() {
        format!("The client {}", name(display))
    } else if !subject.role.is_empty() && !method.is_empty() {
        format!("The client {}/{}", name(method), name(&subject.role))
    } else if !subject.entity.is_empty() {
        format!("The client with the entity ID {}", name(&subject.entity))
    } else {
        format!("A client of {} without a name", if method.is_empty() { "Vault" } else { method })
    };
    if subject.namespace.is_empty() {
        who
    } else {
        format!("{who} of the namespace {}", name(&subject.namespace))
    }
}

/// Of what it took credentials: ` of database/ledger`.
fn what(record: &Record) -> String {
    let with_role: Vec<_> = record.touched.iter().filter(|touched| !touched.role.is_empty()).collect();
    let mut mounts: Vec<_> = with_role.iter().map(|touched| (&touched.namespace, &touched.mount)).collect();
    mounts.sort_unstable();
    mounts.dedup();
    match (with_role.as_slice(), mounts.as_slice()) {
        ([], _) => String::new(),
        ([one], _) => format!(" of {}{}", name(&one.mount), name(&one.role)),
        (several, [(_, mount)]) => format!(" of {} roles of {}", several.len(), name(mount)),
        (several, mounts) => format!(" of {} roles of {} mounts", several.len(), mounts.len()),
    }
}
