//! What the pages show: the shared state, as `exposition` asks for it.

use super::clock::{since_epoch, wall};
use super::shared::Shared;
use crate::event::Timestamp;
use crate::exposition::overview::{ApiView, NodeView, Overview, SourceView};
use crate::exposition::{Site, Unavailable, Waiting, render, render_process};
use crate::vault::ApiState;
use std::sync::PoisonError;

impl Site for Shared {
    fn metrics(&self) -> Result<Vec<u8>, Unavailable> {
        let mut text = render(&self.snapshot()?)?;
        render_process(&mut text);
        Ok(text)
    }

    fn readiness(&self) -> Vec<Waiting> {
        let mut waiting: Vec<_> = self.replays(&self.pipeline()).map(Waiting).into_iter().collect();
        if !self.has_caught_up() {
            waiting.push(Waiting("the logs to be read to their end for the first time".to_owned()));
        }
        if !self.board.is_complete() {
            waiting.push(Waiting("the first answer of every Vault node".to_owned()));
        }
        waiting
    }

    fn overview(&self) -> Overview {
        let waiting = self.readiness();
        let pipeline = self.pipeline();
        let sources = pipeline.inputs().iter().zip(&self.names).map(|(input, named)| {
            let (stats, status) = (input.stats(), input.status());
            SourceView {
                name: named.name.clone(),
                kind: named.kind.to_owned(),
                node: named.node.clone(),
                path: status.path.unwrap_or_else(|| named.path.clone()),
                lag_bytes: status.lag_bytes,
                lines: stats.lines,
                unreadable: stats.unreadable.values().sum(),
                last_entry: stats.last_entry,
                trouble: status.trouble,
            }
        });
        let front = pipeline.front();
        let sources = sources.collect();
        drop(pipeline);
        let nodes = self.board.report().into_iter().map(|node| NodeView {
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
                    trouble: api.trouble.filter(|_| api.state != ApiState::Ok),
                })
                .collect(),
        });
        Overview {
            now: wall(),
            as_of: (front > Timestamp::MIN).then_some(front),
            catching_up: self.is_catching_up(front),
            waiting,
            checkpoint: *self.saved.lock().unwrap_or_else(PoisonError::into_inner),
            sources,
            nodes: nodes.collect(),
        }
    }
}
