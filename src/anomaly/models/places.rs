//! Where a request came from, judged: new networks, a token in two of them, wrapped credentials
//! that turn up elsewhere.

use super::cluster::Networks;
use super::now::{Now, of_hour};
use super::pool::Pool;
use super::sources::{Ladder, Look, NETWORK, SUBNET, written};
use super::standing::DEPLOY;
use super::subject::{MARK_TWO_NETWORKS, NO_SOURCES, Subject};
use super::tokens::Tokens;
use crate::anomaly::activity::{Act, Activity};
use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::strength;
use crate::event::{Text, TokenHash};
use core::net::IpAddr;

/// Looks at where a request came from. `true` if evidence was raised.
pub fn look(
    subject: &mut Subject,
    pool: &Pool,
    networks: &Networks,
    tokens: &mut Tokens,
    activity: &Activity<'_>,
    address: IpAddr,
    now: &Now,
) -> bool {
    let login = matches!(activity.act, Act::LoggedIn);
    // Nearly all requests come from where the one before came from, most with the same token.
    if !login && subject.sources.is_same(address, now) {
        return match activity.accessor.map(halved) {
            Some(token) if !subject.sources.is_same_token(token) => {
                in_two_networks(subject, pool, tokens, token, address, now)
            }
            _ => false,
        };
    }
    let ladder = Ladder::of(address);
    let network_is_known = networks.known_to_others(ladder.rungs[2], subject.key);
    let look = subject.sources.look(address, &ladder, now, login, network_is_known);
    let is_off = subject.off & NO_SOURCES != 0;
    let mut raised = false;
    let maturity = subject.maturity(now.hour).max(p::MATURE_BY_PEERS * pool.maturity(now.hour));
    let (level, part) = match look {
        Look::Known => (0, 0.0),
        Look::New(level) => (level, 1.0),
        Look::Stranger => (usize::from(subject.sources.level), 1.0),
        Look::Again(level) => (level, p::AGAIN),
    };
    if level > 0 && !is_off {
        let new = novelty(subject, pool, level) * maturity * part;
        if new >= p::KEEP {
            // Next door, it is one more symptom of a deploy.
            let evidence = evidence(subject, address, level, new);
            raised |= if level < NETWORK {
                subject.standing.raise_in(now.secs, DEPLOY, evidence)
            } else {
                subject.standing.raise(now.secs, evidence)
            };
        }
    }
    if let Some(token) = activity.accessor.map(halved) {
        subject.sources.is_same_token(token);
        raised |= in_two_networks(subject, pool, tokens, token, address, now);
    }
    raised
}

/// Half of a hash is enough to tell tokens apart for a while.
fn halved(token: TokenHash) -> u64 {
    (token.0 >> 64) as u64 ^ token.0 as u64
}

/// Looks at whether a token is in use in two networks, and raises evidence if it is.
fn in_two_networks(
    subject: &mut Subject,
    pool: &Pool,
    tokens: &mut Tokens,
    token: u64,
    address: IpAddr,
    now: &Now,
) -> bool {
    if subject.off & NO_SOURCES != 0 {
        return false;
    }
    // Two kinds of addresses of one host prove nothing: each kind is followed for itself.
    let token = token ^ u64::from(address.to_canonical().is_ipv6());
    if !tokens.see(token, subject.sources.last_network(), now) || subject.marks & MARK_TWO_NETWORKS != 0 {
        return false;
    }
    subject.marks |= MARK_TWO_NETWORKS;
    let maturity = subject.maturity(now.hour).max(p::MATURE_BY_PEERS * pool.maturity(now.hour));
    let prior = pool.two_networks.mean(p::TWO_NETWORKS, p::COUNT_WEIGHT * 25.0);
    let part = subject.two_networks.among(prior, p::COUNT_WEIGHT, p::SHAPE);
    let evidence = Evidence {
        component: Component::TwoNetworks,
        strength: strength(part) * maturity,
        observed: 2.0,
        expected: 1.0,
        upper: if part > 1e-3 { 2.0 } else { 1.0 },
        own_max: None,
        last_seen: None,
        peers: None,
        detail: Text::from(written(address, NETWORK)),
    };
    subject.standing.raise(now.secs, evidence)
}

/// How rare a new address of that level is for a subject, and a new network under such circumstances.
fn novelty(subject: &Subject, pool: &Pool, level: usize) -> f64 {
    let index = level - 1;
    let prior = pool.sources[index].mean(p::NEW_SOURCE[index], p::POOL_WEIGHT);
    let part = subject.sources.rates[index].among(prior, p::NOVELTY_WEIGHT, p::SHAPE) * subject.exposure();
    let mut new = strength(part);
    if level < SUBNET {
        // Within a network that it comes from, addresses are given out by others.
        return new.min(p::NEIGHBOUR_MOST);
    }
    if let Some(stranger) = subject.sources.stranger.filter(|_| level >= SUBNET) {
        // What is likelier of a theft than of a move counts by how rarely moves look like it.
        if stranger.overlap {
            new += strength(
                pool.overlap[usize::from(level >= NETWORK)].mean(p::OVERLAP).max(p::CIRCUMSTANCE_LEAST),
            );
        }
        if stranger.no_login {
            new += strength(
                pool.no_login[usize::from(level >= NETWORK)].mean(p::NO_LOGIN).max(p::CIRCUMSTANCE_LEAST),
            );
        }
    }
    new
}

fn evidence(subject: &Subject, address: IpAddr, level: usize, strength: f64) -> Evidence {
    let stranger = subject.sources.stranger.filter(|_| level >= SUBNET);
    let mut detail = written(stranger.map_or(address, |stranger| stranger.address), level);
    match level {
        5 => detail += ", new to the cluster and public, where only private ones were used",
        4 => detail += ", new to the cluster",
        _ => {}
    }
    if let Some(stranger) = stranger {
        if stranger.overlap {
            detail += ", while its known network is in use";
        }
        if stranger.no_login {
            detail += ", without a login from there";
        }
    }
    let rate = subject.sources.rates[level - 1];
    let often = rate.hits >= 1.0;
    Evidence {
        component: Component::NewSource,
        strength,
        observed: 1.0,
        expected: 0.0,
        upper: if rate.mean(0.0, 1.0) * subject.exposure() > 1e-3 { 1.0 } else { 0.0 },
        own_max: often.then(|| (1.0, of_hour(subject.hour))),
        last_seen: None,
        peers: None,
        detail: Text::from(detail),
    }
}
