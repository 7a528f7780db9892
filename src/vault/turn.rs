//! A turn: the time in which a node is active and there is a token to ask it with.
//! What only the active node is asked, besides the scrape, waits for it here.

use super::api::Api;
use super::auth::Token;
use super::node::Node;
use super::pulse::Role;
use std::time::Duration;
use tokio::sync::watch;

/// A login is the scrape's, and may be under way: how soon to look again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The turns of one node, for one part of its API.
pub(super) struct Turn<'a> {
    pub(super) node: &'a Node,
    api: Api,
    role: watch::Receiver<Role>,
}

impl<'a> Turn<'a> {
    /// For `api` of `node`, whose pulse `role` tells.
    pub(super) fn new(node: &'a Node, api: Api, role: watch::Receiver<Role>) -> Self {
        Self { node, api, role }
    }

    /// Waits until the node is active and a token is there; `api` rests meanwhile, and says
    /// why. `None` at the end of everything.
    pub(super) async fn token(&mut self) -> Option<Token> {
        loop {
            if *self.role.borrow_and_update() != Role::Active {
                self.rest("the active node is asked for it");
                self.role.changed().await.ok()?;
                continue;
            }
            if let Some(token) = self.node.auth.at_hand().await {
                return Some(token);
            }
            if self.node.auth.is_configured() {
                self.rest("there is no token");
                let _ =
                    tokio::time::timeout(LOOK_AGAIN.min(self.node.pace.interval), self.role.changed()).await;
            } else {
                self.rest("no token is configured");
                self.role.changed().await.ok()?;
            }
        }
    }

    /// Waits for the next pulse. Whether the node is still active; dropping it loses nothing.
    pub(super) async fn goes_on(&mut self) -> bool {
        self.role.changed().await.is_ok() && *self.role.borrow_and_update() == Role::Active
    }

    /// Waits until the node is not active any more; dropping it loses nothing.
    pub(super) async fn ends(&mut self) {
        while self.goes_on().await {}
    }

    /// Waits for so long; less, when the node ceases to be active or the token is another.
    pub(super) async fn pause(&mut self, wait: Duration, token: &Token) {
        let over = tokio::time::sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                goes_on = self.goes_on() => {
                    let now = self.node.auth.at_hand().await;
                    if !goes_on || now.is_none_or(|now| now.generation != token.generation) {
                        return;
                    }
                }
            }
        }
    }

    /// Nothing is asked, for this reason.
    pub(super) fn rest(&self, why: &'static str) {
        self.node.rest(&[self.api], why);
    }
}
