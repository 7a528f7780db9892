//! What the active node is asked for the whole cluster: the own token,
//! irrevocable leases, mounts and roles. To the board, and to facts where they changed.

use super::api::{Api, Due};
use super::auth::Token;
use super::board::Fresh;
use super::client::{Call, Right};
use super::error::Error;
use super::inventory::{self, LeaseCount, MountAnswer, UiMounts};
use super::node::{Node, Verdict};
use super::walk::Walk;
use crate::event::{Fact, MountClass, MountFact, Timestamp};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Asks for the cluster, over one node.
pub(super) struct Cluster<'a> {
    node: &'a Node,
    walk: Walk,
    told_mounts: BTreeMap<String, (Vec<MountFact>, bool)>,
    /// Something unknown showed up.
    inventory_wanted: bool,
    inventory_at: Option<Instant>,
}

/// One token's way to one node.
pub(super) struct Asking<'a> {
    pub(super) node: &'a Node,
    pub(super) token: &'a Token,
}

impl Asking<'_> {
    /// Asks for `path` with the token; says so to `verdict`.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        namespace: &str,
        path: &str,
        query: &str,
        right: Right<'_>,
        verdict: &mut Verdict,
    ) -> Result<T, Error> {
        let call = Call {
            path,
            query,
            namespace,
            token: Some(&self.token.secret),
            body: None,
            own: Some(&self.node.own),
            right,
        };
        let answer = self.node.client.json::<T>(&call).await;
        verdict.heard(answer.as_ref().err());
        answer?.data.ok_or(Error::Malformed { problem: "an answer without data" })
    }

    async fn read<T: DeserializeOwned>(
        &self,
        namespace: &str,
        path: &str,
        query: &str,
        verdict: &mut Verdict,
    ) -> Result<T, Error> {
        self.get(namespace, path, query, Right { path, capability: "read" }, verdict).await
    }
}

impl<'a> Cluster<'a> {
    /// Nothing asked yet.
    pub(super) fn new(node: &'a Node) -> Self {
        Self {
            node,
            walk: Walk::default(),
            told_mounts: BTreeMap::new(),
            inventory_wanted: false,
            inventory_at: None,
        }
    }

    /// The node is another than before: a half-done reading is worth nothing.
    pub(super) fn forget_walk(&mut self) {
        self.walk = Walk::default();
    }

    /// Asks for everything that is due.
    pub(super) async fn round(
        &mut self,
        token: &Token,
        dues: &mut BTreeMap<Api, Due>,
        verdict: &mut Verdict,
    ) {
        let node = self.node;
        let asking = Asking { node, token };
        let is_due = |dues: &mut BTreeMap<Api, Due>, api| dues.entry(api).or_default().now(&node.pace);
        if is_due(dues, Api::Token) {
            let started = Instant::now();
            let outcome = self.own_token(&asking, verdict).await;
            self.done(dues, Api::Token, outcome, started.elapsed());
        }
        self.hasten_inventory(dues);
        // Mounts first: the others need their names.
        if is_due(dues, Api::Mounts) {
            let started = Instant::now();
            self.inventory_at = Some(started);
            let outcome = self.mounts(&asking, verdict).await;
            self.done(dues, Api::Mounts, outcome, started.elapsed());
        }
        if is_due(dues, Api::IrrevocableLeases) {
            let started = Instant::now();
            let outcome = self.irrevocable(&asking, verdict).await;
            self.done(dues, Api::IrrevocableLeases, outcome, started.elapsed());
        }
        if (self.walk.is_under_way() || is_due(dues, Api::Roles))
            && let Some((outcome, took)) = self.walk.step(&asking, verdict).await
        {
            self.done(dues, Api::Roles, outcome, took);
        }
    }

    fn done(&self, dues: &mut BTreeMap<Api, Due>, api: Api, outcome: Result<(), Error>, took: Duration) {
        let wait = dues.entry(api).or_default().after(api, outcome.as_ref().err(), &self.node.pace);
        self.node.record(api, outcome, took, wait);
    }

    /// Something unknown showed up: mounts and roles are due, if they were not
    /// just read and nobody refused them.
    fn hasten_inventory(&mut self, dues: &mut BTreeMap<Api, Due>) {
        self.inventory_wanted |= self.node.board.take_inventory_wanted();
        let least = self.node.pace.inventory_at_least;
        if !self.inventory_wanted || self.inventory_at.is_some_and(|at| at.elapsed() < least) {
            return;
        }
        self.inventory_wanted = false;
        for api in [Api::Mounts, Api::Roles] {
            let works = |outcome: Option<&Result<(), Error>>| outcome.is_none_or(Result::is_ok);
            let works = self.node.board.node(&self.node.name, |node| {
                works(node.apis.get(&api).and_then(|latest| latest.outcome.as_ref()))
            });
            if works {
                dues.entry(api).or_default().reset();
            }
        }
    }

    async fn own_token(&self, asking: &Asking<'_>, verdict: &mut Verdict) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        struct LookUp {
            expire_time: Option<String>,
        }
        let namespace = self.node.auth.namespace();
        let found: LookUp = asking.read(namespace, "auth/token/lookup-self", "", verdict).await?;
        let expiry = found.expire_time.as_deref().and_then(Timestamp::parse_rfc3339);
        let nanos = expiry.and_then(|expiry| u64::try_from(expiry.as_nanos()).ok());
        self.node.board.lock().token_expiry = nanos.map(|nanos| UNIX_EPOCH + Duration::from_nanos(nanos));
        Ok(())
    }

    async fn irrevocable(&mut self, asking: &Asking<'_>, verdict: &mut Verdict) -> Result<(), Error> {
        let node = self.node;
        let mut outcome = Ok(());
        for namespace in &node.namespaces {
            let answer: Result<LeaseCount, Error> =
                asking.read(namespace, "sys/leases/count", "type=irrevocable", verdict).await;
            match answer {
                Ok(answer) => {
                    let mut latest = node.board.lock();
                    let known = |accessor| latest.mount_of(namespace, accessor).is_some();
                    self.inventory_wanted |= !answer.counts.keys().all(|accessor| known(accessor));
                    let fresh = Fresh::new(answer.counts, node.pace.interval);
                    latest.irrevocable.insert(namespace.clone(), fresh);
                }
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    async fn mounts(&mut self, asking: &Asking<'_>, verdict: &mut Verdict) -> Result<(), Error> {
        let node = self.node;
        let mut outcome = Ok(());
        for namespace in &node.namespaces {
            match Self::mounts_of(asking, namespace, verdict).await {
                Ok((mounts, partial)) => {
                    let fresh = Fresh::new(mounts.clone(), node.pace.inventory);
                    node.board.lock().mounts.insert(namespace.clone(), fresh);
                    self.tell_mounts(namespace, mounts, partial);
                }
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    /// All mounts of a namespace, or those that the token may touch.
    async fn mounts_of(
        asking: &Asking<'_>,
        namespace: &str,
        verdict: &mut Verdict,
    ) -> Result<(Vec<MountFact>, bool), Error> {
        type Answer = BTreeMap<String, MountAnswer>;
        let secret: Result<Answer, Error> = asking.read(namespace, "sys/mounts", "", verdict).await;
        let auth: Result<Answer, Error> = match &secret {
            Ok(_) | Err(Error::Denied { .. }) => asking.read(namespace, "sys/auth", "", verdict).await,
            Err(error) => return Err(error.clone()),
        };
        let (secret, auth, partial) = match (secret, auth) {
            (Ok(secret), Ok(auth)) => (secret, auth, false),
            (secret, Ok(_) | Err(Error::Denied { .. })) if secret.is_err() => {
                let path = "sys/internal/ui/mounts";
                let listed: Result<UiMounts, Error> = asking.read(namespace, path, "", verdict).await;
                match (listed, secret) {
                    (Ok(listed), _) => (listed.secret, listed.auth, true),
                    // The right to the whole list is the one to ask for.
                    (Err(_), Err(error)) | (Err(error), Ok(_)) => return Err(error),
                }
            }
            // Secret engines are what counts.
            (Ok(secret), Err(Error::Denied { .. })) => (secret, Answer::new(), true),
            (_, Err(error)) | (Err(error), _) => return Err(error),
        };
        let mut mounts: Vec<_> = inventory::mounts(secret, MountClass::Secret)
            .chain(inventory::mounts(auth, MountClass::Auth))
            .collect();
        mounts.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((mounts, partial))
    }

    fn tell_mounts(&mut self, namespace: &str, mounts: Vec<MountFact>, partial: bool) {
        let told = (mounts, partial);
        if self.told_mounts.get(namespace) != Some(&told) {
            let (mounts, partial) = told.clone();
            let namespace = namespace.to_owned();
            self.told_mounts.insert(namespace.clone(), told);
            self.node.own.cluster_fact(Fact::Mounts { namespace, mounts, partial });
        }
    }
}
