//! The client: one request and what its answer means. Nothing of an answer's text is shown, and no
//! address with a key in it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// More of an answer is not read.
const ANSWER_MOST: usize = 1 << 20;
/// A receiver that wants to be left alone for longer is asked again all the same.
const AFTER_MOST: Duration = Duration::from_secs(3_600);

/// Sends requests. Clones share their connections.
#[derive(Clone, Debug)]
pub(super) struct Client {
    direct: reqwest::Client,
    by_proxy: reqwest::Client,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: reqwest::Method,
    pub(super) url: String,
    /// All but the length.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Outgoing {
    /// JSON by POST.
    pub(super) fn json(url: String, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { method: reqwest::Method::POST, url, headers, body }
    }

    /// With one more header.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What the answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was taken; with the body of the answer.
    Taken(Vec<u8>),
    /// The key is not accepted.
    Refused(u16),
    /// It is too large in one piece.
    TooLarge,
    /// It will never be taken as it is.
    Unusable(u16),
    /// Not now: why, and how long the receiver wants to be left alone.
    Later(String, Option<Duration>),
}

impl Client {
    /// A client that trusts this authority, or those of the system.
    ///
    /// # Errors
    /// That the file cannot be used.
    pub(super) fn new(authority: Option<&Path>) -> Result<Self, String> {
        let mut authorities = Vec::new();
        if let Some(file) = authority {
            let wrong = |why: String| format!("push.ca_cert {}: {why}", file.display());
            let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
            authorities = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if authorities.is_empty() {
                return Err(wrong("it holds no PEM certificate".to_owned()));
            }
        }
        let build = |is_direct: bool| {
            // A redirect would carry keys to wherever an answer says.
            let mut builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("leasewatch/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(TIMEOUT)
                .timeout(TIMEOUT)
                .pool_max_idle_per_host(1)
                .http1_only();
            if is_direct {
                builder = builder.no_proxy();
            }
            if !authorities.is_empty() {
                builder = builder.tls_certs_only(authorities.clone());
            }
            builder.build().map_err(|error| format!("no client for pushing: {error}"))
        };
        Ok(Self { direct: build(true)?, by_proxy: build(false)? })
    }

    /// Sends it.
    pub(super) async fn send(&self, outgoing: Outgoing) -> Answer {
        let http = if is_loopback(&outgoing.url) { &self.direct } else { &self.by_proxy };
        let mut request = http.request(outgoing.method, &outgoing.url).body(outgoing.body);
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::Later(trouble(&error), None),
        };
        let status = response.status().as_u16();
        let after = response.headers().get("retry-after").and_then(|value| wait(value.to_str().ok()?));
        match status {
            200..=299 => Answer::Taken(body(response).await),
            401 | 403 => Answer::Refused(status),
            413 => Answer::TooLarge,
            400 | 422 => Answer::Unusable(status),
            404 | 405 => Answer::Later(
                format!("the receiver does not know this path (HTTP {status}): look at its address"),
                after,
            ),
            300..=399 => Answer::Later(
                format!("the receiver sends elsewhere (HTTP {status}): give the address it sends to"),
                after,
            ),
            _ => Answer::Later(format!("the receiver answers HTTP {status}"), after),
        }
    }
}

/// Whether `OneUptime` knows an ingestion key.
///
/// # Errors
/// Why this cannot be said.
pub async fn validate(base: &str, key: &str, authority: Option<&Path>) -> Result<bool, String> {
    let mut outgoing = Outgoing::json(format!("{base}/otlp/v1/validate"), Vec::new());
    outgoing.method = reqwest::Method::GET;
    match Client::new(authority)?.send(outgoing.header("x-oneuptime-token", key)).await {
        Answer::Taken(body) => {
            let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            answer["valid"].as_bool().ok_or_else(|| "the answer is not that of OneUptime".to_owned())
        }
        Answer::Refused(_) => Ok(false),
        Answer::Later(why, _) => Err(why),
        Answer::TooLarge | Answer::Unusable(_) => Err("the answer is not that of OneUptime".to_owned()),
    }
}

async fn body(mut response: reqwest::Response) -> Vec<u8> {
    let mut read = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        if read.len() + piece.len() > ANSWER_MOST {
            break;
        }
        read.extend_from_slice(&piece);
    }
    read
}

/// What went wrong, without the address: it may hold a key.
fn trouble(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    if error.is_builder() {
        return "the request cannot be made: look for line ends or other odd letters in the key".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if std::ptr::addr_eq(std::ptr::from_ref(cause), std::ptr::from_ref(error)) {
        return "the connection broke".to_owned();
    }
    format!("no connection: {cause}")
}

/// How long `Retry-After` says to wait: seconds, or a date.
fn wait(text: &str) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        let now = crate::clock::wall().as_nanos() / 1_000_000_000;
        Duration::from_secs(u64::try_from(at.as_second() - now).unwrap_or(0))
    };
    Some(wait.min(AFTER_MOST))
}

fn is_loopback(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_how_long_it_wants_to_be_left_alone() {
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait(" 99999999 "), Some(AFTER_MOST));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("Thu, 31 Dec 9998 23:59:59 GMT"), Some(AFTER_MOST));
        assert_eq!(wait("soon"), None);
    }
}
