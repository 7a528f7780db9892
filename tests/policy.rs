//! The policy that the documentation recommends, on a real server: each of its
//! blocks is taken away in turn, and exactly what it bought is missing.

#![allow(clippy::unwrap_used, reason = "what is not as it should be is a failed test")]

mod support;
#[path = "vault_api/watch.rs"]
mod watch;

use leasewatch::config::{AuthConfig, Secret, SecretSource, VaultConfig};
use leasewatch::event::Fact;
use leasewatch::vault::ApiState;
use serde_json::json;
use std::time::Duration;
use support::Bao;
use watch::{Watch, config, pace, until};

const POLICY: &str = include_str!("../docs/policies/leasewatch.hcl");

/// Every part of the API that needs a right.
const APIS: [&str; 7] =
    ["metrics", "irrevocable_leases", "mounts", "roles", "token", "monitor", "lease_lookup"];

/// What is missing without a block.
enum Loss {
    /// This part is denied, and says which line would grant it.
    Api(&'static str),
    /// The mounts that are known are not all of them.
    AllMounts,
    /// A login is made anew each time.
    Renewal,
}

/// Every block of the policy, and what it buys.
const BOUGHT: [(&str, &str, Loss); 10] = [
    ("sys/metrics", "read", Loss::Api("metrics")),
    ("sys/leases/count", "read", Loss::Api("irrevocable_leases")),
    ("sys/mounts", "read", Loss::AllMounts),
    ("sys/auth", "read", Loss::AllMounts),
    ("database/roles", "list", Loss::Api("roles")),
    ("database/roles/*", "read", Loss::Api("roles")),
    ("sys/leases/lookup", "update", Loss::Api("lease_lookup")),
    ("sys/monitor", "read", Loss::Api("monitor")),
    ("auth/token/lookup-self", "read", Loss::Api("token")),
    ("auth/token/renew-self", "update", Loss::Renewal),
];

/// The blocks of a policy, by path.
fn blocks() -> Vec<(String, String)> {
    let lines = POLICY.lines().filter(|line| !line.starts_with('#'));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let blocks = text.split("path \"").skip(1);
    blocks
        .map(|block| {
            let (path, _) = block.split_once('"').expect("a path ends with a quote");
            (path.to_owned(), format!("path \"{block}"))
        })
        .collect()
}

/// The policy without one of its blocks, written to the server under a name of its own.
fn write_policy_without(bao: &Bao, path: &str) -> String {
    let name = format!("without-{}", path.replace(['/', '*'], "-"));
    let kept = blocks().into_iter().filter(|(block, _)| block != path);
    let policy: String = kept.map(|(_, text)| text).collect();
    bao.write(&format!("sys/policies/acl/{name}"), &json!({ "policy": policy }));
    name
}

/// A server with a database mount of two roles. No database stands behind it:
/// roles can be written and read without.
fn server() -> Bao {
    let bao = Bao::start();
    bao.write("sys/mounts/database", &json!({"type": "database"}));
    for role in ["app", "reporting"] {
        let role = format!("database/roles/{role}");
        bao.write(
            &role,
            &json!({"db_name": "pg", "creation_statements": ["-"], "default_ttl": 60, "max_ttl": 180}),
        );
    }
    bao
}

/// A token of this policy alone, without the default one.
fn token(bao: &Bao, policy: &str) -> AuthConfig {
    let body = json!({"policies": [policy], "no_default_policy": true, "ttl": "1h"});
    AuthConfig::Token(Secret::new(bao.write("auth/token/create", &body).string("/auth/client_token")))
}

fn watch(bao: &Bao, auth: AuthConfig) -> Watch {
    let config = VaultConfig { auth, monitor: true, ..config() };
    Watch::start(&[("a", &bao.address())], &config, &pace())
}

/// Waits until every part was asked and granted, but for these.
async fn all_ok_but(watch: &Watch, missing: &[&str]) {
    until("room for a look-up", || watch.lookups.has_room()).await;
    watch.lookups.want("database/creds/app/IQKPMGwQG9pFyGhiLuRyKjV6".to_owned(), String::new());
    for api in APIS {
        let state = if missing.contains(&api) { ApiState::Denied } else { ApiState::Ok };
        until(&format!("{api} is {state:?}"), || watch.is(api, state)).await;
    }
}

fn has_all_mounts(watch: &Watch) -> Option<bool> {
    watch.facts().into_iter().find_map(|fact| match fact {
        Fact::Mounts { partial, .. } => Some(!partial),
        _ => None,
    })
}

#[test]
fn every_block_is_spoken_for() {
    let found: Vec<_> = blocks().into_iter().map(|(path, _)| path).collect();
    let expected: Vec<_> = BOUGHT.iter().map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(found, expected);
    let rights = include_str!("../docs/rights.md");
    for path in expected {
        let shown = path.replace("database/", "<mount>/");
        assert!(rights.contains(&format!("`{shown}`")), "docs/rights.md does not explain {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_block_taken_away_takes_what_it_bought_and_nothing_else() {
    let bao = server();
    let whole = write_policy_without(&bao, "nothing");
    let watched = watch(&bao, token(&bao, &whole));
    all_ok_but(&watched, &[]).await;
    assert_eq!(has_all_mounts(&watched), Some(true));
    for role in ["app", "reporting"] {
        let labels = ["root", "database/", "database", role, "pg", ""];
        assert_eq!(watched.value("leasewatch_role_info", &labels), Some(1.0));
    }
    watched.stop().await;
    for (path, capability, loss) in BOUGHT {
        let policy = write_policy_without(&bao, path);
        match loss {
            Loss::Api(api) => {
                let watched = watch(&bao, token(&bao, &policy));
                all_ok_but(&watched, &[api]).await;
                let trouble = watched.api(api).and_then(|report| report.trouble).unwrap_or_default();
                let line = format!("path \"{path}\" {{ capabilities = [\"{capability}\"] }}");
                assert!(trouble.contains(&line), "{path}: {trouble}");
                assert_eq!(has_all_mounts(&watched), Some(true), "{path}");
            }
            Loss::AllMounts => {
                let watched = watch(&bao, token(&bao, &policy));
                all_ok_but(&watched, &[]).await;
                assert_eq!(has_all_mounts(&watched), Some(false), "{path}");
            }
            Loss::Renewal => renewal(&bao, &whole, &policy).await,
        }
    }
}

/// The right that the recommended policy leaves out, since it needs `sudo`.
#[tokio::test(flavor = "multi_thread")]
async fn the_listing_policy_buys_the_listing_alone() {
    const LISTING: &str = include_str!("../docs/policies/leasewatch-listing.hcl");
    let bao = server();
    let plain = write_policy_without(&bao, "nothing");
    bao.write("sys/policies/acl/listing", &json!({ "policy": LISTING }));
    let without_sudo = LISTING.replace(", \"sudo\"", "");
    assert_ne!(without_sudo, LISTING);
    bao.write("sys/policies/acl/without-sudo", &json!({ "policy": without_sudo }));
    for (more, state) in
        [(None, ApiState::Denied), (Some("without-sudo"), ApiState::Denied), (Some("listing"), ApiState::Ok)]
    {
        let policies: Vec<_> = [Some(plain.as_str()), more].into_iter().flatten().collect();
        let body = json!({"policies": policies, "no_default_policy": true, "ttl": "1h"});
        let token = bao.write("auth/token/create", &body).string("/auth/client_token");
        let auth = AuthConfig::Token(Secret::new(token));
        let config = VaultConfig { auth, listing_interval: Some(Duration::from_millis(50)), ..config() };
        let watched = Watch::start(&[("a", &bao.address())], &config, &pace());
        until(&format!("listing with {more:?} is {state:?}"), || watched.is("lease_listing", state)).await;
        if state == ApiState::Denied {
            let trouble = watched.api("lease_listing").and_then(|report| report.trouble).unwrap();
            let line = r#"path "sys/leases/lookup/database/creds/*" { capabilities = ["list", "sudo"] }"#;
            assert!(trouble.contains(line), "{trouble}");
        }
        let told = |fact: &Fact| matches!(fact, Fact::Listed { .. });
        assert_eq!(watched.facts().iter().any(told), state == ApiState::Ok);
        watched.stop().await;
    }
}

/// A login of a short life, with the right to renew it and without.
async fn renewal(bao: &Bao, with: &str, without: &str) {
    bao.write("sys/auth/approle", &json!({"type": "approle"}));
    for (role, policy, renewed) in [("with", with, true), ("without", without, false)] {
        let path = format!("auth/approle/role/{role}");
        let body = json!({"token_policies": [policy], "token_no_default_policy": true,
            "token_ttl": "3s", "token_max_ttl": "1h"});
        bao.write(&path, &body);
        let role_id = bao.root_call("GET", &format!("{path}/role-id")).send().string("/data/role_id");
        let secret_id = bao.write(&format!("{path}/secret-id"), &json!({})).string("/data/secret_id");
        let watched = watch(
            bao,
            AuthConfig::AppRole {
                mount: "approle".to_owned(),
                role_id,
                secret_id: SecretSource::Value(Secret::new(secret_id)),
            },
        );
        let before = audited(bao, "auth/approle/login");
        until("a login", || watched.is("metrics", ApiState::Ok)).await;
        if renewed {
            let renewals = || audited(bao, "auth/token/renew-self");
            let start = renewals();
            until("two renewals", || renewals() >= start + 2).await;
            assert_eq!(audited(bao, "auth/approle/login"), before + 1);
        } else {
            until("another login", || audited(bao, "auth/approle/login") >= before + 2).await;
        }
        assert!(watched.is("metrics", ApiState::Ok) && watched.is("login", ApiState::Ok));
        watched.stop().await;
    }
}

/// How many responses of this path, without an error, are in the audit log.
fn audited(bao: &Bao, path: &str) -> usize {
    let log = std::fs::read_to_string(bao.audit_log()).unwrap();
    let entries = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    entries
        .filter(|e| e["type"] == "response" && e["request"]["path"] == path && e["error"].is_null())
        .count()
}
