//! Where from: the addresses, subnets and networks of a subject, as a ladder from the known
//! address to a network that nobody in the cluster ever came from. What tells a theft from a
//! move is kept beside it: whether the known network goes on being used, and whether anybody
//! logged in over there.

use super::now::{Now, short};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::rate::Rate;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

/// How new an address is: 0 is known.
pub const LEVELS: usize = 6;
/// From this level on it is another network, and not a neighbour.
pub const NETWORK: usize = 3;
/// From this level on it is another subnet: next door for pods, another rack for a machine.
pub const SUBNET: usize = 2;

/// An address on its ladder: itself, its subnet, its network. IPv4: /32, /24, /16. IPv6: /128,
/// /64, and of /48 and /32 the wider one as the network: providers renumber homes within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Hashes of the address, its subnet, and its network.
    pub rungs: [u32; 3],
    /// IPv6: the /48, between subnet and network; IPv4: the subnet again.
    pub site: u32,
    /// An address of the internet, and not of a private network.
    pub is_public: bool,
    /// Which of the two it is: one host uses both at once, which proves nothing.
    pub is_v6: bool,
}

impl Ladder {
    /// Of an address. An IPv4 address that is written as an IPv6 one is an IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        let rung = |bits: u128, width: u32, family: u8| {
            let kept = if width == 0 { 0 } else { bits >> (128 - width) << (128 - width) };
            let mut bytes = [0; 18];
            bytes[..16].copy_from_slice(&kept.to_be_bytes());
            bytes[16] = family;
            bytes[17] = u8::try_from(width).unwrap_or(u8::MAX);
            short(xxhash_rust::xxh3::xxh3_64_with_seed(&bytes, p::SEED))
        };
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let bits = u128::from(v4.to_bits()) << 96;
                let subnet = rung(bits, 24, 4);
                let rungs = [rung(bits, 32, 4), subnet, rung(bits, 16, 4)];
                let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
                let is_public = !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared);
                Self { rungs, site: subnet, is_public, is_v6: false }
            }
            IpAddr::V6(v6) => {
                let bits = v6.to_bits();
                let rungs = [rung(bits, 128, 6), rung(bits, 64, 6), rung(bits, 32, 6)];
                let is_public = !(v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local());
                Self { rungs, site: rung(bits, 48, 6), is_public, is_v6: true }
            }
        }
    }
}

/// The network of an address, as people write it.
pub fn written(address: IpAddr, level: usize) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            if level >= NETWORK {
                format!("{a}.{b}.0.0/16 ({v4})")
            } else {
                format!("{a}.{b}.{c}.0/24 ({v4})")
            }
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            if level >= NETWORK {
                format!("{a:x}:{b:x}::/32 ({v6})")
            } else {
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64 ({v6})")
            }
        }
    }
}

/// An address, subnet or network that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    #[serde(rename = "x")]
    hash: u32,
    #[serde(rename = "f")]
    first: i32,
    #[serde(rename = "l")]
    last: i32,
    /// 0 the address, 1 the subnet or site, 2 the network.
    #[serde(rename = "r", default)]
    rung: u8,
    /// An alarm brought it.
    #[serde(rename = "q", default, skip_serializing_if = "std::ops::Not::not")]
    held: bool,
    /// Somebody logged in from there.
    #[serde(rename = "i", default, skip_serializing_if = "std::ops::Not::not")]
    login: bool,
}

/// A network that the subject came from for the first time, this hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// The address that it was first seen by.
    pub address: IpAddr,
    /// Hash of the network, or of the subnet.
    pub network: u32,
    /// How new it is.
    pub level: u8,
    /// When it was last used, in seconds.
    pub secs: i64,
    /// The known network was in use at the same time.
    pub overlap: bool,
    /// Nobody has logged in from there.
    pub no_login: bool,
    /// Requests from there.
    pub uses: u32,
}

/// What a look says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing new.
    Known,
    /// New, by its level on the ladder.
    New(usize),
    /// What is known about this hour's stranger has changed.
    Stranger,
    /// An alarm brought it, it is not believed yet, and back after a pause; by its level.
    Again(usize),
}

/// Where a subject came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    #[serde(rename = "k", default)]
    known: Vec<Known>,
    /// Hours that brought a level, or a higher one; the first is that of a new address.
    #[serde(rename = "r", default)]
    pub rates: [Rate; LEVELS - 1],
    /// The highest level of the current hour.
    #[serde(rename = "n", default)]
    pub level: u8,
    /// It came from a public address this hour.
    #[serde(rename = "g", default)]
    is_public_now: bool,
    /// It came from a public address before.
    #[serde(rename = "p", default)]
    was_public: bool,
    /// The address that was used last, its hour, and its network: most requests come from there.
    #[serde(rename = "a", default)]
    last: Option<(IpAddr, i32, u32)>,
    /// The token that was used last.
    #[serde(rename = "o", default)]
    token: u64,
    /// When a known network was last used.
    #[serde(rename = "w", default)]
    home_secs: i64,
    /// And in which family of addresses.
    #[serde(rename = "v", default)]
    home_v6: bool,
    /// A network of this hour that is new.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub stranger: Option<Stranger>,
    /// Addresses of a day, usually.
    #[serde(rename = "m", default)]
    usual_addresses: f32,
    /// Addresses of the last day.
    #[serde(rename = "d", default)]
    recent_addresses: f32,
}

impl Sources {
    /// Whether a request came from where the last one did, in the same hour, so that there is
    /// nothing to look at.
    pub fn is_same(&mut self, source: IpAddr, now: &Now) -> bool {
        let is_same = self.stranger.is_none()
            && self.last.is_some_and(|(address, hour, _)| address == source && hour == now.hour);
        if is_same {
            self.home_secs = now.secs;
        }
        is_same
    }

    /// Whether it was made with the token of the last one.
    pub fn is_same_token(&mut self, token: u64) -> bool {
        std::mem::replace(&mut self.token, token) == token
    }

    /// The network that was used last.
    pub fn last_network(&self) -> u32 {
        self.last.map_or(0, |(_, _, network)| network)
    }

    /// Looks at where a request came from. `login`: it made a token. `network_is_known`: somebody
    /// else in the cluster is known to come from that network.
    pub fn look(
        &mut self,
        source: IpAddr,
        ladder: &Ladder,
        now: &Now,
        login: bool,
        network_is_known: bool,
    ) -> Look {
        let [_, subnet, network] = ladder.rungs;
        self.last = Some((source, now.hour, network));
        let level = self.level_of(ladder, now, network_is_known);
        let again = self.held(ladder, now).filter(|_| level < SUBNET);
        self.remember(ladder, now, login);
        self.is_public_now |= ladder.is_public;
        self.level = self.level.max(u8::try_from(level).unwrap_or(0));
        // A host uses both families of addresses at once: that is no overlap.
        let at_home = self.home_v6 == ladder.is_v6 && now.secs - self.home_secs <= p::OVERLAP_SECS;
        let mut look = match again {
            Some(level) => Look::Again(level),
            None if level > 0 => Look::New(level),
            None => Look::Known,
        };
        match &mut self.stranger {
            Some(stranger) if [subnet, network].contains(&stranger.network) => {
                stranger.secs = now.secs;
                stranger.uses += 1;
                let before = (stranger.overlap, stranger.no_login);
                stranger.no_login &= !login;
                stranger.overlap |= at_home;
                if before != (stranger.overlap, stranger.no_login) {
                    look = Look::Stranger;
                }
            }
            _ if level >= SUBNET => {
                self.stranger = Some(Stranger {
                    address: source,
                    network: if level >= NETWORK { network } else { subnet },
                    level: u8::try_from(level).unwrap_or(0),
                    secs: now.secs,
                    overlap: at_home,
                    no_login: !login,
                    uses: 1,
                });
            }
            stranger => {
                self.home_secs = now.secs;
                self.home_v6 = ladder.is_v6;
                if let Some(stranger) = stranger
                    && !stranger.overlap
                    && now.secs - stranger.secs <= p::OVERLAP_SECS
                {
                    stranger.overlap = true;
                    look = Look::Stranger;
                }
            }
        }
        look
    }

    fn find(&self, rung: u8, hash: u32) -> Option<usize> {
        self.known.iter().position(|known| known.rung == rung && known.hash == hash)
    }

    /// What is known there and not too old, held or not.
    fn knows(&self, rung: u8, hash: u32, hour: i32) -> bool {
        self.find(rung, hash).is_some_and(|at| hour - self.known[at].last <= p::FORGET)
    }

    /// The level of what an alarm brought and is back after a pause.
    fn held(&self, ladder: &Ladder, now: &Now) -> Option<usize> {
        let is_held = |rung, hash| {
            self.find(rung, hash).is_some_and(|at| {
                let known = &self.known[at];
                known.held && now.hour - known.last >= p::PAUSE && now.hour - known.first <= p::QUARANTINE
            })
        };
        let [_, subnet, network] = ladder.rungs;
        is_held(2, network).then_some(NETWORK).or_else(|| is_held(1, subnet).then_some(SUBNET))
    }

    fn level_of(&self, ladder: &Ladder, now: &Now, network_is_known: bool) -> usize {
        let [address, subnet, network] = ladder.rungs;
        if self.knows(0, address, now.hour) {
            0
        } else if self.knows(1, subnet, now.hour) {
            1
        } else if self.knows(1, ladder.site, now.hour) || self.knows(2, network, now.hour) {
            2
        } else if network_is_known {
            3
        } else if ladder.is_public && !self.was_public {
            5
        } else {
            4
        }
    }

    fn remember(&mut self, ladder: &Ladder, now: &Now, login: bool) {
        let [address, subnet, network] = ladder.rungs;
        let site = (ladder.site != subnet).then_some((1, ladder.site));
        for (rung, hash) in [(0, address), (1, subnet), (2, network)].into_iter().chain(site) {
            if let Some(at) = self.find(rung, hash) {
                let known = &mut self.known[at];
                if now.hour - known.last > p::FORGET {
                    (known.first, known.held) = (now.hour, false);
                }
                known.last = known.last.max(now.hour);
                known.login |= login;
                if known.held && now.hour - known.first > p::QUARANTINE {
                    known.held = false;
                }
                continue;
            }
            if self.known.len() >= p::SOURCES {
                // Single addresses go first: pods have a new one every day.
                let least =
                    self.known.iter().enumerate().min_by_key(|(_, known)| {
                        (known.rung > 0 && known.last > now.hour - 24 * 14, known.last)
                    });
                if let Some((at, _)) = least {
                    self.known.swap_remove(at);
                }
            } else if self.known.len() == self.known.capacity() {
                self.known
                    .reserve_exact((self.known.len() / 2).clamp(3, 16).min(p::SOURCES - self.known.len()));
            }
            self.known.push(Known { hash, first: now.hour, last: now.hour, rung, held: false, login });
        }
    }

    /// Networks that were used in an hour and are believed.
    pub fn of_hour(&self, hour: i32) -> impl Iterator<Item = u32> {
        self.known
            .iter()
            .filter(move |known| known.rung == 2 && !known.held && known.last == hour)
            .map(|known| known.hash)
    }

    /// Networks that are in use.
    pub fn networks(&self, hour: i32) -> usize {
        self.known
            .iter()
            .filter(|known| known.rung == 2 && !known.held && hour - known.last <= p::FORGET)
            .count()
    }

    /// How many more addresses than usual it came from, of late: 1 where as many or fewer.
    pub fn scale_out(&self) -> f64 {
        if self.usual_addresses <= 0.0 {
            return 1.0;
        }
        (f64::from(self.recent_addresses) / f64::from(self.usual_addresses)).clamp(1.0, p::SCALE_OUT)
    }

    /// Ends an hour; gives the highest new level that it brought.
    /// `exposure`: how much could be new, 0 for too early to say.
    pub fn close(&mut self, hour: i32, gated: bool, exposure: f32) -> usize {
        let level = usize::from(std::mem::take(&mut self.level));
        for (index, rate) in self.rates.iter_mut().enumerate() {
            rate.trials += exposure;
            if level > index && !gated && exposure > 0.0 {
                rate.hits += 1.0;
            }
        }
        if !gated && self.is_public_now {
            self.was_public = true;
        }
        self.is_public_now = false;
        if gated && level >= SUBNET {
            for known in self.known.iter_mut().filter(|known| known.first == hour) {
                known.held = true;
            }
        }
        self.stranger = None;
        let here = |known: &&Known| known.rung == 0 && known.last > hour - 24;
        let addresses = self.known.iter().filter(here).count() as f64 as f32;
        if addresses > 0.0 {
            if self.usual_addresses <= 0.0 {
                (self.usual_addresses, self.recent_addresses) = (addresses, addresses);
            }
            // A day's against a month of active hours.
            self.recent_addresses += (addresses - self.recent_addresses) / p::ADDRESSES_OVER;
            self.usual_addresses += (addresses - self.usual_addresses) / 400.0;
        }
        level
    }

    /// Believes everything.
    pub fn believe(&mut self) {
        for known in &mut self.known {
            known.held = false;
        }
        self.stranger = None;
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.known.capacity() * size_of::<Known>()
    }
}
