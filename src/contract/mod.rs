//! The metrics contract: every metric this program can show, by subject.
//! Names here are stable. Definitions only; whoever makes the numbers uses them.

pub mod anomaly;
pub mod credentials;
pub mod leases;
pub mod own;
pub mod push;
pub mod receive;
pub mod vault;

use crate::snapshot::{Kind, Metric};

/// Every metric, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [credentials::ALL, leases::ALL, anomaly::ALL, vault::ALL, own::ALL, receive::ALL, push::ALL]
        .into_iter()
        .flatten()
        .copied()
}

/// A definition that reads as a row of a table.
const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, help, kind, labels }
}
