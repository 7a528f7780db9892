//! Where a request came from, judged: new networks, a token in two of them, wrapped credentials
//! that turn up elsewhere.

use super::cluster::Networks;
use super::now::{Now, of_hour};
use super::pool::Pool;
use super::sources::{Ladder, Look, NETWORK, written};
use super::subject::{MARK_TWO_NETWORKS, NO_SOURCES, Subject};
use super::tokens::Tokens;
use crate::anomaly::activity::{Act, Activity};
use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::strength;
use crate::event::Text;
use core::net::IpAddr;

/// Looks at where a request came from. `true` if evidence was raised.
pub fn look(
    subject: &mut Subject,
    pool: &Pool,
    networks: &Networks,
    tokens: &mut Tokens,
    activity: &Activity<'_>,
    (address, ladder): (IpAddr, &Ladder),
    now: &Now,
) -> bool {
    let login = matches!(activity.act, Act::LoggedIn);
    let is_known = |network| networks.known_to_others(network, subject.key);
    let network_is_known = is_known(ladder.rungs[2]);
    let look = subject.sources.look(ladder, now, login, network_is_known);
    let is_off = subject.off & NO_SOURCES != 0;
    let mut raised = false;
    let maturity = subject.maturity(now.hour).max(p::MATURE_BY_PEERS * pool.maturity(now.hour));
    let level = match look {
        Look::Known => 0,
        Look::New(level) => level,
        Look::Stranger => usize::from(subject.sources.level),
    };
    if level > 0 && !is_off {
        let new = novelty(subject, pool, level) * maturity;
        if new >= p::KEEP {
            raised |= subject.standing.raise(now.secs, evidence(subject, address, level, new));
        }
    }
    // Two kinds of addresses of one host prove nothing.
    if let Some(accessor) = activity.accessor.filter(|_| !ladder.is_v6 && !is_off) {
        let token = (accessor.0 >> 64) as u64 ^ accessor.0 as u64;
        if tokens.see(token, ladder.rungs[2], now) && subject.marks & MARK_TWO_NETWORKS == 0 {
            subject.marks |= MARK_TWO_NETWORKS;
            let prior = pool.two_networks.mean(p::TWO_NETWORKS, p::POOL_WEIGHT * 5.0);
            let part = subject.two_networks.mean(prior, p::NOVELTY_WEIGHT);
            raised |= subject.standing.raise(
                now.secs,
                Evidence {
                    component: Component::TwoNetworks,
                    strength: strength(part) * maturity,
                    observed: 2.0,
                    expected: 1.0,
                    upper: if part > 1e-3 { 2.0 } else { 1.0 },
                    own_max: None,
                    last_seen: None,
                    peers: None,
                    detail: Text::from(written(address, NETWORK)),
                },
            );
        }
    }
    raised
}

/// How rare a new address of that level is for a subject, and a new network under such circumstances.
fn novelty(subject: &Subject, pool: &Pool, level: usize) -> f64 {
    let index = level - 1;
    let prior = pool.sources[index].mean(p::NEW_SOURCE[index], p::POOL_WEIGHT);
    let part = subject.sources.rates[index].mean(prior, p::NOVELTY_WEIGHT);
    let mut new = strength(part);
    if level < NETWORK {
        // Within a network that it comes from, addresses are given out by others.
        return new.min(p::NEIGHBOUR_MOST);
    }
    if let Some(stranger) = subject.sources.stranger.filter(|_| level >= NETWORK) {
        // What is likelier of a theft than of a move counts by how rarely moves look like it.
        if stranger.overlap {
            new += strength(pool.overlap.mean(p::OVERLAP));
        }
        if stranger.no_login {
            new += strength(pool.no_login.mean(p::NO_LOGIN));
        }
    }
    new
}

fn evidence(subject: &Subject, address: IpAddr, level: usize, strength: f64) -> Evidence {
    let mut detail = written(address, level);
    if level == p::NEW_SOURCE.len() {
        detail += ", new to the cluster";
    }
    if let Some(stranger) = subject.sources.stranger.filter(|_| level >= NETWORK) {
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
        upper: if rate.mean(0.0, 1.0) > 1e-3 { 1.0 } else { 0.0 },
        own_max: often.then(|| (1.0, of_hour(subject.hour))),
        last_seen: None,
        peers: None,
        detail: Text::from(detail),
    }
}
