//! Who is turned away: requests that are refused and handshakes of TLS that fail, counted by reasons that are few and
//! known beforehand, whatever is asked.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a request is not answered as it asks: the label `reason` of `leasewatch_http_requests_refused_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It brings a body, which nothing here takes.
    Body,
    /// Too many passwords are being checked.
    Busy,
    /// It comes from another machine, as nobody in particular.
    Foreign,
    /// It names another host.
    Host,
    /// The configuration keeps from everybody what it asks for.
    Identities,
    /// It has no password, or a wrong one.
    Password,
    /// It is in plain text, where TLS is spoken.
    Plain,
    /// It comes through a proxy.
    Proxy,
    /// There were too many in a time.
    Rate,
    /// A page of another site makes a browser ask.
    Site,
}

/// Why a handshake of TLS fails: the label `reason` of `leasewatch_http_tls_failures_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// The client broke it off with an alert: mostly, it does not trust the certificate that it is shown.
    Alert,
    /// The client shows no certificate, or one that is not taken.
    Certificate,
    /// It is no TLS, of no version or suite that is spoken, or it breaks off.
    Other,
    /// It takes too long.
    Timeout,
}

impl Refusal {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 10] = [
        Self::Body,
        Self::Busy,
        Self::Foreign,
        Self::Host,
        Self::Identities,
        Self::Password,
        Self::Plain,
        Self::Proxy,
        Self::Rate,
        Self::Site,
    ];

    /// The value of its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Busy => "busy",
            Self::Foreign => "foreign",
            Self::Host => "host",
            Self::Identities => "identities",
            Self::Password => "password",
            Self::Plain => "plain",
            Self::Proxy => "proxy",
            Self::Rate => "rate",
            Self::Site => "site",
        }
    }
}

impl Handshake {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 4] = [Self::Alert, Self::Certificate, Self::Other, Self::Timeout];

    /// The value of its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Certificate => "certificate",
            Self::Other => "other",
            Self::Timeout => "timeout",
        }
    }

    /// Why this error ended it.
    pub fn of(error: &std::io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::AlertReceived(_)) => Self::Alert,
            Some(rustls::Error::NoCertificatesPresented | rustls::Error::InvalidCertificate(_)) => {
                Self::Certificate
            }
            _ => Self::Other,
        }
    }
}

/// The counts, since the process began.
#[derive(Debug, Default)]
pub struct TurnedAway {
    requests: [AtomicU64; Refusal::ALL.len()],
    handshakes: [AtomicU64; Handshake::ALL.len()],
}

impl TurnedAway {
    /// A request is refused.
    pub fn request(&self, why: Refusal) {
        self.requests[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A handshake failed.
    pub fn handshake(&self, why: Handshake) {
        self.handshakes[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Requests, by reason.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Refusal::ALL.iter().map(|why| (why.name(), self.requests[*why as usize].load(Ordering::Relaxed)))
    }

    /// Handshakes, by reason.
    pub fn handshakes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Handshake::ALL.iter().map(|why| (why.name(), self.handshakes[*why as usize].load(Ordering::Relaxed)))
    }
}
