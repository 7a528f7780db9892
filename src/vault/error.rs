//! What can go wrong with a call of Vault's API, by what the operator does about it.
//! Raw error texts of Vault stay here unread: they may carry what nobody should see.

use std::path::PathBuf;
use std::time::Duration;

/// Why a call failed. The message says what to do; it names no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting that no client can be built from.
    #[error("{setting}: {problem}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// A file that a setting names cannot be used.
    #[error("{setting} {}: {problem}", path.display())]
    File {
        /// Name of the setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// No connection.
    #[error("cannot reach Vault at {address}: check that it runs and that the address is right")]
    Unreachable {
        /// The node's address.
        address: String,
    },
    /// The TLS handshake failed.
    #[error("TLS to {address} failed ({detail}): {remedy}")]
    Tls {
        /// The node's address.
        address: String,
        /// The TLS library's words.
        detail: String,
        /// Which setting to look at.
        remedy: &'static str,
    },
    /// No whole answer in time.
    #[error("no answer within {} s", .after.as_secs_f64())]
    TimedOut {
        /// The time-out.
        after: Duration,
    },
    /// The node is sealed.
    #[error("Vault is sealed: unseal it")]
    Sealed,
    /// A standby that does not answer this itself.
    #[error("the node is a standby and does not answer this itself")]
    Standby,
    /// Refused for want of a right.
    #[error("permission denied: the policy of the exporter's token lacks `{missing}`")]
    Denied {
        /// The line of policy that would grant it.
        missing: String,
    },
    /// Vault does not know the token (any more), or knows no such login.
    #[error("Vault does not accept the exporter's token: {remedy}")]
    Token {
        /// Where to get a better one.
        remedy: &'static str,
    },
    /// The login was refused.
    #[error("login refused (HTTP {status}): check {settings}")]
    Login {
        /// HTTP status.
        status: u16,
        /// The settings that a refusal may come from.
        settings: &'static str,
    },
    /// Nothing there.
    #[error("Vault knows no {path}")]
    NotFound {
        /// API path.
        path: String,
    },
    /// `sys/metrics` is there but gives no Prometheus text.
    #[error(
        "metrics are off: set prometheus_retention_time in the telemetry stanza of Vault's configuration"
    )]
    TelemetryOff,
    /// A rate limit quota, or a proxy that limits.
    #[error("too many requests: Vault's rate limit quota refuses the exporter")]
    RateLimited,
    /// Another status than expected.
    #[error("Vault answered HTTP {status}{}", hint(*.status))]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// An answer, but none of Vault's.
    #[error("not an answer of Vault's API ({problem}): check the node's address")]
    Malformed {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More leases of one role than are listed.
    #[error(
        "a role has more than {most} leases, which are not listed: find out why there are so many, or \
         take vault.listing_interval out"
    )]
    TooManyLeases {
        /// The cap.
        most: usize,
    },
    /// The stream of the server log ended.
    #[error("the stream of the server log ended; what is logged until it is back is lost")]
    StreamEnded,
    /// An answer beyond the cap.
    #[error("the answer is longer than {limit} bytes and was dropped")]
    TooLarge {
        /// The cap in bytes.
        limit: usize,
    },
}

impl Error {
    /// A word for the kind, to tell one trouble from another.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "setting",
            Self::File { .. } => "file",
            Self::Unreachable { .. } => "unreachable",
            Self::Tls { .. } => "tls",
            Self::TimedOut { .. } => "timed_out",
            Self::Sealed => "sealed",
            Self::Standby => "standby",
            Self::Denied { .. } => "denied",
            Self::Token { .. } => "token",
            Self::Login { .. } => "login",
            Self::NotFound { .. } => "not_found",
            Self::TelemetryOff => "telemetry_off",
            Self::RateLimited => "rate_limited",
            Self::Refused { .. } => "refused",
            Self::Malformed { .. } => "malformed",
            Self::TooManyLeases { .. } => "too_many_leases",
            Self::StreamEnded => "stream_ended",
            Self::TooLarge { .. } => "too_large",
        }
    }

    /// Whether only a change on Vault's side or of the configuration can help,
    /// so that asking again soon is noise in the audit log.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Denied { .. } | Self::NotFound { .. } | Self::TelemetryOff | Self::TooLarge { .. }
        )
    }

    /// From the HTTP library, which knows whether the way or the answer failed.
    pub(super) fn from_transport(error: &reqwest::Error, address: &str, timeout: Duration) -> Self {
        if error.is_timeout() {
            return Self::TimedOut { after: timeout };
        }
        let mut source = std::error::Error::source(error);
        let mut causes = Vec::new();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        if let Some((detail, remedy)) = causes.iter().rev().find_map(|cause| tls_remedy(cause)) {
            return Self::Tls { address: address.to_owned(), detail, remedy };
        }
        if error.is_body() || error.is_decode() {
            return Self::Malformed { problem: "the answer breaks off" };
        }
        if error.is_connect() || error.is_request() {
            return Self::Unreachable { address: address.to_owned() };
        }
        Self::Malformed { problem: "not HTTP" }
    }
}

/// The TLS library tells its errors apart by their texts alone, once the HTTP
/// library has wrapped them.
fn tls_remedy(cause: &str) -> Option<(String, &'static str)> {
    let lower = cause.to_lowercase();
    let remedy = if lower.contains("unknownissuer") || lower.contains("unknown issuer") {
        "name the authority that signed the server's certificate by VAULT_CACERT or VAULT_CAPATH"
    } else if lower.contains("not valid for") {
        "the certificate is for another name: set VAULT_TLS_SERVER_NAME"
    } else if lower.contains("certificate expired") {
        "renew the server's certificate"
    } else if lower.contains("certificaterequired") || lower.contains("certificate required") {
        "the listener asks for a client certificate: set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY"
    } else if lower.contains("invalidcontenttype") || lower.contains("corrupt message") {
        "the listener does not speak TLS: try http://"
    } else if lower.contains("fatal alert") {
        "the server refused the handshake: check VAULT_CLIENT_CERT and VAULT_CLIENT_KEY"
    } else if lower.contains("peer certificate") {
        "check the server's certificate and VAULT_CACERT"
    } else {
        return None;
    };
    Some((cause.chars().take(200).collect(), remedy))
}

fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": a redirect, which is not followed; give the address of the node itself",
        500..=599 => ": see Vault's server log",
        _ => "",
    }
}
