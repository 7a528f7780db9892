//! The exporter's own token: where it comes from, when it is renewed, when it ends.
//! One for the whole cluster: not one login a node, and none a scrape.

use super::client::{Call, Client, Right, escape};
use super::error::Error;
use super::nonce::jittered;
use super::own::Own;
use crate::config::{AuthConfig, Secret, SecretSource, VaultConfig};
use crate::stamp::FileStamp;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Mutex;

/// First wait after a failed login; doubled with each, up to [`LAST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LAST_WAIT: Duration = Duration::from_secs(300);

/// Gives the token, and keeps it good.
#[derive(Debug)]
pub(super) struct Auth {
    config: AuthConfig,
    /// Namespace of the login, and of what the token does about itself.
    namespace: String,
    /// Locked across a login, so that nodes asking at once make one of it.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// Of the token file, when it was read last.
    stamp: FileStamp,
    generation: u64,
    failures: u32,
    wait_until: Option<Instant>,
    /// Why there is no token.
    trouble: Option<Error>,
}

/// A token with its dates.
#[derive(Clone, Debug)]
struct Held {
    token: Secret,
    /// Grows with each new token: what the last one was refused may be granted now.
    generation: u64,
    /// Of logins: when to renew, or to log in afresh.
    renew_at: Option<Instant>,
    expires: Option<Instant>,
    /// TTL of a login at its beginning.
    full_ttl: Duration,
    renewable: bool,
    /// Vault has accepted it at least once.
    proven: bool,
}

/// A token to use now.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// The token itself.
    pub(super) secret: Secret,
    /// Another number for another token.
    pub(super) generation: u64,
}

/// What became of a request for a token.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// The token, if there is one.
    pub(super) token: Result<Token, Error>,
    /// What went wrong last; there may be a token all the same.
    pub(super) trouble: Option<Error>,
    /// New end of the token's life, where this call learnt it.
    pub(super) expiry: Option<SystemTime>,
}

impl Auth {
    /// From the configuration; asks nothing yet.
    pub(super) fn new(config: &VaultConfig) -> Self {
        Self { config: config.auth.clone(), namespace: config.namespace.clone(), state: Mutex::default() }
    }

    /// Whether there is to be a token at all.
    pub(super) fn is_configured(&self) -> bool {
        !matches!(self.config, AuthConfig::None)
    }

    /// Namespace in which the token asks about itself.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The token, where it takes no request to get it: for standbys.
    pub(super) async fn at_hand(&self) -> Option<Token> {
        let mut state = self.state.lock().await;
        self.read_given(&mut state);
        let held = state.held.as_ref()?;
        held.expires.is_none_or(|end| Instant::now() < end).then(|| held.token())
    }

    /// The token; logs in or renews over `client` where it is time.
    pub(super) async fn token(&self, client: &Client, own: &Own) -> Grant {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if self.read_given(&mut state) {
            return state.grant(None);
        }
        let due = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        if state.held.as_ref().is_some_and(|held| due(held.expires)) {
            state.held = None;
        }
        let waiting = state.wait_until.is_some_and(|until| now < until);
        let fresh = state.held.as_ref().is_some_and(|held| !due(held.renew_at));
        if waiting || fresh {
            return state.grant(None);
        }
        if let Some(held) = state.held.clone().filter(|held| held.renewable) {
            match self.renew(client, own, &held).await {
                Ok(renewed) if renewed.lasts(held.full_ttl) => {
                    let held = Held { full_ttl: held.full_ttl, ..renewed };
                    return state.accept(held);
                }
                // Max TTL nears, or Vault knows the token no more: a fresh login.
                Ok(_) | Err(Error::Denied { .. } | Error::Token { .. }) => {}
                Err(error) if !error.is_lasting() => return state.refuse(error),
                Err(_) => {}
            }
        }
        match self.login(client, own).await {
            Ok(mut held) => {
                state.generation += 1;
                held.generation = state.generation;
                state.accept(held)
            }
            Err(error) => state.refuse(error),
        }
    }

    /// Vault accepted the token for something.
    pub(super) async fn accepted(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if let Some(held) = state.held.as_mut().filter(|held| held.generation == generation) {
            held.proven = true;
        }
    }

    /// Vault does not know the token. Of a login that worked before, it is dead:
    /// the next call logs in. One that never worked is something else, and
    /// logging in again would not cure it. Says which.
    pub(super) async fn refused(&self, generation: u64) -> bool {
        let mut state = self.state.lock().await;
        let dead = state.held.as_ref().is_some_and(|held| held.generation == generation && held.proven);
        if dead && self.logs_in() {
            state.held = None;
        }
        dead
    }

    fn logs_in(&self) -> bool {
        matches!(self.config, AuthConfig::AppRole { .. } | AuthConfig::Kubernetes { .. })
    }

    /// Takes a token that is given, not logged in for. Says whether that is the way.
    fn read_given(&self, state: &mut State) -> bool {
        match &self.config {
            AuthConfig::None => {
                state.trouble = None;
                true
            }
            AuthConfig::Token(token) => {
                if state.held.is_none() {
                    state.generation += 1;
                    state.held = Some(Held::given(token.clone(), state.generation));
                }
                true
            }
            AuthConfig::TokenFile(path) => {
                let stamp = FileStamp::of(path);
                // A file that could not be used is looked at each time: the
                // remedy may leave its stamp as it was.
                if stamp == state.stamp && state.held.is_some() {
                    return true;
                }
                match read_secret("token file", path) {
                    Ok(token) => {
                        state.stamp = stamp;
                        state.trouble = None;
                        if state.held.as_ref().is_none_or(|held| held.token != token) {
                            state.generation += 1;
                            state.held = Some(Held::given(token, state.generation));
                        }
                    }
                    // While it is being written anew, the token from before holds.
                    Err(error) => state.trouble = Some(error),
                }
                true
            }
            AuthConfig::AppRole { .. } | AuthConfig::Kubernetes { .. } => false,
        }
    }

    async fn login(&self, client: &Client, own: &Own) -> Result<Held, Error> {
        let (mount, body, settings) = match &self.config {
            AuthConfig::AppRole { mount, role_id, secret_id } => {
                let secret_id = match secret_id {
                    SecretSource::Value(secret) => secret.clone(),
                    SecretSource::File(path) => read_secret("secret ID file", path)?,
                };
                let body = json!({"role_id": role_id, "secret_id": secret_id.reveal()});
                (mount, body, "role ID, secret ID (used up or expired?) and the mount of AppRole")
            }
            AuthConfig::Kubernetes { mount, role, jwt_file } => {
                let jwt = read_secret("service account token", jwt_file)?;
                let body = json!({"role": role, "jwt": jwt.reveal()});
                (mount, body, "the role, its bound service accounts and the mount of Kubernetes auth")
            }
            AuthConfig::None | AuthConfig::Token(_) | AuthConfig::TokenFile(_) => {
                return Err(Error::Malformed { problem: "no login is configured" });
            }
        };
        let path = format!("auth/{}/login", escape(mount.trim_matches('/')));
        let call = Call {
            path: &path,
            query: "",
            namespace: &self.namespace,
            token: None,
            body: Some(body),
            own: Some(own),
            right: Right { path: &path, capability: "update" },
        };
        let refused = |status| Error::Login { status, settings };
        let answer = client.json::<Value>(&call).await.map_err(|error| match error {
            Error::Denied { .. } | Error::Token { .. } => refused(403),
            Error::NotFound { .. } => refused(404),
            Error::Refused { status: status @ 400..=499 } => refused(status),
            other => other,
        })?;
        Held::from_auth(answer.auth.as_ref())
    }

    async fn renew(&self, client: &Client, own: &Own, held: &Held) -> Result<Held, Error> {
        let call = Call {
            path: "auth/token/renew-self",
            query: "",
            namespace: &self.namespace,
            token: Some(&held.token),
            body: Some(json!({})),
            own: Some(own),
            right: Right { path: "auth/token/renew-self", capability: "update" },
        };
        let answer = client.json::<Value>(&call).await?;
        let mut renewed = Held::from_auth(answer.auth.as_ref())?;
        renewed.generation = held.generation;
        renewed.proven = true;
        Ok(renewed)
    }
}

impl State {
    fn grant(&self, expiry: Option<SystemTime>) -> Grant {
        let token = self
            .held
            .as_ref()
            .map(Held::token)
            .ok_or_else(|| self.trouble.clone().unwrap_or(Error::Token { remedy: "none is configured" }));
        Grant { token, trouble: self.trouble.clone(), expiry }
    }

    fn accept(&mut self, held: Held) -> Grant {
        let left = held.expires.map(|end| end.saturating_duration_since(Instant::now()));
        let expiry = left.and_then(|left| SystemTime::now().checked_add(left));
        self.held = Some(held);
        self.failures = 0;
        self.wait_until = None;
        self.trouble = None;
        self.grant(expiry)
    }

    fn refuse(&mut self, error: Error) -> Grant {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.wait_until = Some(Instant::now() + jittered(doubled.min(LAST_WAIT)));
        self.trouble = Some(error);
        self.grant(None)
    }
}

impl Held {
    fn given(token: Secret, generation: u64) -> Self {
        Self {
            token,
            generation,
            renew_at: None,
            expires: None,
            full_ttl: Duration::ZERO,
            renewable: false,
            proven: false,
        }
    }

    /// From the `auth` of a login or a renewal.
    fn from_auth(auth: Option<&Value>) -> Result<Self, Error> {
        let malformed = || Error::Malformed { problem: "a login without a token" };
        let auth = auth.ok_or_else(malformed)?;
        let token = auth["client_token"].as_str().filter(|token| !token.is_empty());
        let mut held = Self::given(Secret::new(token.ok_or_else(malformed)?), 0);
        // 0 is for ever.
        if let Some(ttl) = auth["lease_duration"].as_u64().filter(|ttl| *ttl > 0) {
            let now = Instant::now();
            held.full_ttl = Duration::from_secs(ttl);
            held.renew_at = now.checked_add(held.full_ttl / 3 * 2);
            held.expires = now.checked_add(held.full_ttl);
            held.renewable = auth["renewable"].as_bool().unwrap_or(false);
        }
        Ok(held)
    }

    /// Whether a renewal gave it a good part of its life again; near max TTL it does not.
    fn lasts(&self, full: Duration) -> bool {
        self.expires.is_none() || self.full_ttl >= full / 2
    }

    fn token(&self) -> Token {
        Token { secret: self.token.clone(), generation: self.generation }
    }
}

fn read_secret(setting: &'static str, path: &Path) -> Result<Secret, Error> {
    let wrong = |problem: String| Error::File { setting, path: path.to_owned(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    match text.trim() {
        "" => Err(wrong("empty".to_owned())),
        secret if secret.contains(char::is_whitespace) => {
            Err(wrong("holds more than one word; it should hold the secret alone".to_owned()))
        }
        secret => Ok(Secret::new(secret)),
    }
}
