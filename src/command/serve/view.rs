//! What the pages show: the shared state, as `exposition` asks for it.

use super::inputs::AUDIT_LOG;
use super::shared::Shared;
use crate::anomaly::{Episode, Mode, Which};
use crate::clock::{since_epoch, wall};
use crate::config::Identities;
use crate::event::Timestamp;
use crate::exposition::episodes::EpisodesView;
use crate::exposition::overview::{ApiView, NodeView, Overview, PushView, ReceivedView, SourceView};
use crate::exposition::roles::Roles;
use crate::exposition::{Unavailable, Waiting, render, render_process};
use crate::push;
use crate::receive;
use crate::vault::{ApiState, NodeReport};
use std::sync::PoisonError;

/// How long a request of our own may take to appear in the audit log, in seconds.
const CANARY_SECS: i64 = 180;

/// What an operator should know when it does not.
const SILENT: &str = "Vault answers leasewatch, but these requests do not appear in any audit log that is read: \
    look whether the active node's audit device writes to this file, whether it was rotated without SIGHUP, \
    and whether the device filters";

impl Shared {
    /// The text of `/metrics`.
    ///
    /// # Errors
    /// Why there is none at the moment.
    pub(super) fn page(&self) -> Result<Vec<u8>, Unavailable> {
        let mut text = render(&self.snapshot()?)?;
        render_process(&mut text);
        Ok(text)
    }

    /// What `/ready` still waits for.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let mut waiting: Vec<_> = self.replays(&self.pipeline()).map(Waiting).into_iter().collect();
        if !self.has_caught_up() {
            waiting.push(Waiting("the logs to be read to their end for the first time".to_owned()));
        }
        if !self.board.is_complete() {
            waiting.push(Waiting("the first answer of every Vault node".to_owned()));
        }
        waiting
    }

    /// The episodes that are asked for, and the moment of that.
    pub(super) fn episodes(&self, which: Which) -> (Timestamp, Vec<Episode>) {
        let pipeline = self.pipeline();
        (pipeline.front(), pipeline.state().anomalies().episodes().list(which))
    }

    /// Whether pages may name clients.
    pub(super) fn shows_names(&self) -> bool {
        self.identities == Identities::Loopback
    }

    /// What the page at `/` shows.
    pub(super) fn overview(&self) -> Overview {
        let waiting = self.waiting();
        let nodes = self.board.report();
        let pipeline = self.pipeline();
        let silent = !self.is_catching_up(pipeline.front()) && is_silent(&nodes, pipeline.state().canary());
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let received = self.received.as_ref().map(receive::Board::report).unwrap_or_default();
        let sources = pipeline.inputs().iter().zip(&names).map(|(input, named)| {
            let (stats, status) = (input.stats(), input.status());
            let received = received.iter().find(|report| report.source == named.name);
            let stuck = received.and_then(|report| report.trouble.clone());
            SourceView {
                received: received.map(|report| ReceivedView {
                    connections: report.connections,
                    last_line: report.last_line,
                    dropped: report.dropped.clone(),
                }),
                name: named.name.clone(),
                kind: named.kind.to_owned(),
                node: named.node.clone(),
                path: status.path.filter(|_| received.is_none()).unwrap_or_else(|| named.path.clone()),
                lag_bytes: status.lag_bytes,
                lines: stats.lines,
                unreadable: stats.unreadable.values().sum(),
                last_entry: stats.last_entry,
                trouble: status
                    .trouble
                    .or(stuck)
                    .or_else(|| (silent && named.kind == AUDIT_LOG).then(|| SILENT.to_owned())),
            }
        });
        let front = pipeline.front();
        let scores = pipeline.state().anomalies();
        let anomalies = EpisodesView {
            scored: scores.settings().mode != Mode::Off,
            episodes: scores.episodes().list(EpisodesView::wanted(front)),
        };
        let sources = sources.collect();
        let families = self.families(&pipeline);
        drop(pipeline);
        let nodes = nodes.into_iter().map(|node| NodeView {
            name: node.node,
            address: node.address,
            state: node.summary,
            trouble: None,
            apis: node
                .apis
                .into_iter()
                .map(|api| ApiView {
                    name: api.api.to_owned(),
                    last_success: api.last_success.map(since_epoch),
                    rest: api.trouble.clone().filter(|_| api.state == ApiState::Idle),
                    trouble: api.trouble.filter(|_| !matches!(api.state, ApiState::Ok | ApiState::Idle)),
                })
                .collect(),
        });
        Overview {
            now: wall(),
            as_of: (front > Timestamp::MIN).then_some(front),
            catching_up: self.is_catching_up(front),
            waiting,
            configuration: self.config_trouble(),
            roles: Roles::of(&families),
            checkpoint: *self.saved.lock().unwrap_or_else(PoisonError::into_inner),
            anomalies,
            sources,
            nodes: nodes.collect(),
            pushed: self.pushed.report().into_iter().map(pushed).collect(),
        }
    }
}

fn pushed(report: push::Report) -> PushView {
    PushView {
        target: report.target.name().to_owned(),
        address: report.address,
        delivered: report.delivered,
        undelivered: report.undelivered,
        last_success: report.last_success,
        trouble: report.trouble,
    }
}

/// Vault has answered requests of our own for so long without one of them in the audit log.
fn is_silent(nodes: &[NodeReport], canary: Option<Timestamp>) -> bool {
    let apis = nodes.iter().flat_map(|node| &node.apis).filter(|api| api.api == "token");
    apis.filter(|api| api.state == ApiState::Ok).any(|api| {
        let (Some(asked), since) = (api.last_success.map(since_epoch), since_epoch(api.since)) else {
            return false;
        };
        asked.nanos_since(canary.unwrap_or(since).max(since)) > CANARY_SECS * 1_000_000_000
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::ApiReport;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_log_without_our_requests_is_silent_after_three_minutes() {
        let at = |secs| UNIX_EPOCH + Duration::from_secs(secs);
        let nodes = |state, asked| {
            let api = ApiReport {
                api: "token",
                state,
                since: at(1000),
                last_success: Some(at(asked)),
                trouble: None,
            };
            [NodeReport { node: "a".into(), address: String::new(), summary: String::new(), apis: vec![api] }]
        };
        let seen = |secs| Some(Timestamp::from_secs(secs));
        assert!(!is_silent(&nodes(ApiState::Ok, 1100), None));
        assert!(is_silent(&nodes(ApiState::Ok, 1200), None));
        assert!(!is_silent(&nodes(ApiState::Ok, 1200), seen(1190)));
        assert!(is_silent(&nodes(ApiState::Ok, 1200), seen(1010)));
        assert!(!is_silent(&nodes(ApiState::Denied, 1200), None));
    }
}
