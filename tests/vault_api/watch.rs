//! A scraper under test: started, asked what it shows and tells, stopped.

#![allow(dead_code, reason = "each test binary that includes this uses a part of it")]

use leasewatch::config::{AuthConfig, NodeConfig, Secret, TlsConfig, VaultConfig};
use leasewatch::event::{Fact, Observation};
use leasewatch::snapshot::Value;
use leasewatch::vault::{ApiReport, ApiState, Board, Lookups, Pace, Scraper, Tell};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Between scrapes here.
pub(crate) const INTERVAL: Duration = Duration::from_millis(40);

/// A running scraper.
pub(crate) struct Watch {
    pub(crate) board: Board,
    pub(crate) lookups: Lookups,
    told: Arc<Mutex<Vec<Observation>>>,
    pub(crate) task: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
    _guard: DropGuard,
}

/// How to talk to Vault, with a token.
pub(crate) fn config() -> VaultConfig {
    VaultConfig {
        namespace: String::new(),
        tls: TlsConfig::default(),
        auth: AuthConfig::Token(Secret::new("s.fake")),
        scrape_interval: INTERVAL,
        timeout: Duration::from_secs(10),
        metrics_prefix: "vault".to_owned(),
        namespaces: vec![String::new()],
        monitor: false,
        listing_interval: None,
    }
}

/// A pace at which a test need not wait, but for refusals.
pub(crate) fn pace() -> Pace {
    Pace {
        interval: INTERVAL,
        token: INTERVAL,
        inventory: INTERVAL,
        inventory_at_least: INTERVAL,
        lookup: INTERVAL,
        listing_at_least: INTERVAL,
        denied: Duration::from_secs(600),
        longest_wait: INTERVAL,
        ..Pace::every(INTERVAL)
    }
}

impl Watch {
    /// Over these nodes, by name and address.
    pub(crate) fn start(nodes: &[(&str, &str)], config: &VaultConfig, pace: &Pace) -> Self {
        let board = Board::new();
        let told = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&told);
        let tell: Tell = Arc::new(move |observation| keep.lock().unwrap().push(observation));
        let nodes: Vec<_> = nodes
            .iter()
            .map(|(name, address)| NodeConfig { name: (*name).to_owned(), address: (*address).to_owned() })
            .collect();
        let lookups = Lookups::new();
        let scraper = Scraper::new(config, &nodes, &board, &tell).unwrap().at_pace(pace).looking_up(&lookups);
        let stop = CancellationToken::new();
        let task = tokio::spawn(scraper.run(stop.clone()));
        Self { board, lookups, told, task, _guard: stop.clone().drop_guard(), stop }
    }

    /// Tells it to stop, and waits.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// Value of the series with these label values; labels as in the contract.
    pub(crate) fn value(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let families = self.board.families(Instant::now());
        let family = families.iter().find(|family| family.metric.name == name)?;
        let fits = |series: &&leasewatch::snapshot::Series| {
            series.labels.iter().map(AsRef::as_ref).eq(labels.iter().copied())
        };
        match family.series.iter().find(fits)?.value {
            Value::Number(value) => Some(value),
            _ => panic!("{name} is no gauge"),
        }
    }

    /// How one part of the API of node `a` is.
    pub(crate) fn api(&self, api: &str) -> Option<ApiReport> {
        let report = self.board.report();
        let node = report.iter().find(|node| node.node == "a")?;
        node.apis.iter().find(|report| report.api == api).cloned()
    }

    pub(crate) fn is(&self, api: &str, state: ApiState) -> bool {
        self.api(api).is_some_and(|report| report.state == state)
    }

    /// Everything told, but own requests.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let own = |fact: &Fact| matches!(fact, Fact::OwnRequest { .. } | Fact::OwnMarker { .. });
        self.observations().into_iter().map(|told| told.fact).filter(|fact| !own(fact)).collect()
    }

    /// Everything told, to be read after it has stopped.
    pub(crate) fn told_so_far(&self) -> Arc<Mutex<Vec<Observation>>> {
        Arc::clone(&self.told)
    }

    pub(crate) fn observations(&self) -> Vec<Observation> {
        self.told.lock().unwrap().clone()
    }
}

/// Waits until it is so. The deadline is there against hanging; an election on a
/// busy machine takes its time.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !so() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
