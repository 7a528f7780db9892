//! What is taken from `sys/metrics`: two gauges, and the counters chosen to be made durable.

use super::prometheus_text::{Sample, samples};
use crate::contract::vault as metrics;
use crate::snapshot::Metric;
use std::collections::BTreeMap;

/// One counter of `sys/metrics` that is made durable.
#[derive(Debug)]
pub struct Chosen {
    /// Key in `Fact::VaultCounters`: its name below `leasewatch_vault_…_total`.
    pub key: &'static str,
    /// The metric that shows it.
    pub metric: &'static Metric,
    /// Names in `sys/metrics` without the prefix; all label sets of all of them
    /// are added up. Calls that Vault times are summaries: `_count` counts them.
    pub raw: &'static [&'static str],
}

const fn chosen(key: &'static str, metric: &'static Metric, raw: &'static [&'static str]) -> Chosen {
    Chosen { key, metric, raw }
}

/// All counters that are made durable. Vault's documentation has the names of
/// database plugins of version 4 (`CreateUser`); those of version 5, all of
/// today's, say `NewUser`, `UpdateUser` and `DeleteUser`.
pub static CHOSEN: &[Chosen] = &[
    chosen("lease_creations", &metrics::VAULT_LEASE_CREATIONS, &["secret_lease_creation"]),
    chosen("token_creations", &metrics::VAULT_TOKEN_CREATIONS, &["token_creation"]),
    chosen("root_token_creations", &metrics::VAULT_ROOT_TOKEN_CREATIONS, &["token_create_root"]),
    chosen("lease_renewals", &metrics::VAULT_LEASE_RENEWALS, &["expire_renew_count"]),
    chosen(
        "lease_revocation_attempts",
        &metrics::VAULT_LEASE_REVOCATION_ATTEMPTS,
        &["expire_lease_expiration"],
    ),
    chosen(
        "lease_revocation_errors",
        &metrics::VAULT_LEASE_REVOCATION_ERRORS,
        &["expire_lease_expiration_error"],
    ),
    chosen(
        "database_user_creations",
        &metrics::VAULT_DATABASE_USER_CREATIONS,
        &["database_NewUser_count", "database_CreateUser_count"],
    ),
    chosen(
        "database_user_creation_errors",
        &metrics::VAULT_DATABASE_USER_CREATION_ERRORS,
        &["database_NewUser_error", "database_CreateUser_error"],
    ),
    chosen(
        "database_user_updates",
        &metrics::VAULT_DATABASE_USER_UPDATES,
        &["database_UpdateUser_count", "database_RenewUser_count"],
    ),
    chosen(
        "database_user_update_errors",
        &metrics::VAULT_DATABASE_USER_UPDATE_ERRORS,
        &["database_UpdateUser_error", "database_RenewUser_error"],
    ),
    chosen(
        "database_user_deletions",
        &metrics::VAULT_DATABASE_USER_DELETIONS,
        &["database_DeleteUser_count", "database_RevokeUser_count"],
    ),
    chosen(
        "database_user_deletion_errors",
        &metrics::VAULT_DATABASE_USER_DELETION_ERRORS,
        &["database_DeleteUser_error", "database_RevokeUser_error"],
    ),
    chosen("audit_request_failures", &metrics::VAULT_AUDIT_REQUEST_FAILURES, &["audit_log_request_failure"]),
    chosen(
        "audit_response_failures",
        &metrics::VAULT_AUDIT_RESPONSE_FAILURES,
        &["audit_log_response_failure"],
    ),
    chosen("audit_sink_failures", &metrics::VAULT_AUDIT_SINK_FAILURES, &["audit_sink_failure"]),
    chosen("requests", &metrics::VAULT_REQUESTS, &["core_handle_request_count"]),
    chosen("login_requests", &metrics::VAULT_LOGIN_REQUESTS, &["core_handle_login_request_count"]),
    chosen("leadership_losses", &metrics::VAULT_LEADERSHIP_LOSSES, &["core_leadership_lost_count"]),
    chosen(
        "leadership_setup_failures",
        &metrics::VAULT_LEADERSHIP_SETUP_FAILURES,
        &["core_leadership_setup_failed_count"],
    ),
    chosen("forward_errors", &metrics::VAULT_FORWARD_ERRORS, &["ha_rpc_client_forward_errors"]),
    chosen("rate_limit_violations", &metrics::VAULT_RATE_LIMIT_VIOLATIONS, &["quota_rate_limit_violation"]),
    chosen(
        "lease_count_violations",
        &metrics::VAULT_LEASE_COUNT_VIOLATIONS,
        &["quota_lease_count_violation"],
    ),
];

/// What one scrape of `sys/metrics` said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// Whether the node calls itself active; absent where it says nothing.
    pub active: Option<bool>,
    /// `expire_num_leases`: leases of every kind. An ex-active node keeps its last value.
    pub leases: Option<f64>,
    /// Chosen counters by key; only those that stand in the text.
    pub counters: BTreeMap<String, f64>,
    /// CPU time of Vault's process so far, seconds: less than before means a
    /// new process. Its start time would say so too, but moves with the clock.
    pub cpu_seconds: Option<f64>,
}

/// The chosen counters in a text of `sys/metrics`, by key; `prefix` as in
/// `metrics_prefix` of Vault's configuration, `vault` by default.
pub fn chosen_counters(text: &str, prefix: &str) -> BTreeMap<String, f64> {
    Telemetry::parse(text, prefix).counters
}

impl Telemetry {
    /// Reads a text of `sys/metrics`. Whatever is not wanted is passed over;
    /// a text that holds none of Vault's metrics gives an empty result.
    pub fn parse(text: &str, prefix: &str) -> Self {
        let mut telemetry = Self::default();
        let mut exact: BTreeMap<&str, f64> = BTreeMap::new();
        let mut with_host: BTreeMap<&str, f64> = BTreeMap::new();
        let mut named_active = None;
        for sample in samples(text) {
            if sample.name == "process_cpu_seconds_total" {
                telemetry.cpu_seconds = Some(sample.value);
                continue;
            }
            let Some(name) = sample.name.strip_prefix(prefix).and_then(|n| n.strip_prefix('_')) else {
                continue;
            };
            if !sample.value.is_finite() {
                continue;
            }
            if is_named(name, "core_active") {
                telemetry.see_active(&sample, &mut named_active);
            } else if is_named(name, "expire_num_leases") {
                // Exact before one with a host name in it.
                if name == "expire_num_leases" || telemetry.leases.is_none() {
                    telemetry.leases = Some(sample.value);
                }
            } else if let Some(raw) = exact_name(name) {
                *exact.entry(raw).or_default() += sample.value;
            } else if let Some(raw) = suffix_name(name) {
                *with_host.entry(raw).or_default() += sample.value;
            }
        }
        for chosen in CHOSEN {
            let found = chosen.raw.iter().filter_map(|raw| exact.get(raw).or(with_host.get(raw)));
            if let Some(sum) = found.copied().reduce(|a, b| a + b) {
                telemetry.counters.insert(chosen.key.to_owned(), sum);
            }
        }
        telemetry
    }

    /// The core gauges can stand twice, with `cluster=""` from before the node
    /// knew its cluster: the one with a name counts.
    fn see_active(&mut self, sample: &Sample<'_>, named: &mut Option<bool>) {
        let active = sample.value > 0.5;
        if sample.label("cluster").is_some_and(|cluster| !cluster.is_empty()) {
            *named = Some(named.unwrap_or(false) || active);
        } else {
            self.active = Some(self.active.unwrap_or(false) || active);
        }
        if named.is_some() {
            self.active = *named;
        }
    }
}

/// Whether `name` is `wanted`, or that with a host name before it, as Vault
/// writes gauges when it serves several sinks and `disable_hostname` is off.
fn is_named(name: &str, wanted: &str) -> bool {
    name.strip_suffix(wanted).is_some_and(|host| host.is_empty() || host.ends_with('_'))
}

fn exact_name(name: &str) -> Option<&'static str> {
    CHOSEN.iter().flat_map(|chosen| chosen.raw).find(|raw| **raw == name).copied()
}

/// The longest chosen name that ends it: `…_lease_expiration_error` is not
/// `…_expiration_error` of another.
fn suffix_name(name: &str) -> Option<&'static str> {
    let fits = CHOSEN.iter().flat_map(|chosen| chosen.raw).filter(|raw| is_named(name, raw));
    fits.max_by_key(|raw| raw.len()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_names_of_their_metrics() {
        for chosen in CHOSEN {
            assert_eq!(chosen.metric.name, format!("leasewatch_vault_{}_total", chosen.key));
            assert_eq!(chosen.metric.labels, ["node"]);
        }
    }

    #[test]
    fn no_raw_name_is_chosen_twice() {
        let mut names: Vec<_> = CHOSEN.iter().flat_map(|chosen| chosen.raw).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn label_sets_and_plugin_versions_add_up() {
        let text = "vault_secret_lease_creation{mount_point=\"a/\"} 2\n\
            vault_secret_lease_creation{mount_point=\"b/\"} 3\n\
            vault_database_NewUser_count 5\nvault_database_CreateUser_count 7\n\
            vault_database_pgx_NewUser_count 100\nvault_database_NewUser{quantile=\"0.5\"} NaN\n";
        let counters = chosen_counters(text, "vault");
        let expected = [("database_user_creations", 12.0), ("lease_creations", 5.0)];
        assert_eq!(counters, expected.map(|(k, v)| (k.to_owned(), v)).into());
    }

    #[test]
    fn the_series_with_a_cluster_name_says_who_is_active() {
        let read = |text: &str| Telemetry::parse(text, "vault").active;
        let (none, named) = ("vault_core_active{cluster=\"\"}", "vault_core_active{cluster=\"c\"}");
        assert_eq!(read(&format!("{none} 0\n{named} 1\n")), Some(true));
        assert_eq!(read(&format!("{named} 0\n{none} 1\n")), Some(false));
        assert_eq!(read("vault_core_active 1\n"), Some(true));
        assert_eq!(read("vault_core_standby 1\n"), None);
    }

    #[test]
    fn a_host_name_may_stand_in_gauges_and_the_prefix_be_another() {
        let text = "openbao_node_1_expire_num_leases 9\nopenbao_node_1_core_active 1\n\
            vault_expire_num_leases 4\n";
        let telemetry = Telemetry::parse(text, "openbao");
        assert_eq!((telemetry.leases, telemetry.active), (Some(9.0), Some(true)));
    }

    #[test]
    fn a_real_text() {
        let text = include_str!("../../tests/data/openbao-2.7.2-metrics.txt");
        let telemetry = Telemetry::parse(text, "vault");
        assert_eq!(telemetry.active, Some(true));
        assert_eq!(telemetry.leases, Some(16.0));
        let of = |key: &str| telemetry.counters.get(key).copied();
        // Sums made by awk over the same file.
        assert_eq!(of("lease_creations"), Some(LEASE_CREATIONS));
        assert_eq!(of("lease_revocation_errors"), Some(REVOCATION_ERRORS));
        assert_eq!(of("database_user_deletion_errors"), Some(DELETION_ERRORS));
        assert_eq!(of("audit_request_failures"), Some(0.0));
        assert_eq!(of("rate_limit_violations"), None);
        assert!(telemetry.cpu_seconds.is_some_and(|seconds| seconds > 1.0));
    }

    const LEASE_CREATIONS: f64 = 6491.0;
    const REVOCATION_ERRORS: f64 = 394.0;
    const DELETION_ERRORS: f64 = 451.0;
}
