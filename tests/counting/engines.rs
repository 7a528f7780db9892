//! Engines and operations: what is a credential, what is a login, what changes Vault.

use super::support::*;
use serde_json::json;

#[test]
fn credentials_of_every_engine_are_counted_with_or_without_a_lease() {
    let mut log = Log::default();
    log.exchange(ask("update", "aws/", "aws", "aws/sts/deploy"), leased);
    log.exchange(ask("update", "kubernetes/", "kubernetes", "kubernetes/creds/ci"), leased);
    log.exchange(read("rabbit/", "my-rabbit-plugin", "rabbit/creds/app"), leased);
    log.exchange(ask("update", "pki/", "pki", "pki/issue/web"), |entry| {
        entry["response"]["data"] = json!({"certificate": "hmac-sha256:00", "expiration": 1});
    });
    log.exchange(read("database/", "database", "database/creds/a.b/c"), leased);
    log.exchange(read("database/", "database", "database/static-creds/owner"), |entry| {
        entry["response"]["data"] = json!({"username": "hmac-sha256:00", "ttl": 7.5});
    });
    log.exchange(read("kv/", "kv", "kv/creds/app"), |entry| entry["response"]["secret"] = json!({}));
    let families = families(&log.lines);
    assert_eq!(
        counts(&families, ISSUED),
        [
            "root,aws/,aws,sts/deploy = 1",
            "root,database/,database,a.b/c = 1",
            "root,kubernetes/,kubernetes,ci = 1",
            "root,pki/,pki,web = 1",
            "root,rabbit/,my-rabbit-plugin,app = 1",
        ]
    );
    assert_eq!(
        counts(&families, "leasewatch_static_credentials_read_total"),
        ["root,database/,database,static-creds/owner = 1"]
    );
}

#[test]
fn a_wrapped_credential_counts_and_a_failed_wrapped_call_does_not() {
    let mut log = Log::default();
    let creds = || read("database/", "database", "database/creds/app");
    log.exchange(ask("update", "database/", "database", "database/roles/app"), ok);
    log.exchange(creds(), |entry| {
        entry["response"]["wrap_info"] = json!({"ttl": 60, "creation_path": "database/creds/app"});
    });
    log.exchange(creds(), |entry| {
        refused(entry);
        entry["response"]["wrap_info"] = json!({"ttl": 60, "creation_time": "0001-01-01T00:00:00Z"});
    });
    // Unwrapping shows the lease; it is not issued again.
    log.exchange(ask("update", "sys/", "system", "sys/wrapping/unwrap"), |entry| {
        entry["response"]["secret"] = json!({"lease_id": "database/creds/app/AbC"});
    });
    let families = families(&log.lines);
    assert_eq!(counts(&families, ISSUED), ["root,database/,database,app = 1"]);
    assert_eq!(counts(&families, FAILURES), ["root,database/,database,app,other = 1"]);
}

#[test]
fn a_refusal_of_a_role_that_was_deleted_means_that_it_is_not_found() {
    let mut log = Log::default();
    let creds = || read("database/", "database", "database/creds/app");
    log.exchange(creds(), leased);
    log.exchange(ask("delete", "database/", "database", "database/roles/app"), ok);
    log.exchange(creds(), refused);
    log.exchange(creds(), failed("\"app\" is not an allowed role"));
    let families = families(&log.lines);
    assert_eq!(
        counts(&families, FAILURES),
        ["root,database/,database,app,not_allowed = 1", "root,database/,database,app,not_found = 1"]
    );
}

#[test]
fn logins_are_told_from_what_looks_like_them() {
    let mut log = Log::default();
    let login = |mount, engine, path| ask("update", mount, engine, path);
    let token =
        |entry: &mut serde_json::Value| entry["response"]["auth"] = json!({"accessor": "hmac-sha256:cc"});
    log.exchange(login("auth/userpass/", "userpass", "auth/userpass/login/bob"), token);
    log.exchange(login("auth/userpass/", "userpass", "auth/userpass/login/eve"), |entry| {
        entry["error"] = json!("invalid credentials");
    });
    log.exchange(read("auth/oidc/", "oidc", "auth/oidc/oidc/callback"), token);
    log.exchange(ask("alias-lookahead", "auth/approle/", "approle", "auth/approle/login"), ok);
    log.exchange(login("auth/approle/", "approle", "auth/approle/role/login/secret-id"), ok);
    log.exchange(login("auth/token/", "token", "auth/token/create"), token);
    let families = families(&log.lines);
    assert_eq!(
        counts(&families, LOGINS),
        [
            "root,oidc,auth/oidc/,ok = 1",
            "root,userpass,auth/userpass/,failed = 1",
            "root,userpass,auth/userpass/,ok = 1",
        ]
    );
    assert!(counts(&families, PRIVILEGED).is_empty(), "{:?}", counts(&families, PRIVILEGED));
}

#[test]
fn operations_that_change_vault_are_counted_by_name() {
    let mut log = Log::default();
    for (operation, path) in [
        ("update", "sys/policies/acl/app"),
        ("update", "sys/mounts/x"),
        ("delete", "sys/audit/file"),
        ("update", "sys/audit-hash/file"),
        ("read", "sys/storage/raft/snapshot"),
        ("read", "sys/raw/core"),
        ("update", "sys/leases/revoke-force/database/creds/app"),
        ("read", "sys/policies/acl/app"),
    ] {
        log.exchange(ask(operation, "sys/", "system", path), ok);
    }
    log.exchange(ask("update", "database/", "database", "database/config/pg"), ok);
    log.exchange(ask("update", "database/", "database", "database/rotate-root/pg"), failed("boom"));
    log.exchange(ask("update", "database/", "database", "database/roles/app"), |entry| {
        entry["auth"]["policies"] = json!(["root"]);
    });
    log.exchange(ask("update", "identity/", "identity", "identity/lookup/entity"), ok);
    // Sealing logs no response.
    let id = log.new_id();
    log.request(&id, ask("update", "sys/", "system", "sys/seal"));
    assert_eq!(
        counts(&families(&log.lines), PRIVILEGED),
        [
            "root,database/,config_write,ok = 1",
            "root,database/,role_write,ok = 1",
            "root,database/,root_token,ok = 1",
            "root,database/,rotate_root,failed = 1",
            "root,sys/,audit_change,ok = 1",
            "root,sys/,audit_hash,ok = 1",
            "root,sys/,mount_change,ok = 1",
            "root,sys/,policy_write,ok = 1",
            "root,sys/,raft_snapshot,ok = 1",
            "root,sys/,raw_access,ok = 1",
            "root,sys/,seal,ok = 1",
            // The mount of the prefix is not known here.
            "root,database/,revoke_force,ok = 1",
        ]
        .into_iter()
        .map(|line| line.replace("root,database/,revoke_force", "root,(unknown),revoke_force"))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
}

#[test]
fn a_renewal_teaches_whose_hash_it_was() {
    let mut log = Log::default();
    let hash = "hmac-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let by_body = |path| {
        let mut request = ask("update", "sys/", "system", path);
        request["data"] = json!({"lease_id": hash});
        request
    };
    log.exchange(read("database/", "database", "database/creds/app"), leased);
    log.exchange(by_body("sys/leases/revoke"), refused);
    log.exchange(by_body("sys/leases/renew"), |entry| {
        entry["response"]["secret"] = json!({"lease_id": "database/creds/app/AbCdEfGhIjKlMnOpQrStUvWx"});
        entry["response"]["warnings"] = json!([
            "TTL of \"30s\" exceeded the effective max_ttl of \"29s\"; TTL value is capped accordingly"
        ]);
    });
    log.exchange(by_body("sys/leases/renew"), failed("invalid request"));
    log.exchange(by_body("sys/leases/revoke"), ok);
    log.exchange(ask("update", "sys/", "system", "sys/leases/revoke/database/creds/app/AbC"), |entry| {
        entry["response"]["data"] = json!({"http_status_code": 202});
    });
    let families = families(&log.lines);
    assert_eq!(
        counts(&families, "leasewatch_renewals_total"),
        ["root,database/,database,app,capped = 1", "root,database/,database,app,failed = 1"]
    );
    assert_eq!(
        counts(&families, "leasewatch_revocation_requests_total"),
        [
            "root,(unknown),(unknown),lease,failed = 1",
            "root,database/,database,lease,ok = 1",
            "root,database/,database,lease,queued = 1",
        ]
    );
}

#[test]
fn daily_business_below_a_role_is_no_change_to_it() {
    let mut log = Log::default();
    for (engine, path) in [
        ("pki", "roles/web/acme/new-order"),
        ("pki", "roles/web/acme/order/1234/finalize"),
        ("pki", "issuer/default/roles/web/acme/new-account"),
        ("ldap", "library/team/check-in"),
        ("ldap", "library/manage/team/check-in"),
        ("gcp", "roleset/app/rotate"),
        ("gcp", "roleset/app/rotate-key"),
    ] {
        let mount = format!("{engine}/");
        log.exchange(ask("update", &mount, engine, &format!("{mount}{path}")), ok);
    }
    for path in ["auth/oidc/oidc/poll", "auth/oidc/oidc/auth_url"] {
        log.exchange(ask("update", "auth/oidc/", "oidc", path), refused);
    }
    log.exchange(ask("update", "identity/", "identity", "identity/oidc/provider/default/token"), ok);
    let families = families(&log.lines);
    assert!(counts(&families, PRIVILEGED).is_empty(), "{:?}", counts(&families, PRIVILEGED));
    // Nobody invents roles that way.
    assert!(!families.iter().any(|family| family.metric.name == ISSUED && !family.series.is_empty()));
}

#[test]
fn a_password_that_everybody_gets_is_not_issued() {
    let mut log = Log::default();
    log.exchange(read("ad/", "ad", "ad/creds/app"), |entry| {
        entry["response"]["data"] = json!({"current_password": "hmac-sha256:00"});
    });
    log.exchange(ask("update", "ad/", "ad", "ad/library/team/check-out"), leased);
    let families = families(&log.lines);
    assert_eq!(counts(&families, ISSUED), ["root,ad/,ad,library/team/check-out = 1"]);
    assert_eq!(counts(&families, "leasewatch_static_credentials_read_total"), ["root,ad/,ad,app = 1"]);
}

#[test]
fn a_lease_of_an_unheard_of_path_is_a_credential() {
    let mut log = Log::default();
    let token = || read("artifactory/", "artifactory", "artifactory/token/ci");
    log.exchange(token(), failed("permission denied"));
    log.exchange(token(), leased);
    log.exchange(token(), failed("permission denied"));
    log.exchange(read("artifactory/", "artifactory", "artifactory/token/invented"), refused);
    let families = families(&log.lines);
    assert_eq!(counts(&families, ISSUED), ["root,artifactory/,artifactory,token/ci = 1"]);
    assert_eq!(counts(&families, FAILURES), ["root,artifactory/,artifactory,token/ci,denied = 1"]);
}
