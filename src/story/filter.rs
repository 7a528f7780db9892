//! A filter: the part of a story that is wanted.

use super::{Moment, What};
use crate::event::Text;
use core::net::IpAddr;

/// A network, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// `10.0.0.0/8`, `2001:db8::/32`, or an address.
    ///
    /// # Errors
    /// What to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write an address such as 10.1.2.3 or a network such as 10.1.0.0/16".to_owned();
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
        };
        Ok(Self { base, bits })
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let apart = u32::from(base) ^ u32::from(address);
                apart.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let apart = u128::from(base) ^ u128::from(address);
                apart.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

/// What is wanted; without any of it, all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A namespace by its path; `""` is the root.
    pub namespace: Option<Text>,
    /// A mount by its path, with the last slash.
    pub mount: Option<Text>,
    /// A role, with its mount above.
    pub role: Option<Text>,
    /// Where requests come from.
    pub source: Option<Network>,
}

impl Filter {
    /// All of it is wanted.
    pub fn is_all(&self) -> bool {
        self.namespace.is_none() && self.mount.is_none() && self.role.is_none() && self.source.is_none()
    }

    /// It in words; nothing where all is wanted.
    pub fn sentence(&self) -> Option<String> {
        let namespace = self.namespace.as_deref().map(|name| if name.is_empty() { "root" } else { name });
        let parts = [
            ("namespace ", namespace.map(str::to_owned)),
            ("mount ", self.mount.as_ref().map(ToString::to_string)),
            ("role ", self.role.as_ref().map(ToString::to_string)),
            ("source ", self.source.map(|network| network.to_string())),
        ];
        let parts: Vec<_> =
            parts.into_iter().filter_map(|(what, name)| Some(format!("{what}{}", name?))).collect();
        (!parts.is_empty()).then(|| {
            format!("requests of {}, and what became of the leases that came of them", parts.join(", "))
        })
    }

    /// Whether a request is wanted. One about a lease is of the lease's mount and role, not of
    /// `sys/`, where it was sent to.
    pub(super) fn wants(&self, moment: &Moment) -> bool {
        let place = moment.lease.as_deref().filter(|_| !matches!(moment.what, What::Issue));
        let (mount, role) =
            place.and_then(super::place::of_lease).unwrap_or((moment.mount.as_str(), moment.role.as_str()));
        self.is_from(&moment.namespace, mount, moment.source)
            && self.role.as_ref().is_none_or(|wanted| wanted == role)
    }

    /// Whether a request is from there and goes there.
    pub(super) fn is_from(&self, namespace: &str, mount: &str, source: Option<IpAddr>) -> bool {
        self.namespace.as_ref().is_none_or(|wanted| wanted == namespace)
            && self.mount.as_ref().is_none_or(|wanted| wanted == mount)
            && self.source.is_none_or(|wanted| source.is_some_and(|source| wanted.contains(source)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (network, address, holds) in [
            ("10.1.0.0/16", "10.1.255.1", true),
            ("10.1.0.0/16", "10.2.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:5::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), holds, "{network:?} {address}");
        }
        for wrong in ["", "10.1", "10.1.0.0/33", "10.1.0.0/x", "::/129", "example.org"] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
    }
}
