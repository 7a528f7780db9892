//! A courier: brings requests to one target, with its key, and knows when to come again. It counts and
//! says what came of them; a key that was refused is not shown to the receiver again.

use super::board::Board;
use super::client::{Answer, Client, Outgoing};
use super::target::{Outcome, Target};
use crate::config::{Secret, SecretSource};
use aws_lc_rs::rand;
use std::time::Duration;

/// The first wait after a failure; it doubles with every further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// And never gets longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How often it is looked whether a refused key has been replaced.
const REFUSED_WAIT: Duration = Duration::from_secs(10);

/// Brings requests to one target.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) target: Target,
    client: Client,
    board: Board,
    credential: Option<SecretSource>,
    /// The key that the receiver does not accept.
    refused: Option<Secret>,
    /// Failures since the last success.
    failures: u32,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was taken.
    Taken(Vec<u8>),
    /// In this size it never will be.
    TooLarge,
    /// As it is it never will be.
    Unusable,
    /// Come again after so long.
    Wait(Duration),
}

impl Courier {
    pub(super) fn new(
        target: Target,
        client: Client,
        board: Board,
        credential: Option<SecretSource>,
    ) -> Self {
        Self { target, client, board, credential, refused: None, failures: 0 }
    }

    /// Sends what `make` makes of the key, if there is one and the receiver has not refused it.
    pub(super) async fn send(&mut self, make: impl FnOnce(&str) -> Outgoing) -> Sent {
        // Where none is configured it is empty.
        let key = match self.credential.as_ref().map(SecretSource::read).transpose() {
            Ok(key) => key.unwrap_or_else(|| Secret::new("")),
            Err(why) => return self.later(&format!("the key cannot be read: {why}"), None),
        };
        if self.refused.as_ref() == Some(&key) {
            return Sent::Wait(REFUSED_WAIT);
        }
        let outgoing = make(key.reveal());
        match self.client.send(outgoing).await {
            Answer::Taken(body) => {
                self.succeeded();
                Sent::Taken(body)
            }
            Answer::Refused(status) => {
                let why = format!(
                    "the receiver does not accept the key (HTTP {status}); nothing more is sent until there is another one"
                );
                self.count(Outcome::Refused);
                self.board.trouble(self.target, Some(why.clone()));
                tracing::error!(target = self.target.name(), "{why}");
                self.refused = Some(key);
                Sent::Wait(REFUSED_WAIT)
            }
            Answer::TooLarge => {
                self.count(Outcome::Failed);
                Sent::TooLarge
            }
            Answer::Unusable(status) => {
                self.count(Outcome::Failed);
                tracing::warn!(
                    target = self.target.name(),
                    status,
                    "The receiver will not take what was pushed"
                );
                Sent::Unusable
            }
            Answer::Later(why, after) => self.later(&why, after),
        }
    }

    /// So much was given up for good.
    pub(super) fn dropped(&self, times: u64) {
        self.board.count(self.target, Outcome::Dropped, times);
    }

    /// Says what is wrong, or that nothing is.
    pub(super) fn trouble(&self, why: Option<String>) {
        self.board.trouble(self.target, why);
    }

    fn succeeded(&mut self) {
        let is_back = self.failures > 0 || self.refused.is_some();
        (self.failures, self.refused) = (0, None);
        self.count(Outcome::Delivered);
        self.board.trouble(self.target, None);
        if is_back {
            tracing::info!(target = self.target.name(), "Pushing works again");
        }
    }

    fn later(&mut self, why: &str, after: Option<Duration>) -> Sent {
        self.count(Outcome::Failed);
        let wait = FIRST_WAIT.saturating_mul(1 << self.failures.min(16)).min(LONGEST_WAIT);
        self.failures += 1;
        self.board.trouble(self.target, Some(why.to_owned()));
        if self.failures == 1 {
            tracing::warn!(target = self.target.name(), "Pushing does not work, and is tried again: {why}");
        }
        // The receiver's own wish is the least, not a share of it.
        Sent::Wait(jittered(wait).max(after.unwrap_or_default()))
    }

    fn count(&self, outcome: Outcome) {
        self.board.count(self.target, outcome, 1);
    }
}

/// Up to a fifth longer or shorter, so that those who failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let mut byte = [128];
    // Without a random number all of them wait equally long.
    let _ = rand::fill(&mut byte);
    wait.mul_f64(0.8 + 0.4 * f64::from(byte[0]) / 255.0)
}
