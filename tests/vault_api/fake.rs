//! A Vault that says what a test wants, and remembers what it was asked.

use crate::watch::{Watch, pace, until};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use leasewatch::config::VaultConfig;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What the fake says to one path.
#[derive(Clone)]
pub(crate) enum Answer {
    Json(u16, Value),
    Text(u16, String),
    Redirect(String),
    Huge(usize),
    Never,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Seen {
    /// The marker among its parameters.
    pub(crate) fn marker(&self) -> Option<String> {
        let in_query = self.query.split('&').find_map(|part| part.strip_suffix("=1"));
        let in_body = self
            .body
            .as_object()
            .and_then(|body| body.keys().find(|key| key.starts_with("leasewatch-")).map(String::as_str));
        in_query.filter(|key| key.starts_with("leasewatch-")).or(in_body).map(str::to_owned)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.headers.get("authorization")?.strip_prefix("Bearer ")
    }
}

#[derive(Default)]
struct Inner {
    answers: BTreeMap<String, Answer>,
    seen: Vec<Seen>,
    ids: u64,
}

/// The fake itself; clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<Inner>>);

impl Fake {
    /// An active, unsealed node with one database mount of one role.
    pub(crate) fn active() -> Self {
        let fake = Self::default();
        fake.says("sys/health", Answer::Json(200, health("active")));
        fake.says(
            "sys/leader",
            Answer::Json(
                200,
                json!({"ha_enabled": true, "is_self": true, "leader_address": "http://a",
                    "active_time": "2026-11-23T20:00:00Z"}),
            ),
        );
        fake.data("auth/token/lookup-self", json!({"expire_time": "2030-01-01T00:00:00Z"}));
        fake.says("sys/metrics", Answer::Text(200, METRICS.to_owned()));
        fake.data("sys/leases/count", json!({"lease_count": 3, "counts": {"db_1": 3}}));
        let ttl = json!({"default_lease_ttl": 0, "max_lease_ttl": 120});
        fake.data(
            "sys/mounts",
            json!({"database/": {"type": "database", "accessor": "db_1", "config": ttl}}),
        );
        let ttl = json!({"default_lease_ttl": 0, "max_lease_ttl": 0});
        fake.data("sys/auth", json!({"approle/": {"type": "approle", "accessor": "ar_1", "config": ttl}}));
        fake.data("database/roles", json!({"keys": ["app"]}));
        fake.data("database/roles/app", json!({"db_name": "pg", "default_ttl": 60, "max_ttl": 180}));
        fake
    }

    /// From now on, this is the answer at `path`.
    pub(crate) fn says(&self, path: &str, answer: Answer) {
        self.0.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// From now on, the answer at `path` has this data.
    pub(crate) fn data(&self, path: &str, data: impl Into<Value>) {
        let data: Value = data.into();
        self.says(path, Answer::Json(200, json!({ "data": data })));
    }

    /// From now on, the policy says no to `path`.
    pub(crate) fn denies(&self, path: &str) {
        let words = "1 error occurred:\n\t* permission denied\n\n";
        self.says(path, Answer::Json(403, json!({ "errors": [words] })));
    }

    /// Everything it was asked, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }

    /// Everything it was asked at `path`.
    pub(crate) fn seen_at(&self, path: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path == path).collect()
    }

    /// What answers over HTTP.
    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    /// A scraper over this one node, called `a`.
    pub(crate) async fn watched(&self, config: &VaultConfig) -> Watch {
        Watch::start(&[("a", &self.listen().await)], config, &pace())
    }

    /// Waits until it was asked so many more times for its health: so many
    /// intervals have passed.
    pub(crate) async fn intervals(&self, count: usize) {
        let wanted = self.seen_at("sys/health").len() + count;
        until("more scrapes", || self.seen_at("sys/health").len() >= wanted).await;
    }

    /// Listens on a free port. Gives the address; ends with the runtime.
    pub(crate) async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = self.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().trim_start_matches("/v1/").to_owned();
    let headers = parts.headers.iter();
    let seen = Seen {
        method: parts.method.to_string(),
        path: path.clone(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let (answer, id) = {
        let mut inner = fake.0.lock().unwrap();
        inner.seen.push(seen);
        inner.ids += 1;
        let nothing = Answer::Json(404, json!({"errors": []}));
        (inner.answers.get(&path).cloned().unwrap_or(nothing), inner.ids)
    };
    let build = Response::builder();
    match answer {
        Answer::Json(status, mut value) => {
            if status == 200 && (value["data"].is_object() || value["auth"].is_object()) {
                value["request_id"] = json!(format!("id-{id}"));
            }
            build.status(status).body(Body::from(value.to_string()))
        }
        Answer::Text(status, text) => build.status(status).body(Body::from(text)),
        Answer::Redirect(to) => build.status(307).header("location", to).body(Body::empty()),
        Answer::Huge(bytes) => build.status(200).body(Body::from(vec![b' '; bytes])),
        Answer::Never => std::future::pending().await,
    }
    .unwrap()
}

/// What `sys/health` says of a node in such a state.
pub(crate) fn health(state: &str) -> Value {
    let sealed = matches!(state, "sealed" | "uninitialized");
    json!({
        "initialized": state != "uninitialized",
        "sealed": sealed,
        "standby": sealed || state == "standby",
        "replication_dr_mode": "disabled",
        "version": "2.7.2",
        "cluster_name": if sealed { "" } else { "vault-cluster-1" },
    })
}

/// A few lines of `sys/metrics`.
pub(crate) const METRICS: &str = "vault_core_active{cluster=\"vault-cluster-1\"} 1\n\
    vault_expire_num_leases 17\n\
    vault_secret_lease_creation{mount_point=\"database/\"} 5\n\
    process_cpu_seconds_total 30\n";
