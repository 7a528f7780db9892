//! The reception: what audit devices send is received as long as the process lives, however often the configuration is
//! read anew: only where it says something else about receiving, other receivers take the place of these.

use super::bell::Bell;
use super::inputs::spool_of;
use crate::config::{Config, ReceiveConfig, ReceiverAddress};
use crate::receive::{Board, Receiver, Receivers, Receiving};
use crate::store::{Spool, Store};
use anyhow::Context;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The receivers that there are.
pub(super) struct Reception {
    bell: Arc<Bell>,
    active: Option<Active>,
}

struct Active {
    wanted: Wanted,
    board: Board,
    receiving: Receiving,
    stop: CancellationToken,
}

/// What a configuration says about receiving.
#[derive(PartialEq)]
struct Wanted {
    logs: Vec<(String, ReceiverAddress)>,
    config: ReceiveConfig,
    max_line_bytes: usize,
}

impl Reception {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        Self { bell, active: None }
    }

    /// Receives as this configuration says from now on. What comes of it.
    ///
    /// # Errors
    /// An address that cannot be had, or a spool that cannot be opened.
    pub(super) fn hold(&mut self, config: &Config, store: &Store) -> anyhow::Result<Board> {
        let wanted = Wanted::of(config);
        if let Some(active) = self.active.as_ref().filter(|active| active.wanted == wanted) {
            return Ok(active.board.clone());
        }
        // The addresses and the spools are free again then.
        self.stop();
        self.stopped();
        let receivers = wanted.logs.iter().map(|(source, address)| {
            let spool = Spool::open(store, &spool_of(source))
                .with_context(|| format!("cannot open the spool of {address} in the state folder"))?;
            Ok(Receiver { source: source.clone(), address: address.clone(), spool })
        });
        let receivers = receivers.collect::<anyhow::Result<_>>()?;
        let receivers = Receivers::bind(receivers, &config.receive, config.max_line_bytes, store)?;
        let board = receivers.board();
        let bell = Arc::clone(&self.bell);
        let ring: Arc<dyn Fn() + Send + Sync> = Arc::new(move || bell.ring());
        let stop = CancellationToken::new();
        let receiving =
            receivers.start(&ring, stop.clone()).context("cannot start the threads that receive")?;
        self.active = Some(Active { wanted, board: board.clone(), receiving, stop });
        Ok(board)
    }

    /// Nothing more is received.
    pub(super) fn stop(&self) {
        if let Some(active) = &self.active {
            active.stop.cancel();
        }
    }

    /// Waits, after the stop, until what came is written.
    pub(super) fn stopped(&mut self) {
        if let Some(active) = self.active.take() {
            active.receiving.stopped();
        }
    }
}

impl Wanted {
    fn of(config: &Config) -> Self {
        let logs = config.logs.iter().filter_map(|log| Some((log.name.clone(), log.receiver()?)));
        Self { logs: logs.collect(), config: config.receive.clone(), max_line_bytes: config.max_line_bytes }
    }
}
