//! The heartbeat: a sign of life that stops when leasewatch is not well, so that its absence is an alarm.

use super::client::Outgoing;
use super::courier::{Courier, Sent};
use super::{Site, ask, rest};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Sends heartbeats to one monitor.
pub(super) struct Heartbeat {
    courier: Courier,
    interval: Duration,
    base: String,
}

impl Heartbeat {
    pub(super) fn new(courier: Courier, interval: Duration, base: &str) -> Self {
        Self { courier, interval, base: base.to_owned() }
    }

    pub(super) async fn run(mut self, site: Arc<dyn Site>, stop: CancellationToken) {
        loop {
            let wait = tokio::select! {
                wait = self.beat(&site) => wait,
                () = stop.cancelled() => return,
            };
            if rest(wait, &stop).await {
                return;
            }
        }
    }

    /// One beat. How long to wait for the next: until it is well again, it is looked more often.
    async fn beat(&mut self, site: &Arc<dyn Site>) -> Duration {
        let soon = self.interval.min(Duration::from_secs(5));
        let pulse = match ask(site, <dyn Site>::pulse).await {
            Some(Ok(pulse)) => pulse,
            Some(Err(why)) => {
                self.courier.trouble(Some(format!("no heartbeat is sent: {why}")));
                return soon;
            }
            None => return soon,
        };
        let base = &self.base;
        // The key is the path; headers are shown to whoever may see the monitor.
        let sent = self
            .courier
            .send(|key| Outgoing::json(format!("{base}/heartbeat/{key}"), pulse.to_string().into_bytes()));
        match sent.await {
            Sent::Taken(_) => self.interval,
            Sent::Wait(wait) => wait,
            Sent::TooLarge | Sent::Unusable => {
                self.courier.dropped(1);
                self.interval
            }
        }
    }
}
