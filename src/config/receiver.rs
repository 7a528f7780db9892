//! A receiver: an address at which the lines of a log come in by themselves, as audit devices
//! other than files send them. In a list of logs it stands where a path would.

use super::value::{Wrong, wrong};
use ipnet::IpNet;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Where lines come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverAddress {
    /// `tcp://HOST:PORT`: lines, or syslog with octet counts.
    Tcp(SocketAddr),
    /// `udp://HOST:PORT`: a datagram for each line.
    Udp(SocketAddr),
    /// `unix:///PATH`: lines over a socket in the file system.
    Unix(PathBuf),
    /// `unixgram:///PATH`: a datagram for each line.
    UnixDatagram(PathBuf),
    /// `http://HOST:PORT/PATH`: lines in the body of a POST.
    Http(SocketAddr, String),
    /// `tls://HOST:PORT`: as `tcp`, by TLS.
    Tls(SocketAddr),
    /// `https://HOST:PORT/PATH`: as `http`, by TLS.
    Https(SocketAddr, String),
}

/// What all receivers share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiveConfig {
    /// Networks whose machines may send; this machine may always.
    pub allow: Vec<IpNet>,
    /// Most bytes that may wait on disk to be counted, for each receiver.
    pub spool_limit: u64,
    /// File with TLS and passwords, as the pages have one.
    pub config_file: Option<PathBuf>,
}

impl ReceiveConfig {
    /// Whether this machine may send.
    pub fn allows(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        peer.is_loopback() || self.allow.iter().any(|network| network.contains(&peer))
    }
}

const REMEDY: &str = "Write tcp://127.0.0.1:9749, udp://127.0.0.1:9749, unix:///run/leasewatch/audit.sock, \
     unixgram:///run/leasewatch/audit.sock, http://127.0.0.1:9749/, tls://10.0.0.5:9749 or https://10.0.0.5:9749/";

impl ReceiverAddress {
    /// Whether `path` is meant as one, and not as a file.
    pub(super) fn is_meant(path: &str) -> bool {
        path.contains("://")
    }

    /// Reads one.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong(format!("{text:?} is no address to receive at"), REMEDY);
        };
        match scheme {
            "tcp" => socket(rest).map(Self::Tcp),
            "udp" => socket(rest).map(Self::Udp),
            "unix" => file(rest).map(Self::Unix),
            "unixgram" => file(rest).map(Self::UnixDatagram),
            "tls" => socket(rest).map(Self::Tls),
            "http" => place(rest).map(|(at, path)| Self::Http(at, path)),
            "https" => place(rest).map(|(at, path)| Self::Https(at, path)),
            _ => wrong(format!("nothing can be received by {scheme:?}"), REMEDY),
        }
    }

    /// Its address, where it is one of a network.
    pub fn network(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(at) | Self::Tls(at) | Self::Udp(at) | Self::Http(at, _) | Self::Https(at, _) => {
                Some(*at)
            }
            Self::Unix(_) | Self::UnixDatagram(_) => None,
        }
    }

    /// Whether TLS is spoken there.
    pub fn speaks_tls(&self) -> bool {
        matches!(self, Self::Tls(_) | Self::Https(..))
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        self.network().is_none_or(|at| at.ip().to_canonical().is_loopback())
    }
}

impl Display for ReceiverAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(at) => write!(f, "tcp://{at}"),
            Self::Udp(at) => write!(f, "udp://{at}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::UnixDatagram(path) => write!(f, "unixgram://{}", path.display()),
            Self::Http(at, path) => write!(f, "http://{at}{path}"),
            Self::Tls(at) => write!(f, "tls://{at}"),
            Self::Https(at, path) => write!(f, "https://{at}{path}"),
        }
    }
}

/// Who may send is decided by address, so a name is not taken but for this machine's own.
fn socket(text: &str) -> Result<SocketAddr, Wrong> {
    let literal = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    match literal.as_deref().unwrap_or(text).parse() {
        Ok(at) => Ok(at),
        Err(_) => wrong(format!("{text:?} is no IP address with a port"), REMEDY),
    }
}

/// An address and a path.
fn place(text: &str) -> Result<(SocketAddr, String), Wrong> {
    let (host, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    if path.contains(['?', '#', '*', ' ']) {
        return wrong(format!("{path:?} is no plain path"), REMEDY);
    }
    socket(host).map(|at| (at, if path.is_empty() { "/" } else { path }.to_owned()))
}

fn file(text: &str) -> Result<PathBuf, Wrong> {
    // The kernel's room for such a name.
    const LONGEST: usize = 107;
    if !text.starts_with('/') || text.ends_with('/') {
        return wrong(format!("{text:?} is no absolute path of a socket"), REMEDY);
    }
    if text.len() > LONGEST {
        return wrong("the path is too long for a socket", format!("Take one of at most {LONGEST} bytes"));
    }
    Ok(text.into())
}

/// A network, such as `10.0.0.0/8`, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Wrong> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    match network {
        Some(network) => Ok(network.trunc()),
        None => wrong(
            format!("{text:?} is no network"),
            "Write an address with the length of its prefix, such as 10.0.0.0/8 or fd00::/8",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_and_shown_as_it_was_written() {
        for text in [
            "tcp://127.0.0.1:9749",
            "tcp://[::1]:9749",
            "udp://0.0.0.0:514",
            "unix:///run/leasewatch/audit.sock",
            "unixgram:///run/leasewatch/audit.sock",
            "http://127.0.0.1:9749/audit",
            "tls://10.0.0.5:9749",
            "https://10.0.0.5:9749/audit",
        ] {
            assert_eq!(ReceiverAddress::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ReceiverAddress::parse("http://localhost:1").unwrap().to_string(), "http://127.0.0.1:1/");
        for bad in [
            "tcp://:1",
            "tcp://host:1",
            "tcp://1.2.3.4",
            "ftp://1.2.3.4:1",
            "unix://a",
            "unix:///a/",
            "http://1.2.3.4:1/?a",
        ] {
            assert!(ReceiverAddress::parse(bad).is_err(), "{bad}");
        }
        assert!(ReceiverAddress::parse(&format!("unix:///{}", "a".repeat(107))).is_err());
    }

    #[test]
    fn only_this_machine_and_what_is_allowed_may_send() {
        let config = ReceiveConfig {
            allow: vec![network("10.1.2.3/16").unwrap(), network("fd00::5").unwrap()],
            ..ReceiveConfig::default()
        };
        for (peer, allowed) in [
            ("127.0.0.2", true),
            ("::1", true),
            ("::ffff:10.1.9.9", true),
            ("10.1.0.1", true),
            ("10.2.0.1", false),
            ("fd00::5", true),
            ("fd00::6", false),
        ] {
            assert_eq!(config.allows(peer.parse().unwrap()), allowed, "{peer}");
        }
        assert!(network("10.0.0.0/33").is_err());
    }
}
