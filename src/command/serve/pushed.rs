//! What is pushed: the shared state, as `push` asks for it.

use super::shared::Shared;
use crate::anomaly::{Episode, EpisodeId, Which};
use crate::clock::wall;
use crate::exposition::Waiting;
use crate::push;
use crate::snapshot::Snapshot;
use serde_json::{Value, json};

/// Episodes of so many seconds are looked at again and again.
const RECENT_SECS: i64 = 86_400;

impl push::Site for Shared {
    fn snapshot(&self) -> Option<Snapshot> {
        // The numbers of a first start are those of its past until then.
        if !self.has_caught_up() {
            return None;
        }
        Shared::snapshot(self).ok()
    }

    fn pulse(&self) -> Result<Value, String> {
        if let Some(Waiting(what)) = self.waiting().into_iter().next() {
            return Err(format!("it waits for {what}"));
        }
        let overview = self.overview();
        if overview.catching_up {
            return Err("a backlog is being read".to_owned());
        }
        if let Some(source) = overview.sources.iter().find(|source| source.trouble.is_some()) {
            return Err(format!("the log {} is in trouble", source.name));
        }
        Ok(json!({
            "status": "well",
            "version": crate::RELEASE,
            "as_of": overview.as_of.map(|at| at.to_string()),
            "sources": overview.sources.len(),
            "nodes": overview.nodes.len(),
        }))
    }

    fn episodes(&self) -> Vec<Episode> {
        if !self.has_caught_up() {
            return Vec::new();
        }
        let since = wall().plus_secs(-RECENT_SECS);
        let which = Which { since: Some(since), ..Which::default() };
        self.pipeline().state().anomalies().episodes().list(which)
    }

    fn episode(&self, id: EpisodeId) -> Option<Episode> {
        self.pipeline().state().anomalies().episodes().find(id)
    }
}
