//! Words of an incident: clients, places and moments, short enough for a table.

use crate::digest::{Burst, Client, Failing, Milestone, Place, Quiet, Silence, Spell};
use crate::event::{PrivilegedUse, Requester, Text, Timestamp, Who};
use crate::report::span;
use core::net::IpAddr;

/// The namespace as people know it.
pub(super) fn namespace(path: &Text) -> String {
    if path.is_empty() { "root".to_owned() } else { path.to_string() }
}

/// A moment to the second.
pub(super) fn second(at: Timestamp) -> String {
    Timestamp::from_secs(at.as_nanos().div_euclid(1_000_000_000)).to_string()
}

/// Where credentials come from, with the namespace where it is not root.
pub(super) fn place(place: &Place) -> String {
    let namespace = if place.namespace.is_empty() { String::new() } else { format!("{}/ ", place.namespace) };
    format!("{namespace}{}{}", place.mount, place.role)
}

/// A client by its role or user, and how it logged in.
pub(super) fn who(who: &Who) -> String {
    let name = &who.requester.display_name;
    match (who.role.as_str(), name.as_str()) {
        ("", "") => requester(&who.requester),
        ("", name) => name.to_owned(),
        (role, "") => role.to_owned(),
        (role, name) if name.contains(role) => name.to_owned(),
        (role, name) => format!("{name} {role}"),
    }
}

/// The same without the role.
pub(super) fn requester(who: &Requester) -> String {
    match (who.display_name.as_str(), who.entity.as_str()) {
        ("", "") => "(not known)".to_owned(),
        ("", entity) => entity.to_owned(),
        (name, _) => name.to_owned(),
    }
}

/// The same by the role or user of the client of that name, where it is known.
pub(super) fn named(requester_of: &Requester, clients: &[Client]) -> String {
    let client = clients.iter().find(|client| client.who.requester == *requester_of);
    client.map_or_else(|| requester(requester_of), |client| who(&client.who))
}

/// The name of a log without its folder.
pub(super) fn log(report: &crate::report::Report, place: usize) -> &str {
    let name = report.sources.get(place).map_or("a log", |(name, _)| name.as_str());
    name.rsplit('/').next().unwrap_or(name)
}

/// An address.
pub(super) fn source(from: Option<IpAddr>) -> String {
    from.map_or_else(|| "–".to_owned(), |from| from.to_string())
}

/// The first few of some names, and how many more there are.
pub(super) fn few(names: impl Iterator<Item = String>, most: usize) -> String {
    let names: Vec<_> = names.collect();
    let more = names.len().saturating_sub(most);
    let told = names.into_iter().take(most).collect::<Vec<_>>().join(", ");
    if more == 0 { told } else { format!("{told} and {more} more") }
}

/// The roles that a client got credentials of, the most first.
pub(super) fn roles(client: &Client) -> String {
    let mut roles: Vec<_> = client.roles.iter().collect();
    roles.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    few(roles.into_iter().map(|(role, count)| format!("{} {count}", place(role))), 3)
}

/// The addresses that it got them from, the most first.
pub(super) fn sources(client: &Client) -> String {
    let mut all: Vec<_> = client.sources.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    few(all.into_iter().map(|(from, count)| format!("{from} {count}")), 2)
}

/// Who made a burst: the largest share.
pub(super) fn cause(burst: &Burst, clients: &[Client]) -> String {
    let Some(((requester_of, from), count)) = burst.clients.first() else { return String::new() };
    let name = named(requester_of, clients);
    let part = *count as f64 * 100.0 / burst.issued.max(1) as f64;
    format!("{name} from {} {count} ({part:.0} %)", source(*from))
}

/// A burst in a sentence.
pub(super) fn burst(burst: &Burst, clients: &[Client]) -> String {
    let times = if burst.usual > 0.0 {
        format!("{:.0} a minute are usual", burst.usual)
    } else {
        "none are usual".to_owned()
    };
    format!(
        "{} leases of {} in {}, at most {} a minute, {times}: {}",
        burst.issued,
        place(&burst.place),
        span(burst.until.nanos_since(burst.from)),
        burst.peak,
        cause(burst, clients)
    )
}

/// What kept failing, in words.
pub(super) fn spell(spell: &Spell) -> String {
    let what = match spell.failing {
        Failing::Issue => "credentials of",
        Failing::Revocation => "revocations at",
    };
    format!("{what} {} fail: {}", spell.mount, spell.reason)
}

/// A silence in a sentence; `log` names the log.
pub(super) fn silence(one: &Silence, log: &str) -> String {
    let length = span(one.length());
    let others = if one.others_went_on { ", while other audit logs had entries" } else { "" };
    let usual = format!("an entry every {} s is usual", digits(one.usual));
    match one.quiet {
        Quiet::BeginsLate => format!("{log} begins {length} after the first line of all{others}; {usual}"),
        Quiet::Silent => format!("{log} is silent for {length}{others}; {usual}"),
        Quiet::EndsEarly => format!("{log} ends {length} before the last line of all{others}; {usual}"),
    }
}

/// What became of a node.
pub(super) fn milestone(what: Milestone, log: &str) -> String {
    match what {
        Milestone::Active => format!("node active, says {log}"),
        Milestone::Inactive => format!("node not active: started, stepped down or sealed, says {log}"),
        Milestone::Restored => format!("leases read after unseal or change of the active node, says {log}"),
        Milestone::ManyLeases(have) => format!("Vault warns of {have} leases, says {log}"),
    }
}

/// An operation: what, on what, and how it ended where not well.
pub(super) fn operation(one: &PrivilegedUse) -> String {
    let object = if one.object.is_empty() { &one.mount } else { &one.object };
    let ended = if one.outcome == "ok" { String::new() } else { format!(": {}", one.outcome) };
    format!("{} {object}{ended}", one.operation.name())
}

/// Who did it, from where.
pub(super) fn by(one: &PrivilegedUse) -> String {
    let name = one.who.as_ref().map_or_else(|| "(not known)".to_owned(), |of| who(of));
    format!("{name} from {}", source(one.source))
}

/// A number in few digits.
pub(super) fn digits(value: f64) -> String {
    match value {
        _ if value >= 10.0 => format!("{value:.0}"),
        _ if value >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Seconds as a span; parts of a second where there are few.
pub(super) fn secs(secs: f64) -> String {
    if secs < 10.0 {
        return format!("{}s", digits(secs));
    }
    #[allow(clippy::cast_possible_truncation, reason = "far below what an i64 holds")]
    span((secs * 1e9) as i64)
}
