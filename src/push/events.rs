//! The task that pushes security events: looks what has become of episodes, and empties the outbox.

use super::client::Outgoing;
use super::courier::{Courier, Sent};
use super::outbox::Outbox;
use super::{Site, ask, rest};
use crate::event::PrivilegedUse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often it is looked for what is new.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked what has become of episodes.
const EPISODES_EVERY: Duration = Duration::from_secs(5);
/// Events of one request.
const EVENTS_MOST: usize = 500;
/// Bytes of one request.
const BYTES_MOST: usize = 900_000;

/// Pushes security events.
pub(super) struct Events {
    courier: Courier,
    url: String,
    outbox: Arc<Mutex<Outbox>>,
    /// No more events than this in the next request: the receiver did not take more.
    most: usize,
}

impl Events {
    pub(super) fn new(courier: Courier, base: &str, outbox: Arc<Mutex<Outbox>>) -> Self {
        Self { courier, url: format!("{base}/security-events/v1/ingest"), outbox, most: EVENTS_MOST }
    }

    pub(super) async fn run(mut self, site: Arc<dyn Site>, stop: CancellationToken) {
        let (mut next_look, mut next_push) = (Instant::now(), Instant::now());
        loop {
            if Instant::now() >= next_look {
                self.look(&site).await;
                next_look = Instant::now() + EPISODES_EVERY;
            }
            if Instant::now() >= next_push {
                // One that is under way when all is stopped is sent again: it has an ID.
                let wait = tokio::select! {
                    wait = self.push() => wait,
                    () = stop.cancelled() => return,
                };
                next_push = Instant::now() + wait;
            }
            if next_push > Instant::now() && rest(LOOK_EVERY, &stop).await {
                return;
            }
        }
    }

    /// Puts into the outbox what has become of episodes.
    async fn look(&self, site: &Arc<dyn Site>) {
        let outbox = Arc::clone(&self.outbox);
        let looked = ask(site, move |site| {
            let episodes = site.episodes();
            let mut outbox = lock(&outbox);
            let recent: Vec<_> = episodes.iter().map(|episode| episode.id).collect();
            let older = outbox.open_episodes().into_iter().filter(|id| !recent.contains(id));
            for id in older.collect::<Vec<_>>() {
                match site.episode(id) {
                    Some(episode) => outbox.take_episodes(&[episode])?,
                    None => outbox.forget_episode(id)?,
                }
            }
            outbox.take_episodes(&episodes)?;
            outbox.keep_episodes(&recent)
        });
        if let Some(Err(error)) = looked.await {
            note(Err(error));
        }
    }

    /// Sends one request, if anything waits. How long to wait for the next.
    async fn push(&mut self) -> Duration {
        let events = lock(&self.outbox).oldest(self.most, BYTES_MOST);
        if events.is_empty() {
            return LOOK_EVERY;
        }
        let body = format!("{{\"events\":[{}]}}", events.join(","));
        let url = self.url.clone();
        let make = |key: &str| {
            Outgoing::json(url, body.into_bytes())
                .header("x-oneuptime-token", key)
                .header("x-oneuptime-security-event-format", "ocsf")
        };
        match self.courier.send(make).await {
            Sent::Taken(_) => {
                self.most = EVENTS_MOST;
                note(lock(&self.outbox).done(events.len()));
                Duration::ZERO
            }
            Sent::Wait(wait) => wait,
            Sent::TooLarge | Sent::Unusable if events.len() > 1 => {
                self.most = events.len() / 2;
                Duration::ZERO
            }
            Sent::TooLarge | Sent::Unusable => {
                self.courier.dropped(1);
                note(lock(&self.outbox).done(1));
                Duration::ZERO
            }
        }
    }
}

/// Puts privileged operations into the outbox, and counts those that were lost.
pub fn post(outbox: &Mutex<Outbox>, uses: &[PrivilegedUse], lost: u64) {
    note(lock(outbox).take(uses, lost));
}

fn lock(outbox: &Mutex<Outbox>) -> MutexGuard<'_, Outbox> {
    outbox.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::error!(%error, "Security events could not be written down: make room in the state folder");
    }
}
