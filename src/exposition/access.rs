//! Access: who may see which clients an anomaly is about. Whoever asks from this machine, by a name of the
//! loopback. Pure.
//!
//! The address alone is not enough: a page in a browser on this machine can ask for any name that its
//! author lets point to 127.0.0.1 (DNS rebinding), and then the request comes from the loopback but names
//! his host. A proxy on this machine asks for others; it says so, as proxies do.

use axum::http::header::{FORWARDED, HOST, HeaderName, VIA};
use axum::http::{HeaderMap, Uri};
use std::net::{IpAddr, SocketAddr};

/// Whom a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Why a request is not shown who it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// The setting says so.
    #[error("web.identities = \"nobody\" keeps names of clients off every page")]
    Nobody,
    /// It comes from elsewhere.
    #[error("this names clients, and is answered to connections from this machine alone")]
    Elsewhere,
    /// It names another host.
    #[error(
        "this names clients, and is answered only where it is asked for by a name of the loopback, such as 127.0.0.1 or localhost"
    )]
    OtherHost,
    /// It came through a proxy.
    #[error("this names clients, and is not answered through a proxy")]
    Proxy,
}

impl Refused {
    /// What whoever asks can do.
    pub(super) const REMEDY: &'static str = "Ask on this machine: `leasewatch episodes` as the user that leasewatch runs as, or \
         http://127.0.0.1:PORT/ there, from elsewhere through `ssh -L` or `kubectl port-forward`";
}

/// Whether a request may be shown names of clients.
pub(super) fn allowed(
    shown: bool,
    peer: Option<&Peer>,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<(), Refused> {
    const OF_PROXIES: [HeaderName; 5] = [
        FORWARDED,
        VIA,
        HeaderName::from_static("x-forwarded-for"),
        HeaderName::from_static("x-forwarded-host"),
        HeaderName::from_static("x-real-ip"),
    ];
    if !shown {
        return Err(Refused::Nobody);
    }
    // On a socket for both, an IPv4 address comes as one of IPv6.
    if !peer.is_some_and(|Peer(address)| address.ip().to_canonical().is_loopback()) {
        return Err(Refused::Elsewhere);
    }
    if OF_PROXIES.iter().any(|name| headers.contains_key(name)) {
        return Err(Refused::Proxy);
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let is_named = host.is_some_and(is_loopback) && hosts.next().is_none();
    let in_address = uri.authority().is_none_or(|authority| is_loopback(authority.as_str()));
    if is_named && in_address { Ok(()) } else { Err(Refused::OtherHost) }
}

/// A host with or without a port that can only be this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) if is_port(port) => name,
            _ => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) if is_port(&format!(":{port}")) => name,
            Some(_) => return false,
            None => host,
        },
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Nothing, or a colon and a number.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn ask(peer: &str, host: &str, more: &[(&'static str, &'static str)]) -> Result<(), Refused> {
        let mut headers = HeaderMap::new();
        if !host.is_empty() {
            headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        }
        for (name, value) in more {
            headers.append(*name, HeaderValue::from_static(value));
        }
        allowed(true, Some(&Peer(peer.parse().unwrap())), &headers, &Uri::from_static("/"))
    }

    #[test]
    fn this_machine_by_its_own_name_may() {
        for peer in ["127.0.0.1:5000", "127.3.2.1:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000"] {
            for host in ["localhost", "LOCALHOST:9748", "127.0.0.1:9748", "127.1.2.3", "[::1]", "[::1]:9748"]
            {
                assert_eq!(ask(peer, host, &[]), Ok(()), "{peer} {host}");
            }
        }
    }

    #[test]
    fn nobody_else_may() {
        for peer in ["192.0.2.1:5000", "[2001:db8::1]:5000", "[::ffff:192.0.2.1]:5000", "10.0.0.1:5000"] {
            assert_eq!(ask(peer, "localhost", &[]), Err(Refused::Elsewhere), "{peer}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost:9748:1",
            "192.0.2.1",
            "[::1",
            "[2001:db8::1]",
            "localhost:x",
            "0.0.0.0:9748",
            "localhost@evil.example",
        ] {
            assert_eq!(ask("127.0.0.1:5000", host, &[]), Err(Refused::OtherHost), "{host}");
        }
        for name in ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] {
            assert_eq!(ask("127.0.0.1:5000", "localhost", &[(name, "x")]), Err(Refused::Proxy), "{name}");
        }
        assert_eq!(ask("127.0.0.1:5000", "localhost", &[("host", "evil.example")]), Err(Refused::OtherHost));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        let peer = Peer("127.0.0.1:1".parse().unwrap());
        let address = Uri::from_static("http://evil.example/api/episodes");
        assert_eq!(allowed(true, Some(&peer), &headers, &address), Err(Refused::OtherHost));
        assert_eq!(allowed(false, Some(&peer), &headers, &Uri::from_static("/")), Err(Refused::Nobody));
        assert_eq!(allowed(true, None, &headers, &Uri::from_static("/")), Err(Refused::Elsewhere));
    }
}
