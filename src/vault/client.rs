//! A client of one node's API: one request, one classified answer. It knows
//! how to ask; what to ask and when is the scraper's.

use super::error::Error;
use super::own::{Own, Sending};
use super::tls::{self, Endpoint};
use crate::config::{NodeConfig, Secret, TlsConfig};
use crate::stamp::FileStamp;
use reqwest::Response;
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest JSON answer that is read. Bytes.
pub const JSON_LIMIT: usize = 16 << 20;
/// Longest metrics text that is read. Bytes.
pub const METRICS_LIMIT: usize = 64 << 20;

/// The API of one node.
#[derive(Debug)]
pub(super) struct Client {
    address: String,
    tls: TlsConfig,
    timeout: Duration,
    /// Replaced when a TLS file changes; never held across an await.
    current: Mutex<(Arc<Endpoint>, Vec<FileStamp>)>,
}

/// One request.
pub(super) struct Call<'a> {
    /// Below `/v1/`; each part already escaped.
    pub(super) path: &'a str,
    /// Query parameters, escaped.
    pub(super) query: &'a str,
    /// Namespace to ask in; empty for root.
    pub(super) namespace: &'a str,
    /// The token, where the call needs one.
    pub(super) token: Option<&'a Secret>,
    /// A body makes it a POST.
    pub(super) body: Option<Value>,
    /// Told of the call, where Vault logs it.
    pub(super) own: Option<&'a Own>,
    /// The policy that a refusal asks for.
    pub(super) right: Right<'a>,
}

/// A line of policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Right<'a> {
    /// Path as the policy names it, without the namespace.
    pub(super) path: &'a str,
    /// Capability.
    pub(super) capability: &'a str,
}

impl Right<'_> {
    /// As it stands in a policy of the root namespace.
    pub(super) fn line(self, namespace: &str) -> String {
        let slash = if namespace.is_empty() { "" } else { "/" };
        let Self { path, capability } = self;
        format!("path \"{namespace}{slash}{path}\" {{ capabilities = [\"{capability}\"] }}")
    }
}

/// What an answer of JSON carries.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Envelope<T> {
    /// The audit entry's `request.id`.
    #[serde(default)]
    pub(super) request_id: String,
    /// The answer itself.
    pub(super) data: Option<T>,
    /// Of a login or a renewal.
    pub(super) auth: Option<Value>,
}

impl Client {
    /// Of `node`, under `tls`; fails on settings and files that cannot be used.
    pub(super) fn new(node: &NodeConfig, tls: &TlsConfig, timeout: Duration) -> Result<Self, Error> {
        let stamps = tls::stamps(tls);
        let endpoint = tls::endpoint(&node.address, tls, timeout)?;
        Ok(Self {
            address: node.address.clone(),
            tls: tls.clone(),
            timeout,
            current: Mutex::new((Arc::new(endpoint), stamps)),
        })
    }

    /// Asks what needs no token, and reads the JSON answer.
    pub(super) async fn plain<T: DeserializeOwned>(&self, path: &str, query: &str) -> Result<T, Error> {
        let call = Call {
            path,
            query,
            namespace: "",
            token: None,
            body: None,
            own: None,
            right: Right { path, capability: "read" },
        };
        parse_json(&self.bytes(&call, None, JSON_LIMIT).await?)
    }

    /// Asks, and reads the JSON answer in its envelope.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Envelope<T>, Error> {
        let sending = call.own.map(Own::sending);
        let body = self.bytes(call, sending.as_ref(), JSON_LIMIT).await?;
        let envelope: Envelope<T> = parse_json(&body)?;
        if let (Some(own), Some(sending)) = (call.own, &sending) {
            own.answered(sending, &envelope.request_id);
        }
        Ok(envelope)
    }

    /// Asks, and reads the answer as text.
    pub(super) async fn text(&self, call: &Call<'_>) -> Result<String, Error> {
        let sending = call.own.map(Own::sending);
        let body = self.bytes(call, sending.as_ref(), METRICS_LIMIT).await?;
        String::from_utf8(body).map_err(|_| Error::Malformed { problem: "not UTF-8" })
    }

    /// Asks for an answer that goes on and on, and reads none of it yet.
    pub(super) async fn stream(&self, call: &Call<'_>, sending: &Sending) -> Result<Response, Error> {
        let endpoint = self.endpoint()?;
        let request = Self::request(&endpoint, call, Some(sending))?;
        let answer = tokio::time::timeout(self.timeout, endpoint.http.execute(request));
        let timed_out = |_| Error::TimedOut { after: self.timeout };
        let answer = answer.await.map_err(timed_out)?.map_err(|error| self.transport(&error))?;
        if answer.status().as_u16() == 200 {
            return Ok(answer);
        }
        let words = tokio::time::timeout(self.timeout, self.read(answer, call, JSON_LIMIT));
        Err(words.await.map_err(timed_out)?.err().unwrap_or(Error::StreamEnded))
    }

    async fn bytes(
        &self,
        call: &Call<'_>,
        sending: Option<&Sending>,
        limit: usize,
    ) -> Result<Vec<u8>, Error> {
        let endpoint = self.endpoint()?;
        let mut request = Self::request(&endpoint, call, sending)?;
        *request.timeout_mut() = Some(self.timeout);
        let answer = endpoint.http.execute(request).await.map_err(|error| self.transport(&error))?;
        self.read(answer, call, limit).await
    }

    /// What went wrong on the way.
    pub(super) fn transport(&self, error: &reqwest::Error) -> Error {
        Error::from_transport(error, &self.address, self.timeout)
    }

    async fn read(&self, mut answer: Response, call: &Call<'_>, limit: usize) -> Result<Vec<u8>, Error> {
        let status = answer.status().as_u16();
        // Of a refusal, only enough is read to tell its kind.
        let limit = if status == 200 { limit } else { 64 << 10 };
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.transport(&error))? {
            if body.len() + chunk.len() > limit {
                if status == 200 {
                    return Err(Error::TooLarge { limit });
                }
                break;
            }
            body.extend_from_slice(&chunk);
        }
        match status {
            200 | 204 => Ok(body),
            // A proxy may have cut the parameters that ask for 200 in every
            // state: the body says the same.
            429 | 472..=474 | 501 | 503 | 530 if call.path == "sys/health" => Ok(body),
            _ => Err(refusal(status, &String::from_utf8_lossy(&body), call)),
        }
    }

    fn request(
        endpoint: &Endpoint,
        call: &Call<'_>,
        sending: Option<&Sending>,
    ) -> Result<reqwest::Request, Error> {
        let marker = sending.map(|sending| sending.marker.clone());
        let mut url = endpoint.base.clone();
        url.set_path(&format!("{}/v1/{}", url.path().trim_end_matches('/'), call.path));
        let mut query = call.query.to_owned();
        let request = if let Some(body) = &call.body {
            let mut body = body.clone();
            if let (Value::Object(body), Some(marker)) = (&mut body, marker) {
                body.insert(marker, Value::Bool(true));
            }
            endpoint.http.post(url).json(&body)
        } else {
            if let Some(marker) = marker {
                let and = if query.is_empty() { "" } else { "&" };
                query = format!("{query}{and}{marker}=1");
            }
            url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
            endpoint.http.get(url)
        };
        request
            .headers(headers(endpoint, call)?)
            .build()
            .map_err(|_| Error::Malformed { problem: "the request cannot be built" })
    }

    /// The client to use now: built anew once a file that it rests on has changed.
    fn endpoint(&self) -> Result<Arc<Endpoint>, Error> {
        let stamps = tls::stamps(&self.tls);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1 != stamps {
            let endpoint = tls::endpoint(&self.address, &self.tls, self.timeout)?;
            *current = (Arc::new(endpoint), stamps);
        }
        Ok(Arc::clone(&current.0))
    }
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| Error::Malformed { problem: "unexpected JSON" })
}

fn headers(endpoint: &Endpoint, call: &Call<'_>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    // Vault refuses requests without it where an agent or listener asks for it.
    headers.insert("x-vault-request", HeaderValue::from_static("true"));
    if !call.namespace.is_empty() {
        let namespace = HeaderValue::from_str(call.namespace).map_err(|_| Error::Setting {
            setting: "namespace",
            problem: "holds characters that no header can carry".to_owned(),
        })?;
        headers.insert("x-vault-namespace", namespace);
    }
    if let Some(token) = call.token {
        let bearer = format!("Bearer {}", token.reveal());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| Error::Setting {
            setting: "token",
            problem: "holds characters that no token has; look for a stray line".to_owned(),
        })?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    if let Some(host) = endpoint.host.as_deref().and_then(|host| HeaderValue::from_str(host).ok()) {
        headers.insert(HOST, host);
    }
    Ok(headers)
}

/// What a status and the words with it mean. The words decide and go no further.
fn refusal(status: u16, words: &str, call: &Call<'_>) -> Error {
    let says = |text: &str| words.contains(text);
    match status {
        307 | 308 if call.path != "sys/health" => Error::Standby,
        400 if says("local-only request") => Error::Standby,
        400 if says("prometheus is not enabled") => Error::TelemetryOff,
        // So it calls one that does not exist, or not any more.
        400 if call.path == "sys/leases/lookup" && says(r#"["invalid lease"]"#) => {
            Error::NotFound { path: call.path.to_owned() }
        }
        400 if says("HTTP request to an HTTPS server") => {
            Error::Malformed { problem: "the listener speaks TLS: use https://" }
        }
        // A policy's no is wrapped in "1 error occurred"; a token that Vault does
        // not know gets the bare words, or says so.
        403 if says("invalid token") || says("bad token") || says(r#"["permission denied"]"#) => {
            Error::Token { remedy: "it has expired or was revoked; issue a new one" }
        }
        403 => Error::Denied { missing: call.right.line(call.namespace) },
        404 => Error::NotFound { path: call.path.to_owned() },
        429 => Error::RateLimited,
        472..=474 => Error::Standby,
        503 if says("sealed") => Error::Sealed,
        _ => Error::Refused { status },
    }
}

/// Escapes one part of a path: a role name may hold anything.
pub(super) fn escape(part: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            use std::fmt::Write;
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parts_are_escaped() {
        assert_eq!(escape("a b?c#d%e/f.g"), "a%20b%3Fc%23d%25e/f.g");
    }

    #[test]
    fn a_refusal_names_the_missing_line() {
        let line = Right { path: "sys/mounts", capability: "read" }.line("team-a");
        assert_eq!(line, r#"path "team-a/sys/mounts" { capabilities = ["read"] }"#);
    }
}
