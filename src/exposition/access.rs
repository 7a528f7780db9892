//! Access: who may see more than numbers. Whoever has proven who he is, by a password or a certificate; where nobody
//! can, whoever asks from this machine, by a name of the loopback. Pure.
//!
//! The address alone is not enough: a page in a browser on this machine can ask for any name that its
//! author lets point to 127.0.0.1 (DNS rebinding), and then the request comes from the loopback but names
//! his host. A proxy on this machine asks for others; it says so, as proxies do.

use crate::web::Refusal;
use axum::extract::Extension;
use axum::http::header::{FORWARDED, HOST, HeaderName, ORIGIN, VIA};
use axum::http::{HeaderMap, Uri};
use std::net::{IpAddr, SocketAddr};

/// Whom a request comes from, as its connection says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) peer: SocketAddr,
    /// He has shown a certificate that says who he is.
    pub(super) is_proven: bool,
    /// Nobody in between can read it.
    pub(super) is_private: bool,
}

/// How a caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// He has proven who he is.
    Known,
    /// Nobody is asked who he is.
    Anybody,
    /// He was asked and did not say, and looks only whether the program is alive.
    Probe,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// The setting says so.
    #[error("web.identities = \"nobody\" keeps names of clients off every page")]
    Nobody,
    /// It comes from elsewhere.
    #[error("this is answered to connections from this machine alone, and to whoever has proven who he is")]
    Elsewhere,
    /// It names another host.
    #[error(
        "this is answered only where it is asked for by a name of the loopback, such as 127.0.0.1 or localhost, and to whoever has proven who he is"
    )]
    OtherHost,
    /// It came through a proxy.
    #[error("this is not answered through a proxy, but to whoever has proven who he is")]
    Proxy,
    /// A page of another site makes a browser ask.
    #[error("this is not done for a page of another site")]
    OtherSite,
}

impl Refused {
    /// How it is counted.
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Nobody => Refusal::Identities,
            Self::Elsewhere => Refusal::Foreign,
            Self::OtherHost => Refusal::Host,
            Self::Proxy => Refusal::Proxy,
            Self::OtherSite => Refusal::Site,
        }
    }

    /// What whoever asks can do.
    pub(super) const REMEDY: &'static str = "Ask on this machine: `leasewatch episodes` as the user that leasewatch runs as, or \
         http://127.0.0.1:PORT/ there, from elsewhere through `ssh -L` or `kubectl port-forward`; or give users a password \
         by --web.config.file, see docs/access.md";
}

/// Whether a request may be answered with more than numbers.
pub(super) fn allowed(
    (caller, standing): &(Option<Extension<Caller>>, Option<Extension<Standing>>),
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
    match standing {
        Some(Extension(Standing::Known)) => return Ok(()),
        Some(Extension(Standing::Anybody)) => {}
        Some(Extension(Standing::Probe)) | None => return Err(Refused::Elsewhere),
    }
    // On a socket for both, an IPv4 address comes as one of IPv6.
    if !caller.is_some_and(|Extension(caller)| caller.peer.ip().to_canonical().is_loopback()) {
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

/// Whether no browser asks on behalf of a page of another site: what changes something is not done for such a page,
/// whose reader may have given the browser his password.
pub(super) fn of_no_other_site(headers: &HeaderMap) -> Result<(), Refused> {
    const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = |origin: &str| origin.split_once("://").map(|(_, host)| host) == own;
    let same = headers.get_all(ORIGIN).iter().all(|value| value.to_str().is_ok_and(origin));
    let told = headers.get_all(SITE).iter().all(|value| value == "same-origin" || value == "none");
    if same && told { Ok(()) } else { Err(Refused::OtherSite) }
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
        allowed(&from(Some(peer), Some(Standing::Anybody)), &headers, &Uri::from_static("/"))
    }

    fn from(
        peer: Option<&str>,
        standing: Option<Standing>,
    ) -> (Option<Extension<Caller>>, Option<Extension<Standing>>) {
        let caller = |peer: &str| Caller { peer: peer.parse().unwrap(), is_proven: false, is_private: false };
        (peer.map(caller).map(Extension), standing.map(Extension))
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
        let local = Some("127.0.0.1:1");
        let anybody = from(local, Some(Standing::Anybody));
        let address = Uri::from_static("http://evil.example/api/episodes");
        assert_eq!(allowed(&anybody, &headers, &address), Err(Refused::OtherHost));
        let address = Uri::from_static("/");
        assert_eq!(
            allowed(&from(None, Some(Standing::Anybody)), &headers, &address),
            Err(Refused::Elsewhere)
        );
        // Nor who was asked for a password and gave none, from wherever.
        for standing in [None, Some(Standing::Probe)] {
            assert_eq!(allowed(&from(local, standing), &headers, &address), Err(Refused::Elsewhere));
        }
    }

    #[test]
    fn whoever_has_proven_who_he_is_may_from_anywhere() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("leasewatch.example.com:9748"));
        headers.insert(VIA, HeaderValue::from_static("1.1 proxy"));
        let known = from(Some("192.0.2.1:5000"), Some(Standing::Known));
        assert_eq!(allowed(&known, &headers, &Uri::from_static("/")), Ok(()));
    }

    #[test]
    fn nothing_is_changed_for_a_page_of_another_site() {
        let ask = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("127.0.0.1:9748"));
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_static(value));
            }
            of_no_other_site(&headers)
        };
        assert_eq!(ask(&[]), Ok(()));
        assert_eq!(ask(&[("origin", "http://127.0.0.1:9748"), ("sec-fetch-site", "same-origin")]), Ok(()));
        for other in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:80"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(ask(&[other]), Err(Refused::OtherSite), "{other:?}");
        }
    }
}
