//! Vault's API as a source: scrapes, to observations and to gauges.
//!
//! Every node is asked how it is, without a token; what only the cluster as a
//! whole knows is asked of the active node, each part with its own right, its
//! own time-out and its own waits. What changes and cannot be read again goes
//! out as observations, the latest of everything stands on the [`Board`].
//! It counts nothing: that is `state`'s.
//!
//! ```text
//!  Scraper ─ Node (one per node) ┬ pulse    sys/health, sys/leader
//!                                ├ asker ┬─ auth       token, login, renewal
//!                                │       ├─ telemetry  sys/metrics
//!                                │       └─ cluster    leases, mounts; walk: roles
//!                                ├ monitor  the server log, where it is switched on
//!                                ├ lookup   the times of single leases
//!                                └ listing  the leases of roles, where it is switched on
//! ```

mod api;
mod auth;
mod board;
mod client;
mod cluster;
mod error;
mod families;
mod inventory;
mod listing;
mod lookup;
mod monitor;
mod node;
mod nonce;
mod own;
mod prometheus_text;
mod pulse;
mod report;
mod telemetry;
mod tls;
mod turn;
mod walk;

pub use api::{Api, Pace};
pub use board::Board;
pub use client::{JSON_LIMIT, METRICS_LIMIT};
pub use error::Error;
pub use lookup::Lookups;
pub use own::Tell;
pub use report::{ApiReport, ApiState, NodeReport};
pub use telemetry::{CHOSEN, Chosen, Telemetry, chosen_counters};

use crate::config::{NodeConfig, TlsConfig, VaultConfig};
use auth::Auth;
use client::Client;
use node::Node;
use own::Own;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Asks a node how it is, without a token.
///
/// # Errors
/// Why it does not answer.
pub async fn reach(node: &NodeConfig, tls: &TlsConfig, timeout: Duration) -> Result<&'static str, Error> {
    pulse::reach(node, tls, timeout).await
}

/// Scrapes all nodes of a cluster.
pub struct Scraper {
    nodes: Vec<Node>,
}

impl Scraper {
    /// For `nodes`, writing to `board` and telling observations to `tell`.
    /// Asks nothing yet.
    ///
    /// # Errors
    /// Where an address or a TLS file cannot be used; the error names the setting.
    pub fn new(
        config: &VaultConfig,
        nodes: &[NodeConfig],
        board: &Board,
        tell: &Tell,
    ) -> Result<Self, Error> {
        let auth = Arc::new(Auth::new(config));
        let pace = Pace::every(config.scrape_interval);
        // `root` and last slashes as metrics and Vault's CLI write them.
        let plain = |namespace: &String| match namespace.trim_matches('/') {
            "root" => String::new(),
            path => path.to_owned(),
        };
        let mut namespaces: Vec<_> = config.namespaces.iter().map(plain).collect();
        namespaces.sort();
        namespaces.dedup();
        if namespaces.is_empty() {
            namespaces.push(String::new());
        }
        let build = |node: &NodeConfig| {
            board.node(&node.name, |latest| {
                latest.address.clone_from(&node.address);
            });
            Ok(Node {
                name: node.name.clone(),
                client: Client::new(node, &config.tls, config.timeout)?,
                auth: Arc::clone(&auth),
                own: Own::new(Arc::clone(tell), &node.name),
                board: board.clone(),
                pace: pace.clone(),
                prefix: config.metrics_prefix.clone(),
                namespaces: namespaces.clone(),
                monitor: config.monitor,
                lookups: None,
                listing_interval: config.listing_interval,
            })
        };
        let nodes = nodes.iter().map(build).collect::<Result<_, Error>>()?;
        Ok(Self { nodes })
    }

    /// Looks up the leases that are put there.
    #[must_use]
    pub fn looking_up(mut self, lookups: &Lookups) -> Self {
        for node in &mut self.nodes {
            node.lookups = Some(lookups.clone());
        }
        self
    }

    /// At another pace than the usual one.
    #[must_use]
    pub fn at_pace(mut self, pace: &Pace) -> Self {
        for node in &mut self.nodes {
            node.pace = pace.clone();
        }
        self
    }

    /// Scrapes until `stop` is cancelled, then returns at once: a request under
    /// way is dropped.
    pub async fn run(self, stop: CancellationToken) {
        // Side by side on one task: `serve` alone spawns any.
        let mut running: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
        for node in self.nodes {
            let stop = stop.clone();
            running.push(Box::pin(async move { node.run(&stop).await }));
        }
        std::future::poll_fn(|context| {
            running.retain_mut(|node| node.as_mut().poll(context).is_pending());
            if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}
