//! The scraper of one node. Loops side by side: one takes the pulse every
//! interval, whatever else hangs; one asks what needs a token, as far as the
//! pulse says that the node can be asked; others follow the
//! server log, look leases up and list them, where that is wanted.

use super::api::{Api, Due, Pace};
use super::auth::{Auth, Token};
use super::board::{Board, Fresh};
use super::client::{Call, Client, Right};
use super::cluster::Cluster;
use super::error::Error;
use super::listing;
use super::lookup::{self, Lookups};
use super::monitor::Monitor;
use super::own::Own;
use super::pulse::{Health, Leader, Role};
use super::telemetry::Telemetry;
use crate::event::Fact;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Everything needed to scrape one node.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) client: Client,
    pub(super) auth: Arc<Auth>,
    pub(super) own: Own,
    pub(super) board: Board,
    pub(super) pace: Pace,
    /// First part of the names in `sys/metrics`.
    pub(super) prefix: String,
    /// Whose mounts, roles and leases are asked for.
    pub(super) namespaces: Vec<String>,
    /// Whether its server log is streamed while it is active.
    pub(super) monitor: bool,
    /// Whose times are to be looked up.
    pub(super) lookups: Option<Lookups>,
    /// In which time the leases of every role are listed once.
    pub(super) listing_interval: Option<Duration>,
}

/// The loop that asks, with its memory.
struct Asker<'a> {
    node: &'a Node,
    dues: BTreeMap<Api, Due>,
    cluster: Cluster<'a>,
    last_role: Role,
    generation: u64,
    counters: Option<BTreeMap<String, f64>>,
    cpu_seconds: Option<f64>,
}

/// What Vault said to the token in one round.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    accepted: bool,
    refused: bool,
}

impl Node {
    /// Scrapes until told to stop.
    pub(super) async fn run(&self, stop: &CancellationToken) {
        let (tell_role, role) = watch::channel(Role::Unreachable);
        let monitor = async {
            if self.monitor {
                Monitor::new(self, role.clone()).run().await;
            }
        };
        let lookup = async {
            if let Some(lookups) = &self.lookups {
                lookup::run(self, lookups, role.clone()).await;
            }
        };
        let listing = async {
            if let Some(interval) = self.listing_interval {
                listing::run(self, interval, role.clone()).await;
            }
        };
        // Apart from each other, or their sizes would add up.
        let (monitor, lookup, listing) = (Box::pin(monitor), Box::pin(lookup), Box::pin(listing));
        let (pulse, asker) = (self.take_pulse(tell_role), Box::pin(self.ask(role.clone())));
        let all = async { tokio::join!(pulse, asker, monitor, lookup, listing) };
        stop.run_until_cancelled(all).await;
    }

    async fn take_pulse(&self, tell_role: watch::Sender<Role>) {
        let mut ticks = tokio::time::interval(self.pace.interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Nobody listens only while everything is being dropped.
            let _ = tell_role.send(self.pulse().await);
        }
    }

    async fn pulse(&self) -> Role {
        let interval = self.pace.interval;
        let started = Instant::now();
        let health = Health::ask(&self.client).await;
        let outcome = health.as_ref().map(|_| ()).map_err(Clone::clone);
        self.record(Api::Health, outcome, started.elapsed(), interval);
        let role = health.as_ref().map_or(Role::Unreachable, Health::role);
        self.board.node(&self.name, |node| {
            node.up = Some(health.is_ok());
            if let Ok(health) = health {
                node.health = Some(Fresh::new(health, interval));
            }
        });
        if role == Role::Unreachable {
            self.rest(&[Api::Leader], "the node does not answer");
            return role;
        }
        let started = Instant::now();
        let leader = Leader::ask(&self.client).await;
        let outcome = leader.as_ref().map(|_| ()).map_err(Clone::clone);
        self.record(Api::Leader, outcome, started.elapsed(), interval);
        if let Ok(leader) = leader {
            self.board.node(&self.name, |node| {
                node.leader = Some(Fresh::new(leader, interval));
            });
        }
        role
    }

    async fn ask(&self, mut role: watch::Receiver<Role>) {
        let mut asker = Asker {
            node: self,
            dues: BTreeMap::new(),
            cluster: Cluster::new(self),
            last_role: Role::Unreachable,
            generation: 0,
            counters: None,
            cpu_seconds: None,
        };
        while role.changed().await.is_ok() {
            let now = *role.borrow_and_update();
            asker.round(now).await;
        }
    }

    /// Notes an outcome, and logs it where it is not what it was.
    pub(super) fn record(&self, api: Api, outcome: Result<(), Error>, duration: Duration, next: Duration) {
        let said = outcome.clone();
        let before = self.board.node(&self.name, |node| node.record(api, outcome, duration, next));
        let class = |outcome: &Result<(), Error>| outcome.as_ref().err().map(Error::class);
        if before.as_ref().map(class) == Some(class(&said)) {
            return;
        }
        let (node, api) = (self.name.as_str(), api.label());
        match said {
            Err(error) => {
                tracing::warn!(node, api, %error, "A part of Vault's API is not available");
            }
            Ok(()) if matches!(before, Some(Err(_))) => {
                tracing::info!(node, api, "A part of Vault's API is available again");
            }
            Ok(()) => {}
        }
    }

    /// Whether an outcome of this part of the API stands.
    pub(super) fn has_asked(&self, api: Api) -> bool {
        self.board.node(&self.name, |node| node.apis.get(&api).is_some_and(|latest| latest.outcome.is_some()))
    }

    /// Notes that some parts are not asked.
    pub(super) fn rest(&self, apis: &[Api], why: &'static str) {
        self.board.node(&self.name, |node| {
            for api in apis {
                node.rest(*api, why);
            }
        });
    }
}

/// What needs a token.
const WITH_TOKEN: [Api; 6] =
    [Api::Login, Api::Token, Api::Metrics, Api::IrrevocableLeases, Api::Mounts, Api::Roles];

/// What the active node alone is asked.
const OF_THE_CLUSTER: [Api; 4] = [Api::Token, Api::IrrevocableLeases, Api::Mounts, Api::Roles];

impl Asker<'_> {
    async fn round(&mut self, role: Role) {
        let why = match role {
            _ if !self.node.auth.is_configured() => "no token is configured",
            Role::Unreachable => "the node does not answer",
            Role::Closed => "the node is sealed or not initialized",
            Role::Standby | Role::DrSecondary | Role::Active => "",
        };
        if role != self.last_role {
            self.last_role = role;
            self.dues.clear();
            self.cluster.forget_walk();
        }
        if !why.is_empty() {
            return self.node.rest(&WITH_TOKEN, why);
        }
        let Some(token) = self.token(role).await else {
            return;
        };
        if token.generation != self.generation {
            // Another token may have other rights.
            self.generation = token.generation;
            self.dues.clear();
        }
        let mut verdict = Verdict::default();
        self.metrics(&token, &mut verdict).await;
        if role == Role::Active {
            self.cluster.round(&token, &mut self.dues, &mut verdict).await;
        } else {
            self.node.rest(&OF_THE_CLUSTER, "the active node is asked for it");
        }
        self.settle(&token, &verdict).await;
    }

    /// The token: an active node logs in for it, others use what is there.
    async fn token(&self, role: Role) -> Option<Token> {
        let Node { auth, client, own, board, pace, .. } = self.node;
        if role != Role::Active {
            let token = auth.at_hand().await;
            if token.is_none() {
                self.node.rest(&WITH_TOKEN, "a token is got on the active node alone");
            }
            return token;
        }
        let started = Instant::now();
        let grant = auth.token(client, own).await;
        let outcome = grant.trouble.clone().map_or(Ok(()), Err);
        self.node.record(Api::Login, outcome, started.elapsed(), pace.interval);
        if let Some(expiry) = grant.expiry {
            board.lock().token_expiry = Some(expiry);
        }
        if grant.token.is_err() {
            let others = &WITH_TOKEN[1..];
            self.node.rest(others, "there is no token");
        }
        grant.token.ok()
    }

    async fn metrics(&mut self, token: &Token, verdict: &mut Verdict) {
        let node = self.node;
        let due = self.dues.entry(Api::Metrics).or_default();
        if !due.now(&node.pace) {
            return;
        }
        let call = Call {
            path: "sys/metrics",
            query: "format=prometheus",
            // Vault answers it in the root namespace alone.
            namespace: "",
            token: Some(&token.secret),
            body: None,
            own: Some(&node.own),
            right: Right { path: "sys/metrics", capability: "read" },
        };
        let started = Instant::now();
        let text = node.client.text(&call).await;
        let took = started.elapsed();
        verdict.heard(text.as_ref().err());
        let telemetry = text.and_then(|text| {
            let telemetry = Telemetry::parse(&text, &node.prefix);
            // Not even what Vault counts of itself: another program, or another prefix.
            if telemetry == Telemetry::default() {
                return Err(Error::Malformed { problem: "no metrics of Vault's; is metrics_prefix right?" });
            }
            Ok(telemetry)
        });
        let wait = due.after(Api::Metrics, telemetry.as_ref().err(), &node.pace);
        match telemetry {
            Ok(telemetry) => {
                self.tell_counters(&telemetry);
                let fresh = Fresh::new(telemetry, node.pace.interval);
                node.board.node(&node.name, |latest| latest.telemetry = Some(fresh));
                node.record(Api::Metrics, Ok(()), took, wait);
            }
            Err(Error::Standby) => {
                node.rest(&[Api::Metrics], "a standby of this version does not answer it");
            }
            Err(error) => node.record(Api::Metrics, Err(error), took, wait),
        }
    }

    /// Tells the counters where they changed. What a new process counts is
    /// preceded by nothing: it counts from 0 even where it is already higher.
    fn tell_counters(&mut self, telemetry: &Telemetry) {
        let restarted = matches!(
            (self.cpu_seconds, telemetry.cpu_seconds),
            (Some(before), Some(now)) if now < before
        );
        self.cpu_seconds = telemetry.cpu_seconds.or(self.cpu_seconds);
        if restarted {
            self.node.own.fact(Fact::VaultCounters { raw: BTreeMap::new() });
        }
        if restarted || self.counters.as_ref() != Some(&telemetry.counters) {
            self.node.own.fact(Fact::VaultCounters { raw: telemetry.counters.clone() });
            self.counters = Some(telemetry.counters.clone());
        }
    }

    /// Draws the conclusion from a round about the token.
    async fn settle(&self, token: &Token, verdict: &Verdict) {
        let Node { auth, name, .. } = self.node;
        if verdict.accepted {
            auth.accepted(token.generation).await;
        } else if verdict.refused && auth.refused(token.generation).await {
            tracing::debug!(node = name.as_str(), "Vault refuses a token that it accepted before");
        }
    }
}

impl Verdict {
    /// Notes what Vault said to one call.
    pub(super) fn heard(&mut self, error: Option<&Error>) {
        match error {
            // An answer of whatever kind needs a token that is accepted.
            None | Some(Error::NotFound { .. } | Error::TelemetryOff) => self.accepted = true,
            Some(Error::Token { .. }) => self.refused = true,
            // A policy's no says nothing about the token.
            Some(_) => {}
        }
    }
}
