//! Metrics about what happens to credentials, from the audit log.

use super::metric;
use crate::snapshot::{Kind, Metric};

/// The labels of a role.
pub const ROLE: &[&str] = &["vault_namespace", "mount", "engine", "role"];
/// The labels of a role, and a reason.
const ROLE_REASON: &[&str] = &["vault_namespace", "mount", "engine", "role", "reason"];
/// The labels of a role, and an outcome.
const ROLE_OUTCOME: &[&str] = &["vault_namespace", "mount", "engine", "role", "outcome"];
const ROLE_WINDOW: &[&str] = &["vault_namespace", "mount", "engine", "role", "window"];
const MOUNT: &[&str] = &["vault_namespace", "mount", "engine"];
const MOUNT_OUTCOME: &[&str] = &["vault_namespace", "mount", "engine", "outcome"];
const CONNECTION: &[&str] = &["vault_namespace", "mount", "connection"];

/// Dynamic credentials made.
pub static ISSUED: Metric = metric(
    "leasewatch_credentials_issued_total",
    Kind::Counter,
    ROLE,
    "Dynamic credentials issued, wrapped ones included.",
);
/// Static credentials read.
pub static STATIC_READ: Metric = metric(
    "leasewatch_static_credentials_read_total",
    Kind::Counter,
    ROLE,
    "Reads of static credentials, which Vault rotates by itself and which have no lease.",
);
/// Requests for credentials that failed.
pub static FAILURES: Metric = metric(
    "leasewatch_credential_failures_total",
    Kind::Counter,
    ROLE_REASON,
    "Requests for credentials that failed, by reason.",
);
/// Time from request to response.
pub static ISSUE_DURATION: Metric = metric(
    "leasewatch_credential_issue_duration_seconds",
    Kind::Histogram,
    MOUNT,
    "Time from the audit entry of a request for a credential to that of its successful response.",
);
/// Rate over a window.
pub static ISSUE_RATE: Metric = metric(
    "leasewatch_credentials_issue_rate",
    Kind::Gauge,
    ROLE_WINDOW,
    "Dynamic credentials issued per second over the last window of event time.",
);
/// Lease renewals.
pub static RENEWALS: Metric = metric(
    "leasewatch_renewals_total",
    Kind::Counter,
    ROLE_OUTCOME,
    "Lease renewals by outcome; capped means that the max TTL cut it short.",
);
/// Requests to revoke.
pub static REVOCATION_REQUESTS: Metric = metric(
    "leasewatch_revocation_requests_total",
    Kind::Counter,
    &["vault_namespace", "mount", "engine", "form", "outcome"],
    "Requests to revoke leases or tokens, by form and outcome; queued is not yet done.",
);
/// Failed attempts to revoke.
pub static REVOCATION_FAILURES: Metric = metric(
    "leasewatch_revocation_failures_total",
    Kind::Counter,
    ROLE_REASON,
    "Failed attempts to revoke a lease, by cause, from the server log.",
);
/// Logins.
pub static LOGINS: Metric = metric(
    "leasewatch_logins_total",
    Kind::Counter,
    &["vault_namespace", "auth_method", "mount", "outcome"],
    "Logins by auth method and outcome.",
);
/// Denials.
pub static DENIED: Metric = metric(
    "leasewatch_denied_total",
    Kind::Counter,
    &["vault_namespace", "mount", "engine", "kind"],
    "Requests refused by a policy, or for a token that is not or no longer valid.",
);
/// All requests.
pub static REQUESTS: Metric = metric(
    "leasewatch_requests_total",
    Kind::Counter,
    MOUNT_OUTCOME,
    "Requests of all kinds by outcome; unanswered means that no response entry came within five minutes.",
);
/// Operations that change how Vault works.
pub static PRIVILEGED: Metric = metric(
    "leasewatch_privileged_operations_total",
    Kind::Counter,
    &["vault_namespace", "mount", "operation", "outcome"],
    "Operations that change how Vault works, and every request by a root token.",
);
/// Last rotation of a root credential.
pub static ROOT_ROTATION: Metric = metric(
    "leasewatch_root_rotation_last_success_timestamp_seconds",
    Kind::Gauge,
    CONNECTION,
    "When the root credential of a database connection was last rotated.",
);
/// Last write of a connection.
pub static CONNECTION_WRITE: Metric = metric(
    "leasewatch_connection_write_timestamp_seconds",
    Kind::Gauge,
    CONNECTION,
    "When a database connection was last written.",
);
/// All of this file.
pub static ALL: &[&Metric] = &[
    &ISSUED,
    &STATIC_READ,
    &FAILURES,
    &ISSUE_DURATION,
    &ISSUE_RATE,
    &RENEWALS,
    &REVOCATION_REQUESTS,
    &REVOCATION_FAILURES,
    &LOGINS,
    &DENIED,
    &REQUESTS,
    &PRIVILEGED,
    &ROOT_ROTATION,
    &CONNECTION_WRITE,
];
