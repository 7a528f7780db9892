//! Stories of what the recorded run does not have: namespaces, wrapped credentials that are unwrapped,
//! errors of several lines, several devices.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use serde_json::{Value as Json, json};
use std::process::Command;
use tempfile::TempDir;

/// Finished logs of a few lines.
struct Logs {
    folder: TempDir,
    audit: Vec<Json>,
    server: String,
}

impl Logs {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), audit: Vec::new(), server: String::new() }
    }

    /// A request at that second and its answer, half a second later, by one client.
    fn exchange(&mut self, second: u32, id: &str, request: &Json, response: &Json) -> &mut Self {
        let mut request = request.clone();
        request["id"] = json!(id);
        request["remote_address"] = json!("10.0.0.1");
        if request.get("namespace").is_none() {
            request["namespace"] = json!({ "id": "root" });
        }
        let auth = json!({ "accessor": hash('a'), "display_name": "ldap-bob", "entity_id": "e-1", "policies": ["p"], "metadata": { "username": "bob" } });
        let time = |half: u32| format!("2026-01-02T03:04:{second:02}.{half}Z");
        self.audit.push(json!({ "time": time(1), "type": "request", "auth": auth, "request": request }));
        self.audit.push(
            json!({ "time": time(6), "type": "response", "auth": auth, "request": request, "response": response }),
        );
        self
    }

    fn story(&self, args: &[&str]) -> Json {
        self.document(args)["story"].take()
    }

    fn document(&self, args: &[&str]) -> Json {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let lines: Vec<_> = self.audit.iter().map(Json::to_string).collect();
        std::fs::write(path("audit.log"), lines.join("\n") + "\n").unwrap();
        std::fs::write(path("server.log"), &self.server).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_leasewatch"))
            .args(["analyze", &path("audit.log"), "--server-log", &path("server.log"), "--format", "json"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn hash(letter: char) -> String {
    format!("hmac-sha256:{}", letter.to_string().repeat(64))
}

fn database(path: &str) -> Json {
    json!({ "operation": "read", "mount_point": "database/", "mount_type": "database", "path": path })
}

fn sys(path: &str, data: &Json) -> Json {
    json!({ "operation": "update", "mount_point": "sys/", "mount_type": "system", "path": path, "data": data })
}

/// `event outcome` of every moment.
fn course(story: &Json) -> Vec<String> {
    let moments = story["moments"].as_array().unwrap().iter();
    moments
        .map(|one| format!("{} {}", one["event"].as_str().unwrap(), one["outcome"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_wrapped_credential_begins_with_whoever_had_it_wrapped() {
    const LEASE: &str = "database/creds/app/w1";
    let mut logs = Logs::new();
    let wrap = json!({ "ttl": 60, "token": hash('b'), "accessor": hash('c'), "creation_path": "database/creds/app" });
    logs.exchange(1, "1", &database("database/creds/app"), &json!({ "wrap_info": wrap }));
    let unwrap = sys("sys/wrapping/unwrap", &json!({ "token": hash('b') }));
    logs.exchange(5, "2", &unwrap, &json!({ "secret": { "lease_id": LEASE } }));
    // 2026-01-02T03:04:01Z
    let user = "v-ldap-bob-app-yih145k4JasAJmMzv2EG-1767323041";
    let found = logs.document(&["--db-user", user]);
    assert_eq!(found["db_user"]["candidates"][0]["lease"], LEASE, "{found}");
    for topic in [["--lease", LEASE], ["--role", "database/app"], ["--entity", "bob"]] {
        let story = logs.story(&topic);
        assert_eq!(course(&story), ["credential ok", "unwrap ok"], "{topic:?}");
        assert_eq!(story["moments"][0]["wrapped"], true);
        assert_eq!(story["moments"][0]["lease"], LEASE);
        assert_eq!(story["leases"][0]["issued_at"], "2026-01-02T03:04:01.6Z", "{topic:?}");
    }
}

#[test]
fn a_prefix_ends_leases_of_its_own_namespace_only() {
    let mut logs = Logs::new();
    let inside = |mut request: Json| {
        request["namespace"] = json!({ "id": "n5", "path": "team-a/" });
        request
    };
    let (ours, theirs) = ("database/creds/app/a1", "database/creds/app/a2.n5");
    logs.exchange(1, "1", &database("database/creds/app"), &json!({ "secret": { "lease_id": ours } }));
    let there = inside(database("database/creds/app"));
    logs.exchange(2, "2", &there, &json!({ "secret": { "lease_id": theirs } }));
    logs.server = format!(
        "2026-01-02T03:04:10.300Z [INFO]  expiration: revoked lease: lease_id={theirs}\n\
         2026-01-02T03:04:40.300Z [INFO]  expiration: revoked lease: lease_id={ours}\n"
    );
    logs.exchange(10, "3", &inside(sys("sys/leases/revoke-prefix/database", &json!({}))), &json!({}));
    let story = logs.story(&["--lease", theirs]);
    assert_eq!(course(&story), ["credential ok", "revocation_request ok", "lease_ended ok"]);
    assert_eq!(story["leases"][0]["ended_by"], "prefix");
    assert_eq!(story["leases"][0]["namespace"], "team-a");
    let story = logs.story(&["--lease", ours]);
    assert_eq!(course(&story), ["credential ok", "lease_ended ok"]);
    assert_eq!(story["leases"][0]["ended_by"], "unasked");
    // Both are of the role; a filter tells them apart.
    assert_eq!(logs.story(&["--role", "database/app"])["leases"].as_array().unwrap().len(), 2);
    let inside = logs.story(&["--role", "database/app", "--namespace", "team-a"]);
    assert_eq!(course(&inside), ["credential ok", "revocation_request ok", "lease_ended ok"]);
    assert_eq!(inside["leases"][0]["lease"], theirs);
}

#[test]
fn an_error_of_several_lines_is_one_failed_attempt_with_its_cause() {
    const LEASE: &str = "database/creds/app/a1";
    let mut logs = Logs::new();
    logs.exchange(1, "1", &database("database/creds/app"), &json!({ "secret": { "lease_id": LEASE } }));
    logs.server = format!(
        "2026-01-02T03:04:20.300Z [ERROR] expiration: failed to revoke lease: lease_id={LEASE}\n\
         \x20 error=\n\
         \x20 | failed to revoke entry: resp: (*logical.Response)(nil) err: 1 error occurred:\n\
         \x20 | \t* ERROR: role \"x\" does not exist (SQLSTATE 42704)\n\
         \x20  attempts=2 next_attempt=30.5s\n\
         2026-01-02T03:04:50.900Z [INFO]  expiration: revoked lease: lease_id={LEASE}\n"
    );
    let story = logs.story(&["--lease", LEASE]);
    assert_eq!(course(&story), ["credential ok", "revocation_attempt failed", "lease_ended ok"]);
    let attempt = &story["moments"][1];
    assert_eq!((&attempt["reason"], &attempt["failed_attempts"]), (&json!("missing_role"), &json!(2)));
    assert_eq!(attempt["next_attempt_seconds"], 30.5);
    assert_eq!(story["leases"][0]["failed_attempts"], 1);
}

#[test]
fn a_token_that_is_revoked_by_its_own_name_ends_its_leases_too() {
    const LEASE: &str = "database/creds/app/a1";
    let mut logs = Logs::new();
    let login = json!({ "operation": "update", "mount_point": "auth/ldap/", "mount_type": "ldap", "path": "auth/ldap/login/bob" });
    let token = json!({ "accessor": hash('a'), "client_token": hash('d'), "token_type": "service", "token_ttl": 3600 });
    logs.exchange(1, "1", &login, &json!({ "auth": token }));
    logs.exchange(2, "2", &database("database/creds/app"), &json!({ "secret": { "lease_id": LEASE } }));
    let revoke = json!({ "operation": "update", "mount_point": "auth/token/", "mount_type": "token", "path": "auth/token/revoke", "data": { "token": hash('d') } });
    logs.exchange(9, "3", &revoke, &json!({}));
    logs.server = format!("2026-01-02T03:04:09.700Z [INFO]  expiration: revoked lease: lease_id={LEASE}\n");
    for topic in [["--lease", LEASE], ["--entity", "e-1"], ["--role", "database/app"]] {
        let story = logs.story(&topic);
        assert_eq!(story["leases"][0]["ended_by"], "token", "{topic:?}");
        assert_eq!(story["leases"][0]["ended_by_request"].as_str().unwrap().len(), 36);
    }
    let course = course(&logs.story(&["--lease", LEASE]));
    assert_eq!(course, ["login ok", "credential ok", "revocation_request ok", "lease_ended ok"]);
}

#[test]
fn what_two_devices_log_is_told_once_and_a_token_that_is_revoked_ends_its_leases() {
    const LEASE: &str = "database/creds/app/a1";
    let mut logs = Logs::new();
    logs.exchange(1, "1", &database("database/creds/app"), &json!({ "secret": { "lease_id": LEASE } }));
    let revoke = json!({ "operation": "update", "mount_point": "auth/token/", "mount_type": "token", "path": "auth/token/revoke-accessor", "data": { "accessor": hash('a') } });
    logs.exchange(9, "2", &revoke, &json!({}));
    logs.server = format!("2026-01-02T03:04:09.700Z [INFO]  expiration: revoked lease: lease_id={LEASE}\n");
    let twice: Vec<_> = logs.audit.iter().flat_map(|entry| [entry.clone(), entry.clone()]).collect();
    logs.audit = twice;
    let story = logs.story(&["--lease", LEASE]);
    assert_eq!(course(&story), ["credential ok", "revocation_request ok", "lease_ended ok"]);
    let life = &story["leases"][0];
    assert_eq!((&life["ended_by"], &life["client"]["role"]), (&json!("token"), &json!("bob")));
    assert_eq!(life["renewals"], 0);
}
