//! The rules: all that a web configuration file comes to, with the files that it names.

use super::file::{self, RateLimit, WebFile, line_of};
use super::password::Users;
use super::problem::WebConfigError;
use super::rate::Rate;
use super::tls::{self, Tls};
use crate::config::parse_duration;
use axum::http::{HeaderName, HeaderValue, header};
use rustls::ServerConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What holds for a connection and its requests.
#[derive(Debug, Default)]
pub struct Rules {
    tls: Option<Tls>,
    pub(super) users: Users,
    headers: Vec<(HeaderName, HeaderValue)>,
    rate: Option<Rate>,
}

/// The headers that may be set, with the values that they may have where these are few.
const HEADERS: &[(HeaderName, &[&str])] = &[
    (header::STRICT_TRANSPORT_SECURITY, &[]),
    (header::X_CONTENT_TYPE_OPTIONS, &["nosniff"]),
    (header::X_FRAME_OPTIONS, &["deny", "sameorigin"]),
    (header::X_XSS_PROTECTION, &[]),
    (header::CONTENT_SECURITY_POLICY, &[]),
];

impl Rules {
    /// How TLS is spoken; plain text if not at all.
    pub fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.as_ref().map(|tls| Arc::clone(&tls.config))
    }

    /// Whether a certificate that a client has shown says who it is.
    pub fn proves_clients(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.proves_clients)
    }

    /// Whether a password is asked for.
    pub fn asks_for_password(&self) -> bool {
        !self.users.is_empty()
    }

    /// How many users have one.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// Headers of every answer, over those that it has already.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// Whether one more request may be answered now.
    pub fn has_room(&self) -> bool {
        self.rate.as_ref().is_none_or(|rate| rate.take(Instant::now()))
    }
}

/// Reads `path`. The files that it names are told to `named` before any of them is read, also where an error
/// follows: they are to be watched.
pub(super) fn read(path: &Path, named: impl FnOnce(&[PathBuf])) -> Result<Rules, WebConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let remedy = "Name a YAML file that the user of leasewatch may read by --web.config.file";
        WebConfigError::new(path, None, format!("it cannot be read: {error}"), remedy)
    })?;
    let WebFile { tls_server_config, http_server_config, rate_limit, basic_auth_users } =
        file::parse(path, &text)?;
    let tls = tls_server_config.filter(file::TlsServer::is_asked_for);
    named(&tls.as_ref().map(|section| tls::named(path, section)).unwrap_or_default());
    let headers = http_server_config.and_then(|section| section.headers).unwrap_or_default();
    Ok(Rules {
        users: Users::read(path, basic_auth_users.unwrap_or_default())?,
        headers: headers
            .iter()
            .map(|(name, line)| header(path, name, line))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect(),
        rate: rate_limit.map(|section| rate(path, &section)).transpose()?.flatten(),
        tls: tls.map(|section| tls::build(path, &section)).transpose()?,
    })
}

fn header(
    path: &Path,
    name: &str,
    line: &file::Line,
) -> Result<Option<(HeaderName, HeaderValue)>, WebConfigError> {
    let wrong = |problem: String, remedy: String| WebConfigError::new(path, line_of(line), problem, remedy);
    let known = HEADERS.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name));
    let Some((known, values)) = known else {
        let names: Vec<_> = HEADERS.iter().map(|(name, _)| name.as_str()).collect();
        return Err(wrong(
            format!("the header {} cannot be set", name.escape_debug()),
            format!("Known here: {}", names.join(", ")),
        ));
    };
    if line.value.is_empty() {
        return Ok(None);
    }
    if !values.is_empty() && !values.contains(&line.value.as_str()) {
        return Err(wrong(format!("{known} has no such value"), format!("Write {}", values.join(" or "))));
    }
    let value = HeaderValue::from_str(&line.value).map_err(|_| {
        wrong(format!("this cannot be the value of {known}"), "Write visible ASCII on one line".to_owned())
    })?;
    Ok(Some((known.clone(), value)))
}

fn rate(path: &Path, section: &RateLimit) -> Result<Option<Rate>, WebConfigError> {
    let Some(line) = file::given(section.interval.as_ref()) else { return Ok(None) };
    let interval = match line.value.as_str() {
        "0" => Some(Duration::ZERO),
        text => parse_duration(text),
    };
    let interval = interval.ok_or_else(|| {
        WebConfigError::new(
            path,
            line_of(line),
            "this is no duration",
            "Write a number and a unit, such as 100ms or 1s, or 0 for no limit",
        )
    })?;
    if interval.is_zero() {
        return Ok(None);
    }
    let burst = section.burst.as_ref().map_or(0, |burst| burst.value);
    if burst == 0 {
        let line = section.burst.as_ref().and_then(line_of).or(line_of(line));
        return Err(WebConfigError::new(
            path,
            line,
            "with a burst of 0 no request would ever be answered",
            "Set burst to 1 or more",
        ));
    }
    Ok(Some(Rate::new(interval, burst, Instant::now())))
}
