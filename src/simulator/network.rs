//! Where requests come from: networks, and an end of a connection in one.

use super::rng::Rng;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt::Write as _;

/// The client's end of a connection, as the audit log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

/// A network that addresses are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// Servers in the data centre, in the /24 of their team.
    Machines(u8),
    /// Pods: `cluster` 0 and 1 have IPv4, 2 has IPv6; each node has a /24 (a /64), and `nodes` of them are in use.
    Pods { cluster: u8, nodes: u8 },
    /// Runners of a CI system: machines that live for one job, in one /20.
    Runners(u8),
    /// An office, in one /24.
    Office(u8),
    /// The pool of the VPN.
    Vpn,
    /// A home or a hotel: an address of this provider, the customer's own until it is assigned anew.
    Provider(u16),
    /// A home with IPv6: the customer's own /64, with an address of the day.
    Home6(u32),
    /// A rented machine somewhere else in the world.
    Rented(u16),
}

impl Network {
    /// An address of it.
    pub(super) fn address(self, rng: &mut Rng) -> IpAddr {
        let host = |rng: &mut Rng| rng.between(2, 253) as u8;
        match self {
            Self::Machines(rack) => Ipv4Addr::new(10, 20, rack, host(rng)).into(),
            Self::Pods { cluster: 2, nodes } => {
                let node = rng.below(u64::from(nodes)) as u16;
                let pod = rng.between(0x10, 0xfffe) as u16;
                Ipv6Addr::new(0xfd42, 0x64, 2, node + 1, 0, 0, 0, pod).into()
            }
            Self::Pods { cluster, nodes } => {
                let node = rng.below(u64::from(nodes)) as u8;
                Ipv4Addr::new(10, 64 + 32 * cluster, node, host(rng)).into()
            }
            Self::Runners(pool) => Ipv4Addr::new(10, 130 + pool, 16 + rng.below(16) as u8, host(rng)).into(),
            Self::Office(office) => Ipv4Addr::new(172, 20, office, host(rng)).into(),
            Self::Vpn => Ipv4Addr::new(10, 8, rng.below(4) as u8, host(rng)).into(),
            Self::Provider(provider) => {
                let [first, second] = provider.to_be_bytes();
                Ipv4Addr::new(77 + first % 16, second, rng.below(256) as u8, host(rng)).into()
            }
            Self::Home6(customer) => {
                let (high, low) = ((customer >> 16) as u16, customer as u16);
                let [b, c, d] = [rng.next() as u16, rng.next() as u16, rng.next() as u16];
                Ipv6Addr::new(0x2003, high & 0xff, low, 0x8800, 0x5c1e, b, c, d).into()
            }
            Self::Rented(provider) => {
                let [first, second] = provider.to_be_bytes();
                Ipv4Addr::new(185 + first % 8, second, rng.below(256) as u8, host(rng)).into()
            }
        }
    }

    /// A connection from an address of it.
    pub(super) fn peer(self, rng: &mut Rng) -> Peer {
        let address = self.address(rng);
        Peer::of(address, rng)
    }
}

impl Peer {
    /// A new connection from this address.
    pub(super) fn of(address: IpAddr, rng: &mut Rng) -> Self {
        Self { address, port: rng.between(32_768, 60_999) as u16 }
    }

    /// The address as Go writes it.
    pub(super) fn write(self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = match self.address {
            IpAddr::V4(address) => write!(out, "{address}"),
            IpAddr::V6(address) => write!(out, "{address}"),
        };
    }
}
