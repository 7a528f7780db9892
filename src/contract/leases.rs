//! Metrics about leases, from the ledger: what is out, what ended and why,
//! what should have ended and has not.

use super::credentials::ROLE;
use super::metric;
use crate::snapshot::Kind::{Counter, Gauge, Histogram};
use crate::snapshot::Metric;

const MOUNT: &[&str] = &["vault_namespace", "mount", "engine"];
const ROLE_TTL: &[&str] = &["vault_namespace", "mount", "engine", "role", "source"];

/// Leases that are out.
pub static LEASES: Metric =
    metric("leasewatch_leases", Gauge, ROLE, "Leases that were issued and have not ended, by the ledger.");
/// What the ends rest on.
pub static OBSERVED: Metric = metric(
    "leasewatch_ledger_observed",
    Gauge,
    ROLE,
    "1 where every end of a lease is seen in the server log, 0 where ends are estimated from TTLs.",
);
/// Whether there can be others.
pub static COMPLETE: Metric = metric(
    "leasewatch_ledger_complete",
    Gauge,
    &[],
    "0 while there can be leases from before the logs that were read, until they are listed or outlived.",
);
/// Leases from before.
pub static UNKNOWN: Metric = metric(
    "leasewatch_leases_unknown",
    Gauge,
    &["vault_namespace", "mount"],
    "Outstanding leases whose issue was not seen.",
);
/// Forecast.
pub static EXPIRING: Metric = metric(
    "leasewatch_leases_expiring",
    Gauge,
    &["vault_namespace", "mount", "engine", "role", "within"],
    "Leases that end within that time; cumulative, so never to be added up over within.",
);
/// Age.
pub static OLDEST: Metric = metric(
    "leasewatch_lease_oldest_issue_timestamp_seconds",
    Gauge,
    ROLE,
    "Unix time at which the oldest outstanding lease was issued.",
);
/// What should be gone.
pub static OVERDUE: Metric = metric(
    "leasewatch_leases_overdue",
    Gauge,
    ROLE,
    "Leases 15 seconds or more past their TTL, retried and stuck ones included; only where every end is seen.",
);
/// Waiting for another attempt.
pub static RETRYING: Metric = metric(
    "leasewatch_leases_retrying",
    Gauge,
    &["vault_namespace", "mount", "engine", "role", "failed_attempts"],
    "Leases whose revocation failed so many times and will be tried again; Vault gives up after six.",
);
/// The same by cause.
pub static RETRYING_BY_CAUSE: Metric = metric(
    "leasewatch_leases_retrying_by_cause",
    Gauge,
    &["vault_namespace", "mount", "engine", "reason"],
    "Leases whose revocation failed and will be tried again, by the cause of the last failure.",
);
/// Given up.
pub static STUCK: Metric = metric(
    "leasewatch_leases_stuck",
    Gauge,
    ROLE,
    "Leases with five failed attempts and the sixth's time past without a word: presumed irrevocable.",
);
/// Service tokens.
pub static TOKEN_LEASES: Metric = metric(
    "leasewatch_token_leases",
    Gauge,
    &["vault_namespace", "auth_method", "mount"],
    "Service tokens whose making was seen and that have not ended, by the TTLs in the audit log.",
);
/// Against the listing.
pub static DRIFT: Metric = metric(
    "leasewatch_ledger_drift",
    Gauge,
    ROLE,
    "The ledger's count minus the API's at the last listing; the ledger was set right then.",
);
/// Ends.
pub static REVOCATIONS: Metric = metric(
    "leasewatch_revocations_total",
    Counter,
    &["vault_namespace", "mount", "engine", "role", "cause"],
    "Leases that ended, each once, by cause; early: before its TTL, and nobody was found who had asked.",
);
/// Users left behind.
pub static FORCED_DESPITE: Metric = metric(
    "leasewatch_forced_revocation_failures_total",
    Counter,
    &["vault_namespace", "mount", "engine", "role", "reason"],
    "Leases given up by force although the engine failed, by reason: what they named may live on.",
);
/// Renewals that failed.
pub static RENEWAL_FAILURES: Metric = metric(
    "leasewatch_renewal_failures_total",
    Counter,
    &["vault_namespace", "mount", "engine", "role", "reason"],
    "Lease renewals that failed, by reason; most reasons stand in the server log alone.",
);
/// When renewals come.
pub static RENEWAL_ELAPSED: Metric = metric(
    "leasewatch_renewal_elapsed_ratio",
    Histogram,
    MOUNT,
    "Share of its TTL that a lease had used up when it was renewed.",
);
/// On what ends rest.
pub static ROLE_DEFAULT_TTL: Metric = metric(
    "leasewatch_role_default_ttl_seconds",
    Gauge,
    ROLE_TTL,
    "TTL of the role's leases unless a client asks for another, and where that is known from.",
);
/// The longest.
pub static ROLE_MAX_TTL: Metric = metric(
    "leasewatch_role_max_ttl_seconds",
    Gauge,
    ROLE_TTL,
    "Longest life of the role's leases, and where that is known from.",
);
/// Beyond the cap.
pub static EVICTIONS: Metric = metric(
    "leasewatch_ledger_evictions_total",
    Counter,
    &[],
    "Leases that the ledger had no room for; see the setting ledger.capacity.",
);
/// Vault's warning.
pub static MANY_LEASES: Metric = metric(
    "leasewatch_vault_lease_count_warnings_total",
    Counter,
    &[],
    "Times that Vault's server log warned of its number of leases, at most once a minute.",
);

/// All of this file.
pub static ALL: &[&Metric] = &[
    &LEASES,
    &OBSERVED,
    &COMPLETE,
    &UNKNOWN,
    &EXPIRING,
    &OLDEST,
    &OVERDUE,
    &RETRYING,
    &RETRYING_BY_CAUSE,
    &STUCK,
    &TOKEN_LEASES,
    &DRIFT,
    &REVOCATIONS,
    &FORCED_DESPITE,
    &RENEWAL_FAILURES,
    &RENEWAL_ELAPSED,
    &ROLE_DEFAULT_TTL,
    &ROLE_MAX_TTL,
    &EVICTIONS,
    &MANY_LEASES,
];

/// What only the active node's exporter shows.
pub static ACTIVE: &[&Metric] = &[
    &LEASES,
    &OBSERVED,
    &COMPLETE,
    &UNKNOWN,
    &EXPIRING,
    &OLDEST,
    &OVERDUE,
    &RETRYING,
    &RETRYING_BY_CAUSE,
    &STUCK,
    &TOKEN_LEASES,
    &DRIFT,
    &ROLE_DEFAULT_TTL,
    &ROLE_MAX_TTL,
];
