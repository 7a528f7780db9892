//! The task that pushes metrics: every interval a snapshot, cut into requests, each acknowledged by itself.

use super::client::Outgoing;
use super::courier::{Courier, Sent};
use super::deltas::Deltas;
use super::otlp::{Envelope, Point, gzip};
use super::target::Target;
use super::{Site, ask, rest};
use crate::clock::wall;
use crate::config::PushConfig;
use crate::store::{Store, StoreError};
use percent_encoding::percent_decode_str;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Bytes of a request before it is compressed: receivers behind a common proxy take a million.
const BATCH_MOST: usize = 900_000;
/// How long a request under way may take to end once all is stopped.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// How often it is looked whether there are numbers yet.
const NOT_YET: Duration = Duration::from_secs(1);

/// Pushes metrics to one receiver.
pub(super) struct Metrics {
    courier: Courier,
    url: String,
    envelope: Envelope,
    interval: Duration,
    deltas: Deltas,
}

impl Metrics {
    pub(super) fn open(
        courier: Courier,
        config: &PushConfig,
        url: String,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let own = [
            ("service.name", config.otlp.service_name.as_str()),
            ("service.version", env!("CARGO_PKG_VERSION")),
        ];
        let mut attributes: Vec<_> =
            own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let further = config.otlp.resource_attributes.iter();
        attributes.extend(further.filter(|(name, _)| own.iter().all(|(own, _)| own != name)).cloned());
        let deltas = Deltas::open(store, &format!("push-{}", courier.target.name()))?;
        Ok(Self { courier, url, envelope: Envelope::new(&attributes), interval: config.interval, deltas })
    }

    pub(super) async fn run(mut self, site: Arc<dyn Site>, stop: CancellationToken) {
        loop {
            let wait = self.push(&site, &stop).await;
            if rest(wait, &stop).await {
                return;
            }
        }
    }

    /// Pushes once. How long to wait then.
    async fn push(&mut self, site: &Arc<dyn Site>, stop: &CancellationToken) -> Duration {
        let Some(Some(snapshot)) = ask(site, <dyn Site>::snapshot).await else { return NOT_YET };
        let at = wall();
        let points = self.deltas.points(&snapshot, at);
        if self.deltas.is_new() {
            // From here on everything counts, whether the receiver is there or not.
            note(self.deltas.finish(&snapshot, at));
        }
        let mut batches: VecDeque<_> = self.envelope.batches(points, BATCH_MOST).into();
        while let Some(batch) = batches.pop_front() {
            if stop.is_cancelled() {
                return self.interval;
            }
            let sent = tokio::select! {
                sent = self.send(&batch) => sent,
                () = async { stop.cancelled().await; tokio::time::sleep(LAST_WAIT).await } => return self.interval,
            };
            match sent {
                Sent::Taken(_) => {}
                Sent::Wait(wait) => return wait,
                Sent::TooLarge | Sent::Unusable if batch.len() > 1 => {
                    let mut first = batch;
                    let second = first.split_off(first.len() / 2);
                    batches.push_front(second);
                    batches.push_front(first);
                    continue;
                }
                Sent::TooLarge | Sent::Unusable => self.courier.dropped(1),
            }
            note(self.deltas.acknowledge(&batch, at));
        }
        note(self.deltas.finish(&snapshot, at));
        self.interval
    }

    async fn send(&mut self, batch: &[Point]) -> Sent {
        let body = self.envelope.render(batch);
        let (url, target) = (self.url.clone(), self.courier.target);
        let make = |key: &str| {
            // In memory nothing can go wrong; without compression it is as good.
            let (body, is_packed) = gzip(&body).map_or_else(|_| (body, false), |packed| (packed, true));
            let mut outgoing = Outgoing::json(url, body);
            if is_packed {
                outgoing = outgoing.header("content-encoding", "gzip");
            }
            if target == Target::OneUptimeMetrics {
                return outgoing.header("x-oneuptime-token", key);
            }
            outgoing.headers.extend(headers(key));
            outgoing
        };
        self.courier.send(make).await
    }
}

fn note(written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::error!(%error, "What a receiver took could not be written down, and is sent again after a restart: make room in the state folder");
    }
}

/// Headers as `OTEL_EXPORTER_OTLP_HEADERS` has them; in a file they may stand line by line.
fn headers(text: &str) -> Vec<(String, String)> {
    let pairs = text.split([',', '\n']).filter_map(|pair| pair.split_once('='));
    let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
    pairs.map(|(name, value)| (name.trim().to_owned(), decoded(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs_with_encoded_values() {
        let read = headers("x-oneuptime-token=a%20b%3D, authorization = Basic%20x\nnonsense\n");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [pair("x-oneuptime-token", "a b="), pair("authorization", "Basic x")]);
    }
}
