//! JSON of an incident: everything that the tables tell, and more of it.

use super::leases::{granted, peaks};
use super::{timeline, words};
use crate::digest::{Burst, Client, FixedKind, Listed, Place, Spell};
use crate::event::{PrivilegedUse, Requester, Timestamp, Who};
use crate::report::Report;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Entries of a list.
const MOST: usize = 1_000;

/// Puts it into the document.
pub(in crate::report) fn put(report: &Report, document: &mut Value) {
    let Some(told) = &report.digest else { return };
    let log = |place: usize| report.sources.get(place).map(|(name, _)| name.clone());
    document["clients"] = list(&told.clients, client);
    document["lifetimes"] = lifetimes(report);
    document["explosions"] = list(&told.bursts, burst);
    document["failing"] = list(&told.spells, spell);
    document["refused"] = list(&told.refused, |(from, one)| {
        json!({
            "source": from.map(|from| from.to_string()),
            "denied": one.denied,
            "invalid_token": one.invalid_token,
            "not_found": one.not_found,
            "failed_logins": one.failed_logins,
            "paths": one.paths,
            "first": time(one.first),
            "last": time(one.last),
            "clients": one.clients.iter().map(requester).collect::<Vec<_>>(),
            "mounts": one.mounts.iter().map(|(mount, count)| (mount.to_string(), count)).collect::<BTreeMap<_, _>>(),
        })
    });
    document["privileged"] = list(&told.operations, operation);
    document["static_reads"] = list(&told.fixed, |((namespace, mount, kind), one)| {
        json!({
            "namespace": words::namespace(namespace),
            "mount": mount.as_str(),
            "kind": FixedKind::name(*kind),
            "reads": one.reads,
            "paths": one.paths,
            "clients": one.clients.iter().take(MOST).map(|(who, reads)| {
                let mut client = requester(who);
                client["reads"] = json!(reads);
                client
            }).collect::<Vec<_>>(),
            "clients_with_dynamic": one.with_dynamic,
        })
    });
    let silences = told.silences.iter().take(MOST).map(|one| {
        json!({
            "log": log(one.source),
            "kind": one.quiet.name(),
            "from": time(one.from),
            "until": time(one.until),
            "usual_seconds": one.usual,
            "others_went_on": one.others_went_on,
        })
    });
    document["silences"] = silences.collect();
    let events = timeline(report);
    let left = events.len().saturating_sub(MOST);
    let events = events.into_iter().take(MOST).map(
        |event| json!({ "at": time(event.at), "kind": event.kind, "rank": event.rank, "text": event.text }),
    );
    document["timeline"] = json!({ "list": events.collect::<Vec<_>>(), "left_out": left });
}

fn list<T>(listed: &Listed<T>, one: impl Fn(&T) -> Value) -> Value {
    let left = listed.list.len().saturating_sub(MOST) as u64 + listed.dropped;
    json!({ "list": listed.list.iter().take(MOST).map(one).collect::<Vec<_>>(), "left_out": left })
}

fn time(at: Timestamp) -> Value {
    json!(at.to_string())
}

fn requester(who: &Requester) -> Value {
    json!({ "entity_id": who.entity.as_str(), "display_name": who.display_name.as_str() })
}

fn who(who: &Who) -> Value {
    let mut value = requester(&who.requester);
    value["role"] = json!(who.role.as_str());
    value
}

fn place(place: &Place) -> Value {
    json!({
        "namespace": words::namespace(&place.namespace),
        "mount": place.mount.as_str(),
        "role": place.role.as_str(),
    })
}

fn client(one: &Client) -> Value {
    let roles = one.roles.iter().map(|(of, issued)| {
        let mut value = place(of);
        value["issued"] = json!(issued);
        value
    });
    let sources = one.sources.iter().map(|(from, count)| (from.to_string(), count));
    json!({
        "client": who(&one.who),
        "issued": one.issued,
        "failed": one.failed,
        "first": one.first.map(time),
        "last": one.last.map(time),
        "roles": roles.collect::<Vec<_>>(),
        "sources": sources.collect::<BTreeMap<_, _>>(),
        "is_cut": one.is_cut,
    })
}

fn burst(one: &Burst) -> Value {
    let clients = one.clients.iter().take(10).map(|((of, from), issued)| {
        let mut value = requester(of);
        value["source"] = json!(from.map(|from| from.to_string()));
        value["issued"] = json!(issued);
        value
    });
    let mut value = place(&one.place);
    value["from"] = time(one.from);
    value["until"] = time(one.until);
    value["issued"] = json!(one.issued);
    value["peak_per_minute"] = json!(one.peak);
    value["usual_per_minute"] = json!(one.usual);
    value["clients"] = clients.collect();
    value
}

fn spell(one: &Spell) -> Value {
    json!({
        "what": one.failing.name(),
        "namespace": words::namespace(&one.namespace),
        "mount": one.mount.as_str(),
        "reason": one.reason,
        "from": time(one.from),
        "until": time(one.until),
        "failures": one.failures,
        "is_over": !one.is_open,
    })
}

fn operation(one: &PrivilegedUse) -> Value {
    json!({
        "at": time(one.at),
        "operation": one.operation.name(),
        "outcome": one.outcome,
        "namespace": words::namespace(&one.namespace),
        "mount": one.mount.as_str(),
        "object": one.object.as_str(),
        "client": one.who.as_deref().map(who),
        "source": one.source.map(|from| from.to_string()),
        "request": one.request.map(|id| id.to_string()),
    })
}

fn lifetimes(report: &Report) -> Value {
    let Some(told) = &report.digest else { return Value::Null };
    let (peaks, granted) = (peaks(report), granted(report));
    let one = |(of, life): &(Place, crate::digest::Lifetimes)| {
        let key = vec![words::namespace(&of.namespace), of.mount.to_string(), of.role.to_string()];
        let mut value = place(of);
        let peak = peaks.get(&key);
        value["peak"] = json!(peak.map(|peak| peak.leases));
        value["peak_at"] = json!(peak.map(|peak| peak.at.to_string()));
        value["ended"] = json!(life.ended);
        value["never_renewed"] = json!(life.never_renewed);
        value["used_seconds"] = json!({ "0.5": life.quantile(0.5), "0.9": life.quantile(0.9) });
        value["granted_seconds"] = json!(granted.get(&key).map(|(_, secs)| secs));
        value["granted_source"] = json!(granted.get(&key).map(|(source, _)| source));
        value
    };
    let mut value = list(&told.lifetimes, one);
    value["ends"] = json!(if told.has_ends { "server_log" } else { "audit_log" });
    value
}
