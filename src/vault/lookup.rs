//! Look-ups: the times of single leases, as somebody wants to know them.
//!
//! Whoever counts puts one lease at a time into [`Lookups`]; the loop of the active node
//! takes it out, asks `sys/leases/lookup`, and tells what it learnt.

use super::api::Api;
use super::auth::Token;
use super::client::{Call, Right};
use super::error::Error;
use super::node::Node;
use super::nonce::jittered;
use super::pulse::Role;
use super::turn::Turn;
use crate::event::{Fact, LeaseKey, Timestamp};
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// A lease that was asked about is not asked about again for so long: what was
/// learnt takes a while to be counted.
const NOT_AGAIN: Duration = Duration::from_secs(60);

/// Room for one lease to be looked up. A handle: clones are the same room.
#[derive(Clone, Default)]
pub struct Lookups(Arc<Room>);

#[derive(Default)]
struct Room {
    place: Mutex<Place>,
    put: Notify,
}

#[derive(Default)]
struct Place {
    /// Somebody is there to take it.
    open: bool,
    wanted: Option<Wanted>,
    last: Option<(LeaseKey, Instant)>,
}

/// A lease ID is no word for a log: no `Debug`.
struct Wanted {
    lease: String,
    namespace: String,
}

impl Lookups {
    /// Nothing wanted, and nobody there.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it is worth saying which lease is wanted. Cheap.
    pub fn has_room(&self) -> bool {
        let place = self.place();
        place.open && place.wanted.is_none()
    }

    /// Asks for the times of a lease of a namespace (`""` is root), if there is room and it
    /// was not asked about just now.
    pub fn want(&self, lease: String, namespace: String) {
        let mut place = self.place();
        let key = LeaseKey::of(&lease);
        let just_now = place.last.is_some_and(|(last, at)| last == key && at.elapsed() < NOT_AGAIN);
        if place.open && place.wanted.is_none() && !just_now {
            place.wanted = Some(Wanted { lease, namespace });
            self.0.put.notify_one();
        }
    }

    /// Waits for a wanted lease; there is room from now on. Dropping it loses nothing.
    async fn take(&self) -> Wanted {
        loop {
            {
                let mut place = self.place();
                place.open = true;
                if let Some(wanted) = place.wanted.take() {
                    place.open = false;
                    place.last = Some((LeaseKey::of(&wanted.lease), Instant::now()));
                    return wanted;
                }
            }
            self.0.put.notified().await;
        }
    }

    fn close(&self) {
        self.place().open = false;
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `sys/leases/lookup` answers.
#[derive(Deserialize)]
struct Times {
    issue_time: String,
    expire_time: Option<String>,
    last_renewal: Option<String>,
    #[serde(default)]
    renewable: bool,
}

/// Looks leases up while `node` is active.
pub(super) async fn run(node: &Node, lookups: &Lookups, role: watch::Receiver<Role>) {
    let mut turn = Turn::new(node, Api::LeaseLookup, role);
    let mut failures = 0;
    while let Some(token) = turn.token().await {
        if !node.has_asked(Api::LeaseLookup) {
            turn.rest("nobody wants to know the times of a lease");
        }
        let wanted = tokio::select! {
            wanted = lookups.take() => wanted,
            () = turn.ends() => {
                lookups.close();
                continue;
            }
        };
        let started = Instant::now();
        let outcome = ask(node, &token, &wanted).await;
        let wait = match &outcome {
            Ok(()) => {
                failures = 0;
                node.pace.lookup
            }
            Err(error) if error.is_lasting() => jittered(node.pace.denied),
            Err(_) => {
                let doubled = node.pace.lookup.saturating_mul(1 << failures.min(16));
                failures += 1;
                jittered(doubled.min(node.pace.longest_wait))
            }
        };
        node.record(Api::LeaseLookup, outcome, started.elapsed(), wait.max(node.pace.interval));
        turn.pause(wait, &token).await;
    }
}

async fn ask(node: &Node, token: &Token, wanted: &Wanted) -> Result<(), Error> {
    let call = Call {
        path: "sys/leases/lookup",
        query: "",
        namespace: &wanted.namespace,
        token: Some(&token.secret),
        body: Some(serde_json::json!({ "lease_id": wanted.lease })),
        own: Some(&node.own),
        right: Right { path: "sys/leases/lookup", capability: "update" },
    };
    let lease = LeaseKey::of(&wanted.lease);
    let times: Times = match node.client.json(&call).await {
        Ok(answer) => answer.data.ok_or(Error::Malformed { problem: "an answer without data" })?,
        Err(Error::NotFound { .. }) => {
            node.own.cluster_fact(Fact::LeaseAbsent { lease });
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let read = |text: &str| Timestamp::parse_rfc3339(text);
    let unreadable = Error::Malformed { problem: "a lease without its times" };
    let issued = read(&times.issue_time).ok_or(unreadable.clone())?;
    let expires = times.expire_time.as_deref().and_then(read).ok_or(unreadable)?;
    // Vault says Go's zero time, or nothing, of a lease that was never renewed.
    let renewed = times.last_renewal.as_deref().and_then(read).filter(|at| *at >= issued);
    node.own.cluster_fact(Fact::LeaseTimes { lease, issued, expires, renewed, renewable: times.renewable });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_is_room_for_one_once_somebody_waits() {
        let lookups = Lookups::new();
        assert!(!lookups.has_room());
        lookups.want("a".to_owned(), String::new());
        let taking = tokio::spawn({
            let lookups = lookups.clone();
            async move { (lookups.take().await.lease, lookups) }
        });
        while !lookups.has_room() {
            tokio::task::yield_now().await;
        }
        lookups.want("b".to_owned(), String::new());
        lookups.want("c".to_owned(), String::new());
        let (taken, lookups) = taking.await.expect("it is taken");
        assert_eq!(taken, "b");
        assert!(!lookups.has_room());
        // Asked again at once, the same lease finds no room; another does.
        let taking = tokio::spawn({
            let lookups = lookups.clone();
            async move { lookups.take().await.lease }
        });
        while !lookups.has_room() {
            tokio::task::yield_now().await;
        }
        lookups.want("b".to_owned(), String::new());
        assert!(lookups.has_room());
        lookups.want("d".to_owned(), String::new());
        assert_eq!(taking.await.expect("it is taken"), "d");
    }
}
