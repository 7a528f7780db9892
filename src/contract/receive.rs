//! Metrics about what audit devices send.

use super::metric;
use crate::snapshot::Kind::{Counter, Gauge};
use crate::snapshot::Metric;

/// By receiver.
pub static CONNECTIONS: Metric = metric(
    "leasewatch_receiver_connections",
    Gauge,
    &["source"],
    "Open connections of audit devices; 0 for datagrams, which have none.",
);

/// By receiver and reason.
pub static DROPPED: Metric = metric(
    "leasewatch_receiver_dropped_total",
    Counter,
    &["source", "reason"],
    "Lines that came and were not kept, by reason; of peers that may not send, connections or datagrams.",
);

/// By receiver.
pub static LAST_LINE: Metric = metric(
    "leasewatch_receiver_last_line_timestamp_seconds",
    Gauge,
    &["source"],
    "Time at which a line last came.",
);

/// All of this file.
pub static ALL: &[&Metric] = &[&CONNECTIONS, &DROPPED, &LAST_LINE];
