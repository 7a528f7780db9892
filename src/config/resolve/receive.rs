//! Receiving: who may send, by which TLS and passwords, and how much may wait.

use super::{Resolver, problem};
use crate::config::{ReceiveConfig, receiver, setting, value};

/// The spool is kept in files of 16 MiB, so less would be full at once.
const LEAST_SPOOL: usize = 64 << 20;

impl Resolver<'_> {
    /// What all receivers share.
    pub(super) fn receive(&mut self) -> ReceiveConfig {
        let given = self.layers.get(&setting::RECEIVE_ALLOW);
        let mut allow = Vec::new();
        if let Some(given) = &given {
            for text in &given.texts {
                let network = receiver::network(text).map_err(|wrong| problem(&given.origin, wrong));
                allow.extend(self.problems.take(network));
            }
        }
        let limit = self.parsed(&setting::RECEIVE_SPOOL_LIMIT, |text| value::integer(text, LEAST_SPOOL));
        let config_file = self.path(&setting::RECEIVE_CONFIG_FILE);
        ReceiveConfig { allow, spool_limit: limit as u64, config_file }
    }
}
