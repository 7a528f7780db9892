//! Metrics about Vault itself, scraped from its API. The numbers come from
//! `vault` (gauges) and from `state` (counters, made durable).

use crate::snapshot::{Kind, Metric};

const NODE: &[&str] = &["node"];
const NODE_API: &[&str] = &["node", "api"];

macro_rules! metrics {
    ($($id:ident = $kind:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $id: Metric = Metric {
                name: concat!("leasewatch_", $name),
                help: $help,
                kind: Kind::$kind,
                labels: $labels,
            };
        )*
        /// All of this file.
        pub static ALL: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    VAULT_UP = Gauge "vault_up" NODE, "Whether the node answered sys/health in the last scrape.";
    VAULT_INITIALIZED = Gauge "vault_initialized" NODE, "Whether the node is initialized.";
    VAULT_SEALED = Gauge "vault_sealed" NODE, "Whether the node is sealed.";
    VAULT_ACTIVE = Gauge "vault_active" NODE, "Whether the node is unsealed and serves as the active one.";
    VAULT_STANDBY = Gauge "vault_standby" NODE, "Whether the node is an unsealed standby.";
    VAULT_PERFORMANCE_STANDBY = Gauge "vault_performance_standby" NODE,
        "Whether the node is a performance standby.";
    VAULT_DR_SECONDARY = Gauge "vault_dr_secondary" NODE,
        "Whether the node belongs to a disaster recovery secondary cluster.";
    VAULT_LEADER_KNOWN = Gauge "vault_leader_known" NODE,
        "Whether the node knows an active node; only where high availability is enabled.";
    VAULT_ACTIVE_SINCE = Gauge "vault_active_since_timestamp_seconds" NODE,
        "Unix time at which the active node became active.";
    VAULT_INFO = Gauge "vault_info" &["node", "version", "cluster_name", "cluster_id", "product"],
        "Always 1, with the version and the cluster of the node as labels.";
    VAULT_TOKEN_EXPIRY = Gauge "vault_token_expiry_timestamp_seconds" &[],
        "Unix time at which the exporter's own token expires; absent if it never does.";
    VAULT_LEASES = Gauge "vault_leases" NODE,
        "Vault's own count of leases of every kind, service tokens included.";
    LEASES_IRREVOCABLE = Gauge "leases_irrevocable" &["vault_namespace", "mount", "engine"],
        "Leases that Vault gave up revoking, by the API.";
    ROLE_INFO = Gauge "role_info" &["vault_namespace", "mount", "engine", "role", "connection", "team"],
        "Always 1, with the database connection of the role and the team that owns it as labels.";
    SCRAPE_SUCCESS = Gauge "scrape_success" NODE_API, "Whether the last call of this part of Vault's API succeeded.";
    SCRAPE_DURATION = Gauge "scrape_duration_seconds" NODE_API,
        "How long the last call of this part of Vault's API took.";
    SCRAPE_LAST_SUCCESS = Gauge "scrape_last_success_timestamp_seconds" NODE_API,
        "Unix time of the last successful call of this part of Vault's API.";

    VAULT_LEASE_CREATIONS = Counter "vault_lease_creations_total" NODE,
        "Leases of secrets that Vault counted as created.";
    VAULT_TOKEN_CREATIONS = Counter "vault_token_creations_total" NODE,
        "Tokens that Vault counted as created, batch and wrapping tokens included.";
    VAULT_ROOT_TOKEN_CREATIONS = Counter "vault_root_token_creations_total" NODE,
        "Root tokens that Vault counted as created.";
    VAULT_LEASE_RENEWALS = Counter "vault_lease_renewals_total" NODE,
        "Renewals of leases of secrets that Vault counted, failed ones included.";
    VAULT_LEASE_REVOCATION_ATTEMPTS = Counter "vault_lease_revocation_attempts_total" NODE,
        "Automatic revocations that Vault started, every retry included.";
    VAULT_LEASE_REVOCATION_ERRORS = Counter "vault_lease_revocation_errors_total" NODE,
        "Automatic revocations that failed, every retry included.";
    VAULT_DATABASE_USER_CREATIONS = Counter "vault_database_user_creations_total" NODE,
        "Calls of database plugins to create a user, failed ones included.";
    VAULT_DATABASE_USER_CREATION_ERRORS = Counter "vault_database_user_creation_errors_total" NODE,
        "Calls of database plugins to create a user that failed.";
    VAULT_DATABASE_USER_UPDATES = Counter "vault_database_user_updates_total" NODE,
        "Calls of database plugins to update a user, failed ones included.";
    VAULT_DATABASE_USER_UPDATE_ERRORS = Counter "vault_database_user_update_errors_total" NODE,
        "Calls of database plugins to update a user that failed.";
    VAULT_DATABASE_USER_DELETIONS = Counter "vault_database_user_deletions_total" NODE,
        "Calls of database plugins to delete a user, failed ones included.";
    VAULT_DATABASE_USER_DELETION_ERRORS = Counter "vault_database_user_deletion_errors_total" NODE,
        "Calls of database plugins to delete a user that failed.";
    VAULT_AUDIT_REQUEST_FAILURES = Counter "vault_audit_request_failures_total" NODE,
        "Requests that no audit device could log, and that Vault therefore refused.";
    VAULT_AUDIT_RESPONSE_FAILURES = Counter "vault_audit_response_failures_total" NODE,
        "Responses that no audit device could log, and that Vault therefore withheld.";
    VAULT_AUDIT_SINK_FAILURES = Counter "vault_audit_sink_failures_total" NODE,
        "Writes to single audit devices that failed (Vault 1.16 and later).";
    VAULT_REQUESTS = Counter "vault_requests_total" NODE,
        "Requests that the node handled, logins left out.";
    VAULT_LOGIN_REQUESTS = Counter "vault_login_requests_total" NODE,
        "Login requests that the node handled.";
    VAULT_LEADERSHIP_LOSSES = Counter "vault_leadership_losses_total" NODE,
        "Times the node lost the active role.";
    VAULT_LEADERSHIP_SETUP_FAILURES = Counter "vault_leadership_setup_failures_total" NODE,
        "Times the node failed to take up the active role.";
    VAULT_FORWARD_ERRORS = Counter "vault_forward_errors_total" NODE,
        "Requests that the standby failed to forward to the active node.";
    VAULT_RATE_LIMIT_VIOLATIONS = Counter "vault_rate_limit_violations_total" NODE,
        "Requests refused by a rate limit quota.";
    VAULT_LEASE_COUNT_VIOLATIONS = Counter "vault_lease_count_violations_total" NODE,
        "Requests refused by a lease count quota (Vault Enterprise).";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_agree() {
        for metric in ALL {
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
