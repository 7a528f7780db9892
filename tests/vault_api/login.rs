//! Where the token comes from, and how it is kept good.

use crate::fake::{Answer, Fake};
use crate::watch::{Watch, config, pace, until};
use leasewatch::config::{AuthConfig, Secret, SecretSource, VaultConfig};
use leasewatch::vault::ApiState;
use serde_json::{Value, json};

fn approle() -> VaultConfig {
    let auth = AuthConfig::AppRole {
        mount: "approle".to_owned(),
        role_id: "role".to_owned(),
        secret_id: SecretSource::Value(Secret::new("secret")),
    };
    VaultConfig { auth, namespace: "ops".to_owned(), ..config() }
}

fn auth(token: &str, seconds: u64) -> Answer {
    let auth = json!({"client_token": token, "lease_duration": seconds, "renewable": true});
    Answer::Json(200, json!({"auth": auth, "data": null}))
}

const LOGIN: &str = "auth/approle/login";
const RENEW: &str = "auth/token/renew-self";

#[tokio::test]
async fn one_login_serves_all_nodes_and_scrapes() {
    let fake = Fake::active();
    fake.says(LOGIN, auth("s.one", 3600));
    let (a, b) = (fake.listen().await, fake.listen().await);
    let watch = Watch::start(&[("a", &a), ("b", &b)], &approle(), &pace());
    until("leases", || watch.value("leasewatch_vault_leases", &["b"]).is_some()).await;
    fake.intervals(8).await;
    let logins = fake.seen_at(LOGIN);
    assert_eq!(logins.len(), 1);
    let login = &logins[0];
    assert_eq!((login.method.as_str(), login.token()), ("POST", None));
    assert_eq!(login.headers["x-vault-namespace"], "ops");
    assert_eq!((&login.body["role_id"], &login.body["secret_id"]), (&json!("role"), &json!("secret")));
    assert!(login.marker().is_some());
    assert_eq!(fake.seen_at("sys/metrics")[0].token(), Some("s.one"));
    assert_eq!(fake.seen_at("auth/token/lookup-self")[0].headers["x-vault-namespace"], "ops");
}

#[tokio::test]
async fn a_login_is_renewed_and_made_anew_where_renewal_no_longer_helps() {
    let fake = Fake::active();
    fake.says(LOGIN, auth("s.one", 3));
    fake.says(RENEW, auth("s.one", 3));
    let watch = fake.watched(&approle()).await;
    until("renewed", || fake.seen_at(RENEW).len() >= 2).await;
    assert_eq!(fake.seen_at(LOGIN).len(), 1);
    assert_eq!(fake.seen_at(RENEW)[0].token(), Some("s.one"));
    // Max TTL cuts the renewal short: a login follows.
    fake.says(LOGIN, auth("s.two", 3600));
    let renewals = fake.seen_at(RENEW).len();
    fake.says(RENEW, auth("s.one", 1));
    until("asked", || fake.seen_at(RENEW).len() > renewals).await;
    until("in again", || fake.seen_at(LOGIN).len() >= 2).await;
    let newest = || fake.seen_at("sys/metrics").pop().and_then(|seen| seen.token().map(str::to_owned));
    until("used", || newest().as_deref() == Some("s.two")).await;
    assert!(watch.is("login", ApiState::Ok));
}

#[tokio::test]
async fn a_renewal_that_is_refused_leads_to_a_login() {
    let fake = Fake::active();
    fake.says(LOGIN, auth("s.one", 1));
    fake.denies(RENEW);
    let _watch = fake.watched(&approle()).await;
    until("renewal", || !fake.seen_at(RENEW).is_empty()).await;
    until("login", || fake.seen_at(LOGIN).len() >= 2).await;
}

#[tokio::test]
async fn a_token_that_vault_forgot_is_replaced() {
    let fake = Fake::active();
    fake.says(LOGIN, auth("s.one", 3600));
    let watch = fake.watched(&approle()).await;
    until("works", || watch.is("metrics", ApiState::Ok)).await;
    let paths = [
        "sys/metrics",
        "sys/leases/count",
        "sys/mounts",
        "sys/auth",
        "sys/internal/ui/mounts",
        "auth/token/lookup-self",
        "database/roles",
    ];
    for path in paths {
        fake.says(path, Answer::Json(403, json!({"errors": ["permission denied"]})));
    }
    until("login", || fake.seen_at(LOGIN).len() >= 2).await;
    // The new one is refused as well: it lacks rights, logging in does not help.
    fake.intervals(6).await;
    assert_eq!(fake.seen_at(LOGIN).len(), 2);
}

#[tokio::test]
async fn a_login_that_fails_is_tried_with_growing_waits() {
    let fake = Fake::active();
    fake.says(LOGIN, Answer::Json(400, json!({"errors": ["invalid role or secret ID"]})));
    let watch = fake.watched(&approle()).await;
    until("failed", || watch.is("login", ApiState::Failing)).await;
    fake.intervals(10).await;
    assert_eq!(fake.seen_at(LOGIN).len(), 1);
    let trouble = watch.api("login").and_then(|report| report.trouble).unwrap_or_default();
    assert!(trouble.contains("role ID, secret ID"), "{trouble}");
    assert!(watch.is("metrics", ApiState::Idle));
    assert_eq!(watch.value("leasewatch_vault_up", &["a"]), Some(1.0));
}

#[tokio::test]
async fn kubernetes_sends_the_service_accounts_token_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let jwt_file = folder.path().join("token");
    std::fs::write(&jwt_file, "jwt.one\n").unwrap();
    let fake = Fake::active();
    let login = "auth/k8s/eu/login";
    fake.says(login, auth("s.one", 1));
    fake.denies(RENEW);
    let auth = AuthConfig::Kubernetes {
        mount: "k8s/eu/".to_owned(),
        role: "watch".to_owned(),
        jwt_file: jwt_file.clone(),
    };
    let _watch = fake.watched(&VaultConfig { auth, ..config() }).await;
    until("login", || !fake.seen_at(login).is_empty()).await;
    std::fs::write(&jwt_file, "jwt.two\n").unwrap();
    let last = || fake.seen_at(login).pop().map(|seen| seen.body["jwt"].clone());
    until("new token", || last() == Some(Value::from("jwt.two"))).await;
    assert_eq!(fake.seen_at(login)[0].body["jwt"], "jwt.one");
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let fake = Fake::active();
    let config = VaultConfig { auth: AuthConfig::TokenFile(path.clone()), ..config() };
    let watch = fake.watched(&config).await;
    until("missing", || watch.is("login", ApiState::Failing)).await;
    let trouble = watch.api("login").and_then(|report| report.trouble).unwrap_or_default();
    assert!(trouble.contains("token file"), "{trouble}");
    assert!(fake.seen_at("sys/metrics").is_empty());
    std::fs::write(&path, "s.one\n").unwrap();
    let used = || fake.seen_at("sys/metrics").pop().and_then(|seen| seen.token().map(str::to_owned));
    until("first", || used().as_deref() == Some("s.one")).await;
    // As Vault Agent's sink does it: a new file in the old one's place.
    let new = folder.path().join("new");
    std::fs::write(&new, "s.two").unwrap();
    std::fs::rename(&new, &path).unwrap();
    until("second", || used().as_deref() == Some("s.two")).await;
    std::fs::write(&path, "").unwrap();
    until("empty", || watch.is("login", ApiState::Failing)).await;
    fake.intervals(2).await;
    assert_eq!(used().as_deref(), Some("s.two"));
}

#[tokio::test]
async fn another_token_is_asked_what_the_last_one_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "s.one").unwrap();
    let fake = Fake::active();
    fake.denies("sys/leases/count");
    let config = VaultConfig { auth: AuthConfig::TokenFile(path.clone()), ..config() };
    let watch = fake.watched(&config).await;
    until("denied", || watch.is("irrevocable_leases", ApiState::Denied)).await;
    fake.data("sys/leases/count", json!({"counts": {}}));
    fake.intervals(3).await;
    assert!(watch.is("irrevocable_leases", ApiState::Denied));
    std::fs::write(&path, "s.with-rights").unwrap();
    until("granted", || watch.is("irrevocable_leases", ApiState::Ok)).await;
}

#[tokio::test]
async fn a_policy_that_says_no_to_a_good_token_leads_to_no_login() {
    let fake = Fake::active();
    fake.says(LOGIN, auth("s.one", 3600));
    let watch = fake.watched(&approle()).await;
    until("works", || watch.is("metrics", ApiState::Ok)).await;
    for path in [
        "sys/metrics",
        "sys/leases/count",
        "sys/mounts",
        "sys/auth",
        "sys/internal/ui/mounts",
        "auth/token/lookup-self",
        "database/roles",
    ] {
        fake.denies(path);
    }
    until("denied", || watch.is("metrics", ApiState::Denied)).await;
    fake.intervals(5).await;
    assert_eq!(fake.seen_at(LOGIN).len(), 1);
}

#[tokio::test]
async fn a_ttl_beyond_all_clocks_is_no_end() {
    let fake = Fake::active();
    fake.says(LOGIN, auth("s.one", u64::MAX));
    let watch = fake.watched(&approle()).await;
    until("works", || watch.is("metrics", ApiState::Ok)).await;
    fake.intervals(3).await;
    assert_eq!(fake.seen_at(LOGIN).len(), 1);
}
